//! Whom a peer may call. Must not know what is said in a call.

use std::sync::Arc;

use crate::peer::PeerId;
use crate::random::Stream;

/// The peers among which partners are drawn, uniformly and without repetition in one round.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Partners {
    /// All others in the slots `0..peers`: the complete graph of the papers, without a table.
    Everyone {
        /// How many there are, oneself included.
        peers: u32,
    },
    /// These, each of them once, oneself not among them.
    Neighbours(Arc<[PeerId]>),
}

impl Partners {
    /// How many others there are for `me`.
    fn count(&self, me: PeerId) -> u32 {
        match self {
            Self::Everyone { peers } => peers - u32::from(me.0 < *peers),
            Self::Neighbours(list) => list.len() as u32,
        }
    }

    /// The other number `index` below [`Partners::count`], as `me` counts them.
    fn nth(&self, index: u32, me: PeerId) -> PeerId {
        match self {
            Self::Everyone { .. } => PeerId(index + u32::from(index >= me.0)),
            Self::Neighbours(list) => list[index as usize],
        }
    }

    /// One partner of `me`; none if it is alone.
    pub fn draw_one(&self, me: PeerId, rng: &mut Stream) -> Option<PeerId> {
        let count = self.count(me);
        (count > 0).then(|| self.nth(rng.below(u64::from(count)) as u32, me))
    }

    /// `fanout` different partners of `me`, or all if there are fewer, in the order drawn.
    pub fn draw(&self, fanout: u32, me: PeerId, rng: &mut Stream) -> Vec<PeerId> {
        let count = self.count(me);
        let mut drawn: Vec<u32> = Vec::with_capacity(fanout.min(count) as usize);
        // Floyd's sample without replacement: as many draws as partners, whatever the group's size.
        for last in count - fanout.min(count)..count {
            let index = rng.below(u64::from(last) + 1) as u32;
            drawn.push(if drawn.contains(&index) { last } else { index });
        }
        drawn.into_iter().map(|index| self.nth(index, me)).collect()
    }
}
