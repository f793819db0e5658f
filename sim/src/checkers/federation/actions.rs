//! What peers did for each other, held against what the scenario allows.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::federation::authorisation::{capability_of, level_of};
use fedsim_protocols::federation::envelope::{EnvelopeConfig, Refusal};
use fedsim_protocols::federation::terms::{ActionId, ActionKind, Capability, Level};
use fedsim_protocols::stack::{Effect, Ending};
use fedsim_protocols::{Identity, PeerId};
use fedsim_scenarios::spec::{ExposeSpec, FederationSpec};

use crate::checkers::{Ledger, Survival};
use crate::runner::WatchReport;
use crate::time::SimTime;

/// Nothing is done that the scenario does not allow.
pub(super) const AUTHORISED: &str = "federation/authorised-only";
/// Nothing is done twice.
pub(super) const ONCE: &str = "federation/executed-once";
/// Nothing is done after its expiry, the assumed skew of clocks aside.
pub(super) const TIMELY: &str = "federation/not-after-expiry";

/// Nothing is done by an envelope that is too large, valid for too long, or named for another expiry.
pub(super) const WELL_FORMED: &str = "federation/well-formed";

/// Whether an action of a kind may go by a capability: that of the kind; messages, queries and tasks
/// also by one that the table of levels does not name.
fn serves(kind: ActionKind, capability: &Capability) -> bool {
    let is_open = matches!(
        kind,
        ActionKind::Message | ActionKind::Query | ActionKind::Task
    );
    let name = capability.name();
    name == capability_of(kind) || is_open && level_of(name).is_none()
}

/// Checks and counts actions.
pub(super) struct Actions {
    spec: FederationSpec,
    authorised: Ledger,
    once: Ledger,
    timely: Ledger,
    well_formed: Ledger,
    limits: EnvelopeConfig,
    done: BTreeSet<(PeerId, Identity, ActionId)>,
    sent: BTreeMap<ActionId, SimTime>,
    latency: Survival,
    counts: BTreeMap<&'static str, u64>,
    refusals: BTreeMap<Refusal, u64>,
}

/// The metric that counts envelopes refused for a reason.
fn refusal_metric(refusal: Refusal) -> String {
    format!("refused_{}", refusal.reason().replace('-', "_"))
}

