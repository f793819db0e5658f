//! The same run whatever runs it: threads, windows, samples, recording.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fedsim_protocols::{Probability, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{DiskSpec, Fault, Partition, Reorder};

use super::chatter::{Chat, Diary};
use super::{fault, one, scenario};
use crate::engine::{MessageFate, MessageTrace, Options, Outcome, run};
use crate::time::SimTime;

/// Everything at once: loss, duplicates, reordering, slow disks, cuts, crashes, pauses.
fn storm(peers: u32) -> Scenario {
    let mut storm = scenario(peers, 4);
    let link = &mut storm.network.link;
    link.loss = Probability::from_f64(0.05).unwrap();
    link.duplicate = Probability::from_f64(0.05).unwrap();
    link.reorder = Some(Reorder {
        chance: Probability::from_f64(0.2).unwrap(),
        by: SimDuration::from_millis(40),
    });
    storm.network.disk = DiskSpec {
        fsync_low: SimDuration::from_millis(1),
        fsync_high: SimDuration::from_millis(9),
        torn: Probability::from_f64(0.5).unwrap(),
        corrupt: Probability::from_f64(0.01).unwrap(),
    };
    storm.network.cpu.per_message = SimDuration::from_micros(300);
    storm.faults = vec![
        fault(700, 900, Fault::Partition(Partition::Halves)),
        fault(1_111, 300, Fault::Crash(one(1))),
        fault(1_500, 800, Fault::Pause(one(2))),
        fault(2_000, 100, Fault::Wipe(one(3))),
        fault(
            2_500,
            100,
            Fault::ClockJump {
                peers: one(0),
                by_nanos: -7_000_000,
            },
        ),
        fault(
            3_000,
            100,
            Fault::Request {
                peers: one(4),
                request: "17".to_owned(),
            },
        ),
    ];
    storm
}

fn outcome(scenario: &Scenario, options: &Options, diary: &mut Diary) -> Outcome {
    let cast = Arc::new(Chat {
        peers: scenario.peers.len() as u64,
        panics_at: None,
    });
    run(scenario, &cast, options, diary).expect("nobody panics")
}

#[test]
fn threads_windows_samples_and_recording_change_nothing() {
    // The digest covers every event at every peer, and the diaries are compared line by line, so
    // a difference in order, time or draw cannot hide.
    let storm = storm(12);
    let mut reference = Diary::default();
    let expected = outcome(&storm, &Options::default(), &mut reference);
    assert!(
        reference.lines.len() > 1_000,
        "a run with nothing in it proves nothing"
    );
    let often = Some(SimDuration::from_nanos(7_654_321));
    let mut messages = None;
    for (threads, window_divisor, sample_every) in [
        (1, 3, None),
        (1, 1, often),
        (2, 1, None),
        (2, 3, often),
        (5, 1, often),
    ] {
        let options = Options {
            threads,
            window_divisor,
            sample_every,
            trace: Some(SimTime::ZERO..SimTime::from_nanos(1_234_567_890)),
            messages: true,
            ..Options::default()
        };
        let mut diary = Diary::default();
        let got = outcome(&storm, &options, &mut diary);
        assert_eq!(got.digest, expected.digest, "{options:?}");
        assert_eq!(diary.lines, reference.lines, "{options:?}");
        assert_eq!(diary.samples > 0, sample_every.is_some());
        let totals = [&got, &expected].map(|run| run.counters.grand_total());
        assert_eq!(totals[0], totals[1]);
        assert_eq!(got.tallies, expected.tallies);
        let told = std::mem::take(&mut diary.messages);
        let total = totals[1];
        assert_eq!(told.len() as u64, total.sent + total.duplicated);
        assert_eq!(messages.get_or_insert_with(|| told.clone()), &told);
    }
    assert!(reference.messages.is_empty(), "nobody asked for them");
    assert!(reference.sent.is_empty() && reference.received.is_empty());
}

