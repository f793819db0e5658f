//! Counting votes of different replicas by digest. Must not know what is voted on.

use super::numbers::{Digest, ReplicaId};
use super::rules::Rules;

/// A set of replica numbers, one bit each; the first 64 need no memory of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ReplicaSet {
    first: u64,
    more: Vec<u64>,
}

impl ReplicaSet {
    /// Adds a replica; false if it was there.
    #[inline]
    pub(super) fn insert(&mut self, replica: ReplicaId) -> bool {
        let bit = 1_u64 << (replica.index() % 64);
        let word = self.word(replica.index() / 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    #[inline]
    fn word(&mut self, index: usize) -> &mut u64 {
        let Some(place) = index.checked_sub(1) else {
            return &mut self.first;
        };
        if place >= self.more.len() {
            self.more.resize(place + 1, 0);
        }
        &mut self.more[place]
    }

    /// How many replicas are there.
    pub(super) fn len(&self) -> usize {
        let more = self.more.iter().map(|word| word.count_ones());
        (self.first.count_ones() + more.sum::<u32>()) as usize
    }
}

/// Votes for one digest that find room at first.
const ROOM: usize = 8;

/// One vote a replica, counted by digest; `V` is what is kept of each vote.
///
/// A replica's first vote counts and no other: an equivocating replica is one of the f that the
/// quorum does without. So there are at most n digests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tally<V> {
    voted: ReplicaSet,
    by_digest: Vec<(Digest, Vec<V>)>,
}

impl<V> Default for Tally<V> {
    fn default() -> Self {
        Self {
            voted: ReplicaSet::default(),
            by_digest: Vec::new(),
        }
    }
}

impl<V> Tally<V> {
    /// Counts one vote; false if the replica voted before.
    #[inline]
    pub(super) fn add<R: Rules>(&mut self, replica: ReplicaId, digest: Digest, vote: V) -> bool {
        if !R::counts_vote(!self.voted.insert(replica)) {
            return false;
        }
        match self.by_digest.iter_mut().find(|entry| entry.0 == digest) {
            Some((_, votes)) => votes.push(vote),
            None => {
                let mut votes = Vec::with_capacity(ROOM);
                votes.push(vote);
                self.by_digest.push((digest, votes));
            }
        }
        true
    }

    /// How many votes there are for this digest.
    #[inline]
    pub(super) fn count<R: Rules>(&self, digest: Digest) -> usize {
        self.matching::<R>(digest)
            .map(|(_, votes)| votes.len())
            .sum()
    }

    /// The votes for this digest, in the order of their arrival.
    pub(super) fn votes<R: Rules>(&self, digest: Digest) -> impl Iterator<Item = &V> {
        self.matching::<R>(digest).flat_map(|(_, votes)| votes)
    }

    /// Takes out the votes for this digest.
    pub(super) fn take<R: Rules>(&mut self, digest: Digest) -> Vec<V> {
        let entries = self.by_digest.drain(..);
        let matching = entries.filter(|(voted, _)| R::digest_matches(*voted, digest));
        matching.flat_map(|(_, votes)| votes).collect()
    }

    /// How many replicas voted.
    pub(super) fn len(&self) -> usize {
        self.voted.len()
    }

    /// How many votes are kept: those that were not taken out.
    pub(super) fn kept(&self) -> usize {
        self.by_digest.iter().map(|(_, votes)| votes.len()).sum()
    }

    fn matching<R: Rules>(&self, digest: Digest) -> impl Iterator<Item = &(Digest, Vec<V>)> {
        let entries = self.by_digest.iter();
        entries.filter(move |(voted, _)| R::digest_matches(*voted, digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbft::rules::Paper;

    #[test]
    fn a_replica_votes_once_whatever_it_votes_for() {
        // The second vote of replica 70 must add nothing, neither for its first digest nor another.
        let (a, b) = (Digest([1; 32]), Digest([2; 32]));
        let mut tally = Tally::default();
        assert!(tally.add::<Paper>(ReplicaId(70), a, ()));
        assert!(!tally.add::<Paper>(ReplicaId(70), a, ()));
        assert!(!tally.add::<Paper>(ReplicaId(70), b, ()));
        assert!(tally.add::<Paper>(ReplicaId(3), b, ()));
        assert_eq!((tally.count::<Paper>(a), tally.count::<Paper>(b)), (1, 1));
        assert_eq!((tally.len(), tally.kept()), (2, 2));
        assert_eq!(tally.take::<Paper>(a).len(), 1);
        assert_eq!((tally.len(), tally.kept()), (2, 0));
    }
}
