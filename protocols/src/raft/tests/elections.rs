//! Elections, pre-votes, stickiness, CheckQuorum.

use super::desk::{Desk, append, bare, request_vote, vote_reply, with_log};
use super::weather::{FAIR, Weather};
use crate::Protocol;
use crate::peer::PeerId;
use crate::raft::{
    InitialState, Paper, Raft, RaftConfig, RaftEvent, RaftMessage, RaftTimer, Role, VoteKind,
};
use crate::time::SimDuration;

#[test]
fn a_vote_leaves_behind_its_write_and_nothing_else_happens() {
    // Paper figure 2: the whole outbox; the driver holds what stands behind a persist.
    let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
    let out = desk.hand(1, request_vote(2, (1, 1), VoteKind::Vote));
    let order = [
        "became-follower",
        "set Election",
        "persist",
        "send vote-reply to p1",
    ];
    assert_eq!(out.order, order);
    assert_eq!(out.sent, [(1, vote_reply(2, true))]);
    assert_eq!(desk.view().vote, Some(PeerId(1)));
    let voted = RaftEvent::Voted {
        term: 2,
        candidate: PeerId(1),
    };
    assert_eq!(desk.sync().events, [voted]);
}

#[test]
fn a_vote_of_the_term_is_given_once_and_again_to_the_same_candidate() {
    // (vote already given, candidate asking, granted).
    let cases = [
        (None, 1, true),
        (None, 2, true),
        (Some(1), 1, true),
        (Some(1), 2, false),
        (Some(2), 1, false),
        (Some(2), 2, true),
    ];
    for (vote, candidate, granted) in cases {
        let mut initial = with_log(3, &[1], 0);
        initial.vote = vote.map(PeerId);
        let mut desk = Desk::new(bare(), initial);
        let out = desk.hand(candidate, request_vote(1, (1, 1), VoteKind::Vote));
        assert_eq!(out.sent, [(candidate, vote_reply(1, granted))], "{vote:?}");
    }
}

#[test]
fn a_vote_under_way_to_disk_is_written_again_before_it_is_repeated() {
    // Otherwise the repeated grant would leave at once and could be forgotten in a crash.
    let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
    desk.hand(1, request_vote(2, (1, 1), VoteKind::Vote));
    let out = desk.hand(1, request_vote(2, (1, 1), VoteKind::Vote));
    assert_eq!(
        out.order,
        ["set Election", "persist", "send vote-reply to p1"]
    );
}

#[test]
fn any_role_follows_a_higher_term_and_no_role_a_lower_one() {
    // Paper 5.1, for follower, candidate and leader.
    for role in [Role::Follower, Role::Candidate, Role::Leader] {
        let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
        match role {
            Role::Follower | Role::PreCandidate => {}
            Role::Candidate => drop(desk.fire(RaftTimer::Election)),
            Role::Leader => drop(desk.elect(&[1])),
        }
        assert_eq!(desk.view().role, role);
        let before = desk.view();
        let out = desk.hand(2, append(0, (1, 1), &[1], 1));
        assert_eq!(desk.view(), before, "{role:?} moved by a lower term");
        assert!(matches!(
            out.sent[..],
            [(2, RaftMessage::AppendRefused { term, .. })] if term == before.term
        ));
        desk.hand(2, append(9, (1, 1), &[], 0));
        let view = desk.view();
        let followed = (Role::Follower, 9, Some(PeerId(2)));
        assert_eq!((view.role, view.term, view.leader), followed);
    }
}

#[test]
fn a_candidate_follows_the_leader_of_its_own_term() {
    // Paper 5.2: the leader's term is at least as large, so it is legitimate.
    let mut desk = Desk::new(bare(), with_log(3, &[1], 0));
    desk.fire(RaftTimer::Election);
    let term = desk.view().term;
    desk.hand(1, append(term, (1, 1), &[], 0));
    assert_eq!((desk.view().role, desk.view().term), (Role::Follower, term));
}

#[test]
fn requests_that_overtake_the_vote_speak_for_what_is_on_disk_and_win_nothing_before_it() {
    // Dissertation 9.3. Entry 3 is not on disk when the candidate asks, so a crash could take it
    // while votes won with it are under way. Three votes of five are enough without its own, but
    // it could crash, forget the term, and lead it again with another log.
    let config = RaftConfig {
        overlap_vote_write: true,
        ..bare()
    };
    let mut desk = Desk::new(config, with_log(5, &[1, 1], 0));
    desk.hand(1, append(1, (2, 1), &[1], 0));
    let out = desk.fire(RaftTimer::Election);
    let sends = out.order.iter().position(|it| it.starts_with("send"));
    let persist = out.order.iter().position(|it| it == "persist");
    assert!(sends < persist, "{:?}", out.order);
    assert_eq!(out.sent[0], (1, request_vote(2, (2, 1), VoteKind::Vote)));
    for voter in [2, 3, 4] {
        desk.hand(voter, vote_reply(2, true));
    }
    assert_eq!(desk.view().role, Role::Candidate);
    desk.sync();
    assert_eq!(desk.view().role, Role::Leader);
}

