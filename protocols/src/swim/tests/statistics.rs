//! What the paper promises on average. Whole groups under loss are for the simulator's tests.

use super::*;
use crate::swim::members::Member;
use crate::swim::probe::ProbeList;
use crate::tabletop::Tabletop;

#[test]
fn random_probing_first_detects_a_crash_after_e_over_e_minus_1_periods() {
    // The model of SWIM section 3 in whole synchronous periods: in each, 199 members draw a target
    // of their list of 199; how many periods until one draws the victim? The exact mean is
    // 1 / (1 - (1 - 1/199)^199) = 1.584; 3,000 trials of standard deviation 0.96 give 0.0175, and
    // 5 of these either way are allowed.
    let mut dice = Stream::new(RunKey::from_seed(1), StreamLabel::global("test"));
    let record = alive(1, Incarnation::FIRST);
    let mut members = Members::default();
    for _ in 0..200 {
        members.insert(Member::new(
            record.clone(),
            Status::Alive,
            LocalTime::default(),
        ));
    }
    // By symmetry all observers draw alike, so that one list serves them all.
    let mut list = ProbeList::of_all(199, None);
    let mut periods = 0_u32;
    for _ in 0..3000 {
        loop {
            periods += 1;
            let mut draw = || list.next::<Published>(ProbeOrder::Random, &mut members, &mut dice);
            let finds = (0..199).filter(|_| draw() == Some(Place(0))).count();
            if finds > 0 {
                break;
            }
        }
    }
    let mean = f64::from(periods) / 3000.0;
    assert!((mean - 1.584).abs() < 0.0875, "{mean}");
}

/// Messages a member and second of a healthy group in 20 s.
fn load(members: u32) -> f64 {
    let peer = |slot: u32| (PeerId(slot), format!("peer-{slot}").into(), keys(slot));
    let roster = Roster::sign((0..members).map(peer));
    let config = Arc::new(SwimConfig::swim_2002());
    let machine = |slot| {
        let (config, roster) = (Arc::clone(&config), roster.clone());
        Swim::<Published>::with_roster(config, PeerId(slot), "".into(), Arc::new([]), roster)
    };
    let machines = (0..members).map(machine).collect();
    let mut table = Tabletop::new(SEED, SimDuration::from_millis(20), machines);
    table.start_all();
    table.run_for(SimDuration::from_secs(20));
    let sent: u64 = table.sent.values().sum();
    sent as f64 / f64::from(members) / 20.0
}

#[test]
fn the_load_of_a_member_does_not_grow_with_the_group() {
    // A ping sent and a ping answered each period, whatever n: 2 a second, less what the random
    // phase of the first period takes off (at most 5 % of 20 s).
    for members in [8, 32, 128] {
        let load = load(members);
        assert!((1.9..=2.0).contains(&load), "n = {members}: {load}");
    }
}
