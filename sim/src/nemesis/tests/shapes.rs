//! Which links each shape of partition takes.

use super::*;

#[test]
fn flapping_cuts_and_heals_in_turn_until_it_ends() {
    // Down 10, up 5 from 100 to 140: cut in [100, 110), [115, 125), [130, 140), whole elsewhere.
    let flap = Fault::Flapping {
        cut: Partition::Isolate(peers([2])),
        down: ms(10),
        up: ms(5),
    };
    let mut run = Run::new(vec![once(100, 40, flap)]);
    for time in 90..160 {
        run.until(time);
        let cut = [100..110, 115..125, 130..140]
            .iter()
            .any(|span| span.contains(&time));
        assert_eq!(!run.connects(0, 2), cut, "{time}");
        assert!(run.connects(0, 1));
    }
    assert!(run.nemesis.is_over() && run.fabric.weather().is_calm());
}

/// Ten members under one partition, after it struck.
fn under(partition: Partition) -> Run {
    let mut run = Run::new(vec![once(10, 10, Fault::Partition(partition))]);
    run.until(10);
    run
}

#[test]
fn halves_are_two_cliques_of_half_the_members() {
    // Whatever halves are drawn: everybody reaches exactly the four others of its half, and reaching
    // is symmetric; afterwards everybody reaches everybody again.
    let mut run = under(Partition::Halves);
    let reach = run.reach();
    assert!(reach.iter().all(|others| others.len() == 4));
    for from in 0..10_u32 {
        assert!(
            reach[from as usize]
                .iter()
                .all(|&to| reach[to as usize].contains(&from))
        );
    }
    run.until(20);
    assert!(run.reach().iter().all(|others| others.len() == 9));
}

#[test]
fn halves_are_drawn_anew_at_each_strike() {
    let halves = Fault::Partition(Partition::Halves);
    let mut run = Run::new(vec![fault(every(10, 10, 100), Some(5), halves)]);
    let mut seen = std::collections::BTreeSet::new();
    for strike in 1..10 {
        run.until(strike * 10);
        seen.insert(run.reach());
    }
    assert!(
        seen.len() > 4,
        "126 ways to halve ten members, {} seen in nine",
        seen.len()
    );
}

#[test]
fn sides_cut_between_and_leave_others_alone() {
    let run = under(Partition::Sides(vec![
        slots([0, 1]),
        slots([2]),
        slots([3]),
    ]));
    let reach = run.reach();
    assert_eq!(reach[0], [1, 4, 5, 6, 7, 8, 9]);
    assert_eq!(reach[2], [4, 5, 6, 7, 8, 9]);
    assert_eq!(reach[4], [0, 1, 2, 3, 5, 6, 7, 8, 9]);
}

#[test]
fn a_bridge_sees_both_halves_that_do_not_see_each_other() {
    let reach = under(Partition::Bridge { over: peers([4]) }).reach();
    assert_eq!(reach[4].len(), 9);
    // Nine others in halves of 5 and 4, each seeing its own half and the bridge.
    let mut sizes: Vec<usize> = reach.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [4, 4, 4, 4, 5, 5, 5, 5, 5, 9]);
}

#[test]
fn on_a_majority_ring_everybody_sees_a_majority_and_nobody_the_same() {
    // Of ten, six are a majority; each sees itself and three on either side.
    let reach = under(Partition::MajorityRing).reach();
    let views: std::collections::BTreeSet<Vec<u32>> = (0..)
        .zip(&reach)
        .map(|(me, others)| {
            let mut view = others.clone();
            view.push(me);
            view.sort_unstable();
            view
        })
        .collect();
    assert!(views.iter().all(|view| view.len() == 7));
    assert_eq!(views.len(), 10);
}

#[test]
fn one_way_cuts_leave_the_way_back() {
    let run = under(Partition::OneWay {
        from: peers([0, 1]),
        to: peers([1, 2]),
    });
    assert!(!run.connects(0, 2) && !run.connects(0, 1) && !run.connects(1, 2));
    assert!(run.connects(2, 0) && run.connects(1, 0) && run.connects(2, 1) && run.connects(0, 3));
}

#[test]
fn isolated_peers_see_nobody_not_even_each_other() {
    let reach = under(Partition::Isolate(peers([0, 1]))).reach();
    assert!(reach[0].is_empty() && reach[1].is_empty());
    assert_eq!(reach[2], [3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_chain_and_a_star_keep_the_links_they_say() {
    let chain = under(Partition::Chain).reach();
    assert_eq!(chain[0], [1]);
    assert_eq!(chain[5], [4, 6]);
    let star = under(Partition::StarAround(peers([3]))).reach();
    assert_eq!(star[3].len(), 9);
    assert!(
        [0, 1, 2, 9]
            .iter()
            .all(|&member: &usize| star[member] == [3])
    );
}

#[test]
fn shapes_of_members_leave_clients_alone_and_outages_do_not() {
    // Partitions that speak of all members must not cut a client off; its region going down must.
    let mut scenario = scenario(3);
    let mut client = peer("client-1");
    client.role = Role::Client;
    client.region = "west".to_owned();
    scenario.peers.push(client);
    scenario.faults = vec![
        once(10, 10, Fault::Partition(Partition::Chain)),
        once(30, 10, Fault::RegionOutage("west".to_owned())),
    ];
    let mut run = Run::of(&scenario);
    run.until(10);
    assert!(!run.connects(0, 2) && run.connects(0, 3) && run.connects(3, 2));
    run.until(30);
    assert!(run.connects(0, 2) && !run.connects(0, 3) && !run.connects(3, 2));
    assert_eq!(run.nemesis.bands()[1].peers, slots([3]));
}
