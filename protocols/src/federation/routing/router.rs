//! The choice of a way, and what a roster of organisations tolerates.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionKind, Organisation};
use crate::fold_enum;
use crate::quorum::{byzantine_quorum, max_faulty};

/// Whom one expects to lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Adversary {
    /// Nobody: peers crash.
    CrashOnly,
    /// Other organisations.
    #[default]
    Byzantine,
}

/// How organisations decide together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tiers {
    /// Every peer is a replica.
    #[default]
    Flat,
    /// Each organisation decides inside and is one replica outside.
    Two,
}

/// The way that an action goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// To its audience.
    Direct,
    /// To everybody, eventually.
    Gossip,
    /// Decided by the Raft group of one organisation.
    RaftInside {
        /// Which one.
        organisation: Organisation,
    },
    /// Decided by one Raft group over all organisations.
    RaftAcross,
    /// Decided by PBFT over all their peers.
    PbftFlat,
    /// Decided by PBFT with one replica an organisation, which decides inside by Raft.
    PbftTwoTier,
}

fold_enum!(Route {
    0 = Direct {},
    1 = Gossip {},
    2 = RaftInside { organisation },
    3 = RaftAcross {},
    4 = PbftFlat {},
    5 = PbftTwoTier {},
});

impl Route {
    /// Whether the action is decided before it happens.
    pub const fn is_decided(self) -> bool {
        match self {
            Self::Direct | Self::Gossip => false,
            Self::RaftInside { .. } | Self::RaftAcross | Self::PbftFlat | Self::PbftTwoTier => true,
        }
    }

    /// The route's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Gossip => "gossip",
            Self::RaftInside { .. } => "raft-inside",
            Self::RaftAcross => "raft-across",
            Self::PbftFlat => "pbft-flat",
            Self::PbftTwoTier => "pbft-two-tier",
        }
    }
}

/// Chooses the way of each action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Router<R: Rules = Strict> {
    /// Whom to expect to lie.
    pub adversary: Adversary,
    /// How organisations decide together.
    pub tiers: Tiers,
    rules: PhantomData<R>,
}

impl<R: Rules> Router<R> {
    /// A router for this adversary and these tiers.
    pub fn new(adversary: Adversary, tiers: Tiers) -> Self {
        Self {
            adversary,
            tiers,
            rules: PhantomData,
        }
    }

    /// The way of an action that concerns these organisations, the source's own included.
    pub fn route(&self, kind: ActionKind, concerned: &BTreeSet<Organisation>) -> Route {
        if kind == ActionKind::Status {
            return Route::Gossip;
        }
        if !R::must_decide(kind.changes_shared_state()) {
            return Route::Direct;
        }
        let mut organisations = concerned.iter();
        match (organisations.next(), organisations.next()) {
            (Some(&organisation), None) => Route::RaftInside { organisation },
            (Some(_), Some(_)) | (None, _) => match (self.adversary, self.tiers) {
                (Adversary::CrashOnly, Tiers::Flat | Tiers::Two) => Route::RaftAcross,
                (Adversary::Byzantine, Tiers::Flat) => Route::PbftFlat,
                (Adversary::Byzantine, Tiers::Two) => Route::PbftTwoTier,
            },
        }
    }
}

/// What agreement among organisations survives, given how many replicas each of them holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tolerance {
    /// Replicas.
    pub replicas: usize,
    /// Votes that decide; never 0.
    pub quorum: usize,
    /// Lying replicas that flat PBFT survives.
    pub replicas_lying: usize,
    /// Organisations that may lie with all their replicas at once, whichever they are.
    pub organisations_lying: usize,
    /// Organisations that may be silent altogether, whichever they are, without halting it.
    pub organisations_silent: usize,
}

impl Tolerance {
    /// Of flat PBFT with these numbers of replicas an organisation.
    pub fn flat(holdings: &[usize]) -> Self {
        let replicas: usize = holdings.iter().sum();
        let (quorum, faulty) = (byzantine_quorum(replicas).max(1), max_faulty(replicas));
        Self {
            replicas,
            quorum,
            replicas_lying: faulty,
            organisations_lying: largest_within(holdings, faulty),
            organisations_silent: largest_within(holdings, replicas.saturating_sub(quorum)),
        }
    }

    /// Of two tiers: an organisation is one replica, and lies as soon as one of its peers does.
    pub fn two_tier(organisations: usize) -> Self {
        Self::flat(&vec![1; organisations])
    }
}

/// How many of the largest holdings sum to at most `bound`.
fn largest_within(holdings: &[usize], bound: usize) -> usize {
    let mut sorted: Vec<usize> = holdings.iter().copied().filter(|held| *held > 0).collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let sums = sorted.iter().scan(0, |sum, held| {
        *sum += held;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= bound).count()
}
