//! One peer: its machine and all that a run must remember of it, stepped window by window.
//!
//! Plain code that a unit test can drive; the actor around it is in `shell`. Must not know other
//! peers, shards or threads: what leaves a peer goes through the shard's `Cell`.

use fedsim_protocols::{
    Context, Durable, Folder, Keys, Message, Output, Payload, PeerId, PersistToken, Protocol,
    RequestId, Stream,
};

use super::agenda::{Agenda, Class, Key, Sends, Task};
use super::cast::Workload;
use super::cell::{Cell, NONE, Post, Sender};
use super::envelope::Envelope;
use super::notice::{Happened, TraceEntry};
use super::physique::{Backlogged, Physique};
use super::ring::Due;
use crate::nemesis::Control;
use crate::network::{DropReason, PeerClock, Work};
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

/// One window of a peer's life.
pub(crate) struct Window {
    /// The first moment after it.
    pub(crate) end: SimTime,
    /// When its orders are carried out.
    pub(crate) start: SimTime,
    /// The first of the peer's deliveries in the cell, or [`NONE`].
    pub(crate) first: u32,
    /// What the nemesis wants of this peer at `start`.
    pub(crate) orders: Vec<Control>,
}

/// One simulated party.
pub(crate) struct Peer<P: Protocol> {
    pub(crate) sender: Sender,
    pub(crate) machine: Option<P>,
    agenda: Agenda<P>,
    rng: Stream,
    keys: Keys,
    clock: PeerClock,
    fold: Folder,
    steps: u64,
    lives: u32,
    pub(crate) physique: Physique<P>,
    users: Option<Box<Users<P>>>,
}

/// The users at one peer.
pub(crate) struct Users<P: Protocol> {
    pub(crate) workload: Box<dyn Workload<P>>,
    pub(crate) dice: Stream,
}

