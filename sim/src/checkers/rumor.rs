//! Checkers and measurements of rumor spreading, from events alone.
//!
//! | invariant | promises | judged |
//! |---|---|---|
//! | `rumor/origin` | nobody hears a rumor that its origin had not begun to tell | always |
//! | `rumor/memory` | a peer that knows a rumor knows it until it crashes | always |
//! | `rumor/one-hop-a-round` | in synchronous rounds a rumor moves one hop a round | with exact clocks |
//! | `rumor/integrity` | what a peer hears is what the origin told | always |
//! | `rumor/coverage` | every rumor reaches every peer that is up at the end | where the scenario promises it |
//!
//! A scenario promises coverage by `coverage = { equals = 1 }` or by naming the invariant. What one
//! entry of the workload has several peers tell is one rumor here: who heard it from any of them
//! knows it. Rumors of Byzantine origins are not judged, nor what Byzantine peers hear. Memory is one
//! bit a peer and rumor. Must not know the machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fedsim_protocols::rumor::{
    Learned, Rounds, RumorConfig, RumorEvent, RumorId, RumorReply, RumorRequest,
};
use fedsim_protocols::{PeerId, Protocol, RequestId, SimDuration};
use fedsim_record::{ConvergenceRow, Outcome as Answer, SampleRow};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Bound, ClockSpec, PerOrganisation};

use super::Ledger;
use crate::adversary::byzantine;
use crate::engine::{Happened, Notice, Observer, Outcome, World};
use crate::runner::{Watch, WatchReport, seconds};
use crate::time::SimTime;

const ORIGIN: &str = "rumor/origin";
const MEMORY: &str = "rumor/memory";
const ONE_HOP: &str = "rumor/one-hop-a-round";
const COVERAGE: &str = "rumor/coverage";
const INTEGRITY: &str = "rumor/integrity";

/// Samples of a run at most.
const SAMPLES: u64 = 1_000;
/// Rumors that have curves of their own at most.
const CURVES: usize = 48;
/// Rounds counted one by one.
const ROUNDS_COUNTED: usize = 1_024;

/// What is known of one rumor of the workload.
#[derive(Debug)]
struct Topic {
    payload: u64,
    /// Who knows it, one bit a peer.
    knows: Vec<u64>,
    /// Peers that are up and know it.
    known: u64,
    told_at: SimTime,
    last_learned: SimTime,
    /// First hearings by round.
    rounds: Vec<u64>,
    hearings: u64,
    rounds_sum: u64,
    rounds_max: u32,
    done: bool,
}

impl Topic {
    fn new(payload: u64, at: SimTime, peers: usize) -> Self {
        Self {
            payload,
            knows: vec![0; peers.div_ceil(64)],
            known: 0,
            told_at: at,
            last_learned: at,
            rounds: Vec::new(),
            hearings: 0,
            rounds_sum: 0,
            rounds_max: 0,
            done: false,
        }
    }

    fn knows(&self, peer: PeerId) -> bool {
        self.knows[peer.index() / 64] >> (peer.index() % 64) & 1 == 1
    }

    /// True if the peer did not know it.
    fn learn(&mut self, peer: PeerId) -> bool {
        if self.knows(peer) {
            return false;
        }
        self.knows[peer.index() / 64] |= 1 << (peer.index() % 64);
        self.known += 1;
        true
    }

    fn forget(&mut self, peer: PeerId) {
        if self.knows(peer) {
            self.knows[peer.index() / 64] &= !(1 << (peer.index() % 64));
            self.known -= 1;
        }
    }

    fn hear(&mut self, at: SimTime, round: u32) {
        self.hearings += 1;
        self.rounds_sum += u64::from(round);
        self.rounds_max = self.rounds_max.max(round);
        self.last_learned = at;
        let place = (round as usize).min(ROUNDS_COUNTED - 1);
        if self.rounds.len() <= place {
            self.rounds.resize(place + 1, 0);
        }
        self.rounds[place] += 1;
    }
}

