//! Rumor mongering: the calls of a round, their answers, and the loss of interest.
//!
//! Must not know disks and anti-entropy.

use super::config::{Contacts, Loss, Rounds};
use super::event::{Learned, Refusal, RumorEvent};
use super::known::{Answers, Interest, Known};
use super::message::{Contact, RumorCopy, RumorId, RumorMessage};
use super::rules::Rules;
use super::{Answered, Rumor};
use crate::peer::PeerId;
use crate::protocol::Context;

/// What became of a copy that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// The peer entered this round without knowing it.
    Needed,
    /// The peer knew it when the round began.
    InVain,
    /// The copy was refused.
    Refused,
}

impl<R: Rules> Rumor<R> {
    pub(super) fn begin_round(&mut self, ctx: &mut Context<'_, Self>) {
        self.awaits_round = false;
        let round = self.round(ctx);
        self.settle_answers(round, ctx);
        self.settle_phases(round, ctx);
        self.drop_aged(round, ctx);
        self.place_calls(round, ctx);
        self.await_round(ctx);
    }

    /// Judges the last round's answers together: they were one contact, in vain if nobody needed
    /// the rumor (so the counters of Demers et al. 1987, table 3).
    fn settle_answers(&mut self, round: i64, ctx: &mut Context<'_, Self>) {
        if !self.wants_feedback() {
            return;
        }
        for rumor in self.hot() {
            match self.take_answers(rumor) {
                Answers::None => {}
                Answers::Needed => self.count_success(rumor),
                Answers::InVain => self.count_contact(rumor, round, ctx),
            }
        }
    }

    /// Ends the round for the rumors that are spread in phases. One learned in it begins its first
    /// phase now.
    fn settle_phases(&mut self, round: i64, ctx: &mut Context<'_, Self>) {
        let partners = std::mem::take(&mut self.partners_met);
        let Some(max) = self.phases() else {
            return;
        };
        for rumor in self.hot() {
            let Some(known) = self.known.get_mut(rumor) else {
                continue;
            };
            let Interest::InPhase(phase) = known.interest else {
                continue;
            };
            if known.learned >= round - 1 {
                continue;
            }
            match phase.next::<R>(partners, max) {
                Some(next) => known.interest = Interest::InPhase(next),
                None => self.lose_interest(rumor, round, ctx),
            }
        }
    }

    /// How many phases are counted, if any.
    fn phases(&self) -> Option<u32> {
        match self.config.loss {
            Loss::MedianCounter { max } => Some(max),
            Loss::Never | Loss::Counter { .. } | Loss::Consecutive { .. } | Loss::Coin { .. } => {
                None
            }
        }
    }

    /// Notes how far a partner is that gave a rumor which is known.
    fn note_phase(&mut self, copy: &RumorCopy, is_news: bool) {
        let Some(max) = self.phases() else {
            return;
        };
        if let Some(known) = self.known.get_mut(copy.rumor)
            && let Interest::InPhase(phase) = &mut known.interest
        {
            match is_news {
                true => phase.learned_again(copy.phase, max),
                false => phase.meet(copy.phase, max),
            }
        }
    }

    fn take_answers(&mut self, rumor: RumorId) -> Answers {
        match self.known.get_mut(rumor).map(|known| &mut known.interest) {
            Some(Interest::Hot { answers, .. }) => std::mem::replace(answers, Answers::None),
            Some(Interest::InPhase(_) | Interest::Cold) | None => Answers::None,
        }
    }

    fn drop_aged(&mut self, round: i64, ctx: &mut Context<'_, Self>) {
        let Some(limit) = self.config.age_limit else {
            return;
        };
        for rumor in self.hot() {
            let too_old = |known: &Known| known.age(round) > limit;
            if self.known.get(rumor).is_some_and(too_old) {
                self.lose_interest(rumor, round, ctx);
            }
        }
    }

    fn place_calls(&mut self, round: i64, ctx: &mut Context<'_, Self>) {
        let mode = self.config.mode;
        let told = if mode.pushes() {
            self.to_tell(round)
        } else {
            Vec::new()
        };
        if told.is_empty() && !mode.pulls() {
            return;
        }
        self.rounds_called = self.rounds_called.saturating_add(1);
        let me = ctx.me();
        for partner in self.partners.draw(self.config.fanout, me, ctx.rng()) {
            self.partners_met += 1;
            for copy in &told {
                ctx.send(partner, RumorMessage::Push { copy: *copy });
                self.count_if_blind(copy.rumor, round, ctx);
            }
            if mode.pulls() {
                ctx.send(partner, RumorMessage::PullRequest);
            }
        }
    }

