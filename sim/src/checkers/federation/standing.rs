//! What peers make of each other: falls, rises and breakers, and whether a fall is acted on.
//!
//! Must not know why anybody fell.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::federation::authorisation::level_of;
use fedsim_protocols::federation::terms::{Capability, Level};
use fedsim_protocols::federation::trust::{Assessment, Step};
use fedsim_protocols::{Identity, PeerId};
use fedsim_record::SampleRow;
use fedsim_scenarios::spec::FederationSpec;

use crate::checkers::{Ledger, Thinned};
use crate::runner::{WatchReport, seconds};
use crate::time::SimTime;

/// After a peer has itself demoted another it starts nothing above the new level.
pub(super) const DEMOTION: &str = "federation/demotion";

/// The series of scores that is drawn, and that of the moments at which somebody was caught.
const TRUST: &str = "trust";
const ATTACKS: &str = "attacks on trust";

/// Points kept of all scores, and moments kept of all attacks.
const ATTACKS_DRAWN: usize = 2_000;
/// Points kept of all scores.
const SCORES: usize = 20_000;
/// Peers up to which every pair has a line where nobody attacks; else only attackers are drawn.
const PEERS_DRAWN: usize = 3;

/// A level that changed.
#[derive(Clone, Copy)]
struct Moved {
    now: Level,
    highest: Level,
}

/// Checks and counts what peers make of each other.
pub(super) struct Standing {
    peers: BTreeMap<Identity, PeerId>,
    names: Vec<String>,
    attackers: BTreeSet<PeerId>,
    spec: FederationSpec,
    /// The levels that changed, as (who trusts, whom).
    levels: BTreeMap<(PeerId, PeerId), Moved>,
    demotion: Ledger,
    counts: BTreeMap<&'static str, u64>,
    scores: Thinned<SampleRow>,
    /// The score that was told last.
    last: BTreeMap<(PeerId, PeerId), f64>,
    caught: Thinned<SampleRow>,
}

