//! Who takes part in a PBFT group, and whose word counts: what every checker may look at.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Epoch, Operation, Request, View};
use fedsim_protocols::quorum::{byzantine_quorum, max_faulty};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::Role;

/// A set of peers, one bit each.
#[derive(Clone, Debug, Default)]
pub(super) struct Voters {
    words: Vec<u64>,
}

impl Voters {
    pub(super) fn insert(&mut self, peer: PeerId) {
        let (word, bit) = (peer.index() / 64, 1_u64 << (peer.index() % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit;
    }

    pub(super) fn contains(&self, peer: PeerId) -> bool {
        let word = self.words.get(peer.index() / 64).copied().unwrap_or(0);
        word >> (peer.index() % 64) & 1 == 1
    }

    pub(super) fn len(&self) -> usize {
        let ones = self.words.iter().map(|word| word.count_ones() as usize);
        ones.sum()
    }
}

/// How a peer is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Condition {
    pub(super) is_up: bool,
    pub(super) is_paused: bool,
    /// It no longer knows what it voted for and keeps silent.
    pub(super) is_silent: bool,
}

/// The peers of a run.
///
/// What a peer says that the scenario names as an adversary counts for nothing: its events are not
/// looked at, and every certificate may hold its vote.
pub(super) struct Group {
    members: Vec<bool>,
    pub(super) conditions: Vec<Condition>,
    liars: BTreeSet<PeerId>,
    /// How many may lie; none is the protocol's own bound.
    assumed: Option<u32>,
    /// The replicas of each epoch.
    rosters: BTreeMap<Epoch, Vec<PeerId>>,
    /// The group that was decided last and is not in force yet.
    decided: Option<Vec<PeerId>>,
    /// A crash may have taken the disk.
    pub(super) wipes: bool,
    /// Votes do not survive a crash.
    pub(super) forgets: bool,
}

impl Group {
    pub(super) fn new(scenario: &Scenario, liars: BTreeSet<PeerId>) -> Self {
        let slots = (0..).map(PeerId).zip(&scenario.peers);
        let founding = slots.filter(|(_, it)| it.role == Role::Member && it.starts_at.is_zero());
        let founding = founding.map(|(slot, _)| slot).collect();
        let is_member = |it: &fedsim_scenarios::spec::PeerSpec| it.role == Role::Member;
        Self {
            members: scenario.peers.iter().map(is_member).collect(),
            conditions: vec![Condition::default(); scenario.peers.len()],
            liars,
            assumed: scenario.assume.faulty,
            rosters: BTreeMap::from([(Epoch(0), founding)]),
            decided: None,
            wipes: false,
            forgets: false,
        }
    }

    pub(super) fn is_honest(&self, peer: PeerId) -> bool {
        !self.liars.contains(&peer)
    }

    pub(super) fn is_member(&self, peer: PeerId) -> bool {
        self.members[peer.index()]
    }

    /// From now on the peer's word counts for nothing.
    pub(super) fn distrust(&mut self, peer: PeerId) {
        self.liars.insert(peer);
    }

    /// How many members lie.
    pub(super) fn liars(&self) -> usize {
        let members = self.liars.iter().filter(|peer| self.is_member(**peer));
        members.count()
    }

    /// Whether more members lie than agreement is promised for.
    pub(super) fn is_beyond(&self) -> bool {
        let least = self.rosters.values().map(|roster| max_faulty(roster.len()));
        let bound = self.assumed.map(|bound| bound as usize).or(least.min());
        self.liars() > bound.unwrap_or(0)
    }

    /// The size of the group in an epoch.
    pub(super) fn n(&self, epoch: Epoch) -> usize {
        self.rosters.get(&epoch).map_or(0, Vec::len)
    }

    /// Who leads a view.
    pub(super) fn primary(&self, epoch: Epoch, view: View) -> Option<PeerId> {
        let roster = self.rosters.get(&epoch)?;
        roster
            .get((view.0 % roster.len().max(1) as u64) as usize)
            .copied()
    }

    /// How many honest replicas at least stand behind every quorum of an epoch.
    pub(super) fn honest_quorum(&self, epoch: Epoch) -> usize {
        byzantine_quorum(self.n(epoch)).saturating_sub(self.liars())
    }

    /// The replicas of the last epoch.
    pub(super) fn replicas(&self) -> &[PeerId] {
        let last = self.rosters.last_key_value();
        last.map_or(&[], |(_, roster)| roster.as_slice())
    }

    /// How many replicas of the last epoch are down or silent.
    pub(super) fn down(&self) -> u32 {
        let able = |peer: &&PeerId| {
            let condition = self.conditions[peer.index()];
            condition.is_up && !condition.is_paused && !condition.is_silent
        };
        let replicas = self.replicas();
        (replicas.len() - replicas.iter().filter(able).count()) as u32
    }

    pub(super) fn quorum(&self) -> usize {
        byzantine_quorum(self.replicas().len())
    }

    /// A request was executed for good.
    pub(super) fn executed(&mut self, request: &Request) {
        if let Operation::Reconfigure { membership } = &request.operation
            && membership.is_valid()
        {
            let slots = membership.replicas.iter().map(|member| member.slot);
            self.decided = Some(slots.collect());
        }
    }

    /// A replica says that a roster of this size is in force.
    pub(super) fn reconfigured(&mut self, epoch: Epoch, replicas: u64) {
        let decided = self.decided.as_ref();
        if let Some(roster) = decided.filter(|it| it.len() as u64 == replicas) {
            let roster = roster.clone();
            self.rosters.entry(epoch).or_insert(roster);
        }
    }
}
