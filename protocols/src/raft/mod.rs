//! Raft: a replicated log, and on it a keyed register store with exactly-once clients.
//!
//! Sources: Ongaro and Ousterhout, "In search of an understandable consensus algorithm" (USENIX ATC
//! 2014, extended version), cited as *paper*; Ongaro, "Consensus: bridging theory and practice"
//! (Stanford 2014), cited as *dissertation*. Must not know who runs it.
//!
//! Start reading at [`rules`], then [`message`].
//!
//! | word | means |
//! |---|---|
//! | term | a leader's reign, numbered; at most one leader each |
//! | log index | where an entry stands, from 1; 0 is before all |
//! | commit index | entries up to here are decided for ever; this machine applies them at once |
//! | match index | up to where a follower's log is known to be the leader's, durably |
//! | quorum | a majority of the voters; while joint, of both halves |
//! | round | one round of heartbeats; its answers confirm leadership as of its beginning |
//! | session, serial | which client, which of its commands |
//!
//! | message | from | to | part |
//! |---|---|---|---|
//! | request-vote, pre-vote | candidate | voters | election |
//! | vote-reply, pre-vote-reply | voter | candidate | election |
//! | append-entries, heartbeat | leader | followers, learners | replication |
//! | append-accepted, append-refused | follower | leader | replication |
//! | install-snapshot | leader | follower | snapshot |
//! | snapshot-reply | follower | leader | snapshot |
//! | timeout-now | leader | transfer's target | transfer |
//! | read-index, read-index-reply | follower, leader | leader, follower | reads |
//! | register, request | client | server | sessions |
//! | registered, answer | server | client | sessions |
//!
//! ```text
//! Follower ── timeout, pre-vote on ─▶ PreCandidate ── quorum ─▶ Candidate ── quorum ─▶ Leader
//!    │ ── timeout, pre-vote off; timeout-now ──────────────────────▶ ▲
//!    ▲ ◀── higher term, leader heard, quorum refuses ── PreCandidate, Candidate
//!    └ ◀── higher term, quorum silent, left out by C_new ── Leader
//! ```
//!
//! Departs from the paper: nobody applies later than he commits, so there is no separate applied
//! index; heartbeats carry the match index as previous entry, so that one which overtakes an
//! append is not refused; a server whose disk was damaged does not vote until a leader has repaired
//! its log (Alagappan et al., "Protocol-aware recovery for consensus-based storage", FAST 2018).
//!
//! A peer that comes back under its old slot with an *empty* disk has forgotten its votes; it must
//! be removed and added again like any other machine.

mod apply;
mod client;
pub mod command;
pub mod config;
pub mod configuration;
mod durability;
mod election;
pub mod event;
mod leading;
mod log;
mod membership;
pub mod message;
pub mod mutants;
mod reads;
mod replication;
pub mod rules;
mod snapshot;
mod state;
pub mod store;
mod transfer;

#[cfg(test)]
mod tests;

use crate::outbox::{PersistToken, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};

pub use client::RaftClient;
pub use command::{Command, Operation, Outcome, Shared, Value};
pub use config::{MembershipMode, RaftConfig, RaftConfigError, ReadMode};
pub use configuration::{ChangeError, Configuration};
pub use event::RaftEvent;
pub use message::{
    Answer, Chunk, Entries, Entry, EntryKind, HardState, RaftMessage, RaftRecord, RaftReply,
    RaftRequest, RaftTimer, SNAPSHOT_SLOT, STATE_SLOT, Snapshot, VoteKind,
};
pub use rules::{Chosen, LogEnd, Paper, Rules};
pub use state::{InitialState, Raft, RaftView, Role};
pub use store::{Sessions, StateMachine, Store};

use apply::fail;
use election::Candidacy;
use replication::{AppendHead, Refusal};

/// The context of a peer with rules `R`.
type Ctx<'a, R> = Context<'a, RaftPeer<R>>;

