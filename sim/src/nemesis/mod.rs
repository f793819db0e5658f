//! What hurts, and when: the faults of a scenario, resolved into a timeline.
//!
//! The engine asks when the next action is due ([`Nemesis::next_at`]), ends a window there, and has
//! it carried out ([`Nemesis::act`]): what concerns links changes the weather of the fabric, what
//! concerns peers comes back as [`Order`]s. Faults that wait for something are told what happened
//! and strike one lookahead later at the earliest, so that no result depends on windows. Must not
//! know actors, threads, or how an order is carried out.
//!
//! Overlapping faults add up: a link is cut while any fault cuts it, a peer that two faults stopped
//! starts when both have ended.

mod aim;
mod cuts;
mod effects;
pub mod explain;
mod order;
mod plan;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fedsim_protocols::{PeerId, RunKey, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{AdversarySpec, Fault, FaultSpec, When};

pub use effects::{FaultBand, FaultTally};
pub use explain::explain;
pub use order::{Control, Order};

use crate::adversary::{Conspiracy, Role};
use crate::network::{Cut, Effect, Fabric, LinkModel, PeerSet, disks};
use crate::time::SimTime;
use aim::Aim;
use plan::Plan;
use standing::Standing;

/// All faults of a run.
#[derive(Debug)]
pub struct Nemesis {
    faults: Vec<FaultSpec>,
    plans: Vec<Plan>,
    aim: Aim,
    lookahead: SimDuration,
    timeline: BTreeMap<Due, Action>,
    scheduled: u64,
    strikes: Vec<Strike>,
    standing: Standing,
    /// Peers that each fault really did something to, as the engine reports.
    peers_touched: Vec<u64>,
    last_heal: Option<SimTime>,
}

/// When an action is due. At one moment what ends goes before what begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: SimTime,
    class: Class,
    fault: u32,
    n: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    End,
    Toggle,
    Strike,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    /// The strike with this index ends.
    End(usize),
    /// A flapping strike cuts (true) or heals.
    Toggle(usize, bool),
    /// The fault strikes; by the event of this peer, if by one.
    Strike(Option<PeerId>),
}

/// One strike of a fault.
#[derive(Debug)]
struct Strike {
    fault: u32,
    from: SimTime,
    /// None: until the end of the run.
    to: Option<SimTime>,
    peers: Vec<PeerId>,
    ended: bool,
    /// What a flapping fault cuts and heals in turn.
    flapping: Option<Cut>,
}

impl Nemesis {
    /// The faults of `scenario` on `fabric` in the run of `key`.
    pub fn new(scenario: &Scenario, fabric: &Fabric, key: RunKey) -> Self {
        let mut faults = scenario.faults.clone();
        faults.extend(turns(scenario, key));
        let mut nemesis = Self {
            plans: (0..faults.len() as u32)
                .map(|fault| Plan::new(key, fault))
                .collect(),
            aim: Aim::new(scenario),
            lookahead: fabric.lookahead(),
            timeline: BTreeMap::new(),
            scheduled: 0,
            strikes: Vec::new(),
            standing: Standing::new(disks(&scenario.network, scenario.peers.len())),
            peers_touched: vec![0; faults.len()],
            last_heal: None,
            faults,
        };
        for fault in 0..nemesis.faults.len() as u32 {
            let first = nemesis.plans[fault as usize].first(&nemesis.faults[fault as usize].when);
            nemesis.schedule_strike(fault, first, None);
        }
        nemesis
    }

    /// When the next action is due, as far as is known by now.
    pub fn next_at(&self) -> Option<SimTime> {
        self.timeline.first_key_value().map(|(due, _)| due.at)
    }

    /// Carries out everything due at `now` or before: changes the weather of `fabric`, adds what is
    /// to be done to peers to `orders`.
    pub fn act(&mut self, now: SimTime, fabric: &mut Fabric, orders: &mut Vec<Order>) {
        while let Some(entry) = self.timeline.first_entry()
            && entry.key().at <= now
        {
            let (due, action) = entry.remove_entry();
            match action {
                Action::End(strike) => self.end(strike, due.at, fabric, orders),
                Action::Toggle(strike, cut) => self.toggle(strike, cut, due.at, fabric),
                Action::Strike(trigger) => {
                    self.strike(due.fault, due.at, trigger, fabric, orders);
                }
            }
        }
        self.aim.forget_before(now - self.lookahead);
    }

    /// Whether any fault waits for, or aims by, events of this name.
    pub fn listens_to(&self, name: &str) -> bool {
        self.aim.listens_to(name)
            || self
                .faults
                .iter()
                .any(|fault| matches!(&fault.when, When::On { event, .. } if event == name))
    }

    /// `peer` reported the event `name` at `at`.
    ///
    /// To be called in order of (time, peer, number at that peer), within a lookahead of the event.
    pub fn on_event(&mut self, at: SimTime, peer: PeerId, name: &str) {
        self.aim.note(at, peer, name);
        for fault in 0..self.faults.len() {
            let when = &self.faults[fault].when;
            if let Some(delay) = self.plans[fault].on_event(when, peer, name) {
                let due = at + self.lookahead + delay;
                self.schedule_strike(fault as u32, Some(due), Some(peer));
            }
        }
    }

