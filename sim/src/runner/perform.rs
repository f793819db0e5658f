//! One run from end to end, for any cast and any watch.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::{Message, PeerId, Protocol};
use fedsim_record::{Invariant, RUN_SCHEMA, RunRecord, Summary, Violation};
use fedsim_scenarios::Scenario;

use super::recorder::{Recorder, seconds};
use super::watch::{Watch, WatchReport};
use super::{RunFailure, RunOptions, story, tables};
use crate::adversary::{BehaviourTally, byzantine};
use crate::checkers::{Finding, expect};
use crate::engine::{self, Cast, Observer, Options, Outcome};
use crate::time::SimTime;

/// Peers for whom identities are written down; more keys than that take long to make.
const IDENTITIES: usize = 10_000;

/// Runs `scenario` with a cast of one's own, watched by one's own watch, and judges it.
///
/// # Errors
/// [`RunFailure`]: a panic of a machine, or cancellation.
pub fn run_cast<C: Cast, W: Watch<C::Machine>>(
    scenario: &Scenario,
    cast: &Arc<C>,
    mut watch: W,
    options: &RunOptions,
) -> Result<RunRecord, RunFailure> {
    let engine_options = Options {
        sample_every: Some(watch.sample_every(scenario)),
        messages: options.trace || scenario.report.trace,
        ..engine_options(scenario, options)
    };
    if engine_options.messages {
        watch.write_trace();
    }
    let liars = byzantine(scenario);
    let mut recorder = Recorder::new(watch, cast.protocol(), liars);
    let outcome = engine::run(scenario, cast, &engine_options, &mut recorder)?;
    if outcome.cancelled {
        return Err(RunFailure::Cancelled);
    }
    let quiet = Options {
        sample_every: None,
        messages: false,
        ..engine_options.clone()
    };
    let replay = |observer: &mut dyn Observer<C::Machine>| {
        let outcome = engine::run(scenario, cast, &quiet, observer)?;
        match outcome.cancelled {
            true => Err(RunFailure::Cancelled),
            false => Ok(outcome),
        }
    };
    let desk = Desk {
        scenario,
        cast,
        options,
        threads: engine_options.threads,
        outcome,
    };
    conclude(&desk, recorder, |_| (), replay)
}

/// Judges a run that is over and puts its record together. `further` may change what was found;
/// `replay` makes the same run again.
pub(super) fn conclude<C: Cast, W: Watch<C::Machine>>(
    desk: &Desk<'_, C>,
    mut recorder: Recorder<W>,
    further: impl FnOnce(&mut WatchReport),
    replay: impl FnOnce(&mut dyn Observer<C::Machine>) -> Result<Outcome, RunFailure>,
) -> Result<RunRecord, RunFailure> {
    recorder.close(desk.outcome.ended_at);
    let mut report = WatchReport::default();
    recorder.watch.finish(&desk.outcome, &mut report);
    further(&mut report);
    let stories = story::tell::<C, W>(desk.scenario, &report.findings, replay)?;
    Ok(desk.record(recorder, report, stories))
}

/// The engine's options for a run of `scenario`.
pub(super) fn engine_options(scenario: &Scenario, options: &RunOptions) -> Options {
    let by_itself = || Options::threads_for(scenario.peers.len(), options.available);
    let peers = scenario.peers.len().max(1);
    Options {
        threads: options.threads.unwrap_or_else(by_itself).clamp(1, peers),
        interval: scenario.report.interval,
        control: Arc::clone(&options.control),
        ..Options::default()
    }
}

/// The kinds of message of a protocol.
fn kinds<C: Cast>() -> &'static [&'static str] {
    <<C::Machine as Protocol>::Message as Message>::KINDS
}

/// Where the record of a run is put together.
pub(super) struct Desk<'a, C> {
    pub(super) scenario: &'a Scenario,
    pub(super) cast: &'a Arc<C>,
    pub(super) options: &'a RunOptions,
    pub(super) threads: usize,
    pub(super) outcome: Outcome,
}

