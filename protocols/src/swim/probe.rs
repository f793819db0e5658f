//! Failure detection: pings, proxies, and who is probed when.
//!
//! ```text
//!   |<------------------ protocol period ------------------->|
//!   ping ──▶ ......... probe timeout │ ping-request ──▶ k proxies ──▶ ping
//!        ◀── ack: done               │        ◀── ack: done · nack: the proxy is well
//!                                                            │ no ack: suspect
//! ```

use crate::identity::PublicKey;
use crate::peer::PeerId;
use crate::protocol::Context;
use crate::random::Stream;
use crate::time::SimDuration;

use super::config::ProbeOrder;
use super::event::{Refusal, SwimEvent};
use super::members::{Members, Place};
use super::message::{Incarnation, SwimMessage, Update};
use super::places::Places;
use super::rules::SwimRules;
use super::{Swim, SwimTimer};

/// Pings for others that one member keeps under way at most; ours, far above what k proxies in a
/// healthy group ask of one another.
const MAX_RELAYS: usize = 1024;

/// Whom to probe: the first `passed` places had their turn in this round.
///
/// The rest is drawn from at each probe, which is the shuffled list of SWIM section 4.3 with the
/// shuffle done as it is walked. Places that are no longer live fall out when they are met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ProbeList {
    places: Places,
    pub(super) passed: usize,
}

impl ProbeList {
    /// The first `count` places of a table but `own`, in order.
    pub(super) fn of_all(count: u32, own: Option<Place>) -> Self {
        Self {
            places: Places::all_but(count, own),
            passed: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Inserts a newcomer at a random position of the round, so that it may have missed its turn.
    pub(super) fn insert(&mut self, place: Place, dice: &mut Stream) {
        let last = self.places.len();
        self.places.push(place);
        if (dice.below(last as u64 + 1) as usize) < self.passed {
            self.places.swap(last, self.passed);
            self.passed += 1;
        }
    }

    fn remove(&mut self, mut at: usize, members: &mut Members) {
        members.edit(self.places.at(at)).probed = false;
        if at < self.passed {
            self.passed -= 1;
            self.places.swap(at, self.passed);
            at = self.passed;
        }
        self.places.swap_remove(at);
    }

    /// The live member whose turn it is.
    pub(super) fn next<R: SwimRules>(
        &mut self,
        order: ProbeOrder,
        members: &mut Members,
        dice: &mut Stream,
    ) -> Option<Place> {
        while self.places.len() > 0 {
            self.passed %= self.places.len();
            let at = R::next_probe(order, self.passed, self.places.len(), dice);
            let place = self.places.at(at);
            if !members.get(place).status.is_live() {
                self.remove(at, members);
                continue;
            }
            if order == ProbeOrder::RoundRobin && at >= self.passed {
                self.places.swap(at, self.passed);
                self.passed += 1;
            }
            return Some(place);
        }
        None
    }

    /// Up to `count` different live members, none of them in `without`.
    pub(super) fn draw(
        &mut self,
        count: usize,
        without: &[Place],
        members: &mut Members,
        dice: &mut Stream,
    ) -> Vec<Place> {
        if self.places.len() <= 4 * (count + without.len()) {
            return self.draw_from_few(count, without, members, dice);
        }
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            if self.places.len() <= count + without.len() {
                return self.draw_from_few(count, without, members, dice);
            }
            let at = dice.below(self.places.len() as u64) as usize;
            let place = self.places.at(at);
            if !members.get(place).status.is_live() {
                self.remove(at, members);
            } else if !drawn.contains(&place) && !without.contains(&place) {
                drawn.push(place);
            }
        }
        drawn
    }

    fn draw_from_few(
        &self,
        count: usize,
        without: &[Place],
        members: &Members,
        dice: &mut Stream,
    ) -> Vec<Place> {
        let is_wanted =
            |place: &Place| members.get(*place).status.is_live() && !without.contains(place);
        let mut few: Vec<Place> = self.places.iter().filter(is_wanted).collect();
        dice.shuffle(&mut few);
        few.truncate(count);
        few
    }
}

/// The probe under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Probe {
    pub(super) sequence: u32,
    pub(super) target: Place,
    /// At which incarnation the target was asked; a refutation meanwhile is an answer too.
    incarnation: Incarnation,
    /// Who was asked to help, and whether he has sent a nack.
    proxies: Vec<(PeerId, bool)>,
}

