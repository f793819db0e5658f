//! What was made to mislead whoever reads it, and how far it came.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::PeerId;
use fedsim_protocols::federation::envelope::Refusal;
use fedsim_protocols::federation::terms::ActionId;
use fedsim_protocols::stack::{ActionsConfig, Screening};

use crate::checkers::{Finding, Ledger};
use crate::time::SimTime;

/// Nothing is done that an injection asks for, and none leaves a peer that screens what it sends.
/// Of injections in the phrasings that the rules are written for; others are a matter of measure.
pub(crate) const SCREENED: &str = "federation/screened";

pub(super) struct Hostile {
    /// The peers that screen what they send.
    screens_outbound: BTreeSet<PeerId>,
    sent: BTreeSet<ActionId>,
    done: u64,
    ledger: Ledger,
}

impl Hostile {
    pub(super) fn new(actions: &BTreeMap<PeerId, ActionsConfig>) -> Self {
        let both = actions.iter();
        let both = both.filter(|(_, config)| config.screening == Screening::Both);
        Self {
            screens_outbound: both.map(|(peer, _)| *peer).collect(),
            sent: BTreeSet::new(),
            done: 0,
            ledger: Ledger::new(SCREENED),
        }
    }

    /// Somebody sent an action, perhaps a hostile one.
    pub(super) fn sent(&mut self, action: ActionId, is_hostile: bool) {
        if is_hostile {
            self.sent.insert(action);
        }
    }

    /// An honest peer let its user's words go.
    pub(super) fn left(&mut self, at: SimTime, (by, to): (PeerId, PeerId), is_hostile: bool) {
        if is_hostile && self.screens_outbound.contains(&by) {
            self.ledger.exercise();
            self.ledger
                .breach(at, &[by, to], || "sent an injection".to_owned());
        }
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        if refusal == Refusal::PolicyBlocked {
            self.ledger.exercise();
        }
    }

    /// An honest peer did something.
    pub(super) fn done(&mut self, at: SimTime, by: PeerId, action: ActionId) {
        if self.sent.contains(&action) {
            self.done += 1;
            self.ledger.exercise();
            self.ledger
                .breach(at, &[by], || "did what an injection asks for".to_owned());
        }
    }

    /// How many injections were sent and how many were done.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.sent.len() as u64, self.done)
    }

    pub(super) fn finding(&self) -> Finding {
        self.ledger.clone().finding()
    }
}
