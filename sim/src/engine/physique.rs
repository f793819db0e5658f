//! A peer's processor and disk: what its work costs in virtual time, and what survives a crash.
//!
//! Most peers of most runs have free processors and disks that are durable at once; they carry no
//! state here at all. Must not know messages or timers beyond passing them on.

use std::collections::VecDeque;

use fedsim_protocols::{
    Durable, Payload, PeerId, PersistToken, Protocol, RequestId, SimDuration, Write,
};
use fedsim_scenarios::spec::{CpuSpec, DiskSpec};

use crate::network::{Cpu, DiskModel, DrawKey, Work};
use crate::time::SimTime;

/// An input that waits for the processor.
pub(crate) enum Backlogged<P: Protocol> {
    /// From whom, and the sender's number of it.
    Message(PeerId, u64, Payload<P::Message>),
    Timer(P::Timer),
    Persisted(PersistToken),
    Request(RequestId, P::Request),
}

/// Processor state of a peer whose work costs time or that is paused.
struct Processor<P: Protocol> {
    spec: CpuSpec,
    cpu: Cpu,
    paused: bool,
    /// A task that works off the backlog is on the agenda.
    called: bool,
    /// What is due by itself goes before what others want, as in any event loop.
    due: VecDeque<Backlogged<P>>,
    backlog: VecDeque<Backlogged<P>>,
}

impl<P: Protocol> Processor<P> {
    fn has_backlog(&self) -> bool {
        !self.due.is_empty() || !self.backlog.is_empty()
    }
}

/// Processor and disk of one peer.
pub(crate) struct Physique<P: Protocol> {
    processor: Option<Box<Processor<P>>>,
    disk: Option<Box<DiskModel<P::Record>>>,
    disk_spec: DiskSpec,
    key: DrawKey,
}

impl<P: Protocol> Physique<P> {
    pub(crate) fn new(cpu: CpuSpec, disk: DiskSpec, key: DrawKey) -> Self {
        let mut physique = Self {
            processor: None,
            disk: None,
            disk_spec: disk,
            key,
        };
        if cpu != CpuSpec::default() {
            physique.processor().spec = cpu;
        }
        physique
    }

    fn processor(&mut self) -> &mut Processor<P> {
        self.processor.get_or_insert_with(|| {
            Box::new(Processor {
                spec: CpuSpec::default(),
                cpu: Cpu::default(),
                paused: false,
                called: false,
                due: VecDeque::new(),
                backlog: VecDeque::new(),
            })
        })
    }

    /// Whether work costs time.
    #[inline]
    pub(crate) fn counts_work(&self) -> bool {
        self.processor.is_some()
    }

    /// Whether an input at `at` must queue.
    #[inline]
    pub(crate) fn must_wait(&self, at: SimTime) -> bool {
        self.processor
            .as_ref()
            .is_some_and(|cpu| cpu.paused || cpu.cpu.begins(at) > at || cpu.has_backlog())
    }

    /// Queues an input; the time at which the backlog is to be worked off, unless that is known.
    pub(crate) fn wait(&mut self, at: SimTime, input: Backlogged<P>) -> Option<SimTime> {
        let cpu = self.processor();
        match input {
            Backlogged::Timer(_) | Backlogged::Persisted(_) => cpu.due.push_back(input),
            Backlogged::Message(..) | Backlogged::Request(..) => cpu.backlog.push_back(input),
        }
        if cpu.called || cpu.paused {
            return None;
        }
        cpu.called = true;
        Some(cpu.cpu.begins(at))
    }

    /// The next input of the backlog, if the processor is free for it.
    pub(crate) fn next_waiting(&mut self, at: SimTime) -> Option<Backlogged<P>> {
        let cpu = self.processor.as_mut()?;
        cpu.called = false;
        if cpu.paused || cpu.cpu.begins(at) > at {
            return None;
        }
        cpu.due.pop_front().or_else(|| cpu.backlog.pop_front())
    }

    /// When the backlog is to be worked off next, if anything waits and nobody will.
    pub(crate) fn resume_at(&mut self, at: SimTime) -> Option<SimTime> {
        let cpu = self.processor.as_mut()?;
        if cpu.paused || cpu.called || !cpu.has_backlog() {
            return None;
        }
        cpu.called = true;
        Some(cpu.cpu.begins(at))
    }

    /// Stops handling inputs.
    pub(crate) fn pause(&mut self) {
        self.processor().paused = true;
    }

    /// Goes on handling inputs; when the backlog is to be worked off.
    pub(crate) fn resume(&mut self, at: SimTime) -> Option<SimTime> {
        self.processor().paused = false;
        self.resume_at(at)
    }

    /// Every input takes `per_input` longer from here on.
    pub(crate) fn slow(&mut self, per_input: SimDuration) {
        self.processor().cpu.slow(per_input);
    }

    /// Takes the cost of an input that began at `at`; when its outputs leave.
    #[inline]
    pub(crate) fn pay(&mut self, at: SimTime, work: &Work) -> SimTime {
        let Some(processor) = &mut self.processor else {
            return at;
        };
        processor.cpu.spend(&processor.spec, at, work)
    }

    /// Writes a batch that the machine submits at `at`; when it is durable.
    pub(crate) fn write(
        &mut self,
        at: SimTime,
        token: PersistToken,
        writes: Vec<Write<P::Record>>,
        peer: PeerId,
    ) -> SimTime {
        let (spec, key) = (self.disk_spec, self.key);
        let disk = self
            .disk
            .get_or_insert_with(|| Box::new(DiskModel::new(spec, key, peer)));
        disk.write(at, token, writes)
    }

    /// Disks behave as `spec` says from here on.
    pub(crate) fn set_disk(&mut self, spec: DiskSpec) {
        self.disk_spec = spec;
        if let Some(disk) = &mut self.disk {
            disk.set_spec(spec);
        }
    }

    /// Loses what a crash loses, the disk as well if it is to be wiped.
    pub(crate) fn crash(&mut self, at: SimTime, wipe: bool) {
        if let Some(cpu) = &mut self.processor {
            cpu.due.clear();
            cpu.backlog.clear();
            cpu.called = false;
            cpu.cpu.crash();
        }
        let Some(disk) = &mut self.disk else { return };
        disk.crash(at);
        if wipe {
            disk.wipe();
        }
    }

    /// What a restart finds on the disk.
    pub(crate) fn recover(&mut self) -> Durable<P::Record> {
        let disk = self.disk.as_mut();
        disk.map(|disk| disk.restart()).unwrap_or_default()
    }

    /// What is on the disk now.
    pub(crate) fn on_disk(&self) -> Durable<P::Record> {
        let disk = self.disk.as_ref();
        disk.map(|disk| disk.durable().clone()).unwrap_or_default()
    }

    /// When the oldest write under way is durable.
    pub(crate) fn next_durable(&self) -> Option<SimTime> {
        self.disk.as_ref().and_then(|disk| disk.next_due())
    }

    /// Makes durable what is due.
    pub(crate) fn settle_disk(&mut self, at: SimTime) {
        if let Some(disk) = &mut self.disk {
            while disk.settle(at).is_some() {}
        }
    }
}
