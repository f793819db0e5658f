//! Hearing news: what is believed, what replaces what is held, and the one event each change has.
//!
//! Signatures are looked at last, and only if the news would change something: most news are old.

use crate::peer::PeerId;
use crate::protocol::Context;
use crate::signed::Signed;

use super::config::DeadRule;
use super::event::{Refusal, SwimEvent};
use super::members::{Member, Place};
use super::message::{Alive, Claim, ClaimKind, Incarnation, Update};
use super::rules::{ClaimProof, RecordProof, Status, SwimRules, View};
use super::suspicion::{Suspicion, suspicion_terms};
use super::{Swim, SwimTimer};

/// How news came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// On a ping, an ack or in gossip: just now.
    Gossip,
    /// In a full state: perhaps long ago.
    FullState,
}

fn said_by(record: &Alive) -> View {
    View {
        status: match record.leaving {
            true => Status::Left,
            false => Status::Alive,
        },
        incarnation: record.incarnation,
    }
}

fn said_in(claim: &Claim) -> View {
    View {
        status: match claim.kind {
            ClaimKind::Suspect => Status::Suspect,
            ClaimKind::Dead => Status::Dead,
        },
        incarnation: claim.subject.incarnation,
    }
}

/// News that are looked up side by side.
const TOGETHER: usize = 8;

impl<R: SwimRules> Swim<R> {
    pub(super) fn refuse(&self, refusal: Refusal, ctx: &mut Context<'_, Self>) {
        ctx.notify(SwimEvent::Rejected { refusal });
    }

    pub(super) fn hear_all(&mut self, updates: &[Update], ctx: &mut Context<'_, Self>) {
        // Looked up side by side, since each waits for memory that others do not need.
        for some in updates.chunks(TOGETHER) {
            let mut places = [None; TOGETHER];
            for (place, update) in places.iter_mut().zip(some) {
                *place = self.members.subject(update.record());
            }
            for (place, update) in places.into_iter().zip(some) {
                self.hear_of(place, update, Source::Gossip, ctx);
            }
        }
    }

    pub(super) fn hear(&mut self, update: &Update, source: Source, ctx: &mut Context<'_, Self>) {
        self.hear_of(None, update, source, ctx);
    }

    /// Hears news of the member at `place`; without one, of somebody who may have been learned since.
    fn hear_of(
        &mut self,
        place: Option<Place>,
        update: &Update,
        source: Source,
        ctx: &mut Context<'_, Self>,
    ) {
        let place = place.or_else(|| self.members.subject(update.record()));
        let is_about_me = update.record().key == self.key;
        match update {
            Update::Alive(record) if is_about_me => self.on_own_record(record, ctx),
            Update::Claim(claim) if is_about_me => self.on_accusation(claim, ctx),
            Update::Alive(record) => self.hear_alive(place, record, ctx),
            Update::Claim(claim) => self.hear_claim(place, claim, source, ctx),
        }
    }

    pub(super) fn overrides(&self, news: View, held: View) -> bool {
        R::overrides(self.config.dead, news, held)
    }

    fn hear_alive(
        &mut self,
        held: Option<Place>,
        record: &Signed<Alive>,
        ctx: &mut Context<'_, Self>,
    ) {
        let Some(place) = held else {
            if self.is_owned(record, ctx) {
                self.learn(record, ctx);
            }
            return;
        };
        let held = self.members.get(place);
        let is_elsewhere = held.record.address != record.address;
        if is_elsewhere && held.record.incarnation == record.incarnation {
            return self.refuse(Refusal::AddressConflict, ctx);
        }
        let news = self.overrides(said_by(record), held.view());
        if news && self.is_owned(record, ctx) {
            self.renew(place, record, ctx);
        }
    }

    /// Whether a record is its owner's; refuses it otherwise.
    pub(super) fn is_owned(&self, record: &Signed<Alive>, ctx: &mut Context<'_, Self>) -> bool {
        let owned = self.judge_record(record, ctx);
        if !owned {
            self.refuse(Refusal::UnownedAlive, ctx);
        }
        owned
    }

