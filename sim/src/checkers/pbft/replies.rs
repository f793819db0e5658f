//! Client validity: what an honest client accepts is what its request's execution gave.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Execution, Timestamp};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::REPLIES;
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// The results of one request.
#[derive(Clone, Copy, Debug, Default)]
struct Results {
    /// What honest replicas executed for good.
    executed: Option<u64>,
    /// What some of them last executed before it committed.
    tentative: Option<u64>,
    accepted: Option<u64>,
}

/// Judges accepted results (Castro and Liskov 1999, section 4.1). A tentative result is judged when
/// its request executes for good (TOCS 2002, section 5.1.2).
pub(super) struct Replies {
    ledger: Ledger,
    /// Looked up, never walked through.
    results: HashMap<(PeerId, Timestamp), Results, FxBuildHasher>,
}

impl Replies {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(REPLIES),
            results: HashMap::default(),
        }
    }

    pub(super) fn executed(&mut self, at: SimTime, execution: &Execution) {
        let key = (execution.client, execution.timestamp);
        let results = self.results.entry(key).or_default();
        results.executed.get_or_insert(execution.outcome);
        if results
            .accepted
            .is_some_and(|it| Some(it) != results.executed)
        {
            self.object(at, key);
        }
    }

    pub(super) fn executed_tentatively(&mut self, execution: &Execution) {
        let key = (execution.client, execution.timestamp);
        self.results.entry(key).or_default().tentative = Some(execution.outcome);
    }

    /// A client accepts a result of an ordered request.
    pub(super) fn accepted(&mut self, at: SimTime, key: (PeerId, Timestamp), outcome: u64) {
        self.ledger.exercise();
        let results = self.results.entry(key).or_default();
        results.accepted = Some(outcome);
        let given = match results.executed {
            Some(executed) => executed == outcome,
            None => results.tentative == Some(outcome),
        };
        if !given {
            self.object(at, key);
        }
    }

    fn object(&mut self, at: SimTime, (client, timestamp): (PeerId, Timestamp)) {
        blame(&mut self.ledger, at, &[client], || {
            format!(
                "{client} accepted a result for request {timestamp} that its execution did not give"
            )
        });
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
