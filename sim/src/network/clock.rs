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
