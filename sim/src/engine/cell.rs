//! What the actors of one shard share: messages under way, scratch memory, counters, notices.
//!
//! One thread owns it; an actor borrows it while it runs its window.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::{LocalTime, Message, Outbox, Payload, PeerId, Protocol};
use rustc_hash::FxHashMap;

use super::agenda::{Class, Key};
use super::counters::{Counters, PeerLoad};
use super::envelope::Envelope;
use super::ledger::Ledger;
use super::notice::{Happened, Notice, TraceEntry};
use super::ring::{Due, Ring};
use crate::adversary::{Forge, Homes};
use crate::nemesis::Control;
use crate::network::{Egress, Fabric, Fate};
use crate::time::SimTime;

/// Where sends go.
pub(crate) enum Carriage {
    /// Through the network into the rings of the shards.
    Network,
    /// Into a pool from which a directed schedule takes them by hand.
    Held,
}

/// What a window brings; read by the actors, which write to the [`Cell`] meanwhile.
pub(crate) struct Post<P: Protocol> {
    /// When orders are carried out.
    pub(crate) start: SimTime,
    /// The first moment after the window.
    pub(crate) end: SimTime,
    /// What the nemesis wants of whom at `start`.
    pub(crate) orders: BTreeMap<PeerId, Vec<Control>>,
    pub(crate) due: Due<Envelope<P::Message>>,
    /// The deliveries of the peers that run next, peer by peer, in order of arrival.
    pub(crate) arrivals: Vec<Arrival>,
}

impl<P: Protocol> Default for Post<P> {
    fn default() -> Self {
        Self {
            start: SimTime::ZERO,
            end: SimTime::ZERO,
            orders: BTreeMap::new(),
            due: Due::default(),
            arrivals: Vec::new(),
        }
    }
}

/// A delivery: an index into [`Post::due`], with what was looked up there.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) at: SimTime,
    pub(crate) from: PeerId,
    pub(crate) index: u32,
}

impl Arrival {
    /// The order of deliveries at one peer: by time, ties by sender and its own order.
    #[inline]
    pub(crate) fn order<M>(&self, other: &Self, due: &Due<Envelope<M>>) -> Ordering {
        let key = |arrival: &Self| (arrival.at, arrival.from);
        key(self).cmp(&key(other)).then_with(|| {
            // What a cabal overhears bears the number of what it heard.
            let seq = |arrival: &Self| {
                let envelope = due.get(arrival.index);
                (envelope.seq, envelope.to)
            };
            seq(self).cmp(&seq(other))
        })
    }

    /// Whether the delivery goes before the task with `key`.
    #[inline]
    pub(crate) fn is_before<M>(&self, key: Key, due: &Due<Envelope<M>>) -> bool {
        if self.at != key.at {
            return self.at < key.at;
        }
        let seq = due.get(self.index).seq;
        (Class::Delivery, self.from, seq) < (key.class, key.from, key.seq)
    }
}

/// One window of a peer's life: its part of [`Post::arrivals`].
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) first: u32,
    pub(crate) behind: u32,
}

impl Window {
    /// A window in which nothing arrives.
    pub(crate) const QUIET: Self = Self {
        first: 0,
        behind: 0,
    };
}

/// What an actor does when it is polled.
#[derive(Clone, Copy)]
pub(crate) enum Turn {
    /// It runs a window.
    Window(Window),
    /// It reads its mail.
    Mail,
}

/// Shared by the actors of one shard.
pub(crate) struct Cell<P: Protocol> {
    pub(crate) shards: u32,
    pub(crate) shard: u32,
    pub(crate) carriage: Carriage,
    pub(crate) fabric: Arc<Fabric>,
    /// Under way to peers of this shard.
    pub(crate) ring: Ring<Envelope<P::Message>>,
    /// Under way to peers of other shards, by shard; or held, for a directed schedule, in place 0.
    pub(crate) outgoing: Vec<Vec<Envelope<P::Message>>>,
    pub(crate) notices: Vec<Notice<P>>,
    /// Where members of cabals live; none if everybody lives at his own place.
    pub(crate) homes: Option<Arc<Homes>>,
    /// Tells leaders by what they send, for a network that aims at them.
    pub(crate) spy: Option<Arc<dyn Forge<P>>>,
    /// Who was seen to lead, and when.
    pub(crate) whispers: Vec<(SimTime, PeerId)>,
    pub(crate) counters: Counters,
    pub(crate) trace: Option<Vec<TraceEntry>>,
    /// Every message, where that was asked for.
    pub(crate) ledger: Option<Ledger>,
    /// The event being handled, should it panic.
    pub(crate) current: (SimTime, PeerId),
    /// Lent to one machine after the other.
    pub(crate) outbox: Outbox<P>,
    pub(crate) step: Step,
    /// What the actor that is polled next is to do.
    pub(crate) turn: Option<Turn>,
    /// When the peer that just ran wants to run again.
    pub(crate) wake: Option<SimTime>,
}

impl<P: Protocol> Cell<P> {
    pub(crate) fn new(shard: u32, shards: u32, fabric: Arc<Fabric>, counters: Counters) -> Self {
        let width = fabric.lookahead().as_nanos();
        Self {
            shards,
            shard,
            carriage: Carriage::Network,
            fabric,
            ring: Ring::new(width),
            outgoing: (0..shards).map(|_| Vec::new()).collect(),
            notices: Vec::new(),
            homes: None,
            spy: None,
            whispers: Vec::new(),
            counters,
            trace: None,
            ledger: None,
            current: (SimTime::ZERO, PeerId(0)),
            outbox: Outbox::new(),
            step: Step::default(),
            turn: None,
            wake: None,
        }
    }

