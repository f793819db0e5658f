//! The faults that act on links right now: cuts, storms and replaced links.
//!
//! Changed at window edges only, read by all shards in between. Whoever asks pays one comparison
//! while the weather is calm. Must not know when faults begin or end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fedsim_protocols::{PeerId, Probability, SimDuration};

use super::draw::{Draw, Purpose};
use super::link::LinkModel;

/// A set of peers as bits by slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSet(Box<[u64]>);

impl PeerSet {
    /// The set of these peers.
    pub fn new(peers: &[PeerId]) -> Self {
        let words = peers.iter().map(|peer| peer.index() / 64 + 1).max();
        let mut bits = vec![0_u64; words.unwrap_or(0)];
        for peer in peers {
            bits[peer.index() / 64] |= 1 << (peer.index() % 64);
        }
        Self(bits.into())
    }

    /// Whether it holds the peer.
    #[inline]
    pub fn contains(&self, peer: PeerId) -> bool {
        let word = self.0.get(peer.index() / 64).copied().unwrap_or(0);
        word >> (peer.index() % 64) & 1 == 1
    }
}

/// Which links a cut takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Links between different sides; side by slot, 0 and slots beyond the end are on none.
    Between(Box<[u16]>),
    /// Links from some to others.
    OneWay {
        /// Senders.
        from: PeerSet,
        /// Receivers.
        to: PeerSet,
    },
    /// All links that touch one of these.
    Around(PeerSet),
    /// Links between these that are more than `reach` apart on a ring of them.
    BeyondRing {
        /// Place on the ring by slot, [`Cut::NO_PLACE`] for those that are not on it.
        place: Box<[u32]>,
        /// Peers on the ring.
        length: u32,
        /// How far links reach.
        reach: u32,
    },
    /// As a ring of reach 1, without the link that closes it.
    BeyondChain {
        /// Place on the chain by slot, [`Cut::NO_PLACE`] for those that are not on it.
        place: Box<[u32]>,
    },
    /// Links between two of `members` of which neither is in `centre`.
    BesidesStar {
        /// Who keeps all links.
        centre: PeerSet,
        /// Who keeps none but those.
        members: PeerSet,
    },
}

impl Cut {
    /// The place of a peer that a ring or chain leaves alone.
    pub const NO_PLACE: u32 = u32::MAX;

    /// Whether the link from `from` to `to` is cut.
    pub fn takes(&self, from: PeerId, to: PeerId) -> bool {
        match self {
            Self::Between(sides) => {
                let side = |peer: PeerId| sides.get(peer.index()).copied().unwrap_or(0);
                side(from) != side(to) && side(from) != 0 && side(to) != 0
            }
            Self::OneWay {
                from: senders,
                to: receivers,
            } => senders.contains(from) && receivers.contains(to),
            Self::Around(peers) => peers.contains(from) || peers.contains(to),
            Self::BeyondRing {
                place,
                length,
                reach,
            } => distance(place, from, to).is_some_and(|apart| apart.min(length - apart) > *reach),
            Self::BeyondChain { place } => distance(place, from, to).is_some_and(|apart| apart > 1),
            Self::BesidesStar { centre, members } => [from, to]
                .iter()
                .all(|&peer| members.contains(peer) && !centre.contains(peer)),
        }
    }
}

/// How many places two peers are apart, if both have one.
fn distance(place: &[u32], from: PeerId, to: PeerId) -> Option<u32> {
    let of = |peer: PeerId| {
        place
            .get(peer.index())
            .copied()
            .filter(|&place| place != Cut::NO_PLACE)
    };
    Some(of(from)?.abs_diff(of(to)?))
}

/// What a fault does to the links it touches.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Takes them away.
    Cut(Cut),
    /// Lengthens latencies of links that touch `peers`.
    Latency {
        /// Whose links.
        peers: PeerSet,
        /// Factor in thousandths.
        factor_milli: u64,
        /// Added after multiplying.
        plus: SimDuration,
    },
    /// Loses messages on links that touch `peers`.
    Loss {
        /// Whose links.
        peers: PeerSet,
        /// How many.
        loss: Probability,
    },
    /// Replaces links that touch `peers`.
    Links {
        /// Whose links.
        peers: PeerSet,
        /// By what.
        link: Box<LinkModel>,
    },
}

/// One strike of a fault that is going on.
#[derive(Clone, Debug)]
struct Active {
    strike: u64,
    fault: u32,
    effect: Effect,
}

