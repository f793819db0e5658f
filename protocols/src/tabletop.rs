//! A few machines on a table: the smallest driver there is, for unit tests and examples.
//!
//! One thread, perfect clocks, one constant delay, disks that are durable at once; every message,
//! timer and event stays in sight. It must not grow faults: whoever wants weather uses the
//! simulator.

use std::collections::BTreeMap;

use crate::identity::{KeyScheme, Keys, SecretSeed};
use crate::outbox::{Outbox, Output, Payload, PersistToken, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Message, Protocol};
use crate::random::{RunKey, Stream, StreamLabel};
use crate::time::{LocalTime, SimDuration};

/// What is still to happen, by the time it is due and the order in which it was caused.
enum Due<P: Protocol> {
    Message {
        from: PeerId,
        to: PeerId,
        payload: Payload<P::Message>,
    },
    Timer {
        at: PeerId,
        timer: P::Timer,
    },
    Persisted {
        at: PeerId,
        token: PersistToken,
    },
}

/// One peer's place at the table.
struct Seat<P: Protocol> {
    machine: P,
    rng: Stream,
    keys: Keys,
    disk: Durable<P::Record>,
    timers: BTreeMap<P::Timer, (LocalTime, u64)>,
}

/// Decides whether a message is carried.
type Filter<P> = Box<dyn FnMut(PeerId, PeerId, &<P as Protocol>::Message) -> bool>;

/// Machines, what is under way between them, and what they reported.
pub struct Tabletop<P: Protocol> {
    seats: Vec<Seat<P>>,
    due: BTreeMap<(LocalTime, u64), Due<P>>,
    now: LocalTime,
    caused: u64,
    delay: SimDuration,
    filter: Filter<P>,
    /// Every event so far: when, who, what.
    pub events: Vec<(LocalTime, PeerId, P::Event)>,
    /// Every reply so far.
    pub replies: Vec<(RequestId, P::Reply)>,
    /// Messages sent so far, by kind.
    pub sent: BTreeMap<&'static str, u64>,
}

/// The secret seed of the peer in `slot` at every table of this seed.
pub fn secret_seed(seed: u64, slot: u32) -> SecretSeed {
    SecretSeed(RunKey::from_seed(seed).derive(StreamLabel {
        purpose: "identity",
        peer: slot,
        incarnation: 0,
    }))
}

