//! Replication (paper figures 7 and 8).

use super::desk::{Desk, Out, accepted, append, bare, with_log};
use super::weather::{FAIR, Weather};
use crate::peer::PeerId;
use crate::raft::{
    Operation, Paper, Raft, RaftConfig, RaftEvent, RaftMessage, RaftPeer, RaftReply, RaftRequest,
    RaftTimer, Role, Rules,
};
use crate::tabletop::Tabletop;
use crate::time::SimDuration;

/// The index that a follower acknowledged once everything was on disk.
fn acknowledged(out: &Out) -> Option<u64> {
    out.sent.iter().find_map(|(_, message)| match message {
        RaftMessage::AppendAccepted { index, .. } => Some(*index),
        _ => None,
    })
}

#[test]
fn an_append_is_accepted_only_behind_a_matching_entry() {
    // Log (1,1), (2,2), commit 1; (prev index, prev term, accepted).
    let cases = [
        (0, 0, true),
        (1, 1, true),
        (2, 2, true),
        (2, 1, false),
        (3, 3, false),
    ];
    for (prev_index, prev_term, fits) in cases {
        let mut desk = Desk::new(bare(), with_log(3, &[1, 2], 1));
        let mut out = desk.hand(1, append(3, (prev_index, prev_term), &[], 1));
        if acknowledged(&out).is_none() {
            out.sent.extend(desk.sync().sent);
        }
        assert_eq!(
            acknowledged(&out).is_some(),
            fits,
            "({prev_index}, {prev_term})"
        );
    }
}

#[test]
fn a_refusal_says_where_the_logs_may_agree() {
    // The whole outbox of an append behind entry 3, which is not there.
    let mut desk = Desk::new(bare(), with_log(3, &[1, 2], 1));
    desk.hand(1, append(3, (2, 2), &[], 1));
    let out = desk.hand(1, append(3, (3, 3), &[], 1));
    assert_eq!(out.order, ["set Election", "send append-refused to p1"]);
    let refused = RaftMessage::AppendRefused {
        term: 3,
        round: 1,
        prev_index: 3,
        hint_index: 2,
        hint_term: 2,
    };
    assert_eq!(out.sent, [(1, refused)]);
}

#[test]
fn an_uncommitted_entry_of_a_newer_term_is_overwritten() {
    // Servers 0 and 1 hold (1,1), server 2 holds (1,2), 3 and 4 voted for it in term 2. Server 0
    // stands alone: it fails in term 2, wins term 3, and all end with (1,1), (2,3).
    let states: [(u64, Option<u32>, &[u64]); 5] = [
        (1, None, &[1]),
        (1, None, &[1]),
        (2, Some(2), &[2]),
        (2, Some(2), &[]),
        (2, Some(2), &[]),
    ];
    let machines = states.iter().zip(0..).map(|((term, vote, log), slot)| {
        let mut initial = with_log(5, log, 0);
        (initial.term, initial.vote) = (*term, vote.map(PeerId));
        let timeout = SimDuration::from_secs(if slot == 0 { 1 } else { 1_000 });
        let config = RaftConfig {
            election_timeout_min: timeout,
            election_timeout_max: timeout,
            ..bare()
        };
        Raft::<Paper>::from_state(PeerId(slot), std::sync::Arc::new(config), initial).into()
    });
    let delay = SimDuration::from_millis(10);
    let mut table: Tabletop<RaftPeer> = Tabletop::new(1, delay, machines.collect());
    table.start_all();
    let view = |table: &Tabletop<RaftPeer>, slot| {
        let server = table.machine(PeerId(slot)).as_server();
        server.expect("a server").view()
    };
    table.run_for(SimDuration::from_millis(1_500));
    assert_eq!(
        (view(&table, 0).role, view(&table, 0).term),
        (Role::Follower, 2)
    );
    table.run_for(SimDuration::from_millis(5_000));
    assert_eq!(
        (view(&table, 0).role, view(&table, 0).term),
        (Role::Leader, 3)
    );
    for slot in 0..5 {
        assert_eq!(view(&table, slot).log_terms, [1, 3], "server {slot}");
    }
}

