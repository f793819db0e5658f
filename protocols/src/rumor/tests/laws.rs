//! What the papers promise, as predicates that a mutant can be held against.
//!
//! Seeds are fixed: a law holds or it does not. Tolerances are one to three standard errors of the
//! mean, and less than what the mildest mutant moves.

use std::collections::BTreeMap;

use super::*;
use crate::tabletop::Tabletop;

/// Whether `value` lies within `share` of `wanted`.
fn near(value: f64, wanted: f64, share: f64) -> bool {
    (value - wanted).abs() <= share * wanted
}

/// Doerr and Künnemann 2014: floor(log2 n) + ln n - 1.116 <= E <= ceil(log2 n) + ln n + 2.765.
pub(super) fn push_takes_the_published_rounds<R: Rules>() -> bool {
    [64_u32, 512].iter().all(|&peers| {
        let (log2, ln) = (libm::log2(f64::from(peers)), libm::log(f64::from(peers)));
        let mean = mean_rounds::<R>(Mode::Push, peers, 40);
        (log2.floor() + ln - 1.116..=log2.ceil() + ln + 2.765).contains(&mean)
    })
}

/// Karp et al. 2000: log3 n + O(log log n), where ours is between 1 and log2 log2 n.
pub(super) fn push_pull_takes_the_published_rounds<R: Rules>() -> bool {
    [256_u32, 768].iter().all(|&peers| {
        let size = f64::from(peers);
        let beyond = mean_rounds::<R>(Mode::PushPull, peers, 25) - libm::log(size) / libm::log(3.0);
        (1.0..=libm::log2(libm::log2(size))).contains(&beyond)
    })
}

/// Demers et al. 1987, section 1.4: s = e^-m for push, whatever ends the interest.
pub(super) fn push_leaves_e_to_minus_traffic<R: Rules>() -> bool {
    let ends = [
        (Contacts::Feedback, Loss::Counter { k: 1 }),
        (Contacts::Feedback, Loss::Coin { k: 2 }),
        (Contacts::Blind, Loss::Counter { k: 2 }),
        (Contacts::Blind, Loss::Coin { k: 3 }),
    ];
    ends.iter().all(|&(contacts, loss)| {
        let config = config(Mode::Push, Rounds::Synchronous, loss, contacts);
        let (residue, traffic) = residue_and_traffic::<R>(config, 1000, 10);
        residue > 0.0 && near(residue, libm::exp(-traffic), 0.15)
    })
}

/// The solution below 1 of s = e^-(k+1)(1-s), by iteration from below.
fn residue_of_feedback(k: u32) -> f64 {
    (0..200).fold(0.0, |s, _| libm::exp(-f64::from(k + 1) * (1.0 - s)))
}

/// Demers et al. 1987, section 1.4: s = e^-(k+1)(1-s) with feedback; a peer makes k vain contacts.
pub(super) fn feedback_obeys_its_law<R: Rules>() -> bool {
    let ends = (1..=3).flat_map(|k| [(k, Loss::Counter { k }), (k, Loss::Coin { k })]);
    ends.into_iter().all(|(k, loss)| {
        let config = config(Mode::Push, Rounds::OwnPhase, loss, Contacts::Feedback);
        let (residue, traffic) = residue_and_traffic::<R>(config, 1000, 10);
        let contacts = f64::from(k + 1) * (1.0 - residue);
        near(residue, residue_of_feedback(k), 0.15) && near(traffic, contacts, 0.03)
    })
}

/// Demers et al. 1987, tables 1 to 3, simulated with 1000 sites: (k, residue, traffic).
///
/// Pull ends far below push: 0.031 for k = 1, where e^-m is 0.067.
pub(super) fn simulations_give_the_published_tables<R: Rules>() -> bool {
    const FEEDBACK_PUSH: [(u32, f64, f64); 3] =
        [(1, 0.18, 1.74), (2, 0.037, 3.30), (3, 0.011, 4.53)];
    const BLIND_PUSH: [(u32, f64, f64); 3] = [(1, 0.96, 0.04), (2, 0.20, 1.59), (3, 0.060, 2.82)];
    const FEEDBACK_PULL: [(u32, f64, f64); 2] = [(1, 0.031, 2.70), (2, 0.000_58, 4.49)];
    let holds = |mode, contacts, loss, residue: f64, traffic: f64| {
        let config = config(mode, Rounds::Synchronous, loss, contacts);
        let (s, m) = residue_and_traffic::<R>(config, 1000, 12);
        // Where the residue is below a peer, an absolute bound must do.
        (s - residue).abs() <= (0.15 * residue).max(0.000_5) && (m - traffic).abs() < 0.06
    };
    let (feedback, blind) = (Contacts::Feedback, Contacts::Blind);
    let row = |k| Loss::Consecutive { k };
    FEEDBACK_PUSH
        .iter()
        .all(|&(k, s, m)| holds(Mode::Push, feedback, row(k), s, m))
        && BLIND_PUSH
            .iter()
            .all(|&(k, s, m)| holds(Mode::Push, blind, Loss::Coin { k }, s, m))
        && FEEDBACK_PULL
            .iter()
            .all(|&(k, s, m)| holds(Mode::Pull, feedback, row(k), s, m))
}

