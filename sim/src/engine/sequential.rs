//! The other driver: one step at a time, by hand, over the same actors.
//!
//! Nothing happens here unless it is asked for. Messages wait until they are delivered or dropped,
//! each peer's time stands still until it is advanced, and links have no latency. Directed
//! schedules and step-by-step tests are written against it; windows cannot say "hold that message".

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::{
    Durable, Message, Payload, PeerId, Protocol, RequestId, RunKey, SimDuration,
};
use fedsim_scenarios::Scenario;

use super::cast::Cast;
use super::cell::{Carriage, Post, Window};
use super::driver::{Options, Outcome, Setup, digest, shard};
use super::envelope::Envelope;
use super::ledger::{self, MessageTrace};
use super::notice::Notice;
use super::shard::Shard;
use crate::nemesis::Control;
use crate::network::{Cut, DropReason, Effect, Fabric, PeerSet};
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
    /// The sender's count of what it sent.
    seq: u64,
}

/// Peers that move only when told to.
pub struct Sequential<C: Cast> {
    shard: Shard<C::Machine>,
    now: Vec<SimTime>,
    held: Vec<Held<<C::Machine as Protocol>::Message>>,
    lost: Vec<Held<<C::Machine as Protocol>::Message>>,
    numbered: u64,
}

impl<C: Cast> Sequential<C> {
    /// The peers of `scenario`, none of them started. Its faults, adversaries and duration are not
    /// looked at.
    pub fn new(scenario: &Scenario, cast: &Arc<C>) -> Self {
        Self::with_options(scenario, cast, &Options::default())
    }

    /// The same, with every message noted if `options` say so.
    pub fn with_options(scenario: &Scenario, cast: &Arc<C>, options: &Options) -> Self {
        let key = RunKey::from_seed(scenario.seed);
        let setup = Setup {
            scenario,
            cast,
            key,
            options,
            fabric: Arc::new(Fabric::new(scenario, key)),
            shards: 1,
            conspiracy: None,
        };
        let mut shard = shard(&setup, 0);
        shard.shared.cell.borrow_mut().carriage = Carriage::Held;
        for slot in 0..scenario.peers.len() {
            shard.act(slot, |peer, _, _| peer.forget_start());
        }
        Self {
            shard,
            now: vec![SimTime::ZERO; scenario.peers.len()],
            held: Vec::new(),
            lost: Vec::new(),
            numbered: 0,
        }
    }