/// One peer of a Raft deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RaftPeer<R: Rules = Paper> {
    /// Holds the log.
    Server(Box<Raft<R>>),
    /// Uses it.
    Client(RaftClient),
}

impl<R: Rules> RaftPeer<R> {
    /// The server in this seat, if it is one.
    pub fn as_server(&self) -> Option<&Raft<R>> {
        match self {
            Self::Server(server) => Some(server),
            Self::Client(_) => None,
        }
    }

    /// The client in this seat, if it is one.
    pub fn as_client(&self) -> Option<&RaftClient> {
        match self {
            Self::Server(_) => None,
            Self::Client(client) => Some(client),
        }
    }
}

impl<R: Rules> From<Raft<R>> for RaftPeer<R> {
    fn from(server: Raft<R>) -> Self {
        Self::Server(Box::new(server))
    }
}

impl<R: Rules> From<RaftClient> for RaftPeer<R> {
    fn from(client: RaftClient) -> Self {
        Self::Client(client)
    }
}

impl<R: Rules> Protocol for RaftPeer<R> {
    type Message = RaftMessage;
    type Timer = RaftTimer;
    type Record = RaftRecord;
    type Event = RaftEvent;
    type Request = RaftRequest;
    type Reply = RaftReply;

    fn on_start(&mut self, ctx: &mut Ctx<'_, R>) {
        match self {
            Self::Server(server) => server.on_start(ctx),
            Self::Client(_) => {}
        }
    }

    fn on_restart(&mut self, durable: Durable<RaftRecord>, ctx: &mut Ctx<'_, R>) {
        match self {
            Self::Server(server) => server.on_restart(durable, ctx),
            Self::Client(_) => {}
        }
    }

    fn on_message(&mut self, from: PeerId, message: &RaftMessage, ctx: &mut Ctx<'_, R>) {
        match self {
            Self::Server(server) => server.on_message(from, message, ctx),
            Self::Client(client) => client.on_message(from, message, ctx),
        }
    }

    fn on_timer(&mut self, timer: RaftTimer, ctx: &mut Ctx<'_, R>) {
        match self {
            Self::Server(server) => server.on_timer(timer, ctx),
            Self::Client(client) => client.on_timer(timer, ctx),
        }
    }

    fn on_request(&mut self, id: RequestId, request: RaftRequest, ctx: &mut Ctx<'_, R>) {
        match self {
            Self::Server(server) => server.on_request(id, request, ctx),
            Self::Client(client) => match request {
                RaftRequest::Operate { operation } => client.on_operate(id, operation, ctx),
                RaftRequest::ChangeMembership { .. }
                | RaftRequest::Transfer { .. }
                | RaftRequest::TakeSnapshot => ctx.reply(id, fail("not-a-server")),
            },
        }
    }

    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Ctx<'_, R>) {
        match self {
            Self::Server(server) => {
                server.on_persisted(token, ctx);
                server.settle(ctx);
            }
            Self::Client(_) => {}
        }
    }
}

impl<R: Rules> Raft<R> {
    fn on_start(&mut self, ctx: &mut Ctx<'_, R>) {
        let (term, leader) = (self.term, None);
        ctx.notify(RaftEvent::BecameFollower { term, leader });
        self.enforce_configuration(ctx);
        self.report_initial_log(ctx);
        if !self.config.log_terms.is_empty() {
            // Nobody has written down yet what the settings put into its log.
            self.disk.forget();
        }
        self.begin(ctx);
    }

    fn on_restart(&mut self, durable: Durable<RaftRecord>, ctx: &mut Ctx<'_, R>) {
        self.recover(durable, ctx);
        // A lease that this server granted before the crash may still run (dissertation 6.4.1).
        if self.config.reads == ReadMode::Lease && R::waits_after_restart() {
            self.heard = Some(ctx.now());
        }
        self.begin(ctx);
    }

