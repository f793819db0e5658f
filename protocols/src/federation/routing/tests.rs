//! What is decided, by which way, and which ballots count.

use std::collections::BTreeSet;

use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionKind, Digest};
use crate::federation::testing::{ACME, GLOBEX, keys, needed};
use crate::identity::Identity;
use crate::signed::Signed;
use crate::time::LocalTime;

needed!(shared_state_is_decided: decides_what_changes_shared_state, NothingDecided);
needed!(strangers_do_not_vote: ignores_ghosts, StrangersVote);
needed!(the_departed_do_not_vote: ignores_a_departed_member, EpochsUnchecked);
needed!(nobody_votes_twice: counts_a_voter_once, VotesRepeat);
needed!(ballots_are_signed: ignores_a_forged_ballot, BallotsUnsigned);
needed!(no_quorum_is_zero: decides_nothing_without_votes, QuorumMayBeZero);
needed!(half_a_quorum_is_none: decides_nothing_by_half_a_quorum, HalfDecides);

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn proposal() -> Digest {
    Digest::of(&"trust globex")
}

fn poll<R: Rules>(members: std::ops::Range<u8>, threshold: Threshold) -> Poll<R> {
    let roster = members.map(id).collect();
    Poll::new((proposal(), 3), roster, threshold, at(30))
}

fn ballot(number: u8, approves: bool) -> Signed<Ballot> {
    of_epoch(number, 3, approves)
}

fn of_epoch(number: u8, epoch: u64, approves: bool) -> Signed<Ballot> {
    keys(number).sign(Ballot {
        proposal: proposal(),
        epoch,
        approves,
    })
}

impl<R: Rules> Poll<R> {
    fn hear(&mut self, ballot: &Signed<Ballot>) -> Result<PollOutcome, BallotRefusal> {
        self.cast(ballot, at(1), &mut keys(0))
    }
}

fn decides_nothing_by_half_a_quorum<R: Rules>() -> bool {
    let mut poll = poll::<R>(0..4, Threshold::Byzantine);
    let votes = [0, 1].map(|number| poll.hear(&ballot(number, true)));
    votes.iter().all(|vote| *vote == Ok(PollOutcome::Open))
}

fn decides_what_changes_shared_state<R: Rules>() -> bool {
    let router = Router::<R>::new(Adversary::Byzantine, Tiers::Flat);
    let concerned = BTreeSet::from([ACME, GLOBEX]);
    ActionKind::ALL
        .into_iter()
        .all(|kind| router.route(kind, &concerned).is_decided() == kind.changes_shared_state())
}

fn ignores_ghosts<R: Rules>() -> bool {
    // Three ghosts decide among four members of whom none has voted.
    let mut poll = poll::<R>(0..4, Threshold::Byzantine);
    let refused = [101, 102, 103].map(|ghost| poll.hear(&ballot(ghost, true)));
    refused == [Err(BallotRefusal::Stranger); 3] && poll.outcome(at(1)) == PollOutcome::Open
}

fn ignores_a_departed_member<R: Rules>() -> bool {
    let mut poll = poll::<R>(0..4, Threshold::Byzantine);
    poll.hear(&of_epoch(0, 2, true)) == Err(BallotRefusal::OtherEpoch)
}

fn counts_a_voter_once<R: Rules>() -> bool {
    let mut poll = poll::<R>(0..4, Threshold::Byzantine);
    let first = poll.hear(&ballot(0, true)).is_ok();
    let again = [true, false, true].map(|approves| poll.hear(&ballot(0, approves)).is_err());
    first && again == [true; 3] && poll.outcome(at(1)) == PollOutcome::Open
}

fn ignores_a_forged_ballot<R: Rules>() -> bool {
    let mut poll = poll::<R>(0..4, Threshold::Byzantine);
    let content = *ballot(1, true).content();
    let forged = Signed::from_parts(content, keys(1).public(), ballot(2, true).signature());
    poll.hear(&forged) == Err(BallotRefusal::Forged)
}

fn decides_nothing_without_votes<R: Rules>() -> bool {
    // The empty roster, under every threshold: ceil(2/3 of nobody) is zero, and zero votes are
    // there at once.
    let thresholds = [
        Threshold::Majority,
        Threshold::Byzantine,
        Threshold::TwoThirds,
    ];
    thresholds.into_iter().all(|threshold| {
        let poll = poll::<R>(0..0, threshold);
        poll.quorum() > 0 && poll.outcome(at(1)) == PollOutcome::Rejected
    })
}

