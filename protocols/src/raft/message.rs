//! What travels between the peers of a Raft cluster and its clients, what lies on their disks, and
//! what users ask. Must not know how any of it is answered.
//!
//! ```text
//! candidate ── request-vote / pre-vote ─▶ voter      ── vote-reply / pre-vote-reply ─▶ candidate
//! leader    ── append-entries / heartbeat ─▶ follower ── append-accepted / append-refused ─▶ leader
//! leader    ── install-snapshot ─▶ follower           ── snapshot-reply ─▶ leader
//! leader    ── timeout-now ─▶ follower
//! follower  ── read-index ─▶ leader                   ── read-index-reply ─▶ follower
//! client    ── register / request ─▶ server           ── registered / answer ─▶ client
//! ```

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize, io};

use super::command::{Command, Operation, Outcome, Shared};
use super::configuration::Configuration;
use super::store::StateMachine;
use crate::fold::{Fold, Folder};
use crate::peer::PeerId;
use crate::protocol::Message;
use crate::{fold_enum, fold_struct};

/// What one log entry says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum EntryKind {
    /// Nothing; what a leader begins its term with (paper 8).
    Noop,
    /// A client's command.
    Command {
        /// The command.
        command: Shared<Command>,
    },
    /// A client wants a session; its name will be this entry's index (dissertation 6.3).
    Register {
        /// The client's slot.
        owner: PeerId,
        /// Tells the client's attempts apart.
        nonce: u64,
    },
    /// A configuration, in force from the moment it stands in a log (paper 6).
    Configuration {
        /// The configuration.
        configuration: Shared<Configuration>,
    },
}
fold_enum!(EntryKind {
    0 = Noop {},
    1 = Command { command },
    2 = Register { owner, nonce },
    3 = Configuration { configuration },
});

/// One entry of the replicated log; its index is where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: u64,
    /// What it says.
    pub kind: EntryKind,
}
fold_struct!(Entry { term, kind });

/// A run of entries, one allocation for all receivers; none for a heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entries(Option<Arc<[Entry]>>);

impl Entries {
    /// The entries, oldest first.
    pub fn as_slice(&self) -> &[Entry] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let entries: Arc<[Entry]> = entries.into_iter().collect();
        Self((!entries.is_empty()).then_some(entries))
    }
}

impl Fold for Entries {
    fn fold(&self, into: &mut Folder) {
        self.as_slice().fold(into);
    }
}

impl BorshSerialize for Entries {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.as_slice().serialize(writer)
    }
}

impl BorshDeserialize for Entries {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Vec::<Entry>::deserialize_reader(reader).map(|entries| entries.into_iter().collect())
    }
}

/// A snapshot: everything up to `index` in place of the log (paper 7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Snapshot {
    /// The last entry it replaces.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// The configuration as of that entry.
    pub configuration: Shared<Configuration>,
    /// The store and the sessions as of that entry.
    pub machine: StateMachine,
}

/// One piece of a snapshot under way to a follower (paper figure 13).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Chunk {
    /// The leader's term.
    pub term: u64,
    /// The last entry that the snapshot replaces.
    pub index: u64,
    /// That entry's term.
    pub last_term: u64,
    /// Where in the snapshot's bytes this piece belongs.
    pub offset: u64,
    /// All bytes of the snapshot.
    pub total: u64,
    /// The leader's heartbeat round.
    pub round: u64,
    /// The piece.
    pub bytes: Vec<u8>,
}
fold_struct!(Chunk {
    term,
    index,
    last_term,
    offset,
    total,
    round,
    bytes
});

/// Which kind of vote a candidate asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum VoteKind {
    /// Would you vote for me? Changes nothing (dissertation 9.6).
    PreVote,
    /// Vote for me.
    Vote,
    /// Vote for me although you hear a leader: it sent me (dissertation 4.2.3).
    Transfer,
}
fold_enum!(VoteKind { 0 = PreVote {}, 1 = Vote {}, 2 = Transfer {} });

/// What a server tells a client about one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// It was carried out.
    Done {
        /// With this result.
        outcome: Outcome,
    },
    /// The session is gone, so whether it was carried out before cannot be known.
    Expired,
    /// Not by this server.
    NotLeader {
        /// Who may be.
        leader: Option<PeerId>,
    },
    /// Not now: a transfer is under way or too much is uncommitted.
    Busy,
}
fold_enum!(Answer {
    0 = Done { outcome },
    1 = Expired {},
    2 = NotLeader { leader },
    3 = Busy {},
});