    fn begin(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.config.follower_reads {
            // Answers to reads of an earlier life must not answer reads of this one.
            self.next_ticket = ctx.rng().below(u64::MAX / 2);
        }
        self.reset_election_timer(ctx);
        self.settle(ctx);
    }

    /// Leaves nothing unwritten behind, except proposals that wait for others.
    fn settle(&mut self, ctx: &mut Ctx<'_, R>) {
        let batching = self.leading.as_ref().is_some_and(|l| l.batching);
        if !batching {
            self.flush(None, ctx);
        }
    }

    fn on_message(&mut self, from: PeerId, message: &RaftMessage, ctx: &mut Ctx<'_, R>) {
        if self.repair == u64::MAX {
            return self.reject("damaged-state", ctx);
        }
        self.dispatch_message(from, message, ctx);
        self.settle(ctx);
    }

    /// One arm a kind. Votes, appends and snapshots judge the term themselves; a reply or an order
    /// of a higher term makes a follower first, and one of a lower term is stale (paper 5.1).
    fn dispatch_message(&mut self, from: PeerId, message: &RaftMessage, ctx: &mut Ctx<'_, R>) {
        match message {
            RaftMessage::RequestVote {
                term,
                last_index,
                last_term,
                kind,
            } => {
                let (index, term_of_last) = (*last_index, *last_term);
                let end = LogEnd {
                    term: term_of_last,
                    index,
                };
                let (term, kind) = (*term, *kind);
                self.on_request_vote(from, Candidacy { term, end, kind }, ctx);
            }
            RaftMessage::VoteReply { term, pre, granted } => {
                self.on_vote_reply(from, *term, (*pre, *granted), ctx);
            }
            RaftMessage::Append {
                term,
                prev_index,
                prev_term,
                commit,
                round,
                entries,
            } => {
                let head = AppendHead {
                    term: *term,
                    prev_index: *prev_index,
                    prev_term: *prev_term,
                    commit: *commit,
                    round: *round,
                };
                self.on_append(from, head, entries.as_slice(), ctx);
            }
            RaftMessage::InstallSnapshot { chunk } => self.on_install_snapshot(from, chunk, ctx),
            RaftMessage::AppendAccepted { term, .. }
            | RaftMessage::AppendRefused { term, .. }
            | RaftMessage::SnapshotReply { term, .. }
            | RaftMessage::TimeoutNow { term }
            | RaftMessage::ReadIndex { term, .. }
            | RaftMessage::ReadIndexReply { term, .. } => {
                if self.is_current(*term, ctx) {
                    self.dispatch_current(from, message, ctx);
                }
            }
            RaftMessage::Register { nonce } => self.on_register(from, *nonce, ctx),
            RaftMessage::Request { command } => self.on_client_request(from, command, ctx),
            RaftMessage::Registered { .. } | RaftMessage::Answer { .. } => {
                self.reject("answer-to-server", ctx);
            }
        }
    }

    /// What is of this server's own term.
    fn dispatch_current(&mut self, from: PeerId, message: &RaftMessage, ctx: &mut Ctx<'_, R>) {
        match *message {
            RaftMessage::AppendAccepted { round, index, .. } => {
                self.on_append_accepted(from, (round, index), ctx);
            }
            RaftMessage::AppendRefused {
                round,
                prev_index,
                hint_index,
                hint_term,
                ..
            } => {
                let refusal = Refusal {
                    round,
                    prev_index,
                    hint_index,
                    hint_term,
                };
                self.on_append_refused(from, refusal, ctx);
            }
            RaftMessage::SnapshotReply {
                round,
                index,
                received,
                ..
            } => self.on_snapshot_reply(from, (round, index, received), ctx),
            RaftMessage::TimeoutNow { term } => self.on_timeout_now(from, term, ctx),
            RaftMessage::ReadIndex { ticket, .. } => self.on_read_index(from, ticket, ctx),
            RaftMessage::ReadIndexReply { ticket, index, .. } => {
                self.on_read_index_reply(ticket, index, ctx);
            }
            RaftMessage::RequestVote { .. }
            | RaftMessage::VoteReply { .. }
            | RaftMessage::Append { .. }
            | RaftMessage::InstallSnapshot { .. }
            | RaftMessage::Register { .. }
            | RaftMessage::Registered { .. }
            | RaftMessage::Request { .. }
            | RaftMessage::Answer { .. } => {}
        }
    }

