//! Why a history is not linearizable, told as briefly as possible.
//!
//! Linearizability is prefix-closed (Herlihy & Wing 1990), so
//! there is a first return at which it is lost; everything after that is
//! beside the point. Must not know how the search works.

use super::compile::{Subhistory, compile, is_definite};
use super::history::{Call, Edge, Event, History, OperationId, Outcome};
use super::model::Model;
use super::value::Value;
use super::wgl::{Ending, search};

/// Most steps spent on telling a failure that is proven already.
const TELLING_STEPS_MAX: u64 = 500_000;

/// The smallest prefix that has no linearization, and how far one can get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The key whose history cannot be explained.
    pub key: Option<Value>,
    /// The operations of that key invoked within the prefix, by invocation.
    pub prefix: Vec<OperationId>,
    /// The operation whose return ends the prefix. Without that return the
    /// history is linearizable.
    pub ended_by: OperationId,
    /// Position of that return in [`History::events`].
    pub ends_at: usize,
    /// The longest order found that explains everything before that return,
    /// with the value each operation left behind. Where the outcome of the last
    /// operation is what contradicts the rest, it may stand here as if that
    /// outcome were another.
    pub linearized: Vec<(OperationId, Value)>,
    /// The operations of the prefix for which that order has no place: the one
    /// that returned, and those still under way at that moment.
    pub unplaced: Vec<OperationId>,
    /// Values the object may have held when the last operation had to take
    /// effect at the latest; never all of them if there are more than eight.
    pub held: Vec<Value>,
    /// Whether the prefix is proven to be the smallest. Only a search that ran
    /// out of its budget leaves that open.
    pub is_minimal: bool,
}

/// The events of one key with their positions in the whole history.
pub(super) struct KeyEvents {
    pub(super) key: Option<Value>,
    pub(super) events: Vec<Event>,
    pub(super) positions: Vec<usize>,
}

/// Finds the smallest prefix of a key's history that cannot be linearized.
/// The whole of it cannot, and `returns_passed` returns certainly can.
pub(super) fn explain(
    history: &History,
    model: Model,
    of_key: &KeyEvents,
    returns_passed: usize,
    budget: u64,
) -> Stuck {
    let mut prober = Prober {
        history,
        model,
        of_key,
        budget,
        returns: definite_returns(history, &of_key.events),
    };
    let (first_bad, is_minimal) = prober.first_bad_return(returns_passed);
    prober.tell(first_bad, is_minimal)
}

/// Positions, within the key's events, of the returns that constrain the order.
fn definite_returns(history: &History, events: &[Event]) -> Vec<usize> {
    let is_definite_return = |event: &Event| {
        event.edge == Edge::Returned && is_definite(&history.operation(event.operation).outcome)
    };
    let numbered = events.iter().enumerate();
    numbered
        .filter(|(_, event)| is_definite_return(event))
        .map(|(position, _)| position)
        .collect()
}

struct Prober<'a> {
    history: &'a History,
    model: Model,
    of_key: &'a KeyEvents,
    /// Steps left to look for a smaller prefix.
    budget: u64,
    returns: Vec<usize>,
}