    /// What is held, signature and all, was verified when it came.
    fn judge_record(&self, record: &Signed<Alive>, ctx: &mut Context<'_, Self>) -> bool {
        let held = self.members.subject(record);
        let is_held = held.is_some_and(|place| self.members.get(place).record == *record);
        R::accepts_alive(RecordProof {
            signed_by_owner: record.signer() == record.key,
            signature_holds: is_held || ctx.verify(record),
        })
    }

    /// Whether a claim and the record in it can be believed; refuses it otherwise.
    pub(super) fn is_founded(
        &self,
        claim: &Signed<Claim>,
        accuser_listed: bool,
        ctx: &mut Context<'_, Self>,
    ) -> bool {
        let signature_holds = ctx.verify(claim);
        let proof = ClaimProof {
            signature_holds,
            accuser_listed,
        };
        if !R::accepts_claim(proof) {
            let refusal = match signature_holds {
                true => Refusal::UnknownAccuser,
                false => Refusal::UnsignedClaim,
            };
            self.refuse(refusal, ctx);
            return false;
        }
        let founded = !claim.subject.leaving && self.judge_record(&claim.subject, ctx);
        if !founded {
            self.refuse(Refusal::UnownedSubject, ctx);
        }
        founded
    }

    /// Lists somebody by his own, believed, record.
    fn learn(&mut self, record: &Signed<Alive>, ctx: &mut Context<'_, Self>) -> Place {
        let view = said_by(record);
        let member = Member::new(record.clone(), view.status, ctx.now());
        let place = self.members.insert(member);
        let (subject, incarnation) = (record.address, view.incarnation);
        if record.leaving {
            ctx.notify(SwimEvent::MemberLeft {
                subject,
                incarnation,
            });
        } else {
            self.start_probing(place, ctx);
            ctx.notify(SwimEvent::MemberLearned {
                subject,
                identity: record.key.identity(),
                incarnation,
            });
        }
        self.spread(place, ctx);
        place
    }

    fn start_probing(&mut self, place: Place, ctx: &mut Context<'_, Self>) {
        let entry = self.members.edit(place);
        if !std::mem::replace(&mut entry.probed, true) {
            self.probe_list.insert(place, ctx.rng());
        }
    }

    /// Replaces what is held by the member's own newer, believed, record.
    fn renew(&mut self, place: Place, record: &Signed<Alive>, ctx: &mut Context<'_, Self>) {
        let held = self.members.get(place);
        let (before, from) = (held.status, held.record.address);
        self.end_suspicion(place, ctx);
        self.bury_no_more(place, from);
        let entry = self.members.edit(place);
        entry.record = record.clone();
        entry.claim = None;
        let status = said_by(record).status;
        self.members.set_status(place, status, ctx.now());
        if status.is_live() {
            self.start_probing(place, ctx);
        }
        report_renewal(before, from, record, ctx);
        self.spread(place, ctx);
    }

    fn hear_claim(
        &mut self,
        held: Option<Place>,
        claim: &Signed<Claim>,
        source: Source,
        ctx: &mut Context<'_, Self>,
    ) {
        let news = said_in(claim);
        if let Some(place) = held {
            let view = self.members.get(place).view();
            if news == view && news.status == Status::Suspect {
                return self.hear_confirmation(place, claim, ctx);
            }
            if !self.overrides(news, view) {
                return;
            }
        }
        let accuser = self.members.find(&claim.signer());
        if self.is_founded(claim, accuser.is_some(), ctx) {
            let accuser = accuser.unwrap_or(self.place);
            match claim.kind {
                ClaimKind::Suspect => self.suspect(held, claim, accuser, ctx),
                ClaimKind::Dead => self.take_for_dead(held, claim, source, ctx),
            }
        }
    }

    /// Takes over a believed suspicion. Where the accused is not held as Alive, his own record in
    /// it is news first: it makes him known, refutes an older suspicion or revives him.
    fn suspect(
        &mut self,
        held: Option<Place>,
        claim: &Signed<Claim>,
        accuser: Place,
        ctx: &mut Context<'_, Self>,
    ) {
        let place = self.hear_subject(held, claim, ctx);
        if self.overrides(said_in(claim), self.members.get(place).view()) {
            self.begin_suspicion(place, claim.clone(), accuser, false, ctx);
        }
    }

