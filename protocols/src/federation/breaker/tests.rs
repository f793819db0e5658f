//! When breakers trip, and how peers come back.

use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::Money;
use crate::federation::testing::{keys, needed};
use crate::identity::Identity;
use crate::random::{RunKey, Stream, StreamLabel};
use crate::time::LocalTime;

needed!(cost_is_bounded: trips_above_five_dollars, CostUnbounded);
needed!(failures_are_bounded: trips_above_half_of_ten, FailuresUnbounded);
needed!(a_suspension_cools_down: refuses_until_it_has_cooled, NoCoolDown);
needed!(returns_are_spread: spreads_fifty_returns, NoJitter);
needed!(a_partition_evicts_for_a_time_only: lets_an_honest_peer_return, EvictedForEver);
needed!(misbehaviour_is_not_forgiven_by_a_probe: keeps_a_liar_out, LiarsReturn);

const HOUR: i64 = 3_600;
const FREE: Money = Money(0);

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn dice(seed: u64) -> Stream {
    Stream::new(RunKey::from_seed(seed), StreamLabel::global("test"))
}

struct Desk<R: Rules = Strict> {
    peer: Identity,
    breaker: Breaker<R>,
    dice: Stream,
}

impl<R: Rules> Desk<R> {
    fn new() -> Self {
        Self {
            peer: keys(11).identity(),
            breaker: Breaker::new(BreakerConfig::default()),
            dice: dice(7),
        }
    }

    fn record(&mut self, outcome: Outcome, cost: Money, secs: i64) -> Option<Transition> {
        self.breaker
            .record(self.peer, outcome, cost, at(secs), &mut self.dice)
    }

    /// Ten failures, one a second: suspended at second 9.
    fn suspend(&mut self, outcome: Outcome) {
        for second in 0..10 {
            self.record(outcome, FREE, second);
        }
        assert!(matches!(self.state(), State::Suspended { .. }));
    }

    fn state(&self) -> State {
        self.breaker.state(self.peer)
    }

    fn admit(&mut self, secs: i64) -> Admission {
        self.breaker.admit(self.peer, at(secs)).0
    }

    /// Minutes of somebody who asks whenever he may, while the peer answers as told, until `to`.
    fn live(&mut self, (from, to): (i64, i64), outcome: Outcome) -> Vec<i64> {
        let mut asked = Vec::new();
        for second in (from..to).step_by(60) {
            self.breaker.tick(at(second), &mut self.dice);
            if self.admit(second) != Admission::Refused {
                asked.push(second);
                self.record(outcome, FREE, second);
            }
        }
        asked
    }
}

fn trips_above_five_dollars<R: Rules>() -> bool {
    // Exactly 5.00 does not trip; the next micro-dollar does, unless a day has passed.
    let mut desk = Desk::<R>::new();
    for hour in 0..5 {
        assert!(
            desk.record(Outcome::Answered, Money::from_cents(100), hour * HOUR)
                .is_none()
        );
    }
    let mut later = Desk::<R>::new();
    later.breaker = desk.breaker.clone();
    let tripped = desk.record(Outcome::Answered, Money(1), 5 * HOUR);
    let is_later_fine = later
        .record(Outcome::Answered, Money(1), 24 * HOUR)
        .is_none();
    let is_cost = matches!(tripped, Some(Transition { to: State::Suspended { outage, .. }, .. })
        if outage.cause == Cause::Cost);
    is_cost && is_later_fine
}

fn trips_above_half_of_ten<R: Rules>() -> bool {
    // Nine of nine do not trip, five of ten do not, six of eleven do.
    let mut few = Desk::<R>::new();
    let few = (0..9).all(|second| few.record(Outcome::Misbehaved, FREE, second).is_none());
    let mut even = Desk::<R>::new();
    for second in 0..5 {
        even.record(Outcome::Misbehaved, FREE, second);
    }
    let even_holds = (5..10).all(|second| even.record(Outcome::Answered, FREE, second).is_none());
    few && even_holds && even.record(Outcome::Misbehaved, FREE, 10).is_some()
}

fn refuses_until_it_has_cooled<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.suspend(Outcome::Misbehaved);
    let cools = (10..1_620)
        .step_by(30)
        .all(|second| desk.admit(second) == Admission::Refused);
    cools
        && desk.admit(9 + 1_981) == Admission::Probe
        && desk.admit(9 + 1_982) == Admission::Refused
}

/// When each of fifty peers, cut off from a fifty-first at once, lets its probe out.
fn first_probes<R: Rules>() -> Vec<i64> {
    (0..50)
        .map(|seed| {
            let mut desk = Desk::<R>::new();
            desk.dice = dice(seed);
            desk.suspend(Outcome::Unreachable);
            let mut seconds = 10..4_000;
            let found = seconds.find(|second| desk.admit(*second) == Admission::Probe);
            found.expect("cooled down")
        })
        .collect()
}

fn spreads_fifty_returns<R: Rules>() -> bool {
    // Without jitter all fifty come in one second. With it they spread over 27 to 33 minutes.
    let probes = first_probes::<R>();
    let worst = (0..4_000).map(|second| probes.iter().filter(|probe| **probe == second).count());
    let (least, most) = (probes.iter().min().unwrap(), probes.iter().max().unwrap());
    let worst = worst.max().unwrap();
    worst <= 5 && *least >= 1_620 && *most <= 9 + 1_981 && most - least > 240
}

