//! One link, one clock, one processor, one disk.

use fedsim_protocols::SimDuration;

use super::latency::{RoundTrip, latency};
use crate::layer::quantity::{
    Chance, capacity, duration, positive_duration, signed_duration, size,
};
use crate::layer::scalar::{Flag, count};
use crate::layer::shape::or_word;
use crate::layer::{Reader, Section, Shape, Tagged, Type, World, at, choice};
use crate::spec::{Bandwidth, ClockSpec, CpuSpec, DiskSpec, Latency, LinkSpec, Reorder};
use crate::tree::Node;

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
        by: SimDuration::ZERO,
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
