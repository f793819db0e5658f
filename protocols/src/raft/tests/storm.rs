//! Random runs in bad weather: nothing unsafe while it lasts, and progress once it is over.

use super::weather::{Climate, FAIR, Weather};
use crate::peer::PeerId;
use crate::raft::{
    Configuration, MembershipMode, Operation, RaftConfig, RaftReply, RaftRequest, ReadMode, Role,
};

const SERVERS: u32 = 5;
const CLIENTS: u32 = 2;

/// What a run may contain.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) membership: bool,
    pub(super) transfers: bool,
    pub(super) crashes: bool,
    /// Whether the disk of server 0, a minority, is corrupted in crashes.
    pub(super) damage: bool,
}

pub(super) const ALL: Plan = Plan {
    membership: true,
    transfers: true,
    crashes: true,
    damage: false,
};

/// One client's place in its closed loop: the serial it waits for, and how to find the reply.
struct Loop {
    serial: u64,
    id: u64,
}

fn operation(weather: &mut Weather, serial: u64) -> Operation {
    let key = weather.dice.below(3);
    let value = serial.into();
    match weather.dice.below(4) {
        0 => Operation::Write { key, value },
        1 => Operation::Append { key, value },
        _ => Operation::Read { key },
    }
}

fn work(weather: &mut Weather, loops: &mut [Loop]) {
    for (slot, own) in (SERVERS..).zip(loops) {
        if own.serial == 0 || weather.replies.contains_key(&own.id) {
            own.serial += 1;
            let operation = operation(weather, own.serial);
            own.id = weather.operate(slot, own.serial, operation);
        }
    }
}

/// Something bad, or an order of the operator.
fn strike(weather: &mut Weather, plan: Plan) {
    let slot = weather.dice.below(u64::from(SERVERS)) as u32;
    match weather.dice.below(10) {
        0 | 1 if plan.crashes => {
            let ms = weather.dice.between(50, 4_000);
            weather.crash(slot, ms);
            if plan.damage {
                weather.damage(0);
            }
        }
        2 => {
            let sides: Vec<u8> = (0..SERVERS + CLIENTS)
                .map(|_| weather.dice.below(2) as u8)
                .collect();
            weather.side = sides;
        }
        3 | 4 => weather.side = vec![0; (SERVERS + CLIENTS) as usize],
        5 | 6 if plan.membership => {
            let voters: Vec<u32> = (0..SERVERS).filter(|_| weather.dice.below(3) > 0).collect();
            let target = Box::new(Configuration::of_voters(voters.into_iter().map(PeerId)));
            for slot in 0..SERVERS {
                let target = target.clone();
                weather.ask(slot, RaftRequest::ChangeMembership { target });
            }
        }
        7 if plan.transfers => {
            let to = PeerId(slot);
            for slot in 0..SERVERS {
                weather.ask(slot, RaftRequest::Transfer { to });
            }
        }
        8 => {
            weather.ask(slot, RaftRequest::TakeSnapshot);
        }
        _ => {}
    }
}

/// A run of `steps` bad steps and a calm end.
pub(super) fn storm(seed: u64, config: RaftConfig, plan: Plan, steps: u64) -> Weather {
    let mut weather = Weather::new(seed, config, &[0, 1, 2], SERVERS, CLIENTS);
    let mut loops: Vec<Loop> = (0..CLIENTS).map(|_| Loop { serial: 0, id: 0 }).collect();
    weather.climate = Climate {
        loss: 50,
        doubled: 50,
        delay: 100,
        sync: 40,
    };
    for _ in 0..steps {
        strike(&mut weather, plan);
        for _ in 0..4 {
            work(&mut weather, &mut loops);
            weather.run(100);
        }
    }
    weather.climate = FAIR;
    weather.side = vec![0; (SERVERS + CLIENTS) as usize];
    weather
}

pub(super) fn storm_config() -> RaftConfig {
    RaftConfig {
        snapshot_every: 20,
        snapshot_keep: 5,
        chunk_bytes: 100,
        batch_entries: 4,
        window: 4,
        client_give_up: crate::SimDuration::from_secs(5),
        ..RaftConfig::default()
    }
}