#[test]
fn only_a_conflict_cuts_the_log() {
    // (prev, terms appended, terms afterwards); the third is a stale append that matches.
    let cases = [
        ((2, 2), &[3][..], &[1, 2, 3][..]),
        ((1, 1), &[3, 4], &[1, 3, 4]),
        ((0, 0), &[1], &[1, 2]),
        ((0, 0), &[3], &[3]),
    ];
    for (prev, new, after) in cases {
        let mut desk = Desk::new(bare(), with_log(3, &[1, 2], 0));
        desk.hand(1, append(4, prev, new, 0));
        assert_eq!(desk.view().log_terms, after);
    }
}

#[test]
fn a_mutant_that_cuts_on_every_append_loses_what_it_acknowledged() {
    // The canary of the test above.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct CutsAlways;
    impl Rules for CutsAlways {
        fn may_truncate(_: u64, _: u64) -> bool {
            true
        }
    }
    let mut desk = Desk::<CutsAlways>::with_rules(bare(), with_log(3, &[1, 2], 0));
    desk.hand(1, append(4, (0, 0), &[1], 0));
    assert_eq!(desk.view().log_terms, [1]);
}

#[test]
fn a_follower_commits_no_further_than_the_request_verified() {
    // Paper figure 2, AppendEntries 5: entry 2 is another leader's and may be overwritten.
    let mut desk = Desk::new(bare(), with_log(3, &[1, 1], 0));
    desk.hand(1, append(2, (1, 1), &[], 2));
    assert_eq!(desk.view().commit, 1);
}

#[test]
fn a_follower_writes_then_acknowledges() {
    // Paper figure 2: the whole outbox of an append, and of its completion.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    let out = desk.hand(1, append(1, (0, 0), &[1, 1], 1));
    let order = [
        "became-follower",
        "set Election",
        "appended",
        "appended",
        "persist",
        "committed",
    ];
    assert_eq!(out.order, order);
    let out = desk.sync();
    assert_eq!(out.order, ["send append-accepted to p1", "durable"]);
    assert_eq!(out.sent, [(1, accepted(1, 1, 2))]);
}

#[test]
fn a_refused_leader_steps_back_by_whole_terms() {
    // Leader 1,2,2,4,4,4,4 (and its no-op) against 1,2,2,3 x 8: hint (7,3), next probe (3,2).
    let mut desk = Desk::new(bare(), with_log(3, &[1, 2, 2, 4, 4, 4, 4], 0));
    desk.elect(&[1]);
    let refused = RaftMessage::AppendRefused {
        term: 5,
        round: 1,
        prev_index: 7,
        hint_index: 7,
        hint_term: 3,
    };
    let out = desk.hand(2, refused);
    assert!(matches!(
        out.sent[..],
        [(
            2,
            RaftMessage::Append {
                prev_index: 3,
                prev_term: 2,
                ..
            }
        )]
    ));
}

/// The logs of a cluster that began with these, after a minute, and how many appends were refused.
fn converge(logs: &[&[u64]], config: RaftConfig) -> (Vec<Vec<u64>>, u64) {
    let machines = logs.iter().zip(0..).map(|(terms, slot)| {
        let initial = with_log(logs.len() as u32, terms, 0);
        let config = std::sync::Arc::new(config.clone());
        Raft::<Paper>::from_state(PeerId(slot), config, initial).into()
    });
    let delay = SimDuration::from_millis(10);
    let mut table: Tabletop<RaftPeer> = Tabletop::new(3, delay, machines.collect());
    table.start_all();
    table.run_for(SimDuration::from_secs(60));
    let terms = (0..logs.len() as u32).map(|slot| {
        let server = table.machine(PeerId(slot)).as_server().expect("a server");
        server.view().log_terms
    });
    let refused = table.sent.get("append-refused").copied().unwrap_or(0);
    (terms.collect(), refused)
}

