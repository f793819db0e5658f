//! A replica: its state, its inputs and what every phase shares. The phases have files of their own.
//!
//! The entry points only match and call; a handler returns why it refused its input, and that is
//! reported here.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::outbox::PersistToken;
use crate::peer::PeerId;
use crate::protocol::Context;
use crate::signed::{Signable, Signed};
use crate::time::LocalTime;

use super::PbftPeer;
use super::PbftTimer;
use super::checkpoint::Checkpoints;
use super::config::PbftConfig;
use super::durability::Unsaid;
use super::event::{Executed, Execution, PbftEvent, Reason, StoreSizes};
use super::future::Future;
use super::log::Log;
use super::message::{NewView, PbftMessage, Request, ViewChange};
use super::numbers::{Digest, ReplicaId, Sequence, Timestamp, View};
use super::rate::Pace;
use super::requests::Waiting;
use super::roster::Roster;
use super::rules::{Paper, Rules};
use super::state::{EpochLink, ReplicatedState};
use super::state_transfer::Fetch;
use super::votes::ReplicaSet;

/// Where a replica stands with its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It takes part in its view.
    Active,
    /// It asked for its view and waits for the new-view.
    Changing,
}

/// Borrowed access of a PBFT machine to its driver.
pub(super) type Ctx<'a, R> = Context<'a, PbftPeer<R>>;

/// A batch executed before it committed, and the state to go back to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tentative {
    pub(super) sequence: Sequence,
    pub(super) digest: Digest,
    pub(super) undo: ReplicatedState,
    pub(super) executions: Vec<(Execution, Executed)>,
}

/// A PBFT replica; `R` holds the rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pbft<R: Rules = Paper> {
    pub(super) config: Arc<PbftConfig>,
    /// The roster in force.
    pub(super) roster: Arc<Roster>,
    /// The replica's number in it; `None` outside the group.
    pub(super) me: Option<ReplicaId>,
    pub(super) view: View,
    pub(super) status: Status,
    pub(super) log: Log,
    /// The last batch executed for good.
    pub(super) executed: Sequence,
    pub(super) state: ReplicatedState,
    pub(super) tentative: Option<Tentative>,
    /// Read-only requests that wait until no tentative execution shows; one a client.
    pub(super) reads: Vec<Signed<Request>>,
    pub(super) waiting: Waiting,
    /// The request for which the view timer runs.
    pub(super) timed: Option<(PeerId, Timestamp)>,
    /// The last sequence number that this primary assigned.
    pub(super) assigned: Sequence,
    /// The last batch in the log that holds a reconfiguration.
    pub(super) reconfiguring: Option<Sequence>,
    pub(super) checkpoints: Checkpoints,
    /// How the roster came about, oldest first.
    pub(super) links: Vec<EpochLink>,
    /// The latest valid view-change of each replica.
    pub(super) view_changes: Vec<Option<Signed<ViewChange>>>,
    /// The new-view with which this view began.
    pub(super) new_view: Option<Signed<NewView>>,
    pub(super) awaiting_new_view: bool,
    /// View changes since the last progress; each doubles the timeout.
    pub(super) consecutive: u32,
    /// Whether a request was executed in this view.
    pub(super) progressed: bool,
    pub(super) future: Future,
    pub(super) fetch: Option<Fetch>,
    /// Members of this roster that signed for a later one.
    pub(super) later_epoch: ReplicaSet,
    /// Whether the retransmission timer runs, and what was executed when it was set.
    pub(super) stuck_since: Option<Sequence>,
    /// When each replica was last told what it lacks, and when it was last sent a state.
    pub(super) helped: Vec<Option<LocalTime>>,
    pub(super) served: Vec<Option<LocalTime>>,
    /// Until this checkpoint is stable the replica does not vote: its disk forgot what it said.
    pub(super) silent_until: Option<Sequence>,
    pub(super) pace: Pace,
    pub(super) writes: u64,
    /// What is to be said once the disk has it, by rising token.
    pub(super) unsaid: VecDeque<Unsaid>,
    /// The last write of the view, until it is durable.
    pub(super) view_under_way: Option<PersistToken>,
    pub(super) rules: PhantomData<R>,
}

