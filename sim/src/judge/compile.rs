//! Turns the events of one key into numbers the search can work with.
//!
//! Values become ids, calls become [`Step`]s, and operations that cannot
//! matter are left out. Linearizability is local (Herlihy & Wing 1990, theorem
//! 1; Horn & Kroening 2015 call it P-compositionality), so each key is a
//! problem of its own. Must not know how the search works.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Call, Edge, Event, History, OperationId, Outcome};
use super::model::Model;
use super::value::Value;

/// Position of a value in a [`States`] table.
pub(super) type StateId = u32;

/// Transition function of one operation, its known outcome built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Saw this state.
    Read(StateId),
    /// Left this state behind.
    Write(StateId),
    /// Found the first and left the second behind.
    Swap(StateId, StateId),
    /// Found another state than this.
    Refuse(StateId),
    /// Swaps if it finds the first; nobody knows whether it did.
    MaybeSwap(StateId, StateId),
    /// Appended this value.
    Append(StateId),
}

impl Step {
    /// The state without which the step is illegal.
    pub(super) fn needs(self) -> Option<StateId> {
        match self {
            Step::Read(state) | Step::Swap(state, _) => Some(state),
            Step::Write(_) | Step::Refuse(_) | Step::MaybeSwap(..) | Step::Append(_) => None,
        }
    }

    /// The state it leaves behind, as far as that does not depend on another.
    pub(super) fn makes(self) -> Option<StateId> {
        match self {
            Step::Write(state) | Step::Swap(_, state) | Step::MaybeSwap(_, state) => Some(state),
            Step::Read(_) | Step::Refuse(_) | Step::Append(_) => None,
        }
    }
}

/// Every value that occurs in one search, each once.
#[derive(Debug, Default)]
pub(super) struct States {
    values: Vec<Value>,
    ids: BTreeMap<Value, StateId>,
    appended: BTreeMap<(StateId, StateId), StateId>,
    copied_bytes: u64,
}

impl States {
    /// The state of an object nobody wrote to.
    pub(super) const INITIAL: StateId = 0;

    fn new() -> Self {
        let mut states = Self::default();
        let initial = states.intern(&Value::Nil);
        debug_assert_eq!(initial, Self::INITIAL);
        states
    }

    fn intern(&mut self, value: &Value) -> StateId {
        if let Some(&id) = self.ids.get(value) {
            return id;
        }
        let id = self.values.len() as StateId;
        self.values.push(value.clone());
        self.ids.insert(value.clone(), id);
        id
    }

    /// The value behind an id.
    pub(super) fn value(&self, id: StateId) -> &Value {
        &self.values[id as usize]
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Bytes copied to build appended values so far, which a budget charges.
    pub(super) fn copied_bytes(&self) -> u64 {
        self.copied_bytes
    }

    /// The state that appending `piece` to `base` leaves behind.
    pub(super) fn append(&mut self, base: StateId, piece: StateId) -> StateId {
        if let Some(&known) = self.appended.get(&(base, piece)) {
            return known;
        }
        let value = self.value(base).appended(self.value(piece));
        self.copied_bytes += value.weight() as u64;
        let id = self.intern(&value);
        self.appended.insert((base, piece), id);
        id
    }
}

/// One operation of a [`Subhistory`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Compiled {
    /// The operation of the history.
    pub(super) id: OperationId,
    /// What it does.
    pub(super) step: Step,
    /// For an open operation, the open operation invoked before it that does
    /// the same. It is as good and available earlier, so it goes first.
    pub(super) twin: Option<u32>,
}

/// One line of the entry list: `operation` counts into [`Subhistory::operations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An operation was called.
    Call(u32),
    /// A completed operation returned.
    Return(u32),
}

/// The operations of one key, ready for the search.
#[derive(Debug)]
pub(super) struct Subhistory {
    /// Completed operations first, then the open ones, each by invocation.
    pub(super) operations: Vec<Compiled>,
    /// How many operations are completed.
    pub(super) completed: usize,
    /// Calls and returns in real-time order; open operations never return.
    pub(super) entries: Vec<Entry>,
    /// The values that occur.
    pub(super) states: States,
    /// Whether a state can come about only by a step that [`Step::makes`] it.
    pub(super) has_append: bool,
}

/// Compiles the events of one key. An operation whose return is not among the
/// events is open: the same function serves a prefix of a history.
pub(super) fn compile(history: &History, model: Model, events: &[Event]) -> Subhistory {
    let returned = returned_operations(history, events);
    let mut compiler = Compiler {
        history,
        model,
        states: States::new(),
        completed: Vec::new(),
        open: Vec::new(),
    };
    let invoked = events.iter().filter(|event| event.edge == Edge::Invoked);
    for event in invoked {
        compiler.add(event.operation, returned.contains(&event.operation));
    }
    compiler.drop_unobserved();
    compiler.finish(events)
}

