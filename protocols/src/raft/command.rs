//! What clients ask of the replicated store and what they are told. Must not know Raft.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use borsh::{BorshDeserialize, BorshSerialize, io};

use crate::fold::{Fold, Folder};
use crate::{fold_enum, fold_struct};

/// A value that many owners share: one allocation, and one look at its content for the run digest,
/// however many logs and messages hold it.
pub struct Shared<T>(Arc<Memo<T>>);

struct Memo<T> {
    value: T,
    /// What the run digest sees of the value, once somebody asked.
    hash: OnceLock<u64>,
}

impl<T> Shared<T> {
    /// Shares `value`.
    pub fn new(value: T) -> Self {
        let hash = OnceLock::new();
        Self(Arc::new(Memo { value, hash }))
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.0.value).finish()
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.value == other.0.value
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.value.hash(state);
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Fold> Fold for Shared<T> {
    fn fold(&self, into: &mut Folder) {
        into.u64(*self.0.hash.get_or_init(|| Folder::of(&self.0.value)));
    }
}

impl<T: BorshSerialize> BorshSerialize for Shared<T> {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        (**self).serialize(writer)
    }
}

impl<T: BorshDeserialize> BorshDeserialize for Shared<T> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        T::deserialize_reader(reader).map(Self::new)
    }
}

/// A byte string; what one key holds. Cheap to copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Arc<[u8]>);

impl Value {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// These bytes with those of `tail` behind them.
    pub fn with_appended(&self, tail: &Self) -> Self {
        Self(self.0.iter().chain(tail.0.iter()).copied().collect())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<u64> for Value {
    /// The number in decimal digits, as histories print it.
    fn from(number: u64) -> Self {
        number.to_string().as_str().into()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl Fold for Value {
    fn fold(&self, into: &mut Folder) {
        into.bytes(&self.0);
    }
}

impl BorshSerialize for Value {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.as_bytes().serialize(writer)
    }
}

impl BorshDeserialize for Value {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Vec::<u8>::deserialize_reader(reader).map(|bytes| Self(bytes.into()))
    }
}

/// One operation on the keyed registers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Operation {
    /// What does the key hold?
    Read {
        /// Which register.
        key: u64,
    },
    /// Let the key hold this value.
    Write {
        /// Which register.
        key: u64,
        /// Its new value.
        value: Value,
    },
    /// Let the key hold `value` if it holds `expected`.
    CompareAndSwap {
        /// Which register.
        key: u64,
        /// What it must hold; a register never written holds nothing and never matches.
        expected: Value,
        /// Its new value.
        value: Value,
    },
    /// Put these bytes behind what the key holds; a register never written holds the empty string.
    Append {
        /// Which register.
        key: u64,
        /// The bytes to add.
        value: Value,
    },
}
fold_enum!(Operation {
    0 = Read { key },
    1 = Write { key, value },
    2 = CompareAndSwap {
        key,
        expected,
        value
    },
    3 = Append { key, value },
});

impl Operation {
    /// The register it is about.
    pub fn key(&self) -> u64 {
        match self {
            Self::Read { key }
            | Self::Write { key, .. }
            | Self::CompareAndSwap { key, .. }
            | Self::Append { key, .. } => *key,
        }
    }

    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Write { .. } | Self::CompareAndSwap { .. } | Self::Append { .. } => false,
        }
    }
}

/// What an operation brought about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// What the key held, `None` if it was never written.
    Read {
        /// The value.
        value: Option<Value>,
    },
    /// The value was written.
    Written,
    /// Whether the key held what was expected, and so was changed.
    Swapped {
        /// True if changed.
        swapped: bool,
    },
    /// The bytes were added.
    Appended,
    /// An administrative request was carried out.
    Accomplished,
}
fold_enum!(Outcome {
    0 = Read { value },
    1 = Written {},
    2 = Swapped { swapped },
    3 = Appended {},
    4 = Accomplished {},
});

/// An operation with the session that keeps it from running twice (dissertation 6.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Command {
    /// The client's session, or 0 for a command that belongs to none and is never deduplicated.
    pub client: u64,
    /// Counts the client's commands from 1.
    pub serial: u64,
    /// The client waits for no answer to any serial below this one.
    pub answered_below: u64,
    /// What to do.
    pub operation: Operation,
}
fold_struct!(Command {
    client,
    serial,
    answered_below,
    operation
});
