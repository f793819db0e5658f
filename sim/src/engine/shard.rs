//! One thread's share of the peers: takes what a window brings and has its actors run it.
//!
//! Must not know other shards beyond the outgoing boxes of its cell, nor when windows begin.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use fedsim_protocols::{PeerId, Protocol};

use super::cell::{Arrival, Cell, Post, Turn, Window};
use super::envelope::{Envelope, Wake};
use super::peer::{Peer, Stage};
use super::ring::{Due, Ring};
use super::shell::{Seat, Shared};
use crate::adversary::Misdeeds;
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

/// No delivery.
const NONE: u32 = u32::MAX;

/// The deliveries of one window, as one list a peer. An array a field, since what is scattered over
/// it is small then and stays in the processor's cache.
#[derive(Default)]
struct Lists {
    /// By peer: the index of its first delivery, or [`NONE`].
    first: Vec<u32>,
    /// By index: the next delivery to the same peer, or [`NONE`]; stale beyond this window.
    next: Vec<u32>,
}

/// Peers whose deliveries are looked up together: a word of [`Active`].
const TOGETHER: usize = 64;

/// Which peers run in this window. They run in slot order, which is how they lie in memory.
#[derive(Default)]
struct Active(Vec<u64>);

impl Active {
    #[inline]
    fn add(&mut self, local: u32) {
        self.0[local as usize / TOGETHER] |= 1 << (local as usize % TOGETHER);
    }
}

/// The peers of one word of [`Active`].
#[derive(Clone, Copy)]
struct Together {
    word: usize,
    bits: u64,
}

impl Iterator for Together {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.bits == 0 {
            return None;
        }
        let bit = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some((self.word * TOGETHER) as u32 + bit)
    }
}

/// The peers of one thread: those whose slot leaves the remainder `shard` when divided by `shards`.
pub(crate) struct Shard<P: Protocol> {
    seats: Vec<Seat<P>>,
    /// By peer: the wake that is on the ring, or never. A peer is woken at or before every time it
    /// has something to do.
    wake_at: Vec<SimTime>,
    pub(crate) shared: Rc<Shared<P>>,
    wakes: Ring<Wake>,
    woken: Due<Wake>,
    active: Active,
    lists: Lists,
    /// Scratch: what the peers that are looked up together have to do, in their order.
    windows: Vec<Window>,
    shards: u32,
    shard: u32,
}

impl<P: Protocol> Shard<P> {
    /// Seats the peers, each of whom knows already when it starts, and wakes them then.
    pub(crate) fn new(
        cell: Cell<P>,
        stage: Box<dyn Stage<P>>,
        peers: impl ExactSizeIterator<Item = (Peer<P>, SimTime)>,
    ) -> Self {
        let (shards, shard) = (cell.shards, cell.shard);
        let mut wakes = Ring::new(cell.fabric.lookahead().as_nanos());
        let shared = Rc::new(Shared {
            cell: RefCell::new(cell),
            post: RefCell::default(),
            stage,
        });
        let count = peers.len();
        let mut seats = Vec::with_capacity(count);
        let mut wake_at = Vec::with_capacity(count);
        for (peer, starts_at) in peers {
            // Never, where it lives in the seat of its cabal.
            if starts_at < SimTime::NEVER {
                wakes.push(Wake {
                    at: starts_at,
                    local: seats.len() as u32,
                });
            }
            wake_at.push(starts_at);
            seats.push(Seat::new(peer, Rc::clone(&shared)));
        }
        Self {
            seats,
            wake_at,
            shared,
            wakes,
            woken: Due::default(),
            active: Active(vec![0; count.div_ceil(TOGETHER)]),
            lists: Lists {
                first: vec![NONE; count],
                next: Vec::new(),
            },
            windows: vec![Window::QUIET; TOGETHER],
            shards,
            shard,
        }
    }

    /// When something happens next here.
    pub(crate) fn next_at(&self) -> SimTime {
        let arrival = self.shared.cell.borrow().ring.next_at();
        let wake = self.wakes.next_at();
        let never = SimTime::NEVER;
        arrival.unwrap_or(never).min(wake.unwrap_or(never))
    }

    /// Takes in messages that other shards sent here.
    pub(crate) fn absorb(&self, crossing: &mut Vec<Envelope<P::Message>>) {
        let ring = &mut self.shared.cell.borrow_mut().ring;
        crossing.drain(..).for_each(|envelope| ring.push(envelope));
    }

    /// Runs one window; a panic of a machine ends that peer alone and is given back.
    pub(crate) fn run(&mut self, plan: &Plan) -> Option<PeerPanic> {
        self.prepare(plan);
        self.collect_deliveries();
        self.collect_wakes(plan.end);
        let mut worst = None;
        for word in 0..self.active.0.len() {
            let bits = std::mem::take(&mut self.active.0[word]);
            if bits != 0 {
                self.run_together(Together { word, bits }, &mut worst);
            }
        }
        let mut post = self.shared.post.borrow_mut();
        self.shared.cell.borrow_mut().ring.recycle(&mut post.due);
        worst
    }

