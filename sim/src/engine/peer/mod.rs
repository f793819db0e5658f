//! One peer: its machine and all that a run must remember of it, stepped window by window.
//!
//! Lives, steps and requests have files of their own. Plain code that a unit test can drive; the
//! actor around it is in `shell`. Must not know other peers, shards or threads: what leaves a peer
//! goes through the shard's `Cell`.

pub(crate) mod company;
mod life;
pub(crate) mod mask;
mod step;
mod users;

use fedsim_protocols::{Folder, Keys, Message, PeerId, Protocol, Stream};

use step::Input;

use crate::engine::agenda::{Agenda, Class, Key, Task};
use crate::engine::cast::Workload;
use crate::engine::cell::{Cell, Post, Sender, Window};
use crate::engine::envelope::Envelope;
use crate::engine::notice::{Happened, TraceEntry};
use crate::engine::physique::{Backlogged, Physique};
use crate::network::{DropReason, PeerClock};
use crate::time::SimTime;

/// What a peer needs to begin again.
pub(crate) struct Birth<P: Protocol> {
    pub(crate) machine: P,
    pub(crate) rng: Stream,
}

/// What a peer asks of whoever stages the run.
pub(crate) trait Stage<P: Protocol> {
    /// The machine and the dice of a peer's life number `life`, from 0.
    fn birth(&self, peer: PeerId, life: u32) -> Birth<P>;

    /// The request behind a name in the scenario's faults.
    fn request(&self, name: &str) -> Option<P::Request>;
}

/// One simulated party.
///
/// In the order of its fields: what every event touches lies together, and is brought from memory
/// in one go.
#[repr(C)]
pub(crate) struct Peer<P: Protocol> {
    pub(crate) sender: Sender,
    fold: Folder,
    steps: u64,
    /// What stands between the machine of a Byzantine peer and the world.
    mask: Option<Box<mask::Mask<P>>>,
    clock: PeerClock,
    agenda: Agenda<P>,
    pub(crate) physique: Physique<P>,
    keys: Keys,
    rng: Stream,
    pub(crate) machine: Option<P>,
    users: Option<Box<Users<P>>>,
    lives: u32,
}

/// The users at one peer.
pub(crate) struct Users<P: Protocol> {
    pub(crate) workload: Box<dyn Workload<P>>,
    pub(crate) dice: Stream,
}

impl<P: Protocol> Peer<P> {
    pub(crate) fn new(
        sender: Sender,
        rng: Stream,
        keys: Keys,
        clock: PeerClock,
        physique: Physique<P>,
        users: Option<Box<Users<P>>>,
    ) -> Self {
        Self {
            sender,
            machine: None,
            agenda: Agenda::default(),
            rng,
            keys,
            clock,
            fold: Folder::new(),
            steps: 0,
            lives: 0,
            physique,
            users,
            mask: None,
        }
    }

    /// The peer's running hash.
    pub(crate) fn fold(&self) -> u128 {
        match self.mask.as_ref().and_then(|mask| mask.company()) {
            None => self.fold.finish(),
            Some(company) => company.fold(self),
        }
    }

    /// Has the peer start at `at`.
    pub(crate) fn schedule_start(&mut self, at: SimTime) {
        let key = self.key(at, Class::Timer);
        self.agenda.add(key, Task::Start);
    }

    /// Has the peer start only when it is told to.
    pub(crate) fn forget_start(&mut self) {
        self.agenda = Agenda::default();
    }

    /// The timers that are set, by the true time at which they fire.
    pub(crate) fn timers(&self) -> impl Iterator<Item = (P::Timer, SimTime)> {
        self.agenda.timers()
    }

    fn id(&self) -> PeerId {
        self.sender.id
    }

    fn key(&mut self, at: SimTime, class: Class) -> Key {
        self.sender.seq += 1;
        Key {
            at,
            class,
            from: self.id(),
            seq: self.sender.seq,
        }
    }

