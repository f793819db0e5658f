//! What a run of PBFT measures: how long requests and their phases take, how often views change.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::pbft::{Execution, Placement, Sequence, Timestamp, View};
use fedsim_protocols::{PeerId, SimDuration};
use fedsim_record::{Milliseconds, SampleRow, StepRow};

use crate::checkers::Thinned;
use crate::runner::{WatchReport, seconds};
use crate::time::SimTime;

/// Samples of each series at most.
const SAMPLES: usize = 2_000;

/// Durations of each phase, and of decisions, that are written down at most.
const STEPS: usize = 20_000;

/// The phases of a request (Castro and Liskov 1999, figure 1), each as seen by one replica or the
/// client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// From the client's first send to the primary's assignment.
    Request,
    /// From there to a backup's acceptance.
    PrePrepare,
    /// From a replica's acceptance to its prepared certificate.
    Prepare,
    /// From there to its quorum of commits.
    Commit,
    /// From a replica's execution to the client's certificate, of the last replica before it.
    Reply,
}

impl Phase {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Request, "phase_request_mean_ms"),
        (Self::PrePrepare, "phase_pre_prepare_mean_ms"),
        (Self::Prepare, "phase_prepare_mean_ms"),
        (Self::Commit, "phase_commit_mean_ms"),
        (Self::Reply, "phase_reply_mean_ms"),
    ];

    /// As tables name it.
    fn step(self) -> &'static str {
        match self {
            Self::Request => "phase/request",
            Self::PrePrepare => "phase/pre-prepare",
            Self::Prepare => "phase/prepare",
            Self::Commit => "phase/commit",
            Self::Reply => "phase/reply",
        }
    }
}

/// Spans summed up.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    nanos: u128,
    count: u64,
}

impl Mean {
    fn add(&mut self, span: SimDuration) {
        self.nanos += u128::from(span.as_nanos());
        self.count += 1;
    }

    fn ms(self) -> Option<f64> {
        (self.count > 0).then(|| self.nanos as f64 / self.count as f64 / 1e6)
    }
}

/// A batch under way.
#[derive(Clone, Debug)]
struct Batch {
    view: View,
    assigned: SimTime,
    /// Whether anybody knows that it committed.
    is_decided: bool,
    /// When each replica last took a step with it.
    steps: Vec<SimTime>,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tallies {
    pub(super) checkpoints: u64,
    pub(super) transfers: u64,
    pub(super) rollbacks: u64,
    pub(super) retransmissions: u64,
    pub(super) rejected: u64,
    pub(super) started: u64,
    pub(super) reconfigurations: u64,
    pub(super) null_requests: u64,
    pub(super) reissued: u64,
}

/// Measures requests, phases and views.
pub(super) struct Measures {
    peers: usize,
    warm_up: SimTime,
    pub(super) tallies: Tallies,
    latencies: Vec<u64>,
    phases: [Mean; 5],
    phase_steps: [Thinned<StepRow>; 5],
    decisions: Thinned<StepRow>,
    batches: BTreeMap<Sequence, Batch>,
    /// What each client waits for, and since when.
    asked: BTreeMap<PeerId, (Timestamp, SimTime)>,
    /// The last execution of the request that each client waits for.
    executed_at: BTreeMap<PeerId, SimTime>,
    /// The highest batch executed anywhere, and at the end of the warm-up.
    decided: u64,
    decided_before: u64,
    requests: u64,
    requests_before: u64,
    /// Views entered by anybody, by (epoch, view).
    entered: BTreeSet<(u64, u64)>,
    last_execution: SimTime,
    longest_stall: SimDuration,
    samples: Thinned<SampleRow>,
    sampled: (SimTime, u64),
}

impl Measures {
    pub(super) fn new(peers: usize, warm_up: SimTime) -> Self {
        Self {
            peers,
            warm_up,
            tallies: Tallies::default(),
            latencies: Vec::new(),
            phases: [Mean::default(); 5],
            phase_steps: std::array::from_fn(|_| Thinned::new(STEPS)),
            decisions: Thinned::new(STEPS),
            batches: BTreeMap::new(),
            asked: BTreeMap::new(),
            executed_at: BTreeMap::new(),
            decided: 0,
            decided_before: 0,
            requests: 0,
            requests_before: 0,
            entered: BTreeSet::new(),
            last_execution: SimTime::ZERO,
            longest_stall: SimDuration::ZERO,
            samples: Thinned::new(SAMPLES),
            sampled: (SimTime::ZERO, 0),
        }
    }

    fn phase(&mut self, at: SimTime, phase: Phase, since: SimTime) {
        self.phase_of(at, phase, at.since(since));
    }

