//! Executing batches in order, exactly once a request, and answering clients.
//!
//! Also the two optimisations that answer earlier: tentative execution (TOCS'02 section 5.1.2) and
//! read-only requests (section 5.1.3). Must not know how batches are agreed on.

use crate::fold::Folder;
use crate::peer::PeerId;
use crate::signed::Signed;

use super::event::{Executed, Execution, PbftEvent, Placement, Reason};
use super::message::{Batch, PbftMessage, Reply, Request};
use super::numbers::{Sequence, Timestamp};
use super::replica::{Ctx, Pbft, Status, Tentative};
use super::rules::Rules;
use super::state::ReplicatedState;
use super::store::Outcome;

impl<R: Rules> Pbft<R> {
    /// Executes what has committed and whose predecessors are executed (section 4.2).
    pub(super) fn execute_ready(&mut self, ctx: &mut Ctx<'_, R>) {
        let before = self.executed;
        while let Some((placement, batch)) = self.next_to_execute() {
            if self.is_tentative_batch(&placement) {
                self.confirm_tentative(placement, ctx);
            } else {
                self.roll_back(ctx);
                self.execute_batch(placement, &batch, ctx);
            }
            self.finish_batch(placement, &batch, ctx);
        }
        if self.executed > before {
            self.answer_waiting_reads(ctx);
            self.watch_requests(ctx);
            self.propose(ctx);
            self.execute_tentatively(ctx);
        }
    }

    fn next_to_execute(&self) -> Option<(Placement, Batch)> {
        if self.awaits_handover() {
            return None;
        }
        for (sequence, slot) in self.log.above(self.executed) {
            if !R::may_execute(sequence, self.executed) {
                return None;
            }
            if let Some((placement, proof)) = &slot.committed {
                return Some((*placement, proof.batch.clone()));
            }
        }
        None
    }

    /// Whether the epoch's last batch is executed, so that only a stable checkpoint leads on.
    pub(super) fn awaits_handover(&self) -> bool {
        self.state.next_roster.is_some()
            && self.tentative.is_none()
            && self.executed == self.boundary(self.executed)
    }

    fn execute_batch(&mut self, placement: Placement, batch: &Batch, ctx: &mut Ctx<'_, R>) {
        for request in batch.requests() {
            if let Some((execution, outcome)) = self.execute_request(placement, request, ctx) {
                let executed = Executed(request.clone());
                ctx.notify(PbftEvent::Executed {
                    execution,
                    request: executed,
                });
                self.send_reply(request.client, request.timestamp, outcome, ctx);
            }
        }
    }

