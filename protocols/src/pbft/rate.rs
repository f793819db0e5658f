//! Replacing a primary that is merely slow (Clement et al., NSDI 2009, section 5.3; a switch).
//!
//! PBFT's timer runs from a request to its execution, so a primary that holds each batch just
//! below the timeout is never replaced. Here every backup measures how fast requests execute and
//! demands a part of the best rate of the last n views, rising a little at each judgement.
//!
//! Departs from Aardvark: the rate is taken over the time in which requests waited, so that a
//! group with little to do is not punished for it. A backup can see a delay before the
//! pre-prepare only if clients send to all replicas (`client_multicasts`).

use std::collections::VecDeque;

use crate::time::{LocalTime, SimDuration};

use super::PbftTimer;
use super::config::MinimumRate;
use super::event::ViewChangeCause;
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;

/// Executed requests per 1,000 seconds of waiting.
type Rate = u64;

/// How fast this view is and earlier ones were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pace {
    /// Since when a request has been waiting.
    busy_since: Option<LocalTime>,
    /// How long requests waited since the last judgement.
    busy: SimDuration,
    /// Requests executed since the last judgement.
    executed: u64,
    /// The best rate of this view so far.
    peak: Rate,
    /// The best rates of the last n views.
    best: VecDeque<Rate>,
    /// What is demanded of this view's primary at the next judgement.
    demand: Rate,
}

impl Pace {
    fn settle(&mut self, now: LocalTime, waits: bool) {
        if let Some(since) = self.busy_since {
            self.busy += now.since(since);
        }
        self.busy_since = waits.then_some(now);
    }

    fn rate(&self) -> Rate {
        let wide = u128::from(self.executed) * 1_000_000_000_000;
        let busy = u128::from(self.busy.as_nanos().max(1));
        Rate::try_from(wide / busy).unwrap_or(Rate::MAX)
    }
}

impl<R: Rules> Pbft<R> {
    /// Sets the first judgement, if the switch is on.
    pub(super) fn begin_judging(&mut self, ctx: &mut Ctx<'_, R>) {
        if let Some(rule) = self.config.minimum_rate {
            ctx.set_timer(PbftTimer::JudgePrimary, rule.grace);
        }
    }

    /// Requests were executed.
    pub(super) fn pace_executed(&mut self, requests: u64) {
        self.pace.executed = self.pace.executed.saturating_add(requests);
    }

    /// Notes whether a request waits now.
    pub(super) fn pace_waiting(&mut self, ctx: &Ctx<'_, R>) {
        if self.config.minimum_rate.is_some() {
            let waits = !self.waiting.is_empty();
            self.pace.settle(ctx.now(), waits);
        }
    }

    /// A view ends: its best rate becomes a measure for the next ones.
    pub(super) fn pace_end_view(&mut self) {
        if self.pace.peak > 0 {
            self.pace.best.push_front(self.pace.peak);
            self.pace.best.truncate(self.roster.n());
        }
        self.pace.peak = 0;
    }

    /// A view begins with its time of grace.
    pub(super) fn pace_begin_view(&mut self, ctx: &mut Ctx<'_, R>) {
        let best = self.pace.best.iter().max().copied().unwrap_or(0);
        let percent = self
            .config
            .minimum_rate
            .map_or(0, |rule| rule.demand_percent);
        self.pace.demand = portion(best, percent);
        self.pace.executed = 0;
        self.pace.busy = SimDuration::ZERO;
        self.begin_judging(ctx);
    }

    /// Judges the primary by the time since the last judgement.
    pub(super) fn on_judge_primary(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(rule) = self.config.minimum_rate else {
            return;
        };
        ctx.set_timer(PbftTimer::JudgePrimary, rule.interval);
        let waits = !self.waiting.is_empty();
        self.pace.settle(ctx.now(), waits);
        let judgeable = self.pace.busy >= rule.interval / 4;
        if self.status == Status::Changing || !judgeable {
            return;
        }
        if self.is_too_slow(rule) && !self.is_primary() {
            self.start_view_change(self.view.next(), ViewChangeCause::SlowPrimary, ctx);
        }
    }

    /// Whether the rate is below the demand; raises the demand and begins the next measurement.
    fn is_too_slow(&mut self, rule: MinimumRate) -> bool {
        let pace = &mut self.pace;
        let rate = pace.rate();
        pace.peak = pace.peak.max(rate);
        let demand = pace.demand.max(1);
        let first = portion(pace.peak, rule.demand_percent);
        let raised = portion(pace.demand, 100 + rule.raise_percent);
        pace.demand = raised.max(first);
        pace.executed = 0;
        pace.busy = SimDuration::ZERO;
        rate < demand
    }
}

fn portion(rate: Rate, percent: u64) -> Rate {
    let wide = u128::from(rate) * u128::from(percent) / 100;
    Rate::try_from(wide).unwrap_or(Rate::MAX)
}
