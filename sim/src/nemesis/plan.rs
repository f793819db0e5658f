//! When one fault strikes. Must not know what it does.

use fedsim_protocols::{PeerId, RunKey, SimDuration, Stream, StreamLabel};
use fedsim_scenarios::spec::When;

use crate::time::SimTime;

/// The state of one fault's schedule. Every fault has dice of its own, so that one more fault moves
/// no other.
#[derive(Debug)]
pub(super) struct Plan {
    times: Stream,
    choices: Stream,
    /// Events that matched so far.
    matched: u64,
    /// Strikes that operations brought about so far.
    fired: u32,
}

/// The shortest span between two strikes.
const INSTANT: SimDuration = SimDuration::from_nanos(1);

impl Plan {
    /// The schedule of the fault with index `fault`.
    pub(super) fn new(key: RunKey, fault: u32) -> Self {
        let stream = |purpose| {
            let label = StreamLabel {
                purpose,
                peer: fault,
                incarnation: 0,
            };
            Stream::new(key, label)
        };
        Self {
            times: stream("nemesis/times"),
            choices: stream("nemesis/choices"),
            matched: 0,
            fired: 0,
        }
    }

    /// The dice that choose victims.
    pub(super) fn choices(&mut self) -> &mut Stream {
        &mut self.choices
    }

    /// The first strike, if it is known from the beginning.
    pub(super) fn first(&mut self, when: &When) -> Option<SimTime> {
        match when {
            When::At(at) => Some(SimTime::from(*at)),
            When::Every { from, until, .. } => {
                Some(SimTime::from(*from)).filter(|at| *at < SimTime::from(*until))
            }
            When::Random { from, .. } => self.after(when, SimTime::from(*from)),
            When::On { .. } | When::AfterOperations { .. } => None,
        }
    }

    /// The strike after one at `at`, if it is known by then.
    pub(super) fn after(&mut self, when: &When, at: SimTime) -> Option<SimTime> {
        let (gap, until) = match when {
            When::Every { period, until, .. } => (*period, until),
            When::Random { mean, until, .. } => (self.exponential(*mean), until),
            When::At(_) | When::On { .. } | When::AfterOperations { .. } => return None,
        };
        Some(at + gap.max(INSTANT)).filter(|next| *next < SimTime::from(*until))
    }

    /// `peer` reported `name`: how much later than a lookahead the fault strikes, if it does.
    pub(super) fn on_event(
        &mut self,
        when: &When,
        peer: PeerId,
        name: &str,
    ) -> Option<SimDuration> {
        let When::On {
            event,
            peers,
            nth,
            times,
            delay,
        } = when
        else {
            return None;
        };
        if event != name || !(peers.is_empty() || peers.contains(&peer)) {
            return None;
        }
        self.matched += 1;
        let first = u64::from((*nth).max(1));
        (first..first + u64::from(*times))
            .contains(&self.matched)
            .then_some(*delay)
    }

    /// How many strikes are due now that `completed` requests have been answered.
    pub(super) fn on_operations(&mut self, when: &When, completed: u64) -> u32 {
        let When::AfterOperations { count, times } = when else {
            return 0;
        };
        let reached = completed / (*count).max(1);
        let wanted = u32::try_from(reached).unwrap_or(u32::MAX).min(*times);
        let due = wanted.saturating_sub(self.fired);
        self.fired += due;
        due
    }

    /// A span between two events of a Poisson process, by inverse transform. The float is safe:
    /// `libm` computes it in software, and it is rounded to integer nanoseconds.
    fn exponential(&mut self, mean: SimDuration) -> SimDuration {
        let part = (self.times.below(1 << 52) as f64 + 0.5) / (1_u64 << 52) as f64;
        SimDuration::from_nanos((-libm::log(part) * mean.as_nanos() as f64) as u64)
    }
}
