//! What servers and clients report: enough to judge every safety property from events alone. Must
//! not feed back.

use super::command::Shared;
use super::configuration::Configuration;
use crate::event::Event;
use crate::fold_enum;
use crate::peer::PeerId;

/// A fact about one Raft peer. Digests are of an entry's canonical content, its term included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RaftEvent {
    /// It follows in this term, and whom if known.
    BecameFollower {
        /// The term.
        term: u64,
        /// The leader, if known.
        leader: Option<PeerId>,
    },
    /// It asks whether it could win the next term.
    BecamePreCandidate {
        /// The term it is in.
        term: u64,
    },
    /// It stands for election.
    BecameCandidate {
        /// The term.
        term: u64,
    },
    /// It leads.
    LeaderElected {
        /// The term.
        term: u64,
    },
    /// It gave its vote, and that is on disk.
    Voted {
        /// In this term.
        term: u64,
        /// To this candidate.
        candidate: PeerId,
    },
    /// An entry stands in its log, in memory.
    Appended {
        /// Where.
        index: u64,
        /// The entry's term.
        term: u64,
        /// The entry's digest.
        digest: u64,
    },
    /// Its log ends before `from` now.
    Truncated {
        /// The first index that went.
        from: u64,
    },
    /// Its log is on disk up to here.
    Durable {
        /// The last durable index.
        index: u64,
    },
    /// It knows `first..=index` to be committed.
    Committed {
        /// The first that was not known before.
        first: u64,
        /// The last.
        index: u64,
        /// The last one's term.
        term: u64,
        /// The last one's digest.
        digest: u64,
    },
    /// It applied a command to its store.
    Applied {
        /// The command's index.
        index: u64,
        /// The client's session, 0 for none.
        client: u64,
        /// The command's serial.
        serial: u64,
        /// Whether it ran now; false if it had run before or its session is gone.
        fresh: bool,
        /// The entry's digest.
        digest: u64,
        /// The hash of the store afterwards.
        state: u64,
    },
    /// It took a snapshot.
    SnapshotTaken {
        /// Of everything up to here.
        index: u64,
        /// That entry's term.
        term: u64,
        /// The hash of the store in it.
        state: u64,
    },
    /// It took over a leader's snapshot.
    SnapshotInstalled {
        /// Of everything up to here.
        index: u64,
        /// That entry's term.
        term: u64,
        /// The hash of the store in it.
        state: u64,
        /// The last index of the log now: `index`, or more if entries behind it were kept.
        last: u64,
    },
    /// A configuration is in force here.
    ConfigurationChanged {
        /// The entry that brought it, 0 for the initial one.
        index: u64,
        /// The configuration.
        configuration: Shared<Configuration>,
    },
    /// A membership change was given up: the new voter did not catch up.
    ChangeAborted {
        /// The leader's term.
        term: u64,
    },
    /// It hands leadership over.
    TransferStarted {
        /// To whom.
        to: PeerId,
    },
    /// It keeps leadership after all.
    TransferAborted {
        /// Who did not take it.
        to: PeerId,
    },
    /// As leader it heard no quorum for an election timeout.
    QuorumLost {
        /// Its term.
        term: u64,
    },
    /// It answered a read from its store.
    ReadServed {
        /// The state read includes everything up to here.
        index: u64,
        /// The client's session.
        client: u64,
        /// The read's serial.
        serial: u64,
    },
    /// It told a client that a command was carried out.
    Acknowledged {
        /// The client's session, 0 for none.
        client: u64,
        /// The command's serial.
        serial: u64,
        /// The applied index that includes it.
        index: u64,
    },
    /// It began again after a crash with this; an `Appended` follows for every entry it still has.
    Recovered {
        /// Its term.
        term: u64,
        /// Its vote in that term.
        vote: Option<PeerId>,
        /// What its snapshot covers, 0 without one.
        snapshot: u64,
        /// Its last index.
        last: u64,
    },
    /// It found damage on its disk and will not vote until repaired.
    DamagedLog {
        /// The first index lost.
        from: u64,
        /// What it had promised up to; `u64::MAX` if that is lost too.
        upto: u64,
    },
    /// Its log agrees with a leader's again as far as it had promised.
    Repaired {
        /// How far.
        upto: u64,
    },
    /// It refused an input.
    Rejected {
        /// Why.
        reason: &'static str,
    },
}
fold_enum!(RaftEvent {
    0 = BecameFollower { term, leader },
    1 = BecamePreCandidate { term },
    2 = BecameCandidate { term },
    3 = LeaderElected { term },
    4 = Voted { term, candidate },
    5 = Appended { index, term, digest },
    6 = Truncated { from },
    7 = Durable { index },
    8 = Committed { first, index, term, digest },
    9 = Applied { index, client, serial, fresh, digest, state },
    10 = SnapshotTaken { index, term, state },
    11 = SnapshotInstalled { index, term, state, last },
    12 = ConfigurationChanged { index, configuration },
    13 = ChangeAborted { term },
    14 = TransferStarted { to },
    15 = TransferAborted { to },
    16 = QuorumLost { term },
    17 = ReadServed { index, client, serial },
    18 = Acknowledged { client, serial, index },
    19 = Recovered { term, vote, snapshot, last },
    20 = DamagedLog { from, upto },
    21 = Repaired { upto },
    22 = Rejected { reason },
});

impl Event for RaftEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::BecameFollower { .. } => "became-follower",
            Self::BecamePreCandidate { .. } => "became-pre-candidate",
            Self::BecameCandidate { .. } => "became-candidate",
            Self::LeaderElected { .. } => "leader-elected",
            Self::Voted { .. } => "voted",
            Self::Appended { .. } => "appended",
            Self::Truncated { .. } => "truncated",
            Self::Durable { .. } => "durable",
            Self::Committed { .. } => "committed",
            Self::Applied { .. } => "applied",
            Self::SnapshotTaken { .. } => "snapshot-taken",
            Self::SnapshotInstalled { .. } => "snapshot-installed",
            Self::ConfigurationChanged { .. } => "configuration-changed",
            Self::ChangeAborted { .. } => "change-aborted",
            Self::TransferStarted { .. } => "transfer-started",
            Self::TransferAborted { .. } => "transfer-aborted",
            Self::QuorumLost { .. } => "quorum-lost",
            Self::ReadServed { .. } => "read-served",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Recovered { .. } => "recovered",
            Self::DamagedLog { .. } => "damaged-log",
            Self::Repaired { .. } => "repaired",
            Self::Rejected { .. } => "rejected",
        }
    }

    fn rejected(&self) -> Option<&'static str> {
        if let Self::Rejected { reason } = self {
            Some(reason)
        } else {
            None
        }
    }
}