    /// Enters a higher term; true if the message is of the term this server is in.
    fn is_current(&mut self, term: u64, ctx: &mut Ctx<'_, R>) -> bool {
        if R::must_step_down(term, self.term) {
            self.become_follower(term, None, ctx);
        } else if term < self.term {
            self.reject("stale-term", ctx);
        }
        term == self.term
    }

    fn on_timer(&mut self, timer: RaftTimer, ctx: &mut Ctx<'_, R>) {
        match timer {
            RaftTimer::Election => self.on_election_timeout(ctx),
            RaftTimer::Heartbeat => self.on_heartbeat_timeout(ctx),
            RaftTimer::CheckQuorum => self.on_check_quorum_timeout(ctx),
            RaftTimer::Batch => self.dispatch(ctx),
            RaftTimer::Transfer => self.on_transfer_timeout(ctx),
            RaftTimer::Retry { .. } | RaftTimer::GiveUp { .. } => {
                self.reject("client-timer-at-server", ctx);
            }
        }
        self.settle(ctx);
    }

    fn on_request(&mut self, id: RequestId, request: RaftRequest, ctx: &mut Ctx<'_, R>) {
        match request {
            RaftRequest::Operate { operation } => self.on_operate(id, operation, ctx),
            RaftRequest::ChangeMembership { target } => {
                self.on_change_membership(id, *target, ctx);
            }
            RaftRequest::Transfer { to } => self.on_transfer(id, to, ctx),
            RaftRequest::TakeSnapshot => {
                self.take_snapshot(ctx);
                let outcome = Outcome::Accomplished;
                ctx.reply(id, RaftReply::Ok { outcome });
            }
        }
        self.settle(ctx);
    }
}

impl RaftClient {
    fn on_message<R: Rules>(&mut self, from: PeerId, message: &RaftMessage, ctx: &mut Ctx<'_, R>) {
        match message {
            RaftMessage::Registered { nonce, client } => self.on_registered(*nonce, *client, ctx),
            RaftMessage::Answer {
                client,
                serial,
                answer,
            } => self.on_answer(from, (*client, *serial), answer, ctx),
            RaftMessage::RequestVote { .. }
            | RaftMessage::VoteReply { .. }
            | RaftMessage::Append { .. }
            | RaftMessage::AppendAccepted { .. }
            | RaftMessage::AppendRefused { .. }
            | RaftMessage::InstallSnapshot { .. }
            | RaftMessage::SnapshotReply { .. }
            | RaftMessage::TimeoutNow { .. }
            | RaftMessage::ReadIndex { .. }
            | RaftMessage::ReadIndexReply { .. }
            | RaftMessage::Register { .. }
            | RaftMessage::Request { .. } => {
                let reason = "server-message-at-client";
                ctx.notify(RaftEvent::Rejected { reason });
            }
        }
    }

    fn on_timer<R: Rules>(&mut self, timer: RaftTimer, ctx: &mut Ctx<'_, R>) {
        match timer {
            RaftTimer::Retry { serial } => self.on_retry(serial, ctx),
            RaftTimer::GiveUp { serial } => self.on_give_up(serial, ctx),
            RaftTimer::Election
            | RaftTimer::Heartbeat
            | RaftTimer::CheckQuorum
            | RaftTimer::Batch
            | RaftTimer::Transfer => {}
        }
    }
}
