//! What a crash may take and what it may not.

use super::desk::{Desk, accepted, append, bare, request_vote, vote_reply, with_log};
use crate::peer::PeerId;
use crate::protocol::Stored;
use crate::raft::{
    HardState, RaftConfig, RaftEvent, RaftMessage, RaftRecord, RaftTimer, ReadMode, Role, Rules,
    STATE_SLOT, VoteKind,
};

#[test]
fn a_leader_counts_itself_only_for_what_is_on_its_disk() {
    // Two servers; the follower has entry 1, the leader's own write is still under way.
    let mut desk = Desk::new(bare(), with_log(2, &[], 0));
    desk.elect(&[1]);
    desk.hand(1, accepted(1, 1, 1));
    assert_eq!(desk.view().commit, 0);
    desk.sync();
    assert_eq!(desk.view().commit, 1);
}

#[test]
fn the_mutant_counts_what_a_crash_could_take_from_the_leader() {
    // The canary of the test above.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct CountsUnsynced;
    impl Rules for CountsUnsynced {
        fn counted_by_leader(_: u64, last: u64) -> u64 {
            last
        }
    }
    let mut desk = Desk::<CountsUnsynced>::with_rules(bare(), with_log(2, &[], 0));
    desk.elect(&[1]);
    desk.hand(1, accepted(1, 1, 1));
    assert_eq!(desk.view().commit, 1);
}

#[test]
fn the_vote_and_the_log_survive_a_crash_and_the_unsynced_does_not() {
    // Paper figure 2, persistent state.
    let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
    desk.hand(1, request_vote(2, (1, 1), VoteKind::Vote));
    desk.sync();
    desk.hand(1, append(2, (1, 1), &[2], 0));
    let out = desk.crash(bare(), 3);
    let recovered = RaftEvent::Recovered {
        term: 2,
        vote: Some(PeerId(1)),
        snapshot: 0,
        last: 1,
    };
    assert!(out.events.contains(&recovered), "{out:?}");
    let out = desk.hand(2, request_vote(2, (1, 1), VoteKind::Vote));
    assert_eq!(out.sent, [(2, vote_reply(2, false))]);
}

#[test]
fn a_completion_says_nothing_of_entries_that_were_overwritten_since() {
    // ABA: entry 1 of term 1 is being written when the leader of term 2 replaces it; the first
    // completion must not make the second durable.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.hand(1, append(1, (0, 0), &[1], 0));
    desk.hand(2, append(2, (0, 0), &[2], 0));
    let out = desk.sync_nth(0);
    assert!(out.sent.is_empty());
    assert_eq!(desk.view().durable, 0);
    assert_eq!(desk.sync_nth(0).sent, [(2, accepted(2, 1, 1))]);
}

#[test]
fn a_write_that_overtakes_an_earlier_one_is_acknowledged_with_it() {
    // Entries 2 on disk without entry 1 are not a log.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.hand(1, append(1, (0, 0), &[1], 0));
    desk.hand(1, append(1, (1, 1), &[1], 0));
    // A heartbeat meanwhile acknowledges what is safe and no more.
    let out = desk.hand(1, append(1, (2, 1), &[], 0));
    assert_eq!(out.sent, [(1, accepted(1, 1, 0))]);
    assert!(desk.sync_nth(1).sent.is_empty());
    let both = [(1, accepted(1, 1, 1)), (1, accepted(1, 1, 2))];
    let out = desk.sync_nth(0);
    assert_eq!(out.sent.last(), both.last());
    assert_eq!(desk.view().durable, 2);
}

#[test]
fn an_acknowledgement_of_an_earlier_term_is_not_sent() {
    // The write completes after a higher term was seen: its leader must not count it.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.hand(1, append(1, (0, 0), &[1], 0));
    desk.hand(2, request_vote(5, (9, 4), VoteKind::Vote));
    let out = desk.sync_nth(0);
    assert!(out.sent.is_empty(), "{out:?}");
}