    pub(super) fn on_push(&mut self, from: PeerId, copy: &RumorCopy, ctx: &mut Context<'_, Self>) {
        match self.take(copy, ctx) {
            Taken::Needed => self.give_feedback(from, copy.rumor, Contact::Push, true, ctx),
            Taken::InVain => self.give_feedback(from, copy.rumor, Contact::Push, false, ctx),
            Taken::Refused => {}
        }
    }

    pub(super) fn on_pull_request(&mut self, from: PeerId, ctx: &mut Context<'_, Self>) {
        self.partners_met = self.partners_met.saturating_add(1);
        if self.known.len() == 0 {
            return;
        }
        let round = self.round(ctx);
        if self.answered.round != round {
            self.answered = Answered { round, calls: 0 };
        }
        if !R::answers_again(self.answered.calls) {
            return;
        }
        self.answered.calls = self.answered.calls.saturating_add(1);
        for copy in self.to_tell(round) {
            ctx.send(from, RumorMessage::PullAnswer { copy });
            self.count_if_blind(copy.rumor, round, ctx);
        }
    }

    pub(super) fn on_pull_answer(
        &mut self,
        from: PeerId,
        copy: &RumorCopy,
        ctx: &mut Context<'_, Self>,
    ) {
        match self.take(copy, ctx) {
            Taken::Needed => self.give_feedback(from, copy.rumor, Contact::Answer, true, ctx),
            Taken::InVain => self.give_feedback(from, copy.rumor, Contact::Answer, false, ctx),
            Taken::Refused => {}
        }
    }

    pub(super) fn on_feedback(
        &mut self,
        rumor: RumorId,
        contact: Contact,
        needed: bool,
        ctx: &mut Context<'_, Self>,
    ) {
        match (contact, needed) {
            (Contact::Push, true) => self.count_success(rumor),
            (Contact::Push, false) => {
                let round = self.round(ctx);
                self.count_contact(rumor, round, ctx);
            }
            (Contact::Answer, needed) => self.note_answer(rumor, needed),
        }
    }

    fn note_answer(&mut self, rumor: RumorId, needed: bool) {
        if let Some(known) = self.known.get_mut(rumor)
            && let Interest::Hot { answers, .. } = &mut known.interest
        {
            *answers = match (needed, *answers) {
                (true, _) | (false, Answers::Needed) => Answers::Needed,
                (false, Answers::None | Answers::InVain) => Answers::InVain,
            };
        }
    }

    fn give_feedback(
        &mut self,
        to: PeerId,
        rumor: RumorId,
        contact: Contact,
        needed: bool,
        ctx: &mut Context<'_, Self>,
    ) {
        // Of a push that was needed only a caller that counts in a row must hear.
        let matters = contact == Contact::Answer || !needed || self.counts_in_a_row();
        if matters && self.wants_feedback() {
            let feedback = RumorMessage::Feedback {
                rumor,
                contact,
                needed,
            };
            ctx.send(to, feedback);
        }
    }

    fn wants_feedback(&self) -> bool {
        let is_counted = match self.config.loss {
            Loss::Never | Loss::MedianCounter { .. } => false,
            Loss::Counter { .. } | Loss::Consecutive { .. } | Loss::Coin { .. } => true,
        };
        is_counted && self.config.contacts == Contacts::Feedback
    }

    /// Receives an anti-entropy copy: it becomes a hot rumor (Demers et al. 1987, section 1.5), and
    /// counts as no contact.
    pub(super) fn on_repair(&mut self, copy: &RumorCopy, ctx: &mut Context<'_, Self>) {
        self.take(copy, ctx);
    }