    /// Carries out a window: orders first, then deliveries and own tasks in the order of their keys.
    pub(crate) fn run(
        &mut self,
        window: Window,
        post: &Post<P>,
        cell: &mut Cell<P>,
        stage: &dyn Stage<P>,
    ) {
        if self.mask.is_some() {
            return self.run_masked(window, post, cell, stage);
        }
        self.run_alone(window, post, cell, stage);
    }

    /// The same for a peer that has its seat to itself.
    #[inline]
    fn run_alone(
        &mut self,
        window: Window,
        post: &Post<P>,
        cell: &mut Cell<P>,
        stage: &dyn Stage<P>,
    ) {
        cell.step.begin();
        for control in post.orders.get(&self.id()).into_iter().flatten() {
            self.obey(post.start, control, cell, stage);
        }
        let mine = window.first as usize..window.behind as usize;
        let mut arrivals = post.arrivals[mine].iter().peekable();
        let mut instant = (SimTime::ZERO, 0);
        loop {
            let task = self.agenda.first().filter(|key| key.at < post.end);
            match (arrivals.peek(), task) {
                (None, None) => break,
                (Some(arrival), task)
                    if task.is_none_or(|key| arrival.is_before(key, &post.due)) =>
                {
                    self.arrive(post.due.get(arrival.index), cell);
                    arrivals.next();
                }
                (_, Some(_)) => {
                    if let Some((key, task)) = self.agenda.pop() {
                        count_at(key.at, &mut instant);
                        self.perform(key, task, cell, stage);
                    }
                }
                (Some(_), None) => unreachable!("BUG: a delivery without a task goes first"),
            }
        }
        cell.wake = self.agenda.first().map(|key| key.at);
    }

    /// A message arrives from the network.
    pub(crate) fn arrive(&mut self, envelope: &Envelope<P::Message>, cell: &mut Cell<P>) {
        let (at, kind) = (envelope.at, envelope.payload.kind());
        cell.current = (at, self.id());
        let refused = match self.machine {
            None => Some(DropReason::Down),
            Some(_) => cell.fabric.admits(envelope.from, self.id()).err(),
        };
        self.note(at, Class::Delivery, envelope.from, envelope.seq);
        self.fold
            .pair(envelope.payload.hash(), u64::from(refused.is_some()));
        self.trace(
            cell,
            at,
            Class::Delivery,
            envelope.from,
            envelope.seq,
            || format!("{:?}", &*envelope.payload),
        );
        cell.counters.events += 1;
        if let Some(ledger) = &mut cell.ledger {
            ledger.arrive(envelope, refused);
        }
        if let Some(reason) = refused {
            return cell.counters.dropped(at, kind, reason);
        }
        cell.counters.at(at, kind).delivered += 1;
        if self.physique.must_wait(at) {
            let Envelope {
                from, seq, payload, ..
            } = envelope;
            let message = Backlogged::Message(*from, *seq, payload.clone());
            return self.wait(at, message);
        }
        self.take_message(at, envelope.from, envelope.seq, &envelope.payload, cell);
    }

    fn perform(&mut self, key: Key, task: Task<P>, cell: &mut Cell<P>, stage: &dyn Stage<P>) {
        let at = key.at;
        cell.current = (at, self.id());
        match task {
            Task::Release(sends) => return self.release(at, *sends, cell),
            Task::Own(envelope) => return self.arrive_own(at, &envelope, cell),
            Task::Reply(reply) => return self.give(at, reply.0, reply.1, cell),
            Task::Start => return self.start(at, cell, stage),
            Task::Processor => return self.work_off(at, cell),
            Task::Arrival => return self.invoke(at, cell),
            Task::Plot(role, beginning) => return self.plot(at, role, beginning, cell),
            Task::Timer(_) | Task::Persisted(_) => {}
        }
        cell.counters.events += 1;
        self.note(at, key.class, key.from, key.seq);
        let waits = match task {
            Task::Timer(timer) => {
                self.fold.u64(Folder::of(&timer));
                self.trace(cell, at, key.class, key.from, key.seq, || {
                    format!("timer {timer:?}")
                });
                Backlogged::Timer(timer)
            }
            Task::Persisted(token) => {
                self.physique.settle_disk(at);
                self.fold.u64(token.0);
                self.trace(cell, at, key.class, key.from, key.seq, || {
                    format!("durable {}", token.0)
                });
                Backlogged::Persisted(token)
            }
            _ => unreachable!("BUG: handled above"),
        };
        if self.physique.must_wait(at) {
            return self.wait(at, waits);
        }
        self.take_up(at, waits, cell);
    }

