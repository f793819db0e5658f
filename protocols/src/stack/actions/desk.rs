//! What an office does about its log: whom it has its head countersigned by, what goes on once a
//! record is durable, and what it says of outcomes that nobody knows.
//!
//! Must not know what is written down, or how.

use rand::Rng as _;

use crate::federation::audit::{ActionRecord, Content, Head, Stage, Witness, third_parties};
use crate::federation::envelope::Action;
use crate::federation::rules::Rules;
use crate::federation::terms::ActionId;
use crate::identity::Identity;
use crate::peer::PeerId;
use crate::signed::Signed;
use crate::stack::message::Load;
use crate::stack::{Ctx, StackTimer};
use crate::time::SimDuration;

use super::book::Open;
use super::office::{Office, Posting};
use super::records::Waiting;
use super::{Ending, Errand};

impl<R: Rules> Office<R> {
    /// Begins to have heads countersigned, some time within the first span of the schedule.
    pub(in crate::stack) fn on_start(&mut self, ctx: &mut Ctx<'_, R>) {
        self.conduct.schedule(ctx);
        if self.records.is_kept() {
            let every = self.config.audit.countersign_every;
            let phase = ctx.rng().between(0, every.as_nanos());
            ctx.set_timer(StackTimer::Countersign, SimDuration::from_nanos(phase));
        }
    }

    /// It is time to have the head of the log countersigned.
    pub(in crate::stack) fn on_countersign(&mut self, ctx: &mut Ctx<'_, R>) -> Vec<Posting> {
        let audit = self.config.audit;
        ctx.set_timer(StackTimer::Countersign, audit.countersign_every);
        let Some(head) = self.records.head(ctx) else {
            return Vec::new();
        };
        self.round += 1;
        let chosen = third_parties(&self.outsiders(), self.round, audit.witnesses);
        let identities = &self.federation.directory.identities;
        let slots = identities.iter();
        let slots = slots.filter(|(_, identity)| chosen.contains(identity));
        let posting = |to: PeerId| Posting {
            to,
            load: Load::Head { head: head.clone() },
        };
        slots.map(|(to, _)| posting(*to)).collect()
    }

    /// Who may countersign: the peers of other organisations, or of the own one if there is no other.
    fn outsiders(&self) -> Vec<Identity> {
        let organisations = &self.federation.organisations;
        let own = usize::from(self.organisation.0);
        let identities = &self.federation.directory.identities;
        let is_alone = organisations.len() == 1;
        let others = organisations.iter().enumerate();
        let others = others.filter(|(number, _)| is_alone || *number != own);
        let others = others.flat_map(|(_, peers)| peers.iter().map(|peer| identities[peer]));
        others.filter(|other| *other != self.identity).collect()
    }

    /// Somebody wants its head countersigned.
    pub(in crate::stack) fn on_head(
        &mut self,
        from: PeerId,
        head: &Signed<Head>,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        if !self.records.is_kept() {
            return None;
        }
        let witness = self.records.witness(head, ctx)?;
        let load = Load::Witness { witness };
        Some(Posting { to: from, load })
    }

    /// A third party countersigned.
    pub(in crate::stack) fn on_witness(&mut self, witness: &Signed<Witness>, ctx: &mut Ctx<'_, R>) {
        if self.records.is_kept() {
            self.records.countersigned(witness, ctx);
        }
    }

    /// Records up to this one are durable: what waited for them goes on.
    pub(in crate::stack) fn on_recorded(
        &mut self,
        upto: u64,
        ctx: &mut Ctx<'_, R>,
    ) -> Vec<Posting> {
        let mut postings = Vec::new();
        for waiting in self.records.persisted(upto, ctx) {
            match waiting {
                Waiting::Departure(number) => {
                    let open = self.book.get_mut(number);
                    if open.is_some_and(|open| self.records.may_send(&open.action)) {
                        postings.extend(self.depart(number, ctx));
                    }
                }
                Waiting::Work(ticket) => {
                    let work = self.work.get(&ticket);
                    if work.is_some_and(|work| self.records.may_take_effect(&work.action)) {
                        self.begin(ticket, ctx);
                    }
                }
            }
        }
        postings
    }

    /// Notes what was not sent, since nothing of it may leave.
    pub(super) fn note_withheld(
        &mut self,
        audience: Identity,
        errand: &Errand,
        ctx: &mut Ctx<'_, R>,
    ) {
        let expires_at = ctx.now() + errand.lifetime;
        let step = ActionRecord {
            action: ActionId::new(expires_at, ctx.rng().next_u64()),
            other: audience,
            kind: errand.kind,
            capability: errand.capability.clone(),
            level: self.gate.level(audience),
            budget: None,
            content: Content::AsBegun,
            stage: Stage::Refused {
                reason: "withheld".to_owned(),
            },
        };
        self.records.withheld(step, &errand.payload, ctx);
    }

    /// Notes how an errand ended; that it was done is noted where its answer is judged.
    pub(super) fn note_ending(&mut self, open: &Open, ending: Ending, ctx: &mut Ctx<'_, R>) {
        let (audience, action) = (open.action.audience, open.action.id);
        match ending {
            Ending::Done => {}
            Ending::Refused(code) => self.records.denied(audience, action, code, ctx),
            Ending::Unknown => self.records.given_up(audience, action, ctx),
        }
    }

    /// Somebody asks again for what is being done, or for what a crash hid.
    pub(super) fn say_if_unknown(&self, from: PeerId, action: &Action) -> Option<Posting> {
        let load = Load::OutcomeUnknown { action: action.id };
        (!self.records.is_under_way(action)).then_some(Posting { to: from, load })
    }
}
