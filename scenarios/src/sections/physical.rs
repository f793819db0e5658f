//! One link, one clock, one processor, one disk.

use fedsim_protocols::SimDuration;

use crate::layer::quantity::{
    Chance, capacity, duration, positive_duration, signed_duration, size,
};
use crate::layer::scalar::{Flag, count, real, text};
use crate::layer::shape::{list, maybe, or_word};
use crate::layer::{Reader, Section, Shape, Tagged, Type, World, at, choice};
use crate::spec::{Bandwidth, ClockSpec, CpuSpec, DiskSpec, Latency, LinkSpec, Reorder};
use crate::tree::Node;

/// A distribution of latencies.
pub(crate) fn latency() -> Tagged<Latency> {
    Tagged::new()
        .case(
            "constant",
            positive_duration(),
            Latency::Constant,
            |latency| match latency {
                Latency::Constant(always) => Some(*always),
                _ => None,
            },
            "Always the same.",
        )
        .case(
            "uniform",
            Span,
            |(low, high)| Latency::Uniform { low, high },
            |latency| match latency {
                Latency::Uniform { low, high } => Some((*low, *high)),
                _ => None,
            },
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
            |latency| match latency {
                Latency::Normal {
                    mean,
                    deviation,
                    min,
                } => Some((*mean, *deviation, *min)),
                _ => None,
            },
            "Normal.",
        )
        .case(
            "log-normal",
            log_normal(),
            |(median, sigma, min)| Latency::LogNormal { median, sigma, min },
            |latency| match latency {
                Latency::LogNormal { median, sigma, min } => Some((*median, *sigma, *min)),
                _ => None,
            },
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
            |latency| match latency {
                Latency::Pareto { scale, shape, min } => Some((*scale, *shape, Some(*min))),
                _ => None,
            },
            "Pareto, type I: `scale / u^(1/shape)`. Heavy tails.",
        )
        .case(
            "empirical",
            Empirical,
            |(samples, min)| Latency::Empirical { samples, min },
            |latency| match latency {
                Latency::Empirical { samples, min } => Some((samples.clone(), *min)),
                _ => None,
            },
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

    fn write(&self, _: &Latency, _: &World) -> Option<crate::layer::Out> {
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

    fn write(
        &self,
        (low, high): &(SimDuration, SimDuration),
        world: &World,
    ) -> Option<crate::layer::Out> {
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
            read.samples = super::regions::durations(&text, &read.file, place, reader)?;
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
    ) -> Option<crate::layer::Out> {
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

/// What a link does.
pub(crate) fn link() -> Section<LinkSpec> {
    let round_trip = "Round trips instead of one-way latencies: each link gets half.";
    let latencies = Tagged::new()
        .case(
            "latency",
            latency(),
            |l| l,
            |l: &Latency| Some(l.clone()),
            "One-way latency.",
        )
        .case("rtt", RoundTrip, |l| l, |_: &Latency| None, round_trip);
    Section::new("How a link behaves.", LinkSpec::default())
        .part(choice(
            "the latency",
            latencies,
            at!(LinkSpec => latency),
            false,
        ))
        .key("loss", Chance, at!(loss), "Share of messages lost.")
        .key(
            "duplicate",
            Chance,
            at!(duplicate),
            "Share of messages that arrive twice, each copy with a latency of its own.",
        )
        .key(
            "reorder",
            or_word(reorder(), "never", "No message is held back."),
            at!(reorder),
            "Some messages are held back by a uniform span, so that later ones overtake them.",
        )
        .key(
            "in_order",
            Flag,
            at!(in_order),
            "True: a message never arrives before one sent earlier on the same link.",
        )
        .key(
            "bandwidth",
            or_word(bandwidth(), "unlimited", "Nothing waits."),
            at!(bandwidth),
            "Capacity; messages wait their turn at the sender. Sizes are real encoded sizes.",
        )
}

fn reorder() -> Section<Reorder> {
    let base = Reorder {
        chance: fedsim_protocols::Probability::ZERO,
        by: NO_SPAN,
    };
    Section::new("Messages held back.", base)
        .in_braces()
        .required(
            "chance",
            Chance,
            at!(chance),
            "Share of messages held back.",
        )
        .required("by", positive_duration(), at!(by), "At most so long.")
}

fn bandwidth() -> Section<Bandwidth> {
    let base = Bandwidth {
        bytes_per_second: 0,
        queue_bytes: 1 << 20,
    };
    Section::new("A capacity and a queue.", base)
        .in_braces()
        .required("rate", capacity(), at!(bytes_per_second), "Capacity.")
        .key(
            "queue",
            size(),
            at!(queue_bytes),
            "Bytes that may wait; a message that does not fit is dropped.",
        )
}

/// A link whose keys, where they say nothing, are those of `[network]`.
pub(crate) struct LinkLikeNetwork;

impl Shape<LinkSpec> for LinkLikeNetwork {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<LinkSpec> {
        let base = reader.world.link.clone();
        link().read_over(base, node, reader)
    }

    fn write(&self, value: &LinkSpec, world: &World) -> Option<crate::layer::Out> {
        link().write(value, world)
    }

    fn describe(&self) -> Type {
        link().describe()
    }
}

/// What a clock does.
pub(crate) fn clock() -> Section<ClockSpec> {
    Section::new("A clock.", ClockSpec::default())
        .key(
            "offset",
            signed_duration(),
            at!(offset_nanos),
            "Ahead, or behind if negative, at the start.",
        )
        .key(
            "drift_ppm",
            count(-500_000..=500_000),
            at!(drift_ppm),
            "Parts per million fast, or slow if negative.",
        )
}

/// What a processor costs.
pub(crate) fn cpu() -> Section<CpuSpec> {
    Section::new(
        "A processor; work queues up in order of arrival.",
        CpuSpec::default(),
    )
    .key(
        "per_message",
        duration(),
        at!(per_message),
        "Per message handled.",
    )
    .key("per_send", duration(), at!(per_send), "Per message sent.")
    .key(
        "per_kib",
        duration(),
        at!(per_kib),
        "Per KiB of message handled.",
    )
    .key(
        "per_signature",
        duration(),
        at!(per_signature),
        "Per signature made.",
    )
    .key(
        "per_verification",
        duration(),
        at!(per_verification),
        "Per verification.",
    )
}

/// What a disk does.
pub(crate) fn disk() -> Section<DiskSpec> {
    Section::new(
        "A disk; batches become durable in the order written.",
        DiskSpec::default(),
    )
    .key(
        "fsync_low",
        duration(),
        at!(fsync_low),
        "Shortest time from a write to its durability.",
    )
    .key("fsync_high", duration(), at!(fsync_high), "Longest.")
    .key(
        "torn",
        Chance,
        at!(torn),
        "Chance that a crash leaves part of the oldest unsynced batch, its last record damaged.",
    )
    .key(
        "corrupt",
        Chance,
        at!(corrupt),
        "Chance per intact record that it is found corrupted at a restart.",
    )
    .check(|disk, node, reader| {
        if disk.fsync_low > disk.fsync_high {
            let message = format!(
                "fsync_low, {}, is longer than fsync_high, {}",
                disk.fsync_low, disk.fsync_high
            );
            reader.refuse(
                node.place_of("fsync_low"),
                message,
                "must be at most fsync_high",
            );
        }
    })
}
