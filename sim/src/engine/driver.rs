//! Runs a scenario window by window, on one thread or on several, to the same end.
//!
//! Every shard runs its window alone; at the edge the shards swap what crosses between them and
//! meet. Must not know protocols, checkers or files.

use std::ops::Range;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fedsim_protocols::{
    KeyScheme, Keys, Message, PeerId, Protocol, RunKey, SecretSeed, SimDuration, Stream,
    StreamLabel,
};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{CpuSpec, DiskSpec};

use super::barrier::Barrier;
use super::cast::Cast;
use super::cell::{Cell, Sender};
use super::company;
use super::conductor::Conductor;
use super::counters::{Counters, PeerLoad};
use super::envelope::Envelope;
use super::ledger::{self, Ledger};
use super::notice::{Notice, TraceEntry};
use super::observe::Observer;
use super::peer::{Birth, Peer, Stage, Users};
use super::physique::Physique;
use super::shard::{PeerPanic, Plan, Shard, least};
use crate::adversary::{BehaviourTally, Conspiracy, Misdeeds};
use crate::nemesis::{FaultBand, FaultTally};
use crate::network::{self, DrawKey, Egress, Fabric, PeerClock};
use crate::time::SimTime;

/// How to run, none of which changes what happens.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads at most; a run with few peers takes fewer. At least 1.
    pub threads: usize,
    /// Windows are the lookahead divided by this; 1 is fastest.
    pub window_divisor: u32,
    /// How often observers are asked for samples.
    pub sample_every: Option<SimDuration>,
    /// The width of an interval of message counts, at first.
    pub interval: SimDuration,
    /// The span whose events are traced.
    pub trace: Option<Range<SimTime>>,
    /// Whether observers are told of every message; memory then grows with their number.
    pub messages: bool,
    /// Where a run tells how far it is, and is told to stop.
    pub control: Arc<RunControl>,
}

/// The line between a run and whoever waits for it on another thread.
#[derive(Debug, Default)]
pub struct RunControl {
    /// Virtual nanoseconds done.
    done_nanos: AtomicU64,
    cancelled: AtomicBool,
}

impl RunControl {
    /// How far the run is.
    pub fn done(&self) -> SimTime {
        SimTime::from_nanos(self.done_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn set_done(&self, done: SimTime) {
        self.done_nanos.store(done.as_nanos(), Ordering::Relaxed);
    }

    /// Has the run end at the next window's edge, with [`Outcome::cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the run was told to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 1,
            window_divisor: 1,
            sample_every: None,
            interval: SimDuration::from_secs(1),
            trace: None,
            messages: false,
            control: Arc::default(),
        }
    }
}

/// Peers from which a second thread is worth its barriers.
const PEERS_PER_THREAD: usize = 250;

impl Options {
    /// The threads a run of `peers` peers takes by itself when `available` may be had.
    pub fn threads_for(peers: usize, available: usize) -> usize {
        (peers / PEERS_PER_THREAD).clamp(1, available.max(1))
    }
}

/// What the engine knows of a run when it is over.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Equal for equal scenario and seed, whatever the options.
    pub digest: [u8; 32],
    /// When the run ended.
    pub ended_at: SimTime,
    /// Whether it was told to end before its time; then nothing else here means anything.
    pub cancelled: bool,
    /// What was counted.
    pub counters: Counters,
    /// Every strike of every fault.
    pub bands: Vec<FaultBand>,
    /// What each fault did, in file order.
    pub tallies: Vec<FaultTally>,
    /// What each behaviour of each adversary did, in file order.
    pub behaviours: Vec<BehaviourTally>,
    /// Messages that adversaries corrupted beyond reading.
    pub garbage: u64,
}

/// Runs `scenario` with `cast`, watched by `observer`.
///
/// # Errors
/// The earliest panic of a machine, if one panicked.
pub fn run<C: Cast>(
    scenario: &Scenario,
    cast: &Arc<C>,
    options: &Options,
    observer: &mut dyn Observer<C::Machine>,
) -> Result<Outcome, PeerPanic> {
    let key = RunKey::from_seed(scenario.seed);
    let mut conductor = Conductor::new(scenario, key, options, observer);
    let setup = Setup {
        scenario,
        cast,
        key,
        options,
        fabric: Arc::clone(conductor.fabric()),
        conspiracy: Conspiracy::new(scenario, key),
        shards: options.threads.clamp(1, scenario.peers.len().max(1)) as u32,
    };
    let mut ends = if setup.shards == 1 {
        vec![run_alone(&setup, &mut conductor)?]
    } else {
        run_together(&setup, &mut conductor)?
    };
    let ledgers = ends.iter_mut().filter_map(|end| end.ledger.take());
    conductor.hear_messages(&ledger::settle(ledgers));
    let mut outcome = outcome(&ends, &conductor);
    if let Some(conspiracy) = &setup.conspiracy {
        let misdeeds = company::settle(conspiracy, &ends, conductor.fabric());
        outcome.behaviours = misdeeds.tallies(conspiracy);
        outcome.garbage = misdeeds.garbage;
    }
    Ok(outcome)
}