    /// Feeds an input that waited, or could have.
    fn take_up(&mut self, at: SimTime, input: Backlogged<P>, cell: &mut Cell<P>) {
        match input {
            Backlogged::Message(from, seq, payload) => {
                self.take_message(at, from, seq, &payload, cell);
            }
            Backlogged::Timer(timer) => self.input(at, Input::Timer(timer), cell),
            Backlogged::Persisted(token) => self.input(at, Input::Persisted(token), cell),
            Backlogged::Request(id, request) => self.input(at, Input::Request(id, request), cell),
        }
    }

    fn wait(&mut self, at: SimTime, input: Backlogged<P>) {
        if let Some(free_at) = self.physique.wait(at, input) {
            let key = self.key(free_at, Class::Timer);
            self.agenda.add(key, Task::Processor);
        }
    }

    /// The processor is free: takes up what waits, one input as long as inputs cost time.
    fn work_off(&mut self, at: SimTime, cell: &mut Cell<P>) {
        while let Some(input) = self.physique.next_waiting(at) {
            self.take_up(at, input, cell);
        }
        if let Some(free_at) = self.physique.resume_at(at) {
            let key = self.key(free_at, Class::Timer);
            self.agenda.add(key, Task::Processor);
        }
    }

    fn arrive_own(&mut self, at: SimTime, envelope: &Envelope<P::Message>, cell: &mut Cell<P>) {
        self.note(at, Class::Delivery, envelope.from, envelope.seq);
        self.fold.u64(envelope.payload.hash());
        self.trace(
            cell,
            at,
            Class::Delivery,
            envelope.from,
            envelope.seq,
            || format!("{:?}", &*envelope.payload),
        );
        cell.counters.events += 1;
        if self.machine.is_none() {
            return;
        }
        if self.physique.must_wait(at) {
            let Envelope {
                from, seq, payload, ..
            } = envelope;
            let message = Backlogged::Message(*from, *seq, payload.clone());
            return self.wait(at, message);
        }
        self.take_message(at, envelope.from, envelope.seq, &envelope.payload, cell);
    }

    fn tell(&mut self, at: SimTime, what: Happened<P>, cell: &mut Cell<P>) {
        self.steps += 1;
        cell.notice(at, self.sender.id, self.steps, what);
    }

    /// Tells of a message behind what was told last; counts nothing, as names of requests are made
    /// from what is counted and a trace must not change them.
    fn tell_passage(&mut self, at: SimTime, what: Happened<P>, cell: &mut Cell<P>) {
        cell.notice(at, self.sender.id, self.steps, what);
    }

    #[inline]
    fn note(&mut self, at: SimTime, class: Class, from: PeerId, seq: u64) {
        self.steps += 1;
        let place = (u64::from(from.0) << 2) | class as u64;
        self.fold.pair(at.as_nanos(), place ^ (seq << 34));
    }

    #[inline]
    fn trace(
        &self,
        cell: &mut Cell<P>,
        at: SimTime,
        class: Class,
        from: PeerId,
        seq: u64,
        text: impl FnOnce() -> String,
    ) {
        if let Some(trace) = &mut cell.trace {
            trace.push(TraceEntry {
                at,
                peer: self.sender.id,
                class,
                from,
                seq,
                fold: self.fold.finish(),
                text: text(),
            });
        }
    }
}

/// Tasks of one peer at one moment from which it is taken to go round in circles.
const CIRCLES: u32 = 10_000_000;

/// Counts tasks at one moment; a machine whose timers fire at once for ever must not hang the run.
#[inline]
fn count_at(at: SimTime, instant: &mut (SimTime, u32)) {
    if instant.0 != at {
        *instant = (at, 0);
    }
    instant.1 += 1;
    assert!(
        instant.1 < CIRCLES,
        "time stands still: a timer of no length sets itself again"
    );
}