#[test]
fn what_a_server_is_given_to_begin_with_goes_to_its_disk() {
    // A crash right after the start must find the log and the term that it began with.
    let config = RaftConfig {
        log_terms: vec![1, 1, 3],
        ..bare()
    };
    let mut desk = Desk::new(bare(), InitialState::default());
    desk.machine = Raft::<Paper>::new(
        PeerId(0),
        config.clone().into(),
        with_log(3, &[], 0).configuration,
    )
    .into();
    desk.input(|machine, ctx| machine.on_start(ctx));
    desk.sync();
    desk.crash(config, 3);
    assert_eq!(
        (desk.view().log_terms, desk.view().term),
        (vec![1, 1, 3], 3)
    );
}

#[test]
fn a_candidate_wins_with_the_quorums_vote_and_loses_with_its_refusal() {
    // (servers, grants, refusals, role afterwards).
    let cases = [
        (1, 0, 0, Role::Leader),
        (3, 1, 0, Role::Leader),
        (3, 0, 0, Role::Candidate),
        (3, 0, 2, Role::Follower),
        (5, 2, 0, Role::Leader),
        (5, 1, 2, Role::Candidate),
        (5, 1, 3, Role::Follower),
        (4, 1, 0, Role::Candidate),
        (4, 2, 0, Role::Leader),
    ];
    for (servers, grants, refusals, role) in cases {
        let mut desk = Desk::new(bare(), with_log(servers, &[], 0));
        desk.fire(RaftTimer::Election);
        desk.sync();
        for voter in 1..=grants + refusals {
            desk.hand(voter, vote_reply(1, voter <= grants));
        }
        let case = format!("{servers} servers, {grants} grants, {refusals} refusals");
        assert_eq!(desk.view().role, role, "{case}");
    }
}

#[test]
fn a_candidates_own_vote_counts_once_it_is_on_disk() {
    // With a vote that a crash could undo, two leaders of one term are possible.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.fire(RaftTimer::Election);
    desk.hand(1, vote_reply(1, true));
    assert_eq!(desk.view().role, Role::Candidate);
    desk.sync();
    assert_eq!(desk.view().role, Role::Leader);
}

#[test]
fn one_voter_counts_once_however_often_it_answers() {
    // A duplicate grant must not make a majority of five.
    let mut desk = Desk::new(bare(), with_log(5, &[], 0));
    desk.fire(RaftTimer::Election);
    desk.sync();
    desk.hand(1, vote_reply(1, true));
    desk.hand(1, vote_reply(1, true));
    assert_eq!(desk.view().role, Role::Candidate);
}

#[test]
fn a_new_leader_says_so_before_anything_else_and_begins_with_an_entry_of_its_term() {
    // Paper 5.2 and 8: the whole outbox of winning.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    let out = desk.elect(&[1]);
    let order = [
        "cancel Election",
        "set Heartbeat",
        "leader-elected",
        "appended",
        "send append-entries to p1",
        "send append-entries to p2",
        "persist",
    ];
    assert_eq!(out.order, order);
    assert_eq!(out.sent[0], (1, append(1, (0, 0), &[1], 0)));
}

#[test]
fn every_election_timeout_of_the_range_occurs() {
    // Ten classes of the range; uniform draws leave one empty with probability 10 * 0.9^500.
    let config = bare();
    let (low, high) = (config.election_timeout_min, config.election_timeout_max);
    let mut classes = [0; 10];
    let mut rng = crate::Stream::new(
        crate::RunKey::from_seed(3),
        crate::StreamLabel::global("timeouts"),
    );
    let mut keys = crate::Keys::new(
        crate::KeyScheme::ideal([7; 32]),
        crate::tabletop::secret_seed(1, 0),
    );
    let mut desk = Desk::new(config, with_log(3, &[], 0));
    for _ in 0..500 {
        let mut outbox = crate::Outbox::new();
        let now = crate::LocalTime::default();
        let mut ctx = crate::Context::new(now, PeerId(0), &mut rng, &mut keys, &mut outbox);
        crate::Protocol::on_timer(&mut desk.machine, RaftTimer::Election, &mut ctx);
        for output in outbox.drain() {
            if let crate::Output::SetTimer { after, .. } = output {
                assert!(low <= after && after <= high);
                let part = (after - low).as_nanos() * 10 / ((high - low).as_nanos() + 1);
                classes[part as usize] += 1;
            }
        }
    }
    assert!(classes.iter().all(|count| *count > 0), "{classes:?}");
}

#[test]
fn a_pre_vote_changes_nothing_at_either_side() {
    // Neither term, vote, role nor timer of the voter; nor the candidate's term.
    let config = RaftConfig {
        pre_vote: true,
        ..bare()
    };
    let mut voter = Desk::new(config.clone(), with_log(3, &[1], 0));
    let before = voter.view();
    let out = voter.hand(1, request_vote(2, (1, 1), VoteKind::PreVote));
    assert_eq!(out.order, ["send pre-vote-reply to p1"]);
    assert_eq!(voter.view(), before);
    let mut candidate = Desk::new(config, with_log(3, &[1], 0));
    candidate.fire(RaftTimer::Election);
    let view = candidate.view();
    assert_eq!(
        (view.role, view.term, view.vote),
        (Role::PreCandidate, 1, None)
    );
}