impl Prober<'_> {
    /// The events up to and including the return of that rank.
    fn prefix(&self, rank: usize) -> &[Event] {
        &self.of_key.events[..=self.returns[rank]]
    }

    fn compiled(&self, rank: usize) -> Subhistory {
        compile(self.history, self.model, self.prefix(rank))
    }

    /// Rank of the return at which linearizability is lost, and whether every
    /// search that led there came to an end.
    ///
    /// Invariant: the prefix before rank `low` is linearizable, the one that
    /// includes rank `high` is not. The search that failed first mostly stops
    /// right at the culprit, so the steps upwards double from there.
    fn first_bad_return(&mut self, returns_passed: usize) -> (usize, bool) {
        let mut high = self.returns.len() - 1;
        let mut low = returns_passed.min(high);
        let mut stride = 1;
        let mut is_certain = true;
        while low < high {
            let middle = low + (high - low) / 2;
            let rank = middle.min(low + stride - 1);
            let (found, _) = search(self.compiled(rank), self.budget, true);
            self.budget = self.budget.saturating_sub(found.steps);
            match found.ending {
                Ending::Found(_) => low = rank + 1,
                Ending::Exhausted => high = rank,
                Ending::OutOfBudget => {
                    is_certain = false;
                    low = rank + 1;
                }
            }
            stride *= 2;
        }
        (high, is_certain)
    }

    /// Retells the failing prefix by a search that does not look ahead, so
    /// that it gets as far as the last return in every way there is. Where
    /// there are too many ways, one is told.
    fn tell(&self, rank: usize, is_minimal: bool) -> Stuck {
        let problem = self.compiled(rank);
        let ids = ids_of(&problem);
        let (found, states) = search(problem, TELLING_STEPS_MAX, false);
        let (linearized, held) = if found.returns_passed == rank {
            let held = found.held.iter().map(|&state| states.value(state).clone());
            (self.replay(&found.longest, &ids), held.collect())
        } else {
            let witness = self.witness(rank);
            let last = witness.last().map(|(_, value)| value.clone());
            (witness, vec![last.unwrap_or_default()])
        };
        self.assemble(rank, is_minimal, linearized, held)
    }

    /// A linearization of everything before the return of that rank, empty if
    /// none is known.
    fn witness(&self, rank: usize) -> Vec<(OperationId, Value)> {
        let Some(before) = rank.checked_sub(1) else {
            return Vec::new();
        };
        let problem = self.compiled(before);
        let ids = ids_of(&problem);
        let (found, _) = search(problem, self.budget.max(TELLING_STEPS_MAX), true);
        match found.ending {
            Ending::Found(order) => self.replay(&order, &ids),
            Ending::Exhausted | Ending::OutOfBudget => self.replay(&found.longest, &ids),
        }
    }

    /// An order in terms of the history, with the value after each operation.
    fn replay(&self, order: &[u32], ids: &[OperationId]) -> Vec<(OperationId, Value)> {
        let mut held = Value::Nil;
        let step = |&operation: &u32| {
            let id = ids[operation as usize];
            let operation = self.history.operation(id);
            match &operation.call {
                Call::Read => {}
                Call::CompareAndSwap { .. } if operation.outcome == Outcome::Refused => {}
                Call::Write(value) | Call::CompareAndSwap { new: value, .. } => {
                    held = value.clone();
                }
                Call::Append(piece) => held = held.appended(piece),
            }
            (id, held.clone())
        };
        order.iter().map(step).collect()
    }

    fn assemble(
        &self,
        rank: usize,
        is_minimal: bool,
        linearized: Vec<(OperationId, Value)>,
        mut held: Vec<Value>,
    ) -> Stuck {
        held.sort_unstable();
        let end = self.returns[rank];
        let culprit = self.of_key.events[end].operation;
        let events = self.prefix(rank).iter();
        let invoked = events.filter(|event| event.edge == Edge::Invoked);
        let prefix: Vec<OperationId> = invoked.map(|event| event.operation).collect();
        let mut placed: Vec<OperationId> = linearized.iter().map(|(id, _)| *id).collect();
        placed.sort_unstable();
        let has_no_place = |id: &OperationId| {
            let happened = self.history.operation(*id).outcome != Outcome::Failed;
            let has_place = *id != culprit && placed.binary_search(id).is_ok();
            happened && !has_place
        };
        Stuck {
            key: self.of_key.key.clone(),
            unplaced: prefix.iter().copied().filter(has_no_place).collect(),
            prefix,
            ended_by: culprit,
            ends_at: self.of_key.positions[end],
            linearized,
            held,
            is_minimal,
        }
    }
}

fn ids_of(problem: &Subhistory) -> Vec<OperationId> {
    problem.operations.iter().map(|one| one.id).collect()
}