/// Karp et al. 2000, section 3: everybody hears it, all lose interest, and the copies for each peer
/// hardly grow with the group. With a single phase hardly anybody is left out; with two nobody.
pub(super) fn median_counter_is_doubly_logarithmic<R: Rules>() -> bool {
    let measured = |max, peers| {
        let loss = Loss::MedianCounter { max };
        let config = config(Mode::PushPull, Rounds::Synchronous, loss, Contacts::Blind);
        residue_and_traffic::<R>(config, peers, 3)
    };
    let (left_out, _) = measured(1, 1_024);
    let [(none, few), (nobody, many)] = [measured(2, 64), measured(2, 2_048)];
    left_out < 0.01 && none == 0.0 && nobody == 0.0 && many < 15.0 && many / few < 1.25
}

/// Every peer that hears the rumor reports it once, and those are all who know it.
pub(super) fn everybody_learns_once<R: Rules>() -> bool {
    let loss = Loss::Counter { k: 2 };
    let config = config(Mode::Push, Rounds::Synchronous, loss, Contacts::Feedback);
    let epidemic = Epidemic::<R>::run(3, 256, 40, &Arc::new(config));
    let mut learned = BTreeMap::new();
    for (_, peer, event) in &epidemic.table.events {
        if let RumorEvent::Learned { .. } = event {
            *learned.entry(peer.0).or_insert(0) += 1;
        }
    }
    let once = |peer| learned.get(&peer) == epidemic.knows(peer).then_some(&1);
    learned.len() > 200 && (0..256).all(once)
}

/// One epidemic of the bare round model: who knows after a round depends on who knew before it.
fn bare_model(mode: Mode, peers: u32, dice: &mut Stream) -> u32 {
    let mut knows = vec![false; peers as usize];
    knows[0] = true;
    for round in 1.. {
        let before = knows.clone();
        for caller in 0..peers as usize {
            let drawn = dice.below(u64::from(peers) - 1) as usize;
            let called = drawn + usize::from(drawn >= caller);
            knows[called] |= mode.pushes() && before[caller];
            knows[caller] |= mode.pulls() && before[called];
        }
        if knows.iter().all(|knows| *knows) {
            return round;
        }
    }
    unreachable!("an epidemic that nobody leaves reaches all")
}

/// The machines with their delays take as many rounds as the bare model on the mean.
pub(super) fn rounds_are_those_of_the_bare_model<R: Rules>() -> bool {
    let mut dice = Stream::new(RunKey::from_seed(1), StreamLabel::global("model"));
    [Mode::Push, Mode::Pull, Mode::PushPull]
        .iter()
        .all(|&mode| {
            let runs = (0..400).map(|_| f64::from(bare_model(mode, 256, &mut dice)));
            let model = runs.sum::<f64>() / 400.0;
            // The longest standard deviation is that of push, 1.5 rounds; 40 runs.
            (mean_rounds::<R>(mode, 256, 40) - model).abs() < 0.6
        })
}

#[test]
fn delays_within_a_round_change_no_count_of_rounds() {
    assert!(rounds_are_those_of_the_bare_model::<AsPublished>());
}

#[test]
fn push_takes_log2_n_plus_ln_n_rounds() {
    assert!(push_takes_the_published_rounds::<AsPublished>());
}

#[test]
fn push_pull_takes_log3_n_rounds_and_a_little() {
    assert!(push_pull_takes_the_published_rounds::<AsPublished>());
}

#[test]
fn push_pull_beats_push_and_pull() {
    // Each does what the other cannot: push is fast at first, pull at the end.
    let mean = |mode| mean_rounds::<AsPublished>(mode, 256, 20);
    let both = mean(Mode::PushPull);
    assert!(both + 2.0 < mean(Mode::Pull) && mean(Mode::Pull) < mean(Mode::Push));
}

#[test]
fn the_residue_of_push_is_e_to_minus_traffic() {
    assert!(push_leaves_e_to_minus_traffic::<AsPublished>());
}

#[test]
fn the_residue_of_feedback_obeys_its_law() {
    assert!(feedback_obeys_its_law::<AsPublished>());
}

#[test]
fn the_machines_give_the_published_tables() {
    assert!(simulations_give_the_published_tables::<AsPublished>());
}

#[test]
fn the_median_counter_costs_few_copies_whatever_the_size() {
    assert!(median_counter_is_doubly_logarithmic::<AsPublished>());
}

#[test]
fn each_peer_reports_a_rumor_once() {
    assert!(everybody_learns_once::<AsPublished>());
}

#[test]
fn the_load_of_a_peer_does_not_grow_with_the_group() {
    // Calls in each round, plus vain contacts bounded by k: nothing in it is a function of n.
    let loss = Loss::Counter { k: 2 };
    let traffic = |peers| {
        let config = config(Mode::Push, Rounds::OwnPhase, loss, Contacts::Feedback);
        residue_and_traffic::<AsPublished>(config, peers, 6).1
    };
    assert!(near(traffic(1024), traffic(128), 0.05));
}