#[test]
fn the_logs_of_figure_7_converge() {
    // Whoever wins, all logs end equal and hold the committed prefix 1,1,1,4,4,5,5,6,6.
    let logs: [&[u64]; 7] = [
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6],
        &[1, 1, 1, 4],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
        &[1, 1, 1, 4, 4, 4, 4],
        &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    let (skipping, few) = converge(&logs, RaftConfig::default());
    assert!(
        skipping.iter().all(|log| *log == skipping[0]),
        "{skipping:?}"
    );
    assert_eq!(skipping[0][..9], [1, 1, 1, 4, 4, 5, 5, 6, 6]);
    let one_by_one = RaftConfig {
        term_skip: false,
        ..RaftConfig::default()
    };
    let (stepping, many) = converge(&logs, one_by_one);
    assert!(
        stepping.iter().all(|log| *log == stepping[0]),
        "{stepping:?}"
    );
    assert!(
        few < many,
        "skipping terms took {few} refusals, stepping {many}"
    );
}

#[test]
fn an_entry_of_an_older_term_commits_only_under_one_of_this_term() {
    // Figure 8: a majority holds (2, term 2), the leader is in term 4.
    let mut desk = Desk::new(bare(), with_log(5, &[1, 2], 1));
    desk.hand(3, append(3, (2, 2), &[], 1));
    desk.elect(&[1, 2]);
    desk.sync();
    desk.hand(1, accepted(4, 1, 2));
    desk.hand(2, accepted(4, 1, 2));
    assert_eq!(desk.view().commit, 1);
    desk.hand(1, accepted(4, 1, 3));
    let out = desk.hand(2, accepted(4, 1, 3));
    assert_eq!(desk.view().commit, 3);
    let committed = |event: &RaftEvent| matches!(event, RaftEvent::Committed { first: 2, .. });
    assert!(out.events.iter().any(committed));
}

#[test]
fn the_mutant_of_figure_8_commits_by_counting_an_older_term() {
    // The canary of the test above: the entry could still be overwritten by the leader of term 3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct CommitsOldTerms;
    impl Rules for CommitsOldTerms {
        fn may_commit(_: u64, _: u64) -> bool {
            true
        }
    }
    let mut desk = Desk::<CommitsOldTerms>::with_rules(bare(), with_log(5, &[1, 2], 1));
    desk.elect(&[1, 2]);
    desk.sync();
    desk.hand(1, accepted(3, 1, 2));
    desk.hand(2, accepted(3, 1, 2));
    assert_eq!(desk.view().commit, 2);
}

#[test]
fn steady_replication_costs_one_append_and_one_answer_a_follower() {
    // n-1 appends and n-1 answers per batch, nothing hidden; heartbeats are counted apart.
    let machines = (0..5).map(|slot| {
        let initial = with_log(5, &[], 0);
        let config = std::sync::Arc::new(RaftConfig::default());
        Raft::<Paper>::from_state(PeerId(slot), config, initial).into()
    });
    let delay = SimDuration::from_millis(1);
    let mut table: Tabletop<RaftPeer> = Tabletop::new(1, delay, machines.collect());
    table.start_all();
    table.run_for(SimDuration::from_secs(5));
    let is_leader = |slot: &u32| {
        let server = table.machine(PeerId(*slot)).as_server().expect("a server");
        server.role() == Role::Leader
    };
    let leader = PeerId((0..5).find(is_leader).expect("a leader"));
    // Right behind a heartbeat, so that none falls among the messages counted.
    let sent = |table: &Tabletop<RaftPeer>, kind| table.sent.get(kind).copied().unwrap_or(0);
    let beats = sent(&table, "heartbeat");
    while sent(&table, "heartbeat") == beats {
        table.run_for(SimDuration::from_millis(1));
    }
    table.run_for(SimDuration::from_millis(5));
    let before = table.sent.clone();
    for id in 0..10 {
        let operation = Operation::Write {
            key: id,
            value: id.into(),
        };
        let request = RaftRequest::Operate { operation };
        table.request(leader, crate::RequestId(id), request);
        table.run_for(SimDuration::from_millis(3));
    }
    let after = table.sent.clone();
    let more: Vec<(&str, u64)> = after
        .into_iter()
        .map(|(kind, count)| (kind, count - before.get(kind).copied().unwrap_or(0)))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(more, [("append-accepted", 40), ("append-entries", 40)]);
    assert_eq!(table.replies.len(), 10);
}

