//! The normal case (section 4.2) up to prepared: request, pre-prepare, prepare; the view timer.
//!
//! Must not know execution.

use std::sync::Arc;

use crate::peer::PeerId;
use crate::signed::Signed;

use super::PbftTimer;
use super::durability::Step;
use super::event::{PbftEvent, Placement, Reason};
use super::message::{
    Batch, Commit, PbftMessage, PrePrepare, Prepare, PreparedCertificate, Request,
};
use super::numbers::{Digest, Sequence, View};
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;

/// What to do with a message of the normal case.
pub(super) enum Arrival {
    /// It is for this view and window.
    Now,
    /// It is for a later view or window, to be kept.
    Early,
    /// It is for a batch that is stable already.
    Late,
}

impl<R: Rules> Pbft<R> {
    /// A request, from its client or forwarded by a backup (sections 4.1 and 4.2).
    pub(super) fn on_client_request(
        &mut self,
        request: &Signed<Request>,
        forwarded: bool,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        self.check_request(request, ctx)?;
        if request.read_only {
            return self.on_read_only(request, ctx);
        }
        if self.state.is_executed(request.client, request.timestamp) {
            return self.resend_reply(request, forwarded, ctx);
        }
        let fresh = self.waiting.insert(request);
        if self.status == Status::Active {
            if self.is_primary() {
                self.propose(ctx);
            } else if !forwarded {
                let request = request.clone();
                let primary = self.roster.primary(self.view);
                self.send_to(primary, PbftMessage::Forward { request }, ctx);
            }
        }
        if fresh {
            self.watch_requests(ctx);
        }
        Ok(())
    }

    /// Whether a client of the roster signed this request.
    fn check_request(&self, request: &Signed<Request>, ctx: &mut Ctx<'_, R>) -> Result<(), Reason> {
        if self.roster.clients.get(&request.client) != Some(&request.signer()) {
            return Err(Reason::UnknownClient);
        }
        if !R::signature_holds(ctx.verify(request)) {
            return Err(Reason::BadSignature);
        }
        Ok(())
    }

    /// The primary assigns places to waiting requests while the pipeline and the window have room.
    pub(super) fn propose(&mut self, ctx: &mut Ctx<'_, R>) {
        while self.may_propose() {
            let sequence = self.assigned.next();
            let Some(batch) = self.next_batch() else {
                break;
            };
            self.assigned = sequence;
            let pre_prepare = ctx.sign(PrePrepare {
                epoch: self.roster.epoch,
                view: self.view,
                sequence,
                digest: batch.digest(),
            });
            self.accept_assignment(pre_prepare, batch, true, ctx);
        }
    }

    fn may_propose(&self) -> bool {
        let sequence = self.assigned.next();
        self.is_primary()
            && self.status == Status::Active
            && self.may_vote()
            && self.is_in_window(sequence)
            && self.assigned.0.saturating_sub(self.executed.0) < self.config.pipeline
            && sequence <= self.last_of_epoch()
    }

    /// The last sequence number that this epoch may order: the checkpoint after the latest
    /// reconfiguration that is under way or decided.
    fn last_of_epoch(&self) -> Sequence {
        match (&self.state.next_roster, self.reconfiguring) {
            (None, None) => Sequence(u64::MAX),
            (Some(_), _) => self.boundary(self.executed),
            (None, Some(sequence)) => self.boundary(sequence),
        }
    }

    /// The first checkpoint at or after `sequence`.
    pub(super) fn boundary(&self, sequence: Sequence) -> Sequence {
        let interval = self.config.checkpoint_interval;
        Sequence(sequence.0.div_ceil(interval).saturating_mul(interval))
    }

    fn next_batch(&mut self) -> Option<Batch> {
        let mut requests = Vec::new();
        while requests.len() < self.config.batch_max {
            let Some(request) = self.waiting.next_to_propose() else {
                break;
            };
            if !self.state.is_executed(request.client, request.timestamp) {
                requests.push(request);
            }
        }
        // A decided reconfiguration must not wait for traffic: null requests lead to the checkpoint.
        let hurries = self.state.next_roster.is_some();
        (!requests.is_empty() || hurries).then(|| Batch::new(requests))
    }

