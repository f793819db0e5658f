//! `[topology]`: who can talk to whom.

use fedsim_protocols::{PeerId, Probability};

use super::regions::pairs;
use crate::layer::choice::only;
use crate::layer::names::{Peer, look_up};
use crate::layer::quantity::Chance;
use crate::layer::scalar::{Words, count, words};
use crate::layer::shape::list;
use crate::layer::{Out, Reader, Section, Shape, Tagged, Type, World, at};
use crate::spec::{Routing, Scenario, Topology};
use crate::tree::{Node, Value};

const ROUTINGS: Words<Routing> = words(&[
    ("neighbours", "Not at all.", Routing::Neighbours),
    (
        "shortest",
        "Along the path of least hops; the delays of its links add up.",
        Routing::Shortest,
    ),
]);

/// `[topology]`.
pub(crate) fn section() -> Section<Scenario> {
    Section::new("Who can talk to whom.", Scenario::default())
        .key("shape", shape(), at!(topology), "Who is whose neighbour.")
        .key(
            "routing",
            ROUTINGS,
            at!(routing),
            "How messages get to peers that are no neighbours.",
        )
        .check(check)
}

fn shape() -> Tagged<Topology> {
    organised(random(regular())).named(
        "topology",
        "Who is whose neighbour. `\"ring\"`, `{ random-regular = { degree = 4 } }`.",
    )
}

fn regular() -> Tagged<Topology> {
    Tagged::new()
        .word(
            "complete",
            Topology::Complete,
            "Everybody is everybody's neighbour.",
        )
        .word(
            "ring",
            Topology::Ring,
            "Each peer and the next, in slot order, and last with first.",
        )
        .word(
            "line",
            Topology::Line,
            "A ring with the edge between last and first missing.",
        )
        .case(
            "star",
            Section::new("A star.", PeerId(0)).required(
                "centre",
                Peer,
                at!(),
                "The one in the middle.",
            ),
            |centre| Topology::Star { centre },
            only!(Topology::Star { centre } => *centre),
            "All with one.",
        )
}

fn random(others: Tagged<Topology>) -> Tagged<Topology> {
    others
        .case(
            "random-regular",
            Section::new("A random regular graph.", 0_u32).required(
                "degree",
                count(1..=u32::MAX),
                at!(),
                "Neighbours of each; below the number of peers, and even times that number.",
            ),
            |degree| Topology::RandomRegular { degree },
            only!(Topology::RandomRegular { degree } => *degree),
            "Random, everybody with the same number of neighbours.",
        )
        .case(
            "small-world",
            small_world(),
            |(degree, rewire)| Topology::SmallWorld { degree, rewire },
            only!(Topology::SmallWorld { degree, rewire } => (*degree, *rewire)),
            "Watts and Strogatz 1998.",
        )
        .case(
            "scale-free",
            Section::new("A scale-free graph.", 0_u32).required(
                "edges",
                count(1..=u32::MAX),
                at!(),
                "Edges that each newcomer brings; below the number of peers.",
            ),
            |edges| Topology::ScaleFree { edges },
            only!(Topology::ScaleFree { edges } => *edges),
            "Barabási and Albert 1999.",
        )
}

fn organised(others: Tagged<Topology>) -> Tagged<Topology> {
    others
        .case(
            "gateways",
            Section::new("Organisations joined by gateways.", 0_u32).required(
                "per_organisation",
                count(1..=u32::MAX),
                at!(),
                "The first so many peers of each organisation are gateways.",
            ),
            |per_organisation| Topology::Gateways { per_organisation },
            only!(Topology::Gateways { per_organisation } => *per_organisation),
            "Complete inside an organisation; between organisations only gateways meet.",
        )
        .case(
            "edges",
            Edges,
            Topology::Edges,
            only!(Topology::Edges(edges) => edges.clone()),
            "Directed edges: a list of `[from, to]`, or a CSV file with two names a line.",
        )
}

