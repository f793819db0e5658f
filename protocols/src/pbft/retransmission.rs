//! Sending again what got lost (thesis section 5.2), and messages that came too early.
//!
//! Nothing here runs while all goes well: the timer is set when something is under way and does
//! its work only if nothing has moved when it fires.

use super::PbftTimer;
use super::event::Reason;
use super::message::{PbftMessage, Status as StatusContent, ViewChange};
use super::numbers::{ReplicaId, Sequence};
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;
use crate::signed::Signed;

impl<R: Rules> Pbft<R> {
    /// Something is under way that should lead to an execution.
    pub(super) fn expect_progress(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.stuck_since.is_none() {
            self.arm_retransmission(ctx);
        }
    }

    /// Sets the timer anew.
    pub(super) fn arm_retransmission(&mut self, ctx: &mut Ctx<'_, R>) {
        self.stuck_since = Some(self.executed);
        ctx.set_timer(PbftTimer::Retransmit, self.config.retransmit_interval);
    }

    /// Sends again or asks for what is missing, if nothing moved since the timer was set.
    pub(super) fn on_retransmit(&mut self, ctx: &mut Ctx<'_, R>) {
        let moved = self.stuck_since.take() != Some(self.executed);
        match self.status {
            Status::Changing => {
                self.resend_view_change(ctx);
                self.arm_retransmission(ctx);
            }
            Status::Active if moved && self.is_behind() => self.arm_retransmission(ctx),
            Status::Active if self.is_behind() => {
                self.send_status(ctx);
                self.arm_retransmission(ctx);
            }
            Status::Active => {}
        }
    }

    /// The view-change as first sent; made anew only if it is gone.
    fn resend_view_change(&mut self, ctx: &mut Ctx<'_, R>) {
        let own = self.me.and_then(|me| self.view_changes.get(me.index()));
        let own = own.and_then(Option::as_ref);
        match own.filter(|own| own.view == self.view).cloned() {
            Some(view_change) => self.multicast(PbftMessage::ViewChange { view_change }, ctx),
            None => self.send_view_change(ctx),
        }
    }

    /// Whether others are known to be further, or a batch or a checkpoint is not finished.
    fn is_behind(&self) -> bool {
        let unfinished = self.log.iter().any(|(sequence, slot)| {
            let weak = R::is_weak_quorum(slot.commits.len(), &self.roster);
            sequence > self.executed && (slot.assignment.is_some() || weak)
        });
        let interval = self.config.checkpoint_interval;
        let unstable = self.executed >= self.log.low().plus(interval);
        unfinished || unstable || self.fetch.is_some()
    }

    /// Tells all others what this replica has.
    pub(super) fn send_status(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(replica) = self.me else {
            return;
        };
        let status = ctx.sign(StatusContent {
            epoch: self.roster.epoch,
            view: self.view,
            stable: self.log.low(),
            executed: self.executed,
            replica,
        });
        self.multicast(PbftMessage::Status { status }, ctx);
    }

    /// Another replica is stuck: it gets what this one has and it lacks.
    pub(super) fn on_status(
        &mut self,
        status: &Signed<StatusContent>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if status.epoch < self.roster.epoch {
            return self.help_with_handover(status, ctx);
        }
        self.check_signer(status.epoch, status.replica, status, ctx)?;
        if !self.may_help(status.replica, ctx) {
            return Ok(());
        }
        if status.stable < self.log.low() {
            self.send_stable_proof(status.replica, ctx);
        }
        self.resend_checkpoints(status, ctx);
        if status.view < self.view {
            self.send_new_view(status.replica, ctx);
        } else if status.view == self.view && self.status == Status::Active {
            self.resend_slots(status, ctx);
        }
        Ok(())
    }

    /// Each replica is helped once in half an interval, so that asking costs others little.
    pub(super) fn may_help(&mut self, replica: ReplicaId, ctx: &Ctx<'_, R>) -> bool {
        let pause = self.config.retransmit_interval / 2;
        let Some(last) = self.helped.get_mut(replica.index()) else {
            return false;
        };
        if last.is_some_and(|last| ctx.now().since(last) < pause) {
            return false;
        }
        *last = Some(ctx.now());
        true
    }

