//! What became of sessions, and whether they end when they must.
//!
//! Must not know who proved what in them.

use std::collections::BTreeMap;

use fedsim_protocols::federation::terms::SessionId;
use fedsim_protocols::federation::transport::End;
use fedsim_protocols::stack::StackEvent;
use fedsim_protocols::{PeerId, SimDuration};
use fedsim_scenarios::spec::TransportSpec;

use crate::checkers::{Ledger, Survival};
use crate::runner::WatchReport;
use crate::time::SimTime;

/// No session outlives its longest life or its owner's certificate, and none is opened by one that has
/// ended.
pub(super) const SESSIONS_END: &str = "federation/sessions-end";

/// How far a peer's clock may be from the true time before a session counts as too old.
const LENIENCE: SimDuration = SimDuration::from_secs(1);

/// Checks and counts sessions.
pub(super) struct Sessions {
    spec: TransportSpec,
    /// Whether anybody has any.
    are_used: bool,
    open: BTreeMap<(PeerId, PeerId, SessionId), SimTime>,
    /// Until when a peer could not act; nothing while it still cannot.
    paused: BTreeMap<PeerId, Option<SimTime>>,
    ledger: Ledger,
    handshakes: Survival,
    counts: BTreeMap<&'static str, u64>,
}

impl Sessions {
    pub(super) const METRICS: &'static [&'static str] = &[
        "sessions_opened",
        "sessions_refused",
        "sessions_lapsed",
        "sessions_lost",
        "sessions_terminated",
        "handshake_p50_ms",
        "handshake_p99_ms",
    ];

    pub(super) fn new(spec: TransportSpec, are_used: bool) -> Self {
        Self {
            spec,
            are_used,
            open: BTreeMap::new(),
            paused: BTreeMap::new(),
            ledger: Ledger::new(SESSIONS_END),
            handshakes: Survival::default(),
            counts: Self::METRICS[..5].iter().map(|name| (*name, 0)).collect(),
        }
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    pub(super) fn heard(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        match event {
            StackEvent::SessionOpened {
                session,
                with,
                is_client,
                took,
                proven,
            } => {
                if proven.is_some() {
                    self.judge_proof(at, peer, *with);
                }
                self.open.insert((peer, *with, *session), at);
                if *is_client {
                    self.count("sessions_opened");
                    self.handshakes.complete(*took);
                }
            }
            StackEvent::SessionEnded {
                session,
                with,
                end,
                is_client,
            } => {
                if *is_client {
                    self.count(kind_of(*end));
                }
                if let Some(since) = self.open.remove(&(peer, *with, *session)) {
                    self.judge(at, since, peer);
                }
            }
            _ => {}
        }
    }

    /// A session was opened in which `with` has shown a certificate.
    fn judge_proof(&mut self, at: SimTime, peer: PeerId, with: PeerId) {
        self.ledger.exercise();
        let until = self.spec.certificate_until(with).map(SimTime::from);
        if until.is_some_and(|until| at > until + LENIENCE) {
            self.ledger.breach(at, &[peer, with], || {
                "opened a session by a certificate that had ended".to_owned()
            });
        }
    }

    fn judge(&mut self, at: SimTime, since: SimTime, peer: PeerId) {
        self.ledger.exercise();
        let longest = since + self.spec.lifetime_max;
        let certified = self.spec.certificate_until(peer).map(SimTime::from);
        let latest = certified.map_or(longest, |until| longest.min(until));
        let resumed = match self.paused.get(&peer) {
            Some(None) => return,
            Some(Some(resumed)) => *resumed,
            None => SimTime::ZERO,
        };
        let latest = latest.max(resumed);
        if at > latest + LENIENCE {
            let age = at.since(since);
            self.ledger
                .breach(at, &[peer], || format!("kept a session for {age}"));
        }
    }

    /// A peer forgot everything.
    pub(super) fn restarted(&mut self, peer: PeerId) {
        self.open.retain(|(by, _, _), _| *by != peer);
    }

    /// A peer stands still.
    pub(super) fn paused(&mut self, peer: PeerId) {
        self.paused.insert(peer, None);
    }

    /// A peer goes on where it stood still.
    pub(super) fn resumed(&mut self, at: SimTime, peer: PeerId) {
        self.paused.insert(peer, Some(at));
    }

    pub(super) fn finish(&mut self, ended_at: SimTime, report: &mut WatchReport) {
        for ((peer, _, _), since) in std::mem::take(&mut self.open) {
            self.judge(ended_at, since, peer);
        }
        report.findings.push(self.ledger.clone().finding());
        if !self.are_used {
            return;
        }
        for (name, count) in &self.counts {
            report.metric(name, *count as f64);
        }
        let handshakes = std::mem::take(&mut self.handshakes).estimate();
        report.metric("handshake_p50_ms", handshakes.quantile_ms(0.5));
        report.metric("handshake_p99_ms", handshakes.quantile_ms(0.99));
    }
}

fn kind_of(end: End) -> &'static str {
    match end {
        End::Channel { .. } | End::Unanswered => "sessions_refused",
        End::Lapsed | End::CertificateOver => "sessions_lapsed",
        End::Silent | End::Forgotten => "sessions_lost",
        End::Terminated => "sessions_terminated",
    }
}

#[cfg(test)]
mod tests {
    use fedsim_record::Holds;

    use super::*;

    const LATE: SimTime = SimTime::from_nanos(20_000_000_000);

    /// What is found when a session of at most twelve seconds is ended after twenty.
    fn judged(meanwhile: impl FnOnce(&mut Sessions)) -> Holds {
        let spec = TransportSpec {
            lifetime_max: SimDuration::from_secs(12),
            ..TransportSpec::default()
        };
        let mut sessions = Sessions::new(spec, true);
        let key = (PeerId(0), PeerId(1), SessionId([1; 16]));
        sessions.open.insert(key, SimTime::ZERO);
        meanwhile(&mut sessions);
        let mut report = WatchReport::default();
        sessions.finish(LATE, &mut report);
        report.findings[0].holds
    }

    #[test]
    fn only_who_could_not_act_may_keep_a_session_too_long() {
        let resume = |at| move |it: &mut Sessions| it.resumed(at, PeerId(0));
        assert_eq!(judged(|_| {}), Holds::Violated);
        assert_eq!(judged(|it| it.paused(PeerId(0))), Holds::Holds);
        assert_eq!(judged(resume(LATE)), Holds::Holds);
        assert_eq!(judged(resume(SimTime::ZERO)), Holds::Violated);
    }
}