    /// Has a peer start for the first time.
    pub fn start(&mut self, peer: PeerId) {
        let now = self.now[peer.index()];
        self.shard
            .act(peer.index(), move |peer, _, _| peer.schedule_start(now));
        self.settle(peer);
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

    /// Advances a peer's time to when its oldest write under way is durable; false if there is none.
    pub fn sync(&mut self, peer: PeerId) -> bool {
        let due = self.next_durable(peer);
        if let Some(at) = due {
            self.advance_to(peer, at.max(self.now[peer.index()]));
        }
        due.is_some()
    }

    /// When a peer's oldest write under way will be durable.
    pub fn next_durable(&mut self, peer: PeerId) -> Option<SimTime> {
        self.shard
            .act(peer.index(), |peer, _, _| peer.physique.next_durable())
    }

    /// The timers that a peer has set, by the true time at which they fire.
    pub fn timers(&mut self, peer: PeerId) -> Vec<(<C::Machine as Protocol>::Timer, SimTime)> {
        self.shard
            .act(peer.index(), |peer, _, _| peer.timers().collect())
    }

    /// Puts a request to a peer, under an identifier of its own choice.
    pub fn ask(&mut self, peer: PeerId, request: <C::Machine as Protocol>::Request) -> RequestId {
        let id = self
            .shard
            .act(peer.index(), |peer, _, _| peer.next_request());
        self.request(peer, id, request);
        id
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

    /// Lets no message pass from one peer to another, those included that wait.
    pub fn cut(&mut self, from: PeerId, to: PeerId) {
        let strike = strike(from, to);
        let cut = Cut::OneWay {
            from: PeerSet::new(&[from]),
            to: PeerSet::new(&[to]),
        };
        let mut cell = self.shard.shared.cell.borrow_mut();
        let weather = Arc::make_mut(&mut cell.fabric).weather_mut();
        weather.end(strike);
        weather.begin(strike, 0, Effect::Cut(cut));
    }

    /// Lets messages pass again.
    pub fn connect(&mut self, from: PeerId, to: PeerId) {
        let mut cell = self.shard.shared.cell.borrow_mut();
        let weather = Arc::make_mut(&mut cell.fabric).weather_mut();
        weather.end(strike(from, to));
    }

    /// The network as it is now.
    pub fn fabric(&self) -> Arc<Fabric> {
        Arc::clone(&self.shard.shared.cell.borrow().fabric)
    }

    /// Messages that wait, oldest first.
    pub fn held(&self) -> &[Held<<C::Machine as Protocol>::Message>] {
        &self.held
    }

    /// Messages sent since the last call that no link carries.
    pub fn take_lost(&mut self) -> Vec<Held<<C::Machine as Protocol>::Message>> {
        std::mem::take(&mut self.lost)
    }

    /// Takes a message out of the pool without delivering it; it counts as lost.
    pub fn discard(&mut self, number: u64) -> Option<Held<<C::Machine as Protocol>::Message>> {
        let held = self.take(number)?;
        self.drop_for(DropReason::Loss(None), &held);
        Some(held)
    }

    /// Delivers a held message now; false if there is none of that number.
    pub fn deliver(&mut self, number: u64) -> bool {
        let Some(held) = self.take(number) else {
            return false;
        };
        self.arrive(held);
        true
    }

    /// Delivers a message that need not be held (any more): a duplicate, or a forgery.
    pub fn deliver_copy(&mut self, mut held: Held<<C::Machine as Protocol>::Message>) {
        held.seq = self.shard.act(held.from.index(), |peer, _, _| {
            peer.sender.seq += 1;
            peer.sender.seq
        });
        let (at, kind) = (self.now[held.from.index()], held.payload.kind());
        let mut cell = self.shard.shared.cell.borrow_mut();
        cell.counters.at(at, kind).duplicated += 1;
        if let Some(ledger) = &mut cell.ledger {
            let bytes = held.payload.encoded_len() as u32;
            ledger.send(at, &envelope(at, &held), bytes, None);
        }
        drop(cell);
        self.arrive(held);
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

    /// What is on a peer's disk, whether it runs or not.
    pub fn disk(&mut self, peer: PeerId) -> Durable<<C::Machine as Protocol>::Record> {
        self.shard
            .act(peer.index(), |peer, _, _| peer.physique.on_disk())
    }

    /// A peer's own time.
    pub fn now(&self, peer: PeerId) -> SimTime {
        self.now[peer.index()]
    }

    /// What happened since the last call, in the order in which it was brought about.
    pub fn take_notices(&mut self) -> Vec<Notice<C::Machine>> {
        std::mem::take(&mut self.shard.shared.cell.borrow_mut().notices)
    }

    /// Which event is or was handled last, for whoever catches a panic.
    pub fn current(&self) -> (SimTime, PeerId) {
        self.shard.shared.cell.borrow().current
    }

    /// What the engine knows of the run so far, if it ended at `ended_at`.
    pub fn outcome(&mut self, ended_at: SimTime) -> Outcome {
        Outcome {
            digest: digest(self.shard.folds().into_iter()),
            ended_at,
            cancelled: false,
            counters: self.shard.shared.cell.borrow().counters.clone(),
            bands: Vec::new(),
            tallies: Vec::new(),
            behaviours: Vec::new(),
            garbage: 0,
        }
    }

    /// Every message so far, if they were to be noted; forgets them.
    pub fn take_messages(&mut self) -> Vec<MessageTrace> {
        ledger::settle(
            self.shard
                .shared
                .cell
                .borrow_mut()
                .ledger
                .take()
                .into_iter(),
        )
    }

    fn take(&mut self, number: u64) -> Option<Held<<C::Machine as Protocol>::Message>> {
        let place = self.held.iter().position(|held| held.number == number)?;
        Some(self.held.remove(place))
    }

    fn arrive(&mut self, held: Held<<C::Machine as Protocol>::Message>) {
        let to = held.to;
        let envelope = envelope(self.now[to.index()], &held);
        self.shard.act(to.index(), move |peer, cell, _| {
            peer.arrive(&envelope, cell)
        });
        self.settle(to);
    }

    fn drop_for(&mut self, reason: DropReason, held: &Held<<C::Machine as Protocol>::Message>) {
        let at = self.now[held.from.index()];
        let mut cell = self.shard.shared.cell.borrow_mut();
        cell.counters.dropped(at, held.payload.kind(), reason);
        if let Some(ledger) = &mut cell.ledger {
            ledger.arrive(&envelope(at, held), Some(reason));
        }
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
        let sent = std::mem::take(&mut self.shard.shared.cell.borrow_mut().outgoing[0]);
        for envelope in sent {
            self.numbered += 1;
            let held = Held {
                number: self.numbered,
                from: envelope.from,
                to: envelope.to,
                payload: envelope.payload.clone(),
                seq: envelope.seq,
            };
            if let Some(ledger) = &mut self.shard.shared.cell.borrow_mut().ledger {
                let bytes = envelope.payload.encoded_len() as u32;
                ledger.send(envelope.at, &envelope, bytes, None);
            }
            if self.fabric().connects(held.from, held.to) {
                self.held.push(held);
            } else {
                self.drop_for(DropReason::NoRoute, &held);
                self.lost.push(held);
            }
        }
    }
}

/// Names the cut of one link.
fn strike(from: PeerId, to: PeerId) -> u64 {
    (u64::from(from.0) << 32) | u64::from(to.0)
}

fn envelope<M: Clone>(at: SimTime, held: &Held<M>) -> Envelope<M> {
    Envelope {
        at,
        seq: held.seq,
        from: held.from,
        to: held.to,
        payload: held.payload.clone(),
    }
}