/// What a shard leaves behind.
pub(super) struct End {
    folds: Vec<u128>,
    pub(super) misdeeds: Vec<Misdeeds>,
    counters: Counters,
    ledger: Option<Ledger>,
}

fn outcome<P: Protocol>(ends: &[End], conductor: &Conductor<'_, P>) -> Outcome {
    let shards = ends.len();
    let peers = ends.iter().map(|end| end.folds.len()).sum();
    let digest = digest((0..peers).map(|slot: usize| ends[slot % shards].folds[slot / shards]));
    let mut counters = ends.iter().map(|end| end.counters.clone());
    let mut total = counters.next().expect("at least one shard");
    counters.for_each(|counted| total.merge(counted));
    Outcome {
        digest,
        ended_at: conductor.ended_at(),
        cancelled: conductor.is_cancelled(),
        counters: total,
        bands: conductor.bands(),
        tallies: conductor.tallies(),
        behaviours: Vec::new(),
        garbage: 0,
    }
}

/// The digest of a run whose peers have these running hashes, in slot order.
pub(crate) fn digest(folds: impl Iterator<Item = u128>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    folds.for_each(|fold| {
        hasher.update(&fold.to_le_bytes());
    });
    *hasher.finalize().as_bytes()
}

/// All that a thread needs to make its shard.
pub(crate) struct Setup<'a, C: Cast> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) cast: &'a Arc<C>,
    pub(crate) key: RunKey,
    pub(crate) options: &'a Options,
    pub(crate) fabric: Arc<Fabric>,
    pub(crate) shards: u32,
    pub(crate) conspiracy: Option<Conspiracy>,
}

impl<C: Cast> Setup<'_, C> {
    pub(crate) fn cell(&self, shard: u32) -> Cell<C::Machine> {
        let kinds = <<C::Machine as Protocol>::Message as Message>::KINDS.len();
        let counters = Counters::new(kinds.max(1), self.options.interval);
        let mut cell = Cell::new(shard, self.shards, Arc::clone(&self.fabric), counters);
        cell.ledger = self.options.messages.then(Ledger::default);
        if let Some(conspiracy) = &self.conspiracy {
            cell.homes = conspiracy.homes().map(Arc::new);
            let bounds = conspiracy.bounds.as_ref();
            let looks = bounds.is_some_and(|it| it.looks_inside());
            cell.spy = looks.then(|| self.cast.forge());
        }
        cell
    }

    pub(super) fn stream(&self, purpose: &'static str, peer: PeerId, incarnation: u32) -> Stream {
        let label = StreamLabel {
            purpose,
            peer: peer.0,
            incarnation,
        };
        Stream::new(self.key, label)
    }
}

/// Makes the peers of one shard, in slot order.
pub(super) struct Nursery<'a, C: Cast> {
    pub(super) setup: &'a Setup<'a, C>,
    pub(super) scheme: KeyScheme,
    clocks: Vec<PeerClock>,
    processors: Vec<CpuSpec>,
    disks: Vec<DiskSpec>,
    disk_key: DrawKey,
}

impl<'a, C: Cast> Nursery<'a, C> {
    fn new(setup: &'a Setup<'a, C>) -> Self {
        let (spec, peers) = (&setup.scenario.network, setup.scenario.peers.len());
        Self {
            setup,
            scheme: setup.cast.key_scheme(),
            clocks: network::clocks(spec, peers, setup.key),
            processors: network::processors(spec, peers),
            disks: network::disks(spec, peers),
            disk_key: DrawKey::new(setup.key, "disk"),
        }
    }

