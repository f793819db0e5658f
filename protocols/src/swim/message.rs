//! What SWIM members say to each other, and the signed records that they pass on.
//!
//! Pings, acks and their like are small and unsigned; whatever changes somebody's view of a member
//! is a signed [`Update`], relayed as the one handle it came in, so that it is verified once.
//!
//! ```text
//!   Alive   key 32 · address 4 · nickname 4+len · incarnation 8 · leaving 1   + signer 32 + signature 64
//!   Claim   kind 1 · subject (a signed Alive)                                 + signer 32 + signature 64
//! ```

use std::fmt;
use std::io;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};
use crate::identity::PublicKey;
use crate::peer::PeerId;
use crate::protocol::Message;
use crate::signed::{Signable, Signed};
use crate::{fold_enum, fold_struct};

/// How often a member has spoken up anew: generation in the upper half, refutations in the lower.
///
/// A new generation begins with each start, restart and rejoin; within one, each refutation counts
/// one up. Ordered as one number, so a carry from a full lower half is a new generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Incarnation(pub u64);

impl Incarnation {
    /// The incarnation of a member that never ran before.
    pub const FIRST: Self = Self(1 << 32);

    /// How often the member has started, restarted or rejoined.
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The next incarnation, or `None` at the end of all numbers.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }

    /// The first incarnation of the next generation, or `None` at the end of all numbers.
    pub const fn next_generation(self) -> Option<Self> {
        match self.generation().checked_add(1) {
            Some(generation) => Some(Self((generation as u64) << 32)),
            None => None,
        }
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation(), self.0 as u32)
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Fold for Incarnation {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.0);
    }
}

/// A member's name for people; nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nickname(pub Arc<str>);

impl BorshSerialize for Nickname {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.as_ref().serialize(writer)
    }
}

impl BorshDeserialize for Nickname {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        String::deserialize_reader(reader).map(|name| Self(name.into()))
    }
}

impl Fold for Nickname {
    fn fold(&self, into: &mut Folder) {
        self.0.fold(into);
    }
}

/// A member's word about itself. Believed only if it is signed with [`key`](Self::key).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Alive {
    /// Whose record it is; the member's identity is the hash of it.
    pub key: PublicKey,
    /// Where the member is reached.
    pub address: PeerId,
    /// What people call it.
    pub nickname: Nickname,
    /// Which of the member's records it is; higher replaces lower.
    pub incarnation: Incarnation,
    /// Whether the member says farewell; at equal incarnation that is the last word.
    pub leaving: bool,
}

fold_struct!(Alive {
    key,
    address,
    nickname,
    incarnation,
    leaving
});

impl Signable for Alive {
    const DOMAIN: &'static str = "fedsim/swim/v1/alive";
}

/// What somebody says of another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum ClaimKind {
    /// It did not answer; it may refute that.
    Suspect,
    /// It did not refute in time (Confirm in SWIM).
    Dead,
}

fold_enum!(ClaimKind { 0 = Suspect {}, 1 = Dead {} });

/// One member's word about another. Believed only if its signer is a member, and only together
/// with the subject's own record, so nobody is accused at an incarnation he never had.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Claim {
    /// What is claimed.
    pub kind: ClaimKind,
    /// Of whom, and at which incarnation: the subject's own words.
    pub subject: Signed<Alive>,
}

fold_struct!(Claim { kind, subject });

impl Signable for Claim {
    const DOMAIN: &'static str = "fedsim/swim/v1/claim";
}

/// One piece of news about one member.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Update {
    /// By the member itself.
    Alive(Signed<Alive>),
    /// By another.
    Claim(Signed<Claim>),
}

impl Fold for Update {
    fn fold(&self, into: &mut Folder) {
        match self {
            Self::Alive(record) => {
                into.u64(0);
                record.fold(into);
            }
            Self::Claim(claim) => {
                into.u64(1);
                claim.fold(into);
            }
        }
    }
}

impl Update {
    /// The subject's own record inside.
    pub fn record(&self) -> &Signed<Alive> {
        match self {
            Self::Alive(record) => record,
            Self::Claim(claim) => &claim.subject,
        }
    }

    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Alive(record) => record_len(record),
            Self::Claim(claim) => 1 + record_len(&claim.subject) + SEAL,
        }
    }
}

/// Bytes of a signer and a signature.
const SEAL: usize = 32 + 64;

