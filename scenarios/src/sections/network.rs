//! `[network]`: links, clocks, processors and disks, and who differs.

use fedsim_protocols::PeerId;

use super::physical::{LinkLikeNetwork, clock, cpu, disk, link};
use super::regions::Regions;
use crate::layer::names::Peers;
use crate::layer::out::Entries;
use crate::layer::section::Part;
use crate::layer::shape::{TableDoc, maybe, tables};
use crate::layer::{Lens, Out, Reader, Section, Shape, Type, World, at};
use crate::spec::network::{LinkOverride, Override};
use crate::spec::{LinkSpec, NetworkSpec};
use crate::tree::Node;

/// `[network]`.
pub(crate) fn section() -> Section<NetworkSpec> {
    Section::new(
        "Links, clocks, processors and disks. The keys of the table itself describe links of \
         which nothing else is said; links are one-way.",
        NetworkSpec::default(),
    )
    .embed(link(), at!(link))
    .part(RememberLink)
    .key(
        "lan",
        maybe(LinkLikeNetwork),
        at!(lan),
        "Links between peers of one organisation. Keys that say nothing are those of `[network]`.",
    )
    .key(
        "regions",
        maybe(Regions),
        at!(regions),
        "Latencies between regions; they replace the latency of `[network]` between peers that \
         have regions.",
    )
    .key("clock", clock(), at!(clock), "All clocks.")
    .key(
        "clock_spread",
        clock(),
        at!(clock_spread),
        "Clocks drawn uniformly within plus and minus `offset` and `drift_ppm`, on top.",
    )
    .key(
        "cpu",
        cpu(),
        at!(cpu),
        "All processors; free if nothing is said.",
    )
    .key(
        "disk",
        disk(),
        at!(disk),
        "All disks; durable at once if nothing is said.",
    )
    .key(
        "links",
        tables(link_override()),
        at!(links),
        "Links that differ; the last match wins, over regions and `lan`. Keys that say nothing \
         are those of `[network]`.",
    )
    .key(
        "clocks",
        tables(Differs(clock)),
        at!(clocks),
        "Clocks that differ; the last match wins.",
    )
    .key(
        "cpus",
        tables(Differs(cpu)),
        at!(cpus),
        "Processors that differ; the last match wins.",
    )
    .key(
        "disks",
        tables(Differs(disk)),
        at!(disks),
        "Disks that differ; the last match wins.",
    )
}

/// Later link tables start from the link read so far.
struct RememberLink;

impl Part<NetworkSpec> for RememberLink {
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn read(&self, _: &Node, into: &mut NetworkSpec, reader: &mut Reader<'_>) {
        reader.world.link = into.link.clone();
    }

    fn write(&self, _: &NetworkSpec, _: &World, _: &mut Entries) {}

    fn describe(&self, _: &NetworkSpec, _: &mut TableDoc) {}
}

fn link_override() -> LinkOverrideShape {
    LinkOverrideShape
}

/// One of `[[network.links]]`.
struct LinkOverrideShape;

impl LinkOverrideShape {
    fn section(base: LinkSpec) -> Section<LinkOverride> {
        let base = LinkOverride {
            from: Vec::new(),
            to: Vec::new(),
            link: base,
        };
        Section::new("Links that differ.", base)
            .required("from", Peers, at!(from), "Senders.")
            .required("to", Peers, at!(to), "Receivers.")
            .embed(link(), at!(link))
    }
}

impl Shape<LinkOverride> for LinkOverrideShape {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<LinkOverride> {
        let states_latency = node.get("latency").or(node.get("rtt")).is_some();
        if reader.world.has_matrix && !states_latency {
            let message = "a link that differs needs a latency where regions set it otherwise";
            reader.refuse(node.place, message, "add `latency`");
        }
        Self::section(reader.world.link.clone()).read(node, reader)
    }

    fn write(&self, value: &LinkOverride, world: &World) -> Option<Out> {
        Self::section(LinkSpec::default()).write(value, world)
    }

    fn describe(&self) -> Type {
        Self::section(LinkSpec::default()).describe()
    }
}

/// One of `[[network.clocks]]` and their like.
struct Differs<T>(fn() -> Section<T>);

impl<T: Clone + Default + 'static> Differs<T> {
    fn section(&self) -> Section<Override<T>> {
        let base = Override {
            peers: Vec::new(),
            spec: T::default(),
        };
        let peers: Lens<Override<T>, Vec<PeerId>> = at!(peers);
        Section::new("Peers that differ.", base)
            .required("peers", Peers, peers, "Whose.")
            .embed((self.0)(), at!(spec))
    }
}

impl<T: Clone + Default + 'static> Shape<Override<T>> for Differs<T> {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Override<T>> {
        self.section().read(node, reader)
    }

    fn write(&self, value: &Override<T>, world: &World) -> Option<Out> {
        self.section().write(value, world)
    }

    fn describe(&self) -> Type {
        self.section().describe()
    }
}
