//! What clients saw: operations with an invocation and, mostly, a return.
//!
//! A [`History`] keeps the total order in which invocations and returns were
//! recorded, because two events of one instant still have an order and a
//! checker may rely on it. Must not know models, files or protocols.

use std::collections::BTreeMap;
use std::fmt;

use super::value::Value;

/// Position of an operation in [`History::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub usize);

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Ask for the value (`read`, `get`).
    Read,
    /// Replace the value (`write`, `put`).
    Write(Value),
    /// Replace `expected` by `new`, and nothing else (`cas`).
    CompareAndSwap {
        /// The value that must be there.
        expected: Value,
        /// The value to leave behind.
        new: Value,
    },
    /// Append to the value, see [`Value::appended`] (`append`).
    Append(Value),
}

impl Call {
    /// The name Jepsen gives to the call: `read`, `write`, `cas` or `append`.
    pub fn name(&self) -> &'static str {
        match self {
            Call::Read => "read",
            Call::Write(_) => "write",
            Call::CompareAndSwap { .. } => "cas",
            Call::Append(_) => "append",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Read => f.write_str("read"),
            Call::Write(value) => write!(f, "write {value}"),
            Call::CompareAndSwap { expected, new } => write!(f, "cas {expected} -> {new}"),
            Call::Append(value) => write!(f, "append {value}"),
        }
    }
}

/// How an operation ended, as far as its client knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A read returned this value.
    Read(Value),
    /// A write or an append took effect, a compare-and-swap found what it expected.
    Done,
    /// A compare-and-swap took place and found another value than it expected.
    Refused,
    /// The operation certainly did not happen (Jepsen's `:fail`).
    Failed,
    /// Nobody knows: it may take effect at any time after its invocation, or
    /// never (Jepsen's `:info`, time-outs, and operations still under way).
    Open,
}

/// One operation of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The sequential client that called; one operation at a time.
    pub process: u64,
    /// The register it is about; `None` where a history has but one.
    pub key: Option<Value>,
    /// What was asked.
    pub call: Call,
    /// What came back.
    pub outcome: Outcome,
    /// When it was invoked, in nanoseconds.
    pub invoked_ns: u64,
    /// When the client heard the outcome or gave up, in nanoseconds; `None`
    /// if the history ends before. An open operation is not bounded by it.
    pub returned_ns: Option<u64>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.call)?;
        match &self.outcome {
            Outcome::Read(value) => write!(f, " = {value}"),
            Outcome::Done => Ok(()),
            Outcome::Refused => f.write_str(" refused"),
            Outcome::Failed => f.write_str(" failed"),
            Outcome::Open => f.write_str(" ?"),
        }
    }
}

/// Which end of an operation an [`Event`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// The client called.
    Invoked,
    /// The client heard the outcome or gave up.
    Returned,
}

/// One invocation or return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The operation it belongs to.
    pub operation: OperationId,
    /// Which end of it.
    pub edge: Edge,
}

/// Why an event does not fit the history recorded so far.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A process is sequential: it must wait for its operation to end.
    #[error("process {process} invoked {call} while its {pending} is still under way")]
    Overlap {
        /// The process.
        process: u64,
        /// What it called.
        call: String,
        /// What it had called before.
        pending: String,
    },
    /// No such operation, or it has ended already.
    #[error("operation {0} is not under way")]
    NotPending(usize),
    /// For example a value returned by a write.
    #[error("{outcome} cannot be the outcome of {call}")]
    UnfitOutcome {
        /// What was called.
        call: String,
        /// What is said to have come back.
        outcome: String,
    },
}

/// A concurrent history in the sense of Herlihy & Wing 1990, section 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    operations: Vec<Operation>,
    events: Vec<Event>,
    pending: BTreeMap<u64, OperationId>,
}

