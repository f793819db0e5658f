//! The replicated state machine: keyed registers and the sessions that make commands run once.
//! Must not know Raft; it sees entries in order and is the same at every server.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use borsh::{BorshDeserialize, BorshSerialize};

use super::command::{Command, Operation, Outcome, Value};
use crate::fold::Folder;

/// Keyed registers, with a hash of their contents that costs O(1) a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Store {
    registers: BTreeMap<u64, Value>,
    hash: u64,
}

fn register_hash(key: u64, value: &Value) -> u64 {
    Folder::of(&(key, value))
}

impl Store {
    /// What a register holds, `None` if it was never written.
    pub fn get(&self, key: u64) -> Option<&Value> {
        self.registers.get(&key)
    }

    /// The registers whose keys lie in a range, in order.
    pub fn registers(&self, keys: Range<u64>) -> impl Iterator<Item = (u64, &Value)> {
        let registers = self.registers.range(keys);
        registers.map(|(key, value)| (*key, value))
    }

    /// Equal contents give equal hashes, whatever the order in which they were written.
    pub fn state_hash(&self) -> u64 {
        self.hash
    }

    /// Runs one operation.
    pub fn run(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Read { key } => self.read(*key),
            Operation::Write { key, value } => {
                self.put(*key, value.clone());
                Outcome::Written
            }
            Operation::CompareAndSwap {
                key,
                expected,
                value,
            } => {
                let swapped = self.get(*key) == Some(expected);
                if swapped {
                    self.put(*key, value.clone());
                }
                Outcome::Swapped { swapped }
            }
            Operation::Append { key, value } => {
                let longer = match self.get(*key) {
                    Some(head) => head.with_appended(value),
                    None => value.clone(),
                };
                self.put(*key, longer);
                Outcome::Appended
            }
        }
    }

    /// What reading a register brings about.
    pub fn read(&self, key: u64) -> Outcome {
        Outcome::Read {
            value: self.get(key).cloned(),
        }
    }

    fn put(&mut self, key: u64, value: Value) {
        self.hash ^= register_hash(key, &value);
        if let Some(old) = self.registers.insert(key, value) {
            self.hash ^= register_hash(key, &old);
        }
    }
}

/// What is remembered of one client (dissertation 6.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Session {
    /// Serials below have been answered and forgotten.
    first: u64,
    /// What came of the commands that the client may still ask about, by serial.
    outcomes: VecDeque<(u64, Outcome)>,
    /// The log index at which the session was used last.
    used: u64,
}

/// What a session says of a command before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// It never ran.
    Fresh,
    /// It ran, with this outcome.
    Ran(Outcome),
    /// It ran, was answered, and its outcome is forgotten; or its session is gone.
    Expired,
}

impl Session {
    fn knows(&self, serial: u64) -> Duplicate {
        if serial < self.first {
            return Duplicate::Expired;
        }
        match self.outcomes.binary_search_by_key(&serial, |(s, _)| *s) {
            Ok(at) => Duplicate::Ran(self.outcomes[at].1.clone()),
            Err(_) => Duplicate::Fresh,
        }
    }

    fn remember(&mut self, command: &Command, outcome: Outcome, index: u64) {
        self.used = index;
        self.first = self.first.max(command.answered_below);
        let first = self.first;
        let forgotten = self.outcomes.partition_point(|(serial, _)| *serial < first);
        self.outcomes.drain(..forgotten);
        let at = self
            .outcomes
            .partition_point(|(serial, _)| *serial < command.serial);
        self.outcomes.insert(at, (command.serial, outcome));
    }
}

/// All sessions, bounded in number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Sessions {
    open: BTreeMap<u64, Session>,
}

impl Sessions {
    /// Opens session `client` at log index `index`; above `limit`, the one unused longest closes.
    ///
    /// The choice depends on log indexes alone, so all servers close the same one (dissertation
    /// 6.3).
    pub fn open(&mut self, client: u64, index: u64, limit: usize) {
        if self.open.len() >= limit {
            let unused = self.open.iter().min_by_key(|(_, session)| session.used);
            if let Some(closing) = unused.map(|(client, _)| *client) {
                self.open.remove(&closing);
            }
        }
        let session = Session {
            used: index,
            ..Session::default()
        };
        self.open.insert(client, session);
    }

    /// What is known of a command.
    pub fn knows(&self, client: u64, serial: u64) -> Duplicate {
        match self.open.get(&client) {
            Some(session) => session.knows(serial),
            None => Duplicate::Expired,
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn remember(&mut self, command: &Command, outcome: Outcome, index: u64) {
        if let Some(session) = self.open.get_mut(&command.client) {
            session.remember(command, outcome, index);
        }
    }
}

/// What all servers hold alike: the store and the sessions. A snapshot is a copy of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct StateMachine {
    /// The registers.
    pub store: Store,
    /// The sessions.
    pub sessions: Sessions,
}

/// What came of applying one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It ran now.
    Ran(Outcome),
    /// It ran before, with this outcome.
    Again(Outcome),
    /// Its session is gone; it did not run.
    Expired,
}