    /// A pre-prepare (section 4.2): accepted under its four conditions.
    pub(super) fn on_pre_prepare(
        &mut self,
        pre_prepare: &Signed<PrePrepare>,
        batch: &Batch,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let primary = self.roster.primary(pre_prepare.view);
        let arrival = self.arrival(pre_prepare.view, pre_prepare.sequence)?;
        match self.check_signer(pre_prepare.epoch, primary, pre_prepare, ctx) {
            Ok(()) => {}
            Err(Reason::NotAMember) => return Err(Reason::NotThePrimary),
            Err(reason) => return Err(reason),
        }
        match arrival {
            Arrival::Late => return Ok(()),
            Arrival::Early => {
                let (pre_prepare, batch) = (pre_prepare.clone(), batch.clone());
                self.future
                    .keep(primary, PbftMessage::PrePrepare { pre_prepare, batch });
                return Ok(());
            }
            Arrival::Now => {}
        }
        if !R::batch_matches(batch.digest(), pre_prepare.digest) {
            return Err(Reason::DigestMismatch);
        }
        let accepted = self.accepted_digest(pre_prepare.sequence);
        if !R::accepts_assignment(accepted, pre_prepare.digest) {
            return Err(Reason::ConflictingPrePrepare);
        }
        if accepted == Some(pre_prepare.digest) || self.is_primary() {
            return Ok(());
        }
        for request in batch.requests() {
            self.check_request(request, ctx)?;
        }
        self.accept_assignment(pre_prepare.clone(), batch.clone(), true, ctx);
        Ok(())
    }

    fn accepted_digest(&self, sequence: Sequence) -> Option<Digest> {
        let slot = self.log.get(sequence)?;
        let (accepted, _) = slot.assignment.as_ref()?;
        Some(accepted.digest)
    }

    /// Whether a message of the normal case is for now.
    pub(super) fn arrival(&self, view: View, sequence: Sequence) -> Result<Arrival, Reason> {
        let high = self.log.high();
        if view < self.view {
            Err(Reason::OldView)
        } else if sequence <= self.log.low() {
            Ok(Arrival::Late)
        } else if view > self.view || self.status == Status::Changing {
            Ok(Arrival::Early)
        } else if self.is_in_window(sequence) {
            Ok(Arrival::Now)
        } else if sequence <= high.plus(self.config.window) {
            Ok(Arrival::Early)
        } else {
            Err(Reason::OutsideWindow)
        }
    }

    /// Puts an assignment into the log and, as a backup, votes for it.
    ///
    /// The primary sends the assignment here (`announce`), except those of a new-view, which
    /// travel inside it.
    pub(super) fn accept_assignment(
        &mut self,
        pre_prepare: Signed<PrePrepare>,
        batch: Batch,
        announce: bool,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (sequence, digest) = (pre_prepare.sequence, pre_prepare.digest);
        let requests = batch.requests().len() as u64;
        self.note_outstanding(sequence, &batch);
        let Some(slot) = self.log.slot(sequence) else {
            return;
        };
        slot.assignment = Some((pre_prepare, batch));
        let placement = self.placement(sequence, digest);
        ctx.notify(PbftEvent::PrePrepared {
            placement,
            requests,
        });
        self.keep_then(placement, Step::Assigned { announce }, ctx);
        self.expect_progress(ctx);
        self.watch_requests(ctx);
    }

    /// The disk has what is known of a place: the replica goes on there, if that still stands.
    pub(super) fn take_step(&mut self, placement: Placement, step: Step, ctx: &mut Ctx<'_, R>) {
        let (sequence, digest) = (placement.sequence, placement.digest);
        let stands = placement == self.placement(sequence, digest)
            && self.status == Status::Active
            && self.accepted_digest(sequence) == Some(digest);
        let Some(slot) = self.log.slot(sequence).filter(|_| stands) else {
            return;
        };
        match step {
            Step::Assigned { announce } => {
                slot.is_assignment_kept = true;
                if !self.is_primary() {
                    self.cast_vote::<Prepare>(sequence, digest, ctx);
                } else if announce {
                    self.announce(sequence, ctx);
                }
                self.check_prepared(sequence, ctx);
            }
            Step::Prepared => {
                slot.is_certificate_kept = true;
                self.cast_vote::<Commit>(sequence, digest, ctx);
                self.execute_tentatively(ctx);
                self.check_committed(sequence, ctx);
            }
        }
    }

