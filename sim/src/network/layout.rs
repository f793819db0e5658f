//! Who is whose neighbour, and by which hops a message gets to whom.
//!
//! The topology joins members; clients are linked with everybody, and nobody's messages go through
//! them. Must not know latencies or faults: a path is the same in every weather, and whether its
//! relays are up is not asked.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use fedsim_protocols::{PeerId, RunKey};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Role, Routing, Topology};

use super::fabric::DropReason;
use super::topology::{self, Drawn, Graph, Recipe};

/// No member has this number.
const NOBODY: u32 = u32::MAX;

/// The neighbourhoods of a run.
#[derive(Debug)]
pub struct Layout {
    shape: Shape,
    routing: Routing,
    members: Vec<PeerId>,
    /// A slot's number among the members, [`NOBODY`] for clients.
    number: Vec<u32>,
}

#[derive(Debug)]
enum Shape {
    Complete,
    Gateways(Gateways),
    Drawn(Box<Paths>),
}

/// Organisations that are complete inside and meet at their gateways. Kept implicit: a graph would
/// hold the square of an organisation's size in edges.
#[derive(Debug)]
struct Gateways {
    /// By member.
    organisation: Vec<u32>,
    /// Members, by organisation.
    size: Vec<u32>,
    /// By organisation, ascending.
    gateways: Vec<Vec<u32>>,
    /// Gateways of all organisations together.
    all: u32,
}

#[derive(Debug)]
struct Paths {
    graph: Graph,
    /// The same with all edges turned round, in which paths are searched from their end.
    reverse: Graph,
    connected: bool,
    /// By receiver: for every node the next hop to it. Filled at first need, with the same result
    /// whoever asks first.
    next: Vec<OnceLock<Box<[u32]>>>,
}

/// What a topology looks like, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayoutFigures {
    /// Least, mean and greatest number of neighbours among members.
    pub degree: (u32, f64, u32),
    /// Hops on the longest shortest path; a lower bound above 1,000 members; none if some cannot
    /// reach some.
    pub diameter: Option<u32>,
}

impl Layout {
    /// The layout of `scenario` in the run of `key`.
    pub fn new(scenario: &Scenario, key: RunKey) -> Self {
        let is_member = |slot: &u32| scenario.peers[*slot as usize].role == Role::Member;
        let slots = 0..scenario.peers.len() as u32;
        let members: Vec<PeerId> = slots.filter(is_member).map(PeerId).collect();
        let mut number = vec![NOBODY; scenario.peers.len()];
        for (index, peer) in (0..).zip(&members) {
            number[peer.index()] = index;
        }
        Self {
            shape: shape(scenario, &members, &number, key),
            routing: scenario.routing,
            members,
            number,
        }
    }

    /// True if everybody is everybody's neighbour.
    #[inline]
    pub fn is_complete(&self) -> bool {
        matches!(self.shape, Shape::Complete)
    }

    /// Whether every member reaches every other, by relays where routing allows them.
    ///
    /// False for edges from a file with a gap, or where a hundred random graphs in a row had one.
    pub fn is_connected(&self) -> bool {
        match &self.shape {
            Shape::Complete | Shape::Gateways(_) => true,
            Shape::Drawn(paths) => paths.connected,
        }
    }

    /// Whether a link leads from one peer to another.
    pub fn are_neighbours(&self, from: PeerId, to: PeerId) -> bool {
        let Some((from, to)) = self.numbers(from, to) else {
            return true;
        };
        match &self.shape {
            Shape::Complete => true,
            Shape::Gateways(gateways) => gateways.meet(from, to),
            Shape::Drawn(paths) => paths.graph.contains_edge(from, to),
        }
    }

    /// The members that links lead to from this member.
    pub fn neighbours(&self, peer: PeerId) -> Vec<PeerId> {
        let others = self.members.iter().copied();
        others
            .filter(|&other| other != peer && self.are_neighbours(peer, other))
            .collect()
    }

