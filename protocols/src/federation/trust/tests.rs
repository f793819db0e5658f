//! What each model makes of the same peer: every hole of the reference, with its number, and its
//! absence in the sound model.

use super::evaluator::Components;
use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Level, Money, Organisation, Share};
use crate::federation::testing::{ACME, GLOBEX, keys, needed};
use crate::identity::Identity;
use crate::time::LocalTime;

needed!(the_channel_is_charged: spares_a_framed_peer, ClaimedSourceCharged);
needed!(threats_and_forgeries_fell: fells_by_two_threats_or_one_forgery, NobodyFalls);
needed!(a_level_is_earned: keeps_a_newcomer_low, LevelsUnearned);
needed!(the_last_level_needs_a_human: waits_for_a_human, HumansUnasked);
needed!(a_new_name_is_no_new_start: holds_a_whitewasher_at_the_door, WhitewashingAllowed);

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
const CENT: Money = Money::from_cents(1);

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn evaluator<R: Rules>(model: Model) -> Evaluator<R> {
    Evaluator::new(TrustConfig {
        model,
        ..TrustConfig::default()
    })
}

/// One observed peer of the second organisation, minute by minute.
struct Watch<R: Rules = Strict> {
    evaluator: Evaluator<R>,
    peer: Identity,
    minute: i64,
}

impl<R: Rules> Watch<R> {
    fn new(model: Model) -> Self {
        let mut evaluator = evaluator(model);
        let peer = id(11);
        evaluator.meet(peer, GLOBEX);
        evaluator.evaluate(at(0));
        Self {
            evaluator,
            peer,
            minute: 0,
        }
    }

    /// Lets a minute pass with these observations; the assessment at its end.
    fn minute(&mut self, seen: &[Evidence]) -> Assessment {
        self.minute += 1;
        let now = at(self.minute * MINUTE);
        for evidence in seen {
            self.evaluator.observe(self.peer, self.peer, *evidence, now);
        }
        self.evaluator.evaluate(now)[0]
    }

    fn minutes(&mut self, count: i64, seen: &[Evidence]) -> Assessment {
        let mut last = None;
        (0..count).for_each(|_| last = Some(self.minute(seen)));
        last.expect("at least one")
    }
}

const ALIVE: Evidence = Evidence::Alive;
const SERVED: Evidence = Evidence::Served { value: CENT };

fn both() -> [Watch; 2] {
    [Model::Reference, Model::Sound].map(Watch::new)
}

fn thousandths(share: Share) -> u32 {
    share.as_millionths() / 1_000
}

fn tally(messages: u64, bad_signatures: u64, threats: u64, up: bool) -> u32 {
    let tally = Tally {
        messages,
        bad_signatures,
        threats,
        alive: if up { 100 } else { 0 },
        silent: if up { 0 } else { 100 },
    };
    thousandths(tally.score())
}

#[test]
fn the_reference_formula_gives_the_published_scores() {
    // The figures measured on the published package, case by case.
    assert_eq!(tally(1_000, 0, 0, true), 1_000, "faultless");
    assert_eq!(tally(1_000, 0, 1_000, true), 800, "every message a threat");
    assert_eq!(
        tally(1_000, 0, 100, true),
        800,
        "one message in ten a threat"
    );
    assert_eq!(tally(1_000, 0, 0, false), 800, "always down");
    assert_eq!(tally(0, 0, 0, true), 600, "silent");
    assert_eq!(tally(1_000, 1_000, 0, true), 400, "every signature bad");
    assert_eq!(tally(1_000, 1_000, 1_000, true), 200, "all bad but up");
}

#[test]
fn a_peer_whose_every_message_is_a_threat_keeps_0_8_by_the_reference_and_nothing_by_ours() {
    // Slowly enough not to fall at once: one threat in 61 minutes, and nothing else.
    let [mut reference, mut sound] = both();
    for _ in 0..10 {
        for watch in [&mut reference, &mut sound] {
            watch.minutes(60, &[ALIVE]);
            watch.minute(&[ALIVE, Evidence::Received, Evidence::Threat]);
        }
    }
    assert_eq!(thousandths(reference.minute(&[ALIVE]).score), 800);
    assert_eq!(thousandths(sound.minute(&[ALIVE]).score), 0);
}

