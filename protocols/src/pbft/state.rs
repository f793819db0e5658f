//! The replicated state: registers, cached replies and the roster; its snapshots and digests.
//!
//! Must not know views, votes or messages: two replicas that executed the same batches hold equal
//! values of these types.

use std::collections::BTreeMap;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold_struct;
use crate::peer::PeerId;

use super::message::{CheckpointCertificate, Request};
use super::numbers::{Digest, Sequence, Timestamp};
use super::rekeying::Rekeying;
use super::roster::{Membership, Roster};
use super::store::{Operation, Outcome, Store};

/// The last reply sent to one client: with it a request executes exactly once (section 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct CachedReply {
    /// The last executed request of the client.
    pub timestamp: Timestamp,
    /// Its result.
    pub outcome: Outcome,
}

fold_struct!(CachedReply { timestamp, outcome });

/// Everything that execution changes.
///
/// The parts are shared with snapshots and copied when they are next written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicatedState {
    /// The registers.
    pub store: Arc<Store>,
    /// The last reply to each client; bounded by the clients of the roster.
    pub replies: Arc<BTreeMap<PeerId, CachedReply>>,
    /// The roster in force.
    pub roster: Arc<Roster>,
    /// The roster that is in force from the next checkpoint on.
    pub next_roster: Option<Arc<Roster>>,
}

impl ReplicatedState {
    /// The state before the first batch.
    pub fn genesis(roster: Arc<Roster>) -> Self {
        Self {
            store: Arc::default(),
            replies: Arc::default(),
            roster,
            next_roster: None,
        }
    }

    /// The state that a snapshot holds.
    pub fn restore(snapshot: &Snapshot) -> Self {
        Self {
            store: Arc::new(snapshot.store.clone()),
            replies: Arc::new(snapshot.replies.clone()),
            roster: Arc::new(snapshot.roster.clone()),
            next_roster: None,
        }
    }

    /// The timestamp of the client's last executed request.
    pub fn last_timestamp(&self, client: PeerId) -> Option<Timestamp> {
        self.replies.get(&client).map(|cached| cached.timestamp)
    }

    /// Whether a request of this age was executed before.
    pub fn is_executed(&self, client: PeerId, timestamp: Timestamp) -> bool {
        self.last_timestamp(client) >= Some(timestamp)
    }

    /// The roster in force, or the one that is decided to follow it.
    pub fn latest_roster(&self) -> &Arc<Roster> {
        self.next_roster.as_ref().unwrap_or(&self.roster)
    }

    /// Executes one request and caches its reply; `rekeying` is what its proof shows, if it has one.
    pub fn execute(&mut self, request: &Request, rekeying: Option<&Rekeying>) -> Outcome {
        let outcome = match &request.operation {
            Operation::Reconfigure { membership } => self.reconfigure(request.client, membership),
            Operation::Rekey { .. } => self.rekey(rekeying),
            Operation::Enter { value } => {
                Arc::make_mut(&mut self.store).enter(request.client, value.clone())
            }
            Operation::Read { .. }
            | Operation::Write { .. }
            | Operation::CompareAndSwap { .. }
            | Operation::Append { .. } => {
                if request.operation.is_read() {
                    self.read(&request.operation)
                } else {
                    Arc::make_mut(&mut self.store).apply(&request.operation)
                }
            }
        };
        let cached = CachedReply {
            timestamp: request.timestamp,
            outcome: outcome.clone(),
        };
        Arc::make_mut(&mut self.replies).insert(request.client, cached);
        outcome
    }

    /// Answers a read from the state as it is.
    pub fn read(&self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Read { key } => Outcome::Value {
                value: self.store.get(*key).cloned(),
            },
            Operation::Write { .. }
            | Operation::CompareAndSwap { .. }
            | Operation::Append { .. }
            | Operation::Enter { .. }
            | Operation::Rekey { .. }
            | Operation::Reconfigure { .. } => Outcome::Refused {},
        }
    }

    fn reconfigure(&mut self, client: PeerId, membership: &Membership) -> Outcome {
        if !self.roster.administrators.contains(&client) || !membership.is_valid() {
            return Outcome::Refused {};
        }
        let next = Roster {
            membership: membership.clone(),
            ..Roster::clone(self.latest_roster())
        };
        self.succeed(next)
    }

    fn rekey(&mut self, rekeying: Option<&Rekeying>) -> Outcome {
        let next = rekeying.and_then(|rekeying| self.latest_roster().rekeyed(rekeying));
        match next {
            Some(next) => self.succeed(next),
            None => Outcome::Refused {},
        }
    }

    fn succeed(&mut self, next: Roster) -> Outcome {
        let epoch = self.roster.epoch.next();
        self.next_roster = Some(Arc::new(Roster { epoch, ..next }));
        Outcome::Reconfigured {}
    }

    /// Lets a decided reconfiguration take effect; true if there was one.
    pub fn take_effect(&mut self) -> bool {
        let Some(next) = self.next_roster.take() else {
            return false;
        };
        self.roster = next;
        true
    }

    /// The state after batch `sequence`, to be kept.
    pub fn snapshot(&self, sequence: Sequence) -> Snapshot {
        Snapshot {
            sequence,
            store: (*self.store).clone(),
            replies: (*self.replies).clone(),
            roster: (*self.roster).clone(),
        }
    }
}

/// The state at a checkpoint. The roster is the one in force from the next batch on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Snapshot {
    /// The last batch that it reflects.
    pub sequence: Sequence,
    /// The registers.
    pub store: Store,
    /// The last reply to each client.
    pub replies: BTreeMap<PeerId, CachedReply>,
    /// The roster in force from the next batch on.
    pub roster: Roster,
}

fold_struct!(Snapshot {
    sequence,
    store,
    replies,
    roster
});

impl Snapshot {
    /// The digests of its parts.
    pub fn parts(&self) -> SnapshotParts {
        SnapshotParts {
            sequence: self.sequence,
            store: Digest::of(&self.store),
            replies: Digest::of(&self.replies),
            roster: Digest::of(&self.roster),
        }
    }
}

/// The digests of a snapshot's parts; their digest is what checkpoint votes name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct SnapshotParts {
    /// The last batch that the snapshot reflects.
    pub sequence: Sequence,
    /// The digest of the registers.
    pub store: Digest,
    /// The digest of the cached replies.
    pub replies: Digest,
    /// The digest of the roster.
    pub roster: Digest,
}

fold_struct!(SnapshotParts {
    sequence,
    store,
    replies,
    roster
});

impl SnapshotParts {
    /// The digest that checkpoint votes name.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// Proof that one roster followed another: the checkpoint at which the old group handed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct EpochLink {
    /// The old group's votes.
    pub certificate: CheckpointCertificate,
    /// The digests under the one that they voted for.
    pub parts: SnapshotParts,
    /// The new roster, whose digest is among them.
    pub roster: Roster,
}

fold_struct!(EpochLink {
    certificate,
    parts,
    roster
});