impl<P: Protocol> Tabletop<P> {
    /// Seats `machines` in slots 0, 1, 2, ...; messages take `delay`; nothing is started yet.
    pub fn new(seed: u64, delay: SimDuration, machines: Vec<P>) -> Self {
        let seats = (0..).zip(machines).map(|(slot, machine)| Seat {
            machine,
            rng: Stream::new(
                RunKey::from_seed(seed),
                StreamLabel {
                    purpose: "protocol",
                    peer: slot,
                    incarnation: 0,
                },
            ),
            keys: Keys::new(KeyScheme::ideal([7; 32]), secret_seed(seed, slot)),
            disk: Durable::default(),
            timers: BTreeMap::new(),
        });
        Self {
            seats: seats.collect(),
            due: BTreeMap::new(),
            now: LocalTime::default(),
            caused: 0,
            delay,
            filter: Box::new(|_, _, _| true),
            events: Vec::new(),
            replies: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    /// Lets the peer in a slot take up other keys.
    pub fn give_keys(&mut self, peer: PeerId, others: Vec<Keys>) {
        let keys = &mut self.seats[peer.index()].keys;
        *keys = keys.clone().with_others(others);
    }

    /// Carries only messages for which `keep(from, to, message)` holds, judged when they are sent.
    pub fn carry_if(&mut self, keep: impl FnMut(PeerId, PeerId, &P::Message) -> bool + 'static) {
        self.filter = Box::new(keep);
    }

    /// The time on all clocks.
    pub fn now(&self) -> LocalTime {
        self.now
    }

    /// The machine in a slot.
    pub fn machine(&self, peer: PeerId) -> &P {
        &self.seats[peer.index()].machine
    }

    /// Starts every peer in slot order.
    pub fn start_all(&mut self) {
        (0..self.seats.len() as u32).for_each(|slot| self.start(PeerId(slot)));
    }

    /// Starts one peer.
    pub fn start(&mut self, peer: PeerId) {
        self.input(peer, |machine, ctx| machine.on_start(ctx));
    }

    /// Puts a request to a peer.
    pub fn request(&mut self, peer: PeerId, id: RequestId, request: P::Request) {
        self.input(peer, |machine, ctx| machine.on_request(id, request, ctx));
    }

    /// Hands a message to a peer at once, as if it came from `from`.
    pub fn hand(&mut self, from: PeerId, to: PeerId, message: &P::Message) {
        self.input(to, |machine, ctx| machine.on_message(from, message, ctx));
    }

    /// Replaces a crashed peer by `machine`, which restarts from what was on its disk.
    pub fn restart(&mut self, peer: PeerId, machine: P) {
        let seat = &mut self.seats[peer.index()];
        seat.machine = machine;
        seat.timers.clear();
        let durable = seat.disk.clone();
        self.input(peer, |machine, ctx| machine.on_restart(durable, ctx));
    }

    /// Lets happen whatever is due within `span`, in order, then sets all clocks to its end.
    pub fn run_for(&mut self, span: SimDuration) {
        let end = self.now + span;
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, cause), due) = entry.remove_entry();
            self.now = at;
            self.happen(cause, due);
        }
        self.now = end;
    }

    fn happen(&mut self, cause: u64, due: Due<P>) {
        match due {
            Due::Message { from, to, payload } => self.hand(from, to, &payload),
            Due::Persisted { at, token } => {
                self.input(at, |machine, ctx| machine.on_persisted(token, ctx));
            }
            Due::Timer { at, timer } => {
                let timers = &mut self.seats[at.index()].timers;
                if timers.get(&timer).is_some_and(|set| set.1 == cause) {
                    timers.remove(&timer);
                    self.input(at, |machine, ctx| machine.on_timer(timer, ctx));
                }
            }
        }
    }

    fn input(&mut self, peer: PeerId, handler: impl FnOnce(&mut P, &mut Context<'_, P>)) {
        let mut outbox = Outbox::new();
        let seat = &mut self.seats[peer.index()];
        let mut ctx = Context::new(self.now, peer, &mut seat.rng, &mut seat.keys, &mut outbox);
        handler(&mut seat.machine, &mut ctx);
        for output in outbox.drain() {
            self.carry_out(peer, output);
        }
    }

    fn carry_out(&mut self, peer: PeerId, output: Output<P>) {
        self.caused += 1;
        let cause = self.caused;
        match output {
            Output::Send { to, payload } => self.send(peer, to, payload),
            Output::SetTimer { timer, after } => {
                let at = self.now + after;
                self.seats[peer.index()].timers.insert(timer, (at, cause));
                self.due.insert((at, cause), Due::Timer { at: peer, timer });
            }
            Output::CancelTimer { timer } => {
                self.seats[peer.index()].timers.remove(&timer);
            }
            Output::Persist { token, writes } => {
                let disk = &mut self.seats[peer.index()].disk;
                writes.into_iter().for_each(|write| disk.apply(write));
                self.due
                    .insert((self.now, cause), Due::Persisted { at: peer, token });
            }
            Output::Reply { request, reply } => self.replies.push((request, reply)),
            Output::Notify(event) => self.events.push((self.now, peer, event)),
        }
    }

    fn send(&mut self, from: PeerId, to: PeerId, payload: Payload<P::Message>) {
        *self
            .sent
            .entry(P::Message::KINDS[payload.kind()])
            .or_default() += 1;
        if (self.filter)(from, to, &payload) && to.index() < self.seats.len() {
            let delay = if from == to {
                SimDuration::ZERO
            } else {
                self.delay
            };
            self.due.insert(
                (self.now + delay, self.caused),
                Due::Message { from, to, payload },
            );
        }
    }
}
