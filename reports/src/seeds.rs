//! Many runs of one scenario: what they came to together.
//!
//! A [`SeedsDirectory`] takes one record after the other and keeps of each a row; its
//! [`SeedsSummary`] is the JSON object of such a command. Must not know how runs are scheduled.

mod directory;
mod page;
mod pooled;
mod text;

use std::collections::BTreeMap;

use fedsim_record::{Expectation, Holds, RunRow, Summary, Verdict};
use serde::{Deserialize, Serialize};

use crate::number::trim_zeros;

pub use directory::SeedsDirectory;
pub(crate) use directory::{read_summary, render};
pub use pooled::{Pooled, pooled};
pub use text::seeds_text;

/// The value of [`SeedsSummary::schema`] that this version writes.
pub const SEEDS_SCHEMA: &str = "fedsim-seeds/1";

/// What many runs of one scenario came to: the JSON object of `run --seeds`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedsSummary {
    /// Marks the file as ours and names its shape: [`SEEDS_SCHEMA`].
    pub schema: String,
    /// Version of fedsim that ran.
    pub version: String,
    /// Source commit of the binary that ran, or `unknown`.
    pub commit: String,
    /// Name of the scenario.
    pub scenario: String,
    /// The one sentence that the scenario claims.
    pub claim: String,
    /// Runs that were made.
    pub seeds: u64,
    /// Runs that passed.
    pub passed: u64,
    /// Seeds of the runs that were violated, ascending.
    pub failed: Vec<u64>,
    /// Seeds of the runs that could not be judged, ascending.
    pub unknown: Vec<u64>,
    /// Each run that did not pass, with the line that replays it, by seed.
    pub failures: Vec<SeedFailure>,
    /// What became of each line of `[expect.pooled]`, in the order of the file.
    #[serde(default)]
    pub expectations: Vec<Expectation>,
    /// In how many runs each invariant held, by name.
    #[serde(default)]
    pub invariants: BTreeMap<String, Found>,
    /// Statistics of each metric over the runs that have it.
    pub metrics: BTreeMap<String, Pooled>,
}

/// A run that did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedFailure {
    /// Seed of the run.
    pub seed: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// The first thing that was wrong, in one line.
    pub why: String,
    /// Command line that gives the same run again.
    pub replay: String,
}

/// What runs say of one invariant: how many say what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Runs in which it was put to the test and held.
    pub holds: u64,
    /// Runs in which it was violated.
    pub violated: u64,
    /// Runs that left its assumptions.
    pub assumption_broken: u64,
    /// Runs in which nothing could have violated it.
    pub never_exercised: u64,
}

impl Found {
    /// What one run says.
    pub(crate) fn of(holds: Holds) -> Self {
        let mut found = Self::default();
        let count = match holds {
            Holds::Holds => &mut found.holds,
            Holds::Violated => &mut found.violated,
            Holds::AssumptionBroken => &mut found.assumption_broken,
            Holds::NeverExercised => &mut found.never_exercised,
        };
        *count = 1;
        found
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.holds += other.holds;
        self.violated += other.violated;
        self.assumption_broken += other.assumption_broken;
        self.never_exercised += other.never_exercised;
    }
}

impl SeedsSummary {
    /// The outcome of all runs together: violated if any was or if a pooled expectation was
    /// missed, else unknown if any was.
    pub fn verdict(&self) -> Verdict {
        let all_met = self.expectations.iter().all(|one| one.met);
        match (self.failed.is_empty() && all_met, self.unknown.is_empty()) {
            (false, _) => Verdict::Violated,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Passed,
        }
    }

    /// The JSON object, indented, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("BUG: a summary has no map whose keys are not text");
        text.push('\n');
        text
    }

    /// The summary of no run yet, for the scenario that `first` ran.
    fn empty(first: &Summary) -> Self {
        Self {
            schema: SEEDS_SCHEMA.to_owned(),
            version: first.version.clone(),
            commit: first.commit.clone(),
            scenario: first.scenario.clone(),
            claim: first.claim.clone(),
            seeds: 0,
            passed: 0,
            failed: Vec::new(),
            unknown: Vec::new(),
            failures: Vec::new(),
            expectations: Vec::new(),
            invariants: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }

    fn add(&mut self, run: &Summary) {
        self.seeds += 1;
        for one in &run.invariants {
            let found = self.invariants.entry(one.name.clone()).or_default();
            found.add(&Found::of(one.holds));
        }
        match run.verdict {
            Verdict::Passed => {
                self.passed += 1;
                return;
            }
            Verdict::Violated => self.failed.push(run.seed),
            Verdict::Unknown => self.unknown.push(run.seed),
        }
        self.failures.push(SeedFailure {
            seed: run.seed,
            verdict: run.verdict,
            why: why(run),
            replay: run.replay.clone(),
        });
    }

    fn complete(&mut self, rows: &[RunRow]) {
        self.failed.sort_unstable();
        self.unknown.sort_unstable();
        self.failures.sort_by_key(|failure| failure.seed);
        self.metrics = pooled(rows);
    }
}

/// The most telling thing that was wrong with a run.
fn why(run: &Summary) -> String {
    let found = |holds| run.invariants.iter().find(|one| one.holds == holds);
    if let Some(invariant) = found(Holds::Violated) {
        return match &invariant.first_violation {
            None => format!("{} violated", invariant.name),
            Some(violation) => {
                let at = trim_zeros(&format!("{:.3}", violation.at_s.as_f64()));
                format!("{} at {at} s: {}", invariant.name, violation.message)
            }
        };
    }
    if let Some(missed) = run.expectations.iter().find(|one| !one.met) {
        return format!(
            "{}: wanted {}, got {}",
            missed.name, missed.wanted, missed.got
        );
    }
    match found(Holds::AssumptionBroken) {
        Some(invariant) => format!("{}: assumption broken", invariant.name),
        None => "could not be judged".to_owned(),
    }
}