/// One input of the machine, with what the digest sees of it.
enum Input<'a, P: Protocol> {
    Start,
    Restart(Durable<P::Record>),
    Message(PeerId, &'a P::Message),
    Timer(P::Timer),
    Persisted(PersistToken),
    Request(RequestId, P::Request),
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
        }
    }

    /// The peer's running hash.
    pub(crate) fn fold(&self) -> u128 {
        self.fold.finish()
    }

    /// Has the peer start at `at`.
    pub(crate) fn schedule_start(&mut self, at: SimTime) {
        let key = self.key(at, Class::Timer);
        self.agenda.add(key, Task::Start);
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
        let due = &post.due;
        let mut order = std::mem::take(&mut cell.order);
        cell.step.begin();
        for control in window.orders {
            self.obey(window.start, control, cell, stage);
        }
        sort_deliveries(due, &post.next, window.first, &mut order);
        let mut arrivals = order.iter().map(|&(_, index)| due.get(index)).peekable();
        loop {
            let task = self.agenda.first().filter(|key| key.at < window.end);
            match (arrivals.peek(), task) {
                (None, None) => break,
                (Some(envelope), task) if task.is_none_or(|key| delivery_key(envelope) < key) => {
                    self.arrive(envelope, cell);
                    arrivals.next();
                }
                (_, Some(_)) => {
                    if let Some((key, task)) = self.agenda.pop() {
                        self.perform(key, task, cell, stage);
                    }
                }
                (Some(_), None) => unreachable!("BUG: a delivery without a task goes first"),
            }
        }
        order.clear();
        cell.order = order;
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
        self.fold.pair(envelope.hash, u64::from(refused.is_some()));
        self.trace(
            cell,
            at,
            Class::Delivery,
            envelope.from,
            envelope.seq,
            || format!("{:?}", &*envelope.payload),
        );
        cell.counters.events += 1;
        if let Some(reason) = refused {
            return cell.counters.dropped(at, kind, reason);
        }
        cell.counters.at(at, kind).delivered += 1;
        if self.physique.must_wait(at) {
            let message = Backlogged::Message(envelope.from, envelope.payload.clone());
            return self.wait(at, message);
        }
        self.input(at, Input::Message(envelope.from, &*envelope.payload), cell);
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
            Backlogged::Message(from, payload) => {
                self.input(at, Input::Message(from, &*payload), cell);
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
        self.fold.u64(envelope.hash);
        cell.counters.events += 1;
        if self.machine.is_none() {
            return;
        }
        if self.physique.must_wait(at) {
            let message = Backlogged::Message(envelope.from, envelope.payload.clone());
            return self.wait(at, message);
        }
        self.input(at, Input::Message(envelope.from, &*envelope.payload), cell);
    }

    /// A user puts the next request.
    fn invoke(&mut self, at: SimTime, cell: &mut Cell<P>) {
        let id = self.next_request();
        let Some(users) = &mut self.users else { return };
        let (request, next) = users.workload.arrive(at, id, &mut users.dice);
        self.expect_user(next);
        self.ask(at, id, request, cell);
    }

    fn next_request(&self) -> RequestId {
        RequestId((u64::from(self.id().0) << 32) | (self.steps & 0xffff_ffff))
    }

    fn expect_user(&mut self, next: Option<SimTime>) {
        if let Some(next) = next {
            let key = self.key(next, Class::Timer);
            self.agenda.add(key, Task::Arrival);
        }
    }

    /// Puts a request to the machine.
    pub(crate) fn ask(
        &mut self,
        at: SimTime,
        id: RequestId,
        request: P::Request,
        cell: &mut Cell<P>,
    ) {
        self.note(at, Class::Timer, self.id(), id.0);
        self.fold.u64(Folder::of(&request));
        cell.counters.events += 1;
        let told = Happened::Invoked(id, request.clone());
        self.tell(at, told, cell);
        if self.machine.is_none() {
            return;
        }
        let input = Backlogged::Request(id, request);
        if self.physique.must_wait(at) {
            return self.wait(at, input);
        }
        self.take_up(at, input, cell);
    }

    fn give(&mut self, at: SimTime, id: RequestId, reply: P::Reply, cell: &mut Cell<P>) {
        self.note(at, Class::Timer, self.id(), id.0);
        self.fold.u64(Folder::of(&reply));
        if let Some(users) = &mut self.users {
            let next = users.workload.answered(at, id, &reply, &mut users.dice);
            self.expect_user(next);
        }
        self.tell(at, Happened::Replied(id, reply), cell);
    }

    fn start(&mut self, at: SimTime, cell: &mut Cell<P>, stage: &dyn Stage<P>) {
        self.machine = Some(stage.birth(self.id(), 0).machine);
        self.note(at, Class::Control, self.id(), 0);
        self.tell(at, Happened::Started, cell);
        self.input(at, Input::Start, cell);
        self.begin_users(at);
    }

    fn begin_users(&mut self, at: SimTime) {
        if let Some(users) = &mut self.users {
            let first = users.workload.first(&mut users.dice);
            self.expect_user(first.map(|first| first.max(at)));
        }
    }

    /// Lends the machine what it needs for one input and carries out what it wants.
    fn input(&mut self, at: SimTime, input: Input<'_, P>, cell: &mut Cell<P>) {
        let Some(machine) = &mut self.machine else {
            return;
        };
        let mut work = Work::default();
        if let Input::Message(_, message) = &input
            && self.physique.counts_work()
        {
            work.messages = 1;
            work.bytes = message.encoded_len() as u32;
        }
        let now = self.clock.read(at);
        let mut ctx = Context::new(
            now,
            self.sender.id,
            &mut self.rng,
            &mut self.keys,
            &mut cell.outbox,
        );
        match input {
            Input::Message(from, message) => machine.on_message(from, message, &mut ctx),
            Input::Timer(timer) => machine.on_timer(timer, &mut ctx),
            Input::Persisted(token) => machine.on_persisted(token, &mut ctx),
            Input::Request(id, request) => machine.on_request(id, request, &mut ctx),
            Input::Start => machine.on_start(&mut ctx),
            Input::Restart(durable) => machine.on_restart(durable, &mut ctx),
        }
        if self.physique.counts_work() {
            work.sends = count_sends(cell);
        }
        let ready = self.physique.pay(at, work, &mut self.keys);
        self.settle(at, ready, cell);
    }

    /// Carries out what the machine wants, in order.
    fn settle(&mut self, at: SimTime, ready: SimTime, cell: &mut Cell<P>) {
        let mut outbox = std::mem::take(&mut cell.outbox);
        cell.step.forget();
        let mut gate = ready;
        let mut held: Sends<P> = Vec::new();
        for output in outbox.drain() {
            match output {
                Output::Send { to, payload } if gate == at => self.send(at, to, payload, cell),
                Output::Send { to, payload } => held.push((to, payload)),
                Output::SetTimer { timer, after } => {
                    let due = self.clock.reaches(self.clock.read(at) + after, at);
                    let key = self.key(due, Class::Timer);
                    self.agenda.set_timer(key, timer);
                }
                Output::CancelTimer { timer } => self.agenda.cancel_timer(timer),
                Output::Persist { token, writes } => {
                    self.hold(gate, std::mem::take(&mut held));
                    let durable = self.physique.write(ready, token, writes, self.sender.id);
                    let key = self.key(durable, Class::Timer);
                    self.agenda.add(key, Task::Persisted(token));
                    gate = gate.max(durable);
                }
                Output::Reply { request, reply } => {
                    let key = self.key(gate, Class::Timer);
                    let reply = Box::new((request, reply));
                    self.agenda.add(key, Task::Reply(reply));
                }
                Output::Notify(event) => self.report(at, event, cell),
            }
        }
        self.hold(gate, held);
        cell.outbox = outbox;
    }

    fn hold(&mut self, until: SimTime, sends: Sends<P>) {
        if !sends.is_empty() {
            let key = self.key(until, Class::Timer);
            self.agenda.add(key, Task::Release(Box::new(sends)));
        }
    }

    fn release(&mut self, at: SimTime, sends: Sends<P>, cell: &mut Cell<P>) {
        cell.step.forget();
        for (to, payload) in sends {
            self.send(at, to, payload, cell);
        }
    }

    #[inline]
    fn send(&mut self, at: SimTime, to: PeerId, payload: Payload<P::Message>, cell: &mut Cell<P>) {
        if to != self.sender.id {
            return cell.carry(&mut self.sender, at, to, payload);
        }
        let key = self.key(at, Class::Delivery);
        let envelope = Envelope {
            at,
            seq: key.seq,
            hash: Folder::of(&*payload),
            from: to,
            to,
            payload,
        };
        self.agenda.add(key, Task::Own(Box::new(envelope)));
    }

    fn report(&mut self, at: SimTime, event: P::Event, cell: &mut Cell<P>) {
        self.fold.u64(Folder::of(&event));
        self.tell(at, Happened::Event(event), cell);
    }

    fn tell(&mut self, at: SimTime, what: Happened<P>, cell: &mut Cell<P>) {
        self.steps += 1;
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

/// Orders of the nemesis.
impl<P: Protocol> Peer<P> {
    fn obey(&mut self, at: SimTime, order: Control, cell: &mut Cell<P>, stage: &dyn Stage<P>) {
        cell.current = (at, self.id());
        cell.counters.events += 1;
        self.note(at, Class::Control, self.id(), code(&order));
        match order {
            Control::Crash => self.crash(at, false, cell),
            Control::Wipe => self.crash(at, true, cell),
            Control::Restart => self.restart(at, cell, stage),
            Control::Pause => {
                self.physique.pause();
                self.tell(at, Happened::Paused, cell);
            }
            Control::Resume => {
                self.tell(at, Happened::Resumed, cell);
                if let Some(free_at) = self.physique.resume(at) {
                    let key = self.key(free_at, Class::Timer);
                    self.agenda.add(key, Task::Processor);
                }
            }
            Control::ClockJump(nanos) => self.clock.jump(nanos),
            Control::Slow(per_input) => self.physique.slow(per_input),
            Control::Disk(spec) => self.physique.set_disk(spec),
            Control::Request(name) => {
                if let Some(request) = stage.request(&name) {
                    let id = self.next_request();
                    self.ask(at, id, request, cell);
                }
            }
        }
    }

    fn crash(&mut self, at: SimTime, wipe: bool, cell: &mut Cell<P>) {
        if self.machine.take().is_none() {
            return;
        }
        self.physique.crash(at, wipe);
        self.agenda.forget_all_but_start();
        self.tell(at, Happened::Crashed, cell);
    }

    fn restart(&mut self, at: SimTime, cell: &mut Cell<P>, stage: &dyn Stage<P>) {
        if self.machine.is_some() {
            return;
        }
        self.lives += 1;
        let Birth { machine, rng } = stage.birth(self.id(), self.lives);
        self.machine = Some(machine);
        self.rng = rng;
        let durable = self.physique.recover();
        self.tell(at, Happened::Restarted, cell);
        self.input(at, Input::Restart(durable), cell);
        self.begin_users(at);
    }
}

#[inline]
fn delivery_key<M>(envelope: &Envelope<M>) -> Key {
    Key {
        at: envelope.at,
        class: Class::Delivery,
        from: envelope.from,
        seq: envelope.seq,
    }
}

/// What the digest sees of an order.
fn code(order: &Control) -> u64 {
    match order {
        Control::Crash => 1,
        Control::Wipe => 2,
        Control::Restart => 3,
        Control::Pause => 4,
        Control::Resume => 5,
        Control::ClockJump(nanos) => 6 ^ (*nanos as u64) << 3,
        Control::Slow(per_input) => 7 ^ per_input.as_nanos() << 3,
        Control::Disk(disk) => 8 ^ disk.fsync_high.as_nanos() << 4,
        Control::Request(name) => 9 ^ Folder::of(name) << 4,
    }
}

fn count_sends<P: Protocol>(cell: &Cell<P>) -> u32 {
    let is_send = |output: &&Output<P>| matches!(output, Output::Send { .. });
    cell.outbox.outputs().iter().filter(is_send).count() as u32
}

/// Collects the list that begins at `first` into `order`, sorted by arrival.
fn sort_deliveries<M>(
    due: &Due<Envelope<M>>,
    next: &[u32],
    first: u32,
    order: &mut Vec<(SimTime, u32)>,
) where
    Envelope<M>: super::ring::Timed,
{
    let mut index = first;
    while index != NONE {
        order.push((due.get(index).at, index));
        index = next[index as usize];
    }
    if order.len() > 1 {
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| {
                let (a, b) = (due.get(a.1), due.get(b.1));
                (a.from, a.seq).cmp(&(b.from, b.seq))
            })
        });
    }
}
