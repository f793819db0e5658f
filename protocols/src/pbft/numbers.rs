//! The numbers of PBFT, each of its own type, and the digest. Must not know any rule.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize,
        )]
        pub struct $name(pub $inner);

        impl $name {
            /// The number after this one; saturates.
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl Fold for $name {
            fn fold(&self, into: &mut Folder) {
                into.u64(u64::from(self.0));
            }
        }
    };
}

number!(
    /// A view: the reign of one primary (OSDI'99 section 4). The first is 0.
    View(u64), "v"
);
number!(
    /// A place in the total order of batches. The first batch has 1; 0 is the genesis checkpoint.
    Sequence(u64), "n"
);
number!(
    /// A version of the roster. Every vote signs it.
    Epoch(u64), "e"
);
number!(
    /// A replica's number in the roster of one epoch, from 0 to n-1.
    ReplicaId(u16), "r"
);
number!(
    /// A client's own counter of its requests (OSDI'99 section 4.1): exactly-once rests on it.
    Timestamp(u64), "t"
);

impl ReplicaId {
    /// The number as an index into per-replica tables.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Sequence {
    /// The sequence number `span` places later; saturates.
    pub const fn plus(self, span: u64) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// A BLAKE3 hash of canonical bytes. Signature bytes are never among them.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of canonical bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a value's canonical bytes.
    pub fn of(value: &impl BorshSerialize) -> Self {
        Self::of_bytes(&borsh::to_vec(value).expect("writing to memory does not fail"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d:{self}")
    }
}

impl Fold for Digest {
    fn fold(&self, into: &mut Folder) {
        into.bytes(&self.0);
    }
}
