//! How an office acts on what it makes of others: whom it asks, whose work it begins, and what it
//! notes about whom.

use crate::federation::breaker::Outcome;
use crate::federation::envelope::{Refusal, Stage, Verdict};
use crate::federation::grant::Parties as _;
use crate::federation::rules::Rules;
use crate::federation::terms::{Capability, Money};
use crate::federation::trust::Evidence;
use crate::identity::Identity;
use crate::stack::sessions::Channel;
use crate::stack::{Ctx, StackEvent};

use super::Ending;
use super::book::Open;
use super::office::{Office, Work};

impl<R: Rules> Office<R> {
    /// Recomputes what is thought of everybody, and acts on it.
    pub(in crate::stack) fn on_evaluate(&mut self, ctx: &mut Ctx<'_, R>) {
        for (of, level) in self.conduct.evaluate(ctx) {
            self.trust(of, level, ctx);
        }
    }

    /// Notes that a stranger proved who it is.
    fn meet(&mut self, peer: Identity, ctx: &mut Ctx<'_, R>) {
        let Some(organisation) = self.registry.organisation(peer) else {
            return;
        };
        if let Some(level) = self.conduct.meet(peer, organisation, ctx) {
            self.gate.set_level(peer, level);
        }
    }

    /// Sees to it that what a stranger is caught at is not forgotten before it is met.
    fn open(&mut self, peer: Identity) {
        if let Some(organisation) = self.registry.organisation(peer) {
            self.conduct.open(peer, organisation);
        }
    }

    fn saw(
        &mut self,
        channel: Identity,
        claimed: Identity,
        evidence: Evidence,
        ctx: &mut Ctx<'_, R>,
    ) {
        if let Some((of, level)) = self.conduct.saw(channel, claimed, evidence, ctx) {
            self.trust(of, level, ctx);
        }
    }

    /// Whether `audience` may be asked for what uses `capability`: it is trusted that far, and its
    /// breaker is closed.
    pub(super) fn may_ask(
        &mut self,
        audience: Identity,
        capability: &Capability,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        let is_trusted =
            !self.conduct.moves_trust() || self.gate.may_send(audience, capability, None);
        is_trusted && self.conduct.admits(audience, ctx)
    }

    /// Notes that `audience` was asked.
    pub(super) fn note_asked(&mut self, audience: Identity, ctx: &mut Ctx<'_, R>) {
        self.saw(audience, audience, Evidence::Sent, ctx);
    }

    /// Notes what came of an envelope, against the peer that its channel authenticated.
    pub(super) fn note_envelope(
        &mut self,
        channel: Channel,
        claimed: Identity,
        verdict: &Verdict,
        ctx: &mut Ctx<'_, R>,
    ) {
        let at = self.identity_at(channel.from);
        let channel = channel.proven.unwrap_or(at);
        if claimed == channel && proves_itself(verdict) {
            self.meet(channel, ctx);
        }
        let evidence = match verdict {
            Verdict::Refused { refusal, .. } => match refusal {
                Refusal::BadSignature => {
                    self.open(R::charged(channel, claimed));
                    Evidence::BadSignature
                }
                Refusal::PolicyBlocked => Evidence::Threat,
                _ => Evidence::Received,
            },
            Verdict::Execute { .. } | Verdict::Begun(_) | Verdict::Repeat(_) => Evidence::Received,
        };
        self.saw(channel, claimed, evidence, ctx);
    }

    /// Notes how an errand ended, for or against whoever was asked.
    pub(super) fn note_end_of(&mut self, open: &Open, ending: Ending, ctx: &mut Ctx<'_, R>) {
        let of = self.addresses.present(open.action.audience);
        let value = open.action.budget.money_max;
        let (outcome, cost, presence) = match ending {
            Ending::Done => (Outcome::Answered, value, Evidence::Alive),
            Ending::Refused(_) => (Outcome::Answered, Money(0), Evidence::Alive),
            Ending::Unknown => (Outcome::Unreachable, Money(0), Evidence::Silent),
        };
        self.saw(of, of, presence, ctx);
        if ending == Ending::Done {
            self.saw(of, of, Evidence::Served { value }, ctx);
        }
        self.conduct.ended(of, outcome, cost, ctx);
    }

    /// Notes that an errand was answered by what proves nothing.
    pub(super) fn note_bad_answer(&mut self, number: u64, ctx: &mut Ctx<'_, R>) {
        let asked = self.book.get_mut(number);
        let asked = asked.map(|open| (open.action.audience, open.action.budget.money_max));
        if let Some((of, value)) = asked {
            let of = self.addresses.present(of);
            ctx.notify(StackEvent::AnsweredBadly { of });
            self.saw(of, of, Evidence::Failed { value }, ctx);
            self.conduct.ended(of, Outcome::Misbehaved, Money(0), ctx);
        }
    }

    /// Whether `source` may act, as far as its key goes and anybody asks.
    pub(super) fn may_act(&self, source: Identity) -> bool {
        let is_asked = self.config.stages.contains(&Stage::Revocation);
        !is_asked || R::source_may_act(self.registry.is_barred(source))
    }

    /// Whether work that waited may begin now; it is refused if its source has fallen meanwhile.
    pub(super) fn may_begin(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) -> bool {
        let Some(work) = self.work.get(&ticket) else {
            return false;
        };
        let (source, action) = (work.action.source, work.action.id);
        let may_act = self.may_act(source);
        if may_act && (!work.is_queued || self.gate.start(source, action).is_ok()) {
            ctx.notify(StackEvent::WorkBegun {
                action,
                source,
                capability: work.action.capability.clone(),
            });
            return true;
        }
        let Some(Work { from, action, .. }) = self.work.remove(&ticket) else {
            return false;
        };
        let refusal = if may_act {
            Refusal::Denied
        } else {
            Refusal::Barred
        };
        let refusal = self.refuse(from, (refusal, true), Some(&action), ctx);
        if let Some(refusal) = refusal {
            self.carry(refusal, ctx);
        }
        false
    }
}

/// Whether a verdict was reached behind the check of the signature.
fn proves_itself(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Execute { .. } | Verdict::Begun(_) | Verdict::Repeat(_) => true,
        Verdict::Refused { refusal, .. } => !matches!(
            refusal,
            Refusal::TooLarge | Refusal::BadFrame | Refusal::BadSchema | Refusal::BadSignature
        ),
    }
}
