//! Who the replicas and clients of one epoch are, by number, slot and key, and the group's quorums.
//!
//! The only source of "who may vote": the network's word on who sent a message is never asked.

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold_struct;
use crate::identity::PublicKey;
use crate::peer::PeerId;
use crate::quorum::{byzantine_quorum, max_faulty};

use super::numbers::{Epoch, ReplicaId, View};

/// One replica: where it is reached and what it signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Member {
    /// Where it is reached.
    pub slot: PeerId,
    /// What it signs with.
    pub key: PublicKey,
}

fold_struct!(Member { slot, key });

/// A group of replicas in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Membership {
    /// The replicas; a replica's number is its place here. At most 65,535.
    pub replicas: Vec<Member>,
}

fold_struct!(Membership { replicas });

impl Membership {
    /// Whether it can serve: not empty, numbers fit, nobody is listed twice.
    pub fn is_valid(&self) -> bool {
        let slots: BTreeSet<_> = self.replicas.iter().map(|member| member.slot).collect();
        let keys: BTreeSet<_> = self.replicas.iter().map(|member| member.key).collect();
        let n = self.replicas.len();
        n > 0 && n <= usize::from(u16::MAX) && slots.len() == n && keys.len() == n
    }
}

/// Replicas and clients of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Roster {
    /// Which version of the group.
    pub epoch: Epoch,
    /// The replicas.
    pub membership: Membership,
    /// The clients: slot and key.
    pub clients: BTreeMap<PeerId, PublicKey>,
    /// The keys that clients had before, and whose they were.
    pub former: BTreeMap<PublicKey, PeerId>,
    /// The clients that may change the group.
    pub administrators: BTreeSet<PeerId>,
}

impl Roster {
    /// The roster of epoch 0.
    pub fn genesis(
        replicas: Vec<Member>,
        clients: BTreeMap<PeerId, PublicKey>,
        administrators: BTreeSet<PeerId>,
    ) -> Self {
        Self {
            epoch: Epoch(0),
            membership: Membership { replicas },
            clients,
            former: BTreeMap::new(),
            administrators,
        }
    }

    /// How many replicas there are.
    pub fn n(&self) -> usize {
        self.membership.replicas.len()
    }

    /// How many of them may be Byzantine.
    pub fn f(&self) -> usize {
        max_faulty(self.n())
    }

    /// The quorum ceil((n+f+1)/2) that the paper calls 2f+1.
    pub fn quorum(&self) -> usize {
        byzantine_quorum(self.n())
    }

    /// The primary of a view: v mod n (OSDI'99 section 4).
    pub fn primary(&self, view: View) -> ReplicaId {
        ReplicaId((view.0 % self.n() as u64) as u16)
    }

    /// A replica by its number.
    pub fn member(&self, replica: ReplicaId) -> Option<&Member> {
        self.membership.replicas.get(replica.index())
    }

    /// The number of the replica with this key.
    pub fn replica_of(&self, key: &PublicKey) -> Option<ReplicaId> {
        let place = self.membership.replicas.iter();
        let place = place.map(|member| member.key).position(|k| k == *key)?;
        Some(ReplicaId(place as u16))
    }

    /// The key of the replica or client at `slot`.
    pub fn key_at(&self, slot: PeerId) -> Option<PublicKey> {
        let replicas = self.membership.replicas.iter();
        let replica = replicas
            .map(|it| (it.slot, it.key))
            .find(|(at, _)| *at == slot);
        let client = || self.clients.get(&slot).copied();
        replica.map(|(_, key)| key).or_else(client)
    }

    /// Whether `key` is the key of replica number `replica`.
    #[inline]
    pub fn is_key_of(&self, replica: ReplicaId, key: &PublicKey) -> bool {
        self.member(replica)
            .is_some_and(|member| member.key == *key)
    }

    /// The slots of all replicas but `me`, in the order of their numbers.
    pub fn others(&self, me: Option<ReplicaId>) -> impl Iterator<Item = PeerId> + '_ {
        let me = me.map(ReplicaId::index);
        let numbered = self.membership.replicas.iter().enumerate();
        numbered
            .filter(move |(number, _)| Some(*number) != me)
            .map(|(_, member)| member.slot)
    }
}

/// A set folds as the sequence of its members.
impl crate::fold::Fold for Roster {
    fn fold(&self, into: &mut crate::fold::Folder) {
        let Self {
            epoch,
            membership,
            clients,
            former,
            administrators,
        } = self;
        epoch.fold(into);
        membership.fold(into);
        clients.fold(into);
        former.fold(into);
        into.u64(administrators.len() as u64);
        administrators.iter().for_each(|slot| slot.fold(into));
    }
}
