//! Checkers and measurements of SWIM, from events alone.
//!
//! | invariant | promises | judged |
//! |---|---|---|
//! | `swim/completeness` | a crash is found out by everybody in time | always |
//! | `swim/accuracy` | nobody who lives and is connected is declared dead | where the scenario promises it |
//! | `swim/convergence` | views agree with the truth in time after the last change | where the scenario promises it |
//! | `swim/dissemination` | what a member announces reaches everybody in time | always |
//! | `swim/ownership` | nothing is believed of a member that it did not announce | always |
//! | `swim/keys` | the key known of a slot is the key of the peer there | always |
//!
//! A scenario promises by naming an invariant under `holds` or `violates`, accuracy also by
//! `false_positives = { equals = 0 }`, convergence by any bound on `membership_converged_s`.
//! Byzantine members have no view that counts, and what is believed of them is nobody's fault.
//! Must not know the machine: it sees events, and rebuilds views from them ([`SwimEvent`]).

mod accuracy;
mod agreement;
mod bounds;
mod detection;
mod group;
mod listed;
mod ownership;
mod pace;
mod series;

use fedsim_protocols::swim::{SwimEvent, SwimReply, SwimRequest};
use fedsim_protocols::{KeyScheme, PeerId, Protocol, RunKey, SimDuration};
use fedsim_record::Outcome as Answer;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Bound, Expect, Fault, Select, SwimSpec};

use crate::engine::{Happened, Notice, Observer, Outcome, World};
use crate::runner::{Watch, WatchReport};
use crate::time::SimTime;
use accuracy::Accuracy;
use agreement::Agreement;
use bounds::Bounds;
use detection::Detection;
use group::{Group, Truth};
use listed::Listed;
use ownership::Ownership;
use series::Series;

const COMPLETENESS: &str = "swim/completeness";
const ACCURACY: &str = "swim/accuracy";
const CONVERGENCE: &str = "swim/convergence";
const DISSEMINATION: &str = "swim/dissemination";
const OWNERSHIP: &str = "swim/ownership";
const KEYS: &str = "swim/keys";

/// Samples of a run at most.
const SAMPLES: u64 = 2_000;

/// Watches a SWIM group. Memory grows with the square of its size.
pub struct SwimWatch {
    group: Group,
    detection: Detection,
    accuracy: Accuracy,
    agreement: Agreement,
    ownership: Ownership,
    listed: Listed,
    series: Series,
    names: Vec<String>,
    is_calm: bool,
    asks_accuracy: bool,
    /// The bound within which convergence is promised.
    asks_convergence: Option<SimDuration>,
    refutations: u64,
    rejected: u64,
}

impl SwimWatch {
    /// A watch for the group of `scenario`, set as `spec` says.
    pub fn new(scenario: &Scenario, spec: &SwimSpec) -> Self {
        let slots = 0..scenario.peers.len();
        let bounds: Vec<Bounds> = slots
            .map(|slot| Bounds::new(group::config_of(scenario, spec, slot), scenario))
            .collect();
        let names: Vec<String> = scenario
            .peers
            .iter()
            .map(|it| it.nickname.clone())
            .collect();
        let exempt = slowed_down(scenario);
        let key = RunKey::from_seed(scenario.seed);
        Self {
            group: Group::new(scenario, spec),
            detection: Detection::new(scenario, bounds.clone(), exempt),
            accuracy: Accuracy::new(&bounds),
            agreement: Agreement::new(bounds),
            ownership: Ownership::new(names.len(), key, KeyScheme::ed25519()),
            listed: Listed::default(),
            series: Series::default(),
            names,
            is_calm: true,
            asks_accuracy: asks_accuracy(&scenario.expect),
            asks_convergence: asks_convergence(scenario),
            refutations: 0,
            rejected: 0,
        }
    }

