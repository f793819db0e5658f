//! What is drawn for a round holds for the whole round, and for nothing else.

use std::collections::BTreeSet;

use fedsim_protocols::raft::RaftMessage;
use fedsim_protocols::{LocalTime, PeerId, Probability, RunKey, SimDuration};
use fedsim_scenarios::spec::Behaviour;
use fedsim_scenarios::spec::adversaries::{BehaviourSettings, Scope};

use super::{Desk, append, scenario};
use crate::adversary::forge::Round;
use crate::adversary::network::{Bounds, Schemer};
use crate::adversary::roles::Role;
use crate::time::SimTime;

fn by_rounds() -> BehaviourSettings {
    BehaviourSettings {
        scope: Some(Scope::Round),
        ..BehaviourSettings::default()
    }
}

/// Who gets something else than `message` when the machine sends it to all, and what.
fn changed(desk: &mut Desk, message: &RaftMessage) -> Vec<(PeerId, RaftMessage)> {
    let said = desk.say(message).into_iter();
    let told = said.map(|(to, list)| (to, list[0].1.clone()));
    told.filter(|(_, got)| got != message).collect()
}

#[test]
fn a_round_is_changed_in_one_way_for_the_same_peers_however_often_it_is_told() {
    // An append of one term is one round: whoever is drawn gets one mutant, again and again; another
    // term is another round, with other receivers or another mutant sooner or later.
    let mut desk = Desk::new(&[0], &[Behaviour::Mutate], by_rounds());
    let mut kinds = BTreeSet::new();
    for term in 1..30 {
        let first = changed(&mut desk, &append(term));
        assert!(!first.is_empty(), "any number of receivers is one at least");
        assert!(first.iter().all(|it| it.1 == first[0].1), "{first:?}");
        assert_eq!(changed(&mut desk, &append(term)), first);
        kinds.insert(first.iter().map(|it| it.0).collect::<Vec<_>>());
    }
    assert!(kinds.len() > 5, "{kinds:?}");
}

#[test]
fn no_more_rounds_and_receivers_are_touched_than_the_settings_say() {
    let settings = BehaviourSettings {
        rounds: Some(3),
        receivers: Some(2),
        share: Probability::from_f64(0.5),
        ..by_rounds()
    };
    let mut desk = Desk::new(&[0], &[Behaviour::Mutate], settings);
    let told = (1..40).map(|term| changed(&mut desk, &append(term)).len());
    let told: Vec<usize> = told.collect();
    assert_eq!(told.iter().filter(|count| **count == 2).count(), 3);
    assert_eq!(told.iter().sum::<usize>(), 6);
    assert!(told[..3] != [2, 2, 2], "half of the rounds are left alone");
}

#[test]
fn without_a_scope_each_message_is_drawn_by_itself() {
    // Two sends of one round differ sooner or later.
    let mut desk = Desk::alone(Behaviour::Mutate);
    let first = changed(&mut desk, &append(1));
    assert!((0..20).any(|_| changed(&mut desk, &append(1)) != first));
}

/// A network that cuts the rounds of a share.
fn schemer(share: f64) -> Schemer {
    let mut scenario = scenario(
        5,
        &[],
        &[Behaviour::CutRounds],
        BehaviourSettings::default(),
    );
    scenario.assume.delay = Some(SimDuration::from_millis(100));
    let settings = BehaviourSettings {
        share: Probability::from_f64(share),
        ..BehaviourSettings::default()
    };
    let role = Role {
        label: "test".to_owned(),
        peers: Vec::new(),
        what: vec![Behaviour::CutRounds],
        settings,
    };
    let bounds = Bounds::new(&scenario, &[role]).expect("the network takes sides");
    let mut schemer = Schemer::new(&bounds, RunKey::from_seed(7), SimDuration::from_millis(10));
    schemer.turn(0, true);
    schemer
}

/// Between which of five peers a round is cut.
fn cuts(schemer: &Schemer, round: Round) -> Vec<(u32, u32)> {
    let pairs = (0..5).flat_map(|from| (0..5).map(move |to| (from, to)));
    let arrival = |(from, to): (u32, u32)| {
        let link = (PeerId(from), PeerId(to));
        schemer.arrival(link, SimTime::ZERO, 0, || Some(round))
    };
    pairs.filter(|pair| arrival(*pair).is_some()).collect()
}

#[test]
fn a_cut_round_is_cut_between_two_halves_both_ways_and_no_other_round_with_it() {
    let schemer = schemer(0.5);
    let round = |view, place, phase| Round { view, place, phase };
    let (mut cut, mut shapes) = (0, BTreeSet::new());
    for place in 0..200 {
        let pairs = cuts(&schemer, round(1, place, 3));
        let is_mutual = |pair: &(u32, u32)| pairs.contains(&(pair.1, pair.0)) && pair.0 != pair.1;
        assert!(pairs.iter().all(is_mutual));
        // Whoever is on one side is cut off from all of the other.
        assert!([0, 8, 12].contains(&pairs.len()), "{pairs:?}");
        assert_eq!(pairs, cuts(&schemer, round(1, place, 3)));
        cut += usize::from(!pairs.is_empty());
        shapes.insert(pairs);
    }
    // Half of them, and of those all but the 2 in 32 where one half is empty.
    assert!((70..120).contains(&cut), "{cut}");
    assert_eq!(shapes.len(), 16);
    let others = [round(2, 7, 3), round(1, 7, 4), round(1, 8, 3)];
    let same = |other: &Round| cuts(&schemer, *other) == cuts(&schemer, round(1, 7, 3));
    assert!(!others.iter().all(same));
}

#[test]
fn rounds_of_a_clock_are_spans_of_it() {
    let second = SimDuration::from_secs(1);
    let at = |nanos| Round::of_period(LocalTime::from_nanos(nanos), second, 2).place;
    assert_eq!([-5, 0, 999_999_999, 1_000_000_000].map(at), [0, 0, 0, 1]);
}
