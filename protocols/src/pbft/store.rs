//! The replicated state machine: registers under 64-bit keys, and a list of entries with their
//! authors. Must not know who orders operations.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};
use crate::peer::PeerId;
use crate::{fold_enum, fold_struct};

use super::roster::Membership;

/// What a register holds.
pub type Value = Vec<u8>;

/// What a client asks of the replicated state machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Operation {
    /// Returns the register's value.
    Read {
        /// Which register.
        key: u64,
    },
    /// Replaces the register's value.
    Write {
        /// Which register.
        key: u64,
        /// The value from now on.
        value: Value,
    },
    /// Replaces the register's value if it is the expected one.
    CompareAndSwap {
        /// Which register.
        key: u64,
        /// The value it must have; `None` for a register never written.
        expected: Option<Value>,
        /// The value from then on.
        value: Value,
    },
    /// Adds bytes at the end of the register's value.
    Append {
        /// Which register.
        key: u64,
        /// What to add.
        value: Value,
    },
    /// Replaces the group of replicas at the next checkpoint; administrators only.
    Reconfigure {
        /// The group from the next checkpoint on.
        membership: Membership,
    },
    /// Passes a key on, or ends it, from the next checkpoint on.
    Rekey {
        /// What shows it, in the words of whoever passes keys on.
        proof: Vec<u8>,
    },
    /// Adds an entry in the client's own name to the list, which nothing else changes.
    Enter {
        /// What it says.
        value: Value,
    },
}

fold_enum!(Operation {
    0 = Read { key },
    1 = Write { key, value },
    2 = CompareAndSwap { key, expected, value },
    3 = Append { key, value },
    4 = Reconfigure { membership },
    5 = Enter { value },
    6 = Rekey { proof },
});

impl Operation {
    /// Whether it may change the roster.
    pub const fn is_of_roster(&self) -> bool {
        matches!(self, Self::Reconfigure { .. } | Self::Rekey { .. })
    }

    /// Whether it leaves the state as it is.
    pub const fn is_read(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Write { .. }
            | Self::CompareAndSwap { .. }
            | Self::Append { .. }
            | Self::Enter { .. }
            | Self::Rekey { .. }
            | Self::Reconfigure { .. } => false,
        }
    }
}

/// What the replicated state machine answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// The value read; `None` for a register never written.
    Value {
        /// What the register holds.
        value: Option<Value>,
    },
    /// The write is done.
    Written {},
    /// The compare-and-swap is decided.
    Swapped {
        /// Whether the register had the expected value and was replaced.
        swapped: bool,
        /// What the register held before.
        found: Option<Value>,
    },
    /// The append is done.
    Appended {
        /// The register's length in bytes after it.
        length: u64,
    },
    /// The new group, or the other key, takes over at the next checkpoint.
    Reconfigured {},
    /// The operation is not allowed, and nothing was changed.
    Refused {},
    /// The entry is made.
    Entered {
        /// Which of the list, from 0.
        number: u64,
    },
}

fold_enum!(Outcome {
    0 = Value { value },
    1 = Written {},
    2 = Swapped { swapped, found },
    3 = Appended { length },
    4 = Reconfigured {},
    5 = Refused {},
    6 = Entered { number },
});

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// The client that made it.
    pub author: PeerId,
    /// What it says.
    pub value: Value,
}

fold_struct!(Entry { author, value });

/// Registers, the list, and a fingerprint of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Store {
    registers: BTreeMap<u64, Value>,
    entries: Vec<Entry>,
    fingerprint: u64,
}

fold_struct!(Store {
    registers,
    entries,
    fingerprint
});

impl Store {
    /// A sum over all registers and entries, kept up to date by each write: equal stores have equal
    /// ones.
    ///
    /// For checkers only; agreement rests on the checkpoint digest.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// How many registers were ever written.
    pub fn len(&self) -> usize {
        self.registers.len()
    }

    /// Whether no register was ever written.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }

    /// What a register holds.
    pub fn get(&self, key: u64) -> Option<&Value> {
        self.registers.get(&key)
    }

    /// The list.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds to the list what `author` says.
    pub fn enter(&mut self, author: PeerId, value: Value) -> Outcome {
        let number = self.entries.len() as u64;
        let entry = Entry { author, value };
        let hash = Folder::of(&(number, &entry));
        self.fingerprint = self.fingerprint.wrapping_add(hash);
        self.entries.push(entry);
        Outcome::Entered { number }
    }

