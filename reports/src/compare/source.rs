//! What one directory brings into a comparison: one run, or many seeds of one scenario.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fedsim_record::{
    LatencyRow, Outcome, RecordError, RunRecord, SCENARIO_FILE, SUMMARY_FILE, Tables, Verdict,
    read_runs, read_tables,
};

use crate::seeds::{self, Found, SEEDS_SCHEMA, SeedsSummary};
use crate::statistics::Observation;

/// The metric of operations that clients saw done.
const ANSWERED: &str = "operations_ok";

/// One run, or the runs of many seeds together.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Where it was read from.
    pub directory: PathBuf,
    /// What it is called in the comparison: a row.
    pub attack: String,
    /// Which protocol ran: a column.
    pub protocol: String,
    pub(super) scenario: String,
    pub(super) claim: String,
    pub(super) verdict: Verdict,
    pub(super) runs: u64,
    pub(super) invariants: BTreeMap<String, Found>,
    pub(super) latencies: Vec<Observation>,
    /// Operations that clients saw done, and virtual seconds, over all runs.
    pub(super) answered: f64,
    pub(super) seconds: f64,
}

/// Runs that cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A directory could not be read as a run.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A directory that is no run and holds none.
    #[error("{} is not a run directory and holds none", path.display())]
    NoRuns {
        /// The directory.
        path: PathBuf,
    },
    /// No directory at all.
    #[error("there is nothing to compare")]
    Nothing,
    /// The baseline is none of the attacks.
    #[error("no run is called `{baseline}`; there are: {attacks}")]
    NoBaseline {
        /// What was asked for.
        baseline: String,
        /// What there is.
        attacks: String,
    },
}

impl Source {
    /// Reads a run directory, of one seed or of many, or every one that stands in a directory.
    ///
    /// `attack` names the row; by itself it is the scenario's name without folder and protocol.
    ///
    /// # Errors
    /// [`SourceError`] that names the directory or the file.
    pub fn read(directory: &Path, attack: Option<&str>) -> Result<Vec<Self>, SourceError> {
        if directory.join(SUMMARY_FILE).is_file() || !directory.is_dir() {
            return Ok(vec![Self::read_one(directory, attack)?]);
        }
        let listing = fs::read_dir(directory).map_err(|source| RecordError::Io {
            doing: "read",
            path: directory.to_owned(),
            source,
        })?;
        let mut inside: Vec<PathBuf> = listing
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| !path.is_symlink() && is_run(path))
            .collect();
        inside.sort();
        if inside.is_empty() {
            return Err(SourceError::NoRuns {
                path: directory.to_owned(),
            });
        }
        let runs = inside.iter().map(|path| Self::read_one(path, attack));
        runs.collect()
    }

    fn read_one(directory: &Path, attack: Option<&str>) -> Result<Self, SourceError> {
        let source = match RunRecord::read(directory) {
            Ok(record) => Self::of_run(directory, &record),
            Err(RecordError::Schema { found, .. }) if found == SEEDS_SCHEMA => {
                let summary = seeds::read_summary(directory)?;
                let seconds = read_runs(directory)?;
                let seconds = seconds.iter().map(|run| run.virtual_seconds.as_f64());
                Self::of_seeds(directory, &summary, &read_tables(directory)?, seconds.sum())
            }
            Err(error) => return Err(error.into()),
        };
        Ok(match attack {
            Some(attack) => Self {
                attack: attack.to_owned(),
                ..source
            },
            None => source,
        })
    }

    fn of_run(directory: &Path, record: &RunRecord) -> Self {
        let summary = &record.summary;
        let found = summary.invariants.iter();
        let invariants: BTreeMap<String, Found> = found
            .map(|one| (one.name.clone(), Found::of(one.holds)))
            .collect();
        let protocol = protocol(&invariants);
        let latency = &record.tables.latency;
        let answered = summary.metrics.get(ANSWERED).copied();
        Self {
            directory: directory.to_owned(),
            attack: attack(&summary.scenario, &protocol),
            protocol,
            scenario: summary.scenario.clone(),
            claim: summary.claim.clone(),
            verdict: summary.verdict,
            runs: 1,
            invariants,
            latencies: observations(latency),
            answered: answered.unwrap_or_else(|| done(latency)),
            seconds: summary.virtual_seconds.as_f64(),
        }
    }

    fn of_seeds(directory: &Path, summary: &SeedsSummary, tables: &Tables, seconds: f64) -> Self {
        let protocol = protocol(&summary.invariants);
        let answered = summary.metrics.get(ANSWERED);
        let answered = answered.map(|metric| metric.mean * metric.runs as f64);
        Self {
            directory: directory.to_owned(),
            attack: attack(&summary.scenario, &protocol),
            protocol,
            scenario: summary.scenario.clone(),
            claim: summary.claim.clone(),
            verdict: summary.verdict(),
            runs: summary.seeds,
            invariants: summary.invariants.clone(),
            latencies: observations(&tables.latency),
            answered: answered.unwrap_or_else(|| done(&tables.latency)),
            seconds,
        }
    }
}

fn is_run(path: &Path) -> bool {
    [SUMMARY_FILE, SCENARIO_FILE]
        .iter()
        .all(|file| path.join(file).is_file())
}

/// The protocol that most invariants belong to.
fn protocol(invariants: &BTreeMap<String, Found>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (protocol, _) in invariants.keys().filter_map(|name| name.split_once('/')) {
        *counts.entry(protocol).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or("unknown", |(protocol, _)| protocol).to_owned()
}

/// `adversary/raft-double-vote` is `double-vote`: the same attack on another protocol has the same
/// name.
fn attack(scenario: &str, protocol: &str) -> String {
    let name = scenario.rsplit('/').next().unwrap_or(scenario);
    let words: Vec<&str> = name.split('-').filter(|word| *word != protocol).collect();
    match words.is_empty() {
        true => name.to_owned(),
        false => words.join("-"),
    }
}

fn observations(rows: &[LatencyRow]) -> Vec<Observation> {
    let asked = rows.iter().filter(|row| row.outcome != Outcome::Failed);
    asked.map(Observation::from).collect()
}

fn done(rows: &[LatencyRow]) -> f64 {
    rows.iter().filter(|row| row.outcome == Outcome::Ok).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_attack_on_two_protocols_has_one_name() {
        // Folder and protocol go, wherever the protocol stands in the name; a name that is nothing
        // but the protocol stays.
        assert_eq!(attack("adversary/raft-double-vote", "raft"), "double-vote");
        assert_eq!(attack("adversary/silent-pbft", "pbft"), "silent");
        assert_eq!(attack("pbft/fault-free-4", "pbft"), "fault-free-4");
        assert_eq!(attack("raft", "raft"), "raft");
    }
}
