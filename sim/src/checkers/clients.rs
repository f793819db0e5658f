//! What clients saw, as the judge of linearizability reads it.

use std::collections::BTreeMap;

use fedsim_protocols::RequestId;
use fedsim_record::Attachment;

use super::{Ledger, blame};
use crate::judge::{self, Budget, Call, History, Model, OperationId, Outcome, Verdict, edn, jsonl};
use crate::runner::WatchReport;
use crate::time::SimTime;

/// Collects operations. An operation whose outcome is unknown stays open, and its process number is
/// not used again; every operation under way has a number of its own.
pub(crate) struct Clients {
    history: History,
    pending: BTreeMap<RequestId, (OperationId, u64)>,
    idle: Vec<u64>,
    processes: u64,
    ok: u64,
    failed: u64,
    unknown: u64,
}

impl Clients {
    pub(crate) fn new() -> Self {
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

    /// An operation begins; how it is called is told when it ends, by the same id.
    pub(crate) fn invoked(&mut self, at: SimTime, id: RequestId, key: u64, call: Call) {
        let process = self.idle.pop().unwrap_or_else(|| {
            self.processes += 1;
            self.processes - 1
        });
        let operation = self.invoke(process, at, key, call);
        self.pending.insert(id, (operation, process));
    }

    /// An operation took effect for which nobody who can be believed waits: it stays open.
    pub(crate) fn opened(&mut self, at: SimTime, key: u64, call: Call) {
        let process = self.processes;
        self.processes += 1;
        self.invoke(process, at, key, call);
    }

    fn invoke(&mut self, process: u64, at: SimTime, key: u64, call: Call) -> OperationId {
        let key = i64::try_from(key).ok().map(judge::Value::Int);
        let invoked = self.history.invoke(process, key, call, at.as_nanos());
        invoked.expect("BUG: a process number was given out twice")
    }

    /// An operation ends. An outcome that no such call can have says nothing of its effect.
    pub(crate) fn replied(&mut self, at: SimTime, id: RequestId, outcome: Outcome) {
        let Some((operation, process)) = self.pending.remove(&id) else {
            return;
        };
        let count = match &outcome {
            Outcome::Open => &mut self.unknown,
            Outcome::Failed => &mut self.failed,
            Outcome::Read(_) | Outcome::Done | Outcome::Refused => &mut self.ok,
        };
        *count += 1;
        if outcome != Outcome::Open {
            self.idle.push(process);
        }
        let nanos = at.as_nanos();
        if self.history.complete(operation, outcome, nanos).is_err() {
            let open = self.history.complete(operation, Outcome::Open, nanos);
            open.expect("BUG: somebody answered what was not asked");
        }
    }

    /// Judges the whole history into `ledger`, which may have left its assumptions.
    pub(crate) fn judge(&self, end: SimTime, mut ledger: Ledger) -> Ledger {
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

    /// Fills in the counts and, if anything was asked, the history.
    pub(crate) fn report(&self, report: &mut WatchReport) {
        let counts = [
            self.ok,
            self.failed,
            self.unknown,
            self.pending.len() as u64,
        ];
        for (name, count) in Self::METRICS.iter().zip(counts) {
            report.metric(name, count as f64);
        }
        if !self.history.operations().is_empty() {
            let attach = |name: &str, text| Attachment {
                name: name.to_owned(),
                text,
            };
            report.attachments.extend([
                attach("history.edn", edn::write(&self.history)),
                attach("history.jsonl", jsonl::write(&self.history)),
            ]);
        }
    }

    /// Its own metrics.
    pub(crate) const METRICS: [&'static str; 4] = [
        "operations_ok",
        "operations_failed",
        "operations_unknown",
        "operations_unanswered",
    ];
}
