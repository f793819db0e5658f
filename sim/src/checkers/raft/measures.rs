//! What a run of Raft measures: how long nobody led, how long commits took, how far logs differ.

use fedsim_protocols::raft::{Paper, Rules};
use fedsim_protocols::{PeerId, SimDuration};
use fedsim_record::{ElectionRow, Milliseconds, SampleRow, StepRow};

use super::witness::{Cluster, Witness};
use crate::checkers::{Survival, Thinned};
use crate::engine::World;
use crate::runner::{WatchReport, seconds};
use crate::time::SimTime;

/// Samples of each series at most.
const SAMPLES: usize = 2_000;
/// Commits of which the duration is written down at most.
const COMMITS: usize = 20_000;
/// Elections written down at most.
const ELECTIONS: usize = 20_000;

/// Measures elections and commits.
pub(super) struct Measures {
    names: Vec<String>,
    warm_up: SimTime,
    /// The latest leader and its term.
    leader: Option<(PeerId, u64)>,
    /// Since when nobody leads a quorum, once somebody did.
    down_since: Option<SimTime>,
    first_election: Option<SimTime>,
    downtime: Survival,
    leaders: u64,
    /// Terms from one leader to the next, summed up.
    terms_taken: u64,
    latencies: Vec<u64>,
    commits: Thinned<StepRow>,
    elections: Thinned<ElectionRow>,
    committed_at_warm_up: u64,
    divergence: u64,
    samples: Thinned<[SampleRow; 2]>,
    pub(super) snapshots_taken: u64,
    pub(super) snapshots_installed: u64,
    pub(super) transfers: u64,
    candidacies: u64,
    /// The first term in which a server stood.
    first_stood: Option<u64>,
    /// The first term that elected a leader.
    first_led: Option<u64>,
}

impl Measures {
    pub(super) fn new(names: Vec<String>, warm_up: SimTime) -> Self {
        Self {
            names,
            warm_up,
            leader: None,
            down_since: None,
            first_election: None,
            downtime: Survival::default(),
            leaders: 0,
            terms_taken: 0,
            latencies: Vec::new(),
            commits: Thinned::new(COMMITS),
            elections: Thinned::new(ELECTIONS),
            committed_at_warm_up: 0,
            divergence: 0,
            samples: Thinned::new(SAMPLES),
            snapshots_taken: 0,
            snapshots_installed: 0,
            transfers: 0,
            candidacies: 0,
            first_stood: None,
            first_led: None,
        }
    }

    /// A server stands for election.
    pub(super) fn stood(&mut self, term: u64) {
        self.candidacies += 1;
        self.first_stood.get_or_insert(term);
    }

    /// From the loss of the last leader, or of its quorum, to the majority of the next.
    pub(super) fn elected(&mut self, at: SimTime, peer: PeerId, term: u64) {
        let before = self.leader.map_or(0, |(_, term)| term);
        if term < before {
            return;
        }
        self.leaders += 1;
        self.terms_taken += term - before;
        self.first_election.get_or_insert(at);
        self.first_led.get_or_insert(term);
        let downtime = self.down_since.take().map(|since| at.since(since));
        if let Some(downtime) = downtime {
            self.downtime.complete(downtime);
        }
        self.leader = Some((peer, term));
        self.elections.push(|| ElectionRow {
            elected_s: Some(seconds(at)),
            leader: self.names[peer.index()].clone(),
            term: Some(term),
            terms: Some(term - before),
            downtime_ms: downtime.map(milliseconds),
            censored: false,
        });
    }

    /// `peer` no longer leads: it crashed, paused or stepped down.
    pub(super) fn deposed(&mut self, at: SimTime, peer: PeerId) {
        if self.leader.is_some_and(|(leader, _)| leader == peer) {
            self.down_since.get_or_insert(at);
        }
    }

    /// Links changed: a leader without a quorum does not lead.
    pub(super) fn weather_changed(&mut self, at: SimTime, cluster: &Cluster, world: &World<'_>) {
        let Some((leader, term)) = self.leader else {
            return;
        };
        let witness = cluster.of(leader);
        if !witness.leads() || witness.term != term {
            return;
        }
        let reaches = |peer: PeerId| {
            peer == leader || (world.connected(leader, peer) && world.connected(peer, leader))
        };
        match Paper::has_quorum(&witness.configuration, &reaches) {
            true => self.down_since = None,
            false => {
                self.down_since.get_or_insert(at);
            }
        }
    }

    /// `first..=last` were committed for the first time, by `witness`, which is told before it
    /// takes note.
    pub(super) fn committed(&mut self, at: SimTime, (first, last): (u64, u64), witness: &Witness) {
        if at < self.warm_up {
            self.committed_at_warm_up = last;
            return;
        }
        for index in first..=last {
            let own = witness.kept(index).filter(|seen| seen.term == witness.term);
            if let Some(seen) = own {
                let span = at.since(seen.at);
                self.latencies.push(span.as_nanos());
                self.commits.push(|| StepRow {
                    step: "commit".to_owned(),
                    at_s: seconds(at),
                    duration_ms: milliseconds(span),
                });
            }
        }
    }