    fn hear_subject(
        &mut self,
        held: Option<Place>,
        claim: &Signed<Claim>,
        ctx: &mut Context<'_, Self>,
    ) -> Place {
        let Some(place) = held else {
            return self.learn(&claim.subject, ctx);
        };
        let member = self.members.get(place);
        let stays =
            member.status == Status::Alive && member.record.address == claim.subject.address;
        if !stays && self.overrides(said_by(&claim.subject), member.view()) {
            self.renew(place, &claim.subject, ctx);
        }
        place
    }

    /// Takes over a believed death, be it of somebody unknown: the tombstone keeps his old records
    /// out.
    ///
    /// What a full state calls dead may have been dead to the other side of a partition alone; as
    /// long as he may refute, he is suspected instead (memberlist `mergeState`).
    fn take_for_dead(
        &mut self,
        held: Option<Place>,
        claim: &Signed<Claim>,
        source: Source,
        ctx: &mut Context<'_, Self>,
    ) {
        let place = held.unwrap_or_else(|| {
            let member = Member::new(claim.subject.clone(), Status::Dead, ctx.now());
            self.members.insert(member)
        });
        let member = self.members.get(place);
        let is_hearsay = source == Source::FullState
            && self.config.dead == DeadRule::Refutable
            && member.status.is_live();
        let has_moved = member.record.address != claim.subject.address;
        let is_newer = self.overrides(said_by(&claim.subject), member.view());
        if is_newer && (is_hearsay || has_moved) {
            self.renew(place, &claim.subject, ctx);
        }
        match is_hearsay {
            true => self.accuse(place, false, ctx),
            false => self.bury(place, claim.clone(), false, ctx),
        }
    }

    /// Another accuser of the same incarnation: independent, so the rest of the time shrinks.
    fn hear_confirmation(
        &mut self,
        place: Place,
        claim: &Signed<Claim>,
        ctx: &mut Context<'_, Self>,
    ) {
        let accuser = self.members.find(&claim.signer());
        let suspicion = self.suspicions.get(&place);
        let is_wanted = suspicion
            .is_some_and(|suspicion| accuser.is_none_or(|accuser| suspicion.counts(accuser)));
        if is_wanted && self.is_founded(claim, accuser.is_some(), ctx) {
            self.confirm(place, claim.clone(), accuser.unwrap_or(self.place), ctx);
        }
    }

    fn confirm(
        &mut self,
        place: Place,
        claim: Signed<Claim>,
        accuser: Place,
        ctx: &mut Context<'_, Self>,
    ) {
        let Some(suspicion) = self.suspicions.get_mut(&place) else {
            return;
        };
        suspicion.confirm(accuser);
        let whole = R::suspicion_timeout(suspicion.terms, suspicion.confirmations());
        let rest = whole.saturating_sub(ctx.now().since(suspicion.started));
        ctx.set_timer(SwimTimer::Suspicion { place }, rest);
        self.members.edit(place).claim = Some(claim);
        self.spread(place, ctx);
    }

    /// Accuses a member oneself: begins a suspicion, or confirms the one there is.
    pub(super) fn accuse(&mut self, place: Place, by_own_probe: bool, ctx: &mut Context<'_, Self>) {
        let me = self.place;
        let is_new = self.members.get(place).status == Status::Alive;
        let suspicion = self.suspicions.get(&place);
        if !is_new && !suspicion.is_some_and(|suspicion| suspicion.counts(me)) {
            return;
        }
        let subject = self.members.get(place).record.clone();
        let claim = ctx.sign(Claim {
            kind: ClaimKind::Suspect,
            subject,
        });
        match is_new {
            true => self.begin_suspicion(place, claim, me, by_own_probe, ctx),
            false => self.confirm(place, claim, me, ctx),
        }
    }

