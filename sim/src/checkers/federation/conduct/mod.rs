//! Whether what peers make of each other is deserved, and what it costs whom.
//!
//! Judged from what peers refuse, begin and are answered, never from their scores: `caught` knows
//! who was caught at what, `circuit` who failed whom and for how much, `hostile` what was made to
//! mislead. Must not know how trust or a breaker is computed.

mod caught;
mod circuit;
mod hostile;

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::federation::identity::IdentityRecord;
use fedsim_protocols::federation::terms::{ActionId, Money};
use fedsim_protocols::stack::{Ending, Errand, StackEvent};
use fedsim_protocols::{Identity, PeerId, RequestId};
use fedsim_scenarios::spec::FederationSpec;

use crate::runner::WatchReport;
use crate::time::SimTime;

use caught::Caught;
pub(super) use caught::{CHARGED, EARNED};
pub(super) use circuit::BREAKER;
use circuit::Circuits;
use hostile::Hostile;
pub(super) use hostile::SCREENED;

/// What a peer was asked by its users.
#[derive(Clone, Copy)]
struct Asked {
    to: PeerId,
    value: Money,
    is_hostile: bool,
    is_private: bool,
}

/// Judges what peers make of each other.
pub(super) struct Conduct {
    peers: BTreeMap<Identity, PeerId>,
    attackers: BTreeSet<PeerId>,
    /// What users asked for and nobody has acted on.
    asked: BTreeMap<RequestId, Asked>,
    under_way: BTreeMap<ActionId, (PeerId, Asked)>,
    /// By whom, and to whom.
    handed_on: BTreeMap<ActionId, (PeerId, PeerId)>,
    caught: Caught,
    circuits: Circuits,
    hostile: Hostile,
    counts: BTreeMap<&'static str, u64>,
}

/// Whom each peer's deeds are laid at beside itself: a revoked one is nobody's.
fn without_revoked(mut organisations: Vec<String>, spec: &FederationSpec) -> Vec<String> {
    let within = spec.operations.iter().flat_map(|it| &it.revoke);
    for peer in spec.revoked.iter().chain(within) {
        organisations[peer.index()] = format!("{peer}, revoked");
    }
    organisations
}

