//! What the actors of one shard share: messages under way, scratch memory, counters, notices.
//!
//! One thread owns it; an actor borrows it while it runs its window.

use std::sync::Arc;

use fedsim_protocols::{Message, Outbox, Payload, PeerId, Protocol};
use rustc_hash::FxHashMap;

use super::counters::{Counters, PeerLoad};
use super::envelope::Envelope;
use super::ledger::Ledger;
use super::notice::{Happened, Notice, TraceEntry};
use super::ring::{Due, Ring};
use crate::network::{Egress, Fabric, Fate};
use crate::time::SimTime;

/// No further delivery in a list.
pub(crate) const NONE: u32 = u32::MAX;

/// Where sends go.
pub(crate) enum Carriage {
    /// Through the network into the rings of the shards.
    Network,
    /// Into a pool from which a directed schedule takes them by hand.
    Held,
}

/// The deliveries of one window; read by the actors, which write to the [`Cell`] meanwhile.
pub(crate) struct Post<P: Protocol> {
    pub(crate) due: Due<Envelope<P::Message>>,
    /// By index in `due`: the next delivery to the same peer, or [`NONE`]; stale beyond `due`.
    pub(crate) next: Vec<u32>,
}

impl<P: Protocol> Default for Post<P> {
    fn default() -> Self {
        Self {
            due: Due::default(),
            next: Vec::new(),
        }
    }
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
    pub(crate) counters: Counters,
    pub(crate) trace: Option<Vec<TraceEntry>>,
    /// Every message, where that was asked for.
    pub(crate) ledger: Option<Ledger>,
    /// The event being handled, should it panic.
    pub(crate) current: (SimTime, PeerId),
    /// Lent to one machine after the other.
    pub(crate) outbox: Outbox<P>,
    pub(crate) step: Step,
    pub(crate) order: Vec<(SimTime, u32)>,
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
            counters,
            trace: None,
            ledger: None,
            current: (SimTime::ZERO, PeerId(0)),
            outbox: Outbox::new(),
            step: Step::default(),
            order: Vec::new(),
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
        let shard = envelope.to.0 % self.shards;
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
                envelope.at = arrival;
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
