//! What PBFT peers send each other, and the signed contents inside. Must not know any rule.
//!
//! Every vote carries its view, sequence number and roster epoch under its signature, and its kind
//! in the signature's domain, so that it serves nowhere else. A message is at most a few handles:
//! contents are allocated once and shared by all who hold them.

use std::hash::{Hash, Hasher};
use std::io;
use std::sync::{Arc, OnceLock};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};
use crate::peer::PeerId;
use crate::protocol::Message;
use crate::signed::{Signable, Signed};
use crate::{fold_enum, fold_struct};

use super::numbers::{Digest, Epoch, ReplicaId, Sequence, Timestamp, View};
use super::state::{EpochLink, Snapshot};
use super::store::{Operation, Outcome};

macro_rules! content {
    ($(#[$doc:meta])* $name:ident, $domain:literal, { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }
        fold_struct!($name { $($field),* });
        impl Signable for $name {
            const DOMAIN: &'static str = concat!("fedsim/pbft/v1/", $domain);
        }
    };
}

content!(
    /// ⟨REQUEST, o, t, c⟩: what a client wants done (OSDI'99 section 4.1).
    Request, "request", {
        /// The client, by its slot.
        client: PeerId,
        /// The client's own counter.
        timestamp: Timestamp,
        /// What to do.
        operation: Operation,
        /// Whether to answer from the current state, unordered (TOCS'02 section 5.1.3).
        read_only: bool,
    }
);

content!(
    /// ⟨REPLY, v, t, c, i, r⟩: what a replica answers (OSDI'99 section 4.1).
    Reply, "reply", {
        /// The replica's epoch.
        epoch: Epoch,
        /// The replica's view, from which the client learns the primary.
        view: View,
        /// Which request of the client.
        timestamp: Timestamp,
        /// The client, by its slot.
        client: PeerId,
        /// Who answers.
        replica: ReplicaId,
        /// The result.
        outcome: Outcome,
        /// Whether the batch was prepared only and not yet committed (TOCS'02 section 5.1.2).
        tentative: bool,
    }
);

content!(
    /// ⟨PRE-PREPARE, v, n, d⟩: the primary's assignment of a place in the order (section 4.2).
    PrePrepare, "pre-prepare", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view.
        view: View,
        /// The place in the order.
        sequence: Sequence,
        /// The digest of the batch.
        digest: Digest,
    }
);

content!(
    /// ⟨PREPARE, v, n, d, i⟩: a backup accepted the assignment (section 4.2).
    Prepare, "prepare", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view.
        view: View,
        /// The place in the order.
        sequence: Sequence,
        /// The digest of the batch.
        digest: Digest,
        /// Who votes.
        replica: ReplicaId,
    }
);

content!(
    /// ⟨COMMIT, v, n, d, i⟩: a replica holds a prepared certificate (section 4.2).
    Commit, "commit", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view.
        view: View,
        /// The place in the order.
        sequence: Sequence,
        /// The digest of the batch.
        digest: Digest,
        /// Who votes.
        replica: ReplicaId,
    }
);

content!(
    /// ⟨CHECKPOINT, n, d, i⟩: the state after batch n has digest d (section 4.3).
    Checkpoint, "checkpoint", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The last batch that the state reflects.
        sequence: Sequence,
        /// The digest of the state.
        digest: Digest,
        /// Who votes.
        replica: ReplicaId,
    }
);

content!(
    /// ⟨VIEW-CHANGE, v+1, n, C, P, i⟩: a replica gave up on a primary (section 4.4).
    ViewChange, "view-change", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view that it wants.
        view: View,
        /// Its last stable checkpoint.
        stable: Sequence,
        /// C: a quorum of votes for that checkpoint; empty where the epoch began with it.
        proof: Vec<Signed<Checkpoint>>,
        /// P: what prepared above the checkpoint, by rising sequence number.
        prepared: Vec<PreparedCertificate>,
        /// Who asks.
        replica: ReplicaId,
    }
);