/// Watches rumors spread.
pub struct RumorWatch {
    names: Vec<String>,
    up: u64,
    topics: Vec<Topic>,
    /// Which topic a started rumor is; names that are missing were never started.
    ids: BTreeMap<RumorId, usize>,
    /// Asked for and not begun, by origin, oldest first.
    asked: BTreeMap<PeerId, VecDeque<(RequestId, u64)>>,
    origin: Ledger,
    memory: Ledger,
    one_hop: Ledger,
    coverage: Ledger,
    integrity: Ledger,
    /// Peers that do not keep to the protocol.
    byzantine: BTreeSet<PeerId>,
    is_round_model: bool,
    asks_coverage: bool,
    lost_interest: u64,
    refused: u64,
    shortest_period: SimDuration,
    curves: Vec<ConvergenceRow>,
}

impl RumorWatch {
    /// A watch for the rumors of `scenario`, spread as `settings` says.
    pub fn new(scenario: &Scenario, settings: &PerOrganisation<RumorConfig>) -> Self {
        let overrides = settings.overrides.iter().map(|(_, config)| config);
        let configs: Vec<&RumorConfig> = overrides.chain([&settings.base]).collect();
        let is_synchronous = configs.iter().all(|it| it.rounds == Rounds::Synchronous);
        let is_one_period = configs.iter().all(|it| it.period == settings.base.period);
        let network = &scenario.network;
        let exact = ClockSpec::default();
        let is_exact = network.clock == exact && network.clock_spread == exact;
        let one_clock = is_exact && network.clocks.iter().all(|other| other.spec == exact);
        Self {
            names: scenario
                .peers
                .iter()
                .map(|it| it.nickname.clone())
                .collect(),
            up: 0,
            topics: Vec::new(),
            ids: BTreeMap::new(),
            asked: BTreeMap::new(),
            origin: Ledger::new(ORIGIN),
            memory: Ledger::new(MEMORY),
            one_hop: Ledger::new(ONE_HOP),
            coverage: Ledger::new(COVERAGE),
            integrity: Ledger::new(INTEGRITY),
            byzantine: byzantine(scenario),
            is_round_model: is_synchronous && is_one_period && one_clock,
            asks_coverage: asks_coverage(scenario),
            lost_interest: 0,
            refused: 0,
            shortest_period: configs.iter().map(|it| it.period).min().unwrap_or_default(),
            curves: Vec::new(),
        }
    }

    fn name(&self, peer: PeerId) -> &str {
        &self.names[peer.index()]
    }

    /// The peer named a rumor that it was asked for.
    fn begin(&mut self, at: SimTime, peer: PeerId, rumor: RumorId) {
        let asked = self.asked.get_mut(&peer).and_then(VecDeque::pop_front);
        let Some((_, payload)) = asked else {
            return;
        };
        let known = self
            .topics
            .iter()
            .position(|topic| topic.payload == payload);
        let topic = known.unwrap_or_else(|| {
            self.topics.push(Topic::new(payload, at, self.names.len()));
            self.topics.len() - 1
        });
        self.ids.insert(rumor, topic);
    }

    fn learned(&mut self, at: SimTime, peer: PeerId, learned: Learned) {
        let Learned {
            rumor,
            round,
            hops,
            payload,
        } = learned;
        if self.byzantine.contains(&rumor.origin) {
            return;
        }
        if rumor.origin == peer && hops == 0 && !self.ids.contains_key(&rumor) {
            self.begin(at, peer, rumor);
        }
        self.origin.exercise();
        let Some(&topic) = self.ids.get(&rumor) else {
            let message = format!(
                "{} heard rumor {rumor}, which nobody had begun",
                self.name(peer)
            );
            return self.origin.breach(at, &[peer], || message);
        };
        self.integrity.exercise();
        let told = self.topics[topic].payload;
        if payload != told {
            let who = &self.names[peer.index()];
            self.integrity.breach(at, &[peer], || {
                format!("{who} heard {payload} as rumor {rumor}, which says {told}")
            });
        }
        if self.is_round_model {
            self.one_hop.exercise();
            if hops > round {
                let who = &self.names[peer.index()];
                self.one_hop.breach(at, &[peer], || {
                    format!("rumor {rumor} came to {who} over {hops} hops in {round} rounds")
                });
            }
        }
        self.take_in(at, peer, rumor, topic, round);
    }

