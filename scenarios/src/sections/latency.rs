//! How long messages take: distributions, as one-way latency or as round trip.

use fedsim_protocols::SimDuration;

use super::regions::durations;
use crate::layer::choice::only;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{real, text};
use crate::layer::shape::{list, maybe};
use crate::layer::{Out, Reader, Section, Shape, Tagged, Type, World, at};
use crate::spec::Latency;
use crate::tree::Node;

/// A distribution of latencies.
pub(crate) fn latency() -> Tagged<Latency> {
    Tagged::new()
        .case(
            "constant",
            positive_duration(),
            Latency::Constant,
            only!(Latency::Constant(always) => *always),
            "Always the same.",
        )
        .case(
            "uniform",
            Span,
            |(low, high)| Latency::Uniform { low, high },
            only!(Latency::Uniform { low, high } => (*low, *high)),
            "Uniform between two durations, `[\"10ms\", \"100ms\"]`.",
        )
        .case(
            "normal",
            normal(),
            |(mean, deviation, min)| Latency::Normal {
                mean,
                deviation,
                min,
            },
            only!(Latency::Normal {
                    mean,
                    deviation,
                    min,
                } => (*mean, *deviation, *min)),
            "Normal.",
        )
        .case(
            "log-normal",
            log_normal(),
            |(median, sigma, min)| Latency::LogNormal { median, sigma, min },
            only!(Latency::LogNormal { median, sigma, min } => (*median, *sigma, *min)),
            "Log-normal, `exp(N(ln median, sigma))`.",
        )
        .case(
            "pareto",
            pareto(),
            |(scale, shape, min)| Latency::Pareto {
                scale,
                shape,
                min: min.unwrap_or(scale),
            },
            only!(Latency::Pareto { scale, shape, min } => (*scale, *shape, Some(*min))),
            "Pareto, type I: `scale / u^(1/shape)`. Heavy tails.",
        )
        .case(
            "empirical",
            Empirical,
            |(samples, min)| Latency::Empirical { samples, min },
            only!(Latency::Empirical { samples, min } => (samples.clone(), *min)),
            "As measured: equally likely samples, interpolated.",
        )
        .named(
            "latency",
            "A one-way latency: a table with one key that names its distribution. A draw below \
             `min` is drawn again, so that no message is faster; the shortest of all is how far \
             peers can run apart. `{ uniform = [\"10ms\", \"100ms\"] }`.",
        )
}

/// Half of what a round trip takes.
fn halved(latency: Latency) -> Latency {
    let half = |span: SimDuration| span / 2;
    match latency {
        Latency::Constant(always) => Latency::Constant(half(always)),
        Latency::Uniform { low, high } => Latency::Uniform {
            low: half(low),
            high: half(high),
        },
        Latency::Normal {
            mean,
            deviation,
            min,
        } => Latency::Normal {
            mean: half(mean),
            deviation: half(deviation),
            min: half(min),
        },
        Latency::LogNormal { median, sigma, min } => Latency::LogNormal {
            median: half(median),
            sigma,
            min: half(min),
        },
        Latency::Pareto { scale, shape, min } => Latency::Pareto {
            scale: half(scale),
            shape,
            min: half(min),
        },
        Latency::Empirical { samples, min } => Latency::Empirical {
            samples: samples.into_iter().map(half).collect(),
            min: half(min),
        },
    }
}

/// A latency stated as round trip.
pub(crate) struct RoundTrip;

impl Shape<Latency> for RoundTrip {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Latency> {
        let one_way = halved(latency().read(node, reader)?);
        if one_way.min().is_zero() {
            reader.refuse(
                node.place,
                "half of this is no time",
                "must be at least 2ns",
            );
            return None;
        }
        Some(one_way)
    }

    fn write(&self, _: &Latency, _: &World) -> Option<Out> {
        None
    }

    fn describe(&self) -> Type {
        latency().describe()
    }
}

/// Two durations, the shorter first.
pub(crate) struct Span;

impl Shape<(SimDuration, SimDuration)> for Span {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<(SimDuration, SimDuration)> {
        match list(positive_duration()).read(node, reader)?.as_slice() {
            &[low, high] if low <= high => Some((low, high)),
            &[low, high] => {
                let message = format!("the shortest, {low}, is longer than the longest, {high}");
                reader.refuse(node.place, message, format!("[\"{high}\", \"{low}\"]"));
                None
            }
            many => {
                let message = format!("expected two durations, found {}", many.len());
                reader.refuse(node.place, message, "[shortest, longest]");
                None
            }
        }
    }

    fn write(&self, (low, high): &(SimDuration, SimDuration), world: &World) -> Option<Out> {
        list(duration()).write(&vec![*low, *high], world)
    }

