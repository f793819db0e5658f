//! Which machines and which watch a scenario's protocol table stands for.

use fedsim_record::RunRecord;
use fedsim_scenarios::Scenario;

use super::{RunFailure, RunOptions, Verification};

/// A scenario with its machines and its watch.
pub(super) trait Stage {
    fn run(&self, options: &RunOptions) -> Result<RunRecord, RunFailure>;
    fn verify(&self, options: &RunOptions) -> Result<Verification, RunFailure>;
    fn metric_names(&self) -> Vec<String>;
    fn invariant_names(&self) -> Vec<&'static str>;
}

/// The stage of the one protocol that `scenario` runs.
pub(super) fn of(scenario: &Scenario) -> Result<Box<dyn Stage + '_>, RunFailure> {
    let found = scenario.protocols.len();
    Err(RunFailure::Unsupported(format!(
        "a run has exactly one protocol table, this scenario has {found}"
    )))
}
