//! What the runner asks of the checkers and recorders of one protocol.

use std::collections::BTreeMap;

use fedsim_protocols::{PeerId, Protocol, SimDuration};
use fedsim_record::{Attachment, Expectation, Outcome as Answer, Tables};
use fedsim_scenarios::Scenario;

use super::recorder::is_of_life;
use crate::adversary::BehaviourTally;
use crate::checkers::Finding;
use crate::engine::{Notice, Observer, Outcome, World};
use crate::time::SimTime;

/// Watches one run of one protocol: its checkers, and what it measures.
pub trait Watch<P: Protocol>: Observer<P> {
    /// How often it wants to be asked for samples, given what the scenario says.
    fn sample_every(&self, scenario: &Scenario) -> SimDuration {
        scenario.report.interval
    }

    /// Asks it, before the run, to write a trace of its own protocol: all messages are told to it.
    fn write_trace(&mut self) {}

    /// Whether an event of one of `peers` belongs to the story of a violation that concerns them.
    fn concerns(event: &P::Event, peers: &[PeerId]) -> bool {
        let _ = (event, peers);
        true
    }

    /// Whether an event is worth a line in the table of events.
    fn is_of_interest(&self, event: &P::Event) -> bool {
        let _ = event;
        true
    }

    /// The name of the kind of a request, for the table of latencies.
    fn operation(&self, request: &P::Request) -> &'static str {
        let _ = request;
        "request"
    }

    /// What a reply means for whoever asked.
    fn answer(&self, reply: &P::Reply) -> Answer {
        let _ = reply;
        Answer::Ok
    }

    /// Something happened at a peer that does not keep to the protocol: what it says counts for
    /// nothing, so only its lives are taken note of.
    fn byzantine(&mut self, notice: &Notice<P>, world: &World<'_>) {
        if is_of_life(&notice.what) {
            self.notice(notice, world);
        }
    }

    /// What its checker of this invariant says so far, if it can be asked in the course of a run.
    fn finding(&mut self, invariant: &str, now: SimTime) -> Option<Finding> {
        let _ = (invariant, now);
        None
    }

    /// Says what it found, once the run is over.
    fn finish(&mut self, outcome: &Outcome, report: &mut WatchReport);

    /// The metrics that it may report.
    fn metric_names() -> Vec<String>;

    /// The invariants that it can judge.
    fn invariant_names() -> Vec<&'static str>;
}

/// What a [`Watch`] found.
#[derive(Debug, Default)]
pub struct WatchReport {
    /// What the checkers say.
    pub findings: Vec<Finding>,
    /// Numbers by name; each name ends with its unit.
    pub metrics: BTreeMap<String, f64>,
    /// Rows of the tables it fills.
    pub tables: Tables,
    /// What had to come out besides what the scenario expects, judged already.
    pub expectations: Vec<Expectation>,
    /// Remarks for the reader.
    pub notes: Vec<String>,
    /// What adversaries did to what they handed over at the end.
    pub deeds: Vec<BehaviourTally>,
    /// Further files for the run directory.
    pub attachments: Vec<Attachment>,
}

impl WatchReport {
    /// Notes a metric, if there is a value and it is a number.
    pub fn metric(&mut self, name: &str, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into().filter(|value| value.is_finite()) {
            self.metrics.insert(name.to_owned(), value);
        }
    }
}