    fn heard(&mut self, at: SimTime, observer: PeerId, event: &SwimEvent, world: &World<'_>) {
        match event {
            SwimEvent::Announced { incarnation } => self.announced(at, observer, *incarnation),
            SwimEvent::HealthChanged { score } => self.detection.set_score(at, observer, *score),
            SwimEvent::Left => self.left(at, observer),
            SwimEvent::SuspicionRefuted { .. } | SwimEvent::Rejoined { .. } => {
                self.refutations += 1;
            }
            SwimEvent::Rejected { .. } => self.rejected += 1,
            SwimEvent::ProbeStarted { .. } | SwimEvent::Joined { .. } => {}
            SwimEvent::MemberLearned { .. }
            | SwimEvent::MemberRefreshed { .. }
            | SwimEvent::MemberMoved { .. }
            | SwimEvent::MemberSuspected { .. }
            | SwimEvent::MemberRefuted { .. }
            | SwimEvent::MemberDied { .. }
            | SwimEvent::MemberLeft { .. }
            | SwimEvent::MemberRevived { .. } => self.changed(at, observer, event, world),
        }
    }

    fn changed(&mut self, at: SimTime, observer: PeerId, event: &SwimEvent, world: &World<'_>) {
        self.listed.changed(observer, event);
        let Some(change) = self.group.apply(at, observer, event) else {
            return;
        };
        if self.group.life(change.subject).is_byzantine {
            return;
        }
        let connected = connects(world, observer, change.subject);
        self.detection.changed(at, &change, connected);
        self.accuracy
            .changed(at, &change, &self.group, connected, &self.names);
        self.ownership
            .changed(at, &change, event, &self.group, &self.names);
    }

    fn announced(
        &mut self,
        at: SimTime,
        peer: PeerId,
        incarnation: fedsim_protocols::swim::Incarnation,
    ) {
        let was = self.group.life(peer).truth;
        let is_founding = was == Truth::Absent && at < SimTime::from(SimDuration::from_secs(1));
        self.group.announce(at, peer, incarnation);
        if was != Truth::Here {
            self.agreement.note_change(at);
            self.detection.returned(at, peer);
            if !is_founding {
                self.series.follow(at, peer, true, &self.names);
            }
        }
    }

    fn left(&mut self, at: SimTime, peer: PeerId) {
        self.detection.view_lost(at, peer);
        self.detection.set_running(at, peer, false);
        self.group.forget_view(at, peer);
        self.listed.forget(peer);
        self.agreement.note_change(at);
    }

    fn crashed(&mut self, at: SimTime, peer: PeerId, world: &World<'_>) {
        self.agreement.note_change(at);
        self.detection.set_running(at, peer, false);
        self.detection.view_lost(at, peer);
        self.group.forget_view(at, peer);
        self.listed.forget(peer);
        let life = &mut self.group.lives[peer.index()];
        life.clean_since = None;
        life.paused = false;
        if life.truth == Truth::Here {
            self.group.set_truth(at, peer, Truth::Gone);
            let connected = |one, other| connects(world, one, other);
            if !self.group.life(peer).is_byzantine {
                self.detection.crashed(at, peer, &self.group, connected);
            }
            self.series.follow(at, peer, false, &self.names);
        }
    }

    fn started(&mut self, at: SimTime, peer: PeerId, again: bool) {
        self.agreement.note_change(at);
        self.detection.set_running(at, peer, true);
        self.detection.set_score(at, peer, 0);
        // Nobody can have accused him before his first start.
        let since = if again { at } else { SimTime::ZERO };
        self.group.lives[peer.index()].clean_since = Some(since);
    }

    fn paused(&mut self, at: SimTime, peer: PeerId, is: bool) {
        self.agreement.note_change(at);
        self.detection.set_running(at, peer, !is);
        let life = &mut self.group.lives[peer.index()];
        life.paused = is;
        life.clean_since = if is { None } else { Some(at) };
    }

