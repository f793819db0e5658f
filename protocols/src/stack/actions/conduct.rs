//! What a peer makes of how others behave: evidence moves trust, outcomes open breakers.
//!
//! What is thought of others does not outlive a restart: a peer begins again with the levels that it
//! is configured with. Must not know how an envelope is judged, sent or answered.

use std::collections::BTreeMap;

use crate::federation::breaker::{Admission, Breaker, BreakerConfig, Outcome, Transition};
use crate::federation::rules::Rules;
use crate::federation::terms::{Level, Money, Organisation, Share};
use crate::federation::trust::{Evaluator, Evidence, TrustConfig};
use crate::identity::Identity;
use crate::stack::{Ctx, StackEvent, StackTimer};
use crate::time::SimDuration;

/// How often breakers are looked at where no trust moves.
const TICK: SimDuration = SimDuration::from_secs(60);

/// What follows from how others behave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConductConfig {
    /// How trust moves; without, it stays where it was at the start.
    pub trust: Option<TrustConfig>,
    /// When others are neither asked nor served for a while; without, never.
    pub breaker: Option<BreakerConfig>,
}

/// What one peer makes of the others.
pub(super) struct Conduct<R: Rules> {
    evaluator: Option<Evaluator<R>>,
    breaker: Option<Breaker<R>>,
    /// The scores that were reported last.
    reported: BTreeMap<Identity, Share>,
}

impl<R: Rules> Conduct<R> {
    /// Trusts `known` as far as their humans say; whom they do not trust at all is a stranger.
    pub(super) fn new(
        config: &ConductConfig,
        known: impl Iterator<Item = (Identity, Organisation, Level)>,
    ) -> Self {
        let mut evaluator = config.trust.map(Evaluator::<R>::new);
        if let Some(evaluator) = &mut evaluator {
            let known = known.filter(|(_, _, level)| *level > Level::Untrusted);
            known.for_each(|(peer, organisation, level)| {
                evaluator.decree(peer, organisation, level);
            });
        }
        Self {
            evaluator,
            breaker: config.breaker.map(Breaker::<R>::new),
            reported: BTreeMap::new(),
        }
    }

    /// Whether levels can change at all.
    pub(super) fn moves_trust(&self) -> bool {
        self.evaluator.is_some()
    }

    /// Sets the timer of the next evaluation.
    pub(super) fn schedule(&self, ctx: &mut Ctx<'_, R>) {
        let of_trust = self.evaluator.as_ref().map(|it| it.config().evaluate_every);
        let of_breaker = self.breaker.as_ref().map(|_| TICK);
        if let Some(every) = of_trust.or(of_breaker) {
            ctx.set_timer(StackTimer::Evaluate, every);
        }
    }

    /// Notes that a peer of `organisation` proved who it is; its level, if that is a first contact
    /// which moves it.
    pub(super) fn meet(
        &mut self,
        peer: Identity,
        organisation: Organisation,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Level> {
        let evaluator = self.evaluator.as_mut().filter(|it| !it.knows(peer))?;
        let step = evaluator.meet(peer, organisation)?;
        ctx.notify(StackEvent::TrustMoved { of: peer, step });
        Some(step.to)
    }

    /// Opens the file of a peer of `organisation` that was caught, known or not.
    pub(super) fn open(&mut self, peer: Identity, organisation: Organisation) {
        if let Some(evaluator) = &mut self.evaluator {
            evaluator.open(peer, organisation);
        }
    }

    /// Notes what was seen on the channel of `channel` in a message that claims to be of `claimed`;
    /// who falls by that, and to which level.
    pub(super) fn saw(
        &mut self,
        channel: Identity,
        claimed: Identity,
        evidence: Evidence,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<(Identity, Level)> {
        let evaluator = self.evaluator.as_mut()?;
        let (of, step) = evaluator.observe(channel, claimed, evidence, ctx.now())?;
        ctx.notify(StackEvent::TrustMoved { of, step });
        Some((of, step.to))
    }

    /// Recomputes all scores and looks at all breakers; whose level changed, and to which.
    pub(super) fn evaluate(&mut self, ctx: &mut Ctx<'_, R>) -> Vec<(Identity, Level)> {
        let now = ctx.now();
        let evaluator = self.evaluator.as_mut();
        let assessments = evaluator.map(|it| it.evaluate(now)).unwrap_or_default();
        let mut moved = Vec::new();
        for assessment in assessments {
            let (of, score) = (assessment.peer, assessment.score);
            if self.reported.insert(of, score) != Some(score) {
                let assessment = Box::new(assessment);
                ctx.notify(StackEvent::TrustScored { assessment });
            }
            if let Some(step) = assessment.step {
                ctx.notify(StackEvent::TrustMoved { of, step });
                moved.push((of, step.to));
            }
        }
        let breaker = self.breaker.as_mut();
        let evicted = breaker.map(|it| it.tick(now, ctx.rng()));
        report(evicted.unwrap_or_default(), ctx);
        self.schedule(ctx);
        moved
    }

    /// `heir` takes the place of `old`: what was thought of the one is thought of the other.
    pub(super) fn succeed(&mut self, old: Identity, heir: Identity) {
        if let Some(evaluator) = &mut self.evaluator {
            evaluator.succeed(old, heir);
        }
        if let Some(breaker) = &mut self.breaker {
            breaker.succeed(old, heir);
        }
        if let Some(score) = self.reported.remove(&old) {
            self.reported.insert(heir, score);
        }
    }

    /// Whether `peer` may be served, as far as its breaker goes.
    pub(super) fn serves(&self, peer: Identity) -> bool {
        let breaker = self.breaker.as_ref();
        breaker.is_none_or(|breaker| breaker.is_closed(peer))
    }

    /// Whether `peer` may be asked now, be it as a probe.
    pub(super) fn admits(&mut self, peer: Identity, ctx: &mut Ctx<'_, R>) -> bool {
        let Some(breaker) = &mut self.breaker else {
            return true;
        };
        let (admission, transition) = breaker.admit(peer, ctx.now());
        report(transition, ctx);
        admission != Admission::Refused
    }

    /// Notes how a request to `peer` ended and what it cost.
    pub(super) fn ended(
        &mut self,
        peer: Identity,
        outcome: Outcome,
        cost: Money,
        ctx: &mut Ctx<'_, R>,
    ) {
        let now = ctx.now();
        let breaker = self.breaker.as_mut();
        let transition = breaker.and_then(|it| it.record(peer, outcome, cost, now, ctx.rng()));
        report(transition, ctx);
    }
}

fn report<R: Rules>(transitions: impl IntoIterator<Item = Transition>, ctx: &mut Ctx<'_, R>) {
    for Transition { peer, from, to } in transitions {
        ctx.notify(StackEvent::BreakerMoved {
            of: peer,
            from: from.name(),
            to: to.name(),
        });
    }
}
