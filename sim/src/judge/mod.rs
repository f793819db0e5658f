//! The linearizability checker.
//!
//! Start at [`judge`]: a [`History`] of client operations and a [`Model`] go
//! in, a [`Judgement`] comes out. [`read()`] understands three notations of a
//! history, [`edn::write`] and [`jsonl::write`] export one, and
//! [`picture::svg()`] and [`picture::text()`] show why a history failed.
//!
//! Each key is judged apart (Horn & Kroening 2015) by the search of Wing & Gong
//! 1993 and Lowe 2017, within a budget counted in steps, so that a verdict is
//! the same on every machine.
//!
//! Must not know the engine, the protocols or the scenario: a history is all
//! there is. It is deterministic and reads no clock.

mod compile;
pub mod edn;
pub mod generate;
mod history;
pub mod jepsen_log;
pub mod jsonl;
mod model;
pub mod picture;
mod read;
mod stuck;
mod value;
mod wgl;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use compile::compile;
use stuck::{KeyEvents, explain};
use wgl::{Ending, search};

pub use history::{Call, Edge, Event, History, HistoryError, Operation, OperationId, Outcome};
pub use model::{Model, UnfitOperation, UnknownModel};
pub use read::{Format, ReadError, read, read_as};
pub use stuck::Stuck;
pub use value::Value;

/// What a judge may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most steps of the search of one key; a step looks at one operation, and
    /// copying eight bytes of an appended value counts as one. Memory grows by
    /// at most some 100 bytes a step. More steps turn an unknown verdict into
    /// a definite one.
    pub steps_per_key: u64,
}

impl Default for Budget {
    /// Ten million steps a key: a few seconds at the very worst.
    fn default() -> Self {
        Self {
            steps_per_key: 10_000_000,
        }
    }
}

/// Whether a history is linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Some order of the operations explains every outcome.
    Linearizable,
    /// No order does.
    NotLinearizable,
    /// The budget ran out before either was proven.
    Unknown,
}

impl Verdict {
    /// Exit code of the command line: 0 linearizable, 1 not, 4 unknown.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Linearizable => 0,
            Verdict::NotLinearizable => 1,
            Verdict::Unknown => 4,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Linearizable => "linearizable",
            Verdict::NotLinearizable => "not linearizable",
            Verdict::Unknown => "unknown",
        })
    }
}

/// The verdict on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyJudgement {
    /// The key; `None` in a history of one register.
    pub key: Option<Value>,
    /// The verdict on its operations alone.
    pub verdict: Verdict,
    /// How many operations the key has, failed ones included.
    pub operations: usize,
    /// Steps the search took.
    pub steps: u64,
    /// If linearizable, an order that proves it. Operations that constrain
    /// nothing (failed ones, open ones that need not have happened) are absent.
    pub linearization: Vec<OperationId>,
}

/// What the judge says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict on the whole: not linearizable if any key is not, else
    /// unknown if any key is unknown.
    pub verdict: Verdict,
    /// The model it was judged against.
    pub model: Model,
    /// One verdict a key, ordered by key.
    pub keys: Vec<KeyJudgement>,
    /// If not linearizable, the failure whose prefix ends first.
    pub stuck: Option<Stuck>,
}

impl Judgement {
    /// Steps of the searches that gave the verdicts.
    pub fn steps(&self) -> u64 {
        self.keys.iter().map(|key| key.steps).sum()
    }
}

/// Judges a history against a model, each key within its budget.
///
/// Operations that failed did not happen; open ones may take effect at any
/// time after their invocation, or never.
///
/// # Errors
/// If the history has a call that the model does not admit.
pub fn judge(history: &History, model: Model, budget: Budget) -> Result<Judgement, UnfitOperation> {
    model.check(history)?;
    let mut keys = Vec::new();
    let mut stuck: Option<Stuck> = None;
    for of_key in split_by_key(history) {
        let (judgement, failure) = judge_key(history, model, budget, &of_key);
        keys.push(judgement);
        let is_first = |one: &Stuck| {
            stuck
                .as_ref()
                .is_none_or(|other| one.ends_at < other.ends_at)
        };
        if let Some(failure) = failure.filter(is_first) {
            stuck = Some(failure);
        }
    }
    let any = |verdict| keys.iter().any(|key| key.verdict == verdict);
    let verdict = if any(Verdict::NotLinearizable) {
        Verdict::NotLinearizable
    } else if any(Verdict::Unknown) {
        Verdict::Unknown
    } else {
        Verdict::Linearizable
    };
    Ok(Judgement {
        verdict,
        model,
        keys,
        stuck,
    })
}

/// The events of each key, by key.
fn split_by_key(history: &History) -> Vec<KeyEvents> {
    let mut slots = BTreeMap::new();
    let mut split: Vec<KeyEvents> = Vec::new();
    for (position, &event) in history.events().iter().enumerate() {
        let key = &history.operation(event.operation).key;
        let slot = *slots.entry(key).or_insert_with(|| {
            split.push(KeyEvents {
                key: key.clone(),
                events: Vec::new(),
                positions: Vec::new(),
            });
            split.len() - 1
        });
        split[slot].events.push(event);
        split[slot].positions.push(position);
    }
    split.sort_by(|one, other| one.key.cmp(&other.key));
    split
}

fn judge_key(
    history: &History,
    model: Model,
    budget: Budget,
    of_key: &KeyEvents,
) -> (KeyJudgement, Option<Stuck>) {
    let problem = compile(history, model, &of_key.events);
    let ids: Vec<OperationId> = problem.operations.iter().map(|one| one.id).collect();
    let (found, _) = search(problem, budget.steps_per_key, true);
    let (verdict, linearization, stuck) = match found.ending {
        Ending::Found(order) => {
            let order = order.iter().map(|&operation| ids[operation as usize]);
            (Verdict::Linearizable, order.collect(), None)
        }
        Ending::Exhausted => {
            let passed = found.returns_passed;
            let stuck = explain(history, model, of_key, passed, budget.steps_per_key);
            (Verdict::NotLinearizable, Vec::new(), Some(stuck))
        }
        Ending::OutOfBudget => (Verdict::Unknown, Vec::new(), None),
    };
    let is_invocation = |event: &&Event| event.edge == Edge::Invoked;
    let judgement = KeyJudgement {
        key: of_key.key.clone(),
        verdict,
        operations: of_key.events.iter().filter(is_invocation).count(),
        steps: found.steps,
        linearization,
    };
    (judgement, stuck)
}