impl Standing {
    pub(super) const METRICS: &'static [&'static str] = &[
        "trust_rises",
        "trust_falls",
        "trust_falls_of_honest",
        "attackers_distrusted",
        "attacker_level_max",
        "honest_level_min",
        "breaker_trips",
        "breaker_evictions",
        "breaker_evictions_of_honest",
        "breaker_returns",
    ];

    /// Of the peers `names`, some of whom attack.
    pub(super) fn new(
        spec: FederationSpec,
        peers: BTreeMap<Identity, PeerId>,
        names: Vec<String>,
        attackers: BTreeSet<PeerId>,
    ) -> Self {
        Self {
            spec,
            peers,
            names,
            attackers,
            levels: BTreeMap::new(),
            demotion: Ledger::new(DEMOTION),
            counts: Self::METRICS.iter().map(|name| (*name, 0)).collect(),
            scores: Thinned::new(SCORES),
            last: BTreeMap::new(),
            caught: Thinned::new(ATTACKS_DRAWN),
        }
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn is_honest(&self, peer: PeerId) -> bool {
        !self.attackers.contains(&peer)
    }

    /// Whom an identity belongs to.
    pub(super) fn slot(&self, of: Identity) -> Option<PeerId> {
        self.peers.get(&of).copied()
    }

    /// How far the scenario has `by` trust `of` at the start.
    fn given(&self, by: PeerId, of: PeerId) -> Level {
        let said = self.spec.trust.iter().rev();
        let mut said = said.filter(|it| it.by.contains(&by) && it.of.contains(&of));
        said.next().map_or(self.spec.level, |it| it.level)
    }

    /// How far `by` trusts `of` now.
    pub(super) fn level(&self, by: PeerId, of: PeerId) -> Level {
        let moved = self.levels.get(&(by, of));
        moved.map_or_else(|| self.given(by, of), |moved| moved.now)
    }

    /// How far `by` has trusted `of` at most: what it began under a higher level it may end.
    pub(super) fn highest(&self, by: PeerId, of: PeerId) -> Level {
        let moved = self.levels.get(&(by, of));
        moved.map_or_else(|| self.given(by, of), |moved| moved.highest)
    }

    /// A peer trusts another further or less far.
    pub(super) fn moved(&mut self, by: PeerId, of: PeerId, step: Step) {
        let highest = self.highest(by, of).max(step.to);
        let now = step.to;
        self.levels.insert((by, of), Moved { now, highest });
        if step.to > step.from {
            return self.count("trust_rises");
        }
        self.demotion.exercise();
        self.count("trust_falls");
        if self.is_honest(of) {
            self.count("trust_falls_of_honest");
        }
    }

    /// A peer restarted: it trusts as it did at the start.
    pub(super) fn restarted(&mut self, by: PeerId) {
        self.levels.retain(|(who, _), _| *who != by);
    }

    /// A peer starts what needs a level of another: work for it, or an action that it is sent.
    pub(super) fn started(&mut self, at: SimTime, by: PeerId, with: PeerId, uses: &Capability) {
        let Some(Moved { now: level, .. }) = self.levels.get(&(by, with)).copied() else {
            return;
        };
        self.demotion.exercise();
        let needed = level_of(uses.name()).unwrap_or(Level::Untrusted);
        if level < needed {
            self.demotion.breach(at, &[by, with], || {
                format!(
                    "began {uses}, which needs level {}, with a peer that it had itself put at {}",
                    needed.name(),
                    level.name()
                )
            });
        }
    }

    pub(super) fn scored(&mut self, at: SimTime, by: PeerId, assessment: &Assessment) {
        let Some(of) = self.slot(assessment.peer) else {
            return;
        };
        let is_drawn = match self.attackers.is_empty() {
            true => self.names.len() <= PEERS_DRAWN,
            false => self.attackers.contains(&of) && self.is_honest(by),
        };
        if by == of || !is_drawn {
            return;
        }
        let score = f64::from(assessment.score.as_millionths()) / 1e6;
        self.last.insert((by, of), score);
        let names = &self.names;
        self.scores
            .push(|| sample(names, TRUST, (by, of), at, score));
    }

    /// A peer caught another at an attack.
    pub(super) fn caught(&mut self, at: SimTime, by: PeerId, of: PeerId) {
        if let Some(score) = self.last.get(&(by, of)).copied() {
            let names = &self.names;
            self.caught
                .push(|| sample(names, ATTACKS, (by, of), at, score));
        }
    }

    /// The highest level that an attacker has with an honest peer, and the lowest that an honest
    /// peer has with another.
    fn extremes(&self) -> (Level, Level) {
        let (mut highest, mut lowest) = (Level::Untrusted, Level::Privileged);
        let all = || (0..self.names.len() as u32).map(PeerId);
        for by in all().filter(|by| self.is_honest(*by)) {
            for of in all().filter(|of| *of != by) {
                let level = self.level(by, of);
                match self.is_honest(of) {
                    true => lowest = lowest.min(level),
                    false => highest = highest.max(level),
                }
            }
        }
        (highest, lowest)
    }

    pub(super) fn breaker_moved(&mut self, of: Identity, from: &str, to: &str) {
        match (from, to) {
            ("active", "suspended") => self.count("breaker_trips"),
            (_, "active") => self.count("breaker_returns"),
            (_, "evicted") => {
                self.count("breaker_evictions");
                if self.slot(of).is_some_and(|of| self.is_honest(of)) {
                    self.count("breaker_evictions_of_honest");
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        let distrusted = self.levels.iter().filter(|((by, of), moved)| {
            self.is_honest(*by) && !self.is_honest(*of) && moved.now == Level::Untrusted
        });
        let distrusted = distrusted.count() as u64;
        self.counts.insert("attackers_distrusted", distrusted);
        let (highest, lowest) = self.extremes();
        let levels = [
            ("attacker_level_max", highest),
            ("honest_level_min", lowest),
        ];
        for (name, level) in levels {
            self.counts.insert(name, u64::from(level.number()));
        }
        report.findings.push(self.demotion.clone().finding());
        for (name, count) in &self.counts {
            report.metric(name, *count as f64);
        }
        let mut scores = self.scores.take();
        scores.sort_by(|a, b| a.series.cmp(&b.series));
        report.tables.samples.append(&mut scores);
        let mut caught = self.caught.take();
        caught.sort_by(|a, b| a.series.cmp(&b.series));
        report.tables.samples.append(&mut caught);
    }
}

/// What one peer thinks of another at one time.
fn sample(
    names: &[String],
    series: &str,
    (by, of): (PeerId, PeerId),
    at: SimTime,
    score: f64,
) -> SampleRow {
    SampleRow {
        series: format!("{series}/{} of {}", names[by.index()], names[of.index()]),
        unit: "score".to_owned(),
        at_s: seconds(at),
        value: score,
    }
}
