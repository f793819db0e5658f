//! The fabric: decides what becomes of each message. The queue owns when it is handled.
//!
//! Read-only inside a window and shared by all shards; nemesis changes its [`Weather`] at window
//! edges. A message is judged when it is sent ([`Fabric::route`]) and again when it arrives
//! ([`Fabric::admits`]), so a cut also reaches what is in flight. Must not know who is up, what a
//! message says, or when faults strike.

use std::sync::Arc;

use fedsim_protocols::{PeerId, RunKey, SimDuration};
use fedsim_scenarios::Scenario;

use super::draw::{Draw, DrawKey, Purpose};
use super::egress::Egress;
use super::layout::Layout;
use super::link::{Carried, LinkModel};
use super::links::LinkTable;
use super::weather::Weather;
use crate::adversary::{Conspiracy, Schemer};
use crate::time::SimTime;

/// What becomes of a message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes nowhere.
    Dropped(DropReason),
    /// It arrives, unless [`Fabric::admits`] stops it there.
    Arrives {
        /// When; at least the lookahead after it was sent.
        at: SimTime,
        /// When a second copy arrives, if the link duplicated it; likewise.
        copy: Option<SimTime>,
        /// The first fault, by index, that changed its delay.
        touched: Option<u32>,
    },
}

/// Why a message went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// A link lost it; with the index of the fault if one did.
    Loss(Option<u32>),
    /// The fault with this index has cut a link on its way.
    Cut(u32),
    /// No link, or no path, leads to the receiver.
    NoRoute,
    /// The link's queue was full.
    Queue,
    /// The receiver is down; never said by the fabric, which does not know.
    Down,
}

/// All links of a run.
///
/// Cloning shares what never changes and the counts of effects.
#[derive(Clone, Debug)]
pub struct Fabric {
    key: DrawKey,
    links: Arc<LinkTable>,
    layout: Arc<Layout>,
    weather: Weather,
    lookahead: u64,
    /// A network that takes sides.
    schemer: Option<Box<Schemer>>,
}

/// What the hops of a path add up to.
struct Journey {
    delay: u64,
    copy: Option<u64>,
    in_order: bool,
    touched: Option<u32>,
}

impl Fabric {
    /// The fabric of `scenario` in the run of `key`.
    pub fn new(scenario: &Scenario, key: RunKey) -> Self {
        let links = LinkTable::new(scenario);
        let lookahead = links.shortest_nanos().max(1);
        let bounds = Conspiracy::new(scenario, key).and_then(|it| it.bounds);
        let least = SimDuration::from_nanos(lookahead);
        let schemer = bounds.map(|bounds| Box::new(Schemer::new(&bounds, key, least)));
        Self {
            key: DrawKey::new(key, "network"),
            links: Arc::new(links),
            layout: Arc::new(Layout::new(scenario, key)),
            weather: Weather::new(scenario.faults.len()),
            lookahead,
            schemer,
        }
    }

    /// No message is faster: the least of all links' minimum latencies, at least a nanosecond.
    pub fn lookahead(&self) -> SimDuration {
        SimDuration::from_nanos(self.lookahead)
    }

    /// The fate of the `nth` message that `from` sends to `to` in one step, at `sent`.
    ///
    /// `nth` counts from 0 on each link. `bytes` is the encoded size.
    #[inline]
    pub fn route(
        &self,
        egress: &mut Egress,
        from: PeerId,
        to: PeerId,
        sent: SimTime,
        nth: u32,
        bytes: u32,
    ) -> Fate {
        let draw = self.key.message(from, to, sent, nth);
        if self.weather.is_calm() && self.layout.is_complete() {
            let link = self.links.between(from, to);
            if link.plain {
                let latency = link.latency.sample(draw, Purpose::Latency);
                return Fate::Arrives {
                    at: self.arrival(sent, latency),
                    copy: None,
                    touched: None,
                };
            }
        }
        match self.travel(egress, from, to, sent, draw, bytes) {
            Ok(journey) => self.schedule(egress, to, sent, &journey),
            Err(reason) => Fate::Dropped(reason),
        }
    }

    /// Whether a message from `from` may reach `to` now that it is there; judged at arrival.
    ///
    /// # Errors
    /// [`DropReason::Cut`] if a link of its path is cut by now.
    #[inline]
    pub fn admits(&self, from: PeerId, to: PeerId) -> Result<(), DropReason> {
        if self.weather.is_calm() {
            return Ok(());
        }
        let mut at = from;
        self.layout.walk(from, to, |next| {
            let hop = (std::mem::replace(&mut at, next), next);
            self.weather
                .cut(hop.0, hop.1)
                .map_or(Ok(()), |fault| Err(DropReason::Cut(fault)))
        })
    }

