//! What one peer does when a round begins, whom it calls, and what a configuration may be.

use std::collections::BTreeSet;

use super::messages::{desk, feedback, learned, lost, next_round, send};
use super::*;
use crate::rumor::RumorTimer;
use crate::rumor::config::RumorConfigError;
use crate::rumor::message::{Contact, RumorMessage};

fn endless(mode: Mode, rounds: Rounds) -> RumorConfig {
    config(mode, rounds, Loss::Never, Contacts::Blind)
}

fn push(age: u32, hops: u32) -> RumorMessage {
    let copy = copy(age, hops);
    RumorMessage::Push { copy }
}

#[test]
fn a_pulling_peer_calls_with_nothing_to_say() {
    let expected = || vec![send(0, RumorMessage::PullRequest), next_round(100)];
    for mode in [Mode::Pull, Mode::PushPull] {
        let mut desk = desk(mode, Contacts::Feedback);
        desk.machine.awaits_round = true;
        desk.begin_round(100, expected());
    }
}

#[test]
fn a_push_pulling_peer_tells_and_asks_in_one_call() {
    let mut desk = Desk::new(endless(Mode::PushPull, Rounds::Synchronous));
    desk.hear(110, push(1, 1), vec![learned(1, 1), next_round(90)]);
    let ask = send(0, RumorMessage::PullRequest);
    desk.begin_round(200, vec![send(0, push(2, 2)), ask, next_round(100)]);
}

#[test]
fn a_timer_that_fires_a_moment_early_begins_one_round_and_not_two() {
    let mut desk = Desk::new(endless(Mode::Push, Rounds::Synchronous));
    desk.hear(110, push(1, 1), vec![learned(1, 1), next_round(90)]);
    let mut outbox = Outbox::new();
    let now = LocalTime::from_nanos(199_999_999);
    let mut ctx = Context::new(now, PeerId(1), &mut desk.rng, &mut desk.keys, &mut outbox);
    desk.machine.on_timer(RumorTimer::BeginRound, &mut ctx);
    let timer = RumorTimer::BeginRound;
    let after = SimDuration::from_nanos(100_000_001);
    let expected = vec![send(0, push(2, 2)), Output::SetTimer { timer, after }];
    assert_eq!(format!("{outbox:?}"), format!("{expected:?}"));
}

#[test]
fn a_rumor_past_the_age_limit_is_dropped() {
    let mut config = endless(Mode::Push, Rounds::Synchronous);
    config.age_limit = Some(2);
    let mut desk = Desk::new(config);
    desk.hear(110, push(1, 1), vec![learned(1, 1), next_round(90)]);
    desk.begin_round(200, vec![send(0, push(2, 2)), next_round(100)]);
    desk.begin_round(300, vec![lost(3)]);
}

#[test]
fn a_peer_places_calls_in_no_more_rounds_than_it_may() {
    let mut config = endless(Mode::PushPull, Rounds::Synchronous);
    config.max_rounds = Some(1);
    let mut desk = Desk::new(config);
    desk.hear(110, push(1, 1), vec![learned(1, 1), next_round(90)]);
    let ask = send(0, RumorMessage::PullRequest);
    desk.begin_round(200, vec![send(0, push(2, 2)), ask]);
    let answer = RumorMessage::PullAnswer { copy: copy(2, 2) };
    desk.hear(210, RumorMessage::PullRequest, vec![send(0, answer)]);
}

#[test]
fn with_own_phases_a_peer_acts_on_all_it_knows() {
    // News is answered and called known at once, unlike in synchronous rounds.
    let loss = Loss::Counter { k: 1 };
    let contacts = Contacts::Feedback;
    let mut desk = Desk::new(config(Mode::PushPull, Rounds::OwnPhase, loss, contacts));
    let phase = (desk.rng.clone()).below(PERIOD.as_nanos());
    let after = SimDuration::from_nanos(phase);
    let timer = RumorTimer::BeginRound;
    let first = vec![Output::SetTimer { timer, after }];
    desk.expect(0, |peer, ctx| peer.on_start(ctx), first);
    desk.hear(110, push(1, 1), vec![learned(1, 1)]);
    desk.hear(
        110,
        push(1, 1),
        vec![send(0, feedback(Contact::Push, false))],
    );
    let answer = RumorMessage::PullAnswer { copy: copy(1, 2) };
    desk.hear(110, RumorMessage::PullRequest, vec![send(0, answer)]);
}

