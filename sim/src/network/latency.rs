//! Latency distributions, drawn by inverse transform on `libm` alone.
//!
//! Floats are safe here: only the four basic operations (exact in IEEE 754) and software functions
//! of the `libm` crate touch them, and the result is rounded to integer nanoseconds; golden values
//! are under test. Must not know links or peers.

use fedsim_protocols::SimDuration;
use fedsim_scenarios::spec::Latency;

use super::draw::{Draw, Purpose, scale_to};
use super::normal::inverse_normal;

/// How often a draw below the minimum is repeated before it is raised to the minimum.
const REDRAWS: u32 = 64;

/// A distribution made ready for drawing.
#[derive(Clone, Debug)]
pub struct LatencyModel {
    shape: Shape,
    min: u64,
}

#[derive(Clone, Debug)]
enum Shape {
    Constant,
    /// `min + 0..=width`.
    Uniform {
        width: u64,
    },
    Normal {
        mean: f64,
        deviation: f64,
    },
    LogNormal {
        ln_median: f64,
        sigma: f64,
    },
    Pareto {
        scale: f64,
        shape: f64,
    },
    Empirical {
        samples: Box<[u64]>,
    },
}

/// What a distribution looks like, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyFigures {
    /// Mean; none if the distribution has no finite one.
    pub mean: Option<SimDuration>,
    /// Half of all draws are shorter.
    pub median: SimDuration,
    /// 99 of 100 draws are shorter.
    pub p99: SimDuration,
}

impl LatencyModel {
    /// The model of `latency`.
    pub fn new(latency: &Latency) -> Self {
        let float = |span: SimDuration| span.as_nanos() as f64;
        let shape = match latency {
            Latency::Constant(_) => Shape::Constant,
            Latency::Uniform { low, high } => Shape::Uniform {
                width: high.saturating_sub(*low).as_nanos(),
            },
            Latency::Normal {
                mean, deviation, ..
            } => Shape::Normal {
                mean: float(*mean),
                deviation: float(*deviation),
            },
            Latency::LogNormal { median, sigma, .. } => Shape::LogNormal {
                ln_median: libm::log(float(*median)),
                sigma: *sigma,
            },
            Latency::Pareto { scale, shape, .. } => Shape::Pareto {
                scale: float(*scale),
                shape: *shape,
            },
            Latency::Empirical { samples, .. } => Shape::Empirical {
                samples: samples.iter().map(|sample| sample.as_nanos()).collect(),
            },
        };
        let min = latency.min().as_nanos();
        Self { shape, min }
    }

    /// No draw is shorter than so many nanoseconds.
    pub fn min_nanos(&self) -> u64 {
        self.min
    }

    /// A draw in nanoseconds, at least the minimum. Draws below it are drawn again.
    #[inline]
    pub fn sample(&self, draw: Draw, purpose: Purpose) -> u64 {
        match &self.shape {
            Shape::Constant => self.min,
            Shape::Uniform { width } => self.min + scale_to(draw.bits(purpose, 0), *width),
            Shape::Normal { .. }
            | Shape::LogNormal { .. }
            | Shape::Pareto { .. }
            | Shape::Empirical { .. } => (0..REDRAWS)
                .map(|round| self.inverse(draw.bits(purpose, round)))
                .find(|&nanos| nanos >= self.min)
                .unwrap_or(self.min),
        }
    }

    /// The inverse of the distribution function, the minimum not yet applied.
    fn inverse(&self, bits: u64) -> u64 {
        let nanos = match &self.shape {
            Shape::Constant => return self.min,
            Shape::Uniform { width } => return self.min + scale_to(bits, *width),
            Shape::Empirical { samples } => return interpolate(samples, bits),
            Shape::Normal { mean, deviation } => mean + deviation * inverse_normal(unit(bits)),
            Shape::LogNormal { ln_median, sigma } => {
                libm::exp(ln_median + sigma * inverse_normal(unit(bits)))
            }
            Shape::Pareto { scale, shape } => scale * libm::pow(unit(bits), -1.0 / shape),
        };
        nanos as u64
    }

    /// Mean, median and 99th percentile, from an even grid of 100,000 points of the distribution.
    pub fn figures(&self) -> LatencyFigures {
        const POINTS: u64 = 100_000;
        let step = u64::MAX / POINTS;
        let mut grid: Vec<u64> = (0..POINTS)
            .map(|point| self.inverse(point * step + step / 2))
            .filter(|&nanos| nanos >= self.min)
            .collect();
        if grid.is_empty() {
            grid.push(self.min);
        }
        grid.sort_unstable();
        let at = |thousandths: usize| {
            SimDuration::from_nanos(grid[(grid.len() * thousandths / 1_000).min(grid.len() - 1)])
        };
        LatencyFigures {
            mean: self.mean_of(&grid),
            median: at(500),
            p99: at(990),
        }
    }

