//! The one place that reads a real clock: how long a run took, for its reader alone.
//!
//! Nothing that is measured here can reach a run.

use std::time::{Duration, Instant};

/// Real time since a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[allow(
        clippy::disallowed_methods,
        reason = "wall time of a finished run, told to people and never given to a run"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Real time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
