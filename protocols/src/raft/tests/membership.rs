//! Membership changes (paper 6; dissertation 4).

use super::desk::{Desk, Out, accepted, append, bare, request_vote, vote_reply, with_log};
use super::weather::{FAIR, Weather};
use crate::peer::PeerId;
use crate::raft::{
    Configuration, InitialState, MembershipMode, Paper, RaftConfig, RaftReply, RaftRequest, Role,
    Rules, VoteKind,
};

fn voters(slots: &[u32]) -> Configuration {
    Configuration::of_voters(slots.iter().copied().map(PeerId))
}

fn change<R: Rules>(desk: &mut Desk<R>, slots: &[u32]) -> Out {
    let target = Box::new(voters(slots));
    desk.ask(50, RaftRequest::ChangeMembership { target })
}

/// No catch-up, so that a change begins at once.
fn direct() -> RaftConfig {
    RaftConfig {
        catch_up_rounds: 0,
        ..bare()
    }
}

/// A leader of servers 0 to 2 in term 1 with its no-op committed.
fn leader<R: Rules>(config: RaftConfig) -> Desk<R> {
    let mut desk = Desk::with_rules(config, with_log(3, &[], 0));
    desk.elect(&[1]);
    desk.sync();
    desk.hand(1, accepted(1, 1, 1));
    desk
}

#[test]
fn a_joint_configuration_commits_only_with_both_majorities() {
    // Paper 6: C_old = {0,1,2}, C_new = {0,3,4}.
    let mut desk = leader::<Paper>(direct());
    change(&mut desk, &[0, 3, 4]);
    assert!(desk.view().configuration.is_joint());
    desk.sync();
    desk.hand(1, accepted(1, 1, 2));
    assert_eq!(desk.view().commit, 1, "the new half has not agreed");
    desk.hand(3, accepted(1, 1, 2));
    assert_eq!(desk.view().commit, 2);
    assert_eq!(
        *desk.view().configuration,
        voters(&[0, 3, 4]),
        "C_new follows by itself"
    );
}

#[test]
fn a_candidate_in_a_joint_configuration_needs_both_majorities() {
    // The grants of one half are not enough.
    let mut initial = with_log(3, &[], 0);
    initial.configuration.voters = vec![PeerId(0), PeerId(3), PeerId(4)];
    initial.configuration.outgoing = vec![PeerId(0), PeerId(1), PeerId(2)];
    let mut desk = Desk::new(bare(), initial);
    desk.elect(&[3, 4]);
    assert_eq!(desk.view().role, Role::Candidate);
    desk.hand(1, vote_reply(1, true));
    assert_eq!(desk.view().role, Role::Leader);
}

#[test]
fn a_new_leader_leaves_a_joint_configuration_only_behind_an_entry_of_its_own() {
    // It finds C_old,new committed, and a follower has moved; its own no-op has no quorum yet.
    let mut initial = with_log(3, &[], 0);
    initial.configuration.voters = vec![PeerId(0), PeerId(3), PeerId(4)];
    initial.configuration.outgoing = vec![PeerId(0), PeerId(1), PeerId(2)];
    let mut desk = Desk::new(bare(), initial);
    desk.elect(&[1, 3]);
    desk.sync();
    desk.hand(3, accepted(1, 1, 1));
    assert_eq!((desk.view().commit, desk.view().last_index), (0, 1));
    desk.hand(1, accepted(1, 1, 1));
    assert_eq!((desk.view().commit, desk.view().last_index), (1, 2));
    assert_eq!(*desk.view().configuration, voters(&[0, 3, 4]));
}

#[test]
fn a_leader_that_is_left_out_does_not_count_itself_and_goes_when_that_is_committed() {
    // `confchange_v1_remove_leader`: C_new = {1, 2} needs both.
    let mut desk = leader::<Paper>(direct());
    change(&mut desk, &[1, 2]);
    desk.sync();
    desk.hand(1, accepted(1, 1, 2));
    desk.hand(2, accepted(1, 1, 2));
    desk.sync();
    desk.hand(1, accepted(1, 1, 3));
    assert_eq!((desk.view().commit, desk.view().role), (2, Role::Leader));
    desk.hand(2, accepted(1, 1, 3));
    assert_eq!((desk.view().commit, desk.view().role), (3, Role::Follower));
}

#[test]
fn a_server_outside_its_configuration_does_not_stand() {
    // It would only raise terms. A learner is outside too.
    for configuration in [
        voters(&[1, 2]),
        Configuration::new([PeerId(1)], [PeerId(0)]),
    ] {
        let initial = InitialState {
            configuration,
            ..InitialState::default()
        };
        let mut desk = Desk::new(bare(), initial);
        desk.fire(crate::raft::RaftTimer::Election);
        assert_eq!((desk.view().role, desk.view().term), (Role::Follower, 0));
    }
}

#[test]
fn a_learner_votes_when_asked() {
    // `campaign_learner_must_vote`: its promotion may be committed without its knowing.
    let initial = InitialState {
        configuration: Configuration::new([PeerId(1), PeerId(2)], [PeerId(0)]),
        ..InitialState::default()
    };
    let mut desk = Desk::new(bare(), initial);
    let out = desk.hand(2, request_vote(1, (1, 1), VoteKind::Vote));
    assert_eq!(out.sent, [(2, vote_reply(1, true))]);
}

