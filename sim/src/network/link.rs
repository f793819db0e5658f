//! One link: what it does to a message that it carries. Must not know topology or faults.

use fedsim_protocols::Probability;
use fedsim_scenarios::spec::{Bandwidth, LinkSpec, Reorder};

use super::draw::{Draw, Purpose};
use super::latency::LatencyModel;

/// A link made ready for use.
#[derive(Clone, Debug)]
pub struct LinkModel {
    /// Its latency.
    pub latency: LatencyModel,
    /// True: latency is all there is, so that the hot path makes one draw.
    pub(crate) plain: bool,
    loss: Probability,
    duplicate: Probability,
    reorder: Option<Reorder>,
    pub(crate) in_order: bool,
    pub(crate) bandwidth: Option<Bandwidth>,
}

/// How long one link takes, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    /// The message.
    pub(crate) delay: u64,
    /// Its second copy, if there is one.
    pub(crate) copy: Option<u64>,
}

impl LinkModel {
    /// The model of `link`.
    pub fn new(link: &LinkSpec) -> Self {
        Self {
            latency: LatencyModel::new(&link.latency),
            plain: link.loss.is_zero()
                && link.duplicate.is_zero()
                && link.reorder.is_none()
                && link.bandwidth.is_none()
                && !link.in_order,
            loss: link.loss,
            duplicate: link.duplicate,
            reorder: link.reorder,
            in_order: link.in_order,
            bandwidth: link.bandwidth,
        }
    }

    /// What becomes of a message on this link, queueing left out; `None` is lost.
    #[inline]
    pub(crate) fn carry(&self, draw: Draw) -> Option<Carried> {
        if draw.chance(Purpose::Loss, 0, self.loss) {
            return None;
        }
        let latency = self.latency.sample(draw, Purpose::Latency);
        Some(Carried {
            delay: latency.saturating_add(self.held_back(draw)),
            copy: draw
                .chance(Purpose::Duplicate, 0, self.duplicate)
                .then(|| self.latency.sample(draw, Purpose::CopyLatency)),
        })
    }

    fn held_back(&self, draw: Draw) -> u64 {
        match self.reorder {
            Some(reorder) if draw.chance(Purpose::Reorder, 0, reorder.chance) => {
                draw.up_to(Purpose::ReorderBy, reorder.by.as_nanos())
            }
            Some(_) | None => 0,
        }
    }

    /// Nanoseconds that `bytes` occupy the link.
    pub(crate) fn transmission(&self, bytes: u32) -> u64 {
        self.bandwidth.map_or(0, |bandwidth| {
            let rate = bandwidth.bytes_per_second.max(1);
            (u64::from(bytes) * 1_000_000_000).div_ceil(rate)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::DrawKey;
    use crate::network::fixture::{constant, ms, share};
    use crate::time::SimTime;
    use fedsim_protocols::{PeerId, RunKey, SimDuration};
    use fedsim_scenarios::spec::Latency;

    const MESSAGES: u64 = 100_000;

    fn carried(spec: &LinkSpec) -> Vec<Option<Carried>> {
        let key = DrawKey::new(RunKey::from_seed(5), "network");
        let link = LinkModel::new(spec);
        let one = |step| {
            let sent = SimTime::from_nanos(step * 1_000_000);
            link.carry(key.message(PeerId(0), PeerId(1), sent, 0))
        };
        (0..MESSAGES).map(one).collect()
    }

    /// Within four standard errors of a share of 100,000 messages.
    fn assert_share(found: usize, p: f64) {
        let found = found as f64 / MESSAGES as f64;
        let error = (p * (1.0 - p) / MESSAGES as f64).sqrt();
        assert!((found - p).abs() < 4.0 * error, "{found} instead of {p}");
    }

    #[test]
    fn the_stated_share_is_lost_and_no_other_luck_changes() {
        // The number lost is binomial. Latency has draws of its own: what is not lost must take
        // exactly as long as on a link without loss.
        let mut spec = constant(10);
        spec.latency = Latency::Uniform {
            low: ms(10),
            high: ms(20),
        };
        let without = carried(&spec);
        spec.loss = share(0.03);
        let with = carried(&spec);
        assert_share(with.iter().filter(|fate| fate.is_none()).count(), 0.03);
        assert!(
            with.iter()
                .zip(&without)
                .all(|(one, other)| one.is_none() || one == other)
        );
    }

    #[test]
    fn the_stated_share_arrives_twice_with_latencies_of_their_own() {
        // Copies are binomial; two independent continuous latencies are never equal in 2,000 pairs
        // but by a chance of 2e-4.
        let mut spec = constant(10);
        spec.duplicate = share(0.02);
        spec.latency = Latency::Uniform {
            low: ms(10),
            high: ms(20),
        };
        let fates: Vec<Carried> = carried(&spec).into_iter().flatten().collect();
        let pairs = fates
            .iter()
            .filter_map(|fate| fate.copy.map(|copy| (fate.delay, copy)));
        assert_share(pairs.clone().count(), 0.02);
        assert!(pairs.clone().all(|(one, other)| one != other));
        assert!(
            pairs
                .clone()
                .all(|(_, copy)| (10_000_000..=20_000_000).contains(&copy))
        );
    }

    #[test]
    fn the_stated_share_is_held_back_uniformly() {
        // On a link of 10 ms all that takes longer was held back: the share is binomial, the mean
        // holding time half the greatest, within four standard errors of a uniform distribution.
        let mut spec = constant(10);
        spec.reorder = Some(Reorder {
            chance: share(0.1),
            by: ms(8),
        });
        let fates: Vec<Carried> = carried(&spec).into_iter().flatten().collect();
        let held: Vec<u64> = fates.iter().map(|fate| fate.delay - 10_000_000).collect();
        let late: Vec<u64> = held.into_iter().filter(|&nanos| nanos > 0).collect();
        assert_share(late.len(), 0.1);
        let mean = late.iter().sum::<u64>() as f64 / late.len() as f64 / 1e6;
        assert!(
            (mean - 4.0).abs() < 4.0 * 8.0 / 12.0_f64.sqrt() / 100.0,
            "{mean}"
        );
        assert!(late.iter().all(|&nanos| nanos <= 8_000_000));
    }

    #[test]
    fn transmission_takes_bytes_over_rate_rounded_up() {
        // 1,000 bytes at 3 bytes a second are 333.3.. seconds; half a nanosecond does not exist.
        let mut spec = constant(10);
        assert_eq!(LinkModel::new(&spec).transmission(1_000), 0);
        spec.bandwidth = Some(Bandwidth {
            bytes_per_second: 3,
            queue_bytes: 0,
        });
        let exact = SimDuration::from_nanos(333_333_333_334).as_nanos();
        assert_eq!(LinkModel::new(&spec).transmission(1_000), exact);
    }
}