    fn begin_suspicion(
        &mut self,
        place: Place,
        claim: Signed<Claim>,
        accuser: Place,
        by_own_probe: bool,
        ctx: &mut Context<'_, Self>,
    ) {
        let (subject, incarnation) = self.hold_claim(place, claim, Status::Suspect, ctx);
        self.time_suspicion(place, accuser, ctx);
        ctx.notify(SwimEvent::MemberSuspected {
            subject,
            incarnation,
            by_own_probe,
        });
        self.spread(place, ctx);
    }

    /// Holds what a claim says, and the record in it if that is newer: under the final rule a
    /// claim of Dead may be older than what it ends.
    fn hold_claim(
        &mut self,
        place: Place,
        claim: Signed<Claim>,
        status: Status,
        ctx: &Context<'_, Self>,
    ) -> (PeerId, Incarnation) {
        let entry = self.members.edit(place);
        if claim.subject.incarnation > entry.record.incarnation {
            entry.record = claim.subject.clone();
        }
        entry.claim = Some(claim);
        let held = (entry.record.address, entry.record.incarnation);
        self.members.set_status(place, status, ctx.now());
        held
    }

    pub(super) fn time_suspicion(
        &mut self,
        place: Place,
        accuser: Place,
        ctx: &mut Context<'_, Self>,
    ) {
        let terms = suspicion_terms(&self.config, self.members.live());
        let suspicion = Suspicion::new(ctx.now(), terms, accuser);
        self.suspicions.insert(place, suspicion);
        ctx.set_timer(
            SwimTimer::Suspicion { place },
            R::suspicion_timeout(terms, 0),
        );
    }

    fn end_suspicion(&mut self, place: Place, ctx: &mut Context<'_, Self>) {
        if self.suspicions.remove(&place).is_some() {
            ctx.cancel_timer(SwimTimer::Suspicion { place });
        }
    }

    /// A suspect's time is over.
    pub(super) fn on_suspicion_over(&mut self, place: Place, ctx: &mut Context<'_, Self>) {
        if self.suspicions.remove(&place).is_some() {
            let subject = self.members.get(place).record.clone();
            let claim = ctx.sign(Claim {
                kind: ClaimKind::Dead,
                subject,
            });
            self.bury(place, claim, true, ctx);
        }
    }

    fn bury(
        &mut self,
        place: Place,
        claim: Signed<Claim>,
        by_own_timeout: bool,
        ctx: &mut Context<'_, Self>,
    ) {
        self.end_suspicion(place, ctx);
        let (subject, incarnation) = self.hold_claim(place, claim, Status::Dead, ctx);
        self.dead_at.insert(subject, place);
        if self.gossips() && !self.config.gossip_to_dead.is_zero() {
            self.recently_dead.push_back((ctx.now(), place));
        }
        ctx.notify(SwimEvent::MemberDied {
            subject,
            incarnation,
            by_own_timeout,
        });
        self.spread(place, ctx);
    }

    fn bury_no_more(&mut self, place: Place, address: PeerId) {
        if self.dead_at.get(&address) == Some(&place) {
            self.dead_at.remove(&address);
        }
    }
}

/// One event a change; a farewell from another slot is two changes.
fn report_renewal<R: SwimRules>(
    before: Status,
    from: PeerId,
    record: &Alive,
    ctx: &mut Context<'_, Swim<R>>,
) {
    let (subject, incarnation) = (record.address, record.incarnation);
    if from != subject {
        ctx.notify(SwimEvent::MemberMoved {
            from,
            subject,
            incarnation,
        });
    }
    if record.leaving {
        ctx.notify(SwimEvent::MemberLeft {
            subject,
            incarnation,
        });
    } else if from == subject {
        ctx.notify(match before {
            Status::Alive => SwimEvent::MemberRefreshed {
                subject,
                incarnation,
            },
            Status::Suspect => SwimEvent::MemberRefuted {
                subject,
                incarnation,
            },
            Status::Dead | Status::Left => SwimEvent::MemberRevived {
                subject,
                incarnation,
            },
        });
    }
}
