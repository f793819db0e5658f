//! Section 4.1 and TOCS'02 sections 5.1.2, 5.1.3: certificates of replies, exactly once, switches.

use super::*;
use crate::pbft::message::{Reply, Request};

fn reply(by: u32, client: u32, timestamp: u64, outcome: Outcome, tentative: bool) -> PbftMessage {
    PbftMessage::Reply {
        reply: sign(
            by,
            Reply {
                epoch: Epoch(0),
                view: View(0),
                timestamp: Timestamp(timestamp),
                client: PeerId(client),
                replica: ReplicaId(by as u16),
                outcome,
                tentative,
            },
        ),
    }
}

fn tentative() -> PbftConfig {
    PbftConfig {
        tentative: true,
        ..PbftConfig::default()
    }
}

fn read_only() -> PbftConfig {
    PbftConfig {
        read_only: true,
        ..PbftConfig::default()
    }
}

#[test]
fn a_client_needs_equal_results_of_different_members() {
    // f+1 = 2 at n = 4: a repeated reply, another result, a stranger's and a forged one don't do.
    let mut group = Group::new(4, 2, PbftConfig::default());
    group.table.carry_if(|_, _, _| false);
    group.ask(0, read(1));
    let value = |byte: u8| Outcome::Value {
        value: Some(vec![byte]),
    };
    let stranger = PbftMessage::Reply {
        reply: sign(
            5,
            Reply {
                epoch: Epoch(0),
                view: View(0),
                timestamp: Timestamp(1),
                client: PeerId(4),
                replica: ReplicaId(2),
                outcome: value(1),
                tentative: false,
            },
        ),
    };
    group.hand(1, 4, reply(1, 4, 1, value(1), false));
    group.hand(1, 4, reply(1, 4, 1, value(1), false));
    group.hand(2, 4, reply(2, 4, 1, value(2), false));
    group.hand(2, 4, stranger);
    group.hand(3, 4, reply(3, 4, 9, value(1), false));
    assert_eq!(group.table.replies.len(), 0);
    assert_eq!(
        group.rejections(4),
        [Reason::NotAMember, Reason::UnexpectedReply]
    );
    group.hand(3, 4, reply(3, 4, 1, value(1), false));
    assert_eq!(group.table.replies, [(RequestId(1), value(1))]);
}

#[test]
fn with_either_switch_on_a_client_needs_a_quorum() {
    // Two equal replies suffice without, three are needed with a switch on.
    for (config, needed) in [
        (PbftConfig::default(), 2),
        (tentative(), 3),
        (read_only(), 3),
    ] {
        let mut group = Group::new(4, 1, config);
        group.table.carry_if(|_, _, _| false);
        group.ask(0, write(1, b"a"));
        for by in 0..4 {
            group.hand(by, 4, reply(by, 4, 1, Outcome::Written {}, false));
            let answered = usize::from(by + 1 >= needed);
            assert_eq!(group.table.replies.len(), answered);
        }
    }
}

#[test]
fn a_request_executes_once_however_often_it_is_sent() {
    // The client loses all replies twice: it asks all replicas again and gets cached replies.
    let mut group = Group::new(4, 1, PbftConfig::default());
    let lost = Rc::new(Cell::new(0));
    let losing = Rc::clone(&lost);
    group.table.carry_if(move |_, _, message| {
        let reply = matches!(message, PbftMessage::Reply { .. });
        losing.set(losing.get() + u32::from(reply));
        !reply || losing.get() > 8
    });
    let append = Operation::Append {
        key: 1,
        value: b"a".to_vec(),
    };
    group.ask(0, append);
    group.run_ms(3_000);
    assert_eq!(
        group.table.replies,
        [(RequestId(1), Outcome::Appended { length: 1 })]
    );
    assert!((0..4).all(|slot| group.executions(slot).len() == 1));
    assert_eq!(group.views(), [0; 4]);
}

#[test]
fn a_client_that_spares_the_primary_is_served() {
    // B13: only backups get the request; they forward it, and nobody changes the view.
    let mut group = Group::new(4, 1, PbftConfig::default());
    let request = sign(
        4,
        Request {
            client: PeerId(4),
            timestamp: Timestamp(1),
            operation: write(1, b"a"),
            read_only: false,
        },
    );
    for to in 1..4 {
        let request = request.clone();
        group.hand(4, to, PbftMessage::Request { request });
    }
    group.run_ms(5_000);
    assert!((0..4).all(|slot| group.executions(slot).len() == 1));
    assert_eq!(group.views(), [0; 4]);
}