/// Everything that acts on links right now, and how often each fault did.
///
/// Clones count together.
#[derive(Clone, Debug)]
pub struct Weather {
    calm: bool,
    active: Vec<Active>,
    /// Messages that each fault changed or took. Sums do not depend on the order of the shards.
    touched: Arc<[AtomicU64]>,
}

impl Weather {
    /// Calm weather in a run with so many faults.
    pub fn new(faults: usize) -> Self {
        Self {
            calm: true,
            active: Vec::new(),
            touched: (0..faults).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// True while nothing acts on any link.
    #[inline]
    pub fn is_calm(&self) -> bool {
        self.calm
    }

    /// Lets `effect` of the fault with index `fault` act until [`Weather::end`] of that `strike`.
    pub fn begin(&mut self, strike: u64, fault: u32, effect: Effect) {
        self.active.push(Active {
            strike,
            fault,
            effect,
        });
        self.calm = false;
    }

    /// Ends what `strike` began; what other strikes do to the same links goes on.
    pub fn end(&mut self, strike: u64) {
        self.active.retain(|active| active.strike != strike);
        self.calm = self.active.is_empty();
    }

    /// How many messages the fault with each index changed or took so far.
    pub fn touched(&self) -> Vec<u64> {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        self.touched.iter().map(load).collect()
    }

    /// The first fault that cuts the link; every fault that does is counted.
    pub(crate) fn cut(&self, from: PeerId, to: PeerId) -> Option<u32> {
        let mut first = None;
        for active in &self.active {
            if let Effect::Cut(cut) = &active.effect
                && cut.takes(from, to)
            {
                self.note(active.fault);
                first = first.or(Some(active.fault));
            }
        }
        first
    }

    /// Whether any fault cuts the link; counts nothing.
    pub(crate) fn cuts(&self, from: PeerId, to: PeerId) -> bool {
        let cuts = |active: &Active| match &active.effect {
            Effect::Cut(cut) => cut.takes(from, to),
            Effect::Latency { .. } | Effect::Loss { .. } | Effect::Links { .. } => false,
        };
        self.active.iter().any(cuts)
    }

    /// The link that a fault has put in place of the usual one; the latest wins.
    pub(crate) fn replaced(&self, from: PeerId, to: PeerId) -> Option<(u32, &LinkModel)> {
        self.active
            .iter()
            .rev()
            .find_map(|active| match &active.effect {
                Effect::Links { peers, link } if touches(peers, from, to) => {
                    self.note(active.fault);
                    Some((active.fault, &**link))
                }
                Effect::Links { .. }
                | Effect::Cut(_)
                | Effect::Latency { .. }
                | Effect::Loss { .. } => None,
            })
    }

    /// The first loss storm that takes this message. Each storm has luck of its own.
    pub(crate) fn lost(&self, from: PeerId, to: PeerId, draw: Draw) -> Option<u32> {
        let mut first = None;
        for active in &self.active {
            if let Effect::Loss { peers, loss } = &active.effect
                && touches(peers, from, to)
                && draw.chance(Purpose::Storm, active.fault, *loss)
            {
                self.note(active.fault);
                first = first.or(Some(active.fault));
            }
        }
        first
    }

    /// `delay` nanoseconds as latency storms lengthen it, oldest first, and the first that did.
    pub(crate) fn lengthened(&self, from: PeerId, to: PeerId, delay: u64) -> (u64, Option<u32>) {
        let mut longer = SimDuration::from_nanos(delay);
        let mut first = None;
        for active in &self.active {
            if let Effect::Latency {
                peers,
                factor_milli,
                plus,
            } = &active.effect
                && touches(peers, from, to)
            {
                longer = longer.scale(*factor_milli, 1_000) + *plus;
                self.note(active.fault);
                first = first.or(Some(active.fault));
            }
        }
        (longer.as_nanos(), first)
    }

    fn note(&self, fault: u32) {
        if let Some(count) = self.touched.get(fault as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn touches(peers: &PeerSet, from: PeerId, to: PeerId) -> bool {
    peers.contains(from) || peers.contains(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixture::slots;

    #[test]
    fn a_set_holds_its_peers_and_no_other() {
        // Across word borders and beyond the end.
        let set = PeerSet::new(&slots([0, 63, 64, 130]));
        let held: Vec<u32> = (0..300)
            .filter(|&slot| set.contains(PeerId(slot)))
            .collect();
        assert_eq!(held, [0, 63, 64, 130]);
        assert!(!PeerSet::new(&[]).contains(PeerId(0)));
    }
}
