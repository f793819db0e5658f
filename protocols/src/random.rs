//! All dice of a run: ChaCha streams, each derived from the run's seed and a label.
//!
//! A stream costs nothing until its first draw, so a peer may hold several. No stream can be made
//! from anything but a [`RunKey`]; there is no default seed.

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

/// The secret from which every draw of one run is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunKey([u8; 32]);

impl RunKey {
    /// The key of the run with this seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(blake3::derive_key("fedsim run key v1", &seed.to_le_bytes()))
    }

    /// 32 bytes that belong to `label` alone.
    pub fn derive(&self, label: StreamLabel) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(label.purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(&label.peer.to_le_bytes());
        hasher.update(&label.incarnation.to_le_bytes());
        *hasher.finalize().as_bytes()
    }
}

/// Which of a run's streams: what for, whose, and since which restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamLabel {
    /// What the draws are for, such as `"protocol/swim"` or `"nemesis"`.
    pub purpose: &'static str,
    /// The peer's slot, or `u32::MAX` for a stream that belongs to no peer.
    pub peer: u32,
    /// How often the peer was restarted before.
    pub incarnation: u32,
}

impl StreamLabel {
    /// The label of a stream that belongs to no peer.
    pub const fn global(purpose: &'static str) -> Self {
        Self {
            purpose,
            peer: u32::MAX,
            incarnation: 0,
        }
    }
}

/// One named child of the run's seed, created at its first draw.
#[derive(Clone, Debug)]
pub struct Stream(State);

#[allow(
    clippy::large_enum_variant,
    reason = "behind a pointer each draw would wait for memory twice"
)]
#[derive(Clone, Debug)]
enum State {
    Named(RunKey, StreamLabel),
    Drawn(ChaCha8Rng),
}

impl Stream {
    /// The stream of `label` in the run of `key`.
    pub fn new(key: RunKey, label: StreamLabel) -> Self {
        Self(State::Named(key, label))
    }

    #[inline]
    fn state(&mut self) -> &mut ChaCha8Rng {
        if let State::Named(key, label) = self.0 {
            self.0 = State::Drawn(ChaCha8Rng::from_seed(key.derive(label)));
        }
        match &mut self.0 {
            State::Drawn(state) => state,
            State::Named(..) => unreachable!("BUG: a stream that does not begin"),
        }
    }

    /// A uniform integer below `bound` (Lemire's multiply and reject, 2019).
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "BUG: a draw from an empty range");
        let state = self.state();
        loop {
            let wide = u128::from(state.next_u64()) * u128::from(bound);
            if wide as u64 >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A uniform integer in `low..=high`.
    ///
    /// # Panics
    /// If the range is empty.
    #[inline]
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        match (high - low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.state().next_u64(),
        }
    }

    /// True with probability `p`; draws once whatever `p` is.
    #[inline]
    pub fn chance(&mut self, p: Probability) -> bool {
        p.holds(self.state().next_u64())
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.state().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.state().next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.state().fill_bytes(bytes);
        Ok(())
    }
}

/// A probability as an integer count of 2^-53, so that no float decides what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probability(u64);

impl Probability {
    const ONE_BITS: u64 = 1 << 53;
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(Self::ONE_BITS);

    /// The probability nearest below `p`, or `None` outside 0 to 1.
    ///
    /// Safe for determinism: scaling by a power of two is exact in IEEE 754.
    pub fn from_f64(p: f64) -> Option<Self> {
        (0.0..=1.0)
            .contains(&p)
            .then_some(Self((p * Self::ONE_BITS as f64) as u64))
    }

    /// The probability as a float, for printing.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / Self::ONE_BITS as f64
    }

    /// Whether an event of this probability happens for a uniform 64-bit draw.
    #[inline]
    pub fn holds(self, draw: u64) -> bool {
        (draw >> 11) < self.0
    }

    /// True of [`Probability::ZERO`].
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(seed: u64, peer: u32) -> Stream {
        let label = StreamLabel {
            purpose: "test",
            peer,
            incarnation: 0,
        };
        Stream::new(RunKey::from_seed(seed), label)
    }

    #[test]
    fn streams_are_golden_and_independent_of_each_other() {
        // The first draws of a published seed must never move, and neighbours must differ.
        let mut one = stream(7, 0);
        let drawn = [(); 3].map(|()| one.below(1_000_000));
        assert_eq!(drawn, [752_430, 489_784, 790_205]);
        assert_ne!(stream(7, 1).below(u64::MAX), stream(7, 2).below(u64::MAX));
        assert_ne!(stream(8, 1).below(u64::MAX), stream(7, 1).below(u64::MAX));
    }

    #[test]
    fn probability_bounds_are_exact() {
        // p = 0 must never hold and p = 1 always, for every draw, or a "lossless" link loses.
        for draw in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!Probability::ZERO.holds(draw));
            assert!(Probability::ONE.holds(draw));
        }
        assert_eq!(Probability::from_f64(0.25).unwrap().as_f64(), 0.25);
        assert!(Probability::from_f64(-0.1).is_none());
        assert!(Probability::from_f64(f64::NAN).is_none());
    }

    #[test]
    fn below_is_uniform() {
        // 60,000 draws over 6 faces: each within 4 standard deviations (about 365) of 10,000.
        let mut dice = stream(1, 0);
        let mut faces = [0_i64; 6];
        (0..60_000).for_each(|_| faces[dice.below(6) as usize] += 1);
        assert!(
            faces.iter().all(|&count| (count - 10_000).abs() < 365),
            "{faces:?}"
        );
    }
}
