//! One thread's share of the peers: takes what a window brings and has its actors run it.
//!
//! Must not know other shards beyond the outgoing boxes of its cell, nor when windows begin.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use fedsim_protocols::{PeerId, Protocol};

use super::cell::{Cell, NONE, Post};
use super::envelope::{Envelope, Wake};
use super::peer::{Peer, Stage, Window};
use super::ring::{Due, Ring};
use super::shell::{Seat, Shared};
use crate::nemesis::Control;
use crate::network::Fabric;
use crate::time::SimTime;

/// A machine panicked: our bug, or that of the protocol under test.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("BUG: peer {peer} panicked at {at}: {message}")]
pub struct PeerPanic {
    /// When, in virtual time.
    pub at: SimTime,
    /// Who.
    pub peer: PeerId,
    /// What the panic said.
    pub message: String,
}

/// What the driver decided about the next window.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) start: SimTime,
    pub(crate) end: SimTime,
    /// Orders of the nemesis at `start`, by peer.
    pub(crate) orders: Arc<Vec<(PeerId, Control)>>,
    /// The network as it is from `start` on.
    pub(crate) fabric: Arc<Fabric>,
    /// Whether events are traced.
    pub(crate) traced: bool,
}

/// A peer that is woken at or before every time it has something to do.
struct Place<P: Protocol> {
    seat: Seat<P>,
    /// The wake that is on the ring, or never.
    wake_at: SimTime,
    /// The first delivery of this window.
    first: u32,
    /// Whether it runs in this window.
    active: bool,
}

/// The peers of one thread: those whose slot leaves the remainder `shard` when divided by `shards`.
pub(crate) struct Shard<P: Protocol> {
    places: Vec<Place<P>>,
    pub(crate) cell: Rc<RefCell<Cell<P>>>,
    post: Rc<RefCell<Post<P>>>,
    wakes: Ring<Wake>,
    woken: Due<Wake>,
    active: Vec<u32>,
    shards: u32,
    shard: u32,
}

impl<P: Protocol> Shard<P> {
    /// Seats the peers that `make` makes, and has each start when it should.
    pub(crate) fn new(
        cell: Cell<P>,
        stage: Rc<dyn Stage<P>>,
        peers: impl Iterator<Item = (Peer<P>, SimTime)>,
    ) -> Self {
        let (shards, shard) = (cell.shards, cell.shard);
        let wakes = Ring::new(cell.fabric.lookahead().as_nanos());
        let shared = Shared {
            cell: Rc::new(RefCell::new(cell)),
            post: Rc::new(RefCell::new(Post::default())),
            stage,
        };
        let mut this = Self {
            places: Vec::new(),
            cell: Rc::clone(&shared.cell),
            post: Rc::clone(&shared.post),
            wakes,
            woken: Due::default(),
            active: Vec::new(),
            shards,
            shard,
        };
        for (mut peer, starts_at) in peers {
            peer.schedule_start(starts_at);
            let local = this.places.len() as u32;
            let wake = Wake {
                at: starts_at,
                local,
            };
            this.wakes.push(wake);
            this.places.push(Place {
                seat: Seat::new(peer, shared.clone()),
                wake_at: starts_at,
                first: NONE,
                active: false,
            });
        }
        this
    }

    /// When something happens next here.
    pub(crate) fn next_at(&self) -> SimTime {
        let arrival = self.cell.borrow().ring.next_at();
        let wake = self.wakes.next_at();
        let never = SimTime::NEVER;
        arrival.unwrap_or(never).min(wake.unwrap_or(never))
    }

    /// Takes in messages that other shards sent here.
    pub(crate) fn absorb(&self, crossing: &mut Vec<Envelope<P::Message>>) {
        let ring = &mut self.cell.borrow_mut().ring;
        crossing.drain(..).for_each(|envelope| ring.push(envelope));
    }

