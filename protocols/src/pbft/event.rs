//! What PBFT reports: the facts that checkers, triggers and tables are made of.

use crate::event::Event;
use crate::fold::{Fold, Folder};
use crate::peer::PeerId;
use crate::signed::Signed;
use crate::{fold_enum, fold_struct};

use super::message::Request;

use super::numbers::{Digest, Epoch, ReplicaId, Sequence, Timestamp, View};

/// Why an input was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The signature is wrong.
    BadSignature,
    /// The signer is not the member that the content names, or no member at all.
    NotAMember,
    /// Signed for another epoch.
    WrongEpoch,
    /// For a view that is over.
    OldView,
    /// Not signed by the primary of its view.
    NotThePrimary,
    /// The sequence number lies outside the watermarks.
    OutsideWindow,
    /// The batch does not have the digest named.
    DigestMismatch,
    /// Another digest was accepted for this view and sequence number.
    ConflictingPrePrepare,
    /// The member voted before, or voted otherwise.
    DuplicateVote,
    /// The primary of the view does not prepare.
    PrimaryPrepare,
    /// The client is not on the roster.
    UnknownClient,
    /// The request, or a later one of the client, was executed before.
    OldTimestamp,
    /// The checkpoint proof of a view-change does not prove it.
    BadCheckpointProof,
    /// A prepared certificate of a view-change does not prove it.
    BadPreparedCertificate,
    /// The view-changes of a new-view are too few, repeated or invalid.
    BadViewChangeSet,
    /// The pre-prepares of a new-view do not follow from its view-changes.
    BadNewView,
    /// A commit proof does not prove anything.
    BadCommitProof,
    /// A transferred state or roster does not have the digest proved.
    BadState,
    /// A reply to nothing asked.
    UnexpectedReply,
    /// A message that this role has no use for.
    NotForMe,
    /// A record on disk cannot be read.
    DamagedRecord,
}

impl Reason {
    /// The reason in lower case with dashes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::NotAMember => "not-a-member",
            Self::WrongEpoch => "wrong-epoch",
            Self::OldView => "old-view",
            Self::NotThePrimary => "not-the-primary",
            Self::OutsideWindow => "outside-window",
            Self::DigestMismatch => "digest-mismatch",
            Self::ConflictingPrePrepare => "conflicting-pre-prepare",
            Self::DuplicateVote => "duplicate-vote",
            Self::PrimaryPrepare => "primary-prepare",
            Self::UnknownClient => "unknown-client",
            Self::OldTimestamp => "old-timestamp",
            Self::BadCheckpointProof => "bad-checkpoint-proof",
            Self::BadPreparedCertificate => "bad-prepared-certificate",
            Self::BadViewChangeSet => "bad-view-change-set",
            Self::BadNewView => "bad-new-view",
            Self::BadCommitProof => "bad-commit-proof",
            Self::BadState => "bad-state",
            Self::UnexpectedReply => "unexpected-reply",
            Self::NotForMe => "not-for-me",
            Self::DamagedRecord => "damaged-record",
        }
    }
}

impl Fold for Reason {
    fn fold(&self, into: &mut Folder) {
        self.name().fold(into);
    }
}

/// One place in the order as one replica sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placement {
    /// The roster's epoch.
    pub epoch: Epoch,
    /// The view in which it was agreed.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// The batch's digest.
    pub digest: Digest,
}

fold_struct!(Placement {
    epoch,
    view,
    sequence,
    digest
});

/// One request's execution at one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Execution {
    /// The batch that it was part of.
    pub placement: Placement,
    /// Whose request.
    pub client: PeerId,
    /// Which of the client's requests.
    pub timestamp: Timestamp,
    /// The fold of the request's content.
    pub request: u64,
    /// The fold of the result.
    pub outcome: u64,
    /// The fingerprint of the registers afterwards.
    pub state: u64,
}

fold_struct!(Execution {
    placement,
    client,
    timestamp,
    request,
    outcome,
    state
});

/// The request behind an execution, for whoever wants to know what was asked.
///
/// It adds nothing to the fold of an event: the execution beside it holds the request's own fold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Executed(pub Signed<Request>);

