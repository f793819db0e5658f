//! Which round it is by one peer's clock.
//!
//! Round `r` is the half-open span of local time `[phase + r * period, phase + (r + 1) * period)`.
//! Must not know what is done in a round.

use crate::time::{LocalTime, SimDuration};

/// A timer of a clock that drifts may fire this many nanoseconds before the instant it was set for,
/// since the conversion to true time rounds. Whatever is that close to a boundary is past it.
const ROUNDING: i128 = 100;

/// One peer's division of time into rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RoundClock {
    pub(super) period: SimDuration,
    pub(super) phase: SimDuration,
}

impl RoundClock {
    /// The round at `now`; negative where a clock runs behind.
    pub(super) fn round_at(self, now: LocalTime) -> i64 {
        let elapsed = i128::from(now.as_nanos()) + ROUNDING - i128::from(self.phase.as_nanos());
        // With a period of 1 ns or more the quotient is no larger than the time itself.
        elapsed.div_euclid(i128::from(self.period.as_nanos().max(1))) as i64
    }

    /// How long from `now` until the next round begins.
    pub(super) fn until_next(self, now: LocalTime) -> SimDuration {
        let next = i128::from(self.round_at(now)) + 1;
        let begins = i128::from(self.phase.as_nanos()) + next * i128::from(self.period.as_nanos());
        let span = begins - i128::from(now.as_nanos());
        SimDuration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_half_open_and_forgive_the_rounding_of_clocks() {
        // Both sides of two boundaries, one of them negative: an early timer must find the round it
        // was set for and ask for the one after, never for a second go after a nanosecond.
        let clock = RoundClock {
            period: SimDuration::from_micros(10),
            phase: SimDuration::from_micros(3),
        };
        let cases = [
            (3_000, 0, 10_000),
            (2_999, 0, 10_001),
            (2_899, -1, 101),
            (12_899, 0, 101),
            (12_999, 1, 10_001),
            (-7_000, -1, 10_000),
        ];
        for (now, round, until_next) in cases {
            let now = LocalTime::from_nanos(now);
            assert_eq!(clock.round_at(now), round);
            assert_eq!(clock.until_next(now), SimDuration::from_nanos(until_next));
        }
    }
}