impl<R: Rules> Pbft<R> {
    /// A replica of the group that `roster` describes; its number follows from its key.
    pub fn new(config: Arc<PbftConfig>, roster: Arc<Roster>) -> Self {
        let state = ReplicatedState::genesis(Arc::clone(&roster));
        let low = Sequence::default();
        Self {
            me: None,
            view: View::default(),
            status: Status::Active,
            log: Log::new(low, config.window),
            executed: low,
            checkpoints: Checkpoints::genesis(&state, roster.n()),
            state,
            tentative: None,
            reads: Vec::new(),
            waiting: Waiting::default(),
            timed: None,
            assigned: low,
            reconfiguring: None,
            links: Vec::new(),
            view_changes: vec![None; roster.n()],
            new_view: None,
            awaiting_new_view: false,
            consecutive: 0,
            progressed: false,
            future: Future::new(roster.n(), config.window),
            fetch: None,
            later_epoch: ReplicaSet::default(),
            stuck_since: None,
            helped: vec![None; roster.n()],
            served: vec![None; roster.n()],
            silent_until: None,
            pace: Pace::default(),
            writes: 0,
            unsaid: VecDeque::new(),
            view_under_way: None,
            rules: PhantomData,
            config,
            roster,
        }
    }

    /// The settings.
    pub fn config(&self) -> &PbftConfig {
        &self.config
    }

    /// The roster in force.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The replica's number in the roster in force.
    pub fn number(&self) -> Option<ReplicaId> {
        self.me
    }

    /// The view.
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether the replica takes part in its view.
    pub fn status(&self) -> Status {
        self.status
    }

    /// h: the last stable checkpoint that the replica holds.
    pub fn low_watermark(&self) -> Sequence {
        self.log.low()
    }

    /// H = h + L: the highest sequence number that the replica votes on.
    pub fn high_watermark(&self) -> Sequence {
        self.log.high()
    }

    /// The last batch executed for good.
    pub fn last_executed(&self) -> Sequence {
        self.executed
    }

    /// The digests that prepared in this view, by rising sequence number.
    pub fn prepared(&self) -> impl Iterator<Item = (Sequence, Digest)> {
        let prepared = self.log.iter().filter(|(_, slot)| slot.prepared);
        prepared.filter_map(|(sequence, slot)| {
            let (pre_prepare, _) = slot.assignment.as_ref()?;
            Some((sequence, pre_prepare.digest))
        })
    }

    /// The digests that are committed-local and not behind a stable checkpoint, by rising sequence
    /// number.
    pub fn committed(&self) -> impl Iterator<Item = (Sequence, Digest)> {
        self.log.iter().filter_map(|(sequence, slot)| {
            let (placement, _) = slot.committed.as_ref()?;
            Some((sequence, placement.digest))
        })
    }

    /// The replicated state, tentative executions included.
    pub fn state(&self) -> &ReplicatedState {
        &self.state
    }

    /// Whether the replica is the primary of its view.
    pub fn is_primary(&self) -> bool {
        self.me == Some(self.roster.primary(self.view))
    }

    /// The sizes of everything that messages can make grow.
    pub fn store_sizes(&self) -> StoreSizes {
        StoreSizes {
            log: self.log.len(),
            votes: self.log.votes(),
            checkpoint_votes: self.checkpoints.votes(),
            view_changes: self.view_changes.iter().flatten().count(),
            future: self.future.len(),
            replies: self.state.replies.len(),
            waiting: self.waiting.len(),
            snapshots: self.checkpoints.snapshots(),
        }
    }

    /// Begins with an empty disk.
    pub(super) fn on_start(&mut self, ctx: &mut Ctx<'_, R>) {
        self.take_seat(ctx);
        self.announce_primary(ctx);
        self.begin_judging(ctx);
        if self.me.is_none() {
            self.begin_fetch(None, ctx);
        }
    }

    /// Takes the number of whoever the roster lists under its key, or under another key of its owner.
    pub(super) fn take_seat(&mut self, ctx: &mut Ctx<'_, R>) {
        if let Some(key) = self.roster.key_at(ctx.me()) {
            ctx.keys().take_up(key);
        }
        self.me = self.roster.replica_of(&ctx.public_key());
    }

    /// Reports the primary of this view, if it is this replica.
    pub(super) fn announce_primary(&self, ctx: &mut Ctx<'_, R>) {
        if let Some(primary) = self.me.filter(|_| self.is_primary()) {
            let (epoch, view) = (self.roster.epoch, self.view);
            ctx.notify(PbftEvent::PrimaryElected {
                epoch,
                view,
                primary,
            });
        }
    }

