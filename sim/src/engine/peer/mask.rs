//! A Byzantine peer: how its cabal is asked about what its machine hears and says.
//!
//! Must not know what a cabal does.

use std::cell::RefCell;
use std::rc::Rc;

use fedsim_protocols::{Output, PeerId, Protocol};

use super::company::Company;
use super::step::Input;
use super::{Peer, Stage};
use crate::adversary::{Cabal, Part};
use crate::engine::agenda::{Class, Sends, Task};
use crate::engine::cell::{Cell, Post, Window};
use crate::time::SimTime;

/// A peer's place in its cabal.
pub(crate) struct Mask<P: Protocol> {
    pub(crate) cabal: Rc<RefCell<Cabal<P>>>,
    /// Whether this is the second instance of a peer.
    pub(crate) is_twin: bool,
    /// By role: how often it began, and whether it goes on.
    beginnings: Vec<(u32, bool)>,
    /// Whoever shares the seat.
    company: Option<Company<P>>,
}

impl<P: Protocol> Mask<P> {
    pub(crate) fn new(
        cabal: &Rc<RefCell<Cabal<P>>>,
        is_twin: bool,
        company: Option<Company<P>>,
    ) -> Self {
        Self {
            cabal: Rc::clone(cabal),
            is_twin,
            beginnings: Vec::new(),
            company,
        }
    }

    pub(super) fn company(&self) -> Option<&Company<P>> {
        self.company.as_ref()
    }
}

impl<P: Protocol> Peer<P> {
    /// Makes the peer Byzantine.
    pub(crate) fn wear(&mut self, mask: Mask<P>) {
        self.mask = Some(Box::new(mask));
    }

    /// Carries out a window for all who live in the seat.
    pub(super) fn run_masked(
        &mut self,
        window: Window,
        post: &Post<P>,
        cell: &mut Cell<P>,
        stage: &dyn Stage<P>,
    ) {
        let company = self.mask.as_mut().and_then(|mask| mask.company.take());
        let Some(mut company) = company else {
            return self.run_alone(window, post, cell, stage);
        };
        company.run(self, window, post, cell, stage);
        if let Some(mask) = &mut self.mask {
            mask.company = Some(company);
        }
    }

    /// The peer's cabal, if it has one.
    pub(crate) fn cabal(&self) -> Option<&Rc<RefCell<Cabal<P>>>> {
        self.mask.as_ref().map(|mask| &mask.cabal)
    }

    pub(super) fn part(&self) -> Part {
        Part {
            me: self.sender.id,
            is_twin: self.mask.as_ref().is_some_and(|mask| mask.is_twin),
        }
    }

    /// One input, and all that was said in it.
    pub(super) fn masked_input(&mut self, at: SimTime, input: Input<'_, P>, cell: &mut Cell<P>) {
        let (Some(cabal), Some(machine)) = (self.cabal().cloned(), &mut self.machine) else {
            return;
        };
        cabal.borrow().hold(machine);
        self.masked_step(at, input, cell);
        while let Some((from, message)) = self.take_heard(&cabal) {
            self.masked_step(at, Input::Message(from, &message), cell);
        }
    }

    fn take_heard(&mut self, cabal: &Rc<RefCell<Cabal<P>>>) -> Option<(PeerId, P::Message)> {
        let machine = self.machine.as_mut()?;
        cabal.borrow().take_heard(machine)
    }

    /// One input, as the cabal lets it in, and what it lets out.
    fn masked_step(&mut self, at: SimTime, input: Input<'_, P>, cell: &mut Cell<P>) {
        let (part, now) = (self.part(), self.clock.read(at));
        let (Some(cabal), Some(machine)) = (self.cabal().cloned(), &mut self.machine) else {
            return;
        };
        let mut cabal = cabal.borrow_mut();
        if cabal.is_gone(part.me) {
            return;
        }
        if let Input::Message(from, message) = &input {
            let heard = (*from, *message);
            let is_kept = cabal.hear((part, now), heard, machine, &mut cell.outbox);
            cabal.seal(now, machine, &mut cell.outbox);
            self.settle(at, at, cell);
            if is_kept {
                return;
            }
        }
        let Some(ready) = self.feed(at, input, cell) else {
            return;
        };
        let mut held = Vec::new();
        if let Some(machine) = &mut self.machine {
            cabal.pass((part, now), machine, &mut cell.outbox, &mut held);
            cabal.seal(now, machine, &mut cell.outbox);
        }
        self.settle(at, ready, cell);
        for parcel in held {
            self.hold(at + parcel.hold, vec![(parcel.to, parcel.payload)]);
        }
    }

    /// Sends what was held, in sessions where it goes in any.
    pub(super) fn release_masked(&mut self, at: SimTime, sends: Sends<P>, cell: &mut Cell<P>) {
        let now = self.clock.read(at);
        for (to, payload) in sends {
            cell.outbox.push(Output::Send { to, payload });
        }
        if let (Some(cabal), Some(machine)) = (self.cabal().cloned(), &mut self.machine) {
            cabal.borrow_mut().seal(now, machine, &mut cell.outbox);
        }
        self.settle(at, at, cell);
    }

    /// A role begins or ends.
    pub(super) fn turn(&mut self, at: SimTime, role: u32, on: bool) {
        let me = self.id();
        let Some(mask) = &mut self.mask else { return };
        if mask.is_twin {
            return;
        }
        let pace = mask.cabal.borrow_mut().turn(me, role as usize, on);
        let place = role as usize;
        if mask.beginnings.len() <= place {
            mask.beginnings.resize(place + 1, (0, false));
        }
        let goes_on = mask.cabal.borrow().is_on(me, place);
        mask.beginnings[place].1 = goes_on;
        if let Some(pace) = pace {
            mask.beginnings[place].0 += 1;
            let beginning = mask.beginnings[place].0;
            let key = self.key(at + pace, Class::Timer);
            self.agenda.add(key, Task::Plot(role, beginning));
        }
    }

    /// Acts in a role, if it still goes on, and sees to the next time.
    pub(super) fn plot(&mut self, at: SimTime, role: u32, beginning: u32, cell: &mut Cell<P>) {
        let now = self.clock.read(at);
        let Some(mask) = &self.mask else { return };
        if mask.beginnings.get(role as usize) != Some(&(beginning, true)) {
            return;
        }
        let cabal = Rc::clone(&mask.cabal);
        let mut cabal = cabal.borrow_mut();
        let Some(pace) = cabal.pace(role as usize) else {
            return;
        };
        let key = self.key(at + pace, Class::Timer);
        self.agenda.add(key, Task::Plot(role, beginning));
        if let Some(machine) = &mut self.machine {
            let me = self.sender.id;
            cabal.act((me, now), role as usize, machine, &mut cell.outbox);
            cabal.seal(now, machine, &mut cell.outbox);
            self.settle(at, at, cell);
        }
    }

    /// After a restart, which forgot when to act: acts again in every role that goes on.
    pub(super) fn resume_plots(&mut self, at: SimTime) {
        let Some(mask) = &mut self.mask else { return };
        let mut due = Vec::new();
        for (role, (beginning, goes_on)) in (0_u32..).zip(&mut mask.beginnings) {
            let pace = mask.cabal.borrow().pace(role as usize);
            if let Some(pace) = pace.filter(|_| *goes_on) {
                *beginning += 1;
                due.push((at + pace, role, *beginning));
            }
        }
        for (at, role, beginning) in due {
            let key = self.key(at, Class::Timer);
            self.agenda.add(key, Task::Plot(role, beginning));
        }
    }
}
