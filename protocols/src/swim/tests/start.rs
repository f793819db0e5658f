//! Start, restart and what the disk remembers.

use super::*;
use crate::protocol::Stored;

fn disk(stored: Option<Stored<SwimRecord>>) -> Durable<SwimRecord> {
    let mut durable = Durable::default();
    durable.slots.extend(stored.map(|record| (0, record)));
    durable
}

fn restart(stored: Option<Stored<SwimRecord>>) -> Happened {
    let mut solo = Solo::<Published>::fresh(SwimConfig::lan(), &[1]);
    solo.input(|machine, ctx| machine.on_restart(disk(stored), ctx))
}

fn roster(peers: u32) -> Roster {
    let peer = |slot: u32| (PeerId(slot), format!("peer-{slot}").into(), keys(slot));
    Roster::sign((0..peers).map(peer))
}

fn with_roster(peers: u32) -> Solo {
    let config = SwimConfig {
        bootstrap: Bootstrap::Full,
        ..SwimConfig::lan()
    };
    let mut solo = Solo::fresh(config.clone(), &[]);
    let seeds = Arc::new([]);
    let config = Arc::new(config);
    solo.machine = Swim::with_roster(config, ME, "peer-0".into(), seeds, roster(peers));
    solo
}

#[test]
fn nothing_is_said_before_the_first_incarnation_is_durable() {
    // The start writes and nothing else, and what arrives meanwhile is not answered.
    let mut solo = Solo::<Published>::fresh(SwimConfig::lan(), &[1]);
    let happened = solo.input(|machine, ctx| machine.on_start(ctx));
    let wanted = Happened {
        written: vec![Incarnation::FIRST],
        ..Happened::default()
    };
    assert_eq!(happened, wanted);
    assert_eq!(solo.hand(1, &is_alive(1, nth(0))), Happened::default());
    let happened = solo.persisted(Incarnation::FIRST);
    let incarnation = Incarnation::FIRST;
    assert_eq!(happened.events, [SwimEvent::Announced { incarnation }]);
    let state = Box::new([Update::Alive(alive(0, incarnation))]);
    let question = SwimMessage::PushPullRequest { state };
    assert_eq!(happened.sent, [(PeerId(1), question)]);
}

#[test]
fn a_member_without_seeds_is_a_group_of_one() {
    // It must not wait for anybody.
    let mut solo = Solo::<Published>::fresh(SwimConfig::lan(), &[0]);
    let happened = solo.start();
    assert!(happened.events.contains(&SwimEvent::Joined { members: 1 }));
    assert_eq!(happened.sent, []);
}

#[test]
fn a_restart_comes_back_above_what_the_disk_remembers() {
    // Intact: the next generation. Nothing or damaged: the first, and damage is reported.
    let stored = Stored::Intact(SwimRecord {
        incarnation: nth(9),
    });
    assert_eq!(restart(Some(stored)).written, [Incarnation(2 << 32)]);
    assert_eq!(restart(None).written, [Incarnation::FIRST]);
    let damaged = restart(Some(Stored::Damaged));
    assert_eq!(damaged.written, [Incarnation::FIRST]);
    assert_eq!(damaged.events, refused(Refusal::DamagedRecord).events);
    let last = Stored::Intact(SwimRecord {
        incarnation: Incarnation(u64::MAX),
    });
    assert_eq!(restart(Some(last)), refused(Refusal::IncarnationsExhausted));
}

#[test]
fn a_roster_makes_everyone_known_without_a_word() {
    // Nothing is sent and nothing queued: everyone has the same roster.
    let mut solo = with_roster(100);
    let happened = solo.start();
    let incarnation = Incarnation::FIRST;
    let wanted = [
        SwimEvent::Announced { incarnation },
        SwimEvent::Joined { members: 100 },
    ];
    assert_eq!(happened.events, wanted);
    assert_eq!(happened.sent, []);
    assert!(solo.machine.queue.is_empty());
    let probed: std::collections::BTreeSet<u32> = (0..99)
        .map(|_| {
            solo.machine.probe = None;
            solo.fire(SwimTimer::Period).sent_to()[0]
        })
        .collect();
    assert_eq!(probed, (1..100).collect());
}

#[test]
fn a_roster_is_shared_until_somebody_changes() {
    // One change copies one page of 64, not the table: at 5,000 members each holds a roster.
    let mut solo = with_roster(200);
    solo.start();
    assert_eq!(solo.machine.members.own_pages(), 0);
    solo.hand(2, &is_alive(70, nth(1)));
    assert_eq!(solo.view_of(70), Some((Status::Alive, nth(1))));
    assert_eq!(solo.view_of(71), Some((Status::Alive, nth(0))));
    assert_eq!(solo.machine.members.own_pages(), 1);
    let mut other = with_roster(200);
    other.machine.roster.clone_from(&solo.machine.roster);
    other.start();
    assert_eq!(other.view_of(70), Some((Status::Alive, nth(0))));
    solo.hand(2, &is_alive(300, nth(0)));
    assert_eq!(solo.view_of(300), Some((Status::Alive, nth(0))));
    assert_eq!(solo.view_of(199), Some((Status::Alive, nth(0))));
    assert_eq!(solo.machine.members.own_pages(), 2);
}

#[test]
fn addresses_that_end_alike_are_told_apart_by_key() {
    // Each of these ends like member 2's in one size or another of the table that is looked at first.
    let mut solo = with_roster(200);
    solo.start();
    let alike: Vec<u32> = (6..16).map(|bits| 2 + (1 << bits)).collect();
    for &slot in &alike {
        solo.hand(3, &is_alive(slot, nth(0)));
    }
    for slot in alike.into_iter().chain([2]) {
        assert_ne!(solo.view_of(slot), Some((Status::Alive, nth(1))));
        solo.hand(3, &is_alive(slot, nth(1)));
        assert_eq!(solo.view_of(slot), Some((Status::Alive, nth(1))), "{slot}");
    }
    assert_eq!(solo.view_of(3), Some((Status::Alive, nth(0))));
}

#[test]
fn who_comes_back_to_a_roster_asks_random_members_of_it() {
    // Without seeds it would otherwise wait for the next exchange to hear what it missed.
    let mut solo = with_roster(20);
    let stored = Stored::Intact(SwimRecord {
        incarnation: nth(0),
    });
    let durable = disk(Some(stored));
    solo.input(|machine, ctx| machine.on_restart(durable, ctx));
    let happened = solo.persisted(Incarnation(2 << 32));
    assert_eq!(happened.sent.len(), 3);
    let asks = |message: &SwimMessage| matches!(message, SwimMessage::PushPullRequest { .. });
    assert!(happened.sent.iter().all(|(_, message)| asks(message)));
}
