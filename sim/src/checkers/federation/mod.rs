//! Checkers of a federation: nobody does what the scenario does not allow or what nobody asked for,
//! nothing is done twice or too late, and all decide alike.
//!
//! What was allowed is read from the scenario's own `expose` and `trust`, never from a gate's word.
//! What a peer that the scenario names as adversary says counts for nothing. Must not know how a
//! gate decides.

mod actions;
mod audited;
mod authenticity;
mod breakers;
mod budgets;
mod conduct;
mod decisions;
mod fencing;
mod keys;
mod leaks;
mod lineage;
mod path;
mod quorum;
mod seats;
mod sessions;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::ActionId;
use fedsim_protocols::pbft::PbftEvent;
use fedsim_protocols::stack::{Ending, Scope, StackEvent, StackPeer, StackReply, StackRequest};
use fedsim_protocols::{Identity, PeerId, Probability};
use fedsim_record::Outcome as Answer;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::FederationSpec;

use crate::adversary::byzantine;
use crate::engine::{Happened, Notice, Observer, Outcome, World};
use crate::runner::{Fates, Watch, WatchReport};
use crate::time::SimTime;

use actions::{AUTHORISED, Actions, ONCE, TIMELY, WELL_FORMED};
use audited::{AUDITED, Audited};
use authenticity::{AS_ASKED, Authenticity};
use breakers::Breakers;
use budgets::{Budgets, WITHIN};
use conduct::{BREAKER, CHARGED, Conduct, EARNED, SCREENED};
use decisions::{Decisions, ONE_ORDER, PROPOSED};
use fencing::{FENCING, Fencing, ONE_OWNER};
use keys::{KeyWatch, REVOCATION, STRANGERS, SUCCESSION, TRUE_KEYS};
use leaks::{Leaks, NO_LEAK};
use lineage::Lineage;
use path::Path;
use quorum::{QUORUM, Quorums};
use seats::{SEATS, Seats};
use sessions::{SESSIONS_END, Sessions};
use standing::{DEMOTION, Standing};

/// The checkers and measures of one federation.
pub struct FederationWatch {
    liars: BTreeSet<PeerId>,
    warm_up: SimTime,
    actions: Actions,
    authenticity: Authenticity,
    breakers: Breakers,
    budgets: Budgets,
    fencing: Fencing,
    lineage: Lineage,
    conduct: Conduct,
    decisions: Decisions,
    leaks: Leaks,
    path: Path,
    quorums: Quorums,
    sessions: Sessions,
    keys: KeyWatch,
    seats: Seats,
    standing: Standing,
    audited: Audited,
    /// Whom the actions under way that have not left yet are for.
    audiences: BTreeMap<ActionId, Identity>,
}

impl FederationWatch {
    /// Watches the federation of `scenario`, set as `spec` says.
    pub fn new(scenario: &Scenario, spec: &FederationSpec) -> Self {
        let fates = Fates::new(scenario, spec);
        let organisations = scenario.peers.iter();
        let organisations: Vec<String> = organisations
            .map(|peer| peer.organisation.clone())
            .collect();
        let names_of_organisations = organisations.clone();
        let identities = fates.owners().clone();
        let liars = byzantine(scenario);
        let names = scenario.peers.iter().map(|peer| peer.nickname.clone());
        let attackers: BTreeSet<PeerId> =
            liars.iter().copied().chain(injectors(scenario)).collect();
        let nicknames = scenario.peers.iter().map(|peer| peer.nickname.clone());
        let nicknames: Vec<String> = nicknames.collect();
        let standing = Standing::new(
            spec.clone(),
            identities.clone(),
            names.collect(),
            attackers.clone(),
        );
        let quorums = Quorums::new(&organisations, &liars, spec);
        Self {
            audited: Audited::new(scenario, spec, identities.clone(), liars.clone()),
            audiences: BTreeMap::new(),
            conduct: Conduct::new(spec, &identities, organisations.clone(), attackers),
            authenticity: Authenticity::new(&identities, |peer| !liars.contains(&peer)),
            decisions: Decisions::new(organisations.clone(), liars.clone(), spec.across),
            warm_up: SimTime::from(scenario.warm_up),
            actions: Actions::new(spec.clone()),
            breakers: Breakers::new(identities.clone(), nicknames.clone()),
            fencing: Fencing::new(),
            budgets: Budgets::new(spec.clone(), identities.clone(), organisations, &liars),
            lineage: Lineage::default(),
            leaks: Leaks::new(),
            path: Path::default(),
            quorums,
            sessions: Sessions::new(spec.transport.clone(), spec.has_sessions()),
            seats: Seats::new(fates.clone(), liars.clone(), &spec.revoked),
            keys: KeyWatch::new(fates, (nicknames, &names_of_organisations), liars.clone()),
            liars,
            standing,
        }
    }