    fn announce(&self, sequence: Sequence, ctx: &mut Ctx<'_, R>) {
        let assignment = self.log.get(sequence);
        if let Some((pre_prepare, batch)) = assignment.and_then(|slot| slot.assignment.clone()) {
            self.multicast(PbftMessage::PrePrepare { pre_prepare, batch }, ctx);
        }
    }

    pub(super) fn note_outstanding(&mut self, sequence: Sequence, batch: &Batch) {
        for request in batch.requests() {
            if !self.state.is_executed(request.client, request.timestamp) {
                self.waiting.insert_proposed(request);
            }
            if request.operation.is_of_roster() {
                self.reconfiguring = self.reconfiguring.max(Some(sequence));
            }
        }
    }

    /// This view's name for a place in the order.
    pub(super) fn placement(&self, sequence: Sequence, digest: Digest) -> Placement {
        Placement {
            epoch: self.roster.epoch,
            view: self.view,
            sequence,
            digest,
        }
    }

    /// Puts this replica's own votes back after a restart; they are the same ones.
    pub(super) fn restore_votes(
        &mut self,
        sequence: Sequence,
        digest: Digest,
        prepared: bool,
        ctx: &mut Ctx<'_, R>,
    ) {
        if !self.is_primary() {
            self.cast_vote::<Prepare>(sequence, digest, ctx);
        }
        if prepared {
            self.cast_vote::<Commit>(sequence, digest, ctx);
        }
    }

    /// A prepare (section 4.2).
    pub(super) fn on_prepare(
        &mut self,
        prepare: &Signed<Prepare>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if self.count_vote(prepare, ctx)? {
            self.check_prepared(prepare.sequence, ctx);
        }
        Ok(())
    }

    /// prepared(m, v, n, i): the assignment and q-1 matching prepares of different backups.
    pub(super) fn check_prepared(&mut self, sequence: Sequence, ctx: &mut Ctx<'_, R>) {
        let Some(slot) = self.log.slot(sequence) else {
            return;
        };
        let Some((pre_prepare, batch)) = &slot.assignment else {
            return;
        };
        let digest = pre_prepare.digest;
        let votes = slot.prepares.count::<R>(digest);
        if slot.prepared || !R::is_prepared(votes, &self.roster) {
            return;
        }
        slot.prepared = true;
        slot.certificate = Some(Arc::new(PreparedCertificate {
            pre_prepare: pre_prepare.clone(),
            batch: batch.clone(),
            prepares: slot.prepares.take::<R>(digest),
        }));
        let placement = self.placement(sequence, digest);
        let votes = votes as u64;
        ctx.notify(PbftEvent::Prepared { placement, votes });
        self.keep_then(placement, Step::Prepared, ctx);
    }

    /// Keeps the view timer running exactly while a request is outstanding (section 4.4).
    ///
    /// It runs for one request at a time: when that one is executed it starts anew for the one
    /// that now waits longest.
    ///
    /// Departs from the paper, where only backups have it: of n = 4, let one be faulty, one have
    /// executed the last request and one want the next view. An honest primary without a timer
    /// then waits for them for ever, and they for it. It waits twice as long as a backup, so as not
    /// to leave a view that the others still want.
    pub(super) fn watch_requests(&mut self, ctx: &mut Ctx<'_, R>) {
        self.pace_waiting(ctx);
        if self.status == Status::Changing {
            return;
        }
        let still = |timed: &(PeerId, _)| !self.is_committed_request(timed.0, timed.1);
        if self.timed.as_ref().is_some_and(still) {
            return;
        }
        let ran = self.timed.take().is_some();
        if self.may_vote() {
            self.timed = self.waiting.oldest();
        }
        if self.timed.is_some() {
            let patience = if self.is_primary() { 2 } else { 1 };
            ctx.set_timer(PbftTimer::ViewChange, self.timeout() * patience);
        } else if ran {
            ctx.cancel_timer(PbftTimer::ViewChange);
        }
    }
}
