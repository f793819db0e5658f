//! Disk and processor: what waits for them, and what dies with a crash.

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use fedsim_protocols::{
    Context, Durable, Event, Message, PeerId, PersistToken, Protocol, SimDuration, Write,
    fold_enum, fold_struct,
};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{DiskSpec, Fault, Partition};

use super::chatter::Diary;
use super::{constant, fault, one};
use crate::engine::{Cast, Options, run};

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
struct Note {
    text: u64,
}
fold_struct!(Note { text });

impl Message for Note {
    const KINDS: &'static [&'static str] = &["note"];

    fn kind(&self) -> usize {
        0
    }
}

#[derive(Clone, Debug)]
enum Told {
    Got { text: u64 },
    Durable {},
    Found { records: u64 },
}
fold_enum!(Told { 0 = Got { text }, 1 = Durable {}, 2 = Found { records } });

impl Event for Told {
    fn name(&self) -> &'static str {
        "told"
    }
}

/// Peer 0 writes at one second: note 1 before the write, note 2 after it, note 3 behind a second
/// write. Peer 1 reports what arrives.
struct Writer;

impl Protocol for Writer {
    type Message = Note;
    type Timer = ();
    type Record = u64;
    type Event = Told;
    type Request = ();
    type Reply = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        if ctx.me() == PeerId(0) {
            ctx.set_timer((), SimDuration::from_secs(1));
        }
    }

    fn on_restart(&mut self, durable: Durable<u64>, ctx: &mut Context<'_, Self>) {
        let records = durable.log.len() as u64;
        ctx.notify(Told::Found { records });
    }

    fn on_message(&mut self, _: PeerId, note: &Note, ctx: &mut Context<'_, Self>) {
        ctx.notify(Told::Got { text: note.text });
    }

    fn on_timer(&mut self, (): (), ctx: &mut Context<'_, Self>) {
        let append = |index| vec![Write::Append { index, record: 9 }];
        ctx.send(PeerId(1), Note { text: 1 });
        ctx.persist(PersistToken(0), append(0));
        ctx.send(PeerId(1), Note { text: 2 });
        ctx.persist(PersistToken(1), append(1));
        ctx.send(PeerId(1), Note { text: 3 });
    }

    fn on_persisted(&mut self, _: PersistToken, ctx: &mut Context<'_, Self>) {
        ctx.notify(Told::Durable {});
    }
}

struct Writers;

impl Cast for Writers {
    type Machine = Writer;

    fn machine(&self, _: PeerId) -> Writer {
        Writer
    }

    fn protocol(&self) -> &'static str {
        "writers"
    }
}

fn diary(scenario: &Scenario) -> Diary {
    let mut diary = Diary::default();
    run(
        scenario,
        &Arc::new(Writers),
        &Options::default(),
        &mut diary,
    )
    .expect("nobody panics");
    diary
}

/// Links of exactly 10 ms, every write durable after exactly 30 ms.
fn slow_disks() -> Scenario {
    let mut scenario = constant(2, 3, 10);
    scenario.network.disk = DiskSpec {
        fsync_low: SimDuration::from_millis(30),
        fsync_high: SimDuration::from_millis(30),
        ..DiskSpec::default()
    };
    scenario
}

fn millis(diary: &Diary, text: &str) -> Vec<u64> {
    let times = diary.times(text).into_iter();
    times.map(|time| time.as_nanos() / 1_000_000).collect()
}

#[test]
fn what_is_sent_after_a_write_leaves_when_the_write_is_durable() {
    // 1,000 + 10; both writes are durable at 1,030, so notes 2 and 3 arrive at 1,040.
    let diary = diary(&slow_disks());
    assert_eq!(millis(&diary, "text: 1"), [1_010]);
    assert_eq!(millis(&diary, "text: 2"), [1_040]);
    assert_eq!(millis(&diary, "text: 3"), [1_040]);
    assert_eq!(millis(&diary, "Durable"), [1_030, 1_030]);
}

#[test]
fn a_crash_loses_unsynced_writes_and_the_sends_behind_them() {
    // The crash comes after the timer and before durability: only note 1 left, nothing is kept.
    let mut scenario = slow_disks();
    scenario.faults = vec![fault(1_020, 500, Fault::Crash(one(0)))];
    let diary = diary(&scenario);
    assert_eq!(millis(&diary, "text: 1"), [1_010]);
    assert!(diary.times("text: 2").is_empty() && diary.times("text: 3").is_empty());
    assert!(diary.times("Durable").is_empty());
    assert_eq!(millis(&diary, "Found { records: 0 }"), [1_520]);
}

#[test]
fn a_crash_after_durability_keeps_what_was_written() {
    let mut scenario = slow_disks();
    scenario.faults = vec![fault(1_035, 500, Fault::Crash(one(0)))];
    assert_eq!(millis(&diary(&scenario), "Found { records: 2 }"), [1_535]);
}

#[test]
fn work_delays_what_leaves_and_what_comes_next() {
    // Each message takes peer 1 a millisecond: three notes that arrive together are handled one
    // after the other, the first at once.
    let mut scenario = constant(2, 3, 10);
    scenario.network.cpu.per_message = SimDuration::from_millis(1);
    let diary = diary(&scenario);
    let got: Vec<u64> = millis(&diary, "Got");
    assert_eq!(got, [1_010, 1_011, 1_012]);
}

#[test]
fn a_cut_takes_what_is_under_way() {
    // Sent at 1,000 on an open link; cut from 1,005 to 1,025: nothing of it may arrive at 1,010.
    let mut scenario = constant(2, 3, 10);
    let sides = vec![vec![PeerId(0)], vec![PeerId(1)]];
    scenario.faults = vec![fault(1_005, 20, Fault::Partition(Partition::Sides(sides)))];
    let mut diary = Diary::default();
    let options = Options::default();
    let run = run(&scenario, &Arc::new(Writers), &options, &mut diary).expect("nobody panics");
    assert!(diary.times("Got").is_empty());
    assert_eq!(run.counters.grand_total().cut, 3);
    assert!(run.tallies[0].took_effect());
}

#[test]
fn timers_run_by_the_peers_own_clock() {
    // A clock that runs 25% fast reaches its second after 800 true milliseconds.
    let mut scenario = constant(2, 3, 10);
    scenario.network.clock.drift_ppm = 250_000;
    assert_eq!(millis(&diary(&scenario), "text: 1"), [810]);
}
