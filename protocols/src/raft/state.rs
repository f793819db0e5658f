//! What a Raft server knows, how it is made, and what may be seen of it. Its behaviour stands in one
//! file per part of the protocol.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;

use super::Ctx;
use super::command::Shared;
use super::config::RaftConfig;
use super::configuration::Configuration;
use super::durability::Disk;
use super::event::RaftEvent;
use super::leading::Leading;
use super::log::Log;
use super::message::{Entry, EntryKind, RaftTimer, Snapshot};
use super::reads::ForwardedRead;
use super::rules::{LogEnd, Paper, Rules};
use super::snapshot::Incoming;
use super::store::StateMachine;
use crate::fold::Folder;
use crate::fold_enum;
use crate::peer::PeerId;
use crate::time::{LocalTime, SimDuration};

/// What a server is in its term (paper figure 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers leaders and candidates.
    #[default]
    Follower,
    /// Asks whether it could win (dissertation 9.6).
    PreCandidate,
    /// Stands for election.
    Candidate,
    /// Leads.
    Leader,
}
fold_enum!(Role {
    0 = Follower {},
    1 = PreCandidate {},
    2 = Candidate {},
    3 = Leader {},
});

/// A server as it is before its first input; `Default` is the empty one of the paper.
///
/// It makes the tables of the literature into tests: a log is given by the terms of its entries,
/// which say nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct InitialState {
    /// The latest term seen; raised to the last entry's term if below.
    pub term: u64,
    /// The vote in that term.
    pub vote: Option<PeerId>,
    /// The terms of entries 1, 2, ...; never decreasing.
    pub log_terms: Vec<u64>,
    /// How much of the log is known to be committed; cut to its length.
    pub commit: u64,
    /// The configuration; empty for a server that waits to be added.
    pub configuration: Configuration,
}

/// What may be seen of a server, for directed schedules and traces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RaftView {
    /// Its role.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// Its vote in that term.
    pub vote: Option<PeerId>,
    /// The leader it follows or is.
    pub leader: Option<PeerId>,
    /// Its last entry's index.
    pub last_index: u64,
    /// Its last entry's term.
    pub last_term: u64,
    /// Its commit index.
    pub commit: u64,
    /// How far its log is on disk.
    pub durable: u64,
    /// The index before its first entry.
    pub log_base: u64,
    /// The terms of the entries behind `log_base`.
    pub log_terms: Vec<u64>,
    /// The hash of its store.
    pub state_hash: u64,
    /// The configuration in force.
    pub configuration: Shared<Configuration>,
}

/// A Raft server; `R` are its rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Raft<R: Rules = Paper> {
    pub(super) me: PeerId,
    pub(super) config: Arc<RaftConfig>,
    pub(super) term: u64,
    pub(super) vote: Option<PeerId>,
    pub(super) role: Role,
    pub(super) leader: Option<PeerId>,
    /// When a leader was heard last; also the restart, where that must count as hearing one.
    pub(super) heard: Option<LocalTime>,
    /// Who answered this server's candidature, and how.
    pub(super) votes: Vec<(PeerId, bool)>,
    pub(super) log: Log,
    /// Everything up to here is committed and, since applying takes no time, applied.
    pub(super) commit: u64,
    /// The configurations that stand in the log or below it, by index; the last is in force.
    pub(super) configurations: Vec<(u64, Shared<Configuration>)>,
    pub(super) machine: StateMachine,
    pub(super) snapshot: Option<Shared<Snapshot>>,
    pub(super) incoming: Option<Incoming>,
    pub(super) disk: Disk,
    /// See [`HardState::repair`](super::message::HardState::repair).
    pub(super) repair: u64,
    /// What only a leader knows.
    pub(super) leading: Option<Box<Leading>>,
    /// Reads handed to the leader, by ticket (dissertation 6.4).
    pub(super) forwarded: BTreeMap<u64, ForwardedRead>,
    pub(super) next_ticket: u64,
    rules: PhantomData<R>,
}

impl<R: Rules> Raft<R> {
    /// A server that knows only its configuration, and whatever its settings put into its log; one
    /// with an empty configuration waits to be added.
    pub fn new(me: PeerId, config: Arc<RaftConfig>, configuration: Configuration) -> Self {
        let initial = InitialState {
            configuration,
            log_terms: config.log_terms.clone(),
            ..InitialState::default()
        };
        Self::from_state(me, config, initial)
    }

    /// A server in a given state, all of it on disk.
    pub fn from_state(me: PeerId, config: Arc<RaftConfig>, initial: InitialState) -> Self {
        let mut log = Log::default();
        for term in initial.log_terms {
            let kind = EntryKind::Noop;
            log.push(Entry { term, kind });
        }
        Self {
            me,
            config,
            term: initial.term.max(log.end().term),
            vote: initial.vote,
            role: Role::Follower,
            leader: None,
            heard: None,
            votes: Vec::new(),
            commit: initial.commit.min(log.last_index()),
            configurations: vec![(0, Shared::new(initial.configuration))],
            machine: StateMachine::default(),
            snapshot: None,
            incoming: None,
            disk: Disk::with_durable(log.last_index()),
            log,
            repair: 0,
            leading: None,
            forwarded: BTreeMap::new(),
            next_ticket: 1,
            rules: PhantomData,
        }
    }

