use fedsim_protocols::Probability;
use fedsim_scenarios::spec::{DiskSpec, Partition, Role, Select};

use super::*;
use crate::network::fixture::{constant, ms, peer, scenario, slots};

/// A run of nemesis alone, on ten members.
struct Run {
    fabric: Fabric,
    nemesis: Nemesis,
}

fn at(millis: u64) -> SimTime {
    SimTime::from(ms(millis))
}

fn peers(of: impl IntoIterator<Item = u32>) -> Select {
    Select::Peers(slots(of))
}

fn fault(when: When, lasts: Option<u64>, fault: Fault) -> FaultSpec {
    FaultSpec {
        label: "a fault".to_owned(),
        when,
        lasts: lasts.map(ms),
        heal_by: None,
        fault,
    }
}

fn once(start: u64, lasts: u64, hurt: Fault) -> FaultSpec {
    fault(When::At(ms(start)), Some(lasts), hurt)
}

fn every(period: u64, from: u64, until: u64) -> When {
    When::Every {
        period: ms(period),
        from: ms(from),
        until: ms(until),
    }
}

impl Run {
    fn new(faults: Vec<FaultSpec>) -> Self {
        let mut scenario = scenario(10);
        scenario.faults = faults;
        Self::of(&scenario)
    }

    fn of(scenario: &Scenario) -> Self {
        let key = RunKey::from_seed(scenario.seed);
        let fabric = Fabric::new(scenario, key);
        let nemesis = Nemesis::new(scenario, &fabric, key);
        Self { fabric, nemesis }
    }

    /// Carries out everything up to `end` milliseconds; gives the orders with their times.
    fn until(&mut self, end: u64) -> Vec<(u64, u32, Control)> {
        let mut done = Vec::new();
        while let Some(due) = self.nemesis.next_at().filter(|&due| due <= at(end)) {
            let mut orders = Vec::new();
            self.nemesis.act(due, &mut self.fabric, &mut orders);
            let millis = due.as_nanos() / 1_000_000;
            done.extend(
                orders
                    .into_iter()
                    .map(|order| (millis, order.peer.0, order.what)),
            );
        }
        done
    }

    /// When each strike began, in milliseconds.
    fn strikes(&self) -> Vec<u64> {
        let bands = self.nemesis.bands();
        bands
            .iter()
            .map(|band| band.from.as_nanos() / 1_000_000)
            .collect()
    }

    fn connects(&self, from: u32, to: u32) -> bool {
        self.fabric.connects(PeerId(from), PeerId(to))
    }

    /// The members that each member can send to, as bits.
    fn reach(&self) -> Vec<Vec<u32>> {
        let to = |from| {
            (0..10)
                .filter(|&to| to != from && self.connects(from, to))
                .collect()
        };
        (0..10).map(to).collect()
    }
}

#[test]
fn a_timed_fault_begins_and_ends_on_time() {
    // The whole list of orders: nothing else may be ordered, and nothing is left afterwards.
    let mut run = Run::new(vec![once(20, 30, Fault::Crash(peers([3, 1])))]);
    assert_eq!(run.nemesis.next_at(), Some(at(20)));
    let orders = run.until(1_000);
    let (crash, restart) = (Control::Crash, Control::Restart);
    let expected = [
        (20, 1, crash.clone()),
        (20, 3, crash),
        (50, 1, restart.clone()),
        (50, 3, restart),
    ];
    assert_eq!(orders, expected);
    assert_eq!(run.nemesis.last_heal(), Some(at(50)));
    assert!(run.nemesis.is_over());
}

#[test]
fn a_periodic_fault_strikes_until_its_end_excluded() {
    let mut run = Run::new(vec![fault(
        every(10, 5, 35),
        Some(2),
        Fault::Pause(peers([0])),
    )]);
    let orders = run.until(1_000);
    assert_eq!(run.strikes(), [5, 15, 25]);
    let (pause, resume) = (Control::Pause, Control::Resume);
    assert_eq!(orders[..2], [(5, 0, pause), (7, 0, resume)]);
    assert_eq!(orders.len(), 6);
}

#[test]
fn a_random_fault_is_a_poisson_process() {
    // In 2,000 s at a mean of 1 s the count is Poisson: 2,000 with deviation 44.7. Its gaps are
    // exponential: a share exp(-1) of them is longer than the mean. Four standard errors each. The
    // same seed must strike at the same times.
    let when = When::Random {
        mean: ms(1_000),
        from: ms(500),
        until: ms(2_000_500),
    };
    let struck = || {
        let mut run = Run::new(vec![fault(when.clone(), Some(1), Fault::Pause(peers([0])))]);
        run.until(u64::MAX / 2_000_000);
        run.strikes()
    };
    let strikes = struck();
    let count = strikes.len() as f64;
    assert!((count - 2_000.0).abs() < 4.0 * 44.7, "{count}");
    assert!(strikes[0] >= 500 && strikes[strikes.len() - 1] < 2_000_500);
    let long = strikes
        .windows(2)
        .filter(|pair| pair[1] - pair[0] > 1_000)
        .count();
    let share = long as f64 / (count - 1.0);
    assert!(
        (share - libm::exp(-1.0)).abs() < 4.0 * (0.37 * 0.63 / count).sqrt(),
        "{share}"
    );
    assert_eq!(strikes, struck());
}

