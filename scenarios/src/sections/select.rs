//! Whom a fault hits, and how a cut divides.

use fedsim_protocols::PeerId;

use crate::layer::names::{Peers, organisation, region};
use crate::layer::reader::NameKind;
use crate::layer::scalar::{count, name};
use crate::layer::section::Section;
use crate::layer::shape::{Alternative, list};
use crate::layer::{Out, Reader, Shape, Tagged, Type, World, at};
use crate::spec::{Partition, Select};
use crate::tree::{Node, Value};

/// The word for the peer whose event triggered a strike.
pub(crate) const TRIGGER: &str = "trigger";

/// The name of a protocol's event, judged by whoever knows them.
pub(crate) struct Event;

impl Shape<String> for Event {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let event = name().read(node, reader)?;
        reader.mention(NameKind::Event, &event, node.place);
        Some(event)
    }

    fn write(&self, value: &String, world: &World) -> Option<Out> {
        name().write(value, world)
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: "event",
            pattern: "",
        }
    }
}

/// Whom a fault hits.
#[derive(Clone, Copy)]
pub(crate) struct Whom;

impl Whom {
    fn drawn() -> Section<(u32, Vec<PeerId>)> {
        Section::new("Some, drawn at each strike.", (1, Vec::new()))
            .required(
                "random",
                count(1..=u32::MAX),
                at!(0),
                "How many, drawn at each strike.",
            )
            .required("of", Peers, at!(1), "Of whom.")
            .check(|(count, of), node, reader| {
                if *count as usize > of.len() && reader.world.peers_known {
                    let right = format!("at most {}", of.len());
                    reader.refuse(node.place_of("random"), "more than there are", right);
                }
            })
    }

    fn others() -> Tagged<Select> {
        Tagged::new()
            .case(
                "last-to-report",
                Event,
                Select::LastToReport,
                |select| match select {
                    Select::LastToReport(event) => Some(event.clone()),
                    _ => None,
                },
                "Whoever last reported this event: `\"leader-elected\"` aims at the leader.",
            )
            .case(
                "region",
                region(),
                Select::Region,
                |select| match select {
                    Select::Region(region) => Some(region.clone()),
                    _ => None,
                },
                "All peers of a region.",
            )
            .case(
                "organisation",
                organisation(),
                Select::Organisation,
                |select| match select {
                    Select::Organisation(organisation) => Some(organisation.clone()),
                    _ => None,
                },
                "All peers of an organisation.",
            )
    }
}

impl Shape<Select> for Whom {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Select> {
        match &node.value {
            Value::Text(word) if word == TRIGGER => Some(Select::Trigger),
            Value::Table(_) if node.get("random").or(node.get("of")).is_some() => {
                let (count, of) = Self::drawn().read(node, reader)?;
                Some(Select::Random { count, of })
            }
            Value::Table(_) => Self::others().read(node, reader),
            _ => Peers.read(node, reader).map(Select::Peers),
        }
    }

    fn write(&self, value: &Select, world: &World) -> Option<Out> {
        match value {
            Select::Peers(peers) => Peers.write(peers, world),
            Select::Random { count, of } => {
                let drawn = Self::drawn().write(&(*count, of.clone()), world);
                drawn.map(Out::inlined)
            }
            Select::Trigger => Some(Out::Text(TRIGGER.to_owned())),
            Select::LastToReport(_) | Select::Region(_) | Select::Organisation(_) => {
                Self::others().write(value, world)
            }
        }
    }

    fn describe(&self) -> Type {
        let trigger = Alternative {
            name: TRIGGER,
            about: "The peer whose event triggered the strike.",
        };
        Type::Either(vec![
            Peers.describe(),
            Type::Words(vec![trigger]),
            Self::drawn().describe(),
            Self::others().describe(),
        ])
        .named(
            "target",
            "Whom a fault hits: peers by name or glob, or one of the tables below. \
             `{ random = 2, of = \"acme-*\" }`, `{ last-to-report = \"leader-elected\" }`.",
        )
    }
}

/// How a cut divides peers.
pub(crate) fn partition() -> Tagged<Partition> {
    Tagged::new()
        .word(
            "halves",
            Partition::Halves,
            "Two halves of all members, drawn at each strike.",
        )
        .word(
            "majority-ring",
            Partition::MajorityRing,
            "Everybody sees a majority, nobody the same one.",
        )
        .word(
            "chain",
            Partition::Chain,
            "Only links between neighbours in slot order stand.",
        )
        .case(
            "sides",
            list(Peers),
            Partition::Sides,
            |cut| match cut {
                Partition::Sides(sides) => Some(sides.clone()),
                _ => None,
            },
            "Named sides; peers on no side keep all their links.",
        )
        .case(
            "bridge",
            Whom,
            |over| Partition::Bridge { over },
            |cut| match cut {
                Partition::Bridge { over } => Some(over.clone()),
                _ => None,
            },
            "Two halves of which one peer still sees both.",
        )
        .case(
            "one-way",
            one_way(),
            |(from, to)| Partition::OneWay { from, to },
            |cut| match cut {
                Partition::OneWay { from, to } => Some((from.clone(), to.clone())),
                _ => None,
            },
            "Messages from some to others are lost; the way back stands.",
        )
        .case(
            "isolate",
            Whom,
            Partition::Isolate,
            |cut| match cut {
                Partition::Isolate(whom) => Some(whom.clone()),
                _ => None,
            },
            "Some lose all links to all others, and among themselves.",
        )
        .case(
            "star-around",
            Whom,
            Partition::StarAround,
            |cut| match cut {
                Partition::StarAround(whom) => Some(whom.clone()),
                _ => None,
            },
            "Only links with one peer stand.",
        )
        .named(
            "partition",
            "How a cut divides peers. A cut is judged when a message is sent and again when it \
             arrives, so that it reaches what is in flight. `\"halves\"`, \
             `{ sides = [[\"acme-*\"], [\"globex-*\"]] }`.",
        )
}

fn one_way() -> Section<(Select, Select)> {
    let nobody = Select::Peers(Vec::new());
    Section::new("A cut in one direction.", (nobody.clone(), nobody))
        .required("from", Whom, at!(0), "Senders.")
        .required("to", Whom, at!(1), "Receivers.")
}