    fn prepare(&mut self, plan: &Plan) {
        let mut cell = self.shared.cell.borrow_mut();
        if !Arc::ptr_eq(&cell.fabric, &plan.fabric) {
            cell.fabric = Arc::clone(&plan.fabric);
        }
        if plan.traced != cell.trace.is_some() {
            cell.trace = plan.traced.then(Vec::new);
        }
        let mut post = self.shared.post.borrow_mut();
        post.start = plan.start;
        post.end = plan.end;
        if !post.orders.is_empty() {
            post.orders.clear();
        }
        for (peer, control) in plan.orders.iter() {
            let home = cell.homes.as_ref().map_or(peer.0, |homes| homes.of(*peer));
            if home % self.shards == self.shard {
                self.active.add(home / self.shards);
                let orders = post.orders.entry(*peer).or_default();
                orders.push(control.clone());
            }
        }
    }

    fn collect_deliveries(&mut self) {
        let Post { due, end, .. } = &mut *self.shared.post.borrow_mut();
        self.shared.cell.borrow_mut().ring.take_before(*end, due);
        let Lists { first, next } = &mut self.lists;
        if next.len() < due.index_end() {
            next.resize(due.index_end(), NONE);
        }
        let (active, shards) = (&mut self.active, self.shards);
        let homes = self.shared.cell.borrow().homes.clone();
        due.for_each(|index, envelope| {
            let slot = match &homes {
                None => envelope.to.0,
                Some(homes) => homes.of(envelope.to),
            };
            let local = if shards == 1 { slot } else { slot / shards };
            next[index as usize] = std::mem::replace(&mut first[local as usize], index);
            active.add(local);
        });
    }

    fn collect_wakes(&mut self, end: SimTime) {
        self.wakes.take_before(end, &mut self.woken);
        let (wake_at, active) = (&mut self.wake_at, &mut self.active);
        self.woken.for_each(|_, wake| {
            let known = &mut wake_at[wake.local as usize];
            if *known == wake.at {
                *known = SimTime::NEVER;
            }
            active.add(wake.local);
        });
        self.wakes.recycle(&mut self.woken);
    }

    /// Runs some peers, after having looked up all their deliveries: one after the other each peer
    /// would wait for its messages to come from memory, together they wait once.
    fn run_together(&mut self, peers: Together, worst: &mut Option<PeerPanic>) {
        self.look_up(peers);
        for (nth, local) in peers.enumerate() {
            if let Some(panic) = self.run_one(local, self.windows[nth]) {
                *worst = least(worst.take(), panic);
            }
        }
    }

    #[inline]
    fn look_up(&mut self, peers: Together) {
        let Post { due, arrivals, .. } = &mut *self.shared.post.borrow_mut();
        let Lists { first, next } = &mut self.lists;
        arrivals.clear();
        for (local, window) in peers.zip(&mut self.windows) {
            window.first = arrivals.len() as u32;
            let mut index = std::mem::replace(&mut first[local as usize], NONE);
            while index != NONE {
                let envelope = due.get(index);
                arrivals.push(Arrival {
                    at: envelope.at,
                    from: envelope.from,
                    index,
                });
                index = next[index as usize];
            }
            window.behind = arrivals.len() as u32;
        }
        for (_, window) in peers.zip(&self.windows) {
            let arrivals = &mut arrivals[window.first as usize..window.behind as usize];
            if arrivals.len() > 1 {
                arrivals.sort_unstable_by(|one, other| one.order(other, due));
            }
        }
    }

    #[inline]
    fn run_one(&mut self, local: u32, window: Window) -> Option<PeerPanic> {
        let seat = &mut self.seats[local as usize];
        self.shared.cell.borrow_mut().turn = Some(Turn::Window(window));
        if let Err(cause) = catch_unwind(AssertUnwindSafe(|| seat.take_turn())) {
            let (at, peer) = self.shared.cell.borrow().current;
            let message = panic_message(&*cause);
            return Some(PeerPanic { at, peer, message });
        }
        let known = &mut self.wake_at[local as usize];
        if let Some(at) = self.shared.cell.borrow_mut().wake.take()
            && at < *known
        {
            *known = at;
            self.wakes.push(Wake { at, local });
        }
        None
    }

    /// The running hashes of the peers, by position.
    pub(crate) fn folds(&mut self) -> Vec<u128> {
        let all = 0..self.seats.len();
        all.map(|local| self.act(local, |peer, _, _| peer.fold()))
            .collect()
    }

    /// What Byzantine peers did.
    pub(crate) fn misdeeds(&mut self) -> Vec<Misdeeds> {
        let all = 0..self.seats.len();
        let done = all.filter_map(|local| {
            self.act(local, |peer, _, _| {
                peer.cabal().map(|cabal| cabal.borrow_mut().take_misdeeds())
            })
        });
        done.collect()
    }

    /// Has the actor of the peer at `local` carry out a deed, now; what it gave.
    pub(crate) fn act<R: Send + 'static>(
        &mut self,
        local: usize,
        deed: impl FnOnce(&mut Peer<P>, &mut Cell<P>, &dyn Stage<P>) -> R + Send + 'static,
    ) -> R {
        self.seats[local].act(&self.shared.cell, deed)
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

/// What a panic said.
pub(crate) fn panic_message(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
