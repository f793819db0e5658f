//! A peer's clock: true time plus an offset, running fast or slow, in integers throughout.
//!
//! Must not know what anybody does with the time.

use fedsim_protocols::{LocalTime, PeerId, RunKey};
use fedsim_scenarios::spec::{ClockSpec, NetworkSpec};

use super::draw::{DrawKey, Purpose};
use super::resolve;
use crate::time::SimTime;

/// Parts in a million.
const MILLION: i128 = 1_000_000;
/// Drift stays within half speed and one and a half, so that no clock stands still.
const DRIFT_MAX: i64 = 500_000;

/// One peer's clock. It reads `offset + floor(t * (1,000,000 + drift) / 1,000,000)` at true time
/// `t`, plus all jumps so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerClock {
    offset: i64,
    /// Nanoseconds by this clock in a million true ones.
    rate: i64,
}

impl PeerClock {
    /// The clock of `spec`; a drift out of range is cut to it.
    pub fn new(spec: ClockSpec) -> Self {
        Self {
            offset: spec.offset_nanos,
            rate: MILLION as i64 + spec.drift_ppm.clamp(-DRIFT_MAX, DRIFT_MAX),
        }
    }

    /// Parts per million by which it runs fast (positive) or slow.
    pub fn drift_ppm(&self) -> i64 {
        self.rate - MILLION as i64
    }

    /// What the clock says at `now`. Saturates.
    #[inline]
    pub fn read(&self, now: SimTime) -> LocalTime {
        let elapsed = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let shown = if self.rate == MILLION as i64 {
            elapsed
        } else {
            saturate((i128::from(elapsed) * i128::from(self.rate)).div_euclid(MILLION))
        };
        LocalTime::from_nanos(shown.saturating_add(self.offset))
    }

    /// The first moment, not before `now`, at which the clock says `deadline` or later, unless it
    /// jumps meanwhile. [`SimTime::NEVER`] if that is beyond the end of time.
    #[inline]
    pub fn reaches(&self, deadline: LocalTime, now: SimTime) -> SimTime {
        let shown = i128::from(deadline.as_nanos()) - i128::from(self.offset);
        if shown <= 0 {
            return now;
        }
        let elapsed = if self.rate == MILLION as i64 {
            shown
        } else {
            let rate = i128::from(self.rate);
            (shown * MILLION + rate - 1) / rate
        };
        let moment = u64::try_from(elapsed).map_or(SimTime::NEVER, SimTime::from_nanos);
        moment.max(now)
    }

    /// Sets the clock forward (positive) or back.
    pub fn jump(&mut self, by_nanos: i64) {
        self.offset = self.offset.saturating_add(by_nanos);
    }
}

