//! What is written down, and the signed statements about it.
//!
//! Must not know who checks.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::head::{Acknowledgement, Head};
use crate::federation::terms::{ActionId, ActionKind, Budget, Capability, Digest, Level};
use crate::fold::{Fold, Folder};
use crate::identity::{Identity, PublicKey};
use crate::signed::{Signable, Signed};
use crate::time::LocalTime;
use crate::{fold_enum, fold_struct};

/// One record of a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// Its number in the log, from 1.
    pub number: u64,
    /// The hash of the record before it; zeros before the first.
    pub previous: Digest,
    /// What its maker's clock said.
    pub at: LocalTime,
    /// What happened.
    pub entry: Entry,
}

impl Fold for Record {
    /// Leaves the hash out, which depends on signatures; what it is of is folded with that record.
    fn fold(&self, into: &mut Folder) {
        into.u64(self.number);
        self.at.fold(into);
        self.entry.fold(into);
    }
}

impl Record {
    /// The hash of the record's canonical bytes.
    pub fn hash(&self) -> Digest {
        Digest::of(self)
    }

    /// The record in a line.
    pub fn in_words(&self) -> String {
        let what = match &self.entry {
            Entry::Action { step } => {
                let (stage, action, other) = (step.stage.name(), step.action, step.other);
                format!("{stage} {action:?} with {other:?}")
            }
            Entry::Witnessed { head } => format!("witnessed head {}", head.number),
            Entry::Countersigned { witness } => format!("countersigned to {}", witness.head.number),
            Entry::KeyChanged { .. } => "key changed".to_owned(),
        };
        format!("{}: {what}", self.number)
    }

    /// The head of a log that ends with this record.
    pub fn head(&self) -> Head {
        Head {
            number: self.number,
            hash: self.hash(),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Entry {
    /// A step of an action that crosses a boundary.
    Action {
        /// The step.
        step: ActionRecord,
    },
    /// A head of somebody else was countersigned.
    Witnessed {
        /// The head as its owner signed it.
        head: Signed<Head>,
    },
    /// A head of ours came back countersigned.
    Countersigned {
        /// It, as the third party signed it.
        witness: Signed<Witness>,
    },
    /// From here on another key signs for this peer.
    KeyChanged {
        /// The new key.
        key: PublicKey,
    },
}

fold_enum!(Entry {
    0 = Action { step },
    1 = Witnessed { head },
    2 = Countersigned { witness },
    3 = KeyChanged { key },
});

/// One step of an action, as one of its two sides saw it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct ActionRecord {
    /// Which action.
    pub action: ActionId,
    /// The peer on the other side, as its channel proved it to be.
    pub other: Identity,
    /// What kind of action.
    pub kind: ActionKind,
    /// Which capability it uses.
    pub capability: Capability,
    /// How far the other side was trusted.
    pub level: Level,
    /// What may be spent on it.
    pub budget: Option<Budget>,
    /// What was said.
    pub content: Content,
    /// Which step, and what was decided.
    pub stage: Stage,
}

fold_struct!(ActionRecord {
    action,
    other,
    kind,
    capability,
    level,
    budget,
    content,
    stage
});

/// Which step of an action.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Stage {
    /// It is about to be sent; durable before the first byte.
    Sent,
    /// It is allowed and about to be done; durable before the effect.
    Intent,
    /// It was done.
    Executed {
        /// The digest of the receipt.
        receipt: Digest,
    },
    /// It was not done, or not sent.
    Refused {
        /// Why, in one of the layers' constant words.
        reason: String,
    },
    /// The other side says that it was done.
    Answered {
        /// Its word.
        acknowledgement: Signed<Acknowledgement>,
    },
    /// It may have been done: a crash came between, or no answer.
    OutcomeUnknown,
    /// A further copy of it was refused; what was begun or ended before stands.
    CopyRefused {
        /// Why, in one of the layers' constant words.
        reason: String,
    },
}

fold_enum!(Stage {
    0 = Sent {},
    1 = Intent {},
    2 = Executed { receipt },
    3 = Refused { reason },
    4 = Answered { acknowledgement },
    5 = OutcomeUnknown {},
    6 = CopyRefused { reason },
});

impl Stage {
    /// The step's name in files and stories.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Intent => "intent",
            Self::Executed { .. } => "executed",
            Self::Refused { .. } => "refused",
            Self::Answered { .. } => "answered",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::CopyRefused { .. } => "copy-refused",
        }
    }
}

/// How much of what was said is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContentMode {
    /// The sanitised text.
    #[default]
    Full,
    /// A hash under the owner's key: who has the text can be proven right, nobody can guess it.
    KeyedHash,
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Content {
    /// The sanitised text.
    Full {
        /// It.
        text: String,
    },
    /// BLAKE3 of the sanitised text under the owner's key.
    KeyedHash {
        /// The hash.
        hash: Digest,
    },
    /// What the record says that began the action in this log.
    AsBegun,
}

fold_enum!(Content {
    0 = Full { text },
    1 = KeyedHash { hash },
    2 = AsBegun {},
});

impl Content {
    /// What is kept of a sanitised text.
    pub fn kept(mode: ContentMode, key: &[u8; 32], text: &str) -> Self {
        match mode {
            ContentMode::Full => Self::Full {
                text: text.to_owned(),
            },
            ContentMode::KeyedHash => Self::hashed(key, text.as_bytes()),
        }
    }

    /// What is kept of what nobody may read.
    pub fn hashed(key: &[u8; 32], bytes: &[u8]) -> Self {
        Self::KeyedHash {
            hash: Digest(*blake3::keyed_hash(key, bytes).as_bytes()),
        }
    }
}

/// A third party's word that it saw a head.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Witness {
    /// The head as its owner signed it.
    pub head: Signed<Head>,
    /// When, by the third party's clock.
    pub at: LocalTime,
}

fold_struct!(Witness { head, at });

impl Signable for Witness {
    const DOMAIN: &'static str = "fedsim/audit/v1/witness";
}