impl History {
    /// A history in which nothing has happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a call; a key of `nil` is no key. A client that gave up on an operation may go on under
    /// the same process number; Jepsen's own tools want a new one.
    ///
    /// # Errors
    /// [`HistoryError::Overlap`] if the process has an operation under way.
    pub fn invoke(
        &mut self,
        process: u64,
        key: Option<Value>,
        call: Call,
        at_ns: u64,
    ) -> Result<OperationId, HistoryError> {
        if let Some(&earlier) = self.pending.get(&process) {
            return Err(HistoryError::Overlap {
                process,
                call: call.to_string(),
                pending: self.operations[earlier.0].call.to_string(),
            });
        }
        let id = OperationId(self.operations.len());
        self.operations.push(Operation {
            process,
            key: key.filter(|key| *key != Value::Nil),
            call,
            outcome: Outcome::Open,
            invoked_ns: at_ns,
            returned_ns: None,
        });
        self.events.push(Event {
            operation: id,
            edge: Edge::Invoked,
        });
        self.pending.insert(process, id);
        Ok(id)
    }

    /// Records the end of an operation; [`Outcome::Open`] says that its client
    /// gave up without an answer.
    ///
    /// # Errors
    /// [`HistoryError::NotPending`] if it is not under way, and
    /// [`HistoryError::UnfitOutcome`] if the outcome is none of that call.
    /// Nothing is recorded then.
    pub fn complete(
        &mut self,
        id: OperationId,
        outcome: Outcome,
        at_ns: u64,
    ) -> Result<(), HistoryError> {
        let operation = match self.operations.get_mut(id.0) {
            Some(operation) if self.pending.get(&operation.process) == Some(&id) => operation,
            Some(_) | None => return Err(HistoryError::NotPending(id.0)),
        };
        if !fits(&operation.call, &outcome) {
            return Err(HistoryError::UnfitOutcome {
                call: operation.call.to_string(),
                outcome: format!("{outcome:?}"),
            });
        }
        operation.outcome = outcome;
        operation.returned_ns = Some(at_ns);
        self.pending.remove(&operation.process);
        self.events.push(Event {
            operation: id,
            edge: Edge::Returned,
        });
        Ok(())
    }

    /// Builds a history from finished operations, ordered by their times. At
    /// one instant invocations stand before returns, so operations that touch
    /// count as concurrent: the judge then never blames a coincidence.
    ///
    /// # Errors
    /// [`HistoryError::UnfitOutcome`] as in [`History::complete`]. Processes
    /// are not checked for overlap.
    pub fn from_operations(operations: Vec<Operation>) -> Result<Self, HistoryError> {
        let mut order = Vec::with_capacity(2 * operations.len());
        let mut pending = BTreeMap::new();
        for (index, operation) in operations.iter().enumerate() {
            if !fits(&operation.call, &operation.outcome) {
                return Err(HistoryError::UnfitOutcome {
                    call: operation.call.to_string(),
                    outcome: format!("{:?}", operation.outcome),
                });
            }
            let id = OperationId(index);
            order.push((operation.invoked_ns, false, id));
            match operation.returned_ns {
                Some(at_ns) => order.push((at_ns.max(operation.invoked_ns), true, id)),
                None => drop(pending.insert(operation.process, id)),
            }
        }
        order.sort_unstable();
        let events = order.into_iter().map(|(_, is_return, operation)| Event {
            operation,
            edge: if is_return {
                Edge::Returned
            } else {
                Edge::Invoked
            },
        });
        Ok(Self {
            events: events.collect(),
            operations,
            pending,
        })
    }

    /// Every operation, in the order of recording.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// One operation.
    ///
    /// # Panics
    /// If the id is none of this history.
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0]
    }

    /// Every invocation and return, in real-time order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The operation a process has under way.
    pub fn pending(&self, process: u64) -> Option<OperationId> {
        self.pending.get(&process).copied()
    }

    /// When an event took place, in nanoseconds.
    pub fn at_ns(&self, event: Event) -> u64 {
        let operation = self.operation(event.operation);
        match event.edge {
            Edge::Invoked => operation.invoked_ns,
            Edge::Returned => operation.returned_ns.unwrap_or(operation.invoked_ns),
        }
    }
}

/// Whether this outcome can end this call at all.
fn fits(call: &Call, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Read(_) => matches!(call, Call::Read),
        Outcome::Done => !matches!(call, Call::Read),
        Outcome::Refused => matches!(call, Call::CompareAndSwap { .. }),
        Outcome::Failed | Outcome::Open => true,
    }
}
