//! Decides when the next window is and what the nemesis does at its start; hears what happened.
//!
//! Runs on one thread, between windows. Must not know how shards run a window.

use std::sync::Arc;

use fedsim_protocols::{Event, PeerId, Protocol, RunKey, SimDuration};
use fedsim_scenarios::Scenario;

use super::driver::{Options, RunControl};
use super::ledger::MessageTrace;
use super::notice::{Happened, Notice, TraceEntry};
use super::observe::{Observer, World};
use super::ring::bucket_bits;
use super::shard::Plan;
use crate::nemesis::{Control, FaultBand, FaultTally, Nemesis, Order};
use crate::network::Fabric;
use crate::time::SimTime;

pub(crate) struct Conductor<'a, P: Protocol> {
    nemesis: Nemesis,
    observer: &'a mut dyn Observer<P>,
    up: Vec<bool>,
    end: SimTime,
    width: SimDuration,
    /// Where windows end if they can, so that no bucket is split.
    bucket_bits: u32,
    sample_every: Option<SimDuration>,
    next_sample: SimTime,
    traced: Option<std::ops::Range<SimTime>>,
    control: Arc<RunControl>,
    operations: u64,
    orders: Vec<Order>,
    /// The window planned last; changed in place, since windows may be short and many.
    plan: Plan,
    satisfied: bool,
}

impl<'a, P: Protocol> Conductor<'a, P> {
    pub(crate) fn new(
        scenario: &Scenario,
        key: RunKey,
        options: &Options,
        observer: &'a mut dyn Observer<P>,
    ) -> Self {
        let fabric = Fabric::new(scenario, key);
        let lookahead = fabric.lookahead();
        let width = lookahead / u64::from(options.window_divisor.max(1));
        Self {
            nemesis: Nemesis::new(scenario, &fabric, key),
            plan: Plan {
                start: SimTime::ZERO,
                end: SimTime::ZERO,
                orders: Arc::default(),
                fabric: Arc::new(fabric),
                traced: false,
            },
            observer,
            up: vec![false; scenario.peers.len()],
            end: SimTime::from(scenario.duration),
            width,
            bucket_bits: bucket_bits(lookahead.as_nanos()),
            sample_every: options.sample_every,
            next_sample: options
                .sample_every
                .map_or(SimTime::NEVER, |_| SimTime::ZERO),
            traced: options.trace.clone(),
            control: Arc::clone(&options.control),
            operations: 0,
            orders: Vec::new(),
            satisfied: false,
        }
    }

    pub(crate) fn fabric(&self) -> &Arc<Fabric> {
        &self.plan.fabric
    }

    pub(crate) fn ended_at(&self) -> SimTime {
        self.end
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }

    pub(crate) fn bands(&self) -> Vec<FaultBand> {
        self.nemesis.bands()
    }

    pub(crate) fn tallies(&self) -> Vec<FaultTally> {
        self.nemesis.tallies(&self.plan.fabric)
    }

    /// The next window, or `None` when the run is over. `next_at`: when a peer has something to do.
    pub(crate) fn plan(&mut self, next_at: SimTime) -> Option<&Plan> {
        let strike = self.nemesis.next_at().unwrap_or(SimTime::NEVER);
        let start = next_at.min(strike).min(self.next_sample);
        if start >= self.end || self.control.is_cancelled() {
            return None;
        }
        self.control.set_done(start);
        self.strike(start, strike);
        self.sample(start);
        let strike = self.nemesis.next_at().unwrap_or(SimTime::NEVER);
        let mut end = (start + self.width)
            .min(strike)
            .min(self.next_sample)
            .min(self.end);
        let whole = SimTime::from_nanos(end.as_nanos() >> self.bucket_bits << self.bucket_bits);
        if whole > start && end == start + self.width {
            end = whole;
        }
        let traced = match &self.traced {
            None => false,
            Some(range) => {
                end = split(start, end, range);
                range.contains(&start)
            }
        };
        self.plan.start = start;
        self.plan.end = end;
        self.plan.traced = traced;
        Some(&self.plan)
    }

