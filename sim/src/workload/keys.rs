//! Which key a request is about, and what it wants of it.

use fedsim_protocols::Stream;
use fedsim_scenarios::spec::{Mix, RequestLoad};

/// Parts into which a draw of a key is divided.
const PARTS: u64 = 1 << 53;

/// The kinds of request that a store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Read a register.
    Read,
    /// Overwrite it.
    Write,
    /// Overwrite it if it holds what is expected.
    CompareAndSwap,
    /// Add to it.
    Append,
}

/// Draws keys by Zipf's law, `P(k) ~ 1 / (k + 1)^skew`, and kinds by their weights.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Of each key, the draws of `0..PARTS` that fall on it or on one before it.
    upto: Vec<u64>,
    mix: Mix,
}

impl Keys {
    /// The keys and kinds of `load`.
    pub fn new(load: &RequestLoad) -> Self {
        let weights = (1..=u64::from(load.keys)).map(|rank| libm::pow(rank as f64, -load.skew));
        let mut sum = 0.0;
        let sums: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        let upto = sums.iter().map(|upto| (upto / sum * PARTS as f64) as u64);
        Self {
            upto: upto.collect(),
            mix: load.mix,
        }
    }

    /// The key of the next request, from 0.
    pub fn key(&self, dice: &mut Stream) -> u64 {
        let draw = dice.below(PARTS);
        let key = self.upto.partition_point(|upto| *upto <= draw);
        key.min(self.upto.len() - 1) as u64
    }

    /// The kind of the next request; a read if all weights are zero.
    pub fn kind(&self, dice: &mut Stream) -> Kind {
        let Mix {
            read,
            write,
            cas,
            append,
        } = self.mix;
        let kinds = [
            (Kind::Read, read),
            (Kind::Write, write),
            (Kind::CompareAndSwap, cas),
            (Kind::Append, append),
        ];
        let sum: u64 = kinds.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut draw = dice.below(sum.max(1));
        for (kind, weight) in kinds {
            match draw.checked_sub(u64::from(weight)) {
                Some(rest) => draw = rest,
                None => return kind,
            }
        }
        Kind::Read
    }
}

#[cfg(test)]
mod tests {
    use fedsim_protocols::{RunKey, StreamLabel};

    use super::*;

    fn dice() -> Stream {
        let label = StreamLabel {
            purpose: "test",
            peer: 0,
            incarnation: 0,
        };
        Stream::new(RunKey::from_seed(1), label)
    }

    #[test]
    fn keys_follow_zipfs_law() {
        // 100,000 draws of four keys against the law itself; three standard deviations are below
        // 0.5%, so a wrong exponent or an uneven cut would show.
        for (skew, shares) in [(0.0, [0.25; 4]), (1.0, [0.48, 0.24, 0.16, 0.12])] {
            let load = RequestLoad {
                keys: 4,
                skew,
                ..RequestLoad::default()
            };
            let (keys, mut dice) = (Keys::new(&load), dice());
            let mut counts = [0_u32; 4];
            (0..100_000).for_each(|_| counts[keys.key(&mut dice) as usize] += 1);
            for (count, share) in counts.into_iter().zip(shares) {
                let got = f64::from(count) / 1e5;
                assert!((got - share).abs() < 0.005, "{skew}: {got} for {share}");
            }
        }
    }

    #[test]
    fn kinds_follow_their_weights_and_a_weight_of_zero_never_comes() {
        // As above, for a mix in which one kind is left out.
        let mix = Mix {
            read: 3,
            write: 1,
            cas: 0,
            append: 1,
        };
        let keys = Keys::new(&RequestLoad {
            mix,
            ..RequestLoad::default()
        });
        let mut dice = dice();
        let kinds: Vec<Kind> = (0..10_000).map(|_| keys.kind(&mut dice)).collect();
        let share = |wanted| kinds.iter().filter(|kind| **kind == wanted).count() as f64 / 1e4;
        assert!((share(Kind::Read) - 0.6).abs() < 0.015);
        assert!((share(Kind::Write) - 0.2).abs() < 0.015);
        assert_eq!(share(Kind::CompareAndSwap), 0.0);
    }
}