fn small_world() -> Section<(u32, Probability)> {
    Section::new("A small world.", (0, Probability::ZERO))
        .required(
            "degree",
            count(2..=u32::MAX),
            at!(0),
            "Neighbours on the ring before rewiring; even.",
        )
        .required("rewire", Chance, at!(1), "Chance that an edge is rewired.")
}

fn check(scenario: &Scenario, node: &Node, reader: &mut Reader<'_>) {
    if !reader.world.peers_known {
        return;
    }
    let peers = reader.world.peers.len() as u64;
    let wrong = match &scenario.topology {
        Topology::RandomRegular { degree } if u64::from(*degree) >= peers => Some(format!(
            "degree {degree} with {peers} peers: must be below their number"
        )),
        Topology::RandomRegular { degree } if u64::from(*degree) * peers % 2 == 1 => Some(format!(
            "degree {degree} with {peers} peers: their product must be even"
        )),
        Topology::SmallWorld { degree, .. } if degree % 2 == 1 => {
            Some(format!("degree {degree}: must be even"))
        }
        Topology::SmallWorld { degree, .. } if u64::from(*degree) >= peers => Some(format!(
            "degree {degree} with {peers} peers: must be below their number"
        )),
        Topology::ScaleFree { edges } if u64::from(*edges) >= peers => Some(format!(
            "{edges} edges with {peers} peers: must be below their number"
        )),
        Topology::Gateways { .. } if reader.world.organisations().is_empty() => {
            Some("gateways join organisations: `[[orgs]]` lists them".to_owned())
        }
        Topology::Complete
        | Topology::Ring
        | Topology::Line
        | Topology::Star { .. }
        | Topology::RandomRegular { .. }
        | Topology::SmallWorld { .. }
        | Topology::ScaleFree { .. }
        | Topology::Gateways { .. }
        | Topology::Edges(_) => None,
    };
    if let Some(right) = wrong {
        reader.refuse(node.place_of("shape"), "there is no such graph", right);
    }
}

struct Edges;

impl Shape<Vec<(PeerId, PeerId)>> for Edges {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<(PeerId, PeerId)>> {
        if let Value::Text(path) = &node.value {
            let text = reader.file(path, node.place)?;
            return edges_of(&text, path, node, reader);
        }
        list(Edge).read(node, reader)
    }

    fn write(&self, value: &Vec<(PeerId, PeerId)>, world: &World) -> Option<Out> {
        list(Edge).write(value, world)
    }

    fn describe(&self) -> Type {
        let file = Type::Text {
            what: "CSV file",
            pattern: "",
        };
        Type::Either(vec![list(Edge).describe(), file])
    }
}

fn edges_of(
    text: &str,
    path: &str,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<Vec<(PeerId, PeerId)>> {
    let mut edges = Vec::new();
    for (number, cells) in pairs(text) {
        let [from, to] = cells[..] else {
            let message = format!("`{path}` line {number}: expected two names");
            reader.refuse(node.place, message, "from,to");
            return None;
        };
        let one = |name: &str, reader: &mut Reader<'_>| {
            look_up(name, node.place, reader)?.first().copied()
        };
        edges.push((one(from, reader)?, one(to, reader)?));
    }
    Some(edges)
}

struct Edge;

impl Shape<(PeerId, PeerId)> for Edge {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<(PeerId, PeerId)> {
        match list(Peer).read(node, reader)?.as_slice() {
            &[from, to] if from != to => Some((from, to)),
            _ => {
                reader.refuse(
                    node.place,
                    "this is no edge",
                    "[from, to], two different peers",
                );
                None
            }
        }
    }

    fn write(&self, &(from, to): &(PeerId, PeerId), world: &World) -> Option<Out> {
        list(Peer).write(&vec![from, to], world)
    }

    fn describe(&self) -> Type {
        list(Peer).describe()
    }
}