#[test]
fn one_more_fault_moves_no_other() {
    // Every fault has dice of its own, so experiments that differ in one fault stay comparable.
    let churn = |mean| {
        let select = Select::Random {
            count: 2,
            of: slots(0..10),
        };
        let when = When::Random {
            mean: ms(mean),
            from: ms(0),
            until: ms(10_000),
        };
        fault(when, Some(50), Fault::Crash(select))
    };
    let first = |faults| {
        let mut run = Run::new(faults);
        run.until(20_000);
        let bands = run
            .nemesis
            .bands()
            .into_iter()
            .filter(|band| band.fault == 1);
        bands.collect::<Vec<_>>()
    };
    let alone = first(vec![churn(300)]);
    assert!(alone.iter().all(|band| band.peers.len() == 2));
    assert!(alone.iter().any(|band| band.peers != alone[0].peers));
    assert_eq!(alone, first(vec![churn(300), churn(70)]));
}

#[test]
fn an_event_strikes_one_lookahead_later_and_only_as_often_as_asked() {
    // From the second matching event on, twice; other names and other peers do not count. The
    // lookahead is 10 ms and the delay 5.
    let when = When::On {
        event: "elected".to_owned(),
        peers: slots([1, 2]),
        nth: 2,
        times: 2,
        delay: ms(5),
    };
    let mut run = Run::new(vec![fault(when, Some(1), Fault::Crash(Select::Trigger))]);
    assert!(run.nemesis.listens_to("elected") && !run.nemesis.listens_to("other"));
    let events = [(100, 1, "elected"), (110, 1, "other"), (120, 3, "elected")];
    let counted = [
        (130, 2, "elected"),
        (140, 1, "elected"),
        (150, 1, "elected"),
    ];
    for (time, by, name) in events.into_iter().chain(counted) {
        run.nemesis.on_event(at(time), PeerId(by), name);
    }
    let crashed: Vec<(u64, u32)> = run
        .until(1_000)
        .into_iter()
        .filter(|order| order.2 == Control::Crash)
        .map(|order| (order.0, order.1))
        .collect();
    assert_eq!(crashed, [(145, 2), (155, 1)]);
}

#[test]
fn operations_strike_at_every_multiple_up_to_the_last() {
    // 3 strikes at most, one for each 100 answered; a count that leaps over two strikes twice.
    let when = When::AfterOperations {
        count: 100,
        times: 3,
    };
    let mut run = Run::new(vec![fault(
        when,
        None,
        Fault::Request {
            peers: peers([0]),
            request: "leave".to_owned(),
        },
    )]);
    for (time, completed) in [(50, 99), (60, 100), (70, 199), (80, 305), (90, 900)] {
        run.nemesis.on_operations(at(time), completed);
    }
    run.until(1_000);
    assert_eq!(run.strikes(), [70, 90, 90]);
}

#[test]
fn an_aimed_fault_hits_whom_was_known_one_lookahead_before() {
    // At 100 the report of 90 is just old enough and that of 91 is not; with no report at all the
    // strike hits nobody.
    let aimed = |time| {
        once(
            time,
            5,
            Fault::Crash(Select::LastToReport("elected".to_owned())),
        )
    };
    let mut run = Run::new(vec![aimed(50), aimed(100)]);
    run.nemesis.on_event(at(80), PeerId(7), "elected");
    run.nemesis.on_event(at(90), PeerId(4), "elected");
    run.nemesis.on_event(at(91), PeerId(5), "elected");
    run.until(1_000);
    let hit: Vec<Vec<PeerId>> = run
        .nemesis
        .bands()
        .into_iter()
        .map(|band| band.peers)
        .collect();
    assert_eq!(hit, [slots([]), slots([4])]);
}

#[test]
fn overlapping_crashes_restart_once_both_have_ended() {
    // Crashed at 10 and 20, ended at 40 and 30: one crash, one restart at 40. A wipe in between
    // still empties the disk of the peer that is down.
    let mut run = Run::new(vec![
        once(10, 30, Fault::Crash(peers([0]))),
        once(20, 10, Fault::Wipe(peers([0]))),
    ]);
    let expected = [
        (10, 0, Control::Crash),
        (20, 0, Control::Wipe),
        (40, 0, Control::Restart),
    ];
    assert_eq!(run.until(1_000), expected);
}