impl Actions {
    pub(super) const METRICS: &'static [&'static str] = &[
        "actions_sent",
        "actions_executed",
        "actions_done",
        "actions_refused",
        "actions_unknown",
        "envelopes_refused",
        "envelopes_replayed",
        "action_latency_p50_ms",
        "action_latency_p99_ms",
    ];

    /// Names of the metrics that count refusals by reason; one that never happened is left out.
    pub(super) fn refusal_metrics() -> impl Iterator<Item = String> {
        Refusal::ALL.into_iter().map(refusal_metric)
    }

    pub(super) fn new(spec: FederationSpec) -> Self {
        Self {
            spec,
            authorised: Ledger::new(AUTHORISED),
            once: Ledger::new(ONCE),
            timely: Ledger::new(TIMELY),
            well_formed: Ledger::new(WELL_FORMED),
            limits: EnvelopeConfig::default(),
            done: BTreeSet::new(),
            sent: BTreeMap::new(),
            latency: Survival::default(),
            counts: Self::METRICS[..7].iter().map(|name| (*name, 0)).collect(),
            refusals: BTreeMap::new(),
        }
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// Whether the scenario lets `source` have `peer`, which trusts it so far, do something of a kind
    /// by a capability.
    fn allows(
        &self,
        peer: PeerId,
        (source, trusted): (PeerId, Level),
        sources: &[PeerId],
        (kind, capability): (ActionKind, &Capability),
    ) -> bool {
        if !serves(kind, capability) || self.spec.revoked.contains(&source) {
            return false;
        }
        let exposed = self.spec.expose.iter();
        let exposed = exposed
            .filter(|it| it.by.contains(&peer) && self.is_exposed(it, peer, source, sources));
        let mut levels = exposed
            .filter(|it| it.capability == *capability)
            .map(|it| it.level);
        let Some(level) = levels.next() else {
            return false;
        };
        let needed = level_of(capability.name()).unwrap_or(Level::Untrusted);
        trusted >= needed.max(level)
    }

    /// Whether something is exposed to `source`, or to somebody in whose stead it asks and who may
    /// hand it on so often: whoever signed it a permission, or `sources`, the nearest first.
    fn is_exposed(
        &self,
        exposed: &ExposeSpec,
        peer: PeerId,
        source: PeerId,
        sources: &[PeerId],
    ) -> bool {
        let depth = usize::from(exposed.depth);
        let mut before = sources.iter().skip(1).take(depth);
        let mut standing = self.spec.grants.iter().filter(|it| {
            let is_for = it.to.contains(&source) && it.at.contains(&peer);
            depth > 0 && is_for && it.capability == exposed.capability
        });
        exposed.to.contains(&source)
            || before.any(|it| exposed.to.contains(it))
            || standing.any(|it| it.by.iter().any(|by| exposed.to.contains(by)))
    }

    /// `peer` did something for `source`, if that is anybody, which it trusted as far as this at most.
    pub(super) fn executed(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (source, sources): (Option<(PeerId, Level)>, &[PeerId]),
        effect: &Effect,
    ) {
        self.count("actions_executed");
        self.authorised.exercise();
        let what = (effect.kind, &effect.capability);
        if !source.is_some_and(|source| self.allows(peer, source, sources, what)) {
            let source = source.map(|(source, _)| source);
            let concerned: Vec<PeerId> = source.into_iter().chain([peer]).collect();
            let capability = &effect.capability;
            self.authorised.breach(at, &concerned, || {
                format!("did {capability} for somebody whom nothing allows it")
            });
        }
        self.once.exercise();
        let is_first = self.done.insert((peer, effect.source, effect.action));
        if !is_first {
            let action = effect.action;
            self.once
                .breach(at, &[peer], || format!("did {action:?} a second time"));
        }
        self.timely.exercise();
        if effect.at > effect.expires_at + self.spec.skew {
            let late = effect.at.since(effect.expires_at);
            self.timely.breach(at, &[peer], || {
                format!("did something {late} after it had expired")
            });
        }
        self.judge_form(at, peer, effect);
    }

    fn judge_form(&mut self, at: SimTime, peer: PeerId, effect: &Effect) {
        self.well_formed.exercise();
        let lifetime = effect.expires_at.since(effect.issued_at);
        let is_well_formed = effect.bytes <= self.limits.bytes_max as u64
            && lifetime <= self.limits.lifetime_max
            && effect.action.expires_at() == effect.expires_at;
        if !is_well_formed {
            let bytes = effect.bytes;
            self.well_formed.breach(at, &[peer], || {
                format!("did what an envelope of {bytes} bytes, valid for {lifetime}, asked for")
            });
        }
    }

    pub(super) fn sent(&mut self, at: SimTime, action: ActionId) {
        self.count("actions_sent");
        self.sent.insert(action, at);
    }

    pub(super) fn ended(&mut self, at: SimTime, action: ActionId, ending: Ending, counts: bool) {
        self.count(match ending {
            Ending::Done => "actions_done",
            Ending::Refused(_) => "actions_refused",
            Ending::Unknown => "actions_unknown",
        });
        if let Some(since) = self.sent.remove(&action)
            && ending == Ending::Done
            && counts
        {
            self.latency.complete(at.since(since));
        }
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.count("envelopes_refused");
        *self.refusals.entry(refusal).or_default() += 1;
        if refusal == Refusal::Replayed {
            self.count("envelopes_replayed");
        }
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        let ledgers = [
            &self.authorised,
            &self.once,
            &self.timely,
            &self.well_formed,
        ];
        let findings = ledgers.into_iter().map(|ledger| ledger.clone().finding());
        report.findings.extend(findings);
        for (name, count) in &self.counts {
            report.metric(name, *count as f64);
        }
        for (refusal, count) in &self.refusals {
            report.metric(&refusal_metric(*refusal), *count as f64);
        }
        let latency = std::mem::take(&mut self.latency).estimate();
        report.metric("action_latency_p50_ms", latency.quantile_ms(0.5));
        report.metric("action_latency_p99_ms", latency.quantile_ms(0.99));
    }
}
