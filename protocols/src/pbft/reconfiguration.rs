//! A new group takes over: at the first stable checkpoint after the operation that decided it.
//!
//! Ours, as the papers fix the group. The old group orders nothing beyond that checkpoint and
//! signs it; its votes on anything later are void, because every vote names its epoch. The new
//! group starts in view 0 from the checkpoint. A chain of such certificates ([`EpochLink`]) proves
//! each roster to whoever knows the one before it.

use std::sync::Arc;

use super::PbftTimer;
use super::event::{PbftEvent, Reason};
use super::future::Future;
use super::log::Log;
use super::message::PbftMessage;
use super::numbers::{Epoch, View};
use super::replica::{Ctx, Pbft, Status};
use super::roster::Roster;
use super::rules::Rules;
use super::state::{EpochLink, ReplicatedState};
use super::votes::ReplicaSet;

impl<R: Rules> Pbft<R> {
    /// The stable checkpoint names a new roster: it is in force from here on.
    pub(super) fn hand_over(&mut self, ctx: &mut Ctx<'_, R>) {
        let stable = &self.checkpoints.stable;
        if let Some(certificate) = &stable.certificate {
            self.links.push(EpochLink {
                certificate: (**certificate).clone(),
                parts: stable.snapshot.parts(),
                roster: stable.snapshot.roster.clone(),
            });
        }
        self.state = ReplicatedState::restore(&stable.snapshot);
        self.executed = stable.snapshot.sequence;
        self.tentative = None;
        self.adopt_roster(Arc::clone(&self.state.roster), ctx);
        self.persist_stable(ctx);
        self.persist_view(ctx);
    }

    /// Begins the epoch of `roster` in view 0 above the stable checkpoint.
    pub(super) fn adopt_roster(&mut self, roster: Arc<Roster>, ctx: &mut Ctx<'_, R>) {
        let low = self.checkpoints.stable.snapshot.sequence;
        let n = roster.n();
        self.view = View::default();
        self.status = Status::Active;
        self.log = Log::new(low, self.config.window);
        self.assigned = low;
        self.reconfiguring = None;
        self.checkpoints =
            super::checkpoint::Checkpoints::from_stable(self.checkpoints.stable.clone(), n);
        self.view_changes = vec![None; n];
        self.helped = vec![None; n];
        self.served = vec![None; n];
        self.new_view = None;
        self.awaiting_new_view = false;
        self.consecutive = 0;
        self.progressed = false;
        self.later_epoch = ReplicaSet::default();
        self.timed = None;
        ctx.cancel_timer(PbftTimer::ViewChange);
        let early = self.future.take();
        self.future = Future::new(n, self.config.window);
        let (epoch, replicas) = (roster.epoch, n as u64);
        self.roster = roster;
        self.take_seat(ctx);
        self.waiting.keep_those_of(&self.roster);
        self.waiting.restart();
        ctx.notify(PbftEvent::Reconfigured {
            epoch,
            sequence: low,
            replicas,
        });
        self.pace_begin_view(ctx);
        self.announce_primary(ctx);
        self.replay(early, ctx);
        self.propose(ctx);
        self.watch_requests(ctx);
    }

    /// Whether a message was signed for a roster that this replica does not know yet.
    pub(super) fn is_of_later_epoch(&self, message: &PbftMessage) -> bool {
        message.epoch() > Some(self.roster.epoch)
    }

    /// Members of the roster in force sign for a later one: this replica missed a handover.
    pub(super) fn on_later_epoch(
        &mut self,
        message: &PbftMessage,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let signer = message
            .signer()
            .and_then(|key| self.roster.replica_of(&key));
        let signer = signer.ok_or(Reason::NotAMember)?;
        if !R::signature_holds(message.is_signed(ctx)) {
            return Err(Reason::BadSignature);
        }
        if message.epoch() == Some(self.roster.epoch.next()) {
            self.future.keep(signer, message.clone());
        }
        self.later_epoch.insert(signer);
        if R::is_weak_quorum(self.later_epoch.len(), &self.roster) {
            self.expect_handover(ctx);
        }
        Ok(())
    }

    /// The links by which someone who knows the roster of `epoch` can check the one in force.
    pub(super) fn links_since(&self, epoch: Epoch) -> Vec<EpochLink> {
        let links = self.links.iter();
        links
            .filter(|link| link.certificate.epoch >= epoch)
            .cloned()
            .collect()
    }
}

impl PbftMessage {
    fn is_signed<R: Rules>(&self, ctx: &mut Ctx<'_, R>) -> bool {
        match self {
            Self::Request { request } | Self::Forward { request } => ctx.verify(request),
            Self::PrePrepare { pre_prepare, .. } => ctx.verify(pre_prepare),
            Self::Prepare { prepare } => ctx.verify(prepare),
            Self::Commit { commit } => ctx.verify(commit),
            Self::Reply { reply } => ctx.verify(reply),
            Self::Checkpoint { checkpoint } => ctx.verify(checkpoint),
            Self::ViewChange { view_change } => ctx.verify(view_change),
            Self::NewView { new_view } => ctx.verify(new_view),
            Self::Status { status } => ctx.verify(status),
            Self::StateRequest { request } => ctx.verify(request),
            Self::CommitProof { .. } | Self::CheckpointProof { .. } | Self::StateReply { .. } => {
                false
            }
        }
    }
}