    /// One message: matched and handed to its phase.
    pub(super) fn on_message(&mut self, message: &PbftMessage, ctx: &mut Ctx<'_, R>) {
        let handled = if self.is_of_later_epoch(message) {
            self.on_later_epoch(message, ctx)
        } else {
            self.dispatch(message, ctx)
        };
        if let Err(reason) = handled {
            ctx.notify(PbftEvent::Rejected { reason });
        }
    }

    fn dispatch(&mut self, message: &PbftMessage, ctx: &mut Ctx<'_, R>) -> Result<(), Reason> {
        match message {
            PbftMessage::Request { request } => self.on_client_request(request, false, ctx),
            PbftMessage::Forward { request } => self.on_client_request(request, true, ctx),
            PbftMessage::PrePrepare { pre_prepare, batch } => {
                self.on_pre_prepare(pre_prepare, batch, ctx)
            }
            PbftMessage::Prepare { prepare } => self.on_prepare(prepare, ctx),
            PbftMessage::Commit { commit } => self.on_commit(commit, ctx),
            PbftMessage::Checkpoint { checkpoint } => self.on_checkpoint(checkpoint, ctx),
            PbftMessage::ViewChange { view_change } => self.on_view_change(view_change, ctx),
            PbftMessage::NewView { new_view } => self.on_new_view(new_view, ctx),
            PbftMessage::Status { status } => self.on_status(status, ctx),
            PbftMessage::CommitProof { certificate } => self.on_commit_proof(certificate, ctx),
            PbftMessage::CheckpointProof { certificate } => {
                self.on_checkpoint_proof(certificate, ctx)
            }
            PbftMessage::StateRequest { request } => self.on_state_request(request, ctx),
            PbftMessage::StateReply { reply } => self.on_state_reply(reply, ctx),
            PbftMessage::Reply { .. } => Err(Reason::NotForMe),
        }
    }

    /// One timer.
    pub(super) fn on_timer(&mut self, timer: PbftTimer, ctx: &mut Ctx<'_, R>) {
        match timer {
            PbftTimer::ViewChange => self.on_view_timeout(ctx),
            PbftTimer::Retransmit => self.on_retransmit(ctx),
            PbftTimer::FetchState => self.on_fetch_timeout(ctx),
            PbftTimer::JudgePrimary => self.on_judge_primary(ctx),
            PbftTimer::AskAgain => {}
        }
    }

    /// Whether the replica may vote: it is a member and remembers all that it said.
    pub(super) fn may_vote(&self) -> bool {
        self.me.is_some() && self.silent_until.is_none()
    }

    /// h < n <= h + L.
    pub(super) fn is_in_window(&self, sequence: Sequence) -> bool {
        R::is_in_window(sequence, self.log.low(), self.config.window)
    }

    /// Sends one message to all other replicas.
    pub(super) fn multicast(&self, message: PbftMessage, ctx: &mut Ctx<'_, R>) {
        ctx.multicast(self.roster.others(self.me), message);
    }

    /// Sends one message to one replica.
    pub(super) fn send_to(&self, replica: ReplicaId, message: PbftMessage, ctx: &mut Ctx<'_, R>) {
        if let Some(member) = self.roster.member(replica) {
            ctx.send(member.slot, message);
        }
    }

    /// Whether `signed` is by member `replica` of the roster in force. Believes nothing else.
    pub(super) fn check_signer<T: Signable>(
        &self,
        epoch: super::numbers::Epoch,
        replica: ReplicaId,
        signed: &Signed<T>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        self.check_member(epoch, replica, signed)?;
        if R::signature_holds(ctx.verify(signed)) {
            Ok(())
        } else {
            Err(Reason::BadSignature)
        }
    }

    /// The part of [`Pbft::check_signer`] that costs nothing.
    pub(super) fn check_member<T>(
        &self,
        epoch: super::numbers::Epoch,
        replica: ReplicaId,
        signed: &Signed<T>,
    ) -> Result<(), Reason> {
        if !R::is_this_epoch(epoch == self.roster.epoch) {
            return Err(Reason::WrongEpoch);
        }
        if !R::is_member(self.roster.is_key_of(replica, &signed.signer())) {
            return Err(Reason::NotAMember);
        }
        Ok(())
    }

    /// A fresh name for a batch of writes.
    pub(super) fn next_token(&mut self) -> PersistToken {
        self.writes += 1;
        PersistToken(self.writes)
    }
}
