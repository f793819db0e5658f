//! Leadership transfer (dissertation 3.10).

use super::desk::{Desk, Out, accepted, bare, request_vote, with_log};
use crate::peer::PeerId;
use crate::raft::{
    Configuration, RaftConfig, RaftEvent, RaftMessage, RaftReply, RaftRequest, RaftTimer, Role,
    VoteKind,
};

const ID: u64 = 99;

/// A leader of three in term 1; follower 1 has everything, follower 2 nothing.
fn leader() -> Desk {
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.elect(&[1]);
    desk.sync();
    desk.hand(1, accepted(1, 1, 1));
    desk
}

fn transfer(desk: &mut Desk, to: u32) -> Out {
    let to = PeerId(to);
    desk.ask(ID, RaftRequest::Transfer { to })
}

fn is_told(out: &Out, to: u32) -> bool {
    out.sent
        .contains(&(to, RaftMessage::TimeoutNow { term: 1 }))
}

#[test]
fn a_target_that_has_everything_is_told_at_once() {
    assert!(is_told(&transfer(&mut leader(), 1), 1));
}

#[test]
fn a_lagging_target_is_told_once_it_has_caught_up() {
    let mut desk = leader();
    assert!(!is_told(&transfer(&mut desk, 2), 2));
    assert!(is_told(&desk.hand(2, accepted(1, 1, 1)), 2));
}

#[test]
fn a_transfer_to_itself_to_a_stranger_or_a_learner_moves_nothing() {
    let mut desk = leader();
    assert!(transfer(&mut desk, 0).sent.is_empty());
    let reason = "transfer-to-non-voter";
    assert_eq!(transfer(&mut desk, 7).replies, [RaftReply::Fail { reason }]);
    let mut initial = with_log(2, &[], 0);
    initial.configuration = Configuration::new([PeerId(0), PeerId(1)], [PeerId(2)]);
    let mut desk = Desk::new(bare(), initial);
    desk.elect(&[1]);
    assert_eq!(transfer(&mut desk, 2).replies, [RaftReply::Fail { reason }]);
}

#[test]
fn proposals_wait_while_it_is_pending_and_flow_again_once_it_is_abandoned() {
    // Abandoned after an election timeout, the old leader works on.
    let mut desk = leader();
    let out = transfer(&mut desk, 2);
    assert!(out.order.contains(&"set Transfer".to_owned()));
    let reason = "busy";
    assert_eq!(desk.put(1, 0).replies, [RaftReply::Fail { reason }]);
    let out = desk.fire(RaftTimer::Transfer);
    assert_eq!(out.events, [RaftEvent::TransferAborted { to: PeerId(2) }]);
    assert!(desk.put(2, 0).replies.is_empty());
    assert_eq!(desk.view().role, Role::Leader);
}

#[test]
fn a_second_transfer_replaces_the_first_and_a_repeated_one_does_not_restart_it() {
    let mut desk = leader();
    transfer(&mut desk, 2);
    let again = transfer(&mut desk, 2);
    assert_eq!(again.order, ["reply"]);
    let other = transfer(&mut desk, 1);
    let replaced = RaftEvent::TransferAborted { to: PeerId(2) };
    assert!(other.events.contains(&replaced) && is_told(&other, 1));
}

#[test]
fn the_target_stands_without_a_pre_vote_and_says_that_it_was_sent() {
    // And a voter that hears the leader votes nevertheless.
    let mut target = Desk::new(RaftConfig::default(), with_log(3, &[1], 0));
    target.hand(1, super::desk::append(1, (1, 1), &[], 0));
    let out = target.hand(1, RaftMessage::TimeoutNow { term: 1 });
    let asked = request_vote(2, (1, 1), VoteKind::Transfer);
    assert_eq!(out.sent, [(1, asked.clone()), (2, asked.clone())]);
    let mut voter = Desk::new(RaftConfig::default(), with_log(3, &[1], 0));
    voter.hand(1, super::desk::append(1, (1, 1), &[], 0));
    assert!(
        voter
            .hand(2, request_vote(2, (1, 1), VoteKind::Vote))
            .sent
            .is_empty()
    );
    let out = voter.hand(2, asked);
    assert!(matches!(
        out.sent[..],
        [(2, RaftMessage::VoteReply { granted: true, .. })]
    ));
}

#[test]
fn an_order_to_stand_of_another_term_or_sender_is_refused() {
    // A delayed order must not unseat a later leader.
    let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
    desk.hand(1, super::desk::append(2, (1, 1), &[], 0));
    desk.sync();
    for (from, term) in [(1, 1), (2, 2)] {
        let out = desk.hand(from, RaftMessage::TimeoutNow { term });
        assert_eq!(out.order, ["rejected"], "from {from} in {term}");
    }
}

#[test]
fn a_higher_term_ends_the_transfer_and_the_lead() {
    // The target's own request is the usual one.
    let mut desk = leader();
    transfer(&mut desk, 1);
    let out = desk.hand(1, request_vote(2, (1, 1), VoteKind::Transfer));
    assert_eq!(desk.view().role, Role::Follower);
    assert!(matches!(out.replies[..], [RaftReply::Ok { .. }]));
}

#[test]
fn taking_the_targets_vote_away_aborts() {
    // A change was under way before the transfer began.
    let mut desk = leader();
    let target = Box::new(Configuration::of_voters([PeerId(0), PeerId(1)]));
    desk.ask(1, RaftRequest::ChangeMembership { target });
    transfer(&mut desk, 2);
    desk.sync();
    let out = desk.hand(1, accepted(1, 1, 2));
    let aborted = RaftEvent::TransferAborted { to: PeerId(2) };
    assert!(out.events.contains(&aborted), "{out:?}");
}