/// What peers of a Raft cluster send.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum RaftMessage {
    /// Asks for a vote (paper figure 2).
    RequestVote {
        /// The candidate's term; for a pre-vote the one it would have.
        term: u64,
        /// Its last entry.
        last_index: u64,
        /// That entry's term.
        last_term: u64,
        /// Which vote.
        kind: VoteKind,
    },
    /// Gives or refuses a vote.
    VoteReply {
        /// The voter's term; for a pre-vote given, the one asked about.
        term: u64,
        /// Whether it answers a pre-vote.
        pre: bool,
        /// Whether it is given.
        granted: bool,
    },
    /// Brings entries and says that the leader lives (paper figure 2).
    Append {
        /// The leader's term.
        term: u64,
        /// The entry before the first.
        prev_index: u64,
        /// Its term.
        prev_term: u64,
        /// The leader's commit index.
        commit: u64,
        /// The leader's heartbeat round, given back in the answer.
        round: u64,
        /// The entries.
        entries: Entries,
    },
    /// The log equals the leader's up to `index`, on disk.
    AppendAccepted {
        /// The follower's term.
        term: u64,
        /// The round of the append that is answered.
        round: u64,
        /// How far.
        index: u64,
    },
    /// The entry before the first is not there.
    AppendRefused {
        /// The follower's term.
        term: u64,
        /// The round of the append that is answered.
        round: u64,
        /// The `prev_index` that was refused.
        prev_index: u64,
        /// The last entry that may agree (paper 5.3, by terms).
        hint_index: u64,
        /// Its term.
        hint_term: u64,
    },
    /// Brings a piece of a snapshot.
    InstallSnapshot {
        /// The piece.
        chunk: Box<Chunk>,
    },
    /// So much of the snapshot is here.
    SnapshotReply {
        /// The follower's term.
        term: u64,
        /// The round of the piece that is answered.
        round: u64,
        /// Which snapshot, by its last entry.
        index: u64,
        /// Bytes received without a gap.
        received: u64,
    },
    /// Stand for election at once (dissertation 3.10).
    TimeoutNow {
        /// The leader's term.
        term: u64,
    },
    /// A follower wants to read (dissertation 6.4).
    ReadIndex {
        /// The follower's term.
        term: u64,
        /// Names the request.
        ticket: u64,
    },
    /// A read is linearizable once `index` is applied.
    ReadIndexReply {
        /// The leader's term.
        term: u64,
        /// Which request.
        ticket: u64,
        /// The index.
        index: u64,
    },
    /// A client wants a session.
    Register {
        /// Tells its attempts apart.
        nonce: u64,
    },
    /// A client has a session.
    Registered {
        /// Which attempt.
        nonce: u64,
        /// The session.
        client: u64,
    },
    /// A client wants something done.
    Request {
        /// What.
        command: Shared<Command>,
    },
    /// What became of a client's request; a registration has serial 0.
    Answer {
        /// Which session's.
        client: u64,
        /// Which request.
        serial: u64,
        /// What became of it.
        answer: Answer,
    },
}
fold_enum!(RaftMessage {
    0 = RequestVote { term, last_index, last_term, kind },
    1 = VoteReply { term, pre, granted },
    2 = Append { term, prev_index, prev_term, commit, round, entries },
    3 = AppendAccepted { term, round, index },
    4 = AppendRefused { term, round, prev_index, hint_index, hint_term },
    5 = InstallSnapshot { chunk },
    6 = SnapshotReply { term, round, index, received },
    7 = TimeoutNow { term },
    8 = ReadIndex { term, ticket },
    9 = ReadIndexReply { term, ticket, index },
    10 = Register { nonce },
    11 = Registered { nonce, client },
    12 = Request { command },
    13 = Answer { client, serial, answer },
});

impl Message for RaftMessage {
    const KINDS: &'static [&'static str] = &[
        "request-vote",
        "pre-vote",
        "vote-reply",
        "pre-vote-reply",
        "append-entries",
        "heartbeat",
        "append-accepted",
        "append-refused",
        "install-snapshot",
        "snapshot-reply",
        "timeout-now",
        "read-index",
        "read-index-reply",
        "register",
        "registered",
        "request",
        "answer",
    ];

    fn kind(&self) -> usize {
        match self {
            Self::RequestVote { kind, .. } => match kind {
                VoteKind::Vote | VoteKind::Transfer => 0,
                VoteKind::PreVote => 1,
            },
            Self::VoteReply { pre, .. } => 2 + usize::from(*pre),
            Self::Append { entries, .. } => 4 + usize::from(entries.as_slice().is_empty()),
            Self::AppendAccepted { .. } => 6,
            Self::AppendRefused { .. } => 7,
            Self::InstallSnapshot { .. } => 8,
            Self::SnapshotReply { .. } => 9,
            Self::TimeoutNow { .. } => 10,
            Self::ReadIndex { .. } => 11,
            Self::ReadIndexReply { .. } => 12,
            Self::Register { .. } => 13,
            Self::Registered { .. } => 14,
            Self::Request { .. } => 15,
            Self::Answer { .. } => 16,
        }
    }
}