#[test]
fn the_way_follows_the_adversary_and_who_is_concerned() {
    // The whole table.
    let (one, two) = (BTreeSet::from([ACME]), BTreeSet::from([ACME, GLOBEX]));
    let route = |adversary, tiers, concerned| {
        Router::<Strict>::new(adversary, tiers).route(ActionKind::HandOff, concerned)
    };
    let inside = Route::RaftInside { organisation: ACME };
    for tiers in [Tiers::Flat, Tiers::Two] {
        assert_eq!(route(Adversary::Byzantine, tiers, &one), inside);
        assert_eq!(route(Adversary::CrashOnly, tiers, &two), Route::RaftAcross);
    }
    assert_eq!(
        route(Adversary::Byzantine, Tiers::Flat, &two),
        Route::PbftFlat
    );
    assert_eq!(
        route(Adversary::Byzantine, Tiers::Two, &two),
        Route::PbftTwoTier
    );
    let router = Router::<Strict>::default();
    assert_eq!(router.route(ActionKind::Status, &two), Route::Gossip);
    assert_eq!(router.route(ActionKind::Message, &two), Route::Direct);
    // Concerning nobody known is no way around a decision.
    assert_eq!(
        router.route(ActionKind::HandOff, &BTreeSet::new()),
        Route::PbftFlat
    );
}

#[test]
fn a_quorum_of_yes_approves_and_no_more_than_the_rest_can_stop_it() {
    // n = 4, q = 3: two noes leave two.
    let mut poll = poll::<Strict>(0..4, Threshold::Byzantine);
    assert_eq!(poll.hear(&ballot(0, true)), Ok(PollOutcome::Open));
    assert_eq!(poll.hear(&ballot(1, false)), Ok(PollOutcome::Open));
    let mut rejected = poll.clone();
    assert_eq!(poll.hear(&ballot(2, true)), Ok(PollOutcome::Open));
    assert_eq!(poll.hear(&ballot(3, true)), Ok(PollOutcome::Approved));
    assert_eq!(rejected.hear(&ballot(2, false)), Ok(PollOutcome::Rejected));
    let late = poll.cast(&ballot(1, true), at(31), &mut keys(0));
    assert_eq!(late, Err(BallotRefusal::Closed));
}

#[test]
fn a_poll_lapses() {
    // 30 s without a quorum; nobody's silence is a yes.
    let mut poll = poll::<Strict>(0..4, Threshold::Byzantine);
    poll.hear(&ballot(0, true)).unwrap();
    assert_eq!(poll.outcome(at(30)), PollOutcome::Open);
    assert_eq!(poll.outcome(at(31)), PollOutcome::Lapsed);
}

#[test]
fn two_thirds_rounded_up_is_the_byzantine_quorum_of_everybody_but_nobody() {
    // The published fraction is right for every size, so what is wrong with it is the empty roster.
    for n in 1..300 {
        assert_eq!(
            Threshold::TwoThirds.of(n),
            Threshold::Byzantine.of(n),
            "n = {n}"
        );
    }
    assert_eq!(
        [Threshold::TwoThirds, Threshold::Byzantine].map(|t| t.of(0)),
        [0, 1]
    );
}

#[test]
fn two_organisations_decide_together_and_tolerate_no_liar() {
    // f = 0 for one replica each and for three each: whoever holds half can fork or halt it.
    for holdings in [[1, 1], [3, 3], [4, 4]] {
        let tolerance = Tolerance::flat(&holdings);
        assert_eq!(tolerance.organisations_lying, 0, "{holdings:?}");
        assert_eq!(tolerance.organisations_silent, 0, "{holdings:?}");
        assert!(tolerance.quorum > holdings[0], "{holdings:?}");
    }
}

#[test]
fn four_organisations_of_three_survive_one_lying_organisation_and_three_lying_replicas() {
    // Flat over 12: f = 3. Two tiers: one organisation that holds any liar; two liars in two
    // organisations are one too many.
    let flat = Tolerance::flat(&[3, 3, 3, 3]);
    assert_eq!((flat.replicas, flat.quorum), (12, 8));
    assert_eq!((flat.replicas_lying, flat.organisations_lying), (3, 1));
    assert_eq!(Tolerance::two_tier(4).organisations_lying, 1);
    assert_eq!(Tolerance::two_tier(7).organisations_lying, 2);
    // One organisation with more than f replicas is enough to lose it all.
    assert_eq!(Tolerance::flat(&[4, 3, 3, 2]).organisations_lying, 0);
    assert_eq!(Tolerance::flat(&[]).quorum, 1);
}