fn record_len(record: &Signed<Alive>) -> usize {
    32 + 4 + (4 + record.nickname.0.len()) + 8 + 1 + SEAL
}

fn updates_len(updates: &[Update]) -> usize {
    4 + updates.iter().map(Update::encoded_len).sum::<usize>()
}

/// What travels between SWIM members.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum SwimMessage {
    /// Are you there?
    Ping {
        /// Names the probe, so that a late ack never counts for a newer one.
        sequence: u32,
        /// Who is asked; whoever else sits at the address keeps silent.
        target: PublicKey,
        /// News on the way.
        updates: Box<[Update]>,
    },
    /// Ping that member for me.
    PingRequest {
        /// Names the asker's probe.
        sequence: u32,
        /// Whom to ping.
        target: PublicKey,
        /// Where it is.
        address: PeerId,
        /// Whether to say so if the member stays silent (Lifeguard).
        wants_nack: bool,
        /// News on the way.
        updates: Box<[Update]>,
    },
    /// The probed member answers, itself or through a proxy.
    Ack {
        /// The probe that is answered.
        sequence: u32,
        /// News on the way.
        updates: Box<[Update]>,
    },
    /// A proxy is there, but the member it was to ping is silent (Lifeguard).
    Nack {
        /// The probe that is answered.
        sequence: u32,
        /// News on the way.
        updates: Box<[Update]>,
    },
    /// News alone.
    Gossip {
        /// The news.
        updates: Box<[Update]>,
    },
    /// All I know; tell me all you know.
    PushPullRequest {
        /// All that the sender knows.
        state: Box<[Update]>,
    },
    /// All I know, for you asked.
    PushPullReply {
        /// All that the sender knows.
        state: Box<[Update]>,
    },
    /// You are dead to me.
    DeadNotice {
        /// Who said so.
        claim: Signed<Claim>,
    },
}

fold_enum!(SwimMessage {
    0 = Ping { sequence, target, updates },
    1 = PingRequest { sequence, target, address, wants_nack, updates },
    2 = Ack { sequence, updates },
    3 = Nack { sequence, updates },
    4 = Gossip { updates },
    5 = PushPullRequest { state },
    6 = PushPullReply { state },
    7 = DeadNotice { claim },
});

impl Message for SwimMessage {
    const KINDS: &'static [&'static str] = &[
        "ping",
        "ping-request",
        "ack",
        "nack",
        "gossip",
        "push-pull-request",
        "push-pull-reply",
        "dead-notice",
    ];

    fn kind(&self) -> usize {
        match self {
            Self::Ping { .. } => 0,
            Self::PingRequest { .. } => 1,
            Self::Ack { .. } => 2,
            Self::Nack { .. } => 3,
            Self::Gossip { .. } => 4,
            Self::PushPullRequest { .. } => 5,
            Self::PushPullReply { .. } => 6,
            Self::DeadNotice { .. } => 7,
        }
    }

    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Ping { updates, .. } => 4 + 32 + updates_len(updates),
            Self::PingRequest { updates, .. } => 4 + 32 + 4 + 1 + updates_len(updates),
            Self::Ack { updates, .. } | Self::Nack { updates, .. } => 4 + updates_len(updates),
            Self::Gossip { updates } => updates_len(updates),
            Self::PushPullRequest { state } | Self::PushPullReply { state } => updates_len(state),
            Self::DeadNotice { claim } => 1 + record_len(&claim.subject) + SEAL,
        }
    }
}

/// What a member keeps on disk: nothing above this incarnation was ever announced.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct SwimRecord {
    /// The highest incarnation that may have been announced.
    pub incarnation: Incarnation,
}

fold_struct!(SwimRecord { incarnation });

/// What a user asks of a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SwimRequest {
    /// Say farewell and fall silent.
    Leave,
    /// Join, or join again after leaving, through these seeds.
    Join {
        /// Whom to ask.
        seeds: Vec<PeerId>,
    },
}

fold_enum!(SwimRequest { 0 = Leave {}, 1 = Join { seeds } });

/// What a member answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SwimReply {
    /// The farewell was sent out as often as it should be, or the leave timeout has passed.
    Left,
    /// A seed answered, or there was none to ask.
    Joined {
        /// Live members then known, oneself included.
        members: u32,
    },
    /// The request does not fit the member's stage, such as leaving twice.
    Refused,
}

fold_enum!(SwimReply { 0 = Left {}, 1 = Joined { members }, 2 = Refused {} });