    /// By `at`, `completed` requests of the run have been answered.
    pub fn on_operations(&mut self, at: SimTime, completed: u64) {
        for fault in 0..self.faults.len() {
            let when = &self.faults[fault].when;
            for _ in 0..self.plans[fault].on_operations(when, completed) {
                self.schedule_strike(fault as u32, Some(at + self.lookahead), None);
            }
        }
    }

    /// When the last strike that has ended so far did so.
    pub fn last_heal(&self) -> Option<SimTime> {
        self.last_heal
    }

    /// True if no strike is going on and none is due, as far as is known by now.
    pub fn is_over(&self) -> bool {
        self.timeline.is_empty() && self.strikes.iter().all(|strike| strike.ended)
    }

    fn schedule(&mut self, at: SimTime, class: Class, fault: u32, action: Action) {
        let n = self.scheduled;
        self.scheduled += 1;
        let due = Due {
            at,
            class,
            fault,
            n,
        };
        self.timeline.insert(due, action);
    }

    /// A strike at `at`, unless the fault is healed for good by then.
    fn schedule_strike(&mut self, fault: u32, at: Option<SimTime>, trigger: Option<PeerId>) {
        let heal_by = self.faults[fault as usize].heal_by.map(SimTime::from);
        if let Some(at) = at
            && heal_by.is_none_or(|heal| at < heal)
        {
            self.schedule(at, Class::Strike, fault, Action::Strike(trigger));
        }
    }

    fn strike(
        &mut self,
        fault: u32,
        at: SimTime,
        trigger: Option<PeerId>,
        fabric: &mut Fabric,
        orders: &mut Vec<Order>,
    ) {
        let spec = self.faults[fault as usize].clone();
        let next = self.plans[fault as usize].after(&spec.when, at);
        self.schedule_strike(fault, next, None);
        let index = self.strikes.len();
        let to = end_of(&spec, at);
        self.strikes.push(Strike {
            fault,
            from: at,
            to,
            peers: Vec::new(),
            ended: !lasts(&spec.fault),
            flapping: None,
        });
        let aimed = At {
            index,
            fault,
            at,
            trigger,
        };
        self.hit(&spec.fault, aimed, fabric, orders);
        if let Some(end) = to.filter(|_| lasts(&spec.fault)) {
            self.schedule(end, Class::End, fault, Action::End(index));
        }
    }

    fn hit(&mut self, fault: &Fault, aimed: At, fabric: &mut Fabric, orders: &mut Vec<Order>) {
        match fault {
            Fault::Partition(partition) => {
                let cut = self.cut(partition, aimed);
                fabric
                    .weather_mut()
                    .begin(aimed.strike(), aimed.fault, Effect::Cut(cut));
            }
            Fault::RegionOutage(region) => {
                let peers = self.aim.region(region);
                let effect = Effect::Cut(Cut::Around(PeerSet::new(&peers)));
                self.strikes[aimed.index].peers = peers;
                fabric
                    .weather_mut()
                    .begin(aimed.strike(), aimed.fault, effect);
            }
            Fault::Flapping { cut, .. } => {
                let cut = self.cut(cut, aimed);
                self.strikes[aimed.index].flapping = Some(cut);
                self.toggle(aimed.index, true, aimed.at, fabric);
            }
            Fault::LatencyStorm { peers, .. }
            | Fault::LossStorm { peers, .. }
            | Fault::Links { peers, .. } => {
                let set = PeerSet::new(&self.select(peers, aimed));
                if let Some(effect) = storm(fault, set) {
                    fabric
                        .weather_mut()
                        .begin(aimed.strike(), aimed.fault, effect);
                }
            }
            Fault::Crash(peers)
            | Fault::Wipe(peers)
            | Fault::Pause(peers)
            | Fault::ClockJump { peers, .. }
            | Fault::Slow { peers, .. }
            | Fault::Disk { peers, .. }
            | Fault::Request { peers, .. } => {
                for peer in self.select(peers, aimed) {
                    let what = self.standing.begin(peer, aimed.strike(), fault);
                    orders.extend(what.map(|what| aimed.order(peer, what)));
                }
            }
            Fault::Turn { role, peers } => {
                fabric.turn(*role, true);
                self.strikes[aimed.index].peers.clone_from(peers);
                for &peer in peers {
                    let what = self.standing.begin(peer, aimed.strike(), fault);
                    orders.extend(what.map(|what| aimed.order(peer, what)));
                }
            }
        }
    }

    /// Whom `peers` means for this strike, noted as its victims.
    fn select(&mut self, peers: &fedsim_scenarios::spec::Select, aimed: At) -> Vec<PeerId> {
        let horizon = aimed.at - self.lookahead;
        let dice = self.plans[aimed.fault as usize].choices();
        let chosen = self.aim.select(peers, horizon, aimed.trigger, dice);
        self.strikes[aimed.index].peers.extend(&chosen);
        chosen
    }