#[test]
fn two_requests_with_one_timestamp_execute_as_one_and_the_same_everywhere() {
    // B13: each replica gets another request under timestamp 1.
    let mut group = Group::new(4, 1, PbftConfig::default());
    for to in 0..4 {
        let request = sign(
            4,
            Request {
                client: PeerId(4),
                timestamp: Timestamp(1),
                operation: write(1, &[to as u8]),
                read_only: false,
            },
        );
        group.hand(4, to, PbftMessage::Request { request });
    }
    group.run_ms(10_000);
    assert!((0..4).all(|slot| group.executions(slot).len() == 1));
    assert_eq!(group.disagreement(), None);
    let stores: BTreeSet<u64> = (0..4)
        .map(|slot| group.replica(slot).state().store.fingerprint())
        .collect();
    assert_eq!(stores.len(), 1);
}

#[test]
fn requests_of_strangers_and_forged_ones_are_refused() {
    // Slot 9 is on no roster; slot 3 signs in the client's name.
    let mut group = Group::new(4, 1, PbftConfig::default());
    for (signer, client) in [(9, 9), (3, 4)] {
        let request = sign(
            signer,
            Request {
                client: PeerId(client),
                timestamp: Timestamp(1),
                operation: write(1, b"a"),
                read_only: false,
            },
        );
        group.hand(client, 0, PbftMessage::Request { request });
    }
    assert_eq!(group.rejections(0), [Reason::UnknownClient; 2]);
    assert_eq!(group.sent("pre-prepare"), 0);
}

#[test]
fn a_tentative_reply_takes_four_delays_and_is_confirmed() {
    // TOCS'02 section 5.1.2: request, pre-prepare, prepare, reply; commits follow.
    let mut group = Group::new(4, 1, tentative());
    group.ask(0, write(1, b"a"));
    group.run_ms(40);
    assert_eq!(group.table.replies.len(), 1);
    group.run_ms(100);
    let named = |name: &str| group.count(|event| event.name() == name);
    assert_eq!(named("executed-tentatively"), 4);
    assert_eq!(named("executed"), 4);
    assert_eq!(named("rolled-back"), 0);
    assert_eq!(group.replica(1).last_executed(), Sequence(1));
}

#[test]
fn a_tentative_execution_is_undone_when_its_view_ends() {
    // Commits are lost and the primary's reply with them, so the view changes; the batch, being
    // prepared, comes back and executes for good, once.
    let mut group = Group::new(4, 1, tentative());
    group.table.carry_if(|from, _, message| {
        let commit = matches!(message, PbftMessage::Commit { commit } if commit.view == View(0));
        !commit && from.0 != 0
    });
    let append = Operation::Append {
        key: 1,
        value: b"a".to_vec(),
    };
    group.ask(0, append.clone());
    group.table.carry_if(|from, _, message| {
        let commit = matches!(message, PbftMessage::Commit { commit } if commit.view == View(0));
        let reply = matches!(message, PbftMessage::Reply { .. });
        !commit && (from.0 != 0 || !reply)
    });
    group.run_ms(10_000);
    assert!(group.count(|event| event.name() == "rolled-back") >= 3);
    assert!((1..4).all(|slot| group.executions(slot).len() == 1));
    let value = group.replica(1).state().store.get(1).cloned();
    assert_eq!(value, Some(b"a".to_vec()));
}

#[test]
fn a_read_only_request_takes_two_delays_and_no_order() {
    // TOCS'02 section 5.1.3: n requests, n replies, nothing between replicas.
    let mut group = Group::new(4, 1, read_only());
    group.ask(0, write(1, b"a"));
    group.run_ms(200);
    group.take_sent();
    group.ask(0, read(1));
    group.run_ms(20);
    assert_eq!(
        group.table.replies[1].1,
        Outcome::Value {
            value: Some(b"a".to_vec())
        }
    );
    assert_eq!(
        group.take_sent(),
        BTreeMap::from([("request", 4), ("reply", 4)])
    );
}

#[test]
fn a_read_that_finds_no_quorum_is_ordered() {
    // Two of four replicas answer reads; after its timeout the client asks in order.
    let mut group = Group::new(4, 1, read_only());
    group.table.carry_if(|from, _, message| {
        let read =
            matches!(message, PbftMessage::Reply { reply } if reply.timestamp == Timestamp(1));
        !read || from.0 < 2
    });
    group.ask(0, read(1));
    group.run_ms(2_000);
    assert_eq!(group.table.replies.len(), 1);
    assert_eq!(group.executions(0).len(), 1);
}

#[test]
fn a_restarted_client_uses_no_timestamp_twice() {
    // Before the crash timestamp 1 was used; afterwards the client begins above its reserve.
    let mut group = Group::new(4, 1, PbftConfig::default());
    group.ask(0, write(1, b"a"));
    group.run_ms(200);
    let machine = PbftPeer::client(Arc::clone(&group.config), Arc::clone(&group.roster));
    group.table.restart(PeerId(4), machine);
    group.ask(0, write(1, b"b"));
    group.run_ms(200);
    assert_eq!(group.table.replies.len(), 2);
    let timestamps: Vec<u64> = group.executions(0).iter().map(|e| e.3.0).collect();
    assert_eq!(timestamps.len(), 2);
    assert!(timestamps[1] > timestamps[0]);
}