#[test]
fn what_ends_goes_before_what_begins_at_the_same_moment() {
    // A crash of 10 ms every 10 ms: down all the time but for restarts at the edges, and in an
    // order that leaves the peer down.
    let mut run = Run::new(vec![fault(
        every(10, 10, 30),
        Some(10),
        Fault::Crash(peers([0])),
    )]);
    let (crash, restart) = (Control::Crash, Control::Restart);
    let expected = [
        (10, 0, crash.clone()),
        (20, 0, restart.clone()),
        (20, 0, crash),
        (30, 0, restart),
    ];
    assert_eq!(run.until(1_000), expected);
}

#[test]
fn slowness_adds_up_and_disks_go_back_to_what_they_were() {
    let slow = |span| Fault::Slow {
        peers: peers([0]),
        per_input: ms(span),
    };
    let broken = DiskSpec {
        corrupt: Probability::ONE,
        ..DiskSpec::default()
    };
    let disk = Fault::Disk {
        peers: peers([1]),
        disk: broken,
    };
    let mut run = Run::new(vec![
        once(10, 20, slow(3)),
        once(20, 20, slow(4)),
        once(50, 5, disk),
    ]);
    let expected = [
        (10, 0, Control::Slow(ms(3))),
        (20, 0, Control::Slow(ms(7))),
        (30, 0, Control::Slow(ms(4))),
        (40, 0, Control::Slow(ms(0))),
        (50, 1, Control::Disk(broken)),
        (55, 1, Control::Disk(DiskSpec::default())),
    ];
    assert_eq!(run.until(1_000), expected);
}

#[test]
fn the_guaranteed_heal_ends_everything_and_lets_nothing_begin() {
    // Strikes at 10, 40 and 70 of 20 ms each; healed at 50: the second is cut short and the third
    // never comes.
    let mut spec = fault(every(30, 10, 100), Some(20), Fault::Pause(peers([0])));
    spec.heal_by = Some(ms(50));
    let mut endless = fault(When::At(ms(5)), None, Fault::Crash(peers([1])));
    endless.heal_by = Some(ms(50));
    let mut run = Run::new(vec![spec, endless]);
    let orders: Vec<(u64, u32)> = run
        .until(1_000)
        .into_iter()
        .map(|order| (order.0, order.1))
        .collect();
    assert_eq!(
        orders,
        [(5, 1), (10, 0), (30, 0), (40, 0), (50, 0), (50, 1)]
    );
    assert!(run.nemesis.is_over());
}

#[test]
fn a_fault_without_end_is_never_over() {
    let mut run = Run::new(vec![fault(When::At(ms(5)), None, Fault::Crash(peers([1])))]);
    run.until(1_000);
    assert!(!run.nemesis.is_over());
    assert_eq!(run.nemesis.bands()[0].to, None);
    assert_eq!(run.nemesis.last_heal(), None);
}

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

#[test]
fn faults_that_made_no_difference_are_told_from_those_that_did() {
    // Five faults: a cut that stops a message, a cut that nobody meets, a crash that the engine
    // carried out, one that it did not, and a link replaced under one message.
    let isolate = |peer| Fault::Partition(Partition::Isolate(peers([peer])));
    let links = Fault::Links {
        peers: peers([4]),
        link: constant(30),
    };
    let mut run = Run::new(vec![
        once(10, 10, isolate(1)),
        once(10, 10, isolate(2)),
        once(10, 10, Fault::Crash(peers([5]))),
        once(10, 10, Fault::Crash(peers([6]))),
        once(10, 10, links),
    ]);
    run.until(10);
    let mut egress = crate::network::Egress::default();
    for to in [1, 4, 7] {
        run.fabric
            .route(&mut egress, PeerId(0), PeerId(to), at(11), 0, 10);
    }
    run.nemesis.note_effect(2);
    let tallies = run.nemesis.tallies(&run.fabric);
    let effect: Vec<bool> = tallies.iter().map(FaultTally::took_effect).collect();
    assert_eq!(effect, [true, false, true, false, true]);
    assert!(tallies.iter().all(|tally| tally.strikes == 1));
}

#[test]
fn an_explanation_says_what_will_happen() {
    // The whole text for a small scenario, so that wording and figures stay readable; the strikes it
    // names are those of the run itself.
    let mut scenario = scenario(3);
    scenario.network.link.latency = fedsim_scenarios::spec::Latency::Uniform {
        low: ms(10),
        high: ms(30),
    };
    scenario.faults = vec![
        once(1_000, 500, Fault::Crash(peers([1]))),
        fault(
            every(10_000, 2_000, 90_000),
            Some(100),
            Fault::Partition(Partition::Halves),
        ),
        once(
            5_000,
            100,
            Fault::Pause(Select::LastToReport("leader-elected".to_owned())),
        ),
    ];
    let expected = "\
test (seed 1)
  A claim.
  Runs for 100s of virtual time; statistics start after 0ms.

Peers
  3 members: p-1, p-2, p-3.

Network
";
    let text = explain(&scenario);
    assert!(text.starts_with(expected), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
    assert_eq!(text, "");
}