impl StateMachine {
    /// Applies the command at log index `index`.
    ///
    /// `duplicate` is what [`Sessions::knows`] said, or `Fresh` for a command without a session.
    pub fn apply(&mut self, index: u64, command: &Command, duplicate: Duplicate) -> Applied {
        match duplicate {
            Duplicate::Fresh => {
                let outcome = self.store.run(&command.operation);
                self.sessions.remember(command, outcome.clone(), index);
                Applied::Ran(outcome)
            }
            Duplicate::Ran(outcome) => Applied::Again(outcome),
            Duplicate::Expired => Applied::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(client: u64, serial: u64, text: &str) -> Command {
        Command {
            client,
            serial,
            answered_below: serial,
            operation: Operation::Append {
                key: 1,
                value: text.into(),
            },
        }
    }

    fn apply(machine: &mut StateMachine, index: u64, command: &Command) -> Applied {
        let duplicate = machine.sessions.knows(command.client, command.serial);
        machine.apply(index, command, duplicate)
    }

    #[test]
    fn each_operation_does_what_its_name_says() {
        // The whole register semantics in one story; each line is one operation.
        let mut store = Store::default();
        let swap = |expected: &str, value: &str| Operation::CompareAndSwap {
            key: 1,
            expected: expected.into(),
            value: value.into(),
        };
        let (key, value) = (1, Value::from("a"));
        assert_eq!(
            store.run(&Operation::Read { key }),
            Outcome::Read { value: None }
        );
        assert_eq!(
            store.run(&swap("", "x")),
            Outcome::Swapped { swapped: false }
        );
        assert_eq!(
            store.run(&Operation::Write { key, value }),
            Outcome::Written
        );
        assert_eq!(
            store.run(&swap("b", "x")),
            Outcome::Swapped { swapped: false }
        );
        assert_eq!(
            store.run(&swap("a", "b")),
            Outcome::Swapped { swapped: true }
        );
        let value = Value::from("c");
        assert_eq!(
            store.run(&Operation::Append { key, value }),
            Outcome::Appended
        );
        assert_eq!(store.get(1), Some(&"bc".into()));
    }

    #[test]
    fn the_state_hash_tells_contents_and_not_their_history() {
        // Two ways to one content meet, another content differs.
        let run = |values: &[(u64, &str)]| {
            let mut store = Store::default();
            for (key, value) in values {
                let (key, value) = (*key, (*value).into());
                store.run(&Operation::Write { key, value });
            }
            store.state_hash()
        };
        assert_eq!(
            run(&[(1, "a"), (2, "b")]),
            run(&[(2, "x"), (1, "a"), (2, "b")])
        );
        assert_ne!(run(&[(1, "a"), (2, "b")]), run(&[(1, "b"), (2, "a")]));
    }

    #[test]
    fn a_command_runs_once_however_often_it_is_applied() {
        // Dissertation 6.3: the register would hold "aa" had it run twice.
        let mut machine = StateMachine::default();
        machine.sessions.open(5, 5, 10);
        assert_eq!(
            apply(&mut machine, 6, &append(5, 1, "a")),
            Applied::Ran(Outcome::Appended)
        );
        assert_eq!(
            apply(&mut machine, 7, &append(5, 1, "a")),
            Applied::Again(Outcome::Appended)
        );
        assert_eq!(machine.store.get(1), Some(&"a".into()));
        // Once the client has said that it was answered, a late copy does not run either.
        apply(&mut machine, 8, &append(5, 2, "b"));
        assert_eq!(apply(&mut machine, 9, &append(5, 1, "a")), Applied::Expired);
        assert_eq!(machine.store.get(1), Some(&"ab".into()));
    }

    #[test]
    fn the_session_unused_longest_closes_and_its_commands_do_not_run() {
        // An expired session is an error, not a second execution.
        let mut machine = StateMachine::default();
        machine.sessions.open(1, 1, 2);
        machine.sessions.open(2, 2, 2);
        apply(&mut machine, 3, &append(1, 1, "a"));
        machine.sessions.open(4, 4, 2);
        assert_eq!(apply(&mut machine, 5, &append(2, 1, "b")), Applied::Expired);
        assert_eq!(
            apply(&mut machine, 6, &append(1, 1, "a")),
            Applied::Again(Outcome::Appended)
        );
        assert_eq!(machine.sessions.len(), 2);
    }
}