    /// What peers make of each other.
    fn judged(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        if let Some(caught) = self.conduct.heard(at, peer, event) {
            self.standing.caught(at, peer, caught);
        }
        match event {
            StackEvent::WorkBegun {
                source, capability, ..
            } => {
                if let Some(source) = self.standing.slot(*source) {
                    self.standing.started(at, peer, source, capability);
                }
                self.keys.done(at, peer, *source);
            }
            StackEvent::ActionSent { to, capability, .. } => {
                if let Some(to) = self.standing.slot(*to) {
                    self.standing.started(at, peer, to, capability);
                }
            }
            StackEvent::TrustMoved { of, step } => {
                if let Some(of) = self.standing.slot(*of) {
                    self.standing.moved(peer, of, *step);
                }
            }
            StackEvent::RecordLearnt {
                record,
                heir,
                is_barred,
                is_member,
            } => {
                let subject = record.subject();
                self.seats.learnt(at, subject);
                self.keys.said(at, peer, record, (*heir, *is_barred));
                self.keys.named(at, peer, subject, *heir);
                self.keys
                    .learnt(at, peer, subject, (*is_barred, *is_member));
            }
            StackEvent::Rejected { reason } => self.keys.rejected(reason),
            StackEvent::TrustScored { assessment } => self.standing.scored(at, peer, assessment),
            StackEvent::BreakerMoved { of, from, to } => {
                self.standing.breaker_moved(*of, from, to);
                self.breakers.moved(at, peer, *of, from, to);
            }
            _ => {}
        }
    }

    /// What comes of councils that withstand their liars.
    fn counselled(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        self.quorums.heard(at, peer, event);
        match event {
            StackEvent::Decided {
                scope: Scope::Federation,
                proposal,
            } => self.quorums.decided(at, peer, proposal),
            StackEvent::SeatsChanged { epoch, seats } => {
                self.seats.changed(at, peer, *epoch, seats);
            }
            StackEvent::Pbft {
                event: PbftEvent::CommittedLocal { placement, .. },
            } => self.decisions.committed(at, peer, placement),
            _ => {}
        }
    }

    fn heard(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        match event {
            StackEvent::ActionSealed { action } => self.path.sealed(at, *action),
            StackEvent::SessionOpened { .. } | StackEvent::SessionEnded { .. } => {
                self.sessions.heard(at, peer, event);
            }
            StackEvent::ActionLeft { action } => {
                self.path.left(at, *action);
                if let Some(audience) = self.audiences.remove(action) {
                    self.audited.left(at, peer, audience, *action);
                }
            }
            StackEvent::ActionExecuted { effect } => {
                let source = self.standing.slot(effect.source);
                let source = source.map(|it| (it, self.standing.highest(peer, it)));
                let sources = self.lineage.sources(effect.action);
                self.keys.done(at, peer, effect.source);
                self.actions.executed(at, peer, (source, &sources), effect);
                self.authenticity.executed(at, peer, effect);
                self.path.executed(at, effect.action);
                self.audited
                    .executed(at, peer, effect.source, effect.action);
            }
            StackEvent::ActionSent {
                request,
                action,
                to,
                kind,
                capability,
                payload,
            } => {
                self.audiences.insert(*action, *to);
                let name = (peer, *action);
                self.authenticity
                    .asked(name, *to, (*kind, capability), payload);
                self.actions.sent(at, *action);
                self.path.sent(at, *action);
                if let Some(to) = self.standing.slot(*to) {
                    let level = self.standing.level(peer, to);
                    self.leaks.entered(at, (peer, *request), level, payload);
                }
            }
            StackEvent::ActionWithheld { request, .. } => self.leaks.withheld(*request),
            StackEvent::ActionEnded { action, ending } => {
                let counts = at >= self.warm_up;
                self.actions.ended(at, *action, *ending, counts);
                self.path.ended(at, *action, *ending == Ending::Done);
            }
            StackEvent::ActionRefused {
                source, refusal, ..
            } => {
                self.actions.refused(*refusal);
                if let Some(source) = source {
                    self.keys.refused(peer, *source);
                    self.audited.refused(at, peer, *refusal);
                }
            }
            StackEvent::Decided { scope, proposal } => {
                let span = self.decisions.decided(at, peer, *scope, proposal);
                span.into_iter()
                    .for_each(|span| self.path.decided(at, span));
            }
            _ => {}
        }
    }
}