fn lets_an_honest_peer_return<R: Rules>() -> bool {
    // Out of reach for 30 hours: evicted after 24, back within a probe interval of the healing.
    let mut desk = Desk::<R>::new();
    desk.suspend(Outcome::Unreachable);
    desk.live((10, 30 * HOUR), Outcome::Unreachable);
    let was_evicted = matches!(desk.state(), State::Evicted { .. });
    desk.live((30 * HOUR, 30 * HOUR + 8_000), Outcome::Answered);
    was_evicted && desk.state() == State::Active
}

fn keeps_a_liar_out<R: Rules>() -> bool {
    let mut desk = Desk::<R>::new();
    desk.suspend(Outcome::Misbehaved);
    desk.live((10, 26 * HOUR), Outcome::Misbehaved);
    let was_evicted = matches!(desk.state(), State::Evicted { .. });
    let asked = desk.live((26 * HOUR, 200 * HOUR), Outcome::Answered);
    was_evicted && asked.is_empty() && matches!(desk.state(), State::Evicted { .. })
}

#[test]
fn an_operator_brings_anybody_back_and_old_failures_do_not_trip_again() {
    // ADR-097 keeps the old samples: one more failure would trip at once.
    let mut desk = Desk::<Strict>::new();
    desk.suspend(Outcome::Misbehaved);
    desk.breaker.reinstate(desk.peer);
    assert_eq!(desk.state(), State::Active);
    assert!(desk.record(Outcome::Misbehaved, FREE, 20).is_none());
    assert_eq!(desk.admit(21), Admission::Pass);
    desk.breaker.evict(desk.peer, at(22));
    assert!(!desk.breaker.is_closed(desk.peer));
    assert_eq!(desk.admit(1_000 * HOUR), Admission::Refused);
}

#[test]
fn one_probe_at_a_time_decides() {
    // A failed probe starts another cool-down; an answered one closes the breaker for all.
    let mut desk = Desk::<Strict>::new();
    desk.suspend(Outcome::Unreachable);
    assert_eq!(desk.admit(2_000), Admission::Probe);
    assert_eq!(desk.admit(2_000), Admission::Refused);
    desk.record(Outcome::Unreachable, FREE, 2_010);
    assert_eq!(desk.admit(2_011), Admission::Refused);
    assert_eq!(desk.admit(2_010 + 1_981), Admission::Probe);
    desk.record(Outcome::Answered, FREE, 4_000);
    assert_eq!(desk.admit(4_001), Admission::Pass);
}

#[test]
fn a_probe_with_the_letter_of_adr_097_does_not_bring_the_evicted_back() {
    // The knob that restores the reference: the honest peer of the partition stays out.
    let mut desk = Desk::<Strict>::new();
    desk.breaker = Breaker::new(BreakerConfig {
        readmission: Readmission::OperatorOnly,
        ..BreakerConfig::default()
    });
    desk.suspend(Outcome::Unreachable);
    desk.live((10, 30 * HOUR), Outcome::Unreachable);
    assert!(
        desk.live((30 * HOUR, 300 * HOUR), Outcome::Answered)
            .is_empty()
    );
}

#[test]
fn who_was_too_expensive_waits_until_the_day_is_cheaper() {
    // 4 USD at hour 0 and 2 USD at hour 10 trip; at hour 24 the first four are a day old.
    let mut desk = Desk::<Strict>::new();
    desk.record(Outcome::Answered, Money::from_cents(400), 0);
    desk.record(Outcome::Answered, Money::from_cents(200), 10 * HOUR);
    let asked = desk.live((10 * HOUR + 1, 25 * HOUR), Outcome::Answered);
    assert!(
        asked[0] >= 24 * HOUR && asked[0] <= 24 * HOUR + 60,
        "{}",
        asked[0]
    );
    assert_eq!(desk.state(), State::Active);
}

#[test]
fn samples_are_bounded_and_age() {
    // Failures of an hour ago do not count, and a flood leaves what the bound says.
    let mut desk = Desk::<Strict>::new();
    for second in 0..9 {
        desk.record(Outcome::Misbehaved, FREE, second);
    }
    assert!(desk.record(Outcome::Misbehaved, FREE, 2 * HOUR).is_none());
    let mut small = Desk::<Strict>::new();
    small.breaker = Breaker::new(BreakerConfig {
        samples_max: 20,
        failures_max: crate::federation::terms::Share::ONE,
        ..BreakerConfig::default()
    });
    for second in 0..10_000 {
        small.record(Outcome::Answered, FREE, second);
    }
    assert_eq!(small.breaker.samples(small.peer), 20);
}

#[test]
fn nobody_sheds_a_suspension_by_becoming_the_heir_of_another() {
    // A peer of good standing names a suspended one its heir: what is known of both is known of the heir.
    let mut desk: Desk<Strict> = Desk::new();
    desk.suspend(Outcome::Misbehaved);
    let clean = keys(12).identity();
    let dice = &mut dice(8);
    desk.breaker
        .record(clean, Outcome::Answered, FREE, at(10), dice);
    desk.breaker.succeed(clean, desk.peer);
    assert!(matches!(desk.state(), State::Suspended { .. }));
    assert_eq!(desk.admit(11), Admission::Refused);
}
