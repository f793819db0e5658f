//! Links, cuts and effects against their definitions.

use super::*;
use crate::network::fixture::{constant, ms, scenario, share, slots};
use crate::network::{Cut, Effect, PeerSet};
use fedsim_scenarios::spec::{Bandwidth, Latency, Routing, Topology};

fn fabric(scenario: &Scenario) -> Fabric {
    Fabric::new(scenario, RunKey::from_seed(scenario.seed))
}

fn at(millis: u64) -> SimTime {
    SimTime::from(ms(millis))
}

fn send(fabric: &Fabric, from: u32, to: u32, sent: SimTime) -> Fate {
    fabric.route(
        &mut Egress::default(),
        PeerId(from),
        PeerId(to),
        sent,
        0,
        100,
    )
}

fn arrival(fate: Fate) -> SimTime {
    match fate {
        Fate::Arrives { at, .. } => at,
        Fate::Dropped(reason) => panic!("dropped: {reason:?}"),
    }
}

fn isolate(peer: u32) -> Effect {
    Effect::Cut(Cut::Around(PeerSet::new(&slots([peer]))))
}

/// Links of 10 to 20 ms that do all a link can do, but keep no order and no queue.
fn busy() -> Scenario {
    let mut scenario = scenario(4);
    scenario.network.link.latency = Latency::Uniform {
        low: ms(10),
        high: ms(20),
    };
    scenario.network.link.loss = share(0.1);
    scenario.network.link.duplicate = share(0.1);
    scenario
}

#[test]
fn no_message_is_faster_than_the_lookahead() {
    // The engine's windows rest on it, so it is held for originals and copies, in calm weather and
    // with a link that a fault made faster than any other.
    let mut fabric = fabric(&busy());
    assert_eq!(fabric.lookahead(), ms(10));
    let slowest = |fabric: &Fabric| {
        for step in 0..10_000 {
            let sent = SimTime::from_nanos(step);
            if let Fate::Arrives { at, copy, .. } = send(fabric, 0, 1, sent) {
                assert!(at >= sent + ms(10) && copy.is_none_or(|copy| copy >= sent + ms(10)));
            }
        }
    };
    slowest(&fabric);
    let link = Box::new(LinkModel::new(&constant(1)));
    let peers = PeerSet::new(&slots([0]));
    fabric
        .weather_mut()
        .begin(1, 0, Effect::Links { peers, link });
    slowest(&fabric);
    assert_eq!(arrival(send(&fabric, 0, 1, at(5))), at(15));
}

#[test]
fn every_message_has_luck_of_its_own() {
    // Draws are keyed: whatever else is sent before, elsewhere or in the same step, a message keeps
    // its fate; a second message of the step on the same link has another.
    let fabric = fabric(&busy());
    let mut egress = Egress::default();
    let mut alone = Vec::new();
    let mut crowded = Vec::new();
    for step in 0..1_000 {
        let sent = SimTime::from_nanos(step);
        alone.push(send(&fabric, 0, 1, sent));
        send(&fabric, 0, 2, sent);
        crowded.push(fabric.route(&mut egress, PeerId(0), PeerId(1), sent, 0, 999));
        let second = fabric.route(&mut egress, PeerId(0), PeerId(1), sent, 1, 100);
        let both_lost = [crowded[step as usize], second]
            .iter()
            .all(|fate| matches!(fate, Fate::Dropped(DropReason::Loss(None))));
        assert!(second != crowded[step as usize] || both_lost);
    }
    assert_eq!(alone, crowded);
}

#[test]
fn a_cut_is_judged_when_sent_and_again_at_arrival() {
    // Sent before the cut, a message in flight is stopped at arrival while the cut lasts; what
    // arrives after the heal passes.
    let mut fabric = fabric(&scenario(3));
    assert_eq!(fabric.admits(PeerId(0), PeerId(1)), Ok(()));
    fabric.weather_mut().begin(1, 7, isolate(1));
    assert_eq!(
        send(&fabric, 0, 1, at(1)),
        Fate::Dropped(DropReason::Cut(7))
    );
    assert_eq!(fabric.admits(PeerId(0), PeerId(1)), Err(DropReason::Cut(7)));
    assert_eq!(fabric.admits(PeerId(0), PeerId(2)), Ok(()));
    assert!(!fabric.connects(PeerId(1), PeerId(2)) && fabric.connects(PeerId(0), PeerId(2)));
    fabric.weather_mut().end(1);
    assert_eq!(fabric.admits(PeerId(0), PeerId(1)), Ok(()));
    assert_eq!(arrival(send(&fabric, 0, 1, at(1))), at(11));
}

#[test]
fn a_link_is_cut_while_any_fault_cuts_it_and_all_are_counted() {
    // Ending one of two overlapping cuts must not heal what the other still cuts.
    let mut scenario = scenario(3);
    scenario.faults = Vec::new();
    let mut fabric = fabric(&scenario);
    fabric.weather = Weather::new(2);
    fabric.weather_mut().begin(1, 0, isolate(1));
    fabric.weather_mut().begin(2, 1, isolate(1));
    assert_eq!(
        send(&fabric, 0, 1, at(1)),
        Fate::Dropped(DropReason::Cut(0))
    );
    fabric.weather_mut().end(1);
    assert_eq!(
        send(&fabric, 0, 1, at(1)),
        Fate::Dropped(DropReason::Cut(1))
    );
    fabric.weather_mut().end(2);
    assert!(fabric.weather().is_calm());
    assert_eq!(fabric.weather().touched(), [1, 2]);
}

