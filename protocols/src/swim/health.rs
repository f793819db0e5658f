//! Local health: how far a member should doubt itself rather than others (Lifeguard section IV-A).
//!
//! | what happened | score |
//! |---|---|
//! | a probe was answered, directly or through a proxy | -1 |
//! | a probe failed and no proxy was asked | +1 |
//! | a proxy that was asked sent neither ack nor nack | +1 |
//! | one had to refute | +1 |

use crate::time::SimDuration;

/// A score from 0 (healthy) to the configured bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct LocalHealth {
    score: u32,
}

impl LocalHealth {
    pub(super) fn score(&self) -> u32 {
        self.score
    }

    /// Moves the score within `0..bound`; true if it changed.
    pub(super) fn shift(&mut self, by: i32, bound: u32) -> bool {
        let before = self.score;
        self.score = before.saturating_add_signed(by).min(bound - 1);
        self.score != before
    }

    /// A span of probing, stretched by score + 1.
    pub(super) fn stretch(&self, span: SimDuration) -> SimDuration {
        span * u64::from(self.score + 1)
    }
}
