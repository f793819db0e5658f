//! Ownership: nobody is taken for alive, suspect or dead at an incarnation that he did not announce,
//! and every key that is known of a slot is the key of the peer there.

use fedsim_protocols::swim::{Incarnation, SwimEvent};
use fedsim_protocols::{Identity, KeyScheme, Keys, PeerId, RunKey};

use super::group::{Change, Group};
use crate::checkers::Ledger;
use crate::engine::identity_seed;
use crate::time::SimTime;

/// Compares what is accepted with what its owner said.
pub(super) struct Ownership {
    pub(super) records: Ledger,
    pub(super) keys: Ledger,
    key: RunKey,
    scheme: KeyScheme,
    /// Each peer's true identity, made when first asked for.
    identities: Vec<Option<Identity>>,
}

impl Ownership {
    pub(super) fn new(peers: usize, key: RunKey, scheme: KeyScheme) -> Self {
        Self {
            records: Ledger::new(super::OWNERSHIP),
            keys: Ledger::new(super::KEYS),
            key,
            scheme,
            identities: vec![None; peers],
        }
    }

    /// An entry of a view changed by `event`.
    pub(super) fn changed(
        &mut self,
        at: SimTime,
        change: &Change,
        event: &SwimEvent,
        group: &Group,
        names: &[String],
    ) {
        let Change {
            observer,
            subject,
            incarnation,
            ..
        } = *change;
        self.records.exercise();
        if !has_announced(group, subject, incarnation) {
            self.records.breach(at, &[observer, subject], || {
                let (who, whom) = (&names[observer.index()], &names[subject.index()]);
                format!("{who} believes something of {whom} at {incarnation}, which {whom} never announced")
            });
        }
        if let SwimEvent::MemberLearned { identity, .. } = event {
            self.learned(at, observer, subject, *identity, names);
        }
    }

    fn learned(
        &mut self,
        at: SimTime,
        observer: PeerId,
        subject: PeerId,
        identity: Identity,
        names: &[String],
    ) {
        self.keys.exercise();
        if identity != self.identity_of(subject) {
            self.keys.breach(at, &[observer, subject], || {
                let (who, whom) = (&names[observer.index()], &names[subject.index()]);
                format!("{who} knows another key for {whom} than the one {whom} has")
            });
        }
    }

    fn identity_of(&mut self, peer: PeerId) -> Identity {
        let (key, scheme) = (self.key, &self.scheme);
        let make = || Keys::new(scheme.clone(), identity_seed(key, peer)).identity();
        *self.identities[peer.index()].get_or_insert_with(make)
    }
}

fn has_announced(group: &Group, subject: PeerId, incarnation: Incarnation) -> bool {
    let announced = &group.life(subject).announced;
    announced
        .iter()
        .rev()
        .any(|(known, _)| *known == incarnation)
}
