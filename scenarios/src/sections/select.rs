//! Whom a fault hits, and how a cut divides.

use fedsim_protocols::PeerId;

use crate::layer::choice::only;
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
                only!(Select::LastToReport(event) => event.clone()),
                "Whoever last reported this event: `\"leader-elected\"` aims at the leader.",
            )
            .case(
                "region",
                region(),
                Select::Region,
                only!(Select::Region(region) => region.clone()),
                "All peers of a region.",
            )
            .case(
                "organisation",
                organisation(),
                Select::Organisation,
                only!(Select::Organisation(organisation) => organisation.clone()),
                "All peers of an organisation.",
            )
    }
}

impl Shape<Select> for Whom {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Select> {
        if matches!(&node.value, Value::Text(word) if word == TRIGGER) {
            return Some(Select::Trigger);
        }
        if node.get("random").or(node.get("of")).is_some() {
            let (count, of) = Self::drawn().read(node, reader)?;
            return Some(Select::Random { count, of });
        }
        if matches!(node.value, Value::Table(_)) {
            return Self::others().read(node, reader);
        }
        Peers.read(node, reader).map(Select::Peers)
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
            Sides,
            Partition::Sides,
            only!(Partition::Sides(sides) => sides.clone()),
            "Named sides; peers on no side keep all their links.",
        )
        .case(
            "bridge",
            Whom,
            |over| Partition::Bridge { over },
            only!(Partition::Bridge { over } => over.clone()),
            "Two halves of which one peer still sees both.",
        )
        .case(
            "one-way",
            one_way(),
            |(from, to)| Partition::OneWay { from, to },
            only!(Partition::OneWay { from, to } => (from.clone(), to.clone())),
            "Messages from some to others are lost; the way back stands.",
        )
        .case(
            "isolate",
            Whom,
            Partition::Isolate,
            only!(Partition::Isolate(whom) => whom.clone()),
            "Some lose all links to all others, and among themselves.",
        )
        .case(
            "star-around",
            Whom,
            Partition::StarAround,
            only!(Partition::StarAround(whom) => whom.clone()),
            "Only links with one peer stand.",
        )
        .named(
            "partition",
            "How a cut divides peers. A cut is judged when a message is sent and again when it \
             arrives, so that it reaches what is in flight. `\"halves\"`, \
             `{ sides = [[\"acme-*\"], [\"globex-*\"]] }`.",
        )
}

/// Two or more sides, on which nobody stands twice.
struct Sides;

impl Shape<Vec<Vec<PeerId>>> for Sides {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<Vec<PeerId>>> {
        let sides = list(Peers).read(node, reader)?;
        if sides.len() < 2 {
            reader.refuse(
                node.place,
                "a cut between fewer than two sides",
                "two lists or more",
            );
        }
        let mut all: Vec<PeerId> = sides.iter().flatten().copied().collect();
        all.sort_unstable();
        if let Some(twice) = all.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = reader.world.peers[twice[0].0 as usize].nickname.clone();
            let message = format!("`{name}` stands on two sides");
            reader.refuse(node.place, message, "each peer on one side at most");
        }
        Some(sides)
    }

    fn write(&self, value: &Vec<Vec<PeerId>>, world: &World) -> Option<Out> {
        list(Peers).write(value, world)
    }

    fn describe(&self) -> Type {
        list(Peers).describe()
    }
}

fn one_way() -> Section<(Select, Select)> {
    let nobody = Select::Peers(Vec::new());
    Section::new("A cut in one direction.", (nobody.clone(), nobody))
        .required("from", Whom, at!(0), "Senders.")
        .required("to", Whom, at!(1), "Receivers.")
}
