//! Who reaches whom, and over what, against the definitions.

use super::*;
use crate::network::fixture::{peer, scenario, share, slots};

fn layout(topology: Topology, members: usize) -> Layout {
    let mut scenario = scenario(members);
    scenario.topology = topology;
    scenario.routing = Routing::Shortest;
    Layout::new(&scenario, RunKey::from_seed(scenario.seed))
}

fn degrees(layout: &Layout) -> Vec<u32> {
    (0..layout.members.len() as u32)
        .map(|node| layout.degree(node))
        .collect()
}

/// The hops from one peer to another.
fn way(layout: &Layout, from: u32, to: u32) -> Option<Vec<u32>> {
    let mut hops = Vec::new();
    let step = |next: PeerId| {
        hops.push(next.0);
        Ok(())
    };
    layout.walk(PeerId(from), PeerId(to), step).ok()?;
    Some(hops)
}

/// Holds that every way is made of links and that neighbours are symmetric.
fn assert_sound(layout: &Layout) {
    let count = layout.members.len() as u32;
    for from in 0..count {
        for to in (0..count).filter(|&to| to != from) {
            let mut hops = vec![from];
            hops.extend(way(layout, from, to).expect("connected"));
            assert_eq!(hops.last(), Some(&to));
            let linked = |pair: &[u32]| layout.are_neighbours(PeerId(pair[0]), PeerId(pair[1]));
            assert!(hops.windows(2).all(linked), "{hops:?}");
            let back = layout.are_neighbours(PeerId(to), PeerId(from));
            assert_eq!(layout.are_neighbours(PeerId(from), PeerId(to)), back);
        }
    }
    assert!(layout.is_connected());
}

#[test]
fn regular_shapes_have_their_degrees_and_diameters() {
    // By hand for 7 members: ring, line, star and everybody with everybody.
    let star = Topology::Star { centre: PeerId(2) };
    let shapes = [
        (Topology::Complete, vec![6; 7], 1),
        (Topology::Ring, vec![2; 7], 3),
        (Topology::Line, vec![1, 2, 2, 2, 2, 2, 1], 6),
        (star, vec![1, 1, 6, 1, 1, 1, 1], 2),
    ];
    for (topology, expected, diameter) in shapes {
        let layout = layout(topology.clone(), 7);
        assert_eq!(degrees(&layout), expected, "{topology:?}");
        assert_eq!(layout.figures().diameter, Some(diameter), "{topology:?}");
        assert_sound(&layout);
    }
    assert_eq!(
        way(&layout(Topology::Ring, 7), 0, 5),
        Some(vec![6, 5]),
        "the shorter way"
    );
}

#[test]
fn random_regular_graphs_are_regular_whatever_the_degree() {
    // Every possible degree of 12 nodes, dense ones too, which stub pairing alone hardly finds.
    for degree in 2..12 {
        let layout = layout(Topology::RandomRegular { degree }, 12);
        assert_eq!(degrees(&layout), vec![degree; 12]);
        assert_sound(&layout);
    }
    assert_eq!(
        degrees(&layout(Topology::RandomRegular { degree: 8 }, 3_000)),
        vec![8; 3_000]
    );
}

#[test]
fn a_small_world_keeps_its_edges_and_loses_its_length() {
    // Rewiring moves edges and makes none: 200 nodes of mean degree 4, however many move. None
    // rewired is the lattice of diameter 50; with a tenth rewired ways shrink by more than half
    // (Watts and Strogatz, figure 2).
    let draw = |rewire| {
        let rewire = share(rewire);
        layout(Topology::SmallWorld { degree: 4, rewire }, 200)
    };
    assert_eq!(degrees(&draw(0.0)), vec![4; 200]);
    assert_eq!(draw(0.0).figures().diameter, Some(50));
    for rewire in [0.1, 1.0] {
        let layout = draw(rewire);
        assert_eq!(degrees(&layout).iter().sum::<u32>(), 800);
        assert!(layout.figures().diameter.unwrap() < 25);
        assert_sound(&layout);
    }
}

#[test]
fn a_scale_free_graph_has_hubs() {
    // A complete graph of 3 and 997 newcomers with 2 edges each: 3 + 1,994 edges, least degree
    // 2. Preferential attachment makes the largest hub of order 2 sqrt(1,000) = 63 neighbours;
    // attaching evenly would give about 2 + 2 ln 1,000 = 16, so 35 tells them apart.
    let layout = layout(Topology::ScaleFree { edges: 2 }, 1_000);
    let degrees = degrees(&layout);
    assert_eq!(degrees.iter().sum::<u32>(), 2 * 1_997);
    assert_eq!(degrees.iter().min(), Some(&2));
    assert!(
        degrees.iter().max() > Some(&35),
        "{:?}",
        degrees.iter().max()
    );
    assert!(layout.is_connected());
}

