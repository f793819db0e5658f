//! What a run leaves behind.

use fedsim_protocols::SimDuration;

/// `[report]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Messages and states are aggregated over spans of this length.
    pub interval: SimDuration,
    /// Whether each single message is written down.
    pub trace: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            interval: SimDuration::from_secs(1),
            trace: false,
        }
    }
}