    fn take_in(&mut self, at: SimTime, peer: PeerId, rumor: RumorId, topic: usize, round: u32) {
        self.memory.exercise();
        let is_alone = self.ids.values().filter(|it| **it == topic).count() == 1;
        let topic = &mut self.topics[topic];
        if topic.learn(peer) {
            topic.hear(at, round);
        } else if is_alone {
            let who = &self.names[peer.index()];
            self.memory.breach(at, &[peer], || {
                format!("{who} learned rumor {rumor} again, which it knew and had not lost")
            });
        }
    }

    fn recovered(&mut self, at: SimTime, peer: PeerId, rumor: RumorId) {
        if self.byzantine.contains(&rumor.origin) {
            return;
        }
        if rumor.origin == peer && !self.ids.contains_key(&rumor) {
            self.begin(at, peer, rumor);
        }
        match self.ids.get(&rumor) {
            Some(&topic) => {
                self.topics[topic].learn(peer);
            }
            None => {
                let message = format!(
                    "{} recovered rumor {rumor}, which nobody had begun",
                    self.name(peer)
                );
                self.origin.breach(at, &[peer], || message);
            }
        }
    }

    fn heard(&mut self, at: SimTime, peer: PeerId, event: &RumorEvent) {
        match event {
            RumorEvent::Learned { learned } => self.learned(at, peer, *learned),
            RumorEvent::Recovered { rumor } => self.recovered(at, peer, *rumor),
            RumorEvent::InterestLost { .. } => self.lost_interest += 1,
            RumorEvent::Rejected { .. } => self.refused += 1,
        }
    }

    fn asked(&mut self, peer: PeerId, id: RequestId, request: &RumorRequest) {
        let RumorRequest::Start { payload, .. } = request;
        let asked = self.asked.entry(peer).or_default();
        asked.push_back((id, *payload));
    }

    fn replied(&mut self, peer: PeerId, id: RequestId, reply: &RumorReply) {
        if let (RumorReply::Refused, Some(asked)) = (reply, self.asked.get_mut(&peer)) {
            asked.retain(|(other, _)| *other != id);
        }
    }

    fn crashed(&mut self, peer: PeerId) {
        self.up -= 1;
        for topic in &mut self.topics {
            topic.forget(peer);
        }
    }

    fn share(&self, topic: &Topic) -> f64 {
        match self.up {
            0 => 0.0,
            up => topic.known as f64 / up as f64,
        }
    }

    fn sample_curves(&mut self, now: SimTime) {
        for index in 0..self.topics.len().min(CURVES) {
            let topic = &self.topics[index];
            let share = self.share(topic);
            if !(topic.done && share == 1.0) {
                self.curves.push(ConvergenceRow {
                    subject: format!("rumor {}", topic.payload),
                    at_s: seconds(now),
                    share,
                });
            }
            self.topics[index].done = share == 1.0;
        }
    }
}

fn asks_coverage(scenario: &Scenario) -> bool {
    let expect = &scenario.expect;
    let is_all = |bound: Bound| match bound {
        Bound::AtLeast(least) | Bound::Between(least, _) | Bound::Equals(least) => least >= 1.0,
        Bound::AtMost(_) => false,
    };
    let mut named = expect.holds.iter().chain(&expect.violates);
    let mut metrics = expect.metrics.iter();
    named.any(|name| name == COVERAGE)
        || metrics.any(|it| it.metric == "coverage" && is_all(it.bound))
}

impl<P> Observer<P> for RumorWatch
where
    P: Protocol<Event = RumorEvent, Request = RumorRequest, Reply = RumorReply>,
{
    fn notice(&mut self, notice: &Notice<P>, _: &World<'_>) {
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(event) => self.heard(at, peer, event),
            Happened::Invoked(id, request) => self.asked(peer, *id, request),
            Happened::Replied(id, reply) => self.replied(peer, *id, reply),
            Happened::Started | Happened::Restarted => self.up += 1,
            Happened::Crashed => self.crashed(peer),
            Happened::Paused | Happened::Resumed | Happened::Sent(_) | Happened::Received(_) => {}
        }
    }

    fn sample(&mut self, now: SimTime, _: &World<'_>) {
        self.sample_curves(now);
    }
}