/// A follower with three entries of term 1 on disk, record `index` of them damaged.
fn damaged(index: usize) -> Desk {
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.hand(1, append(1, (0, 0), &[1, 1, 1], 0));
    desk.sync();
    desk.disk.log[index] = Stored::Damaged;
    desk
}

#[test]
fn a_server_with_a_damaged_log_neither_votes_nor_stands_until_it_is_repaired() {
    // Entry 2 was acknowledged: with this vote a candidate without it could win.
    let mut desk = damaged(1);
    let out = desk.crash(bare(), 3);
    assert!(
        out.events
            .contains(&RaftEvent::DamagedLog { from: 2, upto: 3 })
    );
    desk.sync();
    let out = desk.hand(2, request_vote(2, (1, 1), VoteKind::Vote));
    assert_eq!(out.sent, [(2, vote_reply(2, false))]);
    desk.fire(RaftTimer::Election);
    assert_eq!(desk.view().role, Role::Follower);
    // It remembers that over another crash.
    desk.sync();
    desk.crash(bare(), 3);
    let out = desk.hand(2, request_vote(3, (1, 1), VoteKind::Vote));
    assert_eq!(out.sent, [(2, vote_reply(3, false))]);
    // A leader that has everything repairs it.
    desk.hand(1, append(4, (1, 1), &[1, 1, 4], 0));
    let out = desk.sync();
    assert!(
        out.events.contains(&RaftEvent::Repaired { upto: 3 }),
        "{out:?}"
    );
    let out = desk.hand(2, request_vote(5, (4, 4), VoteKind::Vote));
    assert_eq!(out.sent, [(2, vote_reply(5, true))]);
}

#[test]
fn a_torn_record_that_was_never_acknowledged_is_cut_off() {
    // All-or-nothing batches: the state written with the last whole batch says where promises end.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.hand(1, append(1, (0, 0), &[1, 1], 0));
    desk.sync();
    desk.disk.log.push(Stored::Damaged);
    let out = desk.crash(bare(), 3);
    let harmed = |event: &RaftEvent| matches!(event, RaftEvent::DamagedLog { .. });
    assert!(!out.events.iter().any(harmed));
    assert_eq!(desk.view().last_index, 2);
    let out = desk.hand(2, request_vote(2, (2, 1), VoteKind::Vote));
    assert_eq!(out.sent, [(2, vote_reply(2, true))]);
}

#[test]
fn a_server_that_lost_its_term_and_vote_takes_no_part() {
    // Whatever it says could contradict what it said before; it must be replaced.
    let mut desk = damaged(2);
    desk.disk.slots.insert(STATE_SLOT, Stored::Damaged);
    desk.crash(bare(), 3);
    for message in [
        request_vote(9, (9, 9), VoteKind::Vote),
        append(9, (0, 0), &[], 0),
    ] {
        assert_eq!(desk.hand(1, message).order, ["rejected"]);
    }
}

#[test]
fn the_term_cannot_be_behind_the_log() {
    // A state record lost below its log's term would let the server vote in a term it served.
    let mut desk = damaged(2);
    let record = RaftRecord::State {
        state: HardState::default(),
    };
    desk.disk.log[2] = desk.disk.log[1].clone();
    desk.disk.slots.insert(STATE_SLOT, Stored::Intact(record));
    desk.crash(bare(), 3);
    assert_eq!(desk.view().term, 1);
}

#[test]
fn a_voter_waits_an_election_timeout_after_a_restart_if_leases_may_run() {
    // Dissertation 6.4.1: it may have acknowledged a heartbeat just before the crash.
    let config = RaftConfig {
        reads: ReadMode::Lease,
        ..RaftConfig::default()
    };
    let mut desk = Desk::new(config.clone(), with_log(3, &[1], 0));
    desk.crash(config, 3);
    desk.pass(999);
    assert!(
        desk.hand(1, request_vote(5, (1, 1), VoteKind::Vote))
            .sent
            .is_empty()
    );
    desk.pass(1);
    let out = desk.hand(1, request_vote(5, (1, 1), VoteKind::Vote));
    assert!(matches!(
        out.sent[..],
        [(1, RaftMessage::VoteReply { granted: true, .. })]
    ));
}
