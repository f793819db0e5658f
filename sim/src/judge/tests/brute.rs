//! A second judge too simple to be wrong: it tries every order of the
//! operations of all keys at once, without memory, pruning or locality.

use std::collections::BTreeMap;

use super::super::*;

type Store = BTreeMap<Option<Value>, Value>;

struct Candidate<'a> {
    call: &'a Call,
    key: &'a Option<Value>,
    /// `None` if nobody knows.
    outcome: Option<&'a Outcome>,
    invoked_at: usize,
    /// Never, for an open operation.
    returned_at: usize,
}

/// Whether the first `events` events have a linearization.
pub(super) fn is_linearizable(history: &History, model: Model, events: usize) -> bool {
    let mut candidates: BTreeMap<OperationId, Candidate<'_>> = BTreeMap::new();
    for (at, event) in history.events()[..events].iter().enumerate() {
        let operation = history.operation(event.operation);
        let is_known = !matches!(operation.outcome, Outcome::Open | Outcome::Failed);
        match event.edge {
            Edge::Invoked if operation.outcome == Outcome::Failed => {}
            Edge::Invoked => {
                let candidate = Candidate {
                    call: &operation.call,
                    key: &operation.key,
                    outcome: None,
                    invoked_at: at,
                    returned_at: usize::MAX,
                };
                candidates.insert(event.operation, candidate);
            }
            Edge::Returned if is_known => {
                let candidate = candidates.get_mut(&event.operation);
                let candidate = candidate.expect("an invocation stands before its return");
                candidate.outcome = Some(&operation.outcome);
                candidate.returned_at = at;
            }
            Edge::Returned => {}
        }
    }
    let candidates: Vec<Candidate<'_>> = candidates.into_values().collect();
    extend(&candidates, &mut Vec::new(), &Store::new(), model)
}

fn extend(
    candidates: &[Candidate<'_>],
    placed: &mut Vec<usize>,
    store: &Store,
    model: Model,
) -> bool {
    let left: Vec<usize> = (0..candidates.len())
        .filter(|index| !placed.contains(index))
        .collect();
    let first_return = left
        .iter()
        .map(|&index| candidates[index].returned_at)
        .min();
    if left
        .iter()
        .all(|&index| candidates[index].outcome.is_none())
    {
        return true;
    }
    left.iter().any(|&index| {
        let candidate = &candidates[index];
        if first_return.is_some_and(|at| at < candidate.invoked_at) {
            return false;
        }
        let Some(after) = apply(candidate, store, model) else {
            return false;
        };
        placed.push(index);
        let is_explained = extend(candidates, placed, &after, model);
        placed.pop();
        is_explained
    })
}

/// The store after the operation, unless its outcome contradicts the store.
fn apply(candidate: &Candidate<'_>, store: &Store, model: Model) -> Option<Store> {
    let same = |one: &Value, other: &Value| {
        let is_absent = |value: &Value| {
            *value == Value::Nil || model == Model::KeyValue && *value == Value::from("")
        };
        one == other || is_absent(one) && is_absent(other)
    };
    let held = store.get(candidate.key).cloned().unwrap_or_default();
    let after = match (candidate.call, candidate.outcome) {
        (Call::Read, Some(Outcome::Read(seen))) if !same(seen, &held) => return None,
        (Call::Read, _) => held,
        (Call::Write(value), _) => value.clone(),
        (Call::Append(piece), _) => held.appended(piece),
        (Call::CompareAndSwap { expected, new }, outcome) => {
            let matches = same(expected, &held);
            match outcome {
                Some(Outcome::Refused) if matches => return None,
                Some(Outcome::Done) if !matches => return None,
                _ if matches => new.clone(),
                _ => held,
            }
        }
    };
    let mut store = store.clone();
    store.insert(candidate.key.clone(), after);
    Some(store)
}
