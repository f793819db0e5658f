//! What entered the transport although nobody may see it.
//!
//! Users plant canaries in what they want said. The plaintext that an honest peer hands to the
//! transport is searched for them, with decoders of the checker's own.

use std::collections::BTreeMap;

use fedsim_protocols::federation::canary::Canaries;
use fedsim_protocols::federation::sanitise::{Action, Kind, Policy};
use fedsim_protocols::federation::terms::Level;
use fedsim_protocols::stack::Errand;
use fedsim_protocols::{PeerId, RequestId};

use crate::checkers::Ledger;
use crate::runner::WatchReport;
use crate::time::SimTime;

/// No canary enters the transport where the policy does not pass its kind.
pub(super) const NO_LEAK: &str = "federation/no-leak";

/// What a user wants said, and to whom.
struct Asked {
    to: PeerId,
    planted: Vec<(Kind, String)>,
}

/// Checks and counts canaries.
pub(super) struct Leaks {
    policy: Policy,
    ledger: Ledger,
    asked: BTreeMap<RequestId, Asked>,
    planted: u64,
    leaked: u64,
    withheld: u64,
}

impl Leaks {
    pub(super) const METRICS: &'static [&'static str] =
        &["canaries_planted", "canaries_leaked", "actions_withheld"];

    pub(super) fn new() -> Self {
        Self {
            policy: Policy::default(),
            ledger: Ledger::new(NO_LEAK),
            asked: BTreeMap::new(),
            planted: 0,
            leaked: 0,
            withheld: 0,
        }
    }

    pub(super) fn asked(&mut self, request: RequestId, errand: &Errand) {
        self.planted += errand.planted.len() as u64;
        let asked = Asked {
            to: errand.to,
            planted: errand.planted.clone(),
        };
        self.asked.insert(request, asked);
    }

    pub(super) fn withheld(&mut self, request: Option<RequestId>) {
        self.withheld += 1;
        if let Some(asked) = self.taken(request)
            && !asked.planted.is_empty()
        {
            self.ledger.exercise();
        }
    }

    /// What is handed on was not asked by a user, and is judged where it was first sent.
    fn taken(&mut self, request: Option<RequestId>) -> Option<Asked> {
        request.and_then(|request| self.asked.remove(&request))
    }

    /// An honest peer handed plaintext to the transport, for a peer that it trusts so far.
    pub(super) fn entered(
        &mut self,
        at: SimTime,
        (peer, request): (PeerId, Option<RequestId>),
        level: Level,
        plaintext: &[u8],
    ) {
        let Some(asked) = self.taken(request) else {
            return;
        };
        let forbidden = asked.planted.iter();
        let forbidden: Vec<&(Kind, String)> = forbidden
            .filter(|(kind, _)| self.policy.action(*kind, level) != Action::Pass)
            .collect();
        if forbidden.is_empty() {
            return;
        }
        self.ledger.exercise();
        let canaries = Canaries::new(forbidden.iter().map(|(_, value)| value.as_str()));
        for seen in canaries.seen_in(&String::from_utf8_lossy(plaintext)) {
            self.leaked += 1;
            let (kind, _) = forbidden[seen];
            self.ledger.breach(at, &[peer, asked.to], || {
                format!("{kind} left for a peer of level {}", level.name())
            });
        }
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        report.findings.push(self.ledger.clone().finding());
        report.metric("canaries_planted", self.planted as f64);
        report.metric("canaries_leaked", self.leaked as f64);
        report.metric("actions_withheld", self.withheld as f64);
    }
}
