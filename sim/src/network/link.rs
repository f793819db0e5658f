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
