//! Clients: finding the leader, retries, sessions (dissertation 6).

use super::weather::{FAIR, Weather};
use crate::peer::PeerId;
use crate::raft::{Operation, Outcome, RaftConfig, RaftReply, RaftRequest, ReadMode, Role, Value};

fn cluster(config: RaftConfig, clients: u32) -> Weather {
    let mut weather = Weather::new(21, config, &[0, 1, 2], 3, clients);
    weather.climate = FAIR;
    weather.run(5_000);
    weather
}

fn append(text: &str) -> Operation {
    let value = text.into();
    Operation::Append { key: 1, value }
}

fn held(weather: &Weather, slot: u32) -> Option<Value> {
    weather.server(slot).machine().store.get(1).cloned()
}

#[test]
fn a_client_that_knows_nobody_is_led_to_the_leader() {
    // Paper 8: redirected by followers, answered by the leader.
    let mut weather = cluster(RaftConfig::default(), 1);
    let id = weather.operate(3, 1, append("a"));
    weather.run(1_000);
    let outcome = Outcome::Appended;
    assert_eq!(weather.replies.get(&id), Some(&RaftReply::Ok { outcome }));
    assert!(weather.client(3).session().is_some());
}

#[test]
fn operations_run_once_although_most_messages_are_lost_for_a_while() {
    // Six of ten messages are lost and all others doubled; retries must not append twice.
    let mut weather = cluster(RaftConfig::default(), 1);
    weather.operate(3, 1, append("a"));
    weather.run(1_000);
    weather.climate.doubled = 1_000;
    weather.climate.loss = 600;
    for serial in 2..=9 {
        weather.operate(3, serial, append("b"));
        weather.run(8_000);
    }
    weather.climate = FAIR;
    weather.run(10_000);
    let leader = (0..3).find(|slot| weather.server(*slot).role() == Role::Leader);
    let text = held(&weather, leader.expect("a leader"))
        .expect("written")
        .to_string();
    let answered = weather.replies.values();
    let answered = answered
        .filter(|reply| matches!(reply, RaftReply::Ok { .. }))
        .count();
    assert!(
        text.len() >= answered && text.len() <= 9,
        "{text}, {answered} answered"
    );
    assert_eq!(weather.judge.violation, None);
}

#[test]
fn an_expired_session_is_an_unknown_outcome_and_not_a_second_execution() {
    // Room for one session; the second client's registration closes the first one's.
    let config = RaftConfig {
        session_limit: 1,
        ..RaftConfig::default()
    };
    let mut weather = cluster(config, 2);
    weather.operate(3, 1, append("a"));
    weather.run(2_000);
    weather.operate(4, 1, append("b"));
    weather.run(2_000);
    let id = weather.operate(3, 2, append("c"));
    weather.run(2_000);
    let reason = "expired-session";
    assert_eq!(
        weather.replies.get(&id),
        Some(&RaftReply::Unknown { reason })
    );
    let leader = (0..3).find(|slot| weather.server(*slot).role() == Role::Leader);
    assert_eq!(held(&weather, leader.expect("a leader")), Some("ab".into()));
    // It opens another session by itself.
    let id = weather.operate(3, 3, append("d"));
    weather.run(2_000);
    let outcome = Outcome::Appended;
    assert_eq!(weather.replies.get(&id), Some(&RaftReply::Ok { outcome }));
}

#[test]
fn a_client_without_a_cluster_gives_up_honestly() {
    // A write that was sent may run yet; one that never was, or a read, has failed.
    let mut weather = cluster(RaftConfig::default(), 1);
    weather.operate(3, 1, append("a"));
    weather.run(1_000);
    weather.side = vec![0, 1, 2, 3];
    let write = weather.operate(3, 2, append("b"));
    let read = weather.operate(3, 3, Operation::Read { key: 1 });
    weather.run(11_000);
    let reason = "timeout";
    assert_eq!(
        weather.replies.get(&write),
        Some(&RaftReply::Unknown { reason })
    );
    assert_eq!(
        weather.replies.get(&read),
        Some(&RaftReply::Fail { reason })
    );
    assert_eq!(weather.client(3).open_operations(), 0);
}

#[test]
fn every_way_to_read_sees_the_write_before_it() {
    // In calm weather; `Local` at the leader is no exception there.
    for reads in [ReadMode::Log, ReadMode::ReadIndex, ReadMode::Lease] {
        let config = RaftConfig {
            reads,
            follower_reads: reads == ReadMode::ReadIndex,
            ..RaftConfig::default()
        };
        let mut weather = cluster(config, 2);
        weather.operate(3, 1, append("a"));
        weather.run(2_000);
        let id = weather.operate(4, 1, Operation::Read { key: 1 });
        weather.run(2_000);
        let value = Some("a".into());
        let outcome = Outcome::Read { value };
        assert_eq!(
            weather.replies.get(&id),
            Some(&RaftReply::Ok { outcome }),
            "{reads:?}"
        );
    }
}

#[test]
fn a_partitioned_leader_never_answers_a_read_after_another_took_over() {
    // The stale-read trap: the client of the old leader asks throughout; `Local` falls into it.
    let stale = |reads| {
        let config = RaftConfig {
            reads,
            check_quorum: false,
            ..RaftConfig::default()
        };
        let mut weather = cluster(config, 2);
        weather.operate(3, 1, append("a"));
        weather.operate(4, 1, append("b"));
        weather.run(2_000);
        let leader = (0..3).find(|slot| weather.server(*slot).role() == Role::Leader);
        let leader = leader.expect("a leader");
        weather.side = vec![0, 0, 0, 1, 0];
        weather.side[leader as usize] = 1;
        for serial in 2..8 {
            weather.operate(4, serial, append("c"));
            weather.run(3_000);
            weather.operate(3, serial, Operation::Read { key: 1 });
            weather.run(100);
        }
        assert!(weather.judge.acknowledged > 4, "the others went on");
        weather.judge.violation.is_some()
    };
    assert!(!stale(ReadMode::ReadIndex));
    assert!(!stale(ReadMode::Lease));
    assert!(!stale(ReadMode::Log));
    assert!(stale(ReadMode::Local));
}

#[test]
fn administrative_requests_to_a_client_fail() {
    // Bad input is answered, never a panic.
    let mut weather = cluster(RaftConfig::default(), 1);
    let to = PeerId(1);
    let id = weather.ask(3, RaftRequest::Transfer { to });
    let reason = "not-a-server";
    assert_eq!(weather.replies.get(&id), Some(&RaftReply::Fail { reason }));
}
