//! When the next request comes.

use fedsim_protocols::{SimDuration, Stream};
use fedsim_scenarios::spec::{Arrivals, LoadLoop, RequestLoad};

use crate::time::SimTime;

/// Parts into which a draw of a gap is divided.
const PARTS: u64 = 1 << 53;

/// The rhythm of one client.
#[derive(Clone, Debug)]
pub struct Rhythm {
    load: LoadLoop,
    from: SimTime,
    until: SimTime,
    /// Requests still to be put.
    left: u64,
    /// Requests of a closed loop that were put without waiting for an answer.
    launched: u32,
}

impl Rhythm {
    /// The rhythm of client number `client`, from 0, of `clients`; the cap on operations is shared
    /// out evenly among them.
    pub fn new(load: &RequestLoad, client: u64, clients: u64) -> Self {
        let share = |all: u64| all / clients + u64::from(client < all % clients);
        Self {
            load: load.rhythm,
            from: SimTime::from(load.from),
            until: load.until.map_or(SimTime::NEVER, SimTime::from),
            left: load.operations.map_or(u64::MAX, share),
            launched: 0,
        }
    }

    /// When the first request comes, now that the client has started.
    pub fn first(&mut self) -> Option<SimTime> {
        self.launched = 0;
        self.within(self.from)
    }

    /// A request comes at `now`; when the next one comes if it does not wait for an answer.
    pub fn arrived(&mut self, now: SimTime, dice: &mut Stream) -> Option<SimTime> {
        self.left = self.left.saturating_sub(1);
        match self.load {
            LoadLoop::Closed { in_flight, .. } => {
                self.launched = self.launched.saturating_add(1);
                if self.launched < in_flight {
                    self.within(now)
                } else {
                    None
                }
            }
            LoadLoop::Open { rate, arrivals } => {
                let mean = rate.mean_gap();
                let gap = match arrivals {
                    Arrivals::Steady => mean,
                    Arrivals::Poisson => exponential(mean, dice),
                };
                self.within(now + gap.max(SimDuration::from_nanos(1)))
            }
        }
    }

    /// A request was answered at `now`; when the next one comes if it waited for that.
    pub fn answered(&mut self, now: SimTime) -> Option<SimTime> {
        match self.load {
            LoadLoop::Closed { think, .. } => self.within(now + think),
            LoadLoop::Open { .. } => None,
        }
    }

    fn within(&self, at: SimTime) -> Option<SimTime> {
        (self.left > 0 && at < self.until).then_some(at)
    }
}

/// A draw from the exponential distribution.
fn exponential(mean: SimDuration, dice: &mut Stream) -> SimDuration {
    let uniform = (dice.below(PARTS) + 1) as f64 / PARTS as f64;
    SimDuration::from_nanos((-libm::log(uniform) * mean.as_nanos() as f64) as u64)
}

#[cfg(test)]
mod tests {
    use fedsim_protocols::{RunKey, StreamLabel};
    use fedsim_scenarios::spec::Rate;

    use super::*;

    fn dice() -> Stream {
        let label = StreamLabel {
            purpose: "test",
            peer: 0,
            incarnation: 0,
        };
        Stream::new(RunKey::from_seed(1), label)
    }

    fn ms(at: u64) -> SimTime {
        SimTime::from(SimDuration::from_millis(at))
    }

    #[test]
    fn a_closed_loop_keeps_so_many_in_flight_and_no_more() {
        // Two in flight: the second request follows the first at once, a third only an answer; the
        // cap of seven shared by two clients gives the first one four.
        let load = RequestLoad {
            rhythm: LoadLoop::Closed {
                in_flight: 2,
                think: SimDuration::from_millis(5),
            },
            operations: Some(7),
            ..RequestLoad::default()
        };
        let (mut rhythm, mut dice) = (Rhythm::new(&load, 0, 2), dice());
        assert_eq!(rhythm.first(), Some(ms(0)));
        assert_eq!(rhythm.arrived(ms(0), &mut dice), Some(ms(0)));
        assert_eq!(rhythm.arrived(ms(0), &mut dice), None);
        assert_eq!(rhythm.answered(ms(10)), Some(ms(15)));
        assert_eq!(rhythm.answered(ms(11)), Some(ms(16)));
        assert_eq!(rhythm.arrived(ms(15), &mut dice), None);
        assert_eq!(rhythm.arrived(ms(16), &mut dice), None);
        assert_eq!(rhythm.answered(ms(20)), None, "all four are put");
    }

    #[test]
    fn an_open_loop_keeps_its_rate_whatever_the_answers() {
        // 10,000 gaps of a Poisson process: their mean is the rate's within three standard errors
        // (3%), and about 1 - 1/e of them are below the mean, as of no steady process.
        let load = RequestLoad {
            rhythm: LoadLoop::Open {
                rate: Rate {
                    events: 100,
                    per: SimDuration::from_secs(1),
                },
                arrivals: Arrivals::Poisson,
            },
            ..RequestLoad::default()
        };
        let (mut rhythm, mut dice) = (Rhythm::new(&load, 0, 1), dice());
        let (mut at, mut below) = (ms(0), 0);
        for _ in 0..10_000 {
            let next = rhythm.arrived(at, &mut dice).expect("it never ends");
            below += u32::from(next.since(at) < SimDuration::from_millis(10));
            at = next;
        }
        assert!((at.as_secs_f64() - 100.0).abs() < 3.0, "{at:?}");
        assert!((f64::from(below) / 1e4 - 0.632).abs() < 0.015, "{below}");
        assert_eq!(rhythm.answered(at), None);
    }
}
