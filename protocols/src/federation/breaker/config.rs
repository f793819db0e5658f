//! The knobs of the breaker.

use crate::federation::terms::{Money, Share};
use crate::time::SimDuration;

/// Who brings an evicted peer back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Readmission {
    /// A peer that was only out of reach brings itself back by answering a probe; a peer that
    /// misbehaved needs an operator.
    #[default]
    ProbeUnreachable,
    /// An operator, always (ADR-097).
    OperatorOnly,
}

/// When a breaker trips and when it closes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BreakerConfig {
    /// More than this within [`BreakerConfig::cost_window`] trips. Default 5 USD.
    pub cost_max: Money,
    /// Default 24 h.
    pub cost_window: SimDuration,
    /// More than this share of failures within [`BreakerConfig::failure_window`] trips. Default 0.5.
    pub failures_max: Share,
    /// Default 1 h.
    pub failure_window: SimDuration,
    /// Fewer outcomes than this do not trip. Default 10.
    pub samples_min: usize,
    /// How long a suspension lasts before a probe. Default 30 min.
    pub cool_down: SimDuration,
    /// By how much of itself the cool-down is longer or shorter at most. Default 0.1.
    pub jitter: Share,
    /// How long a suspension may go on without an answered probe. Default 24 h.
    pub evict_after: SimDuration,
    /// How often an evicted peer is probed that was only out of reach. Default 2 h.
    pub probe_evicted_every: SimDuration,
    /// Who brings an evicted peer back.
    pub readmission: Readmission,
    /// The most outcomes remembered a peer; the oldest go first. Default 100,000.
    pub samples_max: usize,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            cost_max: Money::from_cents(500),
            cost_window: SimDuration::from_secs(86_400),
            failures_max: Share::millionths(500_000),
            failure_window: SimDuration::from_secs(3_600),
            samples_min: 10,
            cool_down: SimDuration::from_secs(1_800),
            jitter: Share::millionths(100_000),
            evict_after: SimDuration::from_secs(86_400),
            probe_evicted_every: SimDuration::from_secs(7_200),
            readmission: Readmission::default(),
            samples_max: 100_000,
        }
    }
}