impl<C: Cast> Desk<'_, C> {
    fn record<W>(
        &self,
        mut recorder: Recorder<W>,
        mut report: WatchReport,
        stories: Vec<Vec<String>>,
    ) -> RunRecord {
        self.fill_tables(&mut recorder, &mut report);
        let warm = SimTime::from(self.scenario.warm_up);
        let span = (warm, self.outcome.ended_at);
        let counters = &self.outcome.counters;
        let mut metrics = tables::metrics(counters, kinds::<C>(), &recorder.ups, span);
        metrics.append(&mut report.metrics);
        let behaviours = self.behaviours(&report);
        tell_of_adversaries(
            &behaviours,
            self.outcome.garbage,
            &mut metrics,
            &mut report.notes,
        );
        for (name, missing) in recorder.left_out() {
            let note = format!("{missing} more events {name} are not in the table of events");
            report.notes.push(note);
        }
        report
            .notes
            .extend(report.findings.iter().filter_map(broken));
        report.metrics = metrics;
        RunRecord {
            summary: self.summary(&report, &behaviours, stories),
            scenario: self.scenario.to_toml(),
            tables: report.tables,
            attachments: report.attachments,
        }
    }

    /// What the adversaries did while the run went on, and when they handed over what they keep.
    fn behaviours(&self, report: &WatchReport) -> Vec<BehaviourTally> {
        let mut behaviours = self.outcome.behaviours.clone();
        for done in &report.deeds {
            let is_it = |it: &&mut BehaviourTally| {
                (&it.adversary, it.behaviour) == (&done.adversary, done.behaviour)
            };
            if let Some(tally) = behaviours.iter_mut().find(is_it) {
                tally.deeds += done.deeds;
            }
        }
        behaviours
    }

    fn fill_tables<W>(&self, recorder: &mut Recorder<W>, report: &mut WatchReport) {
        let (scenario, outcome) = (self.scenario, &self.outcome);
        let (counters, end) = (&outcome.counters, outcome.ended_at);
        let scheme = self.cast.key_scheme();
        let named = kinds::<C>().iter();
        let named: Vec<String> = named
            .map(|kind| format!("{}/{kind}", self.cast.protocol()))
            .collect();
        let identity = (scenario.peers.len() <= IDENTITIES).then_some(&scheme);
        let tables = &mut report.tables;
        tables.peers = tables::peers(scenario, identity);
        tables.faults = tables::faults(scenario, outcome);
        tables.messages = tables::messages(counters, &named, end);
        tables.load = tables::load(counters, &recorder.ups, end);
        tables.trace = tables::trace(scenario, &recorder.messages, &named);
        tables.latency = std::mem::take(&mut recorder.latency);
        let mut events = std::mem::take(&mut recorder.events);
        for row in &mut events {
            let slot = row.peer.map(|slot| PeerId(slot).index());
            let nickname = slot.map(|slot| scenario.peers[slot].nickname.clone());
            row.nickname = nickname.unwrap_or_default();
        }
        tables.events = events;
    }

    fn summary(
        &self,
        report: &WatchReport,
        behaviours: &[BehaviourTally],
        stories: Vec<Vec<String>>,
    ) -> Summary {
        let (scenario, outcome) = (self.scenario, &self.outcome);
        let given = expect::Given {
            findings: &report.findings,
            metrics: &report.metrics,
            tallies: &outcome.tallies,
            behaviours,
        };
        let mut expectations = report.expectations.clone();
        expectations.extend(expect::judge(&scenario.expect, given));
        let verdict = expect::verdict(&scenario.expect, &report.findings, &expectations);
        let found = report.findings.iter().zip(stories);
        let mut invariants: Vec<Invariant> = found
            .map(|(finding, story)| self.invariant(finding, story))
            .collect();
        invariants.sort_by(|a, b| a.name.cmp(&b.name));
        Summary {
            schema: RUN_SCHEMA.to_owned(),
            version: self.options.version.clone(),
            commit: self.options.commit.clone(),
            scenario: scenario.name.clone(),
            seed: scenario.seed,
            threads: self.threads,
            digest: tables::hex(&outcome.digest),
            virtual_seconds: seconds(outcome.ended_at),
            wall_seconds: 0.0,
            events: outcome.counters.events,
            messages: tables::totals(&outcome.counters),
            invariants,
            expectations,
            metrics: report.metrics.clone(),
            claim: scenario.claim.clone(),
            verdict,
            replay: self.options.command.clone(),
            notes: report.notes.clone(),
        }
    }

    fn invariant(&self, finding: &Finding, story: Vec<String>) -> Invariant {
        let nickname = |peer: &PeerId| self.scenario.peers[peer.index()].nickname.clone();
        let first = finding.first.as_ref().map(|breach| Violation {
            at_s: seconds(breach.at),
            peers: breach.peers.iter().map(nickname).collect(),
            message: breach.message.clone(),
            events: story,
        });
        Invariant {
            name: finding.name.to_owned(),
            holds: finding.holds,
            first_violation: first,
        }
    }
}

/// What the adversaries did, and which of them did nothing.
fn tell_of_adversaries(
    behaviours: &[BehaviourTally],
    garbage: u64,
    metrics: &mut BTreeMap<String, f64>,
    notes: &mut Vec<String>,
) {
    if behaviours.is_empty() {
        return;
    }
    let deeds: u64 = behaviours.iter().map(|it| it.deeds).sum();
    let numbers = [deeds as f64, garbage as f64];
    let names = tables::ADVERSARY_METRICS
        .iter()
        .map(|name| (*name).to_owned());
    metrics.extend(names.zip(numbers));
    for idle in behaviours.iter().filter(|it| it.deeds == 0) {
        let (what, who) = (idle.behaviour, &idle.adversary);
        notes.push(format!("{what} of adversary {who} never did anything"));
    }
}

/// Which assumption a finding missed, for the reader.
fn broken(finding: &Finding) -> Option<String> {
    let which = finding.broken.as_ref()?;
    Some(format!("{}: not judged further, {which}", finding.name))
}