#[test]
fn every_message_is_told_where_it_leaves_and_where_it_is_taken_up() {
    // The ledger knows each message from the other side of the code: what was told at sending must
    // be just its list, and whoever takes a message up must have been sent it before.
    let storm = storm(8);
    let mut diary = Diary::default();
    let options = Options {
        messages: true,
        ..Options::default()
    };
    outcome(&storm, &options, &mut diary);
    let row = |message: &MessageTrace| (message.sent, message.from, message.seq, message.to);
    let sent: BTreeSet<_> = diary.messages.iter().map(row).collect();
    let told = diary.sent.iter().filter(|(_, from, _, to)| from != to);
    assert_eq!(told.copied().collect::<BTreeSet<_>>(), sent);
    let bag: BTreeMap<_, _> = diary
        .sent
        .iter()
        .map(|&(at, from, seq, to)| ((from, seq, to), at))
        .collect();
    for &(at, to, seq, from) in &diary.received {
        assert!(
            bag[&(from, seq, to)] <= at,
            "{to} got {seq} before {from} sent it"
        );
    }
    let total = diary
        .messages
        .iter()
        .filter(|it| matches!(it.fate, MessageFate::Delivered(_)));
    assert!(
        diary.received.len() > total.count() / 2,
        "most are taken up"
    );
}

#[test]
fn another_seed_is_another_run() {
    // Otherwise equal digests would prove nothing.
    let mut storm = storm(6);
    let first = outcome(&storm, &Options::default(), &mut Diary::default());
    storm.seed += 1;
    let second = outcome(&storm, &Options::default(), &mut Diary::default());
    assert_ne!(first.digest, second.digest);
}

#[test]
fn every_message_is_accounted_for() {
    // The last second is quiet (nobody passes anything on past its end), so what was sent must
    // have been delivered, dropped with a reason, or still be under way when the run ends.
    let storm = storm(8);
    let mut diary = Diary::default();
    let run = outcome(&storm, &Options::default(), &mut diary);
    let total = run.counters.grand_total();
    let arrived = total.delivered + total.dropped();
    let sent = total.sent + total.duplicated;
    assert!(arrived <= sent && sent - arrived < 100, "{total:?}");
    assert!(total.lost > 0 && total.cut > 0 && total.down > 0 && total.duplicated > 0);
    let by_kind = [0, 1].map(|kind| run.counters.total(kind).sent);
    assert_eq!(by_kind.iter().sum::<u64>(), total.sent);
}

#[test]
fn an_early_stop_acts_one_lookahead_after_its_cause() {
    // The end of the run must be the cause plus the lookahead to the nanosecond, on any threads
    // and windows; ending at a window's edge would not be.
    let calm = scenario(9, 30);
    for (threads, window_divisor) in [(1, 1), (1, 3), (3, 1), (2, 7)] {
        let options = Options {
            threads,
            window_divisor,
            ..Options::default()
        };
        let mut diary = Diary {
            until: Some(500),
            ..Diary::default()
        };
        let run = outcome(&calm, &options, &mut diary);
        let cause = diary.lines[499].0;
        assert_eq!(run.ended_at, cause + SimDuration::from_millis(10));
        assert!(diary.lines.iter().all(|line| line.0 < run.ended_at));
    }
}

#[test]
fn a_panic_is_reported_with_its_time_and_peer_the_earliest_first() {
    // Whoever panics first in virtual time is named, whichever thread noticed first.
    let calm = scenario(10, 30);
    let cast = Arc::new(Chat {
        peers: 10,
        panics_at: Some(500),
    });
    let reports: Vec<_> = [1, 2, 4]
        .map(|threads| {
            let options = Options {
                threads,
                ..Options::default()
            };
            run(&calm, &cast, &options, &mut ()).expect_err("somebody says 500")
        })
        .into();
    assert!(reports[0].message.contains("the forbidden word"));
    assert!(reports.iter().all(|report| *report == reports[0]));
}