    fn phase_of(&mut self, at: SimTime, phase: Phase, span: SimDuration) {
        if at >= self.warm_up {
            self.phases[phase as usize].add(span);
            self.phase_steps[phase as usize].push(|| step(phase.step(), at, span));
        }
    }

    pub(super) fn asked(&mut self, at: SimTime, client: PeerId, timestamp: Timestamp) {
        if self.asked.is_empty() {
            self.last_execution = self.last_execution.max(at);
        }
        self.asked.insert(client, (timestamp, at));
        self.executed_at.remove(&client);
    }

    pub(super) fn answered(&mut self, at: SimTime, client: PeerId) {
        let Some((_, asked)) = self.asked.remove(&client) else {
            return;
        };
        if at >= self.warm_up {
            self.latencies.push(at.since(asked).as_nanos());
        }
        if let Some(executed) = self.executed_at.remove(&client) {
            self.phase(at, Phase::Reply, executed);
        }
    }

    /// A client has crashed.
    pub(super) fn forget(&mut self, client: PeerId) {
        self.asked.remove(&client);
    }

    /// A replica accepts an assignment; `leads` if it made it.
    pub(super) fn accepted(
        &mut self,
        at: SimTime,
        peer: PeerId,
        placement: &Placement,
        leads: bool,
    ) {
        let peers = self.peers;
        let fresh = Batch {
            view: placement.view,
            assigned: at,
            is_decided: false,
            steps: vec![at; peers],
        };
        let batch = self
            .batches
            .entry(placement.sequence)
            .and_modify(|batch| {
                if batch.view < placement.view {
                    *batch = fresh.clone();
                }
            })
            .or_insert(fresh);
        if batch.view != placement.view {
            return;
        }
        batch.steps[peer.index()] = at;
        let assigned = batch.assigned;
        if !leads {
            self.phase(at, Phase::PrePrepare, assigned);
        }
    }

    /// A replica took the next step with a batch.
    fn stepped(&mut self, at: SimTime, peer: PeerId, placement: &Placement, phase: Phase) {
        let Some(batch) = self.batches.get_mut(&placement.sequence) else {
            return;
        };
        if batch.view == placement.view {
            let before = std::mem::replace(&mut batch.steps[peer.index()], at);
            self.phase(at, phase, before);
        }
    }

    pub(super) fn prepared(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        self.stepped(at, peer, placement, Phase::Prepare);
    }

    pub(super) fn committed(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        self.stepped(at, peer, placement, Phase::Commit);
        let batch = self.batches.get_mut(&placement.sequence);
        let Some(batch) = batch.filter(|it| !it.is_decided && it.view == placement.view) else {
            return;
        };
        batch.is_decided = true;
        let span = at.since(batch.assigned);
        if at >= self.warm_up {
            self.decisions.push(|| step("decision", at, span));
        }
    }

    /// A replica executed a request for its client, for good or not.
    pub(super) fn executed(&mut self, at: SimTime, execution: &Execution) {
        let client = execution.client;
        let asked = self.asked.get(&client);
        let Some((_, asked)) = asked.filter(|(it, _)| *it == execution.timestamp) else {
            return;
        };
        let batch = self.batches.get(&execution.placement.sequence);
        if let Some(batch) = batch
            && self.executed_at.insert(client, at).is_none()
            && batch.assigned >= *asked
        {
            let span = batch.assigned.since(*asked);
            self.phase_of(at, Phase::Request, span);
        }
    }

    /// A replica finished a batch of so many requests.
    pub(super) fn finished(&mut self, at: SimTime, sequence: Sequence, requests: u64) {
        if sequence.0 <= self.decided {
            return;
        }
        self.decided = sequence.0;
        self.requests += requests;
        if requests == 0 {
            self.tallies.null_requests += 1;
        }
        if at < self.warm_up {
            self.decided_before = self.decided;
            self.requests_before = self.requests;
        } else if !self.asked.is_empty() {
            let stall = at.since(self.last_execution.max(self.warm_up));
            self.longest_stall = self.longest_stall.max(stall);
        }
        self.last_execution = at;
        while let Some((first, _)) = self.batches.first_key_value()
            && first.0 + 1_000 < sequence.0
        {
            self.batches.pop_first();
        }
    }

    /// A replica enters a view that began with so many batches of earlier ones.
    pub(super) fn entered(&mut self, epoch: u64, view: u64, reissued: u64) {
        if self.entered.insert((epoch, view)) {
            self.tallies.reissued += reissued;
        }
    }