impl<P> Watch<P> for RumorWatch
where
    P: Protocol<Event = RumorEvent, Request = RumorRequest, Reply = RumorReply>,
{
    /// Four times a round, so that curves show each.
    fn sample_every(&self, scenario: &Scenario) -> SimDuration {
        let quarter = self.shortest_period / 4;
        let every = quarter.max(scenario.duration / SAMPLES);
        every
            .min(scenario.report.interval)
            .max(SimDuration::from_millis(1))
    }

    fn concerns(_: &RumorEvent, _: &[PeerId]) -> bool {
        true
    }

    /// Nobody that matters.
    fn byzantine(&mut self, _: &Notice<P>, _: &World<'_>) {}

    fn operation(&self, request: &RumorRequest) -> &'static str {
        match request {
            RumorRequest::Start { .. } => "start",
        }
    }

    fn answer(&self, reply: &RumorReply) -> Answer {
        match reply {
            RumorReply::Started { .. } => Answer::Ok,
            RumorReply::Refused => Answer::Failed,
        }
    }

    fn finish(&mut self, outcome: &Outcome, report: &mut WatchReport) {
        let end = outcome.ended_at;
        self.sample_curves(end);
        if self.asks_coverage {
            self.judge_coverage(end);
            report.findings.push(self.coverage.clone().finding());
        }
        if self.is_round_model {
            report.findings.push(self.one_hop.clone().finding());
        }
        let always = [&self.origin, &self.memory, &self.integrity];
        report
            .findings
            .extend(always.into_iter().map(|ledger| ledger.clone().finding()));
        self.report_metrics(report);
        report.tables.convergence = std::mem::take(&mut self.curves);
        report.tables.samples = self.rounds_series();
    }

    fn metric_names() -> Vec<String> {
        METRICS.iter().map(|name| (*name).to_owned()).collect()
    }

    fn invariant_names() -> Vec<&'static str> {
        vec![ORIGIN, MEMORY, ONE_HOP, INTEGRITY, COVERAGE]
    }
}

/// Every metric of a rumor run.
const METRICS: [&str; 8] = [
    "coverage",
    "residue",
    "rumor_rounds_mean",
    "rumor_rounds_max",
    "rumor_spread_s",
    "rumors_told",
    "interest_lost",
    "rejected_inputs",
];

impl RumorWatch {
    fn judge_coverage(&mut self, end: SimTime) {
        let up = self.up;
        for topic in &self.topics {
            self.coverage.exercise();
            if topic.known < up {
                let (payload, known) = (topic.payload, topic.known);
                self.coverage.breach(end, &[], || {
                    format!("rumor {payload} is known to {known} of {up} peers at the end")
                });
            }
        }
    }

    fn report_metrics(&self, report: &mut WatchReport) {
        let shares = self.topics.iter().map(|topic| self.share(topic));
        let least = shares.clone().min_by(f64::total_cmp);
        let count = self.topics.len() as f64;
        report.metric("coverage", least);
        report.metric("residue", least.map(|_| 1.0 - shares.sum::<f64>() / count));
        let hearings: u64 = self.topics.iter().map(|topic| topic.hearings).sum();
        let rounds: u64 = self.topics.iter().map(|topic| topic.rounds_sum).sum();
        let mean = (hearings > 0).then(|| rounds as f64 / hearings as f64);
        report.metric("rumor_rounds_mean", mean);
        let longest = self.topics.iter().map(|topic| topic.rounds_max).max();
        report.metric("rumor_rounds_max", longest.map(f64::from));
        let spread = |topic: &Topic| topic.last_learned.since(topic.told_at).as_secs_f64();
        let slowest = self.topics.iter().map(spread).max_by(f64::total_cmp);
        report.metric("rumor_spread_s", slowest);
        report.metric("rumors_told", count);
        report.metric("interest_lost", self.lost_interest as f64);
        report.metric("rejected_inputs", self.refused as f64);
    }

    /// How many peers first heard each rumor in each round.
    fn rounds_series(&self) -> Vec<SampleRow> {
        let period = self.shortest_period;
        let topics = self.topics.iter().take(CURVES);
        let rows = topics.flat_map(|topic| {
            (0..)
                .zip(&topic.rounds)
                .map(move |(round, count)| SampleRow {
                    series: format!("first heard in a round/rumor {}", topic.payload),
                    unit: "peers".to_owned(),
                    at_s: seconds(topic.told_at + period * round),
                    value: *count as f64,
                })
        });
        rows.collect()
    }
}