    /// Whether a message could get from `from` to `to` now: there is a path and no link of it is
    /// cut. For checkers; counts as no effect of any fault.
    pub fn connects(&self, from: PeerId, to: PeerId) -> bool {
        let mut at = from;
        let step = |next| {
            let hop = (std::mem::replace(&mut at, next), next);
            if self.weather.cuts(hop.0, hop.1) {
                return Err(DropReason::NoRoute);
            }
            Ok(())
        };
        self.layout.walk(from, to, step).is_ok()
    }

    /// Who picks delays, if anybody does.
    #[inline]
    pub(crate) fn schemer(&self) -> Option<&Schemer> {
        self.schemer.as_deref()
    }

    /// The same, to be told something at a window edge.
    pub(crate) fn schemer_mut(&mut self) -> Option<&mut Schemer> {
        self.schemer.as_deref_mut()
    }

    /// A role of an adversary begins or ends, in case it is the network's.
    pub(crate) fn turn(&mut self, role: u32, on: bool) {
        if let Some(schemer) = &mut self.schemer {
            schemer.turn(role as usize, on);
        }
    }

    /// What acts on links right now.
    pub fn weather(&self) -> &Weather {
        &self.weather
    }

    /// What acts on links right now, to be changed at a window edge.
    pub fn weather_mut(&mut self) -> &mut Weather {
        &mut self.weather
    }

    /// Who is whose neighbour.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The links, faults aside.
    pub fn links(&self) -> &LinkTable {
        &self.links
    }

    #[inline]
    fn arrival(&self, sent: SimTime, delay: u64) -> SimTime {
        sent + SimDuration::from_nanos(delay.max(self.lookahead))
    }

    fn travel(
        &self,
        egress: &mut Egress,
        from: PeerId,
        to: PeerId,
        sent: SimTime,
        draw: Draw,
        bytes: u32,
    ) -> Result<Journey, DropReason> {
        let mut journey = Journey {
            delay: 0,
            copy: None,
            in_order: true,
            touched: None,
        };
        let (mut at, mut hop) = (from, 0);
        self.layout.walk(from, to, |next| {
            let here = std::mem::replace(&mut at, next);
            let luck = draw.hop(hop);
            let (link, fault) = self.link(here, next, luck)?;
            let queued = match link.bandwidth {
                Some(capacity) if hop == 0 => egress
                    .transmit(next, sent, bytes, link.transmission(bytes), capacity)
                    .ok_or(DropReason::Queue)?,
                Some(_) | None => link.transmission(bytes),
            };
            let carried = link.carry(luck).ok_or(DropReason::Loss(fault))?;
            let slowed = self.slowed(here, next, carried);
            journey.add(queued, slowed.0, link.in_order, fault.or(slowed.1));
            hop += 1;
            Ok(())
        })?;
        Ok(journey)
    }

    /// The link that carries from `here` to `next`, and the fault that replaced it.
    fn link(
        &self,
        here: PeerId,
        next: PeerId,
        luck: Draw,
    ) -> Result<(&LinkModel, Option<u32>), DropReason> {
        if self.weather.is_calm() {
            return Ok((self.links.between(here, next), None));
        }
        if let Some(fault) = self.weather.cut(here, next) {
            return Err(DropReason::Cut(fault));
        }
        if let Some(fault) = self.weather.lost(here, next, luck) {
            return Err(DropReason::Loss(Some(fault)));
        }
        Ok(match self.weather.replaced(here, next) {
            Some((fault, link)) => (link, Some(fault)),
            None => (self.links.between(here, next), None),
        })
    }

    /// What latency storms make of a link's delay.
    fn slowed(&self, here: PeerId, next: PeerId, carried: Carried) -> (Carried, Option<u32>) {
        if self.weather.is_calm() {
            return (carried, None);
        }
        let (delay, fault) = self.weather.lengthened(here, next, carried.delay);
        let copy = carried
            .copy
            .map(|copy| self.weather.lengthened(here, next, copy).0);
        (Carried { delay, copy }, fault)
    }

    fn schedule(&self, egress: &mut Egress, to: PeerId, sent: SimTime, journey: &Journey) -> Fate {
        let mut at = self.arrival(sent, journey.delay);
        let mut copy = journey.copy.map(|delay| self.arrival(sent, delay));
        if journey.in_order {
            at = egress.in_order(to, sent, at);
            copy = copy.map(|copy| copy.max(at));
        }
        Fate::Arrives {
            at,
            copy,
            touched: journey.touched,
        }
    }
}

impl Journey {
    /// Goes one hop further. A copy made on this hop shared the way before it.
    fn add(&mut self, queued: u64, carried: Carried, in_order: bool, touched: Option<u32>) {
        let before = self.delay.saturating_add(queued);
        self.copy = match (self.copy, carried.copy) {
            (Some(copy), _) => Some(copy.saturating_add(queued).saturating_add(carried.delay)),
            (None, Some(copy)) => Some(before.saturating_add(copy)),
            (None, None) => None,
        };
        self.delay = before.saturating_add(carried.delay);
        self.in_order &= in_order;
        self.touched = self.touched.or(touched);
    }
}

#[cfg(test)]
mod tests;