    /// What may be seen of it. O(log); not for the hot path.
    pub fn view(&self) -> RaftView {
        RaftView {
            role: self.role,
            term: self.term,
            vote: self.vote,
            leader: self.leader,
            last_index: self.log.last_index(),
            last_term: self.log.end().term,
            commit: self.commit,
            durable: self.disk.durable(),
            log_base: self.log.base().index,
            log_terms: self.log.terms().collect(),
            state_hash: self.machine.store.state_hash(),
            configuration: self.configuration().clone(),
        }
    }

    /// Its role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its term.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Its vote in that term.
    pub fn vote(&self) -> Option<PeerId> {
        self.vote
    }

    /// The leader it follows or is.
    pub fn leader(&self) -> Option<PeerId> {
        self.leader
    }

    /// Where its log ends.
    pub fn log_end(&self) -> LogEnd {
        self.log.end()
    }

    /// How far its log is on disk.
    pub fn durable(&self) -> u64 {
        self.disk.durable()
    }

    /// Its commit index.
    pub fn commit(&self) -> u64 {
        self.commit
    }

    /// The replicated state.
    pub fn machine(&self) -> &StateMachine {
        &self.machine
    }

    /// The entry at `index`, if its log holds it.
    pub fn entry(&self, index: u64) -> Option<&Entry> {
        self.log.get(index)
    }

    /// The configuration in force: the latest in the log, committed or not (paper 6).
    pub fn configuration(&self) -> &Shared<Configuration> {
        let last = self.configurations.last();
        &last.expect("BUG: a server has a configuration").1
    }

    /// Where the configuration in force stands in the log.
    pub(super) fn configuration_index(&self) -> u64 {
        self.configurations.last().map_or(0, |(index, _)| *index)
    }

    pub(super) fn reject(&self, reason: &'static str, ctx: &mut Ctx<'_, R>) {
        ctx.notify(RaftEvent::Rejected { reason });
    }

    /// Puts an entry behind the log; a configuration is in force from here on.
    pub(super) fn append(&mut self, entry: Entry, ctx: &mut Ctx<'_, R>) -> u64 {
        let (term, digest) = (entry.term, Folder::of(&entry));
        let index = self.log.last_index() + 1;
        ctx.notify(RaftEvent::Appended {
            index,
            term,
            digest,
        });
        if let EntryKind::Configuration { configuration } = &entry.kind {
            self.adopt_configuration(index, configuration.clone(), ctx);
        }
        self.log.push(entry)
    }

    /// Reports what it was given to begin with, as if it had just happened.
    pub(super) fn report_initial_log(&self, ctx: &mut Ctx<'_, R>) {
        for (index, entry) in self.log.iter_from(0) {
            let (term, digest) = (entry.term, Folder::of(entry));
            ctx.notify(RaftEvent::Appended {
                index,
                term,
                digest,
            });
        }
        if self.disk.durable() > 0 {
            let index = self.disk.durable();
            ctx.notify(RaftEvent::Durable { index });
        }
        if let Some(entry) = self.log.get(self.commit) {
            ctx.notify(RaftEvent::Committed {
                first: 1,
                index: self.commit,
                term: entry.term,
                digest: Folder::of(entry),
            });
        }
    }

    /// Arms the election timer anew with a random timeout (paper 5.2).
    pub(super) fn reset_election_timer(&self, ctx: &mut Ctx<'_, R>) {
        let (low, high) = (
            self.config.election_timeout_min.as_nanos(),
            self.config.election_timeout_max.as_nanos(),
        );
        let timeout = SimDuration::from_nanos(ctx.rng().between(low, high));
        ctx.set_timer(RaftTimer::Election, timeout);
    }

    /// Enters `term`, or stays in it, as a follower (paper 5.1).
    pub(super) fn become_follower(
        &mut self,
        term: u64,
        leader: Option<PeerId>,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (was, same) = (self.role, self.term == term && self.leader == leader);
        if was == Role::Leader {
            self.stop_leading(ctx);
        }
        self.vote = R::vote_on_entering(term, self.term, self.vote);
        if term != self.term {
            self.forwarded.clear();
            self.incoming = None;
        }
        self.term = term;
        self.leader = leader;
        self.role = Role::Follower;
        self.votes.clear();
        // Everybody else has a timer that runs already, and keeps it (paper 5.2).
        if was == Role::Leader {
            self.reset_election_timer(ctx);
        }
        if was != Role::Follower || !same {
            ctx.notify(RaftEvent::BecameFollower { term, leader });
        }
    }

    fn stop_leading(&mut self, ctx: &mut Ctx<'_, R>) {
        for timer in [
            RaftTimer::Heartbeat,
            RaftTimer::CheckQuorum,
            RaftTimer::Batch,
            RaftTimer::Transfer,
        ] {
            ctx.cancel_timer(timer);
        }
        if let Some(leading) = self.leading.take() {
            self.disappoint(*leading, ctx);
        }
    }
}

/// What stays of a queue once everything up to `index` is dealt with.
pub(super) fn take_up_to<T>(
    queue: &mut VecDeque<T>,
    index: u64,
    index_of: impl Fn(&T) -> u64,
) -> Vec<T> {
    let mut taken = Vec::new();
    while queue.front().is_some_and(|item| index_of(item) <= index) {
        taken.extend(queue.pop_front());
    }
    taken
}