    /// Calls `step` with each hop's far end on the way from `from` to `to`, until it refuses.
    ///
    /// # Errors
    /// [`DropReason::NoRoute`] without a way; what `step` gives.
    #[inline]
    pub(crate) fn walk(
        &self,
        from: PeerId,
        to: PeerId,
        mut step: impl FnMut(PeerId) -> Result<(), DropReason>,
    ) -> Result<(), DropReason> {
        if self.are_neighbours(from, to) {
            return step(to);
        }
        let (Some((mut at, end)), Routing::Shortest) = (self.numbers(from, to), self.routing)
        else {
            return Err(DropReason::NoRoute);
        };
        let seed = at.wrapping_add(end);
        while at != end {
            at = match &self.shape {
                Shape::Complete => end,
                Shape::Gateways(gateways) => gateways.next(at, end, seed),
                Shape::Drawn(paths) => paths.next(at, end).ok_or(DropReason::NoRoute)?,
            };
            step(self.members[at as usize])?;
        }
        Ok(())
    }

    /// Degrees and diameter.
    pub fn figures(&self) -> LayoutFigures {
        let count = self.members.len() as u32;
        let degrees: Vec<u32> = (0..count).map(|node| self.degree(node)).collect();
        let mean = degrees.iter().map(|&degree| f64::from(degree)).sum::<f64>();
        LayoutFigures {
            degree: (
                degrees.iter().copied().min().unwrap_or(0),
                mean / f64::from(count.max(1)),
                degrees.iter().copied().max().unwrap_or(0),
            ),
            diameter: self.diameter(),
        }
    }

    fn degree(&self, node: u32) -> u32 {
        match &self.shape {
            Shape::Complete => self.members.len() as u32 - 1,
            Shape::Gateways(gateways) => gateways.degree(node),
            Shape::Drawn(paths) => topology::neighbours(&paths.graph, node).len() as u32,
        }
    }

    fn diameter(&self) -> Option<u32> {
        match &self.shape {
            Shape::Complete => Some(1),
            Shape::Gateways(gateways) => Some(gateways.diameter()),
            Shape::Drawn(paths) => paths.diameter(),
        }
    }

    fn numbers(&self, from: PeerId, to: PeerId) -> Option<(u32, u32)> {
        let of = |peer: PeerId| {
            let number = self.number.get(peer.index()).copied();
            number.filter(|&number| number != NOBODY)
        };
        Some((of(from)?, of(to)?))
    }
}

fn shape(scenario: &Scenario, members: &[PeerId], number: &[u32], key: RunKey) -> Shape {
    let recipe = match &scenario.topology {
        Topology::Complete => return Shape::Complete,
        Topology::Gateways { per_organisation } => {
            return Shape::Gateways(Gateways::new(scenario, members, *per_organisation));
        }
        Topology::Ring => Recipe::Ring,
        Topology::Line => Recipe::Line,
        Topology::Star { centre } => Recipe::Star {
            centre: number.get(centre.index()).copied().unwrap_or(NOBODY),
        },
        Topology::RandomRegular { degree } => Recipe::RandomRegular { degree: *degree },
        Topology::SmallWorld { degree, rewire } => Recipe::SmallWorld {
            degree: *degree,
            rewire: *rewire,
        },
        Topology::ScaleFree { edges } => Recipe::ScaleFree { edges: *edges },
        Topology::Edges(edges) => {
            let of = |peer: &PeerId| number.get(peer.index()).copied().unwrap_or(NOBODY);
            Recipe::Directed(edges.iter().map(|(from, to)| (of(from), of(to))).collect())
        }
    };
    let drawn = topology::draw(&recipe, members.len() as u32, key);
    Shape::Drawn(Box::new(Paths::new(drawn)))
}