    pub(crate) fn notice(&mut self, at: SimTime, peer: PeerId, n: u64, what: Happened<P>) {
        self.notices.push(Notice { at, peer, n, what });
    }

    #[inline]
    fn put(&mut self, envelope: Envelope<P::Message>) {
        if self.shards == 1 {
            return self.ring.push(envelope);
        }
        let home = match &self.homes {
            None => envelope.to.0,
            Some(homes) => homes.of(envelope.to),
        };
        let shard = home % self.shards;
        if shard == self.shard {
            self.ring.push(envelope);
        } else {
            self.outgoing[shard as usize].push(envelope);
        }
    }

    /// Lets the network decide what becomes of a message and carries it there.
    #[inline]
    pub(crate) fn carry(
        &mut self,
        sender: &mut Sender,
        at: SimTime,
        to: PeerId,
        payload: Payload<P::Message>,
    ) {
        let bytes = self.step.measure(&payload);
        sender.seq += 1;
        let kind = payload.kind();
        self.counters
            .sent(at, kind, u64::from(bytes), &mut sender.load);
        let mut envelope = Envelope {
            at,
            seq: sender.seq,
            from: sender.id,
            to,
            payload,
        };
        if matches!(self.carriage, Carriage::Held) {
            return self.outgoing[0].push(envelope);
        }
        if self.homes.is_some() || self.spy.is_some() {
            self.betray(at, &envelope);
        }
        let nth = self.step.nth(at, to);
        let fate = self
            .fabric
            .route(&mut sender.egress, sender.id, to, at, nth, bytes);
        match fate {
            Fate::Arrives {
                at: arrival,
                copy,
                touched: _,
            } => {
                let picked = self.fabric.schemer().and_then(|it| {
                    let clock = LocalTime::from_nanos(at.as_nanos() as i64);
                    let spy = self.spy.as_ref();
                    let round = || spy?.round(&envelope.payload, clock);
                    it.arrival((sender.id, to), at, nth, round)
                });
                envelope.at = picked.unwrap_or(arrival);
                if let Some(ledger) = &mut self.ledger {
                    ledger.send(at, &envelope, bytes, None);
                }
                if let Some(second) = copy {
                    self.duplicate(sender, at, second, &envelope, bytes);
                }
                self.put(envelope);
            }
            Fate::Dropped(reason) => {
                if let Some(ledger) = &mut self.ledger {
                    ledger.send(at, &envelope, bytes, Some(reason));
                }
                self.counters.dropped(at, kind, reason);
            }
        }
    }

    /// Lets cabals overhear a message, and the network see who leads.
    #[cold]
    fn betray(&mut self, at: SimTime, envelope: &Envelope<P::Message>) {
        if self
            .spy
            .as_ref()
            .is_some_and(|spy| spy.leads(&envelope.payload))
        {
            self.whispers.push((at, envelope.from));
        }
        let Some(homes) = self.homes.clone() else {
            return;
        };
        for ear in homes.ears(envelope.from, envelope.to) {
            self.put(Envelope {
                at: at + self.fabric.lookahead(),
                to: ear,
                ..envelope.clone()
            });
        }
    }

    #[cold]
    fn duplicate(
        &mut self,
        sender: &mut Sender,
        at: SimTime,
        arrival: SimTime,
        envelope: &Envelope<P::Message>,
        bytes: u32,
    ) {
        sender.seq += 1;
        self.counters.at(at, envelope.payload.kind()).duplicated += 1;
        let copy = Envelope {
            at: arrival,
            seq: sender.seq,
            ..envelope.clone()
        };
        if let Some(ledger) = &mut self.ledger {
            ledger.send(at, &copy, bytes, None);
        }
        self.put(copy);
    }
}

/// The part of a peer that sends.
pub(crate) struct Sender {
    pub(crate) id: PeerId,
    pub(crate) seq: u64,
    pub(crate) egress: Egress,
    pub(crate) load: PeerLoad,
}

/// Scratch of one step: which message of this moment goes to whom, and what is known of it.
#[derive(Default)]
pub(crate) struct Step {
    at: SimTime,
    few: Vec<(PeerId, u32)>,
    many: FxHashMap<PeerId, u32>,
    /// Address and length of the multicast message measured last.
    shared: Option<(usize, u32)>,
}

/// Receivers up to which a list beats a map.
const FEW: usize = 12;

impl Step {
    /// Forgets what was measured: the outbox that shared it is drained.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.shared = None;
    }

    /// Begins the sends of another peer or moment.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.few.clear();
        if !self.many.is_empty() {
            self.many.clear();
        }
    }

    /// How many messages went from this peer to `to` at `at` before.
    #[inline]
    fn nth(&mut self, at: SimTime, to: PeerId) -> u32 {
        if at != self.at {
            self.begin();
            self.at = at;
        }
        if let Some((_, count)) = self.few.iter_mut().find(|entry| entry.0 == to) {
            *count += 1;
            return *count;
        }
        if self.few.len() < FEW {
            self.few.push((to, 0));
            return 0;
        }
        let count = self.many.entry(to).or_default();
        *count += 1;
        *count - 1
    }

    /// The message's bytes on the wire; counted once for a multicast.
    #[inline]
    fn measure<M: Message>(&mut self, payload: &Payload<M>) -> u32 {
        let Payload::Shared(message) = payload else {
            return payload.encoded_len() as u32;
        };
        let address = Arc::as_ptr(message) as usize;
        if let Some((known, bytes)) = self.shared
            && known == address
        {
            return bytes;
        }
        let bytes = payload.encoded_len() as u32;
        self.shared = Some((address, bytes));
        bytes
    }
}