impl Fold for Executed {
    fn fold(&self, _: &mut Folder) {}
}

/// The sizes of everything a replica keeps that messages can make grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreSizes {
    /// Places in the log; at most L.
    pub log: usize,
    /// Votes in the log, those in certificates included; at most 4 n L.
    pub votes: usize,
    /// Checkpoint votes; at most n (L/K + 1).
    pub checkpoint_votes: usize,
    /// View-changes; at most n.
    pub view_changes: usize,
    /// Messages kept for a later view or window; at most 3 n L.
    pub future: usize,
    /// Cached replies; at most one a client.
    pub replies: usize,
    /// Requests waiting for execution; at most one a client.
    pub waiting: usize,
    /// Snapshots; at most L/K + 2.
    pub snapshots: usize,
}

fold_struct!(StoreSizes {
    log,
    votes,
    checkpoint_votes,
    view_changes,
    future,
    replies,
    waiting,
    snapshots
});

/// What PBFT reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PbftEvent {
    /// A pre-prepare was sent or accepted.
    PrePrepared {
        /// Of which batch.
        placement: Placement,
        /// How many requests it holds.
        requests: u64,
    },
    /// A prepared certificate is complete.
    Prepared {
        /// Of which batch.
        placement: Placement,
        /// How many backups voted for it.
        votes: u64,
    },
    /// A quorum has committed.
    CommittedLocal {
        /// Which batch.
        placement: Placement,
        /// How many replicas voted for it.
        votes: u64,
    },
    /// A request was executed for good.
    Executed {
        /// How.
        execution: Execution,
        /// What.
        request: Executed,
    },
    /// A request was executed before its batch committed.
    ExecutedTentatively {
        /// How.
        execution: Execution,
    },
    /// A tentative execution was undone.
    RolledBack {
        /// The batch whose execution was undone.
        sequence: Sequence,
    },
    /// A whole batch was executed, duplicates left out.
    BatchExecuted {
        /// Which batch.
        placement: Placement,
    },
    /// A read-only request was answered from the current state.
    ReadOnlyAnswered {
        /// Whose request.
        client: PeerId,
        /// Which of the client's requests.
        timestamp: Timestamp,
        /// The last batch that the state reflects.
        sequence: Sequence,
    },
    /// The replica voted for its own state.
    CheckpointTaken {
        /// The roster's epoch.
        epoch: Epoch,
        /// The last batch that the state reflects.
        sequence: Sequence,
        /// The digest of the state.
        digest: Digest,
    },
    /// A quorum vouches for a state that the replica holds.
    CheckpointStable {
        /// The roster's epoch.
        epoch: Epoch,
        /// The last batch that the state reflects; the low watermark from now on.
        sequence: Sequence,
        /// The digest of the state.
        digest: Digest,
        /// How many replicas voted for it.
        votes: u64,
        /// What the replica kept until now.
        sizes: StoreSizes,
    },
    /// The replica gave up on a primary.
    ViewChangeStarted {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view that it wants.
        view: View,
        /// Why.
        cause: ViewChangeCause,
    },
    /// The replica is the primary: of the epoch's first view, or having made a new-view.
    PrimaryElected {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view that begins.
        view: View,
        /// The primary's number.
        primary: ReplicaId,
    },
    /// The replica entered a view, as primary or as backup.
    NewViewEntered {
        /// The roster's epoch.
        epoch: Epoch,
        /// The view.
        view: View,
        /// Its primary.
        primary: ReplicaId,
        /// How many pre-prepares it began with.
        reissued: u64,
    },
    /// The replica adopted another replica's state.
    StateTransferred {
        /// The last batch that its own state reflected.
        from: Sequence,
        /// The last batch that the adopted state reflects.
        sequence: Sequence,
        /// The digest of the adopted state.
        digest: Digest,
    },
    /// A new roster is in force.
    Reconfigured {
        /// Its epoch.
        epoch: Epoch,
        /// The checkpoint at which it took over.
        sequence: Sequence,
        /// How many replicas it has.
        replicas: u64,
    },
    /// A client sent a request for the first time.
    Requested {
        /// The client.
        client: PeerId,
        /// Which of its requests.
        timestamp: Timestamp,
        /// The fold of the request's content.
        request: u64,
    },
    /// A client sent a request to all replicas again.
    Retransmitted {
        /// The client.
        client: PeerId,
        /// Which of its requests.
        timestamp: Timestamp,
    },
    /// A client accepted a result.
    ReplyAccepted {
        /// The client.
        client: PeerId,
        /// Which of its requests.
        timestamp: Timestamp,
        /// The fold of the result.
        outcome: u64,
        /// How many replicas vouched for it.
        votes: u64,
        /// Whether any of them had only prepared it.
        tentative: bool,
        /// Whether it was answered unordered.
        read_only: bool,
    },
    /// An input was refused.
    Rejected {
        /// Why.
        reason: Reason,
    },
}