/// The peers whose users send prompt injections.
fn injectors(scenario: &Scenario) -> impl Iterator<Item = PeerId> {
    let loads = scenario.workload.errands.iter();
    let loads = loads.filter(|load| load.injections > Probability::ZERO);
    loads.flat_map(|load| load.by.iter().copied())
}

impl<R: Rules> Observer<StackPeer<R>> for FederationWatch {
    fn notice(&mut self, notice: &Notice<StackPeer<R>>, _: &World<'_>) {
        let (at, peer) = (notice.at, notice.peer);
        if let Happened::Event(event) = &notice.what {
            self.audited.kept(at, peer, event);
            self.lineage.heard(peer, event);
        }
        match &notice.what {
            Happened::Event(StackEvent::Proposed { proposal }) => {
                self.decisions.proposed(at, proposal);
            }
            Happened::Event(event) if !self.liars.contains(&peer) => {
                self.judged(at, peer, event);
                if self.decisions.binds(peer, Scope::Federation) {
                    self.fencing.heard(at, peer, event);
                    self.counselled(at, peer, event);
                }
                self.budgets.heard(at, peer, event, &self.lineage);
                self.heard(at, peer, event);
            }
            Happened::Invoked(id, StackRequest::Act { errand }) => {
                self.leaks.asked(*id, errand);
                self.conduct.asked(*id, errand);
            }
            Happened::Restarted => {
                self.decisions.restarted(peer);
                self.standing.restarted(peer);
                self.conduct.restarted(peer);
                self.sessions.restarted(peer);
                self.keys.restarted(peer);
                self.audited.restarted(peer);
            }
            Happened::Crashed => self.audited.crashed(peer),
            Happened::Paused => {
                self.audited.crashed(peer);
                self.sessions.paused(peer);
            }
            Happened::Resumed => {
                self.audited.restarted(peer);
                self.sessions.resumed(at, peer);
            }
            Happened::Event(_)
            | Happened::Sent(_)
            | Happened::Received(_)
            | Happened::Invoked(..)
            | Happened::Replied(..)
            | Happened::Started => {}
        }
    }
}

impl<R: Rules> Watch<StackPeer<R>> for FederationWatch {
    fn is_of_interest(&self, event: &StackEvent) -> bool {
        match event {
            StackEvent::Proposed { .. }
            | StackEvent::Decided { .. }
            | StackEvent::ActionSent { .. }
            | StackEvent::ActionWithheld { .. }
            | StackEvent::PrivateDataSent { .. }
            | StackEvent::ActionEnded { .. }
            | StackEvent::ActionExecuted { .. }
            | StackEvent::TrustMoved { .. }
            | StackEvent::BreakerMoved { .. }
            | StackEvent::HandedOn { .. }
            | StackEvent::SpendingBegun { .. }
            | StackEvent::Spent { .. }
            | StackEvent::BudgetRefused { .. }
            | StackEvent::LeaseGranted { .. }
            | StackEvent::RecordLearnt { .. }
            | StackEvent::SeatsChanged { .. }
            | StackEvent::SessionOpened { .. }
            | StackEvent::SessionEnded { .. }
            | StackEvent::ActionRefused { .. } => true,
            StackEvent::Raft { .. }
            | StackEvent::Pbft { .. }
            | StackEvent::ActionLeft { .. }
            | StackEvent::ActionSealed { .. }
            | StackEvent::Recorded { .. }
            | StackEvent::RecordsDurable { .. }
            | StackEvent::RecordsFound { .. }
            | StackEvent::WorkBegun { .. }
            | StackEvent::TrustScored { .. }
            | StackEvent::CostReported { .. }
            | StackEvent::AnsweredBadly { .. }
            | StackEvent::Touched { .. }
            | StackEvent::Used { .. }
            | StackEvent::Rejected { .. } => false,
        }
    }