    fn describe(&self) -> Type {
        list(duration()).describe()
    }
}

const NO_SPAN: SimDuration = SimDuration::ZERO;
const MIN: &str = "No draw is shorter; at most the median, so that few draws are repeated.";

fn normal() -> Section<(SimDuration, SimDuration, SimDuration)> {
    Section::new("A normal distribution.", (NO_SPAN, NO_SPAN, NO_SPAN))
        .required("mean", positive_duration(), at!(0), "Mean.")
        .required("deviation", duration(), at!(1), "Standard deviation.")
        .required("min", positive_duration(), at!(2), MIN)
        .check(|&(mean, _, min), node, reader| at_most_median(min, mean, node, reader))
}

fn log_normal() -> Section<(SimDuration, f64, SimDuration)> {
    Section::new("A log-normal distribution.", (NO_SPAN, 0.0, NO_SPAN))
        .required(
            "median",
            positive_duration(),
            at!(0),
            "Half of all draws are shorter.",
        )
        .required(
            "sigma",
            real(0.0..=10.0),
            at!(1),
            "Standard deviation of the logarithm.",
        )
        .required("min", positive_duration(), at!(2), MIN)
        .check(|&(median, _, min), node, reader| at_most_median(min, median, node, reader))
        .check(|&(_, sigma, _), node, reader| positive(sigma, "sigma", node, reader))
}

fn pareto() -> Section<(SimDuration, f64, Option<SimDuration>)> {
    Section::new("A Pareto distribution.", (NO_SPAN, 0.0, None))
        .required("scale", positive_duration(), at!(0), "The least value.")
        .required(
            "shape",
            real(0.0..=1e6),
            at!(1),
            "Tail index, above 0. At most 1 has no mean, at most 2 no variance.",
        )
        .key(
            "min",
            maybe(positive_duration()),
            at!(2),
            "No draw is shorter; `scale` if left out, at most twice that.",
        )
        .check(|&(scale, _, min), node, reader| {
            at_most_median(min.unwrap_or(scale), scale * 2, node, reader);
        })
        .check(|&(_, shape, _), node, reader| positive(shape, "shape", node, reader))
}

fn positive(value: f64, key: &str, node: &Node, reader: &mut Reader<'_>) {
    if value <= 0.0 {
        reader.refuse(
            node.place_of(key),
            format!("{key} is zero"),
            "must be above 0",
        );
    }
}

fn at_most_median(min: SimDuration, median: SimDuration, node: &Node, reader: &mut Reader<'_>) {
    if min > median {
        let message = format!("min, {min}, lies above the middle of the distribution");
        reader.refuse(
            node.place_of("min"),
            message,
            format!("must be at most {median}"),
        );
    }
}

struct Empirical;

#[derive(Clone, Default)]
struct Measured {
    samples: Vec<SimDuration>,
    file: String,
    min: Option<SimDuration>,
}

impl Empirical {
    fn section() -> Section<Measured> {
        Section::new("A measured distribution.", Measured::default())
            .key(
                "samples",
                list(positive_duration()),
                at!(samples),
                "At least two durations.",
            )
            .key(
                "file",
                text(),
                at!(file),
                "Instead: a file with durations, separated by commas or line ends; a line that \
                 begins with `#` is a comment.",
            )
            .key(
                "min",
                maybe(positive_duration()),
                at!(min),
                "No draw is shorter; the shortest sample if left out, at most the median.",
            )
    }
}

impl Shape<(Vec<SimDuration>, SimDuration)> for Empirical {
    fn read(
        &self,
        node: &Node,
        reader: &mut Reader<'_>,
    ) -> Option<(Vec<SimDuration>, SimDuration)> {
        let before = reader.count();
        let mut read = Self::section().read(node, reader)?;
        if !read.file.is_empty() {
            let place = node.place_of("file");
            let text = reader.file(&read.file, place)?;
            read.samples = durations(&text, &read.file, place, reader)?;
        }
        if reader.count() > before {
            return None;
        }
        read.samples.sort_unstable();
        let (Some(&shortest), true) = (read.samples.first(), read.samples.len() > 1) else {
            reader.refuse(node.place, "fewer than two samples", "`samples` or `file`");
            return None;
        };
        let min = read.min.unwrap_or(shortest);
        at_most_median(min, read.samples[read.samples.len() / 2], node, reader);
        Some((read.samples, min))
    }

    fn write(
        &self,
        (samples, min): &(Vec<SimDuration>, SimDuration),
        world: &World,
    ) -> Option<Out> {
        let measured = Measured {
            samples: samples.clone(),
            file: String::new(),
            min: Some(*min),
        };
        Self::section().write(&measured, world)
    }

    fn describe(&self) -> Type {
        Self::section().describe()
    }
}
