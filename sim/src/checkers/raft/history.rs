//! What clients saw, as the judge of linearizability reads it.

use std::collections::BTreeMap;

use fedsim_protocols::RequestId;
use fedsim_protocols::raft::{Operation, Outcome, RaftReply, Value};

use super::{LINEARIZABLE, blame};
use crate::checkers::Ledger;
use crate::judge::{self, Budget, Call, History, Model, OperationId, Verdict};
use crate::time::SimTime;

/// Collects operations. An operation whose outcome is unknown stays open, and its process number is
/// not used again; every operation under way has a number of its own.
pub(super) struct Clients {
    history: History,
    pending: BTreeMap<RequestId, (OperationId, u64)>,
    idle: Vec<u64>,
    processes: u64,
    pub(super) ok: u64,
    pub(super) failed: u64,
    pub(super) unknown: u64,
}

impl Clients {
    pub(super) fn new() -> Self {
        Self {
            history: History::new(),
            pending: BTreeMap::new(),
            idle: Vec::new(),
            processes: 0,
            ok: 0,
            failed: 0,
            unknown: 0,
        }
    }

    pub(super) fn invoked(&mut self, at: SimTime, id: RequestId, operation: &Operation) {
        let process = self.idle.pop().unwrap_or_else(|| {
            self.processes += 1;
            self.processes - 1
        });
        let key = i64::try_from(operation.key()).ok().map(judge::Value::Int);
        let invoked = self
            .history
            .invoke(process, key, call(operation), at.as_nanos());
        let operation = invoked.expect("BUG: a process number was given out twice");
        self.pending.insert(id, (operation, process));
    }

    pub(super) fn replied(&mut self, at: SimTime, id: RequestId, reply: &RaftReply) {
        let Some((operation, process)) = self.pending.remove(&id) else {
            return;
        };
        let outcome = outcome(reply);
        let count = match &outcome {
            judge::Outcome::Open => &mut self.unknown,
            judge::Outcome::Failed => &mut self.failed,
            judge::Outcome::Read(_) | judge::Outcome::Done | judge::Outcome::Refused => {
                &mut self.ok
            }
        };
        *count += 1;
        if outcome != judge::Outcome::Open {
            self.idle.push(process);
        }
        let completed = self.history.complete(operation, outcome, at.as_nanos());
        completed.expect("BUG: a server answered what was not asked");
    }

    /// Operations without an answer when the run ended.
    pub(super) fn unanswered(&self) -> u64 {
        self.pending.len() as u64
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Judges the whole history; `broken` says which assumption of the read mode the run left.
    pub(super) fn judge(&self, end: SimTime, broken: Option<&'static str>) -> Ledger {
        let mut ledger = Ledger::new(LINEARIZABLE);
        if let Some(broken) = broken {
            ledger.leave_assumptions(|| broken.to_owned());
        }
        if self.ok > 0 {
            ledger.exercise();
        }
        let model = Model::fitting(&self.history);
        let judged = judge::judge(&self.history, model, Budget::default())
            .expect("BUG: the model that fits does not fit");
        match judged.verdict {
            Verdict::Linearizable => {}
            Verdict::Unknown => {
                ledger.leave_assumptions(|| "the budget of the judge ran out".to_owned());
            }
            Verdict::NotLinearizable => {
                let text = judge::picture::text(&self.history, &judged);
                blame(&mut ledger, end, &[], || text);
            }
        }
        ledger
    }
}

fn value(value: &Value) -> judge::Value {
    judge::Value::Text(value.to_string())
}

fn call(operation: &Operation) -> Call {
    match operation {
        Operation::Read { .. } => Call::Read,
        Operation::Write { value: new, .. } => Call::Write(value(new)),
        Operation::CompareAndSwap {
            expected,
            value: new,
            ..
        } => Call::CompareAndSwap {
            expected: value(expected),
            new: value(new),
        },
        Operation::Append { value: tail, .. } => Call::Append(value(tail)),
    }
}

fn outcome(reply: &RaftReply) -> judge::Outcome {
    match reply {
        RaftReply::Ok { outcome } => match outcome {
            Outcome::Read { value: None } => judge::Outcome::Read(judge::Value::Nil),
            Outcome::Read { value: Some(held) } => judge::Outcome::Read(value(held)),
            Outcome::Swapped { swapped: false } => judge::Outcome::Refused,
            Outcome::Swapped { swapped: true }
            | Outcome::Written
            | Outcome::Appended
            | Outcome::Accomplished => judge::Outcome::Done,
        },
        RaftReply::Fail { .. } => judge::Outcome::Failed,
        RaftReply::Unknown { .. } => judge::Outcome::Open,
    }
}
