//! The other driver: one step at a time, by hand, over the same actors.
//!
//! Nothing happens here unless it is asked for. Messages wait until they are delivered or dropped,
//! each peer's time stands still until it is advanced, and links have no latency. Directed
//! schedules and step-by-step tests are written against it; windows cannot say "hold that message".

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::{Payload, PeerId, Protocol, RequestId, RunKey, SimDuration};
use fedsim_scenarios::Scenario;

use super::cast::Cast;
use super::cell::{Carriage, Post, Window};
use super::driver::{Options, Setup, shard};
use super::envelope::Envelope;
use super::notice::Notice;
use super::shard::Shard;
use crate::nemesis::Control;
use crate::network::Fabric;
use crate::time::SimTime;

/// A message that waits to be delivered or dropped.
#[derive(Clone, Debug)]
pub struct Held<M> {
    /// Counts held messages of the run; names this one.
    pub number: u64,
    /// Who sent it.
    pub from: PeerId,
    /// To whom.
    pub to: PeerId,
    /// What.
    pub payload: Payload<M>,
}

/// Peers that move only when told to.
pub struct Sequential<C: Cast> {
    shard: Shard<C::Machine>,
    now: Vec<SimTime>,
    held: Vec<Held<<C::Machine as Protocol>::Message>>,
    numbered: u64,
    delivered: u64,
}

impl<C: Cast> Sequential<C> {
    /// The peers of `scenario`, none of them started. Its faults, adversaries and duration are not
    /// looked at.
    pub fn new(scenario: &Scenario, cast: &Arc<C>) -> Self {
        let key = RunKey::from_seed(scenario.seed);
        let options = Options::default();
        let setup = Setup {
            scenario,
            cast,
            key,
            options: &options,
            fabric: Arc::new(Fabric::new(scenario, key)),
            shards: 1,
            conspiracy: None,
        };
        let shard = shard(&setup, 0);
        shard.shared.cell.borrow_mut().carriage = Carriage::Held;
        Self {
            shard,
            now: vec![SimTime::ZERO; scenario.peers.len()],
            held: Vec::new(),
            numbered: 0,
            delivered: 0,
        }
    }

    /// Has a peer start for the first time.
    pub fn start(&mut self, peer: PeerId) {
        self.advance_to(peer, self.now[peer.index()]);
    }

    /// Advances a peer's time by `span`; timers that come due fire in order.
    pub fn tick(&mut self, peer: PeerId, span: SimDuration) {
        self.advance_to(peer, self.now[peer.index()] + span);
    }

    /// Advances a peer's time to when its next timer fires; which one that is, if any is set.
    pub fn expire(&mut self, peer: PeerId) -> Option<<C::Machine as Protocol>::Timer> {
        let (timer, at) = self.timers(peer).into_iter().min_by_key(|timer| timer.1)?;
        self.advance_to(peer, at);
        Some(timer)
    }

    /// Advances a peer's time to when `timer` fires; false if it is not set.
    pub fn expire_timer(&mut self, peer: PeerId, timer: <C::Machine as Protocol>::Timer) -> bool {
        let set = self.timers(peer).into_iter().find(|set| set.0 == timer);
        if let Some((_, at)) = set {
            self.advance_to(peer, at);
        }
        set.is_some()
    }

    /// The timers that a peer has set, by the true time at which they fire.
    pub fn timers(&mut self, peer: PeerId) -> Vec<(<C::Machine as Protocol>::Timer, SimTime)> {
        self.shard
            .act(peer.index(), |peer, _, _| peer.timers().collect())
    }

    /// Puts a request to a peer.
    pub fn request(
        &mut self,
        peer: PeerId,
        id: RequestId,
        request: <C::Machine as Protocol>::Request,
    ) {
        let now = self.now[peer.index()];
        self.shard.act(peer.index(), move |peer, cell, _| {
            peer.ask(now, id, request, cell)
        });
        self.settle(peer);
    }

    /// Carries out an order of the nemesis on a peer: crash, restart, pause, a clock jump.
    pub fn order(&mut self, peer: PeerId, order: Control) {
        let now = self.now[peer.index()];
        self.run(peer, now, now, vec![order]);
    }

    /// Messages that wait, oldest first.
    pub fn held(&self) -> &[Held<<C::Machine as Protocol>::Message>] {
        &self.held
    }

    /// Takes a message out of the pool without delivering it.
    pub fn discard(&mut self, number: u64) -> Option<Held<<C::Machine as Protocol>::Message>> {
        let place = self.held.iter().position(|held| held.number == number)?;
        Some(self.held.remove(place))
    }

    /// Delivers a held message now; false if there is none of that number.
    pub fn deliver(&mut self, number: u64) -> bool {
        let Some(held) = self.discard(number) else {
            return false;
        };
        self.deliver_copy(held);
        true
    }

    /// Delivers a message that need not be held (any more): a duplicate, or a forgery.
    pub fn deliver_copy(&mut self, held: Held<<C::Machine as Protocol>::Message>) {
        self.delivered += 1;
        let to = held.to;
        let envelope = Envelope {
            at: self.now[to.index()],
            seq: self.delivered,
            from: held.from,
            to,
            payload: held.payload,
        };
        self.shard.act(to.index(), move |peer, cell, _| {
            peer.arrive(&envelope, cell)
        });
        self.settle(to);
    }

    /// Looks at a peer's machine; none while the peer is down.
    pub fn look<R: Send + 'static>(
        &mut self,
        peer: PeerId,
        look: impl FnOnce(Option<&C::Machine>) -> R + Send + 'static,
    ) -> R {
        self.shard
            .act(peer.index(), |peer, _, _| look(peer.machine.as_ref()))
    }

    /// A peer's own time.
    pub fn now(&self, peer: PeerId) -> SimTime {
        self.now[peer.index()]
    }

    /// What happened since the last call, in the order in which it was brought about.
    pub fn take_notices(&mut self) -> Vec<Notice<C::Machine>> {
        std::mem::take(&mut self.shard.shared.cell.borrow_mut().notices)
    }

    fn advance_to(&mut self, peer: PeerId, to: SimTime) {
        let start = self.now[peer.index()];
        self.now[peer.index()] = to;
        self.run(peer, start, to, Vec::new());
    }

    /// Lets happen what the last input made due at once.
    fn settle(&mut self, peer: PeerId) {
        self.advance_to(peer, self.now[peer.index()]);
    }

    /// Has a peer carry out `orders` at `start` and all that is due up to `last`.
    fn run(&mut self, peer: PeerId, start: SimTime, last: SimTime, orders: Vec<Control>) {
        let post = Post {
            start,
            end: last + SimDuration::from_nanos(1),
            orders: BTreeMap::from([(peer, orders)]),
            ..Post::default()
        };
        self.shard.act(peer.index(), move |peer, cell, stage| {
            peer.run(Window::QUIET, &post, cell, stage)
        });
        let mut cell = self.shard.shared.cell.borrow_mut();
        for envelope in cell.outgoing[0].drain(..) {
            self.numbered += 1;
            self.held.push(Held {
                number: self.numbered,
                from: envelope.from,
                to: envelope.to,
                payload: envelope.payload,
            });
        }
    }
}