#[test]
fn a_configuration_is_in_force_from_the_log_and_leaves_with_it() {
    // Paper 6: "a server always uses the latest configuration in its log".
    let mut desk = leader::<Paper>(direct());
    change(&mut desk, &[0, 1, 3]);
    assert!(desk.view().configuration.is_joint());
    desk.hand(2, append(2, (1, 1), &[2], 1));
    assert_eq!(*desk.view().configuration, voters(&[0, 1, 2]));
}

fn single() -> RaftConfig {
    RaftConfig {
        membership: MembershipMode::SingleServer,
        ..direct()
    }
}

#[test]
fn a_single_server_change_waits_for_an_entry_of_its_own_term() {
    // Raft-dev 2015-07-10: without a committed entry of term 2 an older change may be pending.
    let mut desk = Desk::new(single(), with_log(4, &[1], 1));
    desk.elect(&[1, 2]);
    desk.sync();
    let reason = "change-pending";
    let out = change(&mut desk, &[0, 1, 2]);
    assert_eq!(out.replies, [RaftReply::Fail { reason }]);
    desk.hand(1, accepted(2, 1, 2));
    desk.hand(2, accepted(2, 1, 2));
    assert!(change(&mut desk, &[0, 1, 2]).replies.is_empty());
    assert_eq!(*desk.view().configuration, voters(&[0, 1, 2]));
}

#[test]
fn a_mutant_without_the_rule_of_2015_changes_in_an_unsettled_term() {
    // The canary of the test above: S2 appends "remove 1" before anything of its term is committed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    struct BeforeOwnTerm;
    impl Rules for BeforeOwnTerm {
        fn may_change(commit: u64, last_configuration: u64, _: u64) -> bool {
            commit >= last_configuration
        }
    }
    let mut desk = Desk::<BeforeOwnTerm>::with_rules(single(), with_log(4, &[1], 1));
    desk.elect(&[1, 2]);
    assert!(change(&mut desk, &[0, 1, 2]).replies.is_empty());
    assert_eq!(*desk.view().configuration, voters(&[0, 1, 2]));
}

#[test]
fn illegal_changes_are_answered_and_nothing_is_appended() {
    let mut desk = leader::<Paper>(single());
    let reason = "illegal-change";
    for target in [&[][..], &[0, 3, 4], &[0]] {
        let out = change(&mut desk, target);
        assert_eq!(out.replies, [RaftReply::Fail { reason }], "{target:?}");
    }
    assert_eq!(desk.view().last_index, 1);
}

#[test]
fn a_new_voter_learns_first_and_votes_after_a_short_round() {
    // Dissertation 4.2.1.
    let mut desk = leader::<Paper>(bare());
    change(&mut desk, &[0, 1, 2, 3]);
    assert!(desk.view().configuration.is_learner(PeerId(3)));
    desk.sync();
    desk.hand(1, accepted(1, 1, 2));
    desk.pass(999);
    desk.hand(3, accepted(1, 1, 2));
    assert!(desk.view().configuration.is_voter(PeerId(3)));
}

#[test]
fn a_new_voter_that_stays_too_slow_is_given_up() {
    // Ten rounds of an election timeout or more each.
    let mut desk = leader::<Paper>(bare());
    change(&mut desk, &[0, 1, 2, 3]);
    desk.sync();
    desk.hand(1, accepted(1, 1, 2));
    for round in 1..=10 {
        desk.put(round, 0);
        desk.sync();
        desk.pass(1_000);
        let last = desk.view().last_index;
        let out = desk.hand(3, accepted(1, 1, last));
        let reason = "catch-up-too-slow";
        let replies = [RaftReply::Fail { reason }];
        assert_eq!(out.replies == replies, round == 10, "round {round}");
    }
    assert!(!desk.view().configuration.is_voter(PeerId(3)));
}

#[test]
fn a_cluster_replaces_all_of_its_members_while_it_works() {
    // Paper 6, end to end: {0,1,2} to {3,4,5}, the leader among the leaving.
    let config = RaftConfig::default();
    let mut weather = Weather::new(11, config, &[0, 1, 2], 6, 0);
    weather.climate = FAIR;
    weather.run(10_000);
    let target = Box::new(voters(&[3, 4, 5]));
    for slot in 0..3 {
        let target = target.clone();
        weather.ask(slot, RaftRequest::ChangeMembership { target });
    }
    weather.run(20_000);
    let leader = (3..6).find(|slot| weather.server(*slot).role() == Role::Leader);
    let leader = weather.server(leader.expect("one of the new leads"));
    assert_eq!(**leader.configuration(), *target);
    assert!((0..3).all(|slot| weather.server(slot).role() == Role::Follower));
    assert_eq!(weather.judge.violation, None);
}

#[test]
fn a_removed_server_that_does_not_know_it_disturbs_nobody() {
    // Server 3 is cut off while it is removed, comes back and keeps asking.
    let config = RaftConfig::default();
    let mut weather = Weather::new(12, config, &[0, 1, 2, 3], 4, 0);
    weather.climate = FAIR;
    weather.run(10_000);
    weather.side[3] = 1;
    weather.run(5_000);
    let target = Box::new(voters(&[0, 1, 2]));
    for slot in 0..3 {
        let target = target.clone();
        weather.ask(slot, RaftRequest::ChangeMembership { target });
    }
    weather.run(5_000);
    let before = weather.judge.count("leader-elected");
    weather.side[3] = 0;
    weather.run(20_000);
    assert_eq!(weather.judge.count("leader-elected"), before);
}