impl Conduct {
    pub(super) const METRICS: &'static [&'static str] = &[
        "attacker_actions_begun",
        "attacker_actions_begun_after_caught",
        "attacks_caught",
        "honest_actions_denied",
        "breaker_overruns",
        "injections_sent",
        "injections_done",
    ];

    /// Of the federation set as `spec` says, in which some attack.
    pub(super) fn new(
        spec: &FederationSpec,
        peers: &BTreeMap<Identity, PeerId>,
        organisations: Vec<String>,
        attackers: BTreeSet<PeerId>,
    ) -> Self {
        let all = peers.values().map(|peer| (*peer, spec.actions_of(*peer)));
        let actions: BTreeMap<_, _> = all.collect();
        Self {
            peers: peers.clone(),
            attackers,
            asked: BTreeMap::new(),
            under_way: BTreeMap::new(),
            handed_on: BTreeMap::new(),
            caught: Caught::new(&actions, without_revoked(organisations, spec)),
            circuits: Circuits::new(&actions),
            hostile: Hostile::new(&actions),
            counts: Self::METRICS.iter().map(|name| (*name, 0)).collect(),
        }
    }

    fn count(&mut self, name: &'static str, is_so: bool) {
        *self.counts.entry(name).or_default() += u64::from(is_so);
    }

    /// A user wants something.
    pub(super) fn asked(&mut self, request: RequestId, errand: &Errand) {
        let asked = Asked {
            to: errand.to,
            value: errand.money_max,
            is_hostile: errand.is_hostile,
            is_private: !errand.planted.is_empty(),
        };
        self.asked.insert(request, asked);
    }

    /// What a peer that does not keep to the protocol sends, its machine being honest.
    pub(super) fn sent_by_liar(&mut self, event: &StackEvent) {
        if let StackEvent::ActionSent {
            action, request, ..
        } = event
            && let Some(asked) = self.taken(*request)
        {
            self.hostile.sent(*action, asked.is_hostile);
        }
    }

    /// Whom an honest peer caught at something just now, if that is what it reports.
    pub(super) fn heard(&mut self, at: SimTime, by: PeerId, event: &StackEvent) -> Option<PeerId> {
        match event {
            StackEvent::ActionSent {
                action,
                request,
                to,
                ..
            } => self.sent(at, by, (*request, *to), *action),
            StackEvent::ActionWithheld { request, .. } => self.withheld(at, by, *request),
            StackEvent::ActionEnded { action, ending } => self.ended(at, *action, *ending),
            StackEvent::ActionExecuted { effect } => self.hostile.done(at, by, effect.action),
            StackEvent::WorkBegun {
                source, capability, ..
            } => {
                let source = self.peers.get(source).copied()?;
                let was_caught = self.caught.begun(at, (by, source), capability);
                self.circuits.served(at, (by, source));
                let attacks = self.attackers.contains(&source);
                self.count("attacker_actions_begun", attacks);
                self.count("attacker_actions_begun_after_caught", was_caught);
            }
            StackEvent::ActionRefused { from, refusal, .. } => {
                let is_caught = self.caught.refused(at, (by, *from), *refusal);
                self.hostile.refused(*refusal);
                self.count("attacks_caught", is_caught);
                return is_caught.then_some(*from);
            }
            StackEvent::AnsweredBadly { of } => {
                let of = self.peers.get(of).copied()?;
                self.circuits.answered_badly(at, (by, of));
                self.count("attacks_caught", true);
                return Some(of);
            }
            StackEvent::RecordLearnt { record, .. } => self.named(record),
            StackEvent::TrustMoved { of, step } => {
                let of = self.peers.get(of).copied()?;
                self.caught.moved(at, (by, of), *step);
            }
            _ => {}
        }
        None
    }

    /// The heir of a peer's key is that peer, whoever holds it.
    fn named(&mut self, record: &IdentityRecord) {
        if let IdentityRecord::Succession { said, .. } = record
            && let Some(peer) = self.peers.get(&record.subject()).copied()
        {
            self.peers.entry(said.heir.identity()).or_insert(peer);
        }
    }

    fn taken(&mut self, request: Option<RequestId>) -> Option<Asked> {
        request.and_then(|request| self.asked.remove(&request))
    }

    fn sent(
        &mut self,
        at: SimTime,
        by: PeerId,
        (request, to): (Option<RequestId>, Identity),
        action: ActionId,
    ) {
        let Some(asked) = self.taken(request) else {
            return self.handed_on(at, (by, to), action);
        };
        let is_overrun = self.circuits.sent(at, (by, asked.to));
        self.count("breaker_overruns", is_overrun);
        self.hostile.sent(action, asked.is_hostile);
        self.hostile.left(at, (by, asked.to), asked.is_hostile);
        self.under_way.insert(action, (by, asked));
    }

    /// What is handed on was not asked by a user; what comes of it counts for breakers all the same.
    fn handed_on(&mut self, at: SimTime, (by, to): (PeerId, Identity), action: ActionId) {
        if let Some(to) = self.peers.get(&to).copied() {
            let is_overrun = self.circuits.sent(at, (by, to));
            self.count("breaker_overruns", is_overrun);
            self.handed_on.insert(action, (by, to));
        }
    }

    fn withheld(&mut self, at: SimTime, by: PeerId, request: Option<RequestId>) {
        let Some(asked) = self.taken(request) else {
            return;
        };
        if asked.is_private || asked.is_hostile {
            return;
        }
        self.circuits.withheld(at, (by, asked.to));
        self.denied(by, asked.to);
    }

    fn ended(&mut self, at: SimTime, action: ActionId, ending: Ending) {
        if let Some(pair) = self.handed_on.remove(&action) {
            return self.circuits.ended(at, pair, ending, Money(0));
        }
        let Some((by, asked)) = self.under_way.remove(&action) else {
            return;
        };
        let pair = (by, asked.to);
        self.circuits.ended(at, pair, ending, asked.value);
        match ending {
            Ending::Done => self.caught.served(pair),
            Ending::Refused(_) if !asked.is_hostile => self.denied(by, asked.to),
            Ending::Refused(_) | Ending::Unknown => {}
        }
    }

    fn denied(&mut self, by: PeerId, to: PeerId) {
        let are_honest = [by, to].iter().all(|it| !self.attackers.contains(it));
        self.count("honest_actions_denied", are_honest);
    }

    /// A peer restarted: it makes nothing of anybody.
    pub(super) fn restarted(&mut self, by: PeerId) {
        self.caught.restarted(by);
        self.circuits.restarted(by);
    }

    pub(super) fn finish(&mut self, ended_at: SimTime, report: &mut WatchReport) {
        let (sent, done) = self.hostile.counts();
        self.counts.insert("injections_sent", sent);
        self.counts.insert("injections_done", done);
        for (name, count) in &self.counts {
            report.metric(name, *count as f64);
        }
        report.findings.extend(self.caught.finish(ended_at));
        report.findings.push(self.circuits.finding());
        report.findings.push(self.hostile.finding());
    }
}