/// A ping for somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Relay {
    asker: PeerId,
    /// The asker's number of the probe.
    asked: u32,
    target: PeerId,
    wants_nack: bool,
}

impl<R: SwimRules> Swim<R> {
    pub(super) fn draw_live(
        &mut self,
        count: usize,
        without: &[Place],
        dice: &mut Stream,
    ) -> Vec<Place> {
        let members = &mut self.members;
        self.probe_list.draw(count, without, members, dice)
    }

    /// A protocol period ends and the next begins.
    pub(super) fn on_period(&mut self, ctx: &mut Context<'_, Self>) {
        self.finish_probe(ctx);
        let period = self.health.stretch(self.config.protocol_period);
        ctx.set_timer(SwimTimer::Period, period);
        self.start_probe(ctx);
    }

    fn start_probe(&mut self, ctx: &mut Context<'_, Self>) {
        let order = self.config.probe_order;
        let members = &mut self.members;
        let Some(target) = self.probe_list.next::<R>(order, members, ctx.rng()) else {
            return;
        };
        let sequence = self.next_sequence();
        let updates = self.news_for(Some(target));
        let record = &self.members.get(target).record;
        let (to, key, incarnation) = (record.address, record.key, record.incarnation);
        if self.config.report_probes {
            let subject = to;
            ctx.notify(SwimEvent::ProbeStarted { subject, sequence });
        }
        self.probe = Some(Probe {
            sequence,
            target,
            incarnation,
            proxies: Vec::new(),
        });
        ctx.send(
            to,
            SwimMessage::Ping {
                sequence,
                target: key,
                updates,
            },
        );
        let patience = self.health.stretch(self.config.probe_timeout);
        ctx.set_timer(SwimTimer::ProbeTimeout, patience);
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// No direct ack in time: ask k others to ping the target.
    pub(super) fn on_probe_timeout(&mut self, ctx: &mut Context<'_, Self>) {
        let Some(target) = self.probe.as_ref().map(|probe| probe.target) else {
            return;
        };
        let proxies = self.draw_live(self.config.proxies as usize, &[target], ctx.rng());
        for proxy in proxies {
            self.ask_proxy(proxy, target, ctx);
        }
    }

    fn ask_proxy(&mut self, proxy: Place, target: Place, ctx: &mut Context<'_, Self>) {
        let updates = self.news_for(Some(proxy));
        let to = self.members.get(proxy).record.address;
        let record = &self.members.get(target).record;
        let Some(probe) = &mut self.probe else {
            return;
        };
        probe.proxies.push((to, false));
        let request = SwimMessage::PingRequest {
            sequence: probe.sequence,
            target: record.key,
            address: record.address,
            wants_nack: self.config.local_health,
            updates,
        };
        ctx.send(to, request);
    }

    /// The period is over: whoever has not answered is suspected (memberlist `probeNode`).
    fn finish_probe(&mut self, ctx: &mut Context<'_, Self>) {
        let Some(probe) = self.probe.take() else {
            return;
        };
        let missed = match probe.proxies.is_empty() {
            true => 1,
            false => probe.proxies.iter().filter(|(_, nacked)| !nacked).count() as i32,
        };
        self.shift_health(missed, ctx);
        let asked = self.members.get(probe.target).record.incarnation == probe.incarnation;
        if asked && R::suspects_the_silent() {
            self.accuse(probe.target, true, ctx);
        }
    }

    pub(super) fn shift_health(&mut self, by: i32, ctx: &mut Context<'_, Self>) {
        let bound = self.config.local_health_max;
        if self.config.local_health && self.health.shift(by, bound) {
            let score = self.health.score();
            ctx.notify(SwimEvent::HealthChanged { score });
        }
    }

    pub(super) fn on_ping(
        &mut self,
        from: PeerId,
        sequence: u32,
        target: &PublicKey,
        updates: &[Update],
        ctx: &mut Context<'_, Self>,
    ) {
        if *target != self.key {
            return self.refuse(Refusal::WrongTarget, ctx);
        }
        self.hear_all(updates, ctx);
        let updates = self.news_for(None);
        ctx.send(from, SwimMessage::Ack { sequence, updates });
    }

    pub(super) fn on_ping_request(
        &mut self,
        relay: Relay,
        target: PublicKey,
        updates: &[Update],
        ctx: &mut Context<'_, Self>,
    ) {
        self.hear_all(updates, ctx);
        if self.relays.len() >= MAX_RELAYS {
            return self.refuse(Refusal::TooManyRelays, ctx);
        }
        let sequence = self.next_sequence();
        let place = self.members.find(&target);
        let updates = self.news_for(place);
        ctx.send(
            relay.target,
            SwimMessage::Ping {
                sequence,
                target,
                updates,
            },
        );
        ctx.set_timer(SwimTimer::Relay { sequence }, self.nack_after());
        self.relays.insert(sequence, relay);
    }

    /// A proxy says that it is well at 80 % of its probe timeout (Lifeguard section IV-A).
    fn nack_after(&self) -> SimDuration {
        self.config.probe_timeout.scale(4, 5)
    }

    /// A ping for another was not answered: say so once, then forget it.
    pub(super) fn on_relay_timeout(&mut self, sequence: u32, ctx: &mut Context<'_, Self>) {
        let Some(relay) = self.relays.get_mut(&sequence) else {
            return;
        };
        if !std::mem::take(&mut relay.wants_nack) {
            self.relays.remove(&sequence);
            return;
        }
        let (to, asked) = (relay.asker, relay.asked);
        let rest = self.config.probe_timeout - self.nack_after();
        ctx.set_timer(SwimTimer::Relay { sequence }, rest);
        let updates = self.news_for(None);
        ctx.send(
            to,
            SwimMessage::Nack {
                sequence: asked,
                updates,
            },
        );
    }

    pub(super) fn on_ack(
        &mut self,
        from: PeerId,
        sequence: u32,
        updates: &[Update],
        ctx: &mut Context<'_, Self>,
    ) {
        self.hear_all(updates, ctx);
        if let Some(relay) = self.relays.get(&sequence) {
            if relay.target != from {
                return self.refuse(Refusal::AnswerFromStranger, ctx);
            }
            return self.pass_ack_on(sequence, ctx);
        }
        match self.judge_answer(from, sequence) {
            Ok(()) => {
                self.probe = None;
                ctx.cancel_timer(SwimTimer::ProbeTimeout);
                self.shift_health(-1, ctx);
            }
            Err(refusal) => self.refuse(refusal, ctx),
        }
    }

    fn pass_ack_on(&mut self, sequence: u32, ctx: &mut Context<'_, Self>) {
        let Some(relay) = self.relays.remove(&sequence) else {
            return;
        };
        ctx.cancel_timer(SwimTimer::Relay { sequence });
        let updates = self.news_for(None);
        ctx.send(
            relay.asker,
            SwimMessage::Ack {
                sequence: relay.asked,
                updates,
            },
        );
    }

    /// Whether an answer is to the probe under way and from somebody who was asked.
    fn judge_answer(&self, from: PeerId, sequence: u32) -> Result<(), Refusal> {
        let Some(probe) = &self.probe else {
            return Err(Refusal::LateAnswer);
        };
        if !R::answer_counts(probe.sequence, sequence) {
            return Err(Refusal::LateAnswer);
        }
        let is_target = self.members.get(probe.target).record.address == from;
        match is_target || probe.proxies.iter().any(|(proxy, _)| *proxy == from) {
            true => Ok(()),
            false => Err(Refusal::AnswerFromStranger),
        }
    }

    pub(super) fn on_nack(
        &mut self,
        from: PeerId,
        sequence: u32,
        updates: &[Update],
        ctx: &mut Context<'_, Self>,
    ) {
        self.hear_all(updates, ctx);
        if let Err(refusal) = self.judge_answer(from, sequence) {
            return self.refuse(refusal, ctx);
        }
        let proxies = self.probe.iter_mut().flat_map(|probe| &mut probe.proxies);
        for (proxy, nacked) in proxies {
            *nacked |= *proxy == from;
        }
    }
}

impl Relay {
    pub(super) fn new(asker: PeerId, asked: u32, target: PeerId, wants_nack: bool) -> Self {
        Self {
            asker,
            asked,
            target,
            wants_nack,
        }
    }
}
