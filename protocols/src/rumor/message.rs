//! What peers say to each other about rumors.
//!
//! ```text
//!   caller                        called
//!     │ ── push(copy) ──────────────▶ │   push, push-pull: one for each hot rumor
//!     │ ◀──────── feedback(push) ──── │   needed or not, only if it matters to the caller
//!     │ ── pull-request ────────────▶ │   pull, push-pull
//!     │ ◀──────── pull-answer(copy) ─ │   one for each hot rumor
//!     │ ── feedback(answer) ────────▶ │   needed or not, only if it matters
//!
//!   anti-entropy
//!     │ ── digest(all I know) ──────▶ │
//!     │ ◀──────────── repair(copy) ── │   what is not in the digest
//!     │ ◀──────────── wanted(ids) ─── │   what only the digest has
//!     │ ── repair(copy) ────────────▶ │
//! ```
//!
//! One copy a message, so that a counter of messages is Demers' count of updates sent.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::peer::PeerId;
use crate::protocol::Message;
use crate::{fold_enum, fold_struct};

/// Names one rumor: who started it, and which of its own it was.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct RumorId {
    /// The peer at which it was started.
    pub origin: PeerId,
    /// How many rumors that peer started before; survives restarts.
    pub sequence: u32,
}

fold_struct!(RumorId { origin, sequence });

impl fmt::Display for RumorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.origin, self.sequence)
    }
}

/// One copy of a rumor on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct RumorCopy {
    /// Which rumor.
    pub rumor: RumorId,
    /// What it says.
    pub payload: u64,
    /// Bytes that its body would add on the wire.
    pub size: u32,
    /// Rounds since it was started, counted by those who passed it on; 1 in the first.
    pub age: u32,
    /// How many times it was passed on, this time included.
    pub hops: u32,
    /// The phase in which the sender spreads it, from 1; 0 where none are counted.
    pub phase: u32,
}

fold_struct!(RumorCopy {
    rumor,
    payload,
    size,
    age,
    hops,
    phase,
});

/// How a copy was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Contact {
    /// By a push.
    Push,
    /// By an answer to a pull request.
    Answer,
}

fold_enum!(Contact {
    0 = Push {},
    1 = Answer {},
});

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum RumorMessage {
    /// A caller gives a rumor.
    Push {
        /// The rumor.
        copy: RumorCopy,
    },
    /// A caller asks for all that the other still spreads.
    PullRequest,
    /// A called peer gives a rumor.
    PullAnswer {
        /// The rumor.
        copy: RumorCopy,
    },
    /// Tells the giver of a copy whether it was of use.
    Feedback {
        /// Which rumor.
        rumor: RumorId,
        /// How it had been given.
        contact: Contact,
        /// Whether it was new to the receiver.
        needed: bool,
    },
    /// Everything the sender knows, in ascending order.
    Digest {
        /// The rumors.
        known: Box<[RumorId]>,
    },
    /// What the sender found missing by a digest.
    Wanted {
        /// The rumors.
        missing: Box<[RumorId]>,
    },
    /// A rumor that the receiver of a digest or a wish was found to have and the other not.
    Repair {
        /// The rumor.
        copy: RumorCopy,
    },
}

fold_enum!(RumorMessage {
    0 = Push { copy },
    1 = PullRequest {},
    2 = PullAnswer { copy },
    3 = Feedback { rumor, contact, needed },
    4 = Digest { known },
    5 = Wanted { missing },
    6 = Repair { copy },
});

impl Message for RumorMessage {
    const KINDS: &'static [&'static str] = &[
        "push",
        "pull-request",
        "pull-answer",
        "feedback",
        "digest",
        "wanted",
        "repair",
    ];

    fn kind(&self) -> usize {
        match self {
            Self::Push { .. } => 0,
            Self::PullRequest => 1,
            Self::PullAnswer { .. } => 2,
            Self::Feedback { .. } => 3,
            Self::Digest { .. } => 4,
            Self::Wanted { .. } => 5,
            Self::Repair { .. } => 6,
        }
    }

    /// The encoding, and the body that a copy stands for.
    fn encoded_len(&self) -> usize {
        let body = match self {
            Self::Push { copy } | Self::PullAnswer { copy } | Self::Repair { copy } => copy.size,
            Self::PullRequest
            | Self::Feedback { .. }
            | Self::Digest { .. }
            | Self::Wanted { .. } => 0,
        };
        borsh::object_length(self).expect("counting bytes does not fail") + body as usize
    }
}