    fn take(&mut self, copy: &RumorCopy, ctx: &mut Context<'_, Self>) -> Taken {
        let round = self.round(ctx);
        if let Some(known) = self.known.get(copy.rumor) {
            if !known.agrees(copy) {
                return self.refuse(copy.rumor, Refusal::ConflictingContent, ctx);
            }
            let is_news = self.is_news(known, round);
            self.note_phase(copy, is_news);
            return if is_news {
                Taken::Needed
            } else {
                Taken::InVain
            };
        }
        let rumor = copy.rumor;
        if rumor.origin == ctx.me() && !self.was_announced(rumor.sequence) {
            return self.refuse(rumor, Refusal::ForgedOwn, ctx);
        }
        if self.is_full() {
            return self.refuse(rumor, Refusal::TableFull, ctx);
        }
        if self.config.durable {
            self.append(copy, ctx);
        }
        let interest = if R::spreads_what_it_received() {
            Interest::fresh(self.config.loss, copy.phase)
        } else {
            Interest::Cold
        };
        self.learn(copy, interest, ctx);
        Taken::Needed
    }

    fn refuse(&self, rumor: RumorId, refusal: Refusal, ctx: &mut Context<'_, Self>) -> Taken {
        let rumor = Some(rumor);
        ctx.notify(RumorEvent::Rejected { refusal, rumor });
        Taken::Refused
    }

    /// Adds a rumor that is not known.
    pub(super) fn learn(
        &mut self,
        copy: &RumorCopy,
        interest: Interest,
        ctx: &mut Context<'_, Self>,
    ) {
        let round = self.round(ctx);
        self.known.insert(Known::new(copy, round, interest));
        let learned = Learned {
            rumor: copy.rumor,
            round: copy.age,
            hops: copy.hops,
            payload: copy.payload,
        };
        ctx.notify(RumorEvent::Learned { learned });
        self.await_round(ctx);
    }

    /// Whether the peer must act in `round` as if it did not know this yet.
    fn is_news(&self, known: &Known, round: i64) -> bool {
        match self.config.rounds {
            Rounds::Synchronous => known.learned == round && !R::acts_on_news_of_this_round(),
            Rounds::OwnPhase => false,
        }
    }

    /// What the peer tells in a call or an answer of `round`.
    fn to_tell(&self, round: i64) -> Vec<RumorCopy> {
        let tells = |known: &&Known| known.is_hot() && !self.is_news(known, round);
        let told = self.known.iter().filter(tells);
        told.map(|known| known.copy(round)).collect()
    }

    fn hot(&self) -> Vec<RumorId> {
        let hot = self.known.iter().filter(|known| known.is_hot());
        hot.map(|known| known.rumor).collect()
    }

    fn count_if_blind(&mut self, rumor: RumorId, round: i64, ctx: &mut Context<'_, Self>) {
        match self.config.contacts {
            Contacts::Feedback => {}
            Contacts::Blind => self.count_contact(rumor, round, ctx),
        }
    }

    fn counts_in_a_row(&self) -> bool {
        match self.config.loss {
            Loss::Consecutive { .. } => true,
            Loss::Never | Loss::Counter { .. } | Loss::Coin { .. } | Loss::MedianCounter { .. } => {
                false
            }
        }
    }

    /// Notes a contact that was needed: it ends a row of those in vain.
    fn count_success(&mut self, rumor: RumorId) {
        if self.counts_in_a_row()
            && let Some(known) = self.known.get_mut(rumor)
            && let Interest::Hot { counted, .. } = &mut known.interest
        {
            *counted = 0;
        }
    }

    /// Counts one contact towards the loss of interest.
    fn count_contact(&mut self, rumor: RumorId, round: i64, ctx: &mut Context<'_, Self>) {
        let Some(known) = self.known.get_mut(rumor) else {
            return;
        };
        let Interest::Hot { counted, .. } = &mut known.interest else {
            return;
        };
        *counted = counted.saturating_add(1);
        if R::loses_interest(self.config.loss, *counted, ctx.rng()) {
            self.lose_interest(rumor, round, ctx);
        }
    }

    fn lose_interest(&mut self, rumor: RumorId, round: i64, ctx: &mut Context<'_, Self>) {
        let Some(known) = self.known.get_mut(rumor) else {
            return;
        };
        known.interest = Interest::Cold;
        let round = known.age(round);
        if !R::remembers_without_interest() {
            self.known.remove(rumor);
        }
        ctx.notify(RumorEvent::InterestLost { rumor, round });
    }
}