#[test]
fn traffic_thins_threats_in_the_reference_and_not_in_ours() {
    // One threat an hour among 600 harmless messages an hour: 1.7 % of the threat weight.
    let [mut reference, mut sound] = both();
    let chatter = [ALIVE, SERVED].into_iter().chain([Evidence::Received; 10]);
    let chatter: Vec<Evidence> = chatter.collect();
    for _ in 0..8 {
        for watch in [&mut reference, &mut sound] {
            watch.minutes(60, &chatter);
            watch.minute(&[ALIVE, Evidence::Threat]);
        }
    }
    assert!(thousandths(reference.minute(&[ALIVE]).score) > 990);
    assert_eq!(reference.evaluator.level(id(11)), Level::Trusted);
    assert_eq!(thousandths(sound.minute(&[ALIVE]).score), 0);
    assert_eq!(sound.evaluator.level(id(11)), Level::Verified);
}

#[test]
fn a_peer_that_is_always_down_keeps_0_8_by_the_reference_and_nothing_by_ours() {
    // We keep sending, it never answers.
    let [mut reference, mut sound] = both();
    let down = [
        Evidence::Sent,
        Evidence::Silent,
        Evidence::Failed { value: CENT },
    ];
    assert_eq!(thousandths(reference.minutes(600, &down).score), 800);
    assert_eq!(reference.evaluator.level(id(11)), Level::Attested);
    assert_eq!(thousandths(sound.minutes(600, &down).score), 0);
    assert_eq!(sound.evaluator.level(id(11)), Level::Verified);
}

#[test]
fn silence_keeps_a_level_for_ever_in_the_reference_and_drifts_down_in_ours() {
    // Trusted after nine hours of work; then thirteen weeks in which only the heartbeat answers.
    // Ours: 540 interactions halve thirteen times, 0.06 remain against a prior of 2.
    let [mut reference, mut sound] = both();
    for watch in [&mut reference, &mut sound] {
        watch.minutes(540, &[ALIVE, SERVED]);
        watch.minute(&[ALIVE]);
        assert_eq!(watch.evaluator.level(id(11)), Level::Trusted);
    }
    let mut scores = Vec::new();
    for day in 1..=91 {
        for watch in [&mut reference, &mut sound] {
            let now = at(watch.minute * MINUTE + day * DAY);
            for _ in 0..1_440 {
                watch.evaluator.observe(watch.peer, watch.peer, ALIVE, now);
            }
            let assessment = watch.evaluator.evaluate(now)[0];
            scores.push(thousandths(assessment.score));
        }
    }
    assert_eq!(scores[scores.len() - 2], 1_000);
    assert_eq!(reference.evaluator.level(id(11)), Level::Trusted);
    assert!(
        scores[scores.len() - 1] < 400,
        "{}",
        scores[scores.len() - 1]
    );
    assert_eq!(sound.evaluator.level(id(11)), Level::Verified);
    // It was only silent: it may earn its level again without a human.
    sound.minute += 91 * 1_440;
    sound.minutes(600, &[ALIVE, SERVED]);
    assert_eq!(sound.evaluator.level(id(11)), Level::Trusted);
}

#[test]
fn our_own_chatter_farms_trust_in_the_reference_and_counts_for_nothing_in_ours() {
    // 500 messages of ours make the other trusted, who never did a thing but answer heartbeats.
    let [mut reference, mut sound] = both();
    for watch in [&mut reference, &mut sound] {
        watch.minutes(
            100,
            &[
                ALIVE,
                Evidence::Sent,
                Evidence::Sent,
                Evidence::Sent,
                Evidence::Sent,
                Evidence::Sent,
            ],
        );
        watch.minutes(2, &[ALIVE]);
    }
    assert_eq!(reference.evaluator.level(id(11)), Level::Trusted);
    assert_eq!(sound.evaluator.level(id(11)), Level::Verified);
    assert_eq!(sound.minute(&[ALIVE]).interactions, 0);
}