impl Gateways {
    fn new(scenario: &Scenario, members: &[PeerId], per_organisation: u32) -> Self {
        let mut known = BTreeMap::new();
        let mut gateways: Vec<Vec<u32>> = Vec::new();
        let mut size: Vec<u32> = Vec::new();
        let mut organisation = Vec::new();
        for (member, peer) in (0..).zip(members) {
            let name = scenario.peers[peer.index()].organisation.as_str();
            let number = *known.entry(name).or_insert_with(|| {
                gateways.push(Vec::new());
                size.push(0);
                size.len() - 1
            });
            organisation.push(number as u32);
            size[number] += 1;
            if gateways[number].len() < per_organisation.max(1) as usize {
                gateways[number].push(member);
            }
        }
        let all = gateways.iter().map(Vec::len).sum::<usize>() as u32;
        Self {
            organisation,
            size,
            gateways,
            all,
        }
    }

    fn of(&self, member: u32) -> &[u32] {
        &self.gateways[self.organisation[member as usize] as usize]
    }

    fn is_gateway(&self, member: u32) -> bool {
        self.of(member).binary_search(&member).is_ok()
    }

    fn meet(&self, one: u32, other: u32) -> bool {
        self.organisation[one as usize] == self.organisation[other as usize]
            || (self.is_gateway(one) && self.is_gateway(other))
    }

    /// The next hop; `seed` picks the gateway, so that pairs of peers share the load.
    fn next(&self, at: u32, end: u32, seed: u32) -> u32 {
        let pick = |gateways: &[u32]| gateways[seed as usize % gateways.len()];
        if self.meet(at, end) {
            end
        } else if self.is_gateway(at) {
            pick(self.of(end))
        } else {
            pick(self.of(at))
        }
    }

    fn degree(&self, member: u32) -> u32 {
        let inside = self.size[self.organisation[member as usize] as usize] - 1;
        match self.is_gateway(member) {
            true => inside + self.all - self.of(member).len() as u32,
            false => inside,
        }
    }

    /// Between organisations: a hop to the own gateway and one from the other's, where needed.
    fn diameter(&self) -> u32 {
        let organisations = self.size.iter().zip(&self.gateways);
        let inner = organisations.map(|(&size, gates)| u32::from(size > gates.len() as u32));
        let mut inners: Vec<u32> = inner.collect();
        inners.sort_unstable_by(|one, other| other.cmp(one));
        match inners.as_slice() {
            [] | [_] => 1,
            [first, second, ..] => 1 + first + second,
        }
    }
}

impl Paths {
    fn new(drawn: Drawn) -> Self {
        let nodes = drawn.graph.node_count() as u32;
        let mut turned: Vec<(u32, u32)> = (0..nodes)
            .flat_map(|node| {
                let targets = topology::neighbours(&drawn.graph, node).iter();
                targets.map(move |&target| (target, node))
            })
            .collect();
        turned.sort_unstable();
        Self {
            reverse: topology::compress(&turned, nodes),
            graph: drawn.graph,
            connected: drawn.connected,
            next: (0..nodes).map(|_| OnceLock::new()).collect(),
        }
    }

    fn next(&self, at: u32, end: u32) -> Option<u32> {
        let table = self.next[end as usize].get_or_init(|| self.search(end).0);
        Some(table[at as usize]).filter(|&hop| hop != NOBODY)
    }

    /// Breadth first from the end backwards: next hops to it and the number of hops of the
    /// farthest; among equal ways the one found first, by ascending number.
    fn search(&self, end: u32) -> (Box<[u32]>, u32) {
        let mut next = vec![NOBODY; self.reverse.node_count()].into_boxed_slice();
        next[end as usize] = end;
        let (mut frontier, mut depth) = (vec![end], 0);
        loop {
            let mut farther = Vec::new();
            for &node in &frontier {
                for &before in topology::neighbours(&self.reverse, node) {
                    if next[before as usize] == NOBODY {
                        next[before as usize] = node;
                        farther.push(before);
                    }
                }
            }
            if farther.is_empty() {
                return (next, depth);
            }
            depth += 1;
            frontier = farther;
        }
    }

    fn diameter(&self) -> Option<u32> {
        const SEARCHED: u32 = 1_000;
        let nodes = self.reverse.node_count();
        if !self.connected {
            return None;
        }
        let ends = 0..(nodes as u32).min(SEARCHED);
        ends.map(|end| self.search(end).1).max()
    }
}

#[cfg(test)]
mod tests;
