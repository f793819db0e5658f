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
