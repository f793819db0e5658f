//! Links, topology, clocks, processors and disks.

use fedsim_protocols::{PeerId, Probability, SimDuration};

/// The distribution of a link's one-way latency. A draw below `min` is drawn again.
#[derive(Clone, Debug, PartialEq)]
pub enum Latency {
    /// Always the same.
    Constant(SimDuration),
    /// Uniform in `low..=high`.
    Uniform {
        /// Shortest.
        low: SimDuration,
        /// Longest.
        high: SimDuration,
    },
    /// Normal with the given mean and standard deviation.
    Normal {
        /// Mean.
        mean: SimDuration,
        /// Standard deviation.
        deviation: SimDuration,
        /// Shortest.
        min: SimDuration,
    },
    /// Log-normal: exp(N(ln median, sigma)).
    LogNormal {
        /// Half of all draws are shorter.
        median: SimDuration,
        /// Standard deviation of the logarithm; above 0, at most 10.
        sigma: f64,
        /// Shortest.
        min: SimDuration,
    },
    /// Pareto (type I): `scale / u^(1/shape)`.
    Pareto {
        /// The least value of the distribution.
        scale: SimDuration,
        /// Tail index; above 0. At most 1 has no mean.
        shape: f64,
        /// Shortest.
        min: SimDuration,
    },
    /// The inverse of an empirical distribution: equally likely sorted samples, interpolated.
    Empirical {
        /// At least two, ascending.
        samples: Vec<SimDuration>,
        /// Shortest.
        min: SimDuration,
    },
}

impl Default for Latency {
    /// Uniform between 10 and 100 ms, the span that protocol defaults suit.
    fn default() -> Self {
        Self::Uniform {
            low: SimDuration::from_millis(10),
            high: SimDuration::from_millis(100),
        }
    }
}

impl Latency {
    /// No draw is shorter.
    pub fn min(&self) -> SimDuration {
        match self {
            Self::Constant(always) => *always,
            Self::Uniform { low, .. } => *low,
            Self::Normal { min, .. }
            | Self::LogNormal { min, .. }
            | Self::Pareto { min, .. }
            | Self::Empirical { min, .. } => *min,
        }
    }
}

/// Some messages are held back, so that later ones overtake them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorder {
    /// How many.
    pub chance: Probability,
    /// Held back by a uniform span up to this one.
    pub by: SimDuration,
}

/// A link's capacity; messages wait their turn at the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes a second; at least 1.
    pub bytes_per_second: u64,
    /// Bytes that may wait; a message that does not fit is dropped.
    pub queue_bytes: u64,
}

/// How one kind of link behaves. By default nothing is lost and capacity is unlimited.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkSpec {
    /// One-way latency.
    pub latency: Latency,
    /// Share of messages lost.
    pub loss: Probability,
    /// Share of messages that arrive twice, each copy with a latency of its own.
    pub duplicate: Probability,
    /// Messages that are held back.
    pub reorder: Option<Reorder>,
    /// True: a message never arrives before one sent earlier on the same link.
    pub in_order: bool,
    /// Capacity; none is unlimited.
    pub bandwidth: Option<Bandwidth>,
}

/// One-way latencies between regions, as measured.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionMatrix {
    /// The regions' names.
    pub regions: Vec<String>,
    /// One-way latency by sending and receiving region; `latency[i][i]` is inside region i.
    pub latency: Vec<Vec<Latency>>,
}

/// A peer's clock: true time plus offset, running fast or slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSpec {
    /// Nanoseconds ahead (positive) or behind at the start.
    pub offset_nanos: i64,
    /// Parts per million fast (positive) or slow; between -500,000 and 500,000.
    pub drift_ppm: i64,
}

/// What a peer's processor takes; all zero is free. Work queues up in order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuSpec {
    /// Per message handled.
    pub per_message: SimDuration,
    /// Per message sent.
    pub per_send: SimDuration,
    /// Per KiB of message handled.
    pub per_kib: SimDuration,
    /// Per signature made.
    pub per_signature: SimDuration,
    /// Per verification.
    pub per_verification: SimDuration,
}

/// A peer's disk. Batches become durable in the order in which they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSpec {
    /// Shortest time from a write to its durability; zero is durable at once.
    pub fsync_low: SimDuration,
    /// Longest.
    pub fsync_high: SimDuration,
    /// Chance that a crash tears the oldest batch that was not durable: part of it is on disk and
    /// its last record is damaged. Otherwise such batches are lost whole.
    pub torn: Probability,
    /// Chance per intact record that it is found corrupted at a restart.
    pub corrupt: Probability,
}

/// A change for some peers or links, later entries win.
#[derive(Clone, Debug, PartialEq)]
pub struct Override<T> {
    /// The slots it holds for.
    pub peers: Vec<PeerId>,
    /// What holds.
    pub spec: T,
}

/// Links from some peers to others.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkOverride {
    /// Sending slots.
    pub from: Vec<PeerId>,
    /// Receiving slots.
    pub to: Vec<PeerId>,
    /// What holds.
    pub link: LinkSpec,
}

/// Everything physical.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkSpec {
    /// Links of which nothing else is said.
    pub link: LinkSpec,
    /// Links between peers of one organisation, if they differ; they win over `regions`.
    pub lan: Option<LinkSpec>,
    /// Latencies by region; they replace the latency of `link` between peers that have regions.
    pub regions: Option<RegionMatrix>,
    /// Links that differ; the last match wins, over regions and `lan`.
    pub links: Vec<LinkOverride>,
    /// All clocks.
    pub clock: ClockSpec,
    /// Clocks drawn uniformly within +-offset and +-drift of this, on top; zero for exact clocks.
    pub clock_spread: ClockSpec,
    /// Clocks that differ, without the spread; the last match wins.
    pub clocks: Vec<Override<ClockSpec>>,
    /// All processors.
    pub cpu: CpuSpec,
    /// Processors that differ.
    pub cpus: Vec<Override<CpuSpec>>,
    /// All disks.
    pub disk: DiskSpec,
    /// Disks that differ.
    pub disks: Vec<Override<DiskSpec>>,
}

/// Who is whose neighbour. Links are one-way; every undirected edge is two links.
///
/// It joins members; clients are linked with everybody and relay nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Topology {
    /// Everybody.
    #[default]
    Complete,
    /// Slot i and i + 1.
    Ring,
    /// A chain: a ring with one edge missing.
    Line,
    /// All with one.
    Star {
        /// The one.
        centre: PeerId,
    },
    /// Random graph in which everybody has the same number of neighbours.
    RandomRegular {
        /// That number; times the number of peers it must be even.
        degree: u32,
    },
    /// Watts and Strogatz 1998.
    SmallWorld {
        /// Neighbours on the ring before rewiring; even.
        degree: u32,
        /// Chance that an edge is rewired.
        rewire: Probability,
    },
    /// Barabási and Albert 1999.
    ScaleFree {
        /// Edges each newcomer brings.
        edges: u32,
    },
    /// Complete inside an organisation; between organisations only the gateways meet.
    Gateways {
        /// The first so many peers of each organisation are gateways; at least 1.
        per_organisation: u32,
    },
    /// Directed edges read from a file.
    Edges(Vec<(PeerId, PeerId)>),
}

/// How a message gets to a peer that is no neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// Not at all.
    #[default]
    Neighbours,
    /// Along the path of least hops; the delays of its links add up.
    Shortest,
}
