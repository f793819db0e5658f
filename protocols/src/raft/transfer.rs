//! Leadership transfer (dissertation 3.10). Must not know elections.
//!
//! ```text
//! request ─▶ catch up ─▶ timeout-now ─▶ the target's term ends the transfer
//!     └── an election timeout passes ─▶ abandoned, proposals flow again
//! ```

use super::Ctx;
use super::apply::fail;
use super::command::Outcome;
use super::event::RaftEvent;
use super::leading::Transfer;
use super::message::{RaftMessage, RaftReply, RaftTimer};
use super::rules::Rules;
use super::state::Raft;
use crate::outbox::RequestId;
use crate::peer::PeerId;

impl<R: Rules> Raft<R> {
    /// An operator wants `to` to lead.
    pub(super) fn on_transfer(&mut self, request: RequestId, to: PeerId, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = &self.leading else {
            return ctx.reply(request, fail("not-leader"));
        };
        if to == self.me {
            let outcome = Outcome::Accomplished;
            return ctx.reply(request, RaftReply::Ok { outcome });
        }
        if !self.configuration().is_voter(to) {
            return ctx.reply(request, fail("transfer-to-non-voter"));
        }
        if leading.transfer.as_ref().is_some_and(|t| t.to == to) {
            return ctx.reply(request, fail("transfer-pending"));
        }
        self.abort_transfer("transfer-replaced", ctx);
        if let Some(leading) = self.leading.as_mut() {
            let told = false;
            leading.transfer = Some(Transfer { to, request, told });
        }
        ctx.set_timer(RaftTimer::Transfer, self.config.election_timeout_min);
        ctx.notify(RaftEvent::TransferStarted { to });
        self.dispatch(ctx);
        self.continue_transfer(ctx);
    }

    /// Tells the target once it has everything; no lease of this term is safe from then on, since
    /// the order may arrive at any time.
    pub(super) fn continue_transfer(&mut self, ctx: &mut Ctx<'_, R>) {
        let (term, last) = (self.term, self.log.last_index());
        let Some(leading) = self.leading.as_mut() else {
            return;
        };
        let Some(to) = leading.transfer.as_ref().filter(|t| !t.told).map(|t| t.to) else {
            return;
        };
        let matched = leading.of(to).map_or(0, |progress| progress.match_index);
        if R::may_hand_over(matched, last) {
            leading.lease_void = true;
            if let Some(transfer) = leading.transfer.as_mut() {
                transfer.told = true;
            }
            ctx.send(to, RaftMessage::TimeoutNow { term });
        }
    }

    /// The target did not take over within an election timeout.
    pub(super) fn on_transfer_timeout(&mut self, ctx: &mut Ctx<'_, R>) {
        self.abort_transfer("transfer-too-slow", ctx);
    }

    pub(super) fn abort_transfer_to_non_voter(&mut self, ctx: &mut Ctx<'_, R>) {
        let transfer = self.leading.as_ref().and_then(|l| l.transfer.as_ref());
        if transfer.is_some_and(|t| !self.configuration().is_voter(t.to)) {
            self.abort_transfer("transfer-to-non-voter", ctx);
        }
    }

    fn abort_transfer(&mut self, reason: &'static str, ctx: &mut Ctx<'_, R>) {
        if let Some(transfer) = self.leading.as_mut().and_then(|l| l.transfer.take()) {
            ctx.cancel_timer(RaftTimer::Transfer);
            ctx.notify(RaftEvent::TransferAborted { to: transfer.to });
            ctx.reply(transfer.request, fail(reason));
        }
    }
}