    /// Runs one window; a panic of a machine ends that peer alone and is given back.
    pub(crate) fn run(&mut self, plan: &Plan) -> Option<PeerPanic> {
        self.prepare(plan);
        self.collect_deliveries(plan.end);
        self.collect_wakes(plan.end);
        let mut orders = (!plan.orders.is_empty()).then(|| self.collect_orders(&plan.orders));
        let mut worst = None;
        for position in 0..self.active.len() {
            let local = self.active[position];
            let window = Window {
                start: plan.start,
                end: plan.end,
                first: std::mem::replace(&mut self.places[local as usize].first, NONE),
                orders: match &mut orders {
                    Some(orders) => orders.remove(&local).unwrap_or_default(),
                    None => Vec::new(),
                },
            };
            if let Some(panic) = self.run_one(local, window) {
                worst = least(worst, panic);
            }
        }
        self.active.clear();
        let mut post = self.post.borrow_mut();
        self.cell.borrow_mut().ring.recycle(&mut post.due);
        worst
    }

    fn prepare(&mut self, plan: &Plan) {
        let mut cell = self.cell.borrow_mut();
        if !Arc::ptr_eq(&cell.fabric, &plan.fabric) {
            cell.fabric = Arc::clone(&plan.fabric);
        }
        if plan.traced != cell.trace.is_some() {
            cell.trace = plan.traced.then(Vec::new);
        }
    }

    fn collect_deliveries(&mut self, end: SimTime) {
        let Post { due, next } = &mut *self.post.borrow_mut();
        self.cell.borrow_mut().ring.take_before(end, due);
        if next.len() < due.index_end() {
            next.resize(due.index_end(), NONE);
        }
        let (places, active, shards) = (&mut self.places, &mut self.active, self.shards);
        due.for_each(|index, envelope| {
            let slot = envelope.to.0;
            let local = if shards == 1 { slot } else { slot / shards };
            let place = &mut places[local as usize];
            next[index as usize] = std::mem::replace(&mut place.first, index);
            if !place.active {
                place.active = true;
                active.push(local);
            }
        });
    }

    fn collect_wakes(&mut self, end: SimTime) {
        self.wakes.take_before(end, &mut self.woken);
        let (places, active) = (&mut self.places, &mut self.active);
        self.woken.for_each(|_, wake| {
            let place = &mut places[wake.local as usize];
            if place.wake_at == wake.at {
                place.wake_at = SimTime::NEVER;
            }
            if !place.active {
                place.active = true;
                active.push(wake.local);
            }
        });
        self.wakes.recycle(&mut self.woken);
    }

    fn collect_orders(&mut self, orders: &[(PeerId, Control)]) -> BTreeMap<u32, Vec<Control>> {
        let mut mine: BTreeMap<u32, Vec<Control>> = BTreeMap::new();
        for (peer, control) in orders {
            if peer.0 % self.shards != self.shard {
                continue;
            }
            let local = peer.0 / self.shards;
            mine.entry(local).or_default().push(control.clone());
            let place = &mut self.places[local as usize];
            if !place.active {
                place.active = true;
                self.active.push(local);
            }
        }
        mine
    }

    #[inline]
    fn run_one(&mut self, local: u32, window: Window) -> Option<PeerPanic> {
        let place = &mut self.places[local as usize];
        place.active = false;
        let seat = &mut place.seat;
        if let Err(cause) = catch_unwind(AssertUnwindSafe(|| seat.run(window))) {
            let (at, peer) = self.cell.borrow().current;
            let message = panic_message(&*cause);
            return Some(PeerPanic { at, peer, message });
        }
        if let Some(at) = self.cell.borrow_mut().wake.take()
            && at < place.wake_at
        {
            place.wake_at = at;
            self.wakes.push(Wake { at, local });
        }
        None
    }

    /// The running hashes of the peers, by position.
    pub(crate) fn folds(&mut self) -> Vec<u128> {
        let places = self.places.iter_mut();
        places
            .map(|place| place.seat.act(|peer, _, _| peer.fold()))
            .collect()
    }

    /// The actor of the peer at `local`.
    pub(crate) fn seat(&mut self, local: usize) -> &mut Seat<P> {
        &mut self.places[local].seat
    }
}

/// The earlier of two panics, ties by peer.
pub(crate) fn least(one: Option<PeerPanic>, other: PeerPanic) -> Option<PeerPanic> {
    let key = |panic: &PeerPanic| (panic.at, panic.peer);
    match one {
        Some(one) if key(&one) <= key(&other) => Some(one),
        _ => Some(other),
    }
}

fn panic_message(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
