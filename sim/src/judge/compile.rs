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
    /// The state it compares with, whatever follows from that.
    fn names(self) -> Option<StateId> {
        match self {
            Step::Read(state) | Step::Refuse(state) => Some(state),
            Step::Swap(state, _) | Step::MaybeSwap(state, _) => Some(state),
            Step::Write(_) | Step::Append(_) => None,
        }
    }

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
    /// Whether the empty text counts as nothing.
    empty_is_nil: bool,
    /// The values that some operation of the search compares with.
    named: BTreeSet<Value>,
}

impl States {
    /// The state of an object nobody wrote to.
    pub(super) const INITIAL: StateId = 0;

    /// Stands for every state that no operation names and that appending can
    /// turn into none that is named: such states differ in nothing to the
    /// search, and there would be as many as orders of the appends.
    pub(super) const UNNAMED: StateId = 1;

    fn new(model: Model) -> Self {
        let mut states = Self {
            empty_is_nil: model == Model::KeyValue,
            ..Self::default()
        };
        let initial = states.intern(&Value::Nil);
        debug_assert_eq!(initial, Self::INITIAL);
        states.values.push(Value::Nil);
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

    /// The id of a value as a state of the object.
    fn intern_state(&mut self, value: &Value) -> StateId {
        let state = self.canonical(value.clone());
        self.intern(&state)
    }

    fn canonical(&self, value: Value) -> Value {
        match value {
            Value::Text(text) if text.is_empty() && self.empty_is_nil => Value::Nil,
            other => other,
        }
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

    /// The state that appending `piece` to `base` leaves behind; with
    /// `collapse`, all unnamed ones are one.
    pub(super) fn append(&mut self, base: StateId, piece: StateId, collapse: bool) -> StateId {
        if base == Self::UNNAMED {
            return Self::UNNAMED;
        }
        if let Some(&known) = self.appended.get(&(base, piece)) {
            return known;
        }
        let value = self.value(base).appended(self.value(piece));
        self.copied_bytes += value.weight() as u64;
        let state = self.canonical(value);
        let id = match collapse && !self.leads_to_named(&state) {
            true => Self::UNNAMED,
            false => self.intern(&state),
        };
        self.appended.insert((base, piece), id);
        id
    }

    /// Values with a common beginning stand together in their order, so it is
    /// enough to look at the first that is not before the beginning itself.
    fn leads_to_named(&self, value: &Value) -> bool {
        let first_from = |from: &Value| self.named.range(from..).next();
        let in_list = Value::List(vec![value.clone()]);
        let candidates = [first_from(value), first_from(&in_list)];
        let mut known = candidates.into_iter().flatten();
        known.any(|candidate| value.leads_to(candidate))
    }
}

/// One operation of a [`Subhistory`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Compiled {
    /// The operation of the history.
    pub(super) id: OperationId,
    /// What it does.
    pub(super) step: Step,
    /// An operation that does the same and may go before this one without
    /// loss, see [`link_twins`].
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

impl Subhistory {
    /// Whether a completed operation needs a state that no operation can make,
    /// in whatever order: a corrupted value for instance. Such a history is
    /// lost, and saying so early spares the search every order of the rest.
    pub(super) fn has_foreign_state(&self) -> bool {
        let steps = || self.operations.iter().map(|one| one.step);
        let made: BTreeSet<StateId> = steps().filter_map(Step::makes).collect();
        let pieces: BTreeSet<StateId> = steps()
            .filter_map(|step| match step {
                Step::Append(piece) => Some(piece),
                Step::Read(_) | Step::Write(_) | Step::Swap(..) => None,
                Step::Refuse(_) | Step::MaybeSwap(..) => None,
            })
            .collect();
        let completed = self.operations[..self.completed].iter();
        let needed: BTreeSet<StateId> = completed.filter_map(|one| one.step.needs()).collect();
        let is_foreign = |state: StateId| {
            let value = self.states.value(state);
            let is_appended = |&piece: &StateId| value.can_end_with(self.states.value(piece));
            state != States::INITIAL && !made.contains(&state) && !pieces.iter().any(is_appended)
        };
        needed.into_iter().any(is_foreign)
    }
}

/// Compiles the events of one key. An operation whose return is not among the
/// events is open: the same function serves a prefix of a history.
pub(super) fn compile(history: &History, model: Model, events: &[Event]) -> Subhistory {
    let returned = returned_operations(history, events);
    let mut compiler = Compiler {
        history,
        states: States::new(model),
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

    fn state(&mut self, value: &Value) -> StateId {
        self.states.intern_state(value)
    }

    fn completed_step(&mut self, call: &Call, outcome: &Outcome) -> Option<Step> {
        match (call, outcome) {
            (Call::Read, Outcome::Read(seen)) => Some(Step::Read(self.state(seen))),
            (Call::CompareAndSwap { expected, .. }, Outcome::Refused) => {
                Some(Step::Refuse(self.state(expected)))
            }
            (Call::CompareAndSwap { expected, new }, _) if expected == new => {
                Some(Step::Read(self.state(expected)))
            }
            (Call::CompareAndSwap { expected, new }, _) => {
                Some(Step::Swap(self.state(expected), self.state(new)))
            }
            (Call::Write(value), _) => Some(Step::Write(self.state(value))),
            (Call::Append(value), _) => Some(Step::Append(self.states.intern(value))),
            (Call::Read, _) => None,
        }
    }

    /// An open read and a swap of equal values constrain nothing.
    fn open_step(&mut self, call: &Call) -> Option<Step> {
        match call {
            Call::Read => None,
            Call::Write(value) => Some(Step::Write(self.state(value))),
            Call::CompareAndSwap { expected, new } if expected == new => None,
            Call::CompareAndSwap { expected, new } => {
                Some(Step::MaybeSwap(self.state(expected), self.state(new)))
            }
            Call::Append(value) => Some(Step::Append(self.states.intern(value))),
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
        let needed: BTreeSet<StateId> = all.filter_map(|one| one.step.names()).collect();
        let is_needed =
            |one: &Compiled| one.step.makes().is_none_or(|state| needed.contains(&state));
        self.open.retain(is_needed);
    }

    fn finish(mut self, events: &[Event]) -> Subhistory {
        let has_append = self.has_append();
        let completed = self.completed.len();
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
        let named = operations.iter().filter_map(|one| one.step.names());
        let named = named.map(|state| self.states.value(state).clone());
        self.states.named = named.collect();
        let entries: Vec<Entry> = events.iter().filter_map(entry).collect();
        link_twins(&mut operations, &entries);
        Subhistory {
            entries,
            operations,
            completed,
            states: self.states,
            has_append,
        }
    }
}

/// Gives every operation its twin. Two operations that do the same are
/// interchangeable where both fit, so one that both begins and must end no
/// later than another may as well go first.
fn link_twins(operations: &mut [Compiled], entries: &[Entry]) {
    const CANDIDATES_MAX: usize = 32;
    let mut ends = vec![usize::MAX; operations.len()];
    for (position, entry) in entries.iter().enumerate() {
        if let Entry::Return(index) = entry {
            ends[*index as usize] = position;
        }
    }
    let mut alike: BTreeMap<Step, Vec<u32>> = BTreeMap::new();
    for entry in entries {
        let Entry::Call(index) = *entry else {
            continue;
        };
        let one = &mut operations[index as usize];
        let earlier = alike.entry(one.step).or_default();
        let mut nearest = earlier.iter().rev().take(CANDIDATES_MAX).copied();
        one.twin = nearest.find(|&twin| ends[twin as usize] <= ends[index as usize]);
        earlier.push(index);
    }
}