    pub(super) fn peer(&self, id: PeerId) -> Peer<C::Machine> {
        let setup = self.setup;
        let sender = Sender {
            id,
            seq: 0,
            egress: Egress::default(),
            load: PeerLoad::default(),
        };
        let users = setup.cast.workload(id).map(|workload| {
            let dice = setup.stream("workload", id, 0);
            Box::new(Users { workload, dice })
        });
        let slot = id.index();
        let mut peer = Peer::new(
            sender,
            setup.stream(setup.cast.protocol(), id, 0),
            self.keys(id),
            self.clocks[slot],
            Physique::new(self.processors[slot], self.disks[slot], self.disk_key),
            users,
        );
        peer.schedule_start(setup.cast.starts_at(id));
        peer
    }

    pub(super) fn keys(&self, id: PeerId) -> Keys {
        Keys::new(self.scheme.clone(), identity_seed(self.setup.key, id))
    }
}

/// The secret from which the key of the peer in a slot is made.
pub fn identity_seed(key: RunKey, peer: PeerId) -> SecretSeed {
    SecretSeed(key.derive(StreamLabel {
        purpose: "identity",
        peer: peer.0,
        incarnation: 0,
    }))
}

/// A cast as one thread's peers see it.
struct OnStage<C: Cast> {
    cast: Arc<C>,
    key: RunKey,
}

impl<C: Cast> Stage<C::Machine> for OnStage<C> {
    fn birth(&self, peer: PeerId, life: u32) -> Birth<C::Machine> {
        let label = StreamLabel {
            purpose: self.cast.protocol(),
            peer: peer.0,
            incarnation: life,
        };
        Birth {
            machine: self.cast.machine(peer),
            rng: Stream::new(self.key, label),
        }
    }

    fn request(&self, name: &str) -> Option<<C::Machine as Protocol>::Request> {
        self.cast.request(name)
    }
}

/// Seats the peers of shard `number`.
pub(crate) fn shard<C: Cast>(setup: &Setup<'_, C>, number: u32) -> Shard<C::Machine> {
    let nursery = Nursery::new(setup);
    let slots = (number..setup.scenario.peers.len() as u32).step_by(setup.shards as usize);
    let stage = Box::new(OnStage {
        cast: Arc::clone(setup.cast),
        key: setup.key,
    });
    let peers = slots.map(|slot| company::tenant(&nursery, PeerId(slot)));
    Shard::new(setup.cell(number), stage, peers)
}

fn end_of<P: Protocol>(mut shard: Shard<P>) -> End {
    let folds = shard.folds();
    let misdeeds = shard.misdeeds();
    let mut cell = shard.shared.cell.borrow_mut();
    End {
        folds,
        misdeeds,
        counters: cell.counters.clone(),
        ledger: cell.ledger.take(),
    }
}

fn run_alone<C: Cast>(
    setup: &Setup<'_, C>,
    conductor: &mut Conductor<'_, C::Machine>,
) -> Result<End, PeerPanic> {
    let mut shard = shard(setup, 0);
    let mut notices = Vec::new();
    while let Some(plan) = conductor.plan(shard.next_at()) {
        if let Some(panic) = shard.run(plan) {
            return Err(panic);
        }
        let mut cell = shard.shared.cell.borrow_mut();
        if let Some(trace) = &mut cell.trace {
            conductor.hear_trace(trace);
        }
        std::mem::swap(&mut notices, &mut cell.notices);
        conductor.hear_whispers(&mut cell.whispers);
        drop(cell);
        conductor.hear(&mut notices);
    }
    Ok(end_of(shard))
}

/// What a shard tells the conductor at a window's edge.
struct Report<P: Protocol> {
    notices: Vec<Notice<P>>,
    trace: Vec<TraceEntry>,
    whispers: Vec<(SimTime, PeerId)>,
    next_at: SimTime,
    panic: Option<PeerPanic>,
}

/// Messages from one shard to another.
type Crossing<P> = Mutex<Vec<Envelope<<P as Protocol>::Message>>>;

/// Where shards meet.
struct Meeting<P: Protocol> {
    barrier: Barrier,
    /// The next window, or none when the run is over.
    plan: Mutex<Option<Plan>>,
    reports: Vec<Mutex<Report<P>>>,
    /// Messages from shard to shard: place `from * shards + to`, for even and for odd windows, so
    /// that a fast shard's next messages do not meet those a slow one has not taken in yet.
    crossing: [Vec<Crossing<P>>; 2],
}

impl<P: Protocol> Meeting<P> {
    fn new(shards: usize) -> Self {
        let report = || Report {
            notices: Vec::new(),
            trace: Vec::new(),
            whispers: Vec::new(),
            next_at: SimTime::NEVER,
            panic: None,
        };
        Self {
            barrier: Barrier::new(shards),
            plan: Mutex::new(None),
            reports: (0..shards).map(|_| Mutex::new(report())).collect(),
            crossing: [(); 2].map(|()| (0..shards * shards).map(|_| Mutex::default()).collect()),
        }
    }