    fn asked(&mut self, at: SimTime, peer: PeerId, request: &SwimRequest) {
        match request {
            SwimRequest::Leave if self.group.life(peer).truth == Truth::Here => {
                self.agreement.note_change(at);
                self.group.set_truth(at, peer, Truth::Left);
            }
            SwimRequest::Leave | SwimRequest::Join { .. } => {}
        }
    }

    /// Notes who is cut off from anybody.
    fn note_cuts(&mut self, now: SimTime, world: &World<'_>) {
        for peer in self.group.peers() {
            let others = self.group.peers().filter(|other| *other != peer);
            let mut others = others.filter(|other| world.is_up(*other));
            let is_cut = !world.fabric.weather().is_calm()
                && others.any(|other| !connects(world, peer, other));
            let life = &mut self.group.lives[peer.index()];
            let is_able = world.is_up(peer) && !life.paused;
            if is_cut {
                life.clean_since = None;
            } else if is_able && life.clean_since.is_none() {
                life.clean_since = Some(now);
            }
        }
    }
}

/// Whether both links between two peers stand.
fn connects(world: &World<'_>, one: PeerId, other: PeerId) -> bool {
    world.fabric.weather().is_calm() || (world.connected(one, other) && world.connected(other, one))
}

/// Members that a fault or a slow processor may slow down without bound.
fn slowed_down(scenario: &Scenario) -> Vec<bool> {
    let mut slowed = vec![false; scenario.peers.len()];
    for spec in &scenario.faults {
        if let Fault::Slow { peers, .. } = &spec.fault {
            match peers {
                Select::Peers(of) | Select::Random { of, .. } => {
                    of.iter().for_each(|peer| slowed[peer.index()] = true);
                }
                Select::LastToReport(_)
                | Select::Trigger
                | Select::Region(_)
                | Select::Organisation(_) => slowed.fill(true),
            }
        }
    }
    slowed
}

fn names_invariant(expect: &Expect, name: &str) -> bool {
    let mut named = expect.holds.iter().chain(&expect.violates);
    named.any(|it| it == name)
}

fn asks_accuracy(expect: &Expect) -> bool {
    let is_zero = |bound: Bound| match bound {
        Bound::AtMost(most) | Bound::Between(_, most) | Bound::Equals(most) => most == 0.0,
        Bound::AtLeast(_) => false,
    };
    let mut metrics = expect.metrics.iter();
    names_invariant(expect, ACCURACY)
        || metrics.any(|it| it.metric == "false_positives" && is_zero(it.bound))
}

fn asks_convergence(scenario: &Scenario) -> Option<SimDuration> {
    let expect = &scenario.expect;
    let wanted = expect
        .metrics
        .iter()
        .find(|it| it.metric == "membership_converged_s");
    let span = |seconds: f64| SimDuration::from_nanos((seconds * 1e9).max(0.0) as u64);
    match wanted.map(|it| it.bound) {
        Some(Bound::AtMost(most) | Bound::Between(_, most) | Bound::Equals(most)) => {
            Some(span(most))
        }
        Some(Bound::AtLeast(_)) => None,
        None => names_invariant(expect, CONVERGENCE).then_some(SimDuration::ZERO),
    }
}

impl<P> Observer<P> for SwimWatch
where
    P: Protocol<Event = SwimEvent, Request = SwimRequest, Reply = SwimReply>,
{
    fn notice(&mut self, notice: &Notice<P>, world: &World<'_>) {
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(event) => self.heard(at, peer, event, world),
            Happened::Invoked(_, request) => self.asked(at, peer, request),
            Happened::Replied(..) | Happened::Sent(_) | Happened::Received(_) => {}
            Happened::Started => self.started(at, peer, false),
            Happened::Restarted => self.started(at, peer, true),
            Happened::Crashed => self.crashed(at, peer, world),
            Happened::Paused => self.paused(at, peer, true),
            Happened::Resumed => self.paused(at, peer, false),
        }
    }

    fn weather_changed(&mut self, now: SimTime, world: &World<'_>) {
        let is_calm = world.fabric.weather().is_calm();
        if is_calm && self.is_calm {
            return;
        }
        self.is_calm = is_calm;
        self.agreement.note_change(now);
        self.detection
            .links_changed(now, |one, other| connects(world, one, other));
        self.note_cuts(now, world);
    }

    fn sample(&mut self, now: SimTime, world: &World<'_>) {
        self.detection.look(now);
        self.agreement.look(now, &self.group, &self.names);
        let census = self.group.census(|one, other| connects(world, one, other));
        self.series.sample(now, &self.group, &census);
    }
}

