//! The sound model: evidence that decays, in components that do not make up for each other.
//!
//! All weights are in millionths of one full interaction and are multiplied by a fixed factor each
//! evaluation, so that they halve in [`SoundConfig::half_life`] however often they are looked at.

use crate::federation::terms::{Money, Share};
use crate::time::SimDuration;

use super::evaluator::Components;
use super::evidence::Evidence;

/// One full interaction.
const ONE: u64 = 1_000_000;

/// The knobs of the sound model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SoundConfig {
    /// In which time evidence loses half its weight. Longer forgives later. Default 7 days.
    pub half_life: SimDuration,
    /// From which value on an interaction counts in full. Default 0.01 USD.
    pub value_full: Money,
    /// How many full interactions an hour can earn at most. Default 60.
    pub earned_per_hour: u32,
    /// How many imagined failures a peer begins with; they do not decay. Default 2.
    pub prior: u32,
    /// At how many remembered threats nothing is left of the score. Default 3.
    pub threats_full: u32,
    /// As how many full interactions and answered heartbeats a human's word counts; they decay like
    /// others. Default 20.
    pub vouched: u32,
}

impl Default for SoundConfig {
    fn default() -> Self {
        Self {
            half_life: SimDuration::from_secs(7 * 86_400),
            value_full: Money::from_cents(1),
            earned_per_hour: 60,
            prior: 2,
            threats_full: 3,
            vouched: 20,
        }
    }
}

/// What is remembered of a peer, in millionths of an interaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Weights {
    /// What it delivered.
    pub served: u64,
    /// What it did not.
    pub failed: u64,
    /// Heartbeats answered.
    pub alive: u64,
    /// Heartbeats not answered.
    pub silent: u64,
    /// Threats.
    pub threats: u64,
    /// Bad signatures.
    pub bad_signatures: u64,
    /// What it may still earn for now.
    pub allowance: u64,
}

impl Weights {
    /// The weights of a newcomer, who may earn an hour's worth at once.
    pub fn new(config: &SoundConfig) -> Self {
        Self {
            allowance: u64::from(config.earned_per_hour) * ONE,
            ..Self::default()
        }
    }

    /// A human vouches for the peer.
    pub(super) fn vouch(&mut self, config: &SoundConfig) {
        let vouched = u64::from(config.vouched) * ONE;
        self.served = self.served.max(vouched);
        self.alive = self.alive.max(vouched);
    }

    pub(super) fn note(&mut self, evidence: Evidence, config: &SoundConfig) {
        match evidence {
            Evidence::Served { value } => {
                let earned = worth(value, config).min(ONE).min(self.allowance);
                self.allowance -= earned;
                self.served = self.served.saturating_add(earned);
            }
            // A failure costs what it was worth, and never less than a full success earns: cheap
            // successes do not pay for an expensive betrayal.
            Evidence::Failed { value } => {
                self.failed = self.failed.saturating_add(worth(value, config).max(ONE));
            }
            Evidence::Alive => self.alive = self.alive.saturating_add(ONE),
            Evidence::Silent => self.silent = self.silent.saturating_add(ONE),
            Evidence::Threat => self.threats = self.threats.saturating_add(ONE),
            Evidence::BadSignature => {
                self.bad_signatures = self.bad_signatures.saturating_add(ONE);
            }
            Evidence::Sent | Evidence::Received => {}
        }
    }

    /// Lets `span` pass: everything decays by `factor` and the allowance grows.
    pub(super) fn pass(&mut self, span: SimDuration, factor: Factor, config: &SoundConfig) {
        for weight in [
            &mut self.served,
            &mut self.failed,
            &mut self.alive,
            &mut self.silent,
            &mut self.threats,
            &mut self.bad_signatures,
        ] {
            *weight = factor.of(*weight);
        }
        let an_hour = u64::from(config.earned_per_hour) * ONE;
        let hour_ns = 3_600_000_000_000_u128;
        let grown = u128::from(an_hour) * u128::from(span.as_nanos()) / hour_ns;
        let allowance = u128::from(self.allowance) + grown;
        self.allowance = allowance.min(u128::from(an_hour)) as u64;
    }

    /// Full interactions remembered.
    pub fn interactions(&self) -> u64 {
        self.served / ONE
    }

    /// Whether anything is held against the peer, beyond that little is known of it.
    pub(super) fn has_blame(&self) -> bool {
        self.failed + self.threats + self.bad_signatures > ONE / 2
    }

    /// The components; each is of evidence of its own.
    pub fn components(&self, config: &SoundConfig) -> Components {
        let prior = u64::from(config.prior) * ONE;
        let share = |good: u64, bad: u64| {
            let whole = good.saturating_add(bad).saturating_add(prior);
            Share::of(good, whole).unwrap_or(Share::ZERO)
        };
        let threats_full = u64::from(config.threats_full) * ONE;
        Components {
            success: share(self.served, self.failed),
            uptime: share(self.alive, self.silent),
            threat: Share::of(self.threats, threats_full).unwrap_or(Share::ONE),
            integrity: Share::millionths(self.bad_signatures.min(ONE) as u32).complement(),
        }
    }

    /// integrity · (1 - threat) · (2/3 success + 1/3 uptime): no component makes up for another.
    pub fn score(&self, config: &SoundConfig) -> Share {
        let Components {
            success,
            uptime,
            threat,
            integrity,
        } = self.components(config);
        let thirds = [success, success, uptime].map(Share::as_millionths);
        let service = Share::millionths(thirds.iter().sum::<u32>() / 3);
        integrity.times(threat.complement()).times(service)
    }
}

fn worth(value: Money, config: &SoundConfig) -> u64 {
    let wide = u128::from(value.0) * u128::from(ONE) / u128::from(config.value_full.0.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// A number from 0 to 1 in units of 2^-32, by which weights are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Factor(u64);

impl Factor {
    const ONE: u64 = 1 << 32;

    /// The factor that, applied once every `step`, halves in `half_life`.
    ///
    /// Found by bisection over integers: no float has a say in who is trusted.
    pub(super) fn halving_in(half_life: SimDuration, step: SimDuration) -> Self {
        let steps = (half_life.as_nanos() / step.as_nanos().max(1)).max(1);
        let (mut low, mut high) = (0, Self::ONE);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if Self(middle).applied(steps).0 < Self::ONE / 2 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Self(high)
    }

    /// The factor of `times` steps.
    pub(super) fn applied(self, mut times: u64) -> Self {
        let mut base = u128::from(self.0);
        let mut product = u128::from(Self::ONE);
        while times > 0 {
            if times % 2 == 1 {
                product = (product * base) >> 32;
            }
            base = (base * base) >> 32;
            times /= 2;
        }
        Self(product as u64)
    }

    fn of(self, weight: u64) -> u64 {
        ((u128::from(weight) * u128::from(self.0)) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_halves_in_its_half_life_however_it_is_cut() {
        // The schedule must not matter: minutes or hours, the same half after seven days.
        let half_life = SimDuration::from_secs(7 * 86_400);
        for step in [60, 3_600, 86_400] {
            let factor = Factor::halving_in(half_life, SimDuration::from_secs(step));
            let after = factor.applied(7 * 86_400 / step).of(1_000_000_000);
            assert!(after.abs_diff(500_000_000) < 50_000, "{step} s: {after}");
            let twice = factor.applied(14 * 86_400 / step).of(1_000_000_000);
            assert!(twice.abs_diff(250_000_000) < 50_000, "{step} s: {twice}");
        }
        assert_eq!(Factor::halving_in(half_life, half_life).of(8), 4);
    }
}