    /// Leaves a shard's report and what crosses after window number `window`.
    fn leave(&self, shard: &Shard<P>, number: usize, window: usize, panic: Option<PeerPanic>) {
        let mut report = lock(&self.reports[number]);
        report.next_at = shard.next_at();
        report.panic = panic;
        let mut cell = shard.shared.cell.borrow_mut();
        std::mem::swap(&mut report.notices, &mut cell.notices);
        report.whispers.append(&mut cell.whispers);
        if let Some(trace) = &mut cell.trace {
            report.trace.append(trace);
        }
        let shards = self.reports.len();
        for (to, outgoing) in cell.outgoing.iter_mut().enumerate() {
            let first = outgoing.iter().map(|envelope| envelope.at).min();
            report.next_at = report.next_at.min(first.unwrap_or(SimTime::NEVER));
            let crossing = &self.crossing[window % 2][number * shards + to];
            std::mem::swap(outgoing, &mut *lock(crossing));
        }
    }

    /// Takes in what crossed to a shard after window number `window`.
    fn enter(&self, shard: &Shard<P>, number: usize, window: usize) {
        let shards = self.reports.len();
        for from in 0..shards {
            shard.absorb(&mut lock(
                &self.crossing[window % 2][from * shards + number],
            ));
        }
    }

    /// Decides on the next window from all reports.
    fn decide(
        &self,
        conductor: &mut Conductor<'_, P>,
        heard: &mut Heard<P>,
    ) -> Result<(), PeerPanic> {
        let (mut next_at, mut worst) = (SimTime::NEVER, None);
        for report in &self.reports {
            let mut report = lock(report);
            next_at = next_at.min(report.next_at);
            heard.notices.append(&mut report.notices);
            heard.trace.append(&mut report.trace);
            heard.whispers.append(&mut report.whispers);
            if let Some(panic) = report.panic.take() {
                worst = least(worst, panic);
            }
        }
        *lock(&self.plan) = None;
        if let Some(panic) = worst {
            return Err(panic);
        }
        conductor.hear_trace(&mut heard.trace);
        conductor.hear_whispers(&mut heard.whispers);
        conductor.hear(&mut heard.notices);
        *lock(&self.plan) = conductor.plan(next_at).cloned();
        Ok(())
    }
}

/// What the conductor is about to hear.
struct Heard<P: Protocol> {
    notices: Vec<Notice<P>>,
    trace: Vec<TraceEntry>,
    whispers: Vec<(SimTime, PeerId)>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("BUG: a thread panicked outside a peer")
}

/// One shard's part of a run on several threads; `lead` decides between windows on one of them.
fn take_part<C: Cast>(
    setup: &Setup<'_, C>,
    number: u32,
    meeting: &Meeting<C::Machine>,
    mut lead: impl FnMut(),
) -> End {
    let _presence = meeting.barrier.presence();
    let mut shard = shard(setup, number);
    let mut panic = None;
    for window in 0.. {
        meeting.leave(&shard, number as usize, window, panic.take());
        meeting.barrier.wait();
        lead();
        meeting.barrier.wait();
        let Some(plan) = lock(&meeting.plan).clone() else {
            break;
        };
        meeting.enter(&shard, number as usize, window);
        panic = shard.run(&plan);
    }
    end_of(shard)
}

fn run_together<C: Cast>(
    setup: &Setup<'_, C>,
    conductor: &mut Conductor<'_, C::Machine>,
) -> Result<Vec<End>, PeerPanic> {
    let meeting = Meeting::new(setup.shards as usize);
    let mut heard = Heard {
        notices: Vec::new(),
        trace: Vec::new(),
        whispers: Vec::new(),
    };
    let mut failure = None;
    let ends = std::thread::scope(|scope| {
        let meeting = &meeting;
        let others: Vec<_> = (1..setup.shards)
            .map(|number| scope.spawn(move || take_part(setup, number, meeting, || ())))
            .collect();
        let first = take_part(setup, 0, meeting, || {
            if let Err(panic) = meeting.decide(conductor, &mut heard) {
                failure = Some(panic);
            }
        });
        let others = others.into_iter().map(|thread| match thread.join() {
            Ok(end) => end,
            Err(cause) => std::panic::resume_unwind(cause),
        });
        std::iter::once(first).chain(others).collect()
    });
    failure.map_or(Ok(ends), Err)
}