#[test]
fn reconciliation_sends_a_digest_and_waits_for_the_next() {
    let mut config = endless(Mode::Push, Rounds::Synchronous);
    config.anti_entropy = Some(PERIOD);
    let mut desk = Desk::new(config);
    let timer = RumorTimer::Reconcile;
    let expected = |known: Vec<RumorId>| {
        let known = known.into_boxed_slice();
        let after = PERIOD;
        let digest = send(0, RumorMessage::Digest { known });
        vec![digest, Output::SetTimer { timer, after }]
    };
    desk.expect(50, |peer, ctx| peer.on_timer(timer, ctx), expected(vec![]));
    desk.hear(110, push(1, 1), vec![learned(1, 1), next_round(90)]);
    desk.expect(
        150,
        |peer, ctx| peer.on_timer(timer, ctx),
        expected(vec![RUMOR]),
    );
}

#[test]
fn partners_are_different_others_and_each_equally_likely() {
    // Over 6,000 draws of 2 of 4 others each comes up 3,000 times; 5 sigma are 194.
    let everyone = Partners::Everyone { peers: 5 };
    let listed = [0, 1, 3, 4].map(PeerId);
    let neighbours = Partners::Neighbours(Arc::new(listed));
    let label = StreamLabel::global("test");
    let mut rng = Stream::new(RunKey::from_seed(1), label);
    for partners in [everyone, neighbours] {
        let mut counts = [0_u32; 5];
        for _ in 0..6_000 {
            let drawn = partners.draw(2, PeerId(2), &mut rng);
            assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 2);
            drawn.iter().for_each(|peer| counts[peer.index()] += 1);
        }
        assert_eq!(counts[2], 0);
        assert!(
            [0, 1, 3, 4]
                .iter()
                .all(|&peer| counts[peer].abs_diff(3_000) < 194)
        );
    }
}

#[test]
fn a_small_group_is_called_whole_and_a_lonely_peer_calls_nobody() {
    let label = StreamLabel::global("test");
    let mut rng = Stream::new(RunKey::from_seed(1), label);
    let mut all = Partners::Everyone { peers: 4 }.draw(9, PeerId(0), &mut rng);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3].map(PeerId));
    for lonely in [
        Partners::Everyone { peers: 1 },
        Partners::Neighbours(Arc::new([])),
    ] {
        assert!(lonely.draw(1, PeerId(0), &mut rng).is_empty());
        assert_eq!(lonely.draw_one(PeerId(0), &mut rng), None);
    }
}

#[test]
fn each_impossible_value_is_named() {
    type Spoil = fn(&mut RumorConfig);
    let cases: [(Spoil, RumorConfigError); 9] = [
        (|c| c.fanout = 0, RumorConfigError::FanoutZero),
        (
            |c| c.period = SimDuration::from_micros(999),
            RumorConfigError::PeriodTooShort,
        ),
        (
            |c| c.loss = Loss::Counter { k: 0 },
            RumorConfigError::LossZero,
        ),
        (|c| c.loss = Loss::Coin { k: 0 }, RumorConfigError::LossZero),
        (|c| c.age_limit = Some(0), RumorConfigError::AgeLimitZero),
        (|c| c.max_rounds = Some(0), RumorConfigError::MaxRoundsZero),
        (
            |c| c.anti_entropy = Some(SimDuration::ZERO),
            RumorConfigError::AntiEntropyTooOften,
        ),
        (|c| c.capacity = 0, RumorConfigError::CapacityZero),
        (
            |c| (c.mode, c.loss) = (Mode::Push, Loss::MedianCounter { max: 3 }),
            RumorConfigError::MedianWithoutAnswers,
        ),
    ];
    assert_eq!(RumorConfig::default().validate(), Ok(()));
    for (spoil, error) in cases {
        let mut config = RumorConfig::default();
        spoil(&mut config);
        assert_eq!(config.validate(), Err(error));
    }
}
