//! When faults strike and end, and how overlapping ones add up.

use super::*;

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
fn a_peer_that_is_held_twice_is_ordered_once() {
    // Two crashes and two pauses that overlap: one order at the first beginning, one at the last
    // end, whichever of the two ends last.
    let crash = || Fault::Crash(peers([0]));
    let pause = || Fault::Pause(peers([1]));
    let mut run = Run::new(vec![
        once(10, 30, crash()),
        once(20, 10, crash()),
        once(50, 10, pause()),
        once(55, 25, pause()),
    ]);
    let expected = [
        (10, 0, Control::Crash),
        (40, 0, Control::Restart),
        (50, 1, Control::Pause),
        (80, 1, Control::Resume),
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
