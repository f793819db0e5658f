//! Several runs side by side: which attack does what to which protocol.
//!
//! ```text
//!             raft                  pbft
//! honest      safe, live, 52 ms     safe, live, 70 ms     <- the baseline
//! silent      safe, live, × 1.02    safe, live, × 1.4
//! lying       unsafe                safe, live, × 1.1
//! ```
//!
//! A row is an attack, a column a protocol, a cell every run of that attack on that protocol. Read
//! from run directories alone, of one seed or of many. Must not know how an attack is made.

mod directory;
mod page;
mod source;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::seeds::Found;
use crate::statistics::{Observation, distribution, quantile_of};

pub use directory::write_comparison;
pub use source::{Source, SourceError};
pub use text::comparison_text;

/// The value of [`Comparison::schema`] that this version writes.
pub const COMPARE_SCHEMA: &str = "fedsim-compare/1";

/// Invariants that promise that something happens in time; all others promise that something never
/// does.
const LIVENESS: [&str; 3] = ["liveness", "progress", "completeness"];

/// Several runs side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Marks the file as ours and names its shape: [`COMPARE_SCHEMA`].
    pub schema: String,
    /// The attack that the others are held against, each protocol against its own.
    pub baseline: String,
    /// Attacks in the order of the rows, the baseline first.
    pub attacks: Vec<String>,
    /// Protocols in the order of the columns.
    pub protocols: Vec<String>,
    /// Each attack on each protocol that was run, by row and column.
    pub cells: Vec<Cell>,
    #[serde(skip)]
    sources: Vec<Source>,
}

/// One attack on one protocol, over every run of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The attack.
    pub attack: String,
    /// The protocol.
    pub protocol: String,
    /// Runs of it.
    pub runs: u64,
    /// Whether nothing happened that never may.
    pub safe: Judged,
    /// Whether what must happen did in time.
    pub live: Judged,
    /// The invariants that were violated, by name.
    pub violated: Vec<String>,
    /// Median of the time from a client's request to its answer, in milliseconds. Requests that
    /// were never answered count as longer than any other.
    pub latency_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub latency_p99_ms: Option<f64>,
    /// Requests answered in a second of virtual time.
    pub throughput_per_s: Option<f64>,
    /// `latency_p50_ms` over that of the baseline.
    pub latency_ratio: Option<f64>,
    /// `throughput_per_s` over that of the baseline.
    pub throughput_ratio: Option<f64>,
    #[serde(skip)]
    latencies: Vec<Observation>,
}

/// What all runs of a cell say of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// Kept in every run that could have broken it.
    Kept,
    /// Broken in at least one run.
    Broken,
    /// No run says anything: assumptions were left, or nothing was ever put to the test.
    Unknown,
}

/// Puts runs side by side; `baseline` names the attack to hold the others against, by itself that
/// of the first run.
///
/// # Errors
/// [`SourceError::NoBaseline`] if no run has that attack, [`SourceError::Nothing`] without runs.
pub fn compare(sources: Vec<Source>, baseline: Option<&str>) -> Result<Comparison, SourceError> {
    let first = sources.first().ok_or(SourceError::Nothing)?;
    let baseline = baseline.unwrap_or(&first.attack).to_owned();
    let mut attacks = in_order(sources.iter().map(|source| &source.attack));
    let Some(place) = attacks.iter().position(|attack| *attack == baseline) else {
        return Err(SourceError::NoBaseline {
            baseline,
            attacks: attacks.join(", "),
        });
    };
    attacks[..=place].rotate_right(1);
    let protocols = in_order(sources.iter().map(|source| &source.protocol));
    let mut cells = Vec::new();
    for attack in &attacks {
        for protocol in &protocols {
            let of = |source: &&Source| (&source.attack, &source.protocol) == (attack, protocol);
            let runs: Vec<&Source> = sources.iter().filter(of).collect();
            if !runs.is_empty() {
                cells.push(cell(attack, protocol, &runs));
            }
        }
    }
    hold_against(&baseline, &mut cells);
    Ok(Comparison {
        schema: COMPARE_SCHEMA.to_owned(),
        baseline,
        attacks,
        protocols,
        cells,
        sources,
    })
}

impl Comparison {
    /// The JSON object, indented, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("BUG: a comparison has no map whose keys are not text");
        text.push('\n');
        text
    }

    fn cell(&self, attack: &str, protocol: &str) -> Option<&Cell> {
        let mut cells = self.cells.iter();
        cells.find(|cell| (cell.attack.as_str(), cell.protocol.as_str()) == (attack, protocol))
    }
}

/// Every name once, in order of first appearance.
fn in_order<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if !kept.contains(name) {
            kept.push(name.clone());
        }
    }
    kept
}

fn cell(attack: &str, protocol: &str, runs: &[&Source]) -> Cell {
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    for (name, one) in runs.iter().flat_map(|run| &run.invariants) {
        found.entry(name).or_default().add(one);
    }
    let is_liveness = |name: &str| {
        let promise = name.split_once('/').map_or(name, |(_, promise)| promise);
        LIVENESS.contains(&promise)
    };
    let of = |wanted: bool| {
        let some = found
            .iter()
            .filter(move |(name, _)| is_liveness(name) == wanted);
        judged(some.map(|(_, found)| found))
    };
    let violated = found.iter().filter(|(_, found)| found.violated > 0);
    let latencies: Vec<Observation> = runs.iter().flat_map(|run| run.latencies.clone()).collect();
    let steps = distribution(&latencies);
    let seconds: f64 = runs.iter().map(|run| run.seconds).sum();
    let answered: f64 = runs.iter().map(|run| run.answered).sum();
    Cell {
        attack: attack.to_owned(),
        protocol: protocol.to_owned(),
        runs: runs.iter().map(|run| run.runs).sum(),
        safe: of(false),
        live: of(true),
        violated: violated.map(|(name, _)| (*name).to_owned()).collect(),
        latency_p50_ms: quantile_of(&steps, 0.5),
        latency_p99_ms: quantile_of(&steps, 0.99),
        throughput_per_s: (!latencies.is_empty() && seconds > 0.0).then(|| answered / seconds),
        latency_ratio: None,
        throughput_ratio: None,
        latencies,
    }
}

fn judged<'a>(found: impl Iterator<Item = &'a Found>) -> Judged {
    let mut judged = Judged::Unknown;
    for one in found {
        if one.violated > 0 {
            return Judged::Broken;
        }
        if one.holds > 0 {
            judged = Judged::Kept;
        }
    }
    judged
}

/// Fills in how far each cell is from the baseline of its protocol.
fn hold_against(baseline: &str, cells: &mut [Cell]) {
    let of_baseline = cells.iter().filter(|cell| cell.attack == baseline);
    let bases: BTreeMap<String, (Option<f64>, Option<f64>)> = of_baseline
        .map(|cell| {
            let measures = (cell.latency_p50_ms, cell.throughput_per_s);
            (cell.protocol.clone(), measures)
        })
        .collect();
    let ratio = |value: Option<f64>, base: Option<f64>| {
        let base = base.filter(|base| *base > 0.0)?;
        value.map(|value| value / base)
    };
    for cell in cells {
        if let Some((latency, throughput)) = bases.get(&cell.protocol) {
            cell.latency_ratio = ratio(cell.latency_p50_ms, *latency);
            cell.throughput_ratio = ratio(cell.throughput_per_s, *throughput);
        }
    }
}