    /// Carries out one operation on the registers; others do not touch them and are refused.
    pub fn apply(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Read { key } => Outcome::Value {
                value: self.get(*key).cloned(),
            },
            Operation::Write { key, value } => {
                self.put(*key, value.clone());
                Outcome::Written {}
            }
            Operation::CompareAndSwap {
                key,
                expected,
                value,
            } => self.compare_and_swap(*key, expected.as_ref(), value),
            Operation::Append { key, value } => {
                let mut whole = self.get(*key).cloned().unwrap_or_default();
                whole.extend_from_slice(value);
                let length = whole.len() as u64;
                self.put(*key, whole);
                Outcome::Appended { length }
            }
            Operation::Enter { .. } | Operation::Rekey { .. } | Operation::Reconfigure { .. } => {
                Outcome::Refused {}
            }
        }
    }

    fn compare_and_swap(&mut self, key: u64, expected: Option<&Value>, value: &Value) -> Outcome {
        let found = self.get(key).cloned();
        let swapped = found.as_ref() == expected;
        if swapped {
            self.put(key, value.clone());
        }
        Outcome::Swapped { swapped, found }
    }

    fn put(&mut self, key: u64, value: Value) {
        self.fingerprint = self.fingerprint.wrapping_add(entry_hash(key, &value));
        if let Some(old) = self.registers.insert(key, value) {
            self.fingerprint = self.fingerprint.wrapping_sub(entry_hash(key, &old));
        }
    }
}

fn entry_hash(key: u64, value: &Value) -> u64 {
    let mut folder = Folder::new();
    key.fold(&mut folder);
    value.as_slice().fold(&mut folder);
    folder.finish() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_depends_on_what_is_stored_and_not_on_how_it_came_there() {
        // Two histories with one result must agree, and another result must differ.
        let write = |key, value: &[u8]| Operation::Write {
            key,
            value: value.to_vec(),
        };
        let run = |operations: &[Operation]| {
            let mut store = Store::default();
            operations.iter().for_each(|operation| {
                store.apply(operation);
            });
            store.fingerprint()
        };
        let direct = run(&[write(1, b"b"), write(2, b"c")]);
        let detour = run(&[write(2, b"c"), write(1, b"a"), write(1, b"b")]);
        assert_eq!(direct, detour);
        assert_ne!(direct, run(&[write(1, b"c"), write(2, b"b")]));
    }

    #[test]
    fn the_list_grows_by_what_clients_enter_and_by_nothing_else() {
        // Order and author make a difference, and no operation on registers touches it.
        let author = PeerId(3);
        let mut store = Store::default();
        let before = store.fingerprint();
        assert_eq!(
            store.enter(author, b"a".to_vec()),
            Outcome::Entered { number: 0 }
        );
        assert_ne!(store.fingerprint(), before);
        let value = b"b".to_vec();
        let operation = Operation::Enter { value };
        assert_eq!(store.apply(&operation), Outcome::Refused {});
        store.apply(&Operation::Write {
            key: 0,
            value: Vec::new(),
        });
        let value = b"a".to_vec();
        assert_eq!(store.entries(), [Entry { author, value }]);
        let mut other = Store::default();
        other.enter(PeerId(4), b"a".to_vec());
        other.apply(&Operation::Write {
            key: 0,
            value: Vec::new(),
        });
        assert_ne!(store.fingerprint(), other.fingerprint());
    }

    #[test]
    fn compare_and_swap_changes_only_what_it_expected() {
        // The losing swap must report what it found and change nothing.
        let mut store = Store::default();
        let swap = |expected: Option<&[u8]>, value: &[u8]| Operation::CompareAndSwap {
            key: 1,
            expected: expected.map(<[u8]>::to_vec),
            value: value.to_vec(),
        };
        let first = store.apply(&swap(None, b"a"));
        let second = store.apply(&swap(None, b"b"));
        assert_eq!(
            first,
            Outcome::Swapped {
                swapped: true,
                found: None
            }
        );
        assert_eq!(
            second,
            Outcome::Swapped {
                swapped: false,
                found: Some(b"a".to_vec())
            }
        );
        assert_eq!(store.get(1), Some(&b"a".to_vec()));
    }
}