#[test]
fn cheap_interactions_buy_500_in_minutes_from_the_reference_and_little_from_ours() {
    // 600 favours a minute worth a ten-thousandth of a cent: the reference counts them in full;
    // ours by value. At full value ours still counts 60 an hour and no more.
    let [mut reference, mut sound] = both();
    let cheap = [Evidence::Served { value: Money(1) }; 600];
    assert_eq!(reference.minutes(3, &cheap).level, Level::Trusted);
    assert_eq!(sound.minutes(3, &cheap).interactions, 0);
    let mut eager = Watch::<Strict>::new(Model::Sound);
    let dear = [SERVED; 600];
    let assessment = eager.minutes(60, &dear);
    assert!(
        (117..=120).contains(&assessment.interactions),
        "{assessment:?}"
    );
    assert!(assessment.level < Level::Trusted);
}

#[test]
fn cheap_honesty_does_not_pay_for_an_expensive_betrayal() {
    // On-off: a day of one-cent favours, then one task worth 20 USD that it spoils. The reference
    // sees no bad signature and sees nothing; ours holds 2,000 cents against 1,440.
    let [mut reference, mut sound] = both();
    let betrayal = Evidence::Failed {
        value: Money::from_cents(2_000),
    };
    for watch in [&mut reference, &mut sound] {
        watch.minutes(1_440, &[ALIVE, SERVED]);
        assert_eq!(watch.evaluator.level(id(11)), Level::Trusted);
        watch.minute(&[ALIVE, betrayal]);
    }
    assert_eq!(thousandths(reference.minute(&[ALIVE]).score), 1_000);
    assert_eq!(reference.evaluator.level(id(11)), Level::Trusted);
    let score = thousandths(sound.minute(&[ALIVE]).score);
    assert!((550..650).contains(&score), "{score}");
    assert_eq!(sound.evaluator.level(id(11)), Level::Attested);
    // It was to blame: work alone does not bring the level back, a human does.
    sound.minutes(2 * 1_440, &[ALIVE, SERVED]);
    let score = sound.minutes(12 * 1_440, &[ALIVE, SERVED]).score;
    assert!(score > Share::millionths(850_000), "{score}");
    assert_eq!(sound.evaluator.level(id(11)), Level::Attested);
    sound.evaluator.decree(id(11), GLOBEX, Level::Attested);
    assert_eq!(sound.minute(&[ALIVE, SERVED]).level, Level::Trusted);
}

#[test]
fn after_a_fall_the_reference_starts_over_and_ours_waits_for_a_human() {
    // One bad signature fells in both; a new contact is all that the reference asks for.
    let [mut reference, mut sound] = both();
    for watch in [&mut reference, &mut sound] {
        watch.minutes(60, &[ALIVE, SERVED]);
        watch.minute(&[Evidence::BadSignature]);
        assert_eq!(watch.evaluator.level(id(11)), Level::Untrusted);
        watch.evaluator.meet(id(11), GLOBEX);
        watch.minutes(90 * 24, &[ALIVE, SERVED]);
    }
    assert!(reference.evaluator.level(id(11)) >= Level::Attested);
    assert_eq!(sound.evaluator.level(id(11)), Level::Untrusted);
    sound.evaluator.decree(id(11), GLOBEX, Level::Verified);
    sound.minutes(120, &[ALIVE, SERVED]);
    assert_eq!(sound.evaluator.level(id(11)), Level::Attested);
}

#[test]
fn no_component_of_ours_makes_up_for_another() {
    // Each alone at its worst takes the score below every threshold that it should.
    let config = SoundConfig::default();
    let good = Weights {
        served: 1_000_000_000,
        alive: 1_000_000_000,
        ..Weights::new(&config)
    };
    assert!(thousandths(good.score(&config)) > 990);
    let spoilt = [
        (
            Weights {
                threats: 3_000_000,
                ..good
            },
            0,
        ),
        (
            Weights {
                bad_signatures: 1_000_000,
                ..good
            },
            0,
        ),
        (
            Weights {
                served: 0,
                failed: 1_000_000_000,
                ..good
            },
            333,
        ),
        (
            Weights {
                alive: 0,
                silent: 1_000_000_000,
                ..good
            },
            667,
        ),
    ];
    for (weights, wanted) in spoilt {
        let score = thousandths(weights.score(&config));
        assert!(score.abs_diff(wanted) <= 3, "{weights:?}: {score}");
    }
}