impl<P> Watch<P> for SwimWatch
where
    P: Protocol<Event = SwimEvent, Request = SwimRequest, Reply = SwimReply>,
{
    fn sample_every(&self, scenario: &Scenario) -> SimDuration {
        scenario.report.interval.max(scenario.duration / SAMPLES)
    }

    fn concerns(event: &SwimEvent, peers: &[PeerId]) -> bool {
        group::subject(event).is_none_or(|subject| peers.contains(&subject))
    }

    fn is_of_interest(&self, event: &SwimEvent) -> bool {
        match event {
            SwimEvent::ProbeStarted { .. }
            | SwimEvent::MemberLearned { .. }
            | SwimEvent::MemberRefreshed { .. }
            | SwimEvent::HealthChanged { .. } => false,
            SwimEvent::MemberMoved { .. }
            | SwimEvent::MemberSuspected { .. }
            | SwimEvent::MemberRefuted { .. }
            | SwimEvent::MemberDied { .. }
            | SwimEvent::MemberLeft { .. }
            | SwimEvent::MemberRevived { .. }
            | SwimEvent::Announced { .. }
            | SwimEvent::SuspicionRefuted { .. }
            | SwimEvent::Rejoined { .. }
            | SwimEvent::Joined { .. }
            | SwimEvent::Left
            | SwimEvent::Rejected { .. } => true,
        }
    }

    /// Its lives, and what it announces, without which nobody could be right about it.
    fn byzantine(&mut self, notice: &Notice<P>, world: &World<'_>) {
        match &notice.what {
            Happened::Event(SwimEvent::Announced { incarnation }) => {
                self.announced(notice.at, notice.peer, *incarnation);
            }
            Happened::Event(_)
            | Happened::Invoked(..)
            | Happened::Replied(..)
            | Happened::Sent(_)
            | Happened::Received(_) => {}
            Happened::Started
            | Happened::Crashed
            | Happened::Restarted
            | Happened::Paused
            | Happened::Resumed => self.notice(notice, world),
        }
    }

    fn operation(&self, request: &SwimRequest) -> &'static str {
        match request {
            SwimRequest::Leave => "leave",
            SwimRequest::Join { .. } => "join",
        }
    }

    fn answer(&self, reply: &SwimReply) -> Answer {
        match reply {
            SwimReply::Left | SwimReply::Joined { .. } => Answer::Ok,
            SwimReply::Refused => Answer::Failed,
        }
    }

    fn finish(&mut self, outcome: &Outcome, report: &mut WatchReport) {
        let end = outcome.ended_at;
        self.detection.close(end);
        self.agreement.look(end, &self.group, &self.names);
        if let Some(bound) = self.asks_convergence {
            let bound = match bound.is_zero() {
                true => end.since(self.agreement.last_change),
                false => bound,
            };
            self.agreement.judge_convergence(end, bound, &self.group);
        }
        self.report_findings(report);
        self.report_metrics(report);
        self.report_tables(report);
    }

    fn metric_names() -> Vec<String> {
        METRICS.iter().map(|name| (*name).to_owned()).collect()
    }

    fn invariant_names() -> Vec<&'static str> {
        vec![
            COMPLETENESS,
            ACCURACY,
            CONVERGENCE,
            DISSEMINATION,
            OWNERSHIP,
            KEYS,
        ]
    }
}