/// Safe throughout, and alive in the end: a leader, all its voters at one commit index and state.
fn holds(seed: u64, config: RaftConfig) -> Weather {
    let mut weather = storm(seed, config, ALL, 60);
    weather.run(30_000);
    let id = weather.operate(SERVERS, 1_000_000, Operation::Read { key: 0 });
    weather.run(12_000);
    assert_eq!(weather.judge.violation, None, "seed {seed}");
    assert!(
        matches!(weather.replies.get(&id), Some(RaftReply::Ok { .. })),
        "seed {seed}: no progress at {} ms",
        weather.now()
    );
    let leader = (0..SERVERS).find(|slot| weather.server(*slot).role() == Role::Leader);
    let leader = weather.server(leader.expect("a leader")).view();
    for voter in &leader.configuration.voters {
        let view = weather.server(voter.0).view();
        assert!(!weather.is_down(voter.0));
        assert_eq!(
            (view.term, view.commit, view.state_hash),
            (leader.term, leader.commit, leader.state_hash),
            "seed {seed}: {voter} differs from its leader"
        );
    }
    weather
}

#[test]
fn nothing_breaks_in_a_storm_and_all_is_well_after_it() {
    // Every feature at once; the counts show that the storm was one.
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..150 {
        let weather = holds(seed, storm_config());
        for (event, count) in weather.judge.counts {
            *seen.entry(event).or_insert(0) += count;
        }
    }
    for event in [
        "truncated",
        "snapshot-installed",
        "recovered",
        "configuration-changed",
        "transfer-started",
        "read-served",
        "quorum-lost",
    ] {
        assert!(
            seen.get(event) > Some(&0),
            "{event} never happened: {seen:?}"
        );
    }
}

/// Crashes, and damage to one disk of three.
pub(super) const DAMAGE: Plan = Plan {
    membership: false,
    damage: true,
    ..ALL
};

#[test]
fn damage_to_a_minority_of_disks_loses_nothing() {
    // Durability with a fixed membership, so that server 0 is always one voter of three.
    let mut repaired = 0;
    for seed in 0..100 {
        let weather = storm(seed, storm_config(), DAMAGE, 60);
        assert_eq!(weather.judge.violation, None, "seed {seed}");
        repaired += weather.judge.count("repaired");
    }
    assert!(repaired > 0, "no damaged log was ever repaired");
}

/// Every server loses power at once, again and again, while clients work.
pub(super) fn power_losses(seed: u64) -> Weather {
    let mut weather = Weather::new(seed, storm_config(), &[0, 1, 2], SERVERS, CLIENTS);
    let mut loops: Vec<Loop> = (0..CLIENTS).map(|_| Loop { serial: 0, id: 0 }).collect();
    weather.climate = Climate { sync: 80, ..FAIR };
    for _ in 0..10 {
        for _ in 0..50 {
            work(&mut weather, &mut loops);
            weather.run(100);
        }
        (0..SERVERS).for_each(|slot| weather.crash(slot, 100));
    }
    weather
}

#[test]
fn no_acknowledged_entry_is_lost_when_everybody_loses_power() {
    // Paper figure 2: stable storage before responding. Each power loss takes what was not synced.
    for seed in 0..30 {
        let weather = power_losses(seed);
        assert_eq!(weather.judge.violation, None, "seed {seed}");
        assert!(weather.judge.count("acknowledged") > 0, "seed {seed}");
        assert_eq!(weather.judge.count("recovered"), 45, "seed {seed}");
    }
}

#[test]
fn each_switch_alone_keeps_a_storm_harmless() {
    // Every switch of the configuration turned the other way, one at a time.
    let changes: [fn(&mut RaftConfig); 13] = [
        |c| c.pre_vote = false,
        |c| c.check_quorum = false,
        |c| c.leader_stickiness = false,
        |c| c.overlap_vote_write = true,
        |c| c.term_start_noop = true,
        |c| c.term_skip = false,
        |c| c.batch_delay = crate::SimDuration::from_millis(20),
        |c| c.eager_commit = true,
        |c| c.membership = MembershipMode::SingleServer,
        |c| c.catch_up_rounds = 0,
        |c| c.reads = ReadMode::Log,
        |c| c.reads = ReadMode::Lease,
        |c| c.follower_reads = true,
    ];
    for (seed, change) in (100..).zip(changes) {
        let mut config = storm_config();
        change(&mut config);
        for seed in (0..20).map(|k| seed + 100 * k) {
            let weather = storm(seed, config.clone(), ALL, 60);
            assert_eq!(weather.judge.violation, None, "seed {seed}");
            assert!(weather.judge.count("committed") > 0, "seed {seed}");
        }
    }
}