/// The operations that returned a definite outcome within these events.
fn returned_operations(history: &History, events: &[Event]) -> BTreeSet<OperationId> {
    let returns = events.iter().filter(|event| event.edge == Edge::Returned);
    returns
        .map(|event| event.operation)
        .filter(|&id| is_definite(&history.operation(id).outcome))
        .collect()
}

/// Whether an outcome says what happened and thus constrains the order.
pub(super) fn is_definite(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Read(_) | Outcome::Done | Outcome::Refused => true,
        Outcome::Failed | Outcome::Open => false,
    }
}

struct Compiler<'a> {
    history: &'a History,
    model: Model,
    states: States,
    completed: Vec<Compiled>,
    open: Vec<Compiled>,
}

impl Compiler<'_> {
    fn add(&mut self, id: OperationId, returned: bool) {
        let operation = self.history.operation(id);
        if operation.outcome == Outcome::Failed {
            return;
        }
        let step = if returned {
            self.completed_step(&operation.call, &operation.outcome)
        } else {
            self.open_step(&operation.call)
        };
        let compiled = step.map(|step| Compiled {
            id,
            step,
            twin: None,
        });
        if returned {
            self.completed.extend(compiled);
        } else {
            self.open.extend(compiled);
        }
    }

    fn intern(&mut self, value: &Value) -> StateId {
        let is_empty_text = matches!(value, Value::Text(text) if text.is_empty());
        if self.model == Model::KeyValue && is_empty_text {
            return States::INITIAL;
        }
        self.states.intern(value)
    }

    fn completed_step(&mut self, call: &Call, outcome: &Outcome) -> Option<Step> {
        match (call, outcome) {
            (Call::Read, Outcome::Read(seen)) => Some(Step::Read(self.intern(seen))),
            (Call::CompareAndSwap { expected, .. }, Outcome::Refused) => {
                Some(Step::Refuse(self.intern(expected)))
            }
            (Call::CompareAndSwap { expected, new }, _) if expected == new => {
                Some(Step::Read(self.intern(expected)))
            }
            (Call::CompareAndSwap { expected, new }, _) => {
                Some(Step::Swap(self.intern(expected), self.intern(new)))
            }
            (Call::Write(value), _) => Some(Step::Write(self.intern(value))),
            (Call::Append(value), _) => Some(Step::Append(self.intern(value))),
            (Call::Read, _) => None,
        }
    }

    /// An open read and a swap of equal values constrain nothing.
    fn open_step(&mut self, call: &Call) -> Option<Step> {
        match call {
            Call::Read => None,
            Call::Write(value) => Some(Step::Write(self.intern(value))),
            Call::CompareAndSwap { expected, new } if expected == new => None,
            Call::CompareAndSwap { expected, new } => {
                Some(Step::MaybeSwap(self.intern(expected), self.intern(new)))
            }
            Call::Append(value) => Some(Step::Append(self.intern(value))),
        }
    }

    fn has_append(&self) -> bool {
        let all = self.completed.iter().chain(&self.open);
        all.into_iter()
            .any(|one| matches!(one.step, Step::Append(_)))
    }

    /// Leaves out open operations that make a state nobody needs: whatever
    /// follows such a state overwrites it, so it might as well not have been.
    /// That argument fails once a refused swap or an append is around, since
    /// those are legal in states they do not name.
    fn drop_unobserved(&mut self) {
        let is_refusal = |one: &Compiled| matches!(one.step, Step::Refuse(_));
        if self.has_append() || self.completed.iter().any(is_refusal) {
            return;
        }
        let all = self.completed.iter().chain(&self.open);
        let needed: BTreeSet<StateId> = all
            .filter_map(|one| match one.step {
                Step::MaybeSwap(expected, _) => Some(expected),
                step => step.needs(),
            })
            .collect();
        let is_needed =
            |one: &Compiled| one.step.makes().is_none_or(|state| needed.contains(&state));
        self.open.retain(is_needed);
    }

    fn finish(mut self, events: &[Event]) -> Subhistory {
        let has_append = self.has_append();
        let completed = self.completed.len();
        self.link_twins(completed);
        let mut operations = self.completed;
        operations.append(&mut self.open);
        let index_of: BTreeMap<OperationId, u32> = (0u32..)
            .zip(&operations)
            .map(|(index, one)| (one.id, index))
            .collect();
        let entry = |event: &Event| {
            let index = *index_of.get(&event.operation)?;
            match event.edge {
                Edge::Invoked => Some(Entry::Call(index)),
                Edge::Returned if (index as usize) < completed => Some(Entry::Return(index)),
                Edge::Returned => None,
            }
        };
        Subhistory {
            entries: events.iter().filter_map(entry).collect(),
            operations,
            completed,
            states: self.states,
            has_append,
        }
    }

    fn link_twins(&mut self, completed: usize) {
        let mut latest = BTreeMap::new();
        for (index, one) in (completed as u32..).zip(&mut self.open) {
            one.twin = latest.insert(one.step, index);
        }
    }
}