fold_enum!(PbftEvent {
    0 = PrePrepared {
        placement,
        requests
    },
    1 = Prepared { placement, votes },
    2 = CommittedLocal { placement, votes },
    3 = Executed { execution, request },
    4 = ExecutedTentatively { execution },
    5 = RolledBack { sequence },
    6 = BatchExecuted { placement },
    7 = ReadOnlyAnswered {
        client,
        timestamp,
        sequence
    },
    8 = CheckpointTaken {
        epoch,
        sequence,
        digest
    },
    9 = CheckpointStable {
        epoch,
        sequence,
        digest,
        votes,
        sizes
    },
    10 = ViewChangeStarted { epoch, view, cause },
    11 = PrimaryElected {
        epoch,
        view,
        primary
    },
    12 = NewViewEntered {
        epoch,
        view,
        primary,
        reissued
    },
    13 = StateTransferred {
        from,
        sequence,
        digest
    },
    14 = Reconfigured {
        epoch,
        sequence,
        replicas
    },
    15 = Requested {
        client,
        timestamp,
        request
    },
    16 = Retransmitted { client, timestamp },
    17 = ReplyAccepted {
        client,
        timestamp,
        outcome,
        votes,
        tentative,
        read_only
    },
    18 = Rejected { reason },
});

/// What made a replica ask for another view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewChangeCause {
    /// A request was not executed in time.
    RequestTimeout,
    /// The view asked for did not begin in time.
    NewViewTimeout,
    /// f+1 others asked for later views.
    Joined,
    /// The primary was slower than its predecessors.
    SlowPrimary,
}

impl Fold for ViewChangeCause {
    fn fold(&self, into: &mut Folder) {
        into.u64(match self {
            Self::RequestTimeout => 0,
            Self::NewViewTimeout => 1,
            Self::Joined => 2,
            Self::SlowPrimary => 3,
        });
    }
}

impl Event for PbftEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::PrePrepared { .. } => "pre-prepared",
            Self::Prepared { .. } => "prepared",
            Self::CommittedLocal { .. } => "committed-local",
            Self::Executed { .. } => "executed",
            Self::ExecutedTentatively { .. } => "executed-tentatively",
            Self::RolledBack { .. } => "rolled-back",
            Self::BatchExecuted { .. } => "batch-executed",
            Self::ReadOnlyAnswered { .. } => "read-only-answered",
            Self::CheckpointTaken { .. } => "checkpoint-taken",
            Self::CheckpointStable { .. } => "checkpoint-stable",
            Self::ViewChangeStarted { .. } => "view-change-started",
            Self::PrimaryElected { .. } => "primary-elected",
            Self::NewViewEntered { .. } => "new-view-entered",
            Self::StateTransferred { .. } => "state-transferred",
            Self::Reconfigured { .. } => "reconfigured",
            Self::Requested { .. } => "requested",
            Self::Retransmitted { .. } => "retransmitted",
            Self::ReplyAccepted { .. } => "reply-accepted",
            Self::Rejected { .. } => "rejected",
        }
    }

    fn rejected(&self) -> Option<&'static str> {
        if let Self::Rejected { reason } = self {
            return Some(reason.name());
        }
        None
    }
}
