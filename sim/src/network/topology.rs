//! Draws the graph of a topology. Must not know slots, roles or how messages are routed.
//!
//! Nodes are counted from 0. Every undirected edge is two directed ones. A random graph that is not
//! connected is drawn again, a bounded number of times.

use std::collections::BTreeSet;

use fedsim_protocols::{Probability, RunKey, Stream, StreamLabel};
use petgraph::algo::kosaraju_scc;
use petgraph::csr::Csr;
use petgraph::graph::DiGraph;

/// A graph with fast neighbour tests.
pub(crate) type Graph = Csr<(), ()>;

/// How often a random graph is drawn before a disconnected one is accepted.
const REDRAWS: u32 = 100;

/// The kinds of graph that are stored edge by edge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Recipe {
    Ring,
    Line,
    Star { centre: u32 },
    RandomRegular { degree: u32 },
    SmallWorld { degree: u32, rewire: Probability },
    ScaleFree { edges: u32 },
    Directed(Vec<(u32, u32)>),
}

/// A graph, and whether everybody reaches everybody in it.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) graph: Graph,
    pub(crate) connected: bool,
}

/// The graph of `recipe` on `nodes` nodes in the run of `key`.
pub(crate) fn draw(recipe: &Recipe, nodes: u32, key: RunKey) -> Drawn {
    let mut dice = Stream::new(key, StreamLabel::global("topology"));
    let attempts = match recipe {
        Recipe::RandomRegular { .. } | Recipe::SmallWorld { .. } => REDRAWS,
        Recipe::Ring
        | Recipe::Line
        | Recipe::Star { .. }
        | Recipe::ScaleFree { .. }
        | Recipe::Directed(_) => 1,
    };
    let mut drawn = finish(edges(recipe, nodes, &mut dice), nodes);
    for _ in 1..attempts {
        if drawn.connected {
            break;
        }
        drawn = finish(edges(recipe, nodes, &mut dice), nodes);
    }
    drawn
}

fn finish(mut directed: Vec<(u32, u32)>, nodes: u32) -> Drawn {
    directed.retain(|&(from, to)| from != to && from < nodes && to < nodes);
    directed.sort_unstable();
    directed.dedup();
    Drawn {
        connected: is_connected(&directed, nodes),
        graph: compress(&directed, nodes),
    }
}

fn is_connected(directed: &[(u32, u32)], nodes: u32) -> bool {
    let mut graph = DiGraph::<(), ()>::from_edges(directed);
    while graph.node_count() < nodes as usize {
        graph.add_node(());
    }
    kosaraju_scc(&graph).len() <= 1
}

pub(crate) fn compress(directed: &[(u32, u32)], nodes: u32) -> Graph {
    let mut graph = Graph::from_sorted_edges(directed)
        .expect("BUG: edges of a topology are not sorted and distinct");
    while graph.node_count() < nodes as usize {
        graph.add_node(());
    }
    graph
}

fn edges(recipe: &Recipe, nodes: u32, dice: &mut Stream) -> Vec<(u32, u32)> {
    let undirected = match recipe {
        Recipe::Directed(edges) => return edges.clone(),
        Recipe::Ring => lattice(nodes, 1),
        Recipe::Line => (1..nodes).map(|node| (node - 1, node)).collect(),
        Recipe::Star { centre } => (0..nodes).map(|node| (*centre, node)).collect(),
        Recipe::RandomRegular { degree } => random_regular(nodes, *degree, dice),
        Recipe::SmallWorld { degree, rewire } => small_world(nodes, *degree, *rewire, dice),
        Recipe::ScaleFree { edges } => scale_free(nodes, *edges, dice),
    };
    let both = |&(one, other): &(u32, u32)| [(one, other), (other, one)];
    undirected.iter().flat_map(both).collect()
}

/// A ring on which everybody knows the nearest `reach` on either side.
fn lattice(nodes: u32, reach: u32) -> Vec<(u32, u32)> {
    let reach = reach.min(nodes / 2);
    let to = |node: u32, far: u32| ((u64::from(node) + u64::from(far)) % u64::from(nodes)) as u32;
    (1..=reach)
        .flat_map(|far| (0..nodes).map(move |node| (node, to(node, far))))
        .collect()
}

/// A graph in which everybody has `degree` neighbours.
///
/// Pairs stubs at random and takes pairs that are loops or double edges back into the pot (Steger
/// and Wormald 1999, "Generating random regular graphs quickly"); a dense graph is the complement
/// of a sparse one. An impossible degree is lowered to the next possible one.
fn random_regular(nodes: u32, degree: u32, dice: &mut Stream) -> Vec<(u32, u32)> {
    let mut degree = degree.min(nodes.saturating_sub(1));
    if nodes % 2 == 1 && degree % 2 == 1 {
        degree -= 1;
    }
    if u64::from(degree) * 2 > u64::from(nodes) {
        let absent = sparse_regular(nodes, nodes - 1 - degree, dice);
        return complement(nodes, &absent);
    }
    sparse_regular(nodes, degree, dice)
}

