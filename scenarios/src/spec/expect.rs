//! What must come out of a run, and what checkers may assume.

use fedsim_protocols::SimDuration;

/// What checkers may take for given; a run that breaks it is judged "assumption broken".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assume {
    /// Byzantine members at most; none means the protocol's own bound.
    pub faulty: Option<u32>,
    /// One-way delay at most, once stable.
    pub delay: Option<SimDuration>,
    /// From here on delays keep to the bound.
    pub stable_after: Option<SimDuration>,
    /// Clocks drift at most so many parts per million.
    pub drift_ppm: Option<u64>,
    /// Clocks differ at most so much.
    pub skew: Option<SimDuration>,
}

/// A bound on a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// `at_most`.
    AtMost(f64),
    /// `at_least`.
    AtLeast(f64),
    /// Both, inclusive.
    Between(f64, f64),
    /// Exactly.
    Equals(f64),
}

/// One metric and its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The metric's name with its unit: `detection_latency_p99_ms`.
    pub metric: String,
    /// What it must keep to.
    pub bound: Bound,
}

/// `[expect]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// Invariants that must hold besides those that always must; by name.
    pub holds: Vec<String>,
    /// Invariants that must be violated for the run to meet its claim.
    pub violates: Vec<String>,
    /// Invariants that cannot be judged, because the run breaks what they assume, as it claims.
    pub assumption_broken: Vec<String>,
    /// Invariants that may be violated too, since others in `violates` bring that about.
    pub tolerates: Vec<String>,
    /// Faults, by label, that must have taken effect; `"*"` stands for all.
    pub faults_take_effect: Vec<String>,
    /// Adversaries, by label, all of whose behaviours must have taken effect; `"*"` stands for all.
    pub adversaries_take_effect: Vec<String>,
    /// Bounds on metrics of a single run.
    pub metrics: Vec<Expectation>,
    /// Bounds on statistics of metrics over the seeds.
    pub pooled: PooledExpect,
}

/// `[expect.pooled]`: bounds on what metrics come to over the seeds. Quantiles are those of the
/// metric's values, one a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PooledExpect {
    /// On arithmetic means.
    pub mean: Vec<Expectation>,
    /// On medians.
    pub median: Vec<Expectation>,
    /// On 95th percentiles.
    pub p95: Vec<Expectation>,
    /// On 99th percentiles.
    pub p99: Vec<Expectation>,
    /// On 99.9th percentiles.
    pub p999: Vec<Expectation>,
    /// On greatest values.
    pub max: Vec<Expectation>,
}

impl PooledExpect {
    /// Every bound, in canonical order.
    pub fn all(&self) -> impl Iterator<Item = &Expectation> {
        let tail = [&self.p95, &self.p99, &self.p999, &self.max];
        [&self.mean, &self.median].into_iter().chain(tail).flatten()
    }
}