    fn cut(&mut self, partition: &fedsim_scenarios::spec::Partition, aimed: At) -> Cut {
        let horizon = aimed.at - self.lookahead;
        let dice = self.plans[aimed.fault as usize].choices();
        let (cut, peers) = cuts::resolve(partition, &self.aim, horizon, aimed.trigger, dice);
        self.strikes[aimed.index].peers = peers;
        cut
    }

    fn toggle(&mut self, index: usize, cut: bool, at: SimTime, fabric: &mut Fabric) {
        let strike = &self.strikes[index];
        let fault = strike.fault;
        let (Some(shape), Fault::Flapping { down, up, .. }, false) = (
            &strike.flapping,
            &self.faults[fault as usize].fault,
            strike.ended,
        ) else {
            return;
        };
        let span = if cut {
            fabric
                .weather_mut()
                .begin(index as u64, fault, Effect::Cut(shape.clone()));
            *down
        } else {
            fabric.weather_mut().end(index as u64);
            *up
        };
        let next = at + span.max(SimDuration::from_nanos(1));
        self.schedule(next, Class::Toggle, fault, Action::Toggle(index, !cut));
    }

    fn end(&mut self, index: usize, at: SimTime, fabric: &mut Fabric, orders: &mut Vec<Order>) {
        let strike = &mut self.strikes[index];
        strike.ended = true;
        self.last_heal = Some(at);
        fabric.weather_mut().end(index as u64);
        let fault = strike.fault;
        if let Fault::Turn { role, .. } = &self.faults[fault as usize].fault {
            fabric.turn(*role, false);
        }
        for &peer in &strike.peers {
            let spec = &self.faults[fault as usize].fault;
            let what = self.standing.end(peer, index as u64, spec);
            orders.extend(what.map(|what| Order { peer, what, fault }));
        }
    }
}

/// The strikes of adversaries, after those of all faults.
fn turns(scenario: &Scenario, key: RunKey) -> Vec<FaultSpec> {
    let conspiracy = Conspiracy::new(scenario, key);
    let roles = conspiracy.iter().flat_map(|it| it.roles.iter());
    let turn = |(role, (spec, played)): (u32, (&AdversarySpec, &Role))| FaultSpec {
        label: spec.label.clone(),
        when: spec.when.clone(),
        lasts: spec.lasts,
        heal_by: spec.heal_by,
        fault: Fault::Turn {
            role,
            peers: played.peers.clone(),
        },
    };
    (0..)
        .zip(scenario.adversaries.iter().zip(roles))
        .map(turn)
        .collect()
}

/// One strike while it is being aimed.
#[derive(Clone, Copy)]
struct At {
    index: usize,
    fault: u32,
    at: SimTime,
    trigger: Option<PeerId>,
}

impl At {
    fn strike(self) -> u64 {
        self.index as u64
    }

    fn order(self, peer: PeerId, what: Control) -> Order {
        let fault = self.fault;
        Order { peer, what, fault }
    }
}

/// False for what happens at once and has no end.
fn lasts(fault: &Fault) -> bool {
    match fault {
        Fault::ClockJump { .. } | Fault::Request { .. } => false,
        Fault::Partition(_)
        | Fault::Flapping { .. }
        | Fault::Crash(_)
        | Fault::Wipe(_)
        | Fault::Pause(_)
        | Fault::LatencyStorm { .. }
        | Fault::LossStorm { .. }
        | Fault::Links { .. }
        | Fault::Slow { .. }
        | Fault::RegionOutage(_)
        | Fault::Disk { .. }
        | Fault::Turn { .. } => true,
    }
}

/// When a strike at `at` ends: after its span, at the guaranteed heal, or never.
fn end_of(spec: &FaultSpec, at: SimTime) -> Option<SimTime> {
    if !lasts(&spec.fault) {
        return Some(at);
    }
    let by_span = spec.lasts.map(|span| at + span);
    let by_heal = spec.heal_by.map(SimTime::from);
    by_span.into_iter().chain(by_heal).min()
}

/// What a fault does to the links of `peers`, for those that only change how links carry.
fn storm(fault: &Fault, peers: PeerSet) -> Option<Effect> {
    match fault {
        Fault::LatencyStorm {
            factor_milli, plus, ..
        } => Some(Effect::Latency {
            peers,
            factor_milli: *factor_milli,
            plus: *plus,
        }),
        Fault::LossStorm { loss, .. } => Some(Effect::Loss { peers, loss: *loss }),
        Fault::Links { link, .. } => Some(Effect::Links {
            peers,
            link: Box::new(LinkModel::new(link)),
        }),
        Fault::Partition(_)
        | Fault::Flapping { .. }
        | Fault::Crash(_)
        | Fault::Wipe(_)
        | Fault::Pause(_)
        | Fault::ClockJump { .. }
        | Fault::Slow { .. }
        | Fault::RegionOutage(_)
        | Fault::Disk { .. }
        | Fault::Request { .. }
        | Fault::Turn { .. } => None,
    }
}
