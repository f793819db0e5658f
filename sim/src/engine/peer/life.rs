//! A peer's lives: its start, its crashes and restarts, and the other orders of the nemesis.

use fedsim_protocols::{Folder, Protocol};

use super::step::Input;
use super::{Birth, Peer, Stage};
use crate::engine::agenda::{Class, Task};
use crate::engine::cell::Cell;
use crate::engine::notice::Happened;
use crate::nemesis::Control;
use crate::time::SimTime;

impl<P: Protocol> Peer<P> {
    pub(super) fn start(&mut self, at: SimTime, cell: &mut Cell<P>, stage: &dyn Stage<P>) {
        self.machine = Some(stage.birth(self.id(), 0).machine);
        self.note(at, Class::Control, self.id(), 0);
        self.trace(cell, at, Class::Control, self.id(), 0, || {
            "start".to_owned()
        });
        self.tell(at, Happened::Started, cell);
        self.input(at, Input::Start, cell);
        self.begin_users(at);
    }

    pub(super) fn obey(
        &mut self,
        at: SimTime,
        order: &Control,
        cell: &mut Cell<P>,
        stage: &dyn Stage<P>,
    ) {
        cell.current = (at, self.id());
        cell.counters.events += 1;
        self.note(at, Class::Control, self.id(), code(order));
        self.trace(cell, at, Class::Control, self.id(), 0, || {
            format!("order {order:?}")
        });
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
            Control::ClockJump(nanos) => self.clock.jump(*nanos),
            Control::Slow(per_input) => self.physique.slow(*per_input),
            Control::Disk(spec) => self.physique.set_disk(*spec),
            Control::Turn { role, on } => self.turn(at, *role, *on),
            Control::Request(name) => {
                if let Some(request) = stage.request(name) {
                    let id = self.next_request();
                    self.ask(at, id, request, cell);
                }
            }
        }
    }

    pub(super) fn crash(&mut self, at: SimTime, wipe: bool, cell: &mut Cell<P>) {
        if self.machine.take().is_none() {
            return;
        }
        self.physique.crash(at, wipe);
        self.agenda.forget_all_but_start();
        self.tell(at, Happened::Crashed, cell);
    }

    pub(super) fn restart(&mut self, at: SimTime, cell: &mut Cell<P>, stage: &dyn Stage<P>) {
        if self.machine.is_some() {
            return;
        }
        self.lives += 1;
        let Birth { machine, rng } = stage.birth(self.id(), self.lives);
        self.machine = Some(machine);
        self.rng = rng;
        let durable = self.physique.recover();
        self.tell(at, Happened::Restarted, cell);
        self.resume_plots(at);
        self.input(at, Input::Restart(durable), cell);
        self.begin_users(at);
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
        Control::Turn { role, on } => 10 ^ u64::from(*role) << 5 ^ u64::from(*on) << 4,
    }
}