/// What a server must not forget beside its log (paper figure 2, persistent state).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct HardState {
    /// The latest term seen.
    pub term: u64,
    /// Who got this server's vote in that term.
    pub vote: Option<PeerId>,
    /// The last entry handed to the disk together with this state. A damaged record above it was
    /// never promised to anyone; one at or below it may have been.
    pub tail: u64,
    /// While not 0: the log was found damaged, and no vote is given until it agrees with a
    /// leader's up to here.
    pub repair: u64,
}

/// The slot of the [`HardState`].
pub const STATE_SLOT: u32 = 0;
/// The slot of the [`Snapshot`].
pub const SNAPSHOT_SLOT: u32 = 1;

/// What a server keeps on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum RaftRecord {
    /// A log entry, at its index.
    Entry {
        /// The entry.
        entry: Entry,
    },
    /// In [`STATE_SLOT`].
    State {
        /// The state.
        state: HardState,
    },
    /// In [`SNAPSHOT_SLOT`].
    Snapshot {
        /// The snapshot.
        snapshot: Shared<Snapshot>,
    },
}

/// The timers of servers and clients, by what they bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RaftTimer {
    /// No leader was heard: stand for election.
    Election,
    /// The leader says again that it lives.
    Heartbeat,
    /// The leader checks that a quorum still answers.
    CheckQuorum,
    /// Proposals have waited long enough for others.
    Batch,
    /// A leadership transfer took too long.
    Transfer,
    /// A client asks another server; serial 0 is its registration.
    Retry {
        /// Which of its requests.
        serial: u64,
    },
    /// A client gives up on an operation for which it had no session yet.
    GiveUp {
        /// Which of its requests.
        serial: u64,
    },
}
fold_enum!(RaftTimer {
    0 = Election {},
    1 = Heartbeat {},
    2 = CheckQuorum {},
    3 = Batch {},
    4 = Transfer {},
    5 = Retry { serial },
    6 = GiveUp { serial },
});

/// What a user asks of a client or an operator of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RaftRequest {
    /// Run an operation: through a client exactly once, or put to a server without a session.
    Operate {
        /// Which.
        operation: Operation,
    },
    /// Servers only: change who votes and learns.
    ChangeMembership {
        /// What it shall be.
        target: Box<Configuration>,
    },
    /// Servers only: hand leadership over.
    Transfer {
        /// To whom.
        to: PeerId,
    },
    /// Servers only: take a snapshot of all that is applied and compact the log.
    TakeSnapshot,
}
fold_enum!(RaftRequest {
    0 = Operate { operation },
    1 = ChangeMembership { target },
    2 = Transfer { to },
    3 = TakeSnapshot {},
});

/// What came of a [`RaftRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RaftReply {
    /// It was carried out.
    Ok {
        /// With this result.
        outcome: Outcome,
    },
    /// It was not carried out and never will be.
    Fail {
        /// Why not.
        reason: &'static str,
    },
    /// It may have been carried out, or be so later.
    Unknown {
        /// Why that is not known.
        reason: &'static str,
    },
}
fold_enum!(RaftReply {
    0 = Ok { outcome },
    1 = Fail { reason },
    2 = Unknown { reason },
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fits_inline_in_a_queue() {
        // Above 64 bytes the engine would copy or box every unicast message.
        assert!(size_of::<RaftMessage>() <= 64);
    }

    #[test]
    fn a_message_survives_the_wire() {
        // Reading back what was written gives the same value, shared parts included.
        let command = Shared::new(Command {
            client: 7,
            serial: 1,
            answered_below: 1,
            operation: Operation::CompareAndSwap {
                key: 3,
                expected: "a".into(),
                value: "b".into(),
            },
        });
        let message = RaftMessage::Append {
            term: 2,
            prev_index: 1,
            prev_term: 1,
            commit: 1,
            round: 9,
            entries: [EntryKind::Noop, EntryKind::Command { command }]
                .map(|kind| Entry { term: 2, kind })
                .into_iter()
                .collect(),
        };
        let bytes = borsh::to_vec(&message).unwrap();
        assert_eq!(bytes.len(), message.encoded_len());
        assert_eq!(RaftMessage::try_from_slice(&bytes).unwrap(), message);
        assert_eq!(RaftMessage::KINDS[message.kind()], "append-entries");
    }
}
