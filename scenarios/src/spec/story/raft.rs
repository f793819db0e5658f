//! What a story can say of Raft.

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::{Configuration, Operation, RaftPeer, RaftTimer, Role};

use super::Dialect;

/// The words for Raft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftWords {}

impl Dialect for RaftWords {
    type Protocol = RaftPeer;
    type Fact = RaftFact;
    type Ask = RaftAsk;
    type Claim = RaftClaim;

    const TIMERS: &'static [&'static str] = &[
        "election",
        "heartbeat",
        "check-quorum",
        "batch",
        "transfer",
        "retry",
        "give-up",
    ];

    fn timer(timer: &RaftTimer) -> &'static str {
        match timer {
            RaftTimer::Election => "election",
            RaftTimer::Heartbeat => "heartbeat",
            RaftTimer::CheckQuorum => "check-quorum",
            RaftTimer::Batch => "batch",
            RaftTimer::Transfer => "transfer",
            RaftTimer::Retry { .. } => "retry",
            RaftTimer::GiveUp { .. } => "give-up",
        }
    }
}

/// Something that a server knows before its first input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftFact {
    /// The latest term seen.
    Term(u64),
    /// The vote in it.
    Vote(PeerId),
    /// The terms of its log's entries, which say nothing else.
    Log(Vec<u64>),
    /// How much of the log it knows to be committed.
    Commit(u64),
    /// The configuration; without voters it waits to be added.
    Configuration(Configuration),
}

/// What a server or client can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftAsk {
    /// To run an operation: a client exactly once, a server without a session.
    Operate(Operation),
    /// To have another voter beside those it knows.
    Add(PeerId),
    /// To have a learner beside those it knows.
    AddLearner(PeerId),
    /// To have one of those it knows no longer.
    Remove(PeerId),
    /// To change the membership as a whole.
    Change(Configuration),
    /// To hand leadership over.
    Transfer(PeerId),
    /// To take a snapshot.
    TakeSnapshot,
}

/// What somebody was told who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftTold {
    /// This value; none: that there is none.
    Value(Option<String>),
    /// That it was done.
    Done,
    /// That the value was not the expected one.
    Refused,
    /// That it was not done and never will be.
    Failed,
    /// That it may have been done.
    Unknown,
    /// Nothing yet.
    Nothing,
}

/// What can be claimed of a server, or of a client where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftClaim {
    /// It has this role, in this term if one is named.
    Role(Role, Option<u64>),
    /// It is in this term.
    Term(u64),
    /// It voted for this peer in its term, or for nobody.
    Vote(Option<PeerId>),
    /// It follows this leader or is it; or knows none.
    Leader(Option<PeerId>),
    /// Its log's entries have these terms, those replaced by a snapshot left out.
    Log(Vec<u64>),
    /// Its last entry stands here.
    LastIndex(u64),
    /// Its last entry is of this term.
    LastTerm(u64),
    /// It knows entries up to here to be committed.
    Commit(u64),
    /// Its log is on disk up to here.
    Durable(u64),
    /// A snapshot stands in place of its log up to here.
    Snapshot(u64),
    /// This configuration is in force.
    Configuration(Configuration),
    /// Its register `key` holds this, or was never written.
    Holds(u64, Option<String>),
    /// All that it knows to be committed is on the disks of a quorum of its configuration.
    HeldByQuorum,
    /// Whoever asked it last was told this. Also of clients.
    Told(RaftTold),
}