#[test]
fn the_same_run_draws_the_same_graph_and_another_run_another() {
    let graph = |seed| {
        let mut scenario = scenario(50);
        scenario.topology = Topology::RandomRegular { degree: 4 };
        let layout = Layout::new(&scenario, RunKey::from_seed(seed));
        (0..50)
            .map(|slot| layout.neighbours(PeerId(slot)))
            .collect::<Vec<_>>()
    };
    assert_eq!(graph(1), graph(1));
    assert_ne!(graph(1), graph(2));
}

/// Organisations of 4, 3 and 1 members, two gateways each where there are as many.
fn gateways(routing: Routing) -> Layout {
    let mut scenario = scenario(8);
    scenario.topology = Topology::Gateways {
        per_organisation: 2,
    };
    scenario.routing = routing;
    for (peer, organisation) in scenario.peers.iter_mut().zip("aaaabbbc".chars()) {
        peer.organisation = organisation.to_string();
    }
    Layout::new(&scenario, RunKey::from_seed(1))
}

#[test]
fn organisations_meet_at_their_gateways_only() {
    // 0 and 1, 4 and 5, and 7 are gateways: 0 knows 1, 2, 3 inside and 4, 5, 7 abroad.
    let layout = gateways(Routing::Shortest);
    assert_eq!(layout.neighbours(PeerId(0)), slots([1, 2, 3, 4, 5, 7]));
    assert_eq!(layout.neighbours(PeerId(2)), slots([0, 1, 3]));
    assert_eq!(degrees(&layout), [6, 6, 3, 3, 5, 5, 2, 4]);
    assert_eq!(layout.figures().diameter, Some(3));
    assert_sound(&layout);
    assert_eq!(way(&layout, 2, 6).map(|hops| hops.len()), Some(3));
}

#[test]
fn without_routing_only_neighbours_are_reached() {
    let layout = gateways(Routing::Neighbours);
    assert_eq!(way(&layout, 0, 4), Some(vec![4]));
    assert_eq!(way(&layout, 2, 6), None);
}

#[test]
fn edges_from_a_file_are_directed_and_gaps_are_seen() {
    // 0 -> 1 -> 2 -> 0 is strongly connected; without the last edge 2 reaches nobody.
    let edges = |pairs: &[(u32, u32)]| {
        let pairs = pairs.iter().map(|&(from, to)| (PeerId(from), PeerId(to)));
        layout(Topology::Edges(pairs.collect()), 3)
    };
    let cycle = edges(&[(0, 1), (1, 2), (2, 0)]);
    assert!(cycle.is_connected());
    assert_eq!(
        way(&cycle, 1, 0),
        Some(vec![2, 0]),
        "against the arrows the long way"
    );
    let open = edges(&[(0, 1), (1, 2)]);
    assert!(!open.is_connected());
    assert_eq!(open.figures().diameter, None);
    assert_eq!(way(&open, 2, 0), None);
}

#[test]
fn clients_reach_everybody_and_carry_nothing() {
    // The client stands between members 0 and 2 by slot; the line must skip it.
    let mut scenario = scenario(3);
    scenario.topology = Topology::Line;
    scenario.routing = Routing::Shortest;
    let mut client = peer("client-1");
    client.role = Role::Client;
    scenario.peers.insert(1, client);
    let layout = Layout::new(&scenario, RunKey::from_seed(1));
    assert_eq!(way(&layout, 1, 3), Some(vec![3]));
    assert_eq!(way(&layout, 3, 1), Some(vec![1]));
    assert_eq!(way(&layout, 0, 3), Some(vec![2, 3]));
}

#[test]
fn impossible_topologies_of_few_members_do_not_panic() {
    // A scenario of one or two peers may carry any topology over from a larger one.
    for members in 0..4 {
        for topology in [
            Topology::Complete,
            Topology::Ring,
            Topology::Line,
            Topology::Star { centre: PeerId(9) },
            Topology::RandomRegular { degree: 5 },
            Topology::SmallWorld {
                degree: 6,
                rewire: share(0.5),
            },
            Topology::ScaleFree { edges: 4 },
            Topology::Gateways {
                per_organisation: 0,
            },
        ] {
            layout(topology, members).figures();
        }
    }
}
