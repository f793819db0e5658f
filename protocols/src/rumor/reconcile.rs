//! Anti-entropy: now and then two peers compare all they know (Demers et al. 1987, section 1.3).
//!
//! A digest lists names, not contents, so that a comparison of equals costs one message. Must not
//! know rounds beyond the age of a copy.

use super::message::{RumorId, RumorMessage};
use super::rules::Rules;
use super::{Rumor, RumorTimer};
use crate::peer::PeerId;
use crate::protocol::Context;
use crate::time::SimDuration;

impl<R: Rules> Rumor<R> {
    /// Sets the first comparison uniformly within the period, so that peers do not compare at once.
    pub(super) fn await_first_reconciliation(&mut self, ctx: &mut Context<'_, Self>) {
        if let Some(every) = self.config.anti_entropy {
            let after = SimDuration::from_nanos(ctx.rng().below(every.as_nanos().max(1)));
            ctx.set_timer(RumorTimer::Reconcile, after);
        }
    }

    pub(super) fn reconcile(&mut self, ctx: &mut Context<'_, Self>) {
        let Some(every) = self.config.anti_entropy else {
            return;
        };
        let me = ctx.me();
        if let Some(partner) = self.partners.draw_one(me, ctx.rng()) {
            let known = self.known.iter().map(|known| known.rumor).collect();
            ctx.send(partner, RumorMessage::Digest { known });
        }
        ctx.set_timer(RumorTimer::Reconcile, every);
    }

    pub(super) fn on_digest(
        &mut self,
        from: PeerId,
        theirs: &[RumorId],
        ctx: &mut Context<'_, Self>,
    ) {
        let round = self.round(ctx);
        for known in self.known.iter() {
            if theirs.binary_search(&known.rumor).is_err() {
                let copy = known.copy(round);
                ctx.send(from, RumorMessage::Repair { copy });
            }
        }
        // No more than there is room for: the answer to a forged digest stays small.
        let room = self.room();
        let unknown = theirs.iter().filter(|rumor| !self.knows(**rumor));
        let missing: Box<[RumorId]> = unknown.take(room).copied().collect();
        if !missing.is_empty() {
            ctx.send(from, RumorMessage::Wanted { missing });
        }
    }

    pub(super) fn on_wanted(
        &mut self,
        from: PeerId,
        missing: &[RumorId],
        ctx: &mut Context<'_, Self>,
    ) {
        let round = self.round(ctx);
        for rumor in missing.iter().take(self.known.len()) {
            if let Some(known) = self.known.get(*rumor) {
                let copy = known.copy(round);
                ctx.send(from, RumorMessage::Repair { copy });
            }
        }
    }
}