/// Every metric of a SWIM run.
const METRICS: [&str; 17] = [
    "detection_latency_mean_ms",
    "detection_latency_p50_ms",
    "detection_latency_p99_ms",
    "detection_latency_max_ms",
    "first_detection_latency_mean_ms",
    "detections",
    "detections_censored",
    "false_positives",
    "false_positives_at_healthy",
    "false_suspicions",
    "refutations",
    "membership_converged_s",
    "membership_disagreement_mean",
    "keys_known_share",
    "keys_known_by_all_s",
    "rejected_inputs",
    "strangers_listed",
];

impl SwimWatch {
    fn report_findings(&mut self, report: &mut WatchReport) {
        let asked = [
            (&self.detection.ledger, true),
            (&self.accuracy.ledger, self.asks_accuracy),
            (&self.agreement.convergence, self.asks_convergence.is_some()),
            (&self.agreement.dissemination, true),
            (&self.ownership.records, true),
            (&self.ownership.keys, true),
        ];
        let asked = asked.into_iter().filter(|(_, is_asked)| *is_asked);
        let mut ledgers: Vec<_> = asked.map(|(ledger, _)| ledger.clone()).collect();
        for ledger in &mut ledgers {
            // A group in which nobody could be accused wrongly proves nothing; one that ran does.
            if ledger.name() == ACCURACY && self.group.pairs() > 0 {
                ledger.exercise();
            }
        }
        report
            .findings
            .extend(ledgers.into_iter().map(|ledger| ledger.finding()));
    }

    fn report_metrics(&self, report: &mut WatchReport) {
        let latencies = &self.detection.latencies;
        let (done, cut_off) = (latencies.completed(), latencies.cut_off());
        report.metric("detections", done as f64);
        report.metric("detections_censored", cut_off as f64);
        let estimate = latencies.clone().estimate();
        report.metric("detection_latency_mean_ms", estimate.mean_ms());
        report.metric("detection_latency_p50_ms", estimate.quantile_ms(0.5));
        report.metric("detection_latency_p99_ms", estimate.quantile_ms(0.99));
        report.metric("detection_latency_max_ms", estimate.quantile_ms(1.0));
        let first = self.detection.first.clone().estimate().mean_ms();
        report.metric("first_detection_latency_mean_ms", first);
        report.metric("false_positives", self.accuracy.false_positives as f64);
        report.metric(
            "false_positives_at_healthy",
            self.accuracy.at_healthy as f64,
        );
        report.metric("false_suspicions", self.accuracy.false_suspicions as f64);
        report.metric("refutations", self.refutations as f64);
        report.metric("rejected_inputs", self.rejected as f64);
        report.metric("strangers_listed", self.listed.strangers());
        let converged = self.agreement.converged_after(&self.group);
        report.metric(
            "membership_converged_s",
            converged.map(SimDuration::as_secs_f64),
        );
        report.metric(
            "membership_disagreement_mean",
            self.series.disagreement_mean(),
        );
        let census = self.group.census(|_, _| true);
        report.metric("keys_known_share", census.keys_known());
        let known_at = self.series.keys_known_at.map(SimTime::as_secs_f64);
        report.metric("keys_known_by_all_s", known_at);
        if cut_off > 0 {
            let note = format!(
                "{cut_off} of {} observers had not detected a crash when observation ended; \
                 their latencies are censored",
                done + cut_off
            );
            report.notes.push(note);
        }
    }

    fn report_tables(&mut self, report: &mut WatchReport) {
        report.tables.detection = std::mem::take(&mut self.detection.rows);
        report.tables.membership = std::mem::take(&mut self.series.membership);
        report.tables.convergence = std::mem::take(&mut self.series.convergence);
        if self.detection.not_in_rows > 0 {
            let missing = self.detection.not_in_rows;
            let note = format!("{missing} more detections are not in the table of detection");
            report.notes.push(note);
        }
    }
}
