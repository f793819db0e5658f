//! What the events of one server say of it: its log, its term, its disk. Must not judge.

use std::collections::VecDeque;

use fedsim_protocols::raft::{Configuration, Role, Shared};
use fedsim_protocols::{Folder, PeerId};

use super::committed::Committed;
use crate::time::SimTime;

/// One entry as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) term: u64,
    /// Hash of this entry and of all before it: equal chains are equal logs.
    pub(super) chain: u64,
    /// When this server took it in.
    pub(super) at: SimTime,
}

/// The chain of a log whose chain was `before` when an entry of this digest stands behind it.
pub(super) fn link(before: u64, digest: u64) -> u64 {
    Folder::of(&(before, digest))
}

/// One server as its events tell. Entries it knows to be committed are not kept: they are those of
/// the table of commits.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) is_up: bool,
    pub(super) is_paused: bool,
    /// It started and has heard of no election yet: what it reports is what it was given.
    pub(super) is_beginning: bool,
    /// Between a restart and its report of what the disk kept.
    pub(super) is_recovering: bool,
    /// Its log is damaged and not repaired yet.
    pub(super) is_damaged: bool,
    /// It does not keep to the protocol: nothing is known of it but whether it is up.
    pub(super) is_byzantine: bool,
    pub(super) role: Role,
    pub(super) term: u64,
    /// The first index of its own term, while it leads.
    pub(super) term_start: u64,
    pub(super) commit: u64,
    /// How far its disk holds its log.
    pub(super) durable: u64,
    pub(super) configuration: Shared<Configuration>,
    /// The entry that brought the configuration, 0 for the initial one.
    pub(super) configuration_index: u64,
    /// The configuration that the server began with.
    pub(super) initial: Shared<Configuration>,
    /// The index before the first kept entry, with its chain and term if they are known.
    base: u64,
    base_chain: Option<u64>,
    base_term: u64,
    entries: VecDeque<Seen>,
}

impl Witness {
    pub(super) fn new() -> Self {
        Self {
            is_up: false,
            is_paused: false,
            is_beginning: false,
            is_recovering: false,
            is_damaged: false,
            is_byzantine: false,
            role: Role::Follower,
            term: 0,
            term_start: 0,
            commit: 0,
            durable: 0,
            configuration: Shared::new(Configuration::default()),
            configuration_index: 0,
            initial: Shared::new(Configuration::default()),
            base: 0,
            base_chain: Some(0),
            base_term: 0,
            entries: VecDeque::new(),
        }
    }

    pub(super) fn leads(&self) -> bool {
        self.is_up && self.role == Role::Leader
    }

    /// Whether it can take part in elections now.
    pub(super) fn is_able(&self) -> bool {
        self.is_up && !self.is_paused && !self.is_damaged
    }

    pub(super) fn last_index(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// Term and index of its last entry, ordered as elections order logs.
    pub(super) fn end(&self) -> (u64, u64) {
        let term = self.entries.back().map_or(self.base_term, |seen| seen.term);
        (term, self.last_index())
    }

    /// The entry at `index`, unless it is committed here and so no longer kept.
    pub(super) fn kept(&self, index: u64) -> Option<&Seen> {
        let place = index.checked_sub(self.base + 1)?;
        self.entries.get(place as usize)
    }

    /// The chain of its log up to `index`; none if the log is shorter or its beginning unknown.
    pub(super) fn chain(&self, index: u64, committed: &Committed) -> Option<u64> {
        match index {
            0 => Some(0),
            _ if index == self.base => self.base_chain,
            _ if index < self.base => committed.chain(index),
            _ => self.kept(index).map(|seen| seen.chain),
        }
    }

    /// Takes in an entry behind the last one; its chain, if that of the log before is known.
    pub(super) fn append(&mut self, at: SimTime, term: u64, digest: u64) -> Option<u64> {
        let before = match self.entries.back() {
            Some(seen) => Some(seen.chain),
            None => self.base_chain,
        };
        let chain = link(before?, digest);
        self.entries.push_back(Seen { term, chain, at });
        Some(chain)
    }

    pub(super) fn cut(&mut self, from: u64, committed: &Committed) {
        let last = from.saturating_sub(1);
        if last < self.base {
            self.begin_at(last, committed);
        }
        self.entries.truncate((last - self.base) as usize);
        self.durable = self.durable.min(last);
    }

    /// Forgets the log: it begins behind `index`, all of which is committed.
    pub(super) fn begin_at(&mut self, index: u64, committed: &Committed) {
        self.entries.clear();
        self.base = index;
        self.base_chain = committed.chain(index);
        self.base_term = committed.term(index).unwrap_or(0);
    }

    /// Takes note that it knows everything up to `index`, which it holds, to be committed.
    pub(super) fn commit_to(&mut self, index: u64) {
        self.commit = self.commit.max(index);
        let passed = (index.saturating_sub(self.base) as usize).min(self.entries.len());
        if let Some(last) = passed.checked_sub(1).map(|place| self.entries[place]) {
            self.base_chain = Some(last.chain);
            self.base_term = last.term;
        }
        self.base += passed as u64;
        self.entries.drain(..passed);
    }

    /// Takes note that it has this role in this term.
    pub(super) fn take_role(&mut self, role: Role, term: u64) {
        (self.role, self.term) = (role, term);
        if role == Role::Leader {
            self.term_start = self.last_index() + 1;
        }
    }

    pub(super) fn crash(&mut self) {
        (self.is_up, self.is_paused) = (false, false);
        self.role = Role::Follower;
    }
}

/// All servers and what they committed: what every checker may look at.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) peers: Vec<Witness>,
    pub(super) committed: Committed,
}

impl Cluster {
    pub(super) fn new(peers: usize) -> Self {
        Self {
            peers: vec![Witness::new(); peers],
            committed: Committed::default(),
        }
    }

    pub(super) fn of(&self, peer: PeerId) -> &Witness {
        &self.peers[peer.index()]
    }

    pub(super) fn of_mut(&mut self, peer: PeerId) -> &mut Witness {
        &mut self.peers[peer.index()]
    }

    /// Whether a server's log up to `index` is what was committed; `index` must be committed.
    pub(super) fn holds(&self, peer: PeerId, index: u64) -> bool {
        let chain = self.of(peer).chain(index, &self.committed);
        chain.is_some() && chain == self.committed.chain(index)
    }

    /// Whether a server's disk holds what was committed up to `index`.
    pub(super) fn holds_durably(&self, peer: PeerId, index: u64) -> bool {
        self.of(peer).durable >= index && self.holds(peer, index)
    }
}