    fn operation(&self, request: &StackRequest) -> &'static str {
        match request {
            StackRequest::Propose { .. } | StackRequest::Claim { .. } => "decide",
            StackRequest::Publish { .. } => "publish",
            StackRequest::Rotate {} => "rotate",
            StackRequest::Act { errand } => errand.kind.name(),
        }
    }

    fn answer(&self, reply: &StackReply) -> Answer {
        match reply {
            StackReply::Decided {}
            | StackReply::Published {}
            | StackReply::Ended {
                ending: Ending::Done,
            } => Answer::Ok,
            StackReply::Failed {}
            | StackReply::Ended {
                ending: Ending::Refused(_),
            } => Answer::Failed,
            StackReply::Ended {
                ending: Ending::Unknown,
            } => Answer::Unanswered,
        }
    }

    fn byzantine(&mut self, notice: &Notice<StackPeer<R>>, _: &World<'_>) {
        match &notice.what {
            Happened::Event(event) => {
                self.audited.kept(notice.at, notice.peer, event);
                self.lineage.heard(notice.peer, event);
                self.conduct.sent_by_liar(event);
            }
            Happened::Invoked(id, StackRequest::Act { errand }) => {
                self.conduct.asked(*id, errand);
            }
            Happened::Restarted => {
                self.decisions.restarted(notice.peer);
                self.audited.restarted(notice.peer);
            }
            Happened::Crashed | Happened::Paused => self.audited.crashed(notice.peer),
            Happened::Resumed => self.audited.restarted(notice.peer),
            Happened::Sent(_)
            | Happened::Received(_)
            | Happened::Invoked(..)
            | Happened::Replied(..)
            | Happened::Started => {}
        }
    }

    fn finish(&mut self, outcome: &Outcome, report: &mut WatchReport) {
        self.actions.finish(report);
        self.authenticity.finish(report);
        self.decisions.finish(report);
        self.quorums.finish(report);
        self.leaks.finish(report);
        self.standing.finish(report);
        self.budgets.finish(outcome.ended_at, report);
        self.conduct.finish(outcome.ended_at, report);
        self.breakers.finish(outcome.ended_at, report);
        self.fencing.finish(report);
        self.audited.finish::<R>(outcome.ended_at, report);
        self.sessions.finish(outcome.ended_at, report);
        self.path.finish(report);
        self.keys.finish(report);
        self.seats.finish(report);
        report.tables.steps = self.path.take();
    }

    fn metric_names() -> Vec<String> {
        let names = Actions::METRICS.iter().chain(Decisions::METRICS);
        let names = names
            .chain(Leaks::METRICS)
            .chain(Standing::METRICS)
            .chain(Budgets::METRICS)
            .chain(Conduct::METRICS)
            .chain(Fencing::METRICS)
            .chain(Audited::METRICS)
            .chain(Sessions::METRICS)
            .chain(Path::METRICS)
            .chain(KeyWatch::METRICS)
            .chain(Seats::METRICS);
        let names = names.map(|name| (*name).to_owned());
        names.chain(Actions::refusal_metrics()).collect()
    }

    fn invariant_names() -> Vec<&'static str> {
        vec![
            AUDITED,
            AUTHORISED,
            ONCE,
            TIMELY,
            WELL_FORMED,
            AS_ASKED,
            ONE_ORDER,
            PROPOSED,
            NO_LEAK,
            DEMOTION,
            QUORUM,
            WITHIN,
            CHARGED,
            EARNED,
            BREAKER,
            SCREENED,
            FENCING,
            ONE_OWNER,
            SESSIONS_END,
            REVOCATION,
            SUCCESSION,
            TRUE_KEYS,
            STRANGERS,
            SEATS,
        ]
    }
}