    /// A Pareto's mean has a closed form, which a grid misses by its tail; cut below at `min` it is
    /// again a Pareto.
    fn mean_of(&self, grid: &[u64]) -> Option<SimDuration> {
        let nanos = match self.shape {
            Shape::Pareto { shape, .. } if shape <= 1.0 => return None,
            Shape::Pareto { scale, shape } => scale.max(self.min as f64) * shape / (shape - 1.0),
            Shape::Constant
            | Shape::Uniform { .. }
            | Shape::Normal { .. }
            | Shape::LogNormal { .. }
            | Shape::Empirical { .. } => {
                grid.iter().map(|&nanos| nanos as f64).sum::<f64>() / grid.len() as f64
            }
        };
        Some(SimDuration::from_nanos(nanos as u64))
    }
}

/// The middle of one of 2^52 equal parts of the unit interval: never 0 and never 1.
#[inline]
fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// The quantile of equally likely sorted samples, linear between neighbours, in integers.
fn interpolate(samples: &[u64], bits: u64) -> u64 {
    let gaps = samples.len().saturating_sub(1) as u128;
    let scaled = u128::from(bits) * gaps;
    let (index, fraction) = ((scaled >> 64) as usize, scaled as u64);
    let Some(&low) = samples.get(index) else {
        return 0;
    };
    let high = samples.get(index + 1).copied().unwrap_or(low).max(low);
    low + ((u128::from(high - low) * u128::from(fraction)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::DrawKey;
    use crate::network::fixture::ms;
    use crate::time::SimTime;
    use fedsim_protocols::{PeerId, RunKey};
    use statrs::distribution::{ContinuousCDF, LogNormal, Normal, Pareto};

    const DRAWS: usize = 100_000;

    /// Sorted draws in milliseconds, one for each of 100,000 messages of a link.
    fn drawn(latency: &Latency) -> Vec<f64> {
        let key = DrawKey::new(RunKey::from_seed(3), "network");
        let model = LatencyModel::new(latency);
        let one = |step: u64| {
            let draw = key.message(PeerId(1), PeerId(2), SimTime::from_nanos(step * 1_000), 0);
            model.sample(draw, Purpose::Latency) as f64 / 1e6
        };
        let mut draws: Vec<f64> = (0..DRAWS as u64).map(one).collect();
        draws.sort_unstable_by(f64::total_cmp);
        draws
    }

    /// Holds that so many draws lie below each quantile as should: of 100,000 draws the share below
    /// the p-quantile has standard error sqrt(p (1 - p) / 100,000), and four of them are allowed.
    /// The quantiles come from statrs or by hand, not from the code under test.
    fn assert_quantiles(draws: &[f64], quantile: impl Fn(f64) -> f64) {
        for p in [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999] {
            let below = draws.partition_point(|&draw| draw < quantile(p)) as f64 / DRAWS as f64;
            let error = (p * (1.0 - p) / DRAWS as f64).sqrt();
            assert!((below - p).abs() < 4.0 * error, "p = {p}: {below}");
        }
    }

    /// Holds the mean within four standard errors of `mean` for a standard deviation `deviation`.
    fn assert_mean(draws: &[f64], mean: f64, deviation: f64) {
        let found = draws.iter().sum::<f64>() / DRAWS as f64;
        let error = deviation / (DRAWS as f64).sqrt();
        assert!(
            (found - mean).abs() < 4.0 * error,
            "{found} instead of {mean}"
        );
    }

    #[test]
    fn constant_is_always_the_same() {
        // A distribution of one value: all draws are it.
        assert!(
            drawn(&Latency::Constant(ms(7)))
                .iter()
                .all(|&draw| draw == 7.0)
        );
    }

    #[test]
    fn uniform_has_its_quantiles_and_stays_within() {
        // Quantiles of U(10, 30) are 10 + 20 p, its mean 20 and its deviation 20 / sqrt(12).
        let draws = drawn(&Latency::Uniform {
            low: ms(10),
            high: ms(30),
        });
        assert_quantiles(&draws, |p| 10.0 + 20.0 * p);
        assert_mean(&draws, 20.0, 20.0 / 12.0_f64.sqrt());
        assert!(draws[0] >= 10.0 && draws[DRAWS - 1] <= 30.0);
    }

    #[test]
    fn normal_has_its_quantiles() {
        // With its minimum eight deviations away nothing is cut: the plain normal distribution.
        let draws = drawn(&Latency::Normal {
            mean: ms(50),
            deviation: ms(5),
            min: ms(10),
        });
        let normal = Normal::new(50.0, 5.0).unwrap();
        assert_quantiles(&draws, |p| normal.inverse_cdf(p));
        assert_mean(&draws, 50.0, 5.0);
    }

    #[test]
    fn a_cut_distribution_is_the_conditional_one() {
        // Drawing again below the minimum gives the distribution on condition of being above it:
        // its p-quantile is the plain one at F(min) + p (1 - F(min)). Raising draws to the minimum
        // instead would pile up there and fail the low quantiles.
        let draws = drawn(&Latency::Normal {
            mean: ms(20),
            deviation: ms(10),
            min: ms(15),
        });
        let normal = Normal::new(20.0, 10.0).unwrap();
        let below = normal.cdf(15.0);
        assert_quantiles(&draws, |p| normal.inverse_cdf(below + p * (1.0 - below)));
        assert!(draws[0] >= 15.0);
    }

    #[test]
    fn log_normal_has_its_quantiles() {
        // exp(N(ln 30, 0.5)): mean 30 exp(0.125), variance mean^2 (exp(0.25) - 1).
        let draws = drawn(&Latency::LogNormal {
            median: ms(30),
            sigma: 0.5,
            min: SimDuration::from_micros(1),
        });
        let reference = LogNormal::new(libm::log(30.0), 0.5).unwrap();
        assert_quantiles(&draws, |p| reference.inverse_cdf(p));
        let mean = 30.0 * libm::exp(0.125);
        assert_mean(&draws, mean, mean * (libm::exp(0.25) - 1.0).sqrt());
    }

    #[test]
    fn pareto_has_its_quantiles() {
        // Shape 3, scale 10: mean 15, variance 10^2 * 3 / (2^2 * 1) = 75.
        let draws = drawn(&Latency::Pareto {
            scale: ms(10),
            shape: 3.0,
            min: ms(10),
        });
        let reference = Pareto::new(10.0, 3.0).unwrap();
        assert_quantiles(&draws, |p| reference.inverse_cdf(p));
        assert_mean(&draws, 15.0, 75.0_f64.sqrt());
    }

    #[test]
    fn empirical_goes_through_its_samples() {
        // Samples 10, 20, 60: half of the mass lies evenly in 10..20 and half in 20..60; the mean is
        // (15 + 40) / 2 and the second moment (700 / 3 + 5,200 / 3) / 2.
        let draws = drawn(&Latency::Empirical {
            samples: vec![ms(10), ms(20), ms(60)],
            min: ms(10),
        });
        let quantile = |p: f64| match p < 0.5 {
            true => 10.0 + 20.0 * p,
            false => 20.0 + 80.0 * (p - 0.5),
        };
        assert_quantiles(&draws, quantile);
        assert_mean(&draws, 27.5, (5_900.0 / 6.0 - 27.5_f64 * 27.5).sqrt());
    }

    #[test]
    fn a_minimum_out_of_reach_ends_the_drawing() {
        // Every draw of this distribution is below the minimum; drawing must stop at it, not hang.
        let draws = drawn(&Latency::Uniform {
            low: ms(1),
            high: ms(1),
        });
        assert_eq!(draws[DRAWS - 1], 1.0);
        let unreachable = LatencyModel::new(&Latency::Empirical {
            samples: vec![ms(1), ms(2)],
            min: ms(5),
        });
        let key = DrawKey::new(RunKey::from_seed(3), "network");
        let draw = key.own(PeerId(0), 0);
        assert_eq!(unreachable.sample(draw, Purpose::Latency), 5_000_000);
    }

    #[test]
    fn draws_are_golden() {
        // A published seed must give the same nanoseconds on every platform and for ever.
        let min = SimDuration::from_nanos(1);
        let shapes = [
            Latency::Uniform {
                low: ms(1),
                high: ms(2),
            },
            Latency::Normal {
                mean: ms(50),
                deviation: ms(5),
                min,
            },
            Latency::LogNormal {
                median: ms(30),
                sigma: 0.5,
                min,
            },
            Latency::Pareto {
                scale: ms(10),
                shape: 1.5,
                min,
            },
            Latency::Empirical {
                samples: vec![ms(10), ms(20), ms(60)],
                min,
            },
        ];
        let key = DrawKey::new(RunKey::from_seed(3), "network");
        let draw = key.message(PeerId(1), PeerId(2), SimTime::from_nanos(5), 0);
        let drawn = shapes.map(|shape| LatencyModel::new(&shape).sample(draw, Purpose::Latency));
        assert_eq!(
            drawn,
            [1_805_019, 54_298_431, 46_110_490, 11_555_690, 44_401_518]
        );
    }

    #[test]
    fn figures_for_people_agree_with_the_distribution() {
        // What `explain` prints must be the distribution's own figures; a Pareto of shape 1 has no
        // mean, and none may be made up.
        let figures = |latency| LatencyModel::new(&latency).figures();
        let near =
            |span: SimDuration, millis: f64| (span.as_millis_f64() / millis - 1.0).abs() < 1e-3;
        let normal = figures(Latency::Normal {
            mean: ms(50),
            deviation: ms(5),
            min: ms(10),
        });
        assert!(near(normal.mean.unwrap(), 50.0) && near(normal.median, 50.0));
        assert!(near(normal.p99, 50.0 + 5.0 * 2.326_35));
        let heavy = figures(Latency::Pareto {
            scale: ms(10),
            shape: 1.0,
            min: ms(10),
        });
        assert_eq!(heavy.mean, None);
        assert!(near(heavy.median, 20.0) && near(heavy.p99, 1_000.0));
    }
}
