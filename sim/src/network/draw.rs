//! Keyed draws: every message has its own luck, whatever else happens on the network.
//!
//! A draw is a pure function of the run's key, the link, the moment, the message's number within
//! its step, and what the draw is for. Taking one message away therefore re-rolls no other, and two
//! variants of a protocol meet the same network luck. Must not know what is drawn.

use fedsim_protocols::{PeerId, Probability, RunKey, Stream, StreamLabel};

use crate::time::SimTime;

/// What a draw is for; each purpose has luck of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The latency of the message itself.
    Latency = 1,
    /// Whether the link loses it.
    Loss = 2,
    /// Whether it arrives twice.
    Duplicate = 3,
    /// The latency of the second copy.
    CopyLatency = 4,
    /// Whether it is held back.
    Reorder = 5,
    /// For how long.
    ReorderBy = 6,
    /// Whether a loss storm takes it; the storm's fault is the round.
    Storm = 7,
    /// A clock's offset.
    ClockOffset = 8,
    /// A clock's drift.
    ClockDrift = 9,
    /// How long a disk takes to make a batch durable.
    Fsync = 10,
    /// Whether a crash tears a batch.
    Torn = 11,
    /// How much of a torn batch is on disk.
    TornLength = 12,
    /// Whether a record is found corrupted.
    Corrupt = 13,
}

/// The secret under which all keyed draws of one kind are made.
#[derive(Clone, Copy, Debug)]
pub struct DrawKey {
    link: u64,
    moment: u64,
}

/// The luck of one message, from which one draw a purpose is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw(u64);

/// The golden ratio in 64 bits: an odd constant whose multiples spread evenly.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl DrawKey {
    /// The key of the draws that `purpose` names, from the run's own ChaCha stream for it.
    pub fn new(key: RunKey, purpose: &'static str) -> Self {
        let mut stream = Stream::new(key, StreamLabel::global(purpose));
        Self {
            link: stream.between(0, u64::MAX),
            moment: stream.between(0, u64::MAX),
        }
    }

    /// The luck of the `nth` message that `from` sends to `to` at `sent`.
    #[inline]
    pub fn message(&self, from: PeerId, to: PeerId, sent: SimTime, nth: u32) -> Draw {
        let link = u64::from(from.0) << 32 | u64::from(to.0);
        let moment = sent
            .as_nanos()
            .wrapping_add(u64::from(nth).wrapping_mul(GOLDEN));
        Draw(fold(link ^ self.link, moment ^ self.moment))
    }

    /// The luck of the `nth` thing that happens to one peer.
    #[inline]
    pub fn own(&self, peer: PeerId, nth: u64) -> Draw {
        Draw(fold(u64::from(peer.0) ^ self.link, nth ^ self.moment))
    }
}

impl Draw {
    /// 64 uniform bits for `purpose`; another `round` gives other bits.
    #[inline]
    pub fn bits(self, purpose: Purpose, round: u32) -> u64 {
        let salt = (purpose as u64) << 32 | u64::from(round);
        finish(self.0 ^ salt.wrapping_mul(GOLDEN))
    }

    /// True with probability `p`.
    #[inline]
    pub fn chance(self, purpose: Purpose, round: u32, p: Probability) -> bool {
        !p.is_zero() && p.holds(self.bits(purpose, round))
    }

    /// A uniform integer in `0..=last`, by multiply and shift (bias below `last / 2^64`).
    #[inline]
    pub fn up_to(self, purpose: Purpose, last: u64) -> u64 {
        scale_to(self.bits(purpose, 0), last)
    }

    /// The luck of the same message on hop number `hop` of its path; hop 0 is itself.
    #[inline]
    pub fn hop(self, hop: u32) -> Draw {
        match hop {
            0 => self,
            later => Draw(finish(
                self.0.wrapping_add(u64::from(later).wrapping_mul(GOLDEN)),
            )),
        }
    }
}

/// Maps 64 uniform bits to a uniform integer in `0..=last`.
#[inline]
pub(crate) fn scale_to(bits: u64, last: u64) -> u64 {
    ((u128::from(bits) * (u128::from(last) + 1)) >> 64) as u64
}

/// Both halves of the product, folded: one multiplication mixes two secret-masked words (as in
/// wyhash).
#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let wide = u128::from(left) * u128::from(right);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// The finaliser of SplitMix64 (Stafford's variant 13): a bijection in which every input bit flips
/// every output bit with probability near one half.
#[inline]
fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DrawKey {
        DrawKey::new(RunKey::from_seed(7), "network")
    }

    fn message(sent: u64, nth: u32) -> Draw {
        key().message(PeerId(3), PeerId(4), SimTime::from_nanos(sent), nth)
    }

    #[test]
    fn each_part_of_the_label_changes_the_draw_and_nothing_else_does() {
        // The same label must give the same bits, or a re-run differs; each single change of a
        // label must give other bits, or two messages share their luck.
        let base = message(1_000, 0).bits(Purpose::Latency, 0);
        assert_eq!(base, message(1_000, 0).bits(Purpose::Latency, 0));
        let swapped = key().message(PeerId(4), PeerId(3), SimTime::from_nanos(1_000), 0);
        let others = [
            message(1_001, 0).bits(Purpose::Latency, 0),
            message(1_000, 1).bits(Purpose::Latency, 0),
            message(1_000, 0).bits(Purpose::Loss, 0),
            message(1_000, 0).bits(Purpose::Latency, 1),
            message(1_000, 0).hop(1).bits(Purpose::Latency, 0),
            swapped.bits(Purpose::Latency, 0),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(base, *other, "case {index}");
        }
    }

    #[test]
    fn draws_are_golden() {
        // A published seed must replay for ever, so these bits must never move.
        let drawn = [Purpose::Latency, Purpose::Loss].map(|purpose| message(5, 0).bits(purpose, 0));
        assert_eq!(
            drawn,
            [3_125_874_252_904_968_037, 3_803_533_853_149_108_558]
        );
    }

    #[test]
    fn neighbouring_labels_give_uniform_and_unrelated_bits() {
        // Over 64,000 draws with neighbouring send times and numbers every bit must be set half of
        // the time, within 5 standard errors (5 * 0.5 / sqrt(64,000) is under 0.01), and so must
        // the difference of two purposes.
        let draws: Vec<Draw> = (0..64_000_u32)
            .map(|step| message(u64::from(step / 8) * 1_000_000, step % 8))
            .collect();
        for bit in 0..64 {
            let share = |bits: &dyn Fn(&Draw) -> u64| {
                draws
                    .iter()
                    .filter(|draw| bits(draw) >> bit & 1 == 1)
                    .count() as f64
                    / 64_000.0
            };
            let plain = share(&|draw| draw.bits(Purpose::Latency, 0));
            let both = share(&|draw| draw.bits(Purpose::Latency, 0) ^ draw.bits(Purpose::Loss, 0));
            assert!((plain - 0.5).abs() < 0.01, "bit {bit}: {plain}");
            assert!(
                (both - 0.5).abs() < 0.01,
                "bit {bit} of the difference: {both}"
            );
        }
    }

    #[test]
    fn a_scaled_draw_reaches_both_ends() {
        // `0..=last` is inclusive: the least and the greatest bits must give its ends.
        assert_eq!(scale_to(0, 9), 0);
        assert_eq!(scale_to(u64::MAX, 9), 9);
        assert_eq!(scale_to(u64::MAX, u64::MAX), u64::MAX);
    }
}