#[test]
fn storms_lengthen_and_lose_on_links_that_touch_their_peers_alone() {
    // 10 ms times 2.5 plus 3 is 28; two storms follow one another; a storm that loses everything
    // names its fault. Links between others stay as they were.
    let mut fabric = fabric(&scenario(4));
    fabric.weather = Weather::new(3);
    let storm = |factor_milli, plus| Effect::Latency {
        peers: PeerSet::new(&slots([1])),
        factor_milli,
        plus: ms(plus),
    };
    fabric.weather_mut().begin(1, 0, storm(2_500, 3));
    let slowed = |at| Fate::Arrives {
        at,
        copy: None,
        touched: Some(0),
    };
    assert_eq!(send(&fabric, 1, 0, at(0)), slowed(at(28)));
    fabric.weather_mut().begin(2, 1, storm(1_000, 2));
    assert_eq!(send(&fabric, 0, 1, at(0)), slowed(at(30)));
    let loss = Effect::Loss {
        peers: PeerSet::new(&slots([1])),
        loss: share(1.0),
    };
    fabric.weather_mut().begin(3, 2, loss);
    assert_eq!(
        send(&fabric, 0, 1, at(0)),
        Fate::Dropped(DropReason::Loss(Some(2)))
    );
    assert_eq!(arrival(send(&fabric, 0, 2, at(0))), at(10));
    assert_eq!(fabric.weather().touched(), [2, 1, 1]);
}

#[test]
fn a_path_sums_the_delays_of_its_links_each_drawn_independently() {
    // Three links of U(10, 20) on a line: mean 45, variance 3 * 100 / 12 = 25. One draw used three
    // times would have variance 75; four standard errors of the variance are below 1.
    let mut scenario = busy();
    scenario.network.link.loss = share(0.0);
    scenario.network.link.duplicate = share(0.0);
    scenario.topology = Topology::Line;
    scenario.routing = Routing::Shortest;
    let fabric = fabric(&scenario);
    let delays: Vec<f64> = (0..20_000)
        .map(SimTime::from_nanos)
        .map(|sent| {
            arrival(send(&fabric, 0, 3, sent))
                .since(sent)
                .as_millis_f64()
        })
        .collect();
    let mean = delays.iter().sum::<f64>() / 20_000.0;
    let squares = delays.iter().map(|delay| (delay - mean) * (delay - mean));
    let variance = squares.sum::<f64>() / 20_000.0;
    assert!(
        (mean - 45.0).abs() < 4.0 * 5.0 / 20_000.0_f64.sqrt(),
        "{mean}"
    );
    assert!((variance - 25.0).abs() < 1.0, "{variance}");
}

#[test]
fn a_cut_anywhere_on_a_path_stops_it_at_both_ends() {
    // 0 to 3 on a line goes through 1 and 2; cutting 2 off must stop it, and not 0 to 1.
    let mut scenario = scenario(4);
    scenario.topology = Topology::Line;
    scenario.routing = Routing::Shortest;
    let mut fabric = fabric(&scenario);
    assert_eq!(arrival(send(&fabric, 0, 3, at(0))), at(30));
    fabric.weather_mut().begin(1, 0, isolate(2));
    assert_eq!(
        send(&fabric, 0, 3, at(0)),
        Fate::Dropped(DropReason::Cut(0))
    );
    assert_eq!(fabric.admits(PeerId(0), PeerId(3)), Err(DropReason::Cut(0)));
    assert_eq!(fabric.admits(PeerId(0), PeerId(1)), Ok(()));
}

#[test]
fn without_routing_a_stranger_is_out_of_reach() {
    let mut scenario = scenario(4);
    scenario.topology = Topology::Line;
    let fabric = fabric(&scenario);
    assert_eq!(
        send(&fabric, 0, 2, at(0)),
        Fate::Dropped(DropReason::NoRoute)
    );
    assert_eq!(arrival(send(&fabric, 0, 1, at(0))), at(10));
}

#[test]
fn bandwidth_delays_by_size_and_queue_and_drops_what_does_not_fit() {
    // 100 bytes at 10,000 bytes a second are 10 ms on the wire, then 10 ms of latency: 20, 30, and
    // the third finds 200 bytes waiting in a queue of 250.
    let mut scenario = scenario(2);
    scenario.network.link.bandwidth = Some(Bandwidth {
        bytes_per_second: 10_000,
        queue_bytes: 250,
    });
    let fabric = fabric(&scenario);
    let mut egress = Egress::default();
    let mut send = |nth| fabric.route(&mut egress, PeerId(0), PeerId(1), at(0), nth, 100);
    assert_eq!(arrival(send(0)), at(20));
    assert_eq!(arrival(send(1)), at(30));
    assert_eq!(send(2), Fate::Dropped(DropReason::Queue));
}

#[test]
fn an_ordered_link_never_lets_a_later_message_arrive_earlier() {
    // Latencies of 10 to 20 ms for messages a tenth of a millisecond apart cross most of the time
    // without order, and never with it.
    let mut scenario = busy();
    let mut arrivals = |in_order| {
        scenario.network.link.in_order = in_order;
        let fabric = fabric(&scenario);
        let mut egress = Egress::default();
        let one = |step: u64| {
            let sent = SimTime::from_nanos(step * 100_000);
            match fabric.route(&mut egress, PeerId(0), PeerId(1), sent, 0, 10) {
                Fate::Arrives { at, .. } => Some(at),
                Fate::Dropped(_) => None,
            }
        };
        (0..1_000).filter_map(one).collect::<Vec<SimTime>>()
    };
    assert!(!arrivals(false).is_sorted());
    assert!(arrivals(true).is_sorted());
}
