//! Whether what was done in somebody's name is what that somebody asked for, word for word.

use std::collections::BTreeMap;

use fedsim_protocols::federation::terms::{ActionId, ActionKind, Capability, Digest};
use fedsim_protocols::stack::Effect;
use fedsim_protocols::{Identity, PeerId};

use crate::checkers::Ledger;
use crate::runner::WatchReport;
use crate::time::SimTime;

/// What is done in the name of an honest peer, that peer asked of whoever does it, in these words.
pub(super) const AS_ASKED: &str = "federation/as-asked";

/// What an honest peer asked for.
#[derive(PartialEq, Eq)]
struct Asked {
    of: PeerId,
    kind: ActionKind,
    capability: Capability,
    content: Digest,
}

/// Compares what is done with what was asked for.
pub(super) struct Authenticity {
    /// The honest peers, by what they sign with.
    honest: BTreeMap<Identity, PeerId>,
    peers: BTreeMap<Identity, PeerId>,
    asked: BTreeMap<(PeerId, ActionId), Asked>,
    ledger: Ledger,
}

impl Authenticity {
    /// Knows everybody, and who of them is honest.
    pub(super) fn new(
        peers: &BTreeMap<Identity, PeerId>,
        is_honest: impl Fn(PeerId) -> bool,
    ) -> Self {
        let all = peers.iter().map(|(identity, peer)| (*identity, *peer));
        Self {
            honest: all.clone().filter(|(_, peer)| is_honest(*peer)).collect(),
            peers: all.collect(),
            asked: BTreeMap::new(),
            ledger: Ledger::new(AS_ASKED),
        }
    }

    /// An honest peer asks `of` for something.
    pub(super) fn asked(
        &mut self,
        (peer, action): (PeerId, ActionId),
        of: Identity,
        (kind, capability): (ActionKind, &Capability),
        payload: &Vec<u8>,
    ) {
        let Some(of) = self.peers.get(&of).copied() else {
            return;
        };
        let asked = Asked {
            of,
            kind,
            capability: capability.clone(),
            content: Digest::of(payload),
        };
        self.asked.insert((peer, action), asked);
    }

    pub(super) fn executed(&mut self, at: SimTime, by: PeerId, effect: &Effect) {
        let Some(source) = self.honest.get(&effect.source).copied() else {
            return;
        };
        self.ledger.exercise();
        let done = Asked {
            of: by,
            kind: effect.kind,
            capability: effect.capability.clone(),
            content: effect.content,
        };
        if self.asked.get(&(source, effect.action)) != Some(&done) {
            self.ledger.breach(at, &[source, by], || {
                format!(
                    "did {} for {source}, who did not ask for it so",
                    done.capability
                )
            });
        }
    }

    pub(super) fn finish(&self, report: &mut WatchReport) {
        report.findings.push(self.ledger.clone().finding());
    }
}
