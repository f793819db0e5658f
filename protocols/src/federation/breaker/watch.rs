//! The breakers of one peer, one for each other peer.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Money, Share};
use crate::fold_enum;
use crate::identity::Identity;
use crate::random::Stream;
use crate::time::{LocalTime, SimDuration};

use super::config::{BreakerConfig, Readmission};

/// How a request to a peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was answered as it should be.
    Answered,
    /// It was answered badly.
    Misbehaved,
    /// It was not answered.
    Unreachable,
}

/// Why a breaker opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Too expensive.
    Cost,
    /// Too many failures, some of them answers.
    Misbehaviour,
    /// Too many failures, all of them silence: perhaps the network's fault.
    Unreachable,
    /// An operator said so.
    Operator,
}

fold_enum!(Cause {
    0 = Cost {},
    1 = Misbehaviour {},
    2 = Unreachable {},
    3 = Operator {},
});

/// Since when a breaker has been open, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outage {
    /// Why.
    pub cause: Cause,
    /// Since when without an answer.
    pub since: LocalTime,
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Closed: requests pass.
    Active,
    /// Open until the cool-down is over.
    Suspended {
        /// Why, and since when.
        outage: Outage,
        /// When a probe is let through.
        until: LocalTime,
    },
    /// Half open: one request is out to see.
    Probing {
        /// Why, and since when.
        outage: Outage,
    },
    /// Cut off: no requests, and no sessions.
    Evicted {
        /// Why, and since when.
        outage: Outage,
        /// When a probe is let through again; never, without one.
        probe_at: Option<LocalTime>,
    },
}

impl State {
    const fn severity(&self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Probing { .. } => 1,
            Self::Suspended { .. } => 2,
            Self::Evicted { .. } => 3,
        }
    }

    /// The state's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Probing { .. } => "probing",
            Self::Evicted { .. } => "evicted",
        }
    }
}

/// A change of state, for reports and for whoever ends an evicted peer's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// Of whom.
    pub peer: Identity,
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
}

/// Whether a request may go out to, or be taken from, a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// Yes.
    Pass,
    /// Yes, as the one that decides whether more may: its outcome must be recorded.
    Probe,
    /// No.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sample {
    at: LocalTime,
    cost: Money,
    /// Nothing for a cost alone, or once a return has forgotten it.
    outcome: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Watch {
    state: State,
    samples: VecDeque<Sample>,
}

/// The breakers of one peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Breaker<R: Rules = Strict> {
    config: BreakerConfig,
    watches: BTreeMap<Identity, Watch>,
    rules: PhantomData<R>,
}