    fn strike(&mut self, start: SimTime, strike: SimTime) {
        if strike > start {
            if !self.plan.orders.is_empty() {
                self.plan.orders = Arc::default();
            }
            return;
        }
        let fabric = Arc::make_mut(&mut self.plan.fabric);
        self.nemesis.act(start, fabric, &mut self.orders);
        let world = World {
            fabric: &self.plan.fabric,
            up: &self.up,
        };
        self.observer.weather_changed(start, &world);
        for order in &self.orders {
            let counts = match order.what {
                Control::Restart | Control::Turn { .. } => false,
                _ => self.up[order.peer.index()],
            };
            if counts {
                self.nemesis.note_effect(order.fault);
            }
        }
        let orders = self.orders.drain(..).map(|order| (order.peer, order.what));
        self.plan.orders = Arc::new(orders.collect());
    }

    fn sample(&mut self, start: SimTime) {
        if start < self.next_sample {
            return;
        }
        let world = World {
            fabric: &self.plan.fabric,
            up: &self.up,
        };
        self.observer.sample(start, &world);
        self.next_sample = match self.sample_every {
            Some(every) => self.next_sample + every,
            None => SimTime::NEVER,
        };
    }

    /// Hears, in order, what happened in the window just run.
    pub(crate) fn hear(&mut self, notices: &mut Vec<Notice<P>>) {
        if notices.is_empty() {
            return;
        }
        // Stable: messages are told under the number of what was told before them.
        notices.sort_by_key(|notice| (notice.at, notice.peer, notice.n));
        for notice in notices.drain(..) {
            self.hear_one(&notice);
        }
    }

    fn hear_one(&mut self, notice: &Notice<P>) {
        let peer = notice.peer;
        match &notice.what {
            Happened::Started | Happened::Restarted => self.up[peer.index()] = true,
            Happened::Crashed => self.up[peer.index()] = false,
            Happened::Event(event) => self.nemesis.on_event(notice.at, peer, event.name()),
            Happened::Replied(..) => {
                self.operations += 1;
                self.nemesis.on_operations(notice.at, self.operations);
            }
            Happened::Invoked(..)
            | Happened::Paused
            | Happened::Resumed
            | Happened::Sent(_)
            | Happened::Received(_) => {}
        }
        let world = World {
            fabric: &self.plan.fabric,
            up: &self.up,
        };
        self.observer.notice(notice, &world);
        if !self.satisfied && self.observer.is_satisfied() {
            self.satisfied = true;
            self.end = self.end.min(notice.at + self.plan.fabric.lookahead());
        }
    }

    /// Hears who was seen to lead, for a network that takes sides.
    pub(crate) fn hear_whispers(&mut self, whispers: &mut Vec<(SimTime, PeerId)>) {
        if whispers.is_empty() {
            return;
        }
        whispers.sort_unstable();
        for (at, peer) in whispers.drain(..) {
            let is_news = self
                .plan
                .fabric
                .schemer()
                .is_some_and(|it| it.is_news(peer));
            if is_news && let Some(schemer) = Arc::make_mut(&mut self.plan.fabric).schemer_mut() {
                schemer.note_leader(at, peer);
            }
        }
    }

    /// Hears, in order, the events of a traced window.
    pub(crate) fn hear_trace(&mut self, trace: &mut Vec<TraceEntry>) {
        trace.sort_by_key(|entry| (entry.at, entry.peer));
        for entry in trace.drain(..) {
            self.observer.trace(&entry);
        }
    }

    /// Hears, when the run is over, of all its messages.
    pub(crate) fn hear_messages(&mut self, messages: &[MessageTrace]) {
        for message in messages {
            self.observer.message(message);
        }
    }
}

/// Ends a window at an edge of `range` that lies inside it.
fn split(start: SimTime, end: SimTime, range: &std::ops::Range<SimTime>) -> SimTime {
    let edges = [range.start, range.end];
    let inside = edges
        .into_iter()
        .filter(|edge| *edge > start && *edge < end);
    inside.min().unwrap_or(end)
}