content!(
    /// ⟨NEW-VIEW, v+1, V, O⟩: the new primary's proof that its view may begin (section 4.4).
    NewView, "new-view", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view that begins.
        view: View,
        /// V: a quorum of view-changes for it.
        view_changes: Vec<Signed<ViewChange>>,
        /// O: the pre-prepares that follow from V, by rising sequence number.
        pre_prepares: Vec<Signed<PrePrepare>>,
    }
);

content!(
    /// What a replica has, so that others can send again what it lacks (thesis section 5.2).
    Status, "status", {
        /// The roster's epoch.
        epoch: Epoch,
        /// The replica's view.
        view: View,
        /// Whether it still waits for the view to begin.
        changing: bool,
        /// Its last stable checkpoint.
        stable: Sequence,
        /// Its last executed batch.
        executed: Sequence,
        /// Who tells.
        replica: ReplicaId,
    }
);

content!(
    /// A wish for a stable checkpoint's state, or for the roster alone.
    StateRequest, "state-request", {
        /// The last epoch that the asker knows.
        epoch: Epoch,
        /// The last batch that the asker's state reflects.
        executed: Sequence,
        /// Where to send the answer: the slot of the asker.
        asker: PeerId,
        /// Whether rosters suffice, as for a client.
        roster_only: bool,
    }
);

/// The requests that share one place in the order; an empty batch is the null request.
///
/// Cloning shares one allocation and one digest, which covers the requests without signatures.
#[derive(Clone)]
pub struct Batch(Arc<BatchBody>);

struct BatchBody {
    requests: Vec<Signed<Request>>,
    digest: OnceLock<Digest>,
}

impl Batch {
    /// The batch of these requests in this order.
    pub fn new(requests: Vec<Signed<Request>>) -> Self {
        Self(Arc::new(BatchBody {
            requests,
            digest: OnceLock::new(),
        }))
    }

    /// The null request: it goes through the protocol and executes as nothing (section 4.4).
    pub fn null() -> Self {
        Self::new(Vec::new())
    }

    /// The requests in their order.
    pub fn requests(&self) -> &[Signed<Request>] {
        &self.0.requests
    }

    /// The digest that votes name.
    pub fn digest(&self) -> Digest {
        *self.0.digest.get_or_init(|| {
            let mut bytes = Vec::with_capacity(64);
            let contents = self.requests().iter().map(Signed::content);
            (self.requests().len() as u64)
                .serialize(&mut bytes)
                .and_then(|()| {
                    contents
                        .into_iter()
                        .try_for_each(|request| request.serialize(&mut bytes))
                })
                .expect("writing to memory does not fail");
            Digest::of_bytes(&bytes)
        })
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.requests() == other.requests()
    }
}

impl Eq for Batch {}

impl Hash for Batch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.requests()).finish()
    }
}

impl Fold for Batch {
    fn fold(&self, into: &mut Folder) {
        self.requests().fold(into);
    }
}

impl BorshSerialize for Batch {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.requests.serialize(writer)
    }
}

impl BorshDeserialize for Batch {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self::new(Vec::deserialize_reader(reader)?))
    }
}

/// Proof that a batch prepared: the pre-prepare and q-1 matching prepares of different backups.
///
/// Departs from section 4.4, where the requests are left out: with them no replica can get stuck
/// in a view for want of a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct PreparedCertificate {
    /// The primary's assignment.
    pub pre_prepare: Signed<PrePrepare>,
    /// The batch assigned.
    pub batch: Batch,
    /// The backups' votes.
    pub prepares: Vec<Signed<Prepare>>,
}

fold_struct!(PreparedCertificate {
    pre_prepare,
    batch,
    prepares
});

/// Proof that a checkpoint is stable: a quorum of equal votes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct CheckpointCertificate {
    /// The epoch whose replicas vote.
    pub epoch: Epoch,
    /// The last batch that the state reflects.
    pub sequence: Sequence,
    /// The digest of the state.
    pub digest: Digest,
    /// The votes.
    pub votes: Vec<Signed<Checkpoint>>,
}

fold_struct!(CheckpointCertificate {
    epoch,
    sequence,
    digest,
    votes
});

/// Proof that a batch committed: a quorum of matching commits. It convinces in every view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct CommitCertificate {
    /// The batch that committed.
    pub batch: Batch,
    /// The votes.
    pub commits: Vec<Signed<Commit>>,
}