    fn execute_request(
        &mut self,
        placement: Placement,
        request: &Request,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<(Execution, Outcome)> {
        let (client, timestamp) = (request.client, request.timestamp);
        if !R::executes_again(self.state.is_executed(client, timestamp)) {
            return None;
        }
        let rekeying = self.warranted(request, ctx);
        let outcome = self.state.execute(request, rekeying.as_ref());
        let execution = Execution {
            placement,
            client,
            timestamp,
            request: Folder::of(request),
            outcome: Folder::of(&outcome),
            state: self.state.store.fingerprint(),
        };
        Some((execution, outcome))
    }

    fn finish_batch(&mut self, placement: Placement, batch: &Batch, ctx: &mut Ctx<'_, R>) {
        self.executed = placement.sequence;
        ctx.notify(PbftEvent::BatchExecuted { placement });
        for request in batch.requests() {
            self.waiting.remove_up_to(request.client, request.timestamp);
        }
        self.note_progress(batch.requests().len() as u64);
        if self.reconfiguring <= Some(self.executed) {
            self.reconfiguring = None;
        }
        if self.executed == self.boundary(self.executed) {
            self.take_checkpoint(ctx);
        }
    }

    fn send_reply(
        &mut self,
        client: PeerId,
        timestamp: Timestamp,
        outcome: Outcome,
        ctx: &mut Ctx<'_, R>,
    ) {
        let tentative = !self.is_committed_request(client, timestamp);
        self.sign_reply(client, timestamp, outcome, tentative, ctx);
    }

    fn sign_reply(
        &self,
        client: PeerId,
        timestamp: Timestamp,
        outcome: Outcome,
        tentative: bool,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (Some(replica), true) = (self.me, self.may_vote()) else {
            return;
        };
        let reply = ctx.sign(Reply {
            epoch: self.roster.epoch,
            view: self.view,
            timestamp,
            client,
            replica,
            outcome,
            tentative,
        });
        ctx.send(client, PbftMessage::Reply { reply });
    }

    /// Answers a request executed before from the cache (section 4.1).
    pub(super) fn resend_reply(
        &mut self,
        request: &Signed<Request>,
        forwarded: bool,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let cached = self.state.replies.get(&request.client);
        let cached = cached.filter(|cached| cached.timestamp == request.timestamp);
        let outcome = cached.ok_or(Reason::OldTimestamp)?.outcome.clone();
        if !forwarded {
            self.send_reply(request.client, request.timestamp, outcome, ctx);
        }
        Ok(())
    }

    /// The state without tentative executions.
    pub(super) fn committed_state(&self) -> &ReplicatedState {
        match &self.tentative {
            Some(tentative) => &tentative.undo,
            None => &self.state,
        }
    }

    /// Whether a request, or a later one of its client, was executed for good.
    pub(super) fn is_committed_request(&self, client: PeerId, timestamp: Timestamp) -> bool {
        self.committed_state().is_executed(client, timestamp)
    }

    /// Executes the next batch once it is prepared and all before it are committed.
    pub(super) fn execute_tentatively(&mut self, ctx: &mut Ctx<'_, R>) {
        let sequence = self.executed.next();
        let busy = self.tentative.is_some() || self.awaits_handover();
        if !self.config.tentative || busy || self.status == Status::Changing {
            return;
        }
        let Some(slot) = self.log.get(sequence) else {
            return;
        };
        let (Some((pre_prepare, batch)), true) = (&slot.assignment, slot.is_certificate_kept)
        else {
            return;
        };
        let placement = self.placement(sequence, pre_prepare.digest);
        let batch = batch.clone();
        self.tentative = Some(Tentative {
            sequence,
            digest: placement.digest,
            undo: self.state.clone(),
            executions: Vec::new(),
        });
        for request in batch.requests() {
            if let Some((execution, outcome)) = self.execute_request(placement, request, ctx) {
                ctx.notify(PbftEvent::ExecutedTentatively { execution });
                self.send_reply(request.client, request.timestamp, outcome, ctx);
                if let Some(tentative) = &mut self.tentative {
                    tentative
                        .executions
                        .push((execution, Executed(request.clone())));
                }
            }
        }
    }

    fn is_tentative_batch(&self, placement: &Placement) -> bool {
        self.tentative.as_ref().is_some_and(|tentative| {
            tentative.sequence == placement.sequence && tentative.digest == placement.digest
        })
    }

    fn confirm_tentative(&mut self, placement: Placement, ctx: &mut Ctx<'_, R>) {
        let tentative = self.tentative.take();
        for (execution, request) in tentative.into_iter().flat_map(|t| t.executions) {
            let execution = Execution {
                placement,
                ..execution
            };
            ctx.notify(PbftEvent::Executed { execution, request });
        }
    }

    /// Undoes a tentative execution: its view ended before it committed.
    pub(super) fn roll_back(&mut self, ctx: &mut Ctx<'_, R>) {
        if !R::undoes_tentative() {
            return;
        }
        if let Some(tentative) = self.tentative.take() {
            self.state = tentative.undo;
            let sequence = tentative.sequence;
            ctx.notify(PbftEvent::RolledBack { sequence });
        }
    }

    /// A read-only request: answered at once from the committed state (TOCS'02 section 5.1.3).
    pub(super) fn on_read_only(
        &mut self,
        request: &Signed<Request>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if !self.config.read_only || !request.operation.is_read() {
            return Err(Reason::NotForMe);
        }
        if self.tentative.is_none() {
            self.answer_read(request, ctx);
            return Ok(());
        }
        // The state shows what may yet be undone: the read waits until that is decided.
        self.reads.retain(|read| read.client != request.client);
        self.reads.push(request.clone());
        Ok(())
    }

    fn answer_read(&self, request: &Signed<Request>, ctx: &mut Ctx<'_, R>) {
        let (client, timestamp) = (request.client, request.timestamp);
        let sequence = self.executed;
        ctx.notify(PbftEvent::ReadOnlyAnswered {
            client,
            timestamp,
            sequence,
        });
        let outcome = self.state.read(&request.operation);
        self.sign_reply(client, timestamp, outcome, false, ctx);
    }

    /// Answers the reads that waited for a tentative execution to commit or to be undone.
    pub(super) fn answer_waiting_reads(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.tentative.is_none() {
            for request in std::mem::take(&mut self.reads) {
                self.answer_read(&request, ctx);
            }
        }
    }

    /// Remembers that the view works: the next timeout is the first one again.
    fn note_progress(&mut self, requests: u64) {
        if requests > 0 && self.status == Status::Active {
            self.progressed = true;
            self.consecutive = 0;
        }
        self.pace_executed(requests);
    }

    /// The sequence number up to which everything is executed for good.
    pub(super) fn executed_through(&self, sequence: Sequence) -> bool {
        self.executed >= sequence
    }
}
