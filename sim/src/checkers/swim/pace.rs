//! How much probing time has passed for one member: true time, slowed down by local health, and
//! standing still while the member cannot act.
//!
//! A member with score `s` probes `s + 1` times as slowly (Lifeguard section IV-A), so a bound in
//! periods is a bound on this clock. A span that was begun at a higher score runs to its end at
//! that score; the clock keeps the higher score until then.

use fedsim_protocols::SimDuration;

use crate::time::SimTime;

#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    /// Nanoseconds of probing time until `at`.
    passed: u64,
    at: SimTime,
    score: u32,
    /// The higher score, and how long it still counts.
    lingering: (u32, SimTime),
    running: bool,
}

impl Pace {
    /// Probing time until `now`, in nanoseconds.
    pub(super) fn at(&self, now: SimTime) -> u64 {
        if !self.running {
            return self.passed;
        }
        let until = now.min(self.lingering.1).max(self.at);
        let slow = until.since(self.at).as_nanos();
        let rest = now.since(until).as_nanos();
        let slower = u64::from(self.lingering.0.max(self.score));
        self.passed + slow / (slower + 1) + rest / (u64::from(self.score) + 1)
    }

    fn settle(&mut self, now: SimTime) {
        self.passed = self.at(now);
        self.at = now;
    }

    /// From `now` on the member acts, or does not.
    pub(super) fn run(&mut self, now: SimTime, running: bool) {
        self.settle(now);
        self.running = running;
    }

    /// The member's local health score changed; `period` is its protocol period.
    pub(super) fn set_score(&mut self, now: SimTime, score: u32, period: SimDuration) {
        self.settle(now);
        if score < self.score {
            let before = match now < self.lingering.1 {
                true => self.lingering.0.max(self.score),
                false => self.score,
            };
            let until = now + period * (u64::from(before) + 1);
            self.lingering = (before, until);
        }
        self.score = score;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64) -> SimTime {
        SimTime::from_nanos(at * 1_000_000_000)
    }

    #[test]
    fn a_doubtful_member_passes_fewer_periods() {
        // 10 s at score 0, 10 s at score 1 (half as fast), then 4 s in which the span begun at
        // score 1 lingers for 2 s, then 6 s at full pace with 5 s of them stopped.
        let mut pace = Pace::default();
        pace.run(SimTime::ZERO, true);
        let period = SimDuration::from_secs(1);
        pace.set_score(second(10), 1, period);
        assert_eq!(pace.at(second(20)), 15_000_000_000);
        pace.set_score(second(20), 0, period);
        assert_eq!(pace.at(second(24)), 18_000_000_000);
        pace.run(second(25), false);
        pace.run(second(30), true);
        assert_eq!(pace.at(second(30)), 19_000_000_000);
    }
}