fold_struct!(CommitCertificate { batch, commits });

/// A stable checkpoint's state with its proof. Not signed: whoever sends it cannot change it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct StateReply {
    /// How the roster changed since the epoch that the asker knows, oldest first.
    pub links: Vec<EpochLink>,
    /// The proof; absent where rosters alone were asked for.
    pub state: Option<(CheckpointCertificate, Snapshot)>,
}

impl Fold for StateReply {
    fn fold(&self, into: &mut Folder) {
        let Self { links, state } = self;
        links.fold(into);
        state.fold(into);
    }
}

/// What PBFT peers send each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum PbftMessage {
    /// Client to primary, or to all replicas: do this.
    Request {
        /// What to do.
        request: Signed<Request>,
    },
    /// Backup to primary: a client asked me.
    Forward {
        /// What the client asked.
        request: Signed<Request>,
    },
    /// Primary to backups: this batch has this place.
    PrePrepare {
        /// The assignment.
        pre_prepare: Signed<PrePrepare>,
        /// The batch assigned; it travels beside what is signed.
        batch: Batch,
    },
    /// Backup to all: I accepted the assignment.
    Prepare {
        /// The vote.
        prepare: Signed<Prepare>,
    },
    /// Replica to all: I hold a prepared certificate.
    Commit {
        /// The vote.
        commit: Signed<Commit>,
    },
    /// Replica to client: the result.
    Reply {
        /// The result.
        reply: Signed<Reply>,
    },
    /// Replica to all: my state after this batch has this digest.
    Checkpoint {
        /// The vote.
        checkpoint: Signed<Checkpoint>,
    },
    /// Replica to all: I want this view, and this is what I know.
    ViewChange {
        /// The wish.
        view_change: Signed<ViewChange>,
    },
    /// New primary to all: this view begins so.
    NewView {
        /// The proof.
        new_view: Signed<NewView>,
    },
    /// Replica to all: I am stuck here.
    Status {
        /// What it has.
        status: Signed<Status>,
    },
    /// Replica to stuck replica: this batch committed.
    CommitProof {
        /// The proof.
        certificate: Box<CommitCertificate>,
    },
    /// Replica to replica: this checkpoint is stable.
    CheckpointProof {
        /// The proof.
        certificate: Box<CheckpointCertificate>,
    },
    /// To a replica: give me the state, or the roster.
    StateRequest {
        /// The wish.
        request: Signed<StateRequest>,
    },
    /// Replica to whoever asked: the state, or the roster.
    StateReply {
        /// The state with its proof.
        reply: Box<StateReply>,
    },
}

fold_enum!(PbftMessage {
    0 = Request { request },
    1 = Forward { request },
    2 = PrePrepare { pre_prepare, batch },
    3 = Prepare { prepare },
    4 = Commit { commit },
    5 = Reply { reply },
    6 = Checkpoint { checkpoint },
    7 = ViewChange { view_change },
    8 = NewView { new_view },
    9 = Status { status },
    10 = CommitProof { certificate },
    11 = CheckpointProof { certificate },
    12 = StateRequest { request },
    13 = StateReply { reply },
});

impl Message for PbftMessage {
    const KINDS: &'static [&'static str] = &[
        "request",
        "forward",
        "pre-prepare",
        "prepare",
        "commit",
        "reply",
        "checkpoint",
        "view-change",
        "new-view",
        "status",
        "commit-proof",
        "checkpoint-proof",
        "state-request",
        "state-reply",
    ];

    fn kind(&self) -> usize {
        match self {
            Self::Request { .. } => 0,
            Self::Forward { .. } => 1,
            Self::PrePrepare { .. } => 2,
            Self::Prepare { .. } => 3,
            Self::Commit { .. } => 4,
            Self::Reply { .. } => 5,
            Self::Checkpoint { .. } => 6,
            Self::ViewChange { .. } => 7,
            Self::NewView { .. } => 8,
            Self::Status { .. } => 9,
            Self::CommitProof { .. } => 10,
            Self::CheckpointProof { .. } => 11,
            Self::StateRequest { .. } => 12,
            Self::StateReply { .. } => 13,
        }
    }
}