fn spares_a_framed_peer<R: Rules>() -> bool {
    // Mallory (12) sends threats that name honest peer 11 as their source.
    let mut evaluator = evaluator::<R>(Model::Sound);
    evaluator.meet(id(11), GLOBEX);
    evaluator.meet(id(12), Organisation(2));
    for second in [0, 1] {
        evaluator.observe(id(12), id(11), Evidence::Threat, at(second));
    }
    evaluator.level(id(11)) == Level::Verified && evaluator.level(id(12)) == Level::Untrusted
}

fn fells_by_two_threats_or_one_forgery<R: Rules>() -> bool {
    let mut evaluator = evaluator::<R>(Model::Sound);
    for (number, organisation) in [(1, ACME), (11, GLOBEX), (12, Organisation(2))] {
        evaluator.meet(id(number), organisation);
    }
    for (number, second) in [(11, 0), (11, 3_599), (12, 0), (12, 3_601)] {
        evaluator.observe(id(number), id(number), Evidence::Threat, at(second));
    }
    evaluator.observe(id(1), id(1), Evidence::BadSignature, at(0));
    let levels = [1, 11, 12].map(|number| evaluator.level(id(number)));
    levels == [Level::Untrusted, Level::Untrusted, Level::Verified]
}

fn keeps_a_newcomer_low<R: Rules>() -> bool {
    // 49 interactions are one too few, whatever the score.
    let mut watch = Watch::<R>::new(Model::Sound);
    watch.minutes(49, &[ALIVE, SERVED]);
    watch.minute(&[ALIVE]).level == Level::Verified
}

fn waits_for_a_human<R: Rules>() -> bool {
    // Faultless for weeks: everything but the attestation and the yes is there.
    let mut watch = Watch::<R>::new(Model::Reference);
    let busy = [SERVED; 20].into_iter().chain([ALIVE]);
    let busy: Vec<Evidence> = busy.collect();
    let waits = watch.minutes(300, &busy).level == Level::Trusted;
    watch.evaluator.attest(id(11));
    let still_waits = watch.minutes(10, &busy).level == Level::Trusted;
    watch.evaluator.approve(id(11));
    waits && still_waits && watch.minute(&busy).level == Level::Privileged
}

fn holds_a_whitewasher_at_the_door<R: Rules>() -> bool {
    let mut evaluator = evaluator::<R>(Model::Sound);
    evaluator.meet(id(11), GLOBEX);
    evaluator.observe(id(11), id(11), Evidence::BadSignature, at(0));
    evaluator.meet(id(12), GLOBEX);
    let is_held = evaluator.level(id(12)) == Level::Untrusted;
    evaluator.decree(id(11), GLOBEX, Level::Verified);
    evaluator.meet(id(12), GLOBEX);
    is_held && evaluator.level(id(12)) == Level::Verified
}

#[test]
fn what_is_held_against_a_key_is_held_against_its_heir() {
    // Rotation must not wash.
    let mut evaluator = evaluator::<Strict>(Model::Sound);
    evaluator.meet(id(11), GLOBEX);
    evaluator.observe(id(11), id(11), Evidence::BadSignature, at(0));
    evaluator.succeed(id(11), id(13));
    evaluator.meet(id(13), GLOBEX);
    assert_eq!(evaluator.level(id(13)), Level::Untrusted);
}

#[test]
fn every_component_and_both_scores_are_exported() {
    // Reports plot them: what is exported is what the formula was computed from.
    let mut watch = Watch::<Strict>::new(Model::Reference);
    let assessment = watch.minute(&[ALIVE, SERVED, Evidence::Threat]);
    let wanted = Components {
        success: Share::ONE,
        uptime: Share::ONE,
        threat: Share::ONE,
        integrity: Share::ONE,
    };
    assert_eq!(assessment.components, wanted);
    assert_eq!(assessment.score, assessment.reference);
    assert_eq!(thousandths(assessment.reference), 800);
    assert!(assessment.sound < assessment.reference);
}
