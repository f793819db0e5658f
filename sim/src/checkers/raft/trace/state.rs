//! The state of one server as its events tell it: what every line of a trace carries.

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::{Configuration, RaftEvent, Role, Shared};
use serde::Serialize;

use super::super::role_name;

/// One server. A vote counts once it is on disk, when it is reported.
#[derive(Default)]
pub(super) struct State {
    is_down: bool,
    role: Role,
    term: u64,
    vote: Option<PeerId>,
    commit: u64,
    snapshot: u64,
    last: u64,
    /// Every configuration in the log and in the snapshot, by index, the one in force last.
    configurations: Vec<(u64, Shared<Configuration>)>,
    /// What stood in the log before a crash: a snapshot found afterwards brings one of them.
    remembered: Vec<(u64, Shared<Configuration>)>,
}

/// The state as a line has it.
#[derive(Serialize)]
pub(super) struct StateKeys<'a> {
    role: &'static str,
    term: u64,
    vote: Option<&'a str>,
    commit: u64,
    snapshot: u64,
    last: u64,
    configuration: Members<'a>,
}

/// A configuration in nicknames.
#[derive(Default, Serialize)]
pub(super) struct Members<'a> {
    voters: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outgoing: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    learners: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    demoted: Vec<&'a str>,
}

impl<'a> Members<'a> {
    pub(super) fn new(configuration: &Configuration, names: &'a [String]) -> Self {
        let named = |peers: &[PeerId]| {
            let name = |peer: &PeerId| names[peer.index()].as_str();
            peers.iter().map(name).collect()
        };
        Self {
            voters: named(&configuration.voters),
            outgoing: named(&configuration.outgoing),
            learners: named(&configuration.learners),
            demoted: named(&configuration.demoted),
        }
    }
}

impl State {
    pub(super) fn keys<'a>(&self, names: &'a [String]) -> StateKeys<'a> {
        let in_force = self.configurations.last().or(self.remembered.first());
        StateKeys {
            role: match self.is_down {
                true => "down",
                false => role_name(self.role),
            },
            term: self.term,
            vote: self.vote.map(|peer| names[peer.index()].as_str()),
            commit: self.commit,
            snapshot: self.snapshot,
            last: self.last,
            configuration: in_force.map_or_else(Members::default, |(_, configuration)| {
                Members::new(configuration, names)
            }),
        }
    }

    pub(super) fn crash(&mut self) {
        self.is_down = true;
    }

    /// The server runs again; what its disk kept is reported next.
    pub(super) fn restart(&mut self) {
        self.is_down = false;
        self.role = Role::Follower;
        self.remembered = std::mem::take(&mut self.configurations);
    }

    pub(super) fn hear(&mut self, event: &RaftEvent) {
        match *event {
            RaftEvent::BecameFollower { term, .. } => self.take_role(Role::Follower, term),
            RaftEvent::BecamePreCandidate { term } => self.take_role(Role::PreCandidate, term),
            RaftEvent::BecameCandidate { term } => self.take_role(Role::Candidate, term),
            RaftEvent::LeaderElected { term } => self.take_role(Role::Leader, term),
            RaftEvent::Voted { term, candidate } => {
                if term == self.term {
                    self.vote = Some(candidate);
                }
            }
            RaftEvent::Appended { index, .. } => self.last = index,
            RaftEvent::Truncated { from } => self.last = from.saturating_sub(1),
            RaftEvent::Committed { index, .. } => self.commit = self.commit.max(index),
            RaftEvent::SnapshotTaken { index, .. } => self.snapshot = index,
            RaftEvent::SnapshotInstalled { index, last, .. } => {
                self.snapshot = index;
                self.commit = self.commit.max(index);
                self.last = last;
            }
            RaftEvent::ConfigurationChanged {
                index,
                ref configuration,
            } => self.adopt(index, configuration),
            RaftEvent::Recovered {
                term,
                vote,
                snapshot,
                ..
            } => self.recover(term, vote, snapshot),
            RaftEvent::Durable { .. }
            | RaftEvent::Applied { .. }
            | RaftEvent::ChangeAborted { .. }
            | RaftEvent::TransferStarted { .. }
            | RaftEvent::TransferAborted { .. }
            | RaftEvent::QuorumLost { .. }
            | RaftEvent::ReadServed { .. }
            | RaftEvent::Acknowledged { .. }
            | RaftEvent::DamagedLog { .. }
            | RaftEvent::Repaired { .. }
            | RaftEvent::Rejected { .. } => {}
        }
    }

    /// A vote belongs to its term.
    fn take_role(&mut self, role: Role, term: u64) {
        if term != self.term {
            self.vote = None;
        }
        (self.role, self.term) = (role, term);
    }

    /// What stood at or behind `index` was cut off, or is this one itself.
    fn adopt(&mut self, index: u64, configuration: &Shared<Configuration>) {
        self.configurations.retain(|(at, _)| *at < index);
        self.configurations.push((index, configuration.clone()));
    }

    /// The entries behind the snapshot are reported next.
    fn recover(&mut self, term: u64, vote: Option<PeerId>, snapshot: u64) {
        (self.term, self.vote) = (term, vote);
        (self.commit, self.snapshot, self.last) = (snapshot, snapshot, snapshot);
        let mut known = std::mem::take(&mut self.remembered);
        known.retain(|(at, _)| *at <= snapshot);
        known.append(&mut self.configurations);
        self.configurations = known;
    }
}