    fn send_stable_proof(&self, replica: ReplicaId, ctx: &mut Ctx<'_, R>) {
        if let Some(certificate) = &self.checkpoints.stable.certificate {
            let certificate = Box::new((**certificate).clone());
            self.send_to(replica, PbftMessage::CheckpointProof { certificate }, ctx);
        }
    }

    fn resend_checkpoints(&self, status: &StatusContent, ctx: &mut Ctx<'_, R>) {
        let own: Vec<_> = self
            .checkpoints
            .own
            .range(status.stable.next()..)
            .map(|(sequence, (_, digest))| (*sequence, *digest))
            .collect();
        for (sequence, digest) in own {
            if let Some(checkpoint) = self.sign_checkpoint(sequence, digest, ctx) {
                self.send_to(status.replica, PbftMessage::Checkpoint { checkpoint }, ctx);
            }
        }
    }

    fn send_new_view(&self, replica: ReplicaId, ctx: &mut Ctx<'_, R>) {
        if let (Some(new_view), Status::Active) = (self.new_view.clone(), self.status) {
            self.send_to(replica, PbftMessage::NewView { new_view }, ctx);
        }
    }

    /// The assignments and this replica's votes above what the asker has executed.
    fn resend_slots(&self, status: &StatusContent, ctx: &mut Ctx<'_, R>) {
        let missing = |sequence: Sequence| {
            sequence > status.executed.min(status.stable.plus(self.config.window))
        };
        for (_, slot) in self.log.iter().filter(|(sequence, _)| missing(*sequence)) {
            if let Some((pre_prepare, batch)) = slot.assignment.clone() {
                self.send_to(
                    status.replica,
                    PbftMessage::PrePrepare { pre_prepare, batch },
                    ctx,
                );
            }
            if let Some(prepare) = slot.own_prepare.clone() {
                self.send_to(status.replica, PbftMessage::Prepare { prepare }, ctx);
            }
            if let Some(commit) = slot.own_commit.clone() {
                self.send_to(status.replica, PbftMessage::Commit { commit }, ctx);
            }
        }
    }

    /// A replica asks, again or late, for a view that others have reached or begun.
    pub(super) fn help_with_view(&mut self, view_change: &ViewChange, ctx: &mut Ctx<'_, R>) {
        if view_change.view > self.view || !self.may_help(view_change.replica, ctx) {
            return;
        }
        match self.status {
            Status::Active => self.send_new_view(view_change.replica, ctx),
            Status::Changing => {
                let own = self.me.and_then(|me| self.view_changes.get(me.index()));
                if let Some(view_change_of_mine) = own.cloned().flatten() {
                    let message = PbftMessage::ViewChange {
                        view_change: view_change_of_mine,
                    };
                    self.send_to(view_change.replica, message, ctx);
                }
            }
        }
    }

    /// A member of an earlier roster missed the handover: it gets the proof of the checkpoint.
    fn help_with_handover(
        &mut self,
        status: &Signed<StatusContent>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let asker = self.roster.replica_of(&status.signer());
        let asker = asker.ok_or(Reason::NotAMember)?;
        if !R::signature_holds(ctx.verify(status)) {
            return Err(Reason::BadSignature);
        }
        if self.may_help(asker, ctx)
            && let Some(link) = self.links_since(status.epoch).into_iter().next()
        {
            let certificate = Box::new(link.certificate);
            self.send_to(asker, PbftMessage::CheckpointProof { certificate }, ctx);
        }
        Ok(())
    }

    /// Looks again at everything that came too early.
    pub(super) fn replay_future(&mut self, ctx: &mut Ctx<'_, R>) {
        let early = self.future.take();
        self.replay(early, ctx);
    }

    /// Handles kept messages as if they came now; what is still too early is kept again.
    pub(super) fn replay(&mut self, early: Vec<PbftMessage>, ctx: &mut Ctx<'_, R>) {
        for message in early {
            self.on_message(&message, ctx);
        }
    }
}
