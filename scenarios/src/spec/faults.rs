//! What hurts, when, and for how long.

use fedsim_protocols::{PeerId, Probability, SimDuration};

use super::network::{DiskSpec, LinkSpec};

/// When a fault strikes. Spans count from the beginning of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// Once.
    At(SimDuration),
    /// Again and again.
    Every {
        /// From one strike to the next.
        period: SimDuration,
        /// The first strike.
        from: SimDuration,
        /// No strike at or after.
        until: SimDuration,
    },
    /// As a Poisson process.
    Random {
        /// Mean span between strikes.
        mean: SimDuration,
        /// No strike before.
        from: SimDuration,
        /// No strike at or after.
        until: SimDuration,
    },
    /// When an event of this name happens; strikes one lookahead after it, plus `delay`.
    On {
        /// The event's name: `leader-elected`.
        event: String,
        /// Only events of these peers; empty for all.
        peers: Vec<PeerId>,
        /// The first occurrence that counts, from 1.
        nth: u32,
        /// How many occurrences strike, from the nth on.
        times: u32,
        /// How much later.
        delay: SimDuration,
    },
    /// When so many requests have been answered in the run, and each time so many more have.
    AfterOperations {
        /// That many.
        count: u64,
        /// How often.
        times: u32,
    },
}

/// Whom a fault hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// These.
    Peers(Vec<PeerId>),
    /// So many of these, drawn at each strike.
    Random {
        /// How many; at least 1.
        count: u32,
        /// Of whom.
        of: Vec<PeerId>,
    },
    /// Whoever last reported this event: `leader-elected` aims at the current leader.
    LastToReport(String),
    /// The peer whose event triggered the strike.
    Trigger,
    /// All peers of a region.
    Region(String),
    /// All peers of an organisation.
    Organisation(String),
}

/// How a cut divides the peers it names.
#[derive(Clone, Debug, PartialEq)]
pub enum Partition {
    /// Two halves of all members, drawn at each strike.
    Halves,
    /// Named sides; peers that are on no side keep all their links.
    Sides(Vec<Vec<PeerId>>),
    /// Two halves that one peer still sees both of.
    Bridge {
        /// That one.
        over: Select,
    },
    /// Everybody sees a majority, nobody the same one: links only to the nearest on a ring.
    MajorityRing,
    /// Messages from some to others are lost; the way back stands.
    OneWay {
        /// Senders.
        from: Select,
        /// Receivers.
        to: Select,
    },
    /// Some lose all links to all others (and among themselves).
    Isolate(Select),
    /// Only links between neighbours in slot order stand.
    Chain,
    /// Only links with one peer stand.
    StarAround(Select),
}

/// One kind of hurt. Those that last end after [`FaultSpec::lasts`].
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Cuts links. Judged when a message is sent and again when it arrives. Lasts.
    Partition(Partition),
    /// Cuts and heals links in turn. Lasts.
    Flapping {
        /// What is cut.
        cut: Partition,
        /// Span of a cut.
        down: SimDuration,
        /// Span between cuts.
        up: SimDuration,
    },
    /// Stops peers; what was not durable is lost. Lasts: they restart at its end, or never.
    Crash(Select),
    /// Stops peers and wipes their disks. Lasts: they start anew at its end, or never.
    Wipe(Select),
    /// Peers stop handling anything, keep their state, and go on at the end. Lasts.
    Pause(Select),
    /// Sets clocks forward (positive) or back, once.
    ClockJump {
        /// Whose.
        peers: Select,
        /// Nanoseconds.
        by_nanos: i64,
    },
    /// Multiplies and lengthens latencies of links that touch the selected peers. Lasts.
    LatencyStorm {
        /// Whose links.
        peers: Select,
        /// Factor in thousandths; at least 1,000, so that the lookahead stands.
        factor_milli: u64,
        /// Added after multiplying.
        plus: SimDuration,
    },
    /// Loses more messages on links that touch the selected peers. Lasts.
    LossStorm {
        /// Whose links.
        peers: Select,
        /// Share lost on top of the link's own loss.
        loss: Probability,
    },
    /// Replaces the links that touch the selected peers. Lasts.
    Links {
        /// Whose links.
        peers: Select,
        /// By what; its shortest latency must not be below the network's.
        link: LinkSpec,
    },
    /// Slow, not dead: everything a peer does takes so many times as long. Lasts.
    Slow {
        /// Who.
        peers: Select,
        /// Time added to every input handled.
        per_input: SimDuration,
    },
    /// A region loses all links to the outside and within. Lasts.
    RegionOutage(String),
    /// Disks behave otherwise. Lasts.
    Disk {
        /// Whose.
        peers: Select,
        /// How.
        disk: DiskSpec,
    },
    /// Puts a request of the protocol to peers: `"leave"`, `"join"`.
    Request {
        /// To whom.
        peers: Select,
        /// Which; the protocol's scenario page lists them.
        request: String,
    },
    /// Peers play a role of an adversary. Comes of `[[adversaries]]`, never of `[[faults]]`. Lasts.
    Turn {
        /// Which entry of `[[adversaries]]`, from 0.
        role: u32,
        /// Who; nobody where the network takes sides.
        peers: Vec<PeerId>,
    },
}

impl Fault {
    /// The key under which scenario files write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Flapping { .. } => "flapping",
            Self::Crash(_) => "crash",
            Self::Wipe(_) => "wipe",
            Self::Pause(_) => "pause",
            Self::ClockJump { .. } => "clock-jump",
            Self::LatencyStorm { .. } => "latency-storm",
            Self::LossStorm { .. } => "loss-storm",
            Self::Links { .. } => "links",
            Self::Slow { .. } => "slow",
            Self::RegionOutage(_) => "region-outage",
            Self::Disk { .. } => "disk",
            Self::Request { .. } => "request",
            Self::Turn { .. } => "adversary",
        }
    }
}

/// One entry of `[[faults]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// Its name in reports.
    pub label: String,
    /// When it strikes.
    pub when: When,
    /// How long each strike lasts; none is until the end of the run.
    pub lasts: Option<SimDuration>,
    /// Healed for good at this time, whatever was still going on.
    pub heal_by: Option<SimDuration>,
    /// What it does.
    pub fault: Fault,
}