fn saturate(nanos: i128) -> i64 {
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// The clocks of `peers` peers, by slot, in the run of `key`.
///
/// The spread is drawn for each peer on top of the general clock; a clock that an override names is
/// exactly what the override says.
pub fn clocks(network: &NetworkSpec, peers: usize, key: RunKey) -> Vec<PeerClock> {
    let draws = DrawKey::new(key, "clocks");
    let spread = network.clock_spread;
    let drawn = |slot: u32| {
        let draw = draws.own(PeerId(slot), 0);
        let within = |purpose, width: i64| {
            let width = width.unsigned_abs().min(i64::MAX as u64 / 2);
            draw.up_to(purpose, 2 * width) as i64 - width as i64
        };
        let base = network.clock;
        ClockSpec {
            offset_nanos: base
                .offset_nanos
                .saturating_add(within(Purpose::ClockOffset, spread.offset_nanos)),
            drift_ppm: base
                .drift_ppm
                .saturating_add(within(Purpose::ClockDrift, spread.drift_ppm)),
        }
    };
    let general = (0..peers as u32).map(drawn).collect();
    let specs = resolve(general, &network.clocks);
    specs.into_iter().map(PeerClock::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixture::scenario;
    use fedsim_scenarios::spec::network::Override;

    fn clock(offset_nanos: i64, drift_ppm: i64) -> PeerClock {
        PeerClock::new(ClockSpec {
            offset_nanos,
            drift_ppm,
        })
    }

    #[test]
    fn offset_and_drift_are_exact() {
        // By the definition offset + floor(t (10^6 + ppm) / 10^6), reckoned by hand.
        let cases = [
            (0, 0, 7, 7),
            (-5, 0, 3, -2),
            (0, 100, 1_000_000_000, 1_000_100_000),
            (1_000, -100, 1_000_000_000, 999_901_000),
            (0, 1, 999_999, 999_999),
            (0, 1, 1_000_000, 1_000_001),
            (0, -1, 1, 0),
        ];
        for (offset, drift, now, reads) in cases {
            let shown = clock(offset, drift)
                .read(SimTime::from_nanos(now))
                .as_nanos();
            assert_eq!(shown, reads, "offset {offset} drift {drift} at {now}");
        }
    }

    #[test]
    fn a_deadline_is_reached_at_the_first_moment_the_clock_shows_it() {
        // The definition itself, as inequalities: shown at the answer, not yet a nanosecond before.
        for drift in [-500_000, -37, 0, 41, 500_000] {
            for offset in [-1_000, 0, 999] {
                for deadline in [1_500, 12_345, 1_000_000, 123_456_789_012] {
                    let clock = clock(offset, drift);
                    let wanted = LocalTime::from_nanos(deadline);
                    let at = clock.reaches(wanted, SimTime::ZERO);
                    assert!(clock.read(at) >= wanted, "{drift} {offset} {deadline}");
                    let before = SimTime::from_nanos(at.as_nanos() - 1);
                    assert!(clock.read(before) < wanted, "{drift} {offset} {deadline}");
                }
            }
        }
    }

    #[test]
    fn a_deadline_that_has_passed_is_reached_now() {
        // A timer set to a time that the clock has left behind fires at once, not in the past.
        let now = SimTime::from_nanos(500);
        assert_eq!(clock(0, 0).reaches(LocalTime::from_nanos(-3), now), now);
        assert_eq!(clock(0, 7).reaches(LocalTime::from_nanos(400), now), now);
    }

    #[test]
    fn a_jump_moves_the_reading_and_every_deadline() {
        let mut clock = clock(0, 0);
        clock.jump(-300);
        assert_eq!(clock.read(SimTime::from_nanos(1_000)).as_nanos(), 700);
        let reached = clock.reaches(LocalTime::from_nanos(900), SimTime::from_nanos(1_000));
        assert_eq!(reached, SimTime::from_nanos(1_200));
    }

    #[test]
    fn the_ends_of_time_saturate() {
        // Extreme inputs must neither panic nor wrap round to an early moment.
        let fast = clock(i64::MAX, 500_000);
        assert_eq!(fast.read(SimTime::NEVER).as_nanos(), i64::MAX);
        let behind = clock(i64::MIN, -500_000);
        let reached = behind.reaches(LocalTime::from_nanos(i64::MAX), SimTime::ZERO);
        assert_eq!(reached, SimTime::NEVER);
    }

    #[test]
    fn drawn_clocks_stay_within_their_spread_and_overrides_are_exact() {
        // 2,000 drawn clocks must reach into all parts of +-100 and none beyond; the overridden one
        // is what its override says.
        let mut network = scenario(0).network;
        network.clock.offset_nanos = 1_000;
        network.clock_spread.offset_nanos = 100;
        let spec = ClockSpec {
            offset_nanos: 5,
            drift_ppm: 3,
        };
        network.clocks = vec![Override {
            peers: vec![PeerId(4)],
            spec,
        }];
        let clocks = clocks(&network, 2_000, RunKey::from_seed(1));
        assert_eq!(clocks[4], PeerClock::new(spec));
        let offsets = || {
            clocks
                .iter()
                .map(|clock| clock.offset)
                .filter(|&offset| offset != 5)
        };
        assert!(offsets().all(|offset| (900..=1_100).contains(&offset)));
        assert!(offsets().min() < Some(905) && offsets().max() > Some(1_095));
    }
}