#[test]
fn anti_entropy_leaves_no_residue() {
    // The same epidemic leaves more than a tenth ignorant without the backup.
    let mut config = config(
        Mode::Push,
        Rounds::Synchronous,
        Loss::Counter { k: 1 },
        Contacts::Feedback,
    );
    let without = Epidemic::<AsPublished>::run(1, 256, 45, &Arc::new(config.clone()));
    assert!(without.residue() > 0.1);
    config.anti_entropy = Some(PERIOD * 4);
    let with = Epidemic::<AsPublished>::run(1, 256, 45, &Arc::new(config));
    assert!(with.residue() == 0.0 && with.sent("repair") > 0);
}

#[test]
fn an_endless_rumor_outlives_the_loss_of_half_the_messages() {
    // Calls, answers and pushes are lost alike; only repetition can make it complete.
    let config = config(
        Mode::PushPull,
        Rounds::OwnPhase,
        Loss::Never,
        Contacts::Blind,
    );
    let config = Arc::new(config);
    let partners = Partners::Everyone { peers: 128 };
    let machines = (0..128).map(|_| Rumor::new(Arc::clone(&config), partners.clone()));
    let mut table = Tabletop::new(5, DELAY, machines.collect());
    let mut dice = Stream::new(RunKey::from_seed(5), StreamLabel::global("loss"));
    table.carry_if(move |_, _, _| dice.below(2) == 0);
    table.start_all();
    let start = RumorRequest::Start {
        payload: 7,
        size: 0,
    };
    table.request(PeerId(0), RequestId(0), start);
    table.run_for(PERIOD * 40);
    assert!((0..128).all(|peer| table.machine(PeerId(peer)).knows(RUMOR)));
}

#[test]
fn a_rumor_follows_the_given_neighbours_one_hop_a_round() {
    // On a line pushed only to the right, peer i can hear it only from i - 1, in round i.
    let config = config(
        Mode::Push,
        Rounds::Synchronous,
        Loss::Never,
        Contacts::Blind,
    );
    let config = Arc::new(config);
    let right = |peer: u32| (peer < 9).then_some(PeerId(peer + 1));
    let machine = |peer| {
        let neighbours: Vec<PeerId> = right(peer).into_iter().collect();
        Rumor::new(Arc::clone(&config), Partners::Neighbours(neighbours.into()))
    };
    let mut table = Tabletop::new(1, DELAY, (0..10).map(machine).collect());
    table.start_all();
    let start = RumorRequest::Start {
        payload: 7,
        size: 0,
    };
    table.request(PeerId(0), RequestId(0), start);
    table.run_for(PERIOD * 12);
    let heard: Vec<(u32, u32, u32)> = (table.events.iter())
        .filter_map(|(_, peer, event)| match event {
            RumorEvent::Learned { learned } => Some((peer.0, learned.round, learned.hops)),
            RumorEvent::Recovered { .. }
            | RumorEvent::InterestLost { .. }
            | RumorEvent::Rejected { .. } => None,
        })
        .collect();
    let expected: Vec<_> = (0..10).map(|peer| (peer, peer, peer)).collect();
    assert_eq!(heard, expected);
}

#[test]
fn several_rumors_spread_side_by_side() {
    // Eight origins with two rumors each: all 128 peers end with all 16, each under its own payload.
    let config = Arc::new(RumorConfig::default());
    let partners = Partners::Everyone { peers: 128 };
    let machine = || Rumor::new(Arc::clone(&config), partners.clone());
    let mut table = Tabletop::new(2, DELAY, (0..128).map(|_| machine()).collect());
    table.start_all();
    let rumors: Vec<RumorId> = (0..16)
        .map(|number| RumorId {
            origin: PeerId(number % 8),
            sequence: number / 8,
        })
        .collect();
    for (payload, rumor) in (0..).zip(&rumors) {
        let start = RumorRequest::Start { payload, size: 0 };
        table.request(rumor.origin, RequestId(payload), start);
    }
    table.run_for(config.period * 15);
    for peer in (0..128).map(PeerId) {
        let heard = rumors
            .iter()
            .map(|rumor| table.machine(peer).payload(*rumor));
        assert!(heard.eq((0..16).map(Some)));
    }
}

#[test]
fn a_larger_fanout_takes_fewer_rounds() {
    // With fanout f the informed grow (1 + f)-fold at first and the rest shrink e^-f-fold at the end:
    // log3 n + ln n / 2 for f = 2, so that 256 peers take 5.0 + 2.8 rounds and not 8 + 5.5.
    let loss = Loss::Never;
    let mut config = config(Mode::Push, Rounds::Synchronous, loss, Contacts::Blind);
    config.fanout = 2;
    let config = Arc::new(config);
    let rounds = (0..20).map(|seed| {
        let epidemic = Epidemic::<AsPublished>::run(seed, 256, 40, &config);
        f64::from(epidemic.rounds_to_all().expect("all are reached"))
    });
    let mean = rounds.sum::<f64>() / 20.0;
    assert!((mean - 7.8).abs() < 1.5, "{mean}");
}
