//! Linearizable reads (dissertation 6.4).

use super::desk::{Desk, Out, accepted, append, bare, with_log};
use crate::raft::{
    Operation, Outcome, RaftConfig, RaftMessage, RaftReply, RaftRequest, RaftTimer, ReadMode, Rules,
};

fn read<R: Rules>(desk: &mut Desk<R>, id: u64) -> Out {
    let operation = Operation::Read { key: 7 };
    desk.ask(id, RaftRequest::Operate { operation })
}

fn value(number: u64) -> RaftReply {
    let value = Some(number.into());
    let outcome = Outcome::Read { value };
    RaftReply::Ok { outcome }
}

/// A leader of three in term 1 that has committed its no-op and the value 5 under key 7.
fn leader<R: Rules>(config: RaftConfig) -> Desk<R> {
    let mut desk = Desk::with_rules(config, with_log(3, &[], 0));
    desk.elect(&[1]);
    desk.put(5, 7);
    desk.sync();
    desk.hand(1, accepted(1, 1, 2));
    assert_eq!(desk.view().commit, 2);
    desk
}

#[test]
fn a_read_is_answered_after_a_round_that_began_after_it() {
    // An acknowledgement of the round before proves nothing about the time after.
    let mut desk = leader::<crate::raft::Paper>(bare());
    let out = read(&mut desk, 1);
    assert!(out.replies.is_empty());
    assert_eq!(out.sent.len(), 2, "one heartbeat to each follower");
    assert!(desk.hand(2, accepted(1, 1, 2)).replies.is_empty());
    assert_eq!(desk.hand(2, accepted(1, 2, 2)).replies, [value(5)]);
    assert!(
        desk.hand(1, accepted(1, 2, 2)).replies.is_empty(),
        "answered twice"
    );
}

#[test]
fn reads_that_come_during_a_round_share_the_next() {
    // Dissertation 6.4: the second read came after round 2 began, so it needs round 3.
    let mut desk = leader::<crate::raft::Paper>(bare());
    read(&mut desk, 1);
    assert!(read(&mut desk, 2).sent.is_empty());
    let out = desk.hand(2, accepted(1, 2, 2));
    assert_eq!((out.replies.len(), out.sent.len()), (1, 2));
    assert_eq!(desk.hand(2, accepted(1, 3, 2)).replies.len(), 1);
}

#[test]
fn a_new_leader_reads_only_once_an_entry_of_its_term_is_committed() {
    // The current-term rule: entry 1 may be committed and the leader not know.
    let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
    desk.elect(&[1]);
    desk.sync();
    read(&mut desk, 1);
    assert!(desk.hand(1, accepted(2, 2, 1)).replies.is_empty());
    assert_eq!(desk.hand(1, accepted(2, 2, 2)).replies.len(), 1);
}

#[test]
fn a_deposed_leader_does_not_answer_its_reads() {
    // The reader learns that it failed; a read changes nothing.
    let mut desk = leader::<crate::raft::Paper>(bare());
    read(&mut desk, 1);
    let out = desk.hand(2, append(2, (2, 1), &[], 0));
    let reason = "leader-changed";
    assert_eq!(out.replies, [RaftReply::Fail { reason }]);
}

#[test]
fn a_mutant_without_the_round_answers_from_a_minority() {
    // The canary of the test above: nobody was asked.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct NoRound;
    impl Rules for NoRound {
        fn read_needs_round() -> bool {
            false
        }
    }
    let mut desk = leader::<NoRound>(bare());
    assert_eq!(read(&mut desk, 1).replies, [value(5)]);
}

fn leased() -> RaftConfig {
    RaftConfig {
        reads: ReadMode::Lease,
        clock_drift_ppm: 100_000,
        leader_stickiness: true,
        ..bare()
    }
}

#[test]
fn a_lease_answers_at_once_and_only_as_long_as_clocks_may_be_trusted() {
    // 1 s at 10% drift on either side is 1 s x 0.9 / 1.1 = 818 ms from the round's beginning,
    // not from its acknowledgement.
    let mut desk = leader::<crate::raft::Paper>(leased());
    desk.fire(RaftTimer::Heartbeat);
    desk.pass(500);
    desk.hand(1, accepted(1, 2, 2));
    desk.pass(318);
    assert_eq!(read(&mut desk, 1).replies, [value(5)]);
    desk.pass(1);
    let out = read(&mut desk, 2);
    assert!(
        out.replies.is_empty() && out.sent.len() == 2,
        "must ask again"
    );
}

#[test]
fn a_lease_is_given_up_before_leadership_is_handed_over() {
    // The target may be elected at once, stickiness or not.
    let mut desk = leader::<crate::raft::Paper>(leased());
    desk.fire(RaftTimer::Heartbeat);
    desk.hand(1, accepted(1, 2, 2));
    assert_eq!(read(&mut desk, 1).replies, [value(5)]);
    let to = crate::PeerId(1);
    desk.ask(9, RaftRequest::Transfer { to });
    assert!(read(&mut desk, 2).replies.is_empty());
}

#[test]
fn a_follower_reads_at_the_leaders_index_once_it_is_there() {
    // Dissertation 6.4: forwarded, confirmed, and answered when applied.
    let config = RaftConfig {
        follower_reads: true,
        ..bare()
    };
    let mut desk = Desk::new(config, with_log(3, &[1], 0));
    desk.hand(1, append(1, (1, 1), &[], 1));
    let out = read(&mut desk, 1);
    let [(1, RaftMessage::ReadIndex { term, ticket })] = out.sent[..] else {
        panic!("{out:?}");
    };
    let confirmed = RaftMessage::ReadIndexReply {
        term,
        ticket,
        index: 2,
    };
    assert!(desk.hand(1, confirmed.clone()).replies.is_empty());
    let out = desk.hand(1, append(1, (1, 1), &[1], 2));
    assert_eq!(out.replies.len(), 1);
    assert_eq!(
        desk.hand(1, confirmed).order,
        ["rejected"],
        "answered twice"
    );
}

#[test]
fn a_leader_confirms_a_followers_read_with_a_round_of_its_own() {
    // The leader's side of the test above.
    let mut desk = leader::<crate::raft::Paper>(bare());
    let (term, ticket) = (1, 42);
    desk.hand(2, RaftMessage::ReadIndex { term, ticket });
    let out = desk.hand(1, accepted(1, 2, 2));
    let index = 2;
    let reply = RaftMessage::ReadIndexReply {
        term,
        ticket,
        index,
    };
    assert_eq!(out.sent, [(2, reply)]);
}