    /// How far the logs of those that are up are behind the longest.
    pub(super) fn sample(&mut self, now: SimTime, cluster: &Cluster) {
        let lasts = cluster.peers.iter().map(Witness::last_index);
        let furthest = lasts.max().unwrap_or(0);
        let up = cluster.peers.iter().filter(|witness| witness.is_up);
        let members = up.filter(|witness| !witness.configuration.voters.is_empty());
        let behind = members.map(|witness| furthest - witness.last_index());
        let mut behind: Vec<u64> = behind.collect();
        behind.sort_unstable();
        let Some(&most) = behind.last() else {
            return;
        };
        self.divergence = self.divergence.max(most);
        let median = behind[behind.len() / 2];
        self.samples.push(|| {
            let lines = [("furthest behind", most), ("median server", median)];
            lines.map(|(line, value)| SampleRow {
                series: format!("log divergence/{line}"),
                unit: "entries behind the longest log".to_owned(),
                at_s: seconds(now),
                value: value as f64,
            })
        });
    }

    /// Fills in what was measured by `end`.
    pub(super) fn finish(&mut self, end: SimTime, cluster: &Cluster, report: &mut WatchReport) {
        if let Some(since) = self.down_since {
            self.downtime.censored(end.since(since));
            self.elections.push(|| ElectionRow {
                elected_s: None,
                leader: String::new(),
                term: None,
                terms: None,
                downtime_ms: Some(milliseconds(end.since(since))),
                censored: true,
            });
        }
        report.metric("election_downtimes", self.downtime.completed() as f64);
        let downtime = std::mem::take(&mut self.downtime).estimate();
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            let name = format!("election_downtime_{name}_ms");
            report.metric(&name, downtime.quantile_ms(share));
        }
        report.metric("election_downtime_mean_ms", downtime.mean_ms());
        let first = self.first_election.map(|at| at.as_secs_f64() * 1e3);
        report.metric("first_election_ms", first);
        report.metric("leader_changes", self.leaders.saturating_sub(1) as f64);
        let terms = cluster.peers.iter().map(|witness| witness.term).max();
        report.metric("terms", terms.map(|terms| terms as f64));
        if self.leaders > 0 {
            let each = self.terms_taken as f64 / self.leaders as f64;
            report.metric("terms_per_election_mean", each);
        }
        report.metric("candidacies", self.candidacies as f64);
        let is_split = |term: u64| f64::from(u8::from(self.first_led != Some(term)));
        report.metric("first_term_split", self.first_stood.map(is_split));
        report.metric("snapshots_taken", self.snapshots_taken as f64);
        report.metric("snapshots_installed", self.snapshots_installed as f64);
        report.metric("transfers_started", self.transfers as f64);
        self.finish_commits(end, cluster, report);
        report.tables.elections = self.elections.take();
        report.tables.steps = self.commits.take();
        let samples = self.samples.take();
        let lines = [0, 1].map(|line| samples.iter().map(move |pair| pair[line].clone()));
        report.tables.samples = lines.into_iter().flatten().collect();
    }

    fn finish_commits(&mut self, end: SimTime, cluster: &Cluster, report: &mut WatchReport) {
        let committed = cluster.committed.last();
        report.metric("committed_entries", committed as f64);
        report.metric("log_divergence_max_entries", self.divergence as f64);
        let span = end.since(self.warm_up).as_secs_f64();
        let counted = committed - self.committed_at_warm_up.min(committed);
        report.metric("committed_per_s", counted as f64 / span);
        if let Some([p50, p99]) = quantiles(std::mem::take(&mut self.latencies), [0.50, 0.99]) {
            report.metric("commit_latency_p50_ms", p50);
            report.metric("commit_latency_p99_ms", p99);
        }
    }

    /// Its own metrics.
    pub(super) const NAMES: [&'static str; 19] = [
        "election_downtimes",
        "election_downtime_p50_ms",
        "election_downtime_p99_ms",
        "election_downtime_max_ms",
        "election_downtime_mean_ms",
        "first_election_ms",
        "leader_changes",
        "terms",
        "terms_per_election_mean",
        "candidacies",
        "first_term_split",
        "snapshots_taken",
        "snapshots_installed",
        "transfers_started",
        "committed_entries",
        "log_divergence_max_entries",
        "committed_per_s",
        "commit_latency_p50_ms",
        "commit_latency_p99_ms",
    ];
}

fn milliseconds(span: SimDuration) -> Milliseconds {
    Milliseconds::from_nanos(span.as_nanos())
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