    /// How many requests are executed in a second.
    pub(super) fn sample(&mut self, now: SimTime) {
        let (before, requests) = std::mem::replace(&mut self.sampled, (now, self.requests));
        let span = now.since(before).as_secs_f64();
        if span > 0.0 {
            let rate = (self.requests - requests) as f64 / span;
            self.samples.push(|| SampleRow {
                series: "requests executed".to_owned(),
                unit: "per s".to_owned(),
                at_s: seconds(now),
                value: rate,
            });
        }
    }

    /// Fills in what was measured by `end`; `sent` are the messages and bytes of the normal case.
    pub(super) fn finish(&mut self, end: SimTime, sent: (u64, u64), report: &mut WatchReport) {
        let tallies = self.tallies;
        let counts = [
            ("batches_decided", self.decided),
            ("requests_executed", self.requests),
            ("null_requests", tallies.null_requests),
            ("view_changes_started", tallies.started),
            ("views_entered", self.entered.len() as u64),
            ("batches_reissued", tallies.reissued),
            ("checkpoints_stable", tallies.checkpoints),
            ("state_transfers", tallies.transfers),
            ("rollbacks", tallies.rollbacks),
            ("retransmissions", tallies.retransmissions),
            ("rejected_inputs", tallies.rejected),
            ("reconfigurations", tallies.reconfigurations),
        ];
        for (name, count) in counts {
            report.metric(name, count as f64);
        }
        if !self.asked.is_empty() {
            let stall = end.since(self.last_execution.max(self.warm_up));
            self.longest_stall = self.longest_stall.max(stall);
        }
        report.metric(
            "longest_stall_ms",
            self.longest_stall.as_nanos() as f64 / 1e6,
        );
        let span = end.since(self.warm_up).as_secs_f64();
        let counted = self.requests - self.requests_before;
        report.metric("requests_per_s", counted as f64 / span);
        if self.decided > 0 {
            let each = |all: u64| all as f64 / self.decided as f64;
            report.metric("normal_case_messages_per_decision", each(sent.0));
            report.metric("normal_case_bytes_per_decision", each(sent.1));
        }
        for (mean, (_, name)) in self.phases.iter().zip(Phase::ALL) {
            report.metric(name, mean.ms());
        }
        self.finish_latencies(report);
        report.tables.samples = self.samples.take();
        let mut steps = self.decisions.take();
        for phase in &mut self.phase_steps {
            steps.append(&mut phase.take());
        }
        report.tables.steps = steps;
    }

    fn finish_latencies(&mut self, report: &mut WatchReport) {
        let latencies = std::mem::take(&mut self.latencies);
        let sum: u128 = latencies.iter().map(|nanos| u128::from(*nanos)).sum();
        let mean = sum as f64 / latencies.len() as f64 / 1e6;
        report.metric("decision_latency_mean_ms", mean);
        if let Some([least, p50, p99, most]) = quantiles(latencies, [0.0, 0.50, 0.99, 1.0]) {
            report.metric("decision_latency_min_ms", least);
            report.metric("decision_latency_p50_ms", p50);
            report.metric("decision_latency_p99_ms", p99);
            report.metric("decision_latency_max_ms", most);
        }
    }

    /// Its own metrics.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        let phases = Phase::ALL.iter().map(|(_, name)| *name);
        let own = [
            "batches_decided",
            "requests_executed",
            "null_requests",
            "view_changes_started",
            "views_entered",
            "batches_reissued",
            "checkpoints_stable",
            "state_transfers",
            "rollbacks",
            "retransmissions",
            "rejected_inputs",
            "reconfigurations",
            "longest_stall_ms",
            "requests_per_s",
            "normal_case_messages_per_decision",
            "normal_case_bytes_per_decision",
            "decision_latency_mean_ms",
            "decision_latency_min_ms",
            "decision_latency_p50_ms",
            "decision_latency_p99_ms",
            "decision_latency_max_ms",
        ];
        own.into_iter().chain(phases)
    }
}

fn step(name: &str, at: SimTime, span: SimDuration) -> StepRow {
    StepRow {
        step: name.to_owned(),
        at_s: seconds(at),
        duration_ms: Milliseconds::from_nanos(span.as_nanos()),
    }
}

/// Quantiles in milliseconds by nearest rank; none of nothing.
fn quantiles<const N: usize>(mut nanos: Vec<u64>, shares: [f64; N]) -> Option<[f64; N]> {
    if nanos.is_empty() {
        return None;
    }
    nanos.sort_unstable();
    let at = |share: f64| {
        let rank = libm::ceil(share * nanos.len() as f64) as usize;
        nanos[rank.clamp(1, nanos.len()) - 1] as f64 / 1e6
    };
    Some(shares.map(at))
}
