//! Runs a scenario from end to end: builds its machines, watches them, judges, leaves a run record.
//!
//! ```text
//!   Scenario ──▶ stages: cast + watch ──▶ engine ──▶ checkers, recorders ──▶ RunRecord
//! ```
//!
//! Start at [`run`]. A further protocol is one file under `stages/` and one line there; a protocol
//! that no scenario table names is run with [`run_cast`]. Must not know files, arguments or
//! terminals; the only thing it leaves open in a record is how long the run took in real time.

mod directed;
mod perform;
mod recorder;
mod stages;
mod story;
mod tables;
mod verify;
mod watch;

use std::sync::Arc;

use fedsim_record::RunRecord;
use fedsim_scenarios::Scenario;

#[cfg(test)]
pub(crate) use directed::run_story;
pub use directed::{Directed, Names, Scene, TRANSCRIPT_FILE};
pub use perform::run_cast;
pub(crate) use recorder::seconds;
pub(crate) use stages::{Fates, KeyEnd, key_scheme};
pub use stages::{FederationCast, PbftCast, RaftCast, RumorCast, SwimCast};
pub use verify::verify_cast;
pub use watch::{Watch, WatchReport};

use crate::engine::{PeerPanic, RunControl};
use crate::time::SimTime;

/// How to run, none of which changes what happens.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Threads for the engine; `None` lets it choose by the number of peers.
    pub threads: Option<usize>,
    /// Cores that may be used when the engine chooses. At least 1.
    pub available: usize,
    /// Whether every single message is written down, whatever the scenario says.
    pub trace: bool,
    /// Tells how far the run is, and tells the run to stop.
    pub control: Arc<RunControl>,
    /// The command line that gives the same run again.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// Source commit of the program, or `unknown`.
    pub commit: String,
}

/// Why there is no run record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunFailure {
    /// A machine panicked: our own bug, or that of the protocol under test.
    #[error(transparent)]
    Panic(#[from] PeerPanic),
    /// It was told to stop.
    #[error("the run was cancelled")]
    Cancelled,
    /// The scenario asks for what this version cannot run; the text says for what.
    #[error("{0}")]
    Unsupported(String),
}

/// What came of running a scenario several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Every run made, in order.
    pub runs: Vec<VerifiedRun>,
    /// The first difference between the first run and the first that differs from it.
    pub difference: Option<Difference>,
}

impl Verification {
    /// Whether all runs were the same.
    pub fn holds(&self) -> bool {
        self.runs
            .windows(2)
            .all(|two| two[0].digest == two[1].digest)
    }
}

/// One of the runs of a [`Verification`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRun {
    /// Threads of the engine.
    pub threads: usize,
    /// Its run digest, 64 hexadecimal digits.
    pub digest: String,
}

/// The first event in which two runs of one scenario differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Threads of the two runs.
    pub threads: [usize; 2],
    /// When and what; `None` if the runs agreed when they were traced, so that the difference does
    /// not come back.
    pub event: Option<DifferingEvent>,
}

/// An event that one run has and another has not, or has otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferingEvent {
    /// Its virtual time, the earlier one if they differ.
    pub at: SimTime,
    /// Nickname of the peer it happened at.
    pub peer: String,
    /// `control`, `timer` or `delivery`.
    pub class: &'static str,
    /// Nickname of the peer it came from.
    pub from: String,
    /// What happened in each of the two runs; `None` where it ended before.
    pub texts: [Option<String>; 2],
}

/// Runs `scenario` once and judges it.
///
/// `wall_seconds` of the summary is 0 until the caller fills it in.
///
/// # Errors
/// [`RunFailure`]: a panic of a machine, cancellation, or a scenario that cannot be run.
pub fn run(scenario: &Scenario, options: &RunOptions) -> Result<RunRecord, RunFailure> {
    stages::of(scenario)?.run(options)
}

/// Runs `scenario` again and again, on one thread and on two, and compares.
///
/// # Errors
/// [`RunFailure`], as for [`run`].
pub fn verify(scenario: &Scenario, options: &RunOptions) -> Result<Verification, RunFailure> {
    stages::of(scenario)?.verify(options)
}

/// Whether `scenario` can be run at all, without running it.
///
/// # Errors
/// [`RunFailure::Unsupported`], just where [`run`] would give it.
pub fn check(scenario: &Scenario) -> Result<(), RunFailure> {
    stages::of(scenario).map(drop)
}

/// The metrics that a run of `scenario` can report, for checking `[expect]` before it runs.
pub fn metric_names(scenario: &Scenario) -> Vec<String> {
    stages::of(scenario).map_or_else(|_| Vec::new(), |stage| stage.metric_names())
}

/// The invariants that a run of `scenario` can judge.
pub fn invariant_names(scenario: &Scenario) -> Vec<&'static str> {
    stages::of(scenario).map_or_else(|_| Vec::new(), |stage| stage.invariant_names())
}