#[test]
fn sending_stops_at_the_window_and_a_loss_is_sent_again_at_a_heartbeat() {
    // Window 2; nothing is acknowledged, the second heartbeat finds the first append stale.
    let config = RaftConfig {
        window: 2,
        ..bare()
    };
    let mut desk = Desk::new(config, with_log(2, &[], 0));
    desk.elect(&[1]);
    desk.sync();
    desk.hand(1, accepted(1, 1, 1));
    let sends = |out: &Out| out.sent.len();
    assert_eq!(sends(&desk.put(1, 0)), 1);
    assert_eq!(sends(&desk.put(2, 0)), 1);
    assert_eq!(sends(&desk.put(3, 0)), 0);
    let heartbeat = desk.fire(RaftTimer::Heartbeat);
    assert!(matches!(
        heartbeat.sent[..],
        [(1, RaftMessage::Append { prev_index: 1, .. })]
    ));
    let again = desk.fire(RaftTimer::Heartbeat);
    let [(1, RaftMessage::Append { entries, .. })] = &again.sent[..] else {
        panic!("{again:?}");
    };
    assert_eq!(entries.as_slice().len(), 3);
}

#[test]
fn proposals_share_an_append_when_they_may_wait() {
    // Dissertation 10.2.2: three proposals, one append a follower, one write.
    let config = RaftConfig {
        batch_delay: SimDuration::from_millis(1),
        ..bare()
    };
    let mut desk = Desk::new(config, with_log(3, &[], 0));
    desk.elect(&[1]);
    desk.sync();
    desk.hand(1, accepted(1, 1, 1));
    desk.hand(2, accepted(1, 1, 1));
    for id in 0..3 {
        assert!(desk.put(id, 0).sent.is_empty());
    }
    let out = desk.fire(RaftTimer::Batch);
    assert_eq!(out.sent.len(), 2);
    assert_eq!(desk.writing.len(), 1);
}

#[test]
fn too_much_uncommitted_refuses_proposals_but_not_the_leaders_own_entry() {
    // The no-op of a new leader is not subject to the limit.
    let config = RaftConfig {
        uncommitted_limit: 2,
        ..bare()
    };
    let mut desk = Desk::new(config, with_log(3, &[1, 1], 0));
    desk.elect(&[1]);
    assert_eq!(desk.view().last_index, 3);
    let reason = "busy";
    assert_eq!(desk.put(1, 0).replies, [RaftReply::Fail { reason }]);
}

#[test]
fn a_lost_acknowledgement_delays_the_commit_by_heartbeats_only() {
    // The follower's answer and the commit message are lost; after the link heals the follower
    // knows the commit within two heartbeats and a round trip.
    let config = RaftConfig::default();
    let mut weather = Weather::new(4, config, &[0, 1, 2], 3, 0);
    weather.climate = FAIR;
    weather.run(10_000);
    let leader = (0..3).find(|slot| weather.server(*slot).role() == Role::Leader);
    let leader = leader.expect("a leader");
    let follower = (leader + 1) % 3;
    weather.side[follower as usize] = 1;
    let operation = Operation::Write {
        key: 1,
        value: 1.into(),
    };
    weather.ask(leader, RaftRequest::Operate { operation });
    weather.run(500);
    assert!(weather.server(follower).commit() < weather.server(leader).commit());
    weather.side[follower as usize] = 0;
    weather.run(2 * 200 + 4 * 30);
    weather.run(200);
    assert_eq!(
        weather.server(follower).commit(),
        weather.server(leader).commit()
    );
}