fn sparse_regular(nodes: u32, degree: u32, dice: &mut Stream) -> Vec<(u32, u32)> {
    loop {
        if let Some(edges) = pair_stubs(nodes, degree, dice) {
            return edges.into_iter().collect();
        }
    }
}

/// One attempt; `None` if the remaining stubs cannot be paired.
fn pair_stubs(nodes: u32, degree: u32, dice: &mut Stream) -> Option<BTreeSet<(u32, u32)>> {
    let mut edges = BTreeSet::new();
    let mut stubs: Vec<u32> = (0..nodes)
        .flat_map(|node| std::iter::repeat_n(node, degree as usize))
        .collect();
    while !stubs.is_empty() {
        dice.shuffle(&mut stubs);
        let mut left = Vec::new();
        for pair in stubs.chunks_exact(2) {
            let edge = (pair[0].min(pair[1]), pair[0].max(pair[1]));
            if edge.0 == edge.1 || !edges.insert(edge) {
                left.extend_from_slice(pair);
            }
        }
        if left.len() == stubs.len() && !can_pair(&left, &edges) {
            return None;
        }
        stubs = left;
    }
    Some(edges)
}

fn can_pair(stubs: &[u32], edges: &BTreeSet<(u32, u32)>) -> bool {
    let mut nodes = stubs.to_vec();
    nodes.sort_unstable();
    nodes.dedup();
    nodes.iter().enumerate().any(|(index, &low)| {
        let mut higher = nodes[index + 1..].iter();
        higher.any(|&high| !edges.contains(&(low, high)))
    })
}

fn complement(nodes: u32, absent: &[(u32, u32)]) -> Vec<(u32, u32)> {
    (0..nodes)
        .flat_map(|low| (low + 1..nodes).map(move |high| (low, high)))
        .filter(|edge| absent.binary_search(edge).is_err())
        .collect()
}

/// Watts and Strogatz 1998, "Collective dynamics of small-world networks": a ring lattice whose
/// edges are visited lap by lap, nearest neighbours first, and rewired at their far end with chance
/// `rewire` to anybody who is not yet a neighbour.
fn small_world(nodes: u32, degree: u32, rewire: Probability, dice: &mut Stream) -> Vec<(u32, u32)> {
    let ordered = |one: u32, other: u32| (one.min(other), one.max(other));
    let laps = lattice(nodes, (degree / 2).max(1));
    let mut edges: BTreeSet<(u32, u32)> = laps
        .iter()
        .map(|&(one, other)| ordered(one, other))
        .collect();
    let mut degrees = vec![0_u32; nodes as usize];
    for &(one, other) in &edges {
        degrees[one as usize] += 1;
        degrees[other as usize] += 1;
    }
    for (near, far) in laps {
        let full = degrees[near as usize] >= nodes - 1;
        if !dice.chance(rewire) || full || !edges.remove(&ordered(near, far)) {
            continue;
        }
        let target = loop {
            let other = dice.below(u64::from(nodes)) as u32;
            if other != near && other != far && !edges.contains(&ordered(near, other)) {
                break other;
            }
        };
        edges.insert(ordered(near, target));
        degrees[far as usize] -= 1;
        degrees[target as usize] += 1;
    }
    edges.into_iter().collect()
}

/// Barabási and Albert 1999, "Emergence of scaling in random networks": starts from a complete
/// graph of `brought + 1` nodes; each newcomer links to `brought` different ones, chosen with
/// chances proportional to their degrees.
fn scale_free(nodes: u32, brought: u32, dice: &mut Stream) -> Vec<(u32, u32)> {
    let first = brought.saturating_add(1).min(nodes);
    let mut edges = complement(first, &[]);
    let mut ends: Vec<u32> = edges
        .iter()
        .flat_map(|&(one, other)| [one, other])
        .collect();
    for newcomer in first..nodes {
        let mut chosen = Vec::new();
        while chosen.len() < brought as usize {
            let target = ends[dice.below(ends.len() as u64) as usize];
            if !chosen.contains(&target) {
                chosen.push(target);
            }
        }
        for target in chosen {
            edges.push((target, newcomer));
            ends.extend([target, newcomer]);
        }
    }
    edges
}

/// Node numbers of petgraph's compressed graph are plain integers.
pub(crate) fn neighbours(graph: &Graph, node: u32) -> &[u32] {
    graph.neighbors_slice(node)
}