#[test]
fn a_pre_vote_is_refused_to_an_older_log_or_while_a_leader_is_heard() {
    // Stickiness is a switch of its own.
    let ask = |sticky: bool, heard_ms_ago: u64, last| {
        let config = RaftConfig {
            leader_stickiness: sticky,
            ..RaftConfig::default()
        };
        let mut desk = Desk::new(config, with_log(3, &[1, 1], 0));
        desk.hand(2, append(1, (2, 1), &[], 0));
        desk.pass(heard_ms_ago);
        let out = desk.hand(1, request_vote(2, last, VoteKind::PreVote));
        out.sent
            .iter()
            .any(|(_, message)| matches!(message, RaftMessage::VoteReply { granted: true, .. }))
    };
    assert!(!ask(true, 999, (2, 1)));
    assert!(ask(true, 1_000, (2, 1)));
    assert!(ask(false, 0, (2, 1)));
    assert!(!ask(true, 1_000, (1, 1)));
}

#[test]
fn a_pre_candidate_stands_only_with_a_quorum_behind_it() {
    // Dissertation 9.6: the term rises after the pre-votes, not before.
    let mut desk = Desk::new(RaftConfig::default(), with_log(3, &[1], 0));
    desk.fire(RaftTimer::Election);
    let granted = RaftMessage::VoteReply {
        term: 2,
        pre: true,
        granted: true,
    };
    let out = desk.hand(1, granted);
    assert_eq!((desk.view().role, desk.view().term), (Role::Candidate, 2));
    let asked = request_vote(2, (1, 1), VoteKind::Vote);
    assert_eq!(out.sent, [(1, asked.clone()), (2, asked)]);
}

/// A cluster that had a leader for a while.
fn settled(config: RaftConfig, servers: u32) -> (Weather, u32) {
    let voters: Vec<u32> = (0..servers).collect();
    let mut weather = Weather::new(7, config, &voters, servers, 0);
    weather.climate = FAIR;
    weather.run(10_000);
    let leader = (0..servers).find(|slot| weather.server(*slot).role() == Role::Leader);
    (weather, leader.expect("a leader"))
}

/// Cuts one follower off for ten seconds, heals, and tells the terms before and after.
fn isolate_a_follower(config: RaftConfig) -> (u64, u64, bool) {
    let (mut weather, leader) = settled(config, 3);
    let before = weather.server(leader).term();
    let follower = (leader + 1) % 3;
    weather.side[follower as usize] = 1;
    weather.run(10_000);
    weather.side[follower as usize] = 0;
    weather.run(10_000);
    let after = weather.server(leader).term();
    (before, after, weather.server(leader).role() == Role::Leader)
}

#[test]
fn a_returning_follower_disturbs_nobody_with_pre_vote_and_everybody_without() {
    // Same schedule, one switch.
    let (before, after, leads) = isolate_a_follower(RaftConfig::default());
    assert!(before == after && leads);
    let (before, after, _) = isolate_a_follower(bare());
    assert!(after >= before + 10_000 / 2_000, "{before} to {after}");
}

#[test]
fn a_candidate_stuck_at_a_higher_term_frees_itself_through_the_leader() {
    // Its refusal of a heartbeat carries the term; PreVote and stickiness would starve it.
    let config = RaftConfig {
        pre_vote: false,
        ..RaftConfig::default()
    };
    let (before, after, _) = isolate_a_follower(config);
    assert!(after > before);
}

#[test]
fn a_leader_without_a_quorum_steps_down_within_an_election_timeout() {
    // Four servers; three make a quorum.
    let (mut weather, leader) = settled(RaftConfig::default(), 4);
    weather.side[((leader + 1) % 4) as usize] = 1;
    weather.run(5_000);
    assert_eq!(weather.server(leader).role(), Role::Leader);
    weather.side[((leader + 2) % 4) as usize] = 1;
    weather.run(1_000 + 100);
    assert_ne!(weather.server(leader).role(), Role::Leader);
    assert_eq!(weather.judge.count("quorum-lost"), 1);
    weather.side = vec![0; 4];
    weather.run(6_000);
    assert!((0..4).any(|slot| weather.server(slot).role() == Role::Leader));
}

#[test]
fn the_answer_of_another_election_does_not_count() {
    // Paper 5.2: a late grant of term 1 must not elect in term 2.
    let mut desk = Desk::new(bare(), with_log(3, &[], 0));
    desk.fire(RaftTimer::Election);
    desk.fire(RaftTimer::Election);
    desk.sync();
    desk.hand(1, vote_reply(1, true));
    assert_eq!((desk.view().role, desk.view().term), (Role::Candidate, 2));
    let timeout = SimDuration::from_millis(1_000);
    assert_eq!(RaftConfig::default().election_timeout_min, timeout);
}
