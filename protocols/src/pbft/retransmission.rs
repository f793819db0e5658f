//! Sending again what got lost (thesis section 5.2), and messages that came too early.
//!
//! Nothing here runs while all goes well: the timer is set when something is under way and does
//! its work only if nothing has moved when it fires.

use std::cmp::Ordering;

use super::PbftTimer;
use super::event::Reason;
use super::message::{PbftMessage, Status as StatusContent};
use super::numbers::ReplicaId;
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;
use crate::signed::Signed;
use crate::time::{LocalTime, SimDuration};

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
                self.send_status(ctx);
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
        if !self.is_view_kept() {
            return;
        }
        let own = self.me.and_then(|me| self.view_changes.get(me.index()));
        let own = own.and_then(Option::as_ref);
        match own.filter(|own| own.view == self.view).cloned() {
            Some(view_change) => self.multicast(PbftMessage::ViewChange { view_change }, ctx),
            None => self.send_view_change(ctx),
        }
    }

    /// Whether others are known to be further, or a batch or a checkpoint is not finished.
    fn is_behind(&self) -> bool {
        let unfinished = self.log.above(self.executed).any(|(_, slot)| {
            let weak = R::is_weak_quorum(slot.commits.len(), &self.roster);
            slot.assignment.is_some() || weak
        });
        let interval = self.config.checkpoint_interval;
        let unstable = self.executed >= self.log.low().plus(interval);
        unfinished || unstable || self.fetch.is_some()
    }

    /// Tells all others what this replica has.
    pub(super) fn send_status(&mut self, ctx: &mut Ctx<'_, R>) {
        if let Some(status) = self.sign_status(ctx) {
            self.multicast(PbftMessage::Status { status }, ctx);
        }
    }

    fn answer_status(&self, replica: ReplicaId, ctx: &mut Ctx<'_, R>) {
        if let Some(status) = self.sign_status(ctx) {
            self.send_to(replica, PbftMessage::Status { status }, ctx);
        }
    }

    fn sign_status(&self, ctx: &mut Ctx<'_, R>) -> Option<Signed<StatusContent>> {
        let replica = self.me?;
        Some(ctx.sign(StatusContent {
            epoch: self.roster.epoch,
            view: self.view,
            changing: self.status == Status::Changing,
            stable: self.log.low(),
            executed: self.executed,
            replica,
        }))
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
        self.prove_commits(status, ctx);
        match status.view.cmp(&self.view) {
            Ordering::Less => self.send_new_view(status.replica, ctx),
            Ordering::Equal => self.resend_view(status, ctx),
            // This replica missed a view and may not know it, having nothing to wait for.
            Ordering::Greater => self.answer_status(status.replica, ctx),
        }
        Ok(())
    }

    /// The next batches that committed here and the asker has not executed, with their proofs: at
    /// most K, as it asks again.
    fn prove_commits(&self, status: &StatusContent, ctx: &mut Ctx<'_, R>) {
        let most = usize::try_from(self.config.checkpoint_interval).unwrap_or(usize::MAX);
        for (_, slot) in self.log.above(status.executed).take(most) {
            if let Some((_, proof)) = &slot.committed {
                let certificate = Box::new((**proof).clone());
                self.send_to(
                    status.replica,
                    PbftMessage::CommitProof { certificate },
                    ctx,
                );
            }
        }
    }

    /// Each replica is helped once in half an interval, so that asking costs others little.
    fn may_help(&mut self, replica: ReplicaId, ctx: &Ctx<'_, R>) -> bool {
        let pause = self.config.retransmit_interval / 2;
        is_due(&mut self.helped, replica, ctx.now(), pause)
    }

    /// Each replica is sent a state once in half an interval.
    pub(super) fn may_serve(&mut self, replica: ReplicaId, ctx: &Ctx<'_, R>) -> bool {
        let pause = self.config.retransmit_interval / 2;
        is_due(&mut self.served, replica, ctx.now(), pause)
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
        if let (Some(new_view), Status::Active, true) =
            (self.new_view.clone(), self.status, self.is_view_kept())
        {
            self.send_to(replica, PbftMessage::NewView { new_view }, ctx);
        }
    }

    /// What the asker may lack in the view that both are in.
    fn resend_view(&self, status: &StatusContent, ctx: &mut Ctx<'_, R>) {
        if status.changing {
            self.send_new_view(status.replica, ctx);
        }
        self.resend_votes(status, ctx);
    }

    /// The assignments and this replica's votes on what has not committed here.
    fn resend_votes(&self, status: &StatusContent, ctx: &mut Ctx<'_, R>) {
        if self.status == Status::Changing {
            return;
        }
        let above = self.log.above(status.executed);
        for (_, slot) in above.filter(|(_, slot)| slot.committed.is_none()) {
            let assignment = slot.assignment.clone();
            if let Some((pre_prepare, batch)) = assignment.filter(|_| slot.is_assignment_kept) {
                let message = PbftMessage::PrePrepare { pre_prepare, batch };
                self.send_to(status.replica, message, ctx);
            }
            if let Some(prepare) = slot.own_prepare.clone() {
                self.send_to(status.replica, PbftMessage::Prepare { prepare }, ctx);
            }
            if let Some(commit) = slot.own_commit.clone() {
                self.send_to(status.replica, PbftMessage::Commit { commit }, ctx);
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

/// Whether it is this replica's turn again; if so, its turn is now.
fn is_due(
    turns: &mut [Option<LocalTime>],
    replica: ReplicaId,
    now: LocalTime,
    pause: SimDuration,
) -> bool {
    let Some(last) = turns.get_mut(replica.index()) else {
        return false;
    };
    let due = last.is_none_or(|last| now.since(last) >= pause);
    if due {
        *last = Some(now);
    }
    due
}
