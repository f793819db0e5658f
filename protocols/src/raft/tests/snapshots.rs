//! Snapshots and compaction (paper 7).

use super::desk::{Desk, Out, accepted, append, bare, with_log};
use super::weather::{FAIR, Weather};
use crate::peer::PeerId;
use crate::raft::{
    Chunk, Operation, Outcome, RaftConfig, RaftEvent, RaftMessage, RaftReply, RaftRequest, Role,
};

fn small() -> RaftConfig {
    RaftConfig {
        snapshot_keep: 0,
        chunk_bytes: 40,
        ..bare()
    }
}

/// A leader of three whose log is compacted up to entry 3; nobody hears of it but follower 1.
fn compacted() -> Desk {
    let mut desk = Desk::new(small(), with_log(3, &[], 0));
    desk.elect(&[1]);
    desk.put(1, 7);
    desk.put(2, 8);
    desk.sync();
    desk.hand(1, accepted(1, 1, 3));
    desk.ask(90, RaftRequest::TakeSnapshot);
    desk.sync();
    assert_eq!((desk.view().log_base, desk.view().commit), (3, 3));
    desk
}

fn chunk_of(out: &Out) -> Option<Chunk> {
    out.sent.iter().find_map(|(_, message)| match message {
        RaftMessage::InstallSnapshot { chunk } => Some((**chunk).clone()),
        _ => None,
    })
}

fn refused(prev_index: u64) -> RaftMessage {
    RaftMessage::AppendRefused {
        term: 1,
        round: 2,
        prev_index,
        hint_index: 0,
        hint_term: 0,
    }
}

/// All pieces of the snapshot on their way to follower 2, and the leader.
fn pieces() -> (Desk, Vec<Chunk>) {
    let mut desk = compacted();
    // The first append to follower 2 was lost; a heartbeat finds out.
    desk.fire(crate::raft::RaftTimer::Heartbeat);
    let mut out = desk.hand(2, refused(0));
    if chunk_of(&out).is_none() {
        out = desk.fire(crate::raft::RaftTimer::Heartbeat);
    }
    let mut chunks = vec![chunk_of(&out).expect("a first piece")];
    loop {
        let last = &chunks[chunks.len() - 1];
        let received = last.offset + last.bytes.len() as u64;
        let reply = RaftMessage::SnapshotReply {
            term: 1,
            round: 2,
            index: 3,
            received,
        };
        match chunk_of(&desk.hand(2, reply)) {
            Some(chunk) => chunks.push(chunk),
            None => break,
        }
    }
    (desk, chunks)
}

fn install(chunk: &Chunk) -> RaftMessage {
    let chunk = Box::new(chunk.clone());
    RaftMessage::InstallSnapshot { chunk }
}

#[test]
fn a_follower_behind_the_compacted_log_gets_the_snapshot_in_pieces_and_then_entries() {
    // No append meanwhile; an ordinary acknowledgement ends it.
    let (mut desk, chunks) = pieces();
    assert!(chunks.len() > 2, "{} pieces", chunks.len());
    assert!(desk.put(3, 9).sent.iter().all(|(to, _)| *to == 1));
    let out = desk.hand(2, accepted(1, 2, 3));
    assert!(matches!(
        out.sent[..],
        [(2, RaftMessage::Append { prev_index: 3, .. })]
    ));
}

#[test]
fn an_installed_snapshot_is_the_leaders_state_and_survives_a_crash() {
    // Store, sessions and configuration arrive; damage of none is allowed.
    let (leader, chunks) = pieces();
    let mut follower = Desk::new(small(), with_log(3, &[], 0));
    let mut out = Out::default();
    for chunk in &chunks {
        out = follower.hand(1, install(chunk));
    }
    let installed = |event: &RaftEvent| matches!(event, RaftEvent::SnapshotInstalled { .. });
    assert!(out.events.iter().any(installed));
    assert!(out.sent.is_empty(), "acknowledged before it was durable");
    assert_eq!(follower.sync().sent, [(1, accepted(1, chunks[0].round, 3))]);
    let state = |desk: &Desk| {
        desk.machine
            .as_server()
            .expect("a server")
            .machine()
            .clone()
    };
    assert_eq!(state(&follower), state(&leader));
    follower.crash(small(), 0);
    assert_eq!(state(&follower), state(&leader));
    assert_eq!(follower.view().configuration, leader.view().configuration);
}

