//! One input of a machine: what is lent to it, and how what it wants is carried out.

use fedsim_protocols::{
    Context, Durable, Folder, Message, Output, Payload, PeerId, PersistToken, Protocol, RequestId,
};

use super::Peer;
use crate::engine::agenda::{Class, Sends, Task};
use crate::engine::cell::Cell;
use crate::engine::envelope::Envelope;
use crate::engine::notice::{Happened, Passage};
use crate::network::Work;
use crate::time::SimTime;

/// One input of the machine.
pub(super) enum Input<'a, P: Protocol> {
    Start,
    Restart(Durable<P::Record>),
    Message(PeerId, &'a P::Message),
    Timer(P::Timer),
    Persisted(PersistToken),
    Request(RequestId, P::Request),
}

impl<P: Protocol> Peer<P> {
    /// Lends the machine what it needs for one input and carries out what it wants.
    pub(super) fn input(&mut self, at: SimTime, input: Input<'_, P>, cell: &mut Cell<P>) {
        if self.mask.is_some() {
            return self.masked_input(at, input, cell);
        }
        if let Some(ready) = self.feed(at, input, cell) {
            self.settle(at, ready, cell);
        }
    }

    /// Lends the machine what it needs for one input; when its outputs leave.
    #[inline]
    pub(super) fn feed(
        &mut self,
        at: SimTime,
        input: Input<'_, P>,
        cell: &mut Cell<P>,
    ) -> Option<SimTime> {
        let machine = self.machine.as_mut()?;
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
        (work.signatures, work.verifications) = self.keys.take_counts();
        cell.counters.signed(&work);
        Some(self.physique.pay(at, &work))
    }

    /// Carries out what the machine wants, in order.
    pub(super) fn settle(&mut self, at: SimTime, ready: SimTime, cell: &mut Cell<P>) {
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

    #[inline]
    pub(super) fn hold(&mut self, until: SimTime, sends: Sends<P>) {
        if !sends.is_empty() {
            let key = self.key(until, Class::Timer);
            self.agenda.add(key, Task::Release(Box::new(sends)));
        }
    }

    pub(super) fn release(&mut self, at: SimTime, sends: Sends<P>, cell: &mut Cell<P>) {
        if self.mask.is_some() {
            return self.release_masked(at, sends, cell);
        }
        cell.step.forget();
        for (to, payload) in sends {
            self.send(at, to, payload, cell);
        }
    }

    #[inline]
    pub(super) fn send(
        &mut self,
        at: SimTime,
        to: PeerId,
        payload: Payload<P::Message>,
        cell: &mut Cell<P>,
    ) {
        if to != self.sender.id {
            if cell.ledger.is_some() {
                return self.send_told(at, to, payload, cell);
            }
            return cell.carry(&mut self.sender, at, to, payload);
        }
        let key = self.key(at, Class::Delivery);
        if cell.ledger.is_some() {
            self.tell_sent(at, to, (key.seq, 1), payload.clone(), cell);
        }
        let envelope = Envelope {
            at,
            seq: key.seq,
            from: to,
            to,
            payload,
        };
        self.agenda.add(key, Task::Own(Box::new(envelope)));
    }

    #[cold]
    fn send_told(
        &mut self,
        at: SimTime,
        to: PeerId,
        payload: Payload<P::Message>,
        cell: &mut Cell<P>,
    ) {
        let before = self.sender.seq;
        cell.carry(&mut self.sender, at, to, payload.clone());
        let copies = self.sender.seq - before;
        self.tell_sent(at, to, (before + 1, copies), payload, cell);
    }

    fn tell_sent(
        &mut self,
        at: SimTime,
        with: PeerId,
        (seq, copies): (u64, u64),
        payload: Payload<P::Message>,
        cell: &mut Cell<P>,
    ) {
        let passage = Passage {
            with,
            seq,
            copies,
            payload,
        };
        self.tell_passage(at, Happened::Sent(Box::new(passage)), cell);
    }

    /// The machine takes up a message.
    pub(super) fn take_message(
        &mut self,
        at: SimTime,
        from: PeerId,
        seq: u64,
        payload: &Payload<P::Message>,
        cell: &mut Cell<P>,
    ) {
        if cell.ledger.is_some() && self.machine.is_some() {
            let passage = Passage {
                with: from,
                seq,
                copies: 1,
                payload: payload.clone(),
            };
            self.tell_passage(at, Happened::Received(Box::new(passage)), cell);
        }
        self.input(at, Input::Message(from, &**payload), cell);
    }

    pub(super) fn report(&mut self, at: SimTime, event: P::Event, cell: &mut Cell<P>) {
        self.fold.u64(Folder::of(&event));
        self.tell(at, Happened::Event(event), cell);
    }
}

fn count_sends<P: Protocol>(cell: &Cell<P>) -> u32 {
    let is_send = |output: &&Output<P>| matches!(output, Output::Send { .. });
    cell.outbox.outputs().iter().filter(is_send).count() as u32
}
