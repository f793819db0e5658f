//! The summary of a run: one JSON object, printed by `--format json` and kept as `summary.json`.
//!
//! Must not know how verdicts are reached; it only says what they mean. Its keys are a contract:
//! they are added to, never renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::RecordError;
use crate::fixed_point::{Seconds, number};

/// The value of [`Summary::schema`] in the run directories that this version writes.
pub const RUN_SCHEMA: &str = "fedsim-run/1";

/// What one run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Marks the file as ours and names its shape: [`RUN_SCHEMA`].
    pub schema: String,
    /// Version of fedsim that ran.
    pub version: String,
    /// Source commit of the binary that ran, or `unknown`.
    pub commit: String,
    /// Name of the scenario, as in its `name` key.
    pub scenario: String,
    /// Seed of the run.
    pub seed: u64,
    /// Threads that ran the engine. Never changes a result.
    pub threads: usize,
    /// Run digest: 64 hexadecimal digits over every event of every peer in order.
    pub digest: String,
    /// Virtual time at which the run ended, in seconds.
    #[serde(with = "number")]
    pub virtual_seconds: Seconds,
    /// Real time that the run took, in seconds. The only value here that differs between two
    /// runs of one seed; it stands in no other file of the run directory.
    pub wall_seconds: f64,
    /// Events that peers took: deliveries, timers and control inputs.
    pub events: u64,
    /// Messages over the whole run.
    pub messages: MessageTotals,
    /// What the checkers found, sorted by name.
    pub invariants: Vec<Invariant>,
    /// What the scenario's `[expect]` asked for, in the order of the file.
    pub expectations: Vec<Expectation>,
    /// Measured numbers by name; each name ends with its unit (`detection_latency_p99_ms`).
    /// All finite.
    pub metrics: BTreeMap<String, f64>,
    /// The one sentence that the scenario claims.
    pub claim: String,
    /// The outcome of the run as a whole; sets the exit code.
    pub verdict: Verdict,
    /// Command line that gives the same run again.
    pub replay: String,
    /// Warnings and remarks for the reader, in the order they arose.
    pub notes: Vec<String>,
}

impl Summary {
    /// The JSON object, indented, with a line end: the bytes of `summary.json` and of
    /// `--format json`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("BUG: a summary has no map whose keys are not text");
        text.push('\n');
        text
    }

    /// Whether JSON can carry every metric.
    pub(crate) fn check_finite(&self) -> Result<(), RecordError> {
        match self.metrics.iter().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some((name, &value)) => Err(RecordError::NotFinite {
                name: name.clone(),
                value,
            }),
        }
    }
}

/// The outcome of a run as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every invariant held and every expectation was met. Exit code 0.
    Passed,
    /// An invariant was violated or an expectation missed. Exit code 1.
    Violated,
    /// Nothing was violated, but something could not be judged: an assumption was broken, or a
    /// checker ran out of its budget. Exit code 4.
    Unknown,
}

impl Verdict {
    /// The word of the JSON value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Violated => "violated",
            Self::Unknown => "unknown",
        }
    }

    /// The verdict of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Passed, Self::Violated, Self::Unknown]
            .into_iter()
            .find(|verdict| verdict.word() == word)
    }
}

/// Totals of the network, over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTotals {
    /// Messages handed to the network, one for each receiver of a multicast.
    pub sent: u64,
    /// Messages that reached a peer, duplicates made by the network included.
    pub delivered: u64,
    /// Messages that were lost, cut, refused by a full queue, or arrived at a peer that was down.
    pub dropped: u64,
    /// Encoded bytes of all messages sent.
    pub bytes: u64,
}

/// What a checker says of one invariant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invariant {
    /// `protocol/invariant`, for instance `swim/completeness`.
    pub name: String,
    /// The finding.
    pub holds: Holds,
    /// The first violation by virtual time; present exactly if [`Holds::Violated`].
    pub first_violation: Option<Violation>,
}

/// The finding of a checker. Neither of the last two is evidence for the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Holds {
    /// Exercised, and no violation seen.
    #[serde(rename = "holds")]
    Holds,
    /// Violated at least once while its assumptions stood.
    #[serde(rename = "violated")]
    Violated,
    /// The run left the assumptions under which the invariant is promised (`[assume]`), or the
    /// checker ran out of its budget: nothing can be said.
    #[serde(rename = "assumption broken")]
    AssumptionBroken,
    /// Nothing happened in the run that could have violated it, so that holding means nothing.
    #[serde(rename = "never exercised")]
    NeverExercised,
}

impl Holds {
    /// The words of the JSON value.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::AssumptionBroken => "assumption broken",
            Self::NeverExercised => "never exercised",
        }
    }
}

/// Where and how an invariant was first violated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// Virtual time of the violation, in seconds.
    #[serde(with = "number")]
    pub at_s: Seconds,
    /// Nicknames of the peers concerned.
    pub peers: Vec<String>,
    /// What was wrong, in one sentence.
    pub message: String,
    /// The events that led to it, oldest first, one line each. Empty without a traced replay.
    pub events: Vec<String>,
}

/// What became of one line of `[expect]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Key of the expectation, for instance `detection_latency_p99_ms`.
    pub name: String,
    /// Whether the run met it.
    pub met: bool,
    /// What the scenario wants, for instance `<= 5000`.
    pub wanted: String,
    /// What the run gave, for instance `4210.5`.
    pub got: String,
}