impl<R: Rules> Breaker<R> {
    /// All closed.
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            watches: BTreeMap::new(),
            rules: PhantomData,
        }
    }

    /// Where the breaker of `peer` stands.
    pub fn state(&self, peer: Identity) -> State {
        let watch = self.watches.get(&peer);
        watch.map_or(State::Active, |watch| watch.state)
    }

    /// Whether a request from `peer` may be taken: the breaker is not open for it. Asks for no
    /// probe.
    pub fn is_closed(&self, peer: Identity) -> bool {
        match self.state(peer) {
            State::Active | State::Probing { .. } => true,
            State::Suspended { .. } | State::Evicted { .. } => false,
        }
    }

    /// Whether a request may go out to `peer` now.
    pub fn admit(&mut self, peer: Identity, now: LocalTime) -> (Admission, Option<Transition>) {
        let from = self.state(peer);
        let probe = match from {
            State::Active => return (Admission::Pass, None),
            State::Probing { .. } => None,
            State::Suspended { outage, until } => {
                R::cool_down_is_over(now >= until).then_some(outage)
            }
            State::Evicted { outage, probe_at } => probe_at.filter(|at| now >= *at).map(|_| outage),
        };
        match probe {
            Some(outage) => {
                let transition = self.enter(peer, State::Probing { outage });
                (Admission::Probe, Some(transition))
            }
            None => (Admission::Refused, None),
        }
    }

    /// Notes how a request to `peer` ended and what it cost.
    pub fn record(
        &mut self,
        peer: Identity,
        outcome: Outcome,
        cost: Money,
        now: LocalTime,
        dice: &mut Stream,
    ) -> Option<Transition> {
        let sample = Sample {
            at: now,
            cost,
            outcome: Some(outcome),
        };
        self.note(peer, sample);
        match self.state(peer) {
            State::Probing { outage } => {
                let after = self.after_probe((peer, outage), outcome, now, dice);
                Some(match after {
                    State::Active => self.reinstate(peer),
                    after => self.enter(peer, after),
                })
            }
            State::Active => {
                let cause = self.trips(peer, now)?;
                let outage = Outage { cause, since: now };
                let until = self.until(peer, cause, now, dice);
                Some(self.enter(peer, State::Suspended { outage, until }))
            }
            State::Suspended { .. } | State::Evicted { .. } => None,
        }
    }

    /// How many outcomes of `peer` are remembered.
    pub fn samples(&self, peer: Identity) -> usize {
        self.watches
            .get(&peer)
            .map_or(0, |watch| watch.samples.len())
    }

    /// Evicts whoever was suspended too long; due whenever anything is looked at.
    pub fn tick(&mut self, now: LocalTime, dice: &mut Stream) -> Vec<Transition> {
        let open = self
            .watches
            .iter()
            .filter_map(|(peer, watch)| match watch.state {
                State::Suspended { outage, .. } | State::Probing { outage } => {
                    Some((*peer, outage))
                }
                State::Active | State::Evicted { .. } => None,
            });
        let evict_after = self.config.evict_after;
        let due: Vec<(Identity, Outage)> = open
            .filter(|(_, outage)| now.since(outage.since) >= evict_after)
            .filter(|(_, outage)| outage.cause != Cause::Cost)
            .collect();
        due.into_iter()
            .map(|(peer, outage)| {
                let probe_at = self.next_probe(outage, now, dice);
                self.enter(peer, State::Evicted { outage, probe_at })
            })
            .collect()
    }

    /// An operator closes a peer's breaker.
    pub fn reinstate(&mut self, peer: Identity) -> Transition {
        self.forget_failures(peer);
        self.enter(peer, State::Active)
    }

    /// An operator cuts a peer off.
    pub fn evict(&mut self, peer: Identity, now: LocalTime) -> Transition {
        let state = State::Evicted {
            outage: Outage {
                cause: Cause::Operator,
                since: now,
            },
            probe_at: None,
        };
        self.enter(peer, state)
    }

    /// An heir takes the place of `old`. Of two that are known nothing is forgotten: the breaker that
    /// stands worse remains.
    pub fn succeed(&mut self, old: Identity, heir: Identity) {
        let Some(mut watch) = self.watches.remove(&old) else {
            return;
        };
        if let Some(known) = self.watches.remove(&heir) {
            if known.state.severity() > watch.state.severity() {
                watch.state = known.state;
            }
            watch.samples.extend(known.samples);
            let samples = watch.samples.make_contiguous();
            samples.sort_by_key(|sample| sample.at);
        }
        self.watches.insert(heir, watch);
    }

    fn watch(&mut self, peer: Identity) -> &mut Watch {
        self.watches.entry(peer).or_insert_with(|| Watch {
            state: State::Active,
            samples: VecDeque::new(),
        })
    }

    fn enter(&mut self, peer: Identity, to: State) -> Transition {
        let from = std::mem::replace(&mut self.watch(peer).state, to);
        Transition { peer, from, to }
    }

    fn note(&mut self, peer: Identity, sample: Sample) {
        let window = self.config.cost_window.max(self.config.failure_window);
        let samples_max = self.config.samples_max;
        let samples = &mut self.watch(peer).samples;
        samples.push_back(sample);
        while samples.len() > samples_max
            || samples
                .front()
                .is_some_and(|old| sample.at.since(old.at) > window)
        {
            samples.pop_front();
        }
    }

    fn forget_failures(&mut self, peer: Identity) {
        let samples = self.watch(peer).samples.iter_mut();
        samples.for_each(|sample| sample.outcome = None);
    }

    fn within(
        &self,
        peer: Identity,
        window: SimDuration,
        now: LocalTime,
    ) -> impl Iterator<Item = &Sample> {
        let samples = self.watches.get(&peer).into_iter();
        let samples = samples.flat_map(|watch| watch.samples.iter());
        samples.filter(move |sample| now.since(sample.at) < window)
    }

    /// Why the breaker opens now, if it does: cost first (ADR-097).
    fn trips(&self, peer: Identity, now: LocalTime) -> Option<Cause> {
        let config = &self.config;
        let cost: Money = self
            .within(peer, config.cost_window, now)
            .map(|s| s.cost)
            .sum();
        if R::cost_trips(cost > config.cost_max) {
            return Some(Cause::Cost);
        }
        let outcomes = self.within(peer, config.failure_window, now);
        let outcomes: Vec<Outcome> = outcomes.filter_map(|sample| sample.outcome).collect();
        let of = |kind| outcomes.iter().filter(|outcome| **outcome == kind).count();
        let (misbehaved, unreachable) = (of(Outcome::Misbehaved), of(Outcome::Unreachable));
        let ratio = Share::of((misbehaved + unreachable) as u64, outcomes.len() as u64)?;
        let is_over = outcomes.len() >= config.samples_min && ratio > config.failures_max;
        R::failures_trip(is_over).then_some(match misbehaved {
            0 => Cause::Unreachable,
            _ => Cause::Misbehaviour,
        })
    }

    /// When a suspension is over: after the cool-down, and not before the cost is within bounds.
    fn until(&self, peer: Identity, cause: Cause, now: LocalTime, dice: &mut Stream) -> LocalTime {
        let cooled = now + self.jittered(self.config.cool_down, dice);
        if cause != Cause::Cost {
            return cooled;
        }
        let window = self.config.cost_window;
        let mut cost: Money = self.within(peer, window, now).map(|s| s.cost).sum();
        let mut affordable = now;
        for sample in self.within(peer, window, now) {
            if cost <= self.config.cost_max {
                break;
            }
            cost = Money(cost.0.saturating_sub(sample.cost.0));
            affordable = sample.at + window;
        }
        cooled.max(affordable)
    }

    fn jittered(&self, span: SimDuration, dice: &mut Stream) -> SimDuration {
        let jitter = u64::from(self.config.jitter.as_millionths());
        if !R::jitters(jitter > 0) {
            return span;
        }
        span.scale(1_000_000 - jitter + dice.below(2 * jitter + 1), 1_000_000)
    }

    /// A probe that is answered closes the breaker; one that is not starts another cool-down.
    fn after_probe(
        &self,
        (peer, outage): (Identity, Outage),
        outcome: Outcome,
        now: LocalTime,
        dice: &mut Stream,
    ) -> State {
        let cause = match outcome {
            Outcome::Answered => return State::Active,
            Outcome::Misbehaved => Cause::Misbehaviour,
            Outcome::Unreachable => outage.cause,
        };
        let outage = Outage { cause, ..outage };
        if now.since(outage.since) >= self.config.evict_after {
            let probe_at = self.next_probe(outage, now, dice);
            return State::Evicted { outage, probe_at };
        }
        let until = self.until(peer, cause, now, dice);
        State::Suspended { outage, until }
    }

    /// When an evicted peer is probed next: again and again, if it was only out of reach.
    fn next_probe(&self, outage: Outage, now: LocalTime, dice: &mut Stream) -> Option<LocalTime> {
        let was_out_of_reach = match outage.cause {
            Cause::Unreachable => true,
            Cause::Cost | Cause::Misbehaviour | Cause::Operator => false,
        };
        let is_probed =
            was_out_of_reach && self.config.readmission == Readmission::ProbeUnreachable;
        let every = self.config.probe_evicted_every;
        R::may_return(is_probed).then(|| now + self.jittered(every, dice))
    }
}