#[test]
fn pieces_may_be_lost_doubled_and_out_of_order() {
    // Only the next missing byte counts.
    let (_, chunks) = pieces();
    let mut follower = Desk::new(small(), with_log(3, &[], 0));
    let received = |out: &Out| match out.sent[..] {
        [(1, RaftMessage::SnapshotReply { received, .. })] => received,
        _ => panic!("{out:?}"),
    };
    follower.hand(1, install(&chunks[0]));
    assert_eq!(received(&follower.hand(1, install(&chunks[2]))), 40);
    assert_eq!(received(&follower.hand(1, install(&chunks[0]))), 40);
    assert_eq!(received(&follower.hand(1, install(&chunks[1]))), 80);
}

#[test]
fn a_stale_snapshot_is_answered_with_what_is_committed() {
    let (_, chunks) = pieces();
    let mut follower = Desk::new(small(), with_log(3, &[1, 1, 1, 1], 4));
    let before = follower.view().log_terms;
    let out = follower.hand(1, install(&chunks[0]));
    assert_eq!(out.sent, [(1, accepted(1, chunks[0].round, 4))]);
    assert_eq!(follower.view().log_terms, before);
}

#[test]
fn a_snapshot_that_the_log_already_holds_only_moves_the_commit_index() {
    // Figure 13 step 6: the entries behind it stay.
    let (_, chunks) = pieces();
    let mut follower = Desk::new(small(), with_log(3, &[1, 1, 1, 1], 0));
    for chunk in &chunks {
        follower.hand(1, install(chunk));
    }
    assert_eq!((follower.view().commit, follower.view().last_index), (3, 4));
}

#[test]
fn a_snapshot_replaces_a_log_that_contradicts_it() {
    // The suffix goes too, it belongs to another history.
    let (_, chunks) = pieces();
    let mut initial = with_log(3, &[0, 0, 0, 0], 0);
    initial.term = 1;
    let mut follower = Desk::new(small(), initial);
    for chunk in &chunks {
        follower.hand(1, install(chunk));
    }
    let view = follower.view();
    assert_eq!((view.log_base, view.last_index, view.commit), (3, 3, 3));
}

#[test]
fn an_append_that_reaches_below_the_snapshot_is_taken_from_its_end_on() {
    // A delayed append from before the snapshot: its first entries are committed and gone.
    let (_, chunks) = pieces();
    let mut follower = Desk::new(small(), with_log(3, &[], 0));
    for chunk in &chunks {
        follower.hand(1, install(chunk));
    }
    follower.sync();
    follower.hand(1, append(1, (1, 1), &[1, 1, 1], 0));
    assert_eq!(follower.sync().sent, [(1, accepted(1, 1, 4))]);
}

#[test]
fn a_long_dead_follower_comes_back_through_a_snapshot() {
    // End to end, sessions included: a client's writes go on while server 2 is down.
    let config = RaftConfig {
        snapshot_every: 10,
        snapshot_keep: 0,
        chunk_bytes: 64,
        ..RaftConfig::default()
    };
    let mut weather = Weather::new(5, config, &[0, 1, 2], 3, 1);
    weather.climate = FAIR;
    weather.run(5_000);
    weather.crash(2, 20_000);
    for serial in 1..=40 {
        let value = serial.into();
        let id = weather.operate(3, serial, Operation::Append { key: 1, value });
        weather.run(400);
        let outcome = Outcome::Appended;
        if serial > 10 {
            assert_eq!(weather.replies.get(&id), Some(&RaftReply::Ok { outcome }));
        }
    }
    weather.run(12_000);
    assert!(weather.judge.count("snapshot-installed") > 0);
    let leader = (0..3).find(|slot| weather.server(*slot).role() == Role::Leader);
    let leader = weather.server(leader.expect("a leader"));
    assert_eq!(weather.server(2).machine(), leader.machine());
    assert!(leader.configuration().is_voter(PeerId(2)));
}
