//! What organisations do about the keys of their members within a run: who tells it first, and which
//! key ends when.

use std::collections::BTreeMap;

use fedsim_protocols::federation::identity::IdentityRecord;
use fedsim_protocols::federation::terms::Organisation;
use fedsim_protocols::{Identity, KeyScheme, Keys, PeerId, RunKey};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{FederationSpec, OperationSpec};

use super::federation::Owners;
use crate::engine::identity_seed;
use crate::time::SimTime;

/// What a peer is to do about keys.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) at: SimTime,
    /// Who does it.
    pub(super) by: PeerId,
    pub(super) what: Deed,
}

/// What is done about keys.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// It tells these.
    Publish(Vec<IdentityRecord>),
}

/// What ends a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyEnd {
    /// Its organisation takes it back.
    Revocation,
    /// Its owner takes up another.
    Succession,
}

/// Whose every key is, and when which of them ends.
pub(crate) struct Fates {
    owners: BTreeMap<Identity, PeerId>,
    ends: BTreeMap<Identity, (SimTime, KeyEnd)>,
}

impl Fates {
    /// As `spec` has it for the peers of `scenario`.
    pub(crate) fn new(scenario: &Scenario, spec: &FederationSpec) -> Self {
        let key = RunKey::from_seed(scenario.seed);
        let identity = |secret| Keys::new(KeyScheme::ed25519(), secret).identity();
        let slots = (0..scenario.peers.len() as u32).map(PeerId);
        let first = slots.map(|peer| (identity(identity_seed(key, peer)), peer));
        let mut fates = Self {
            owners: first.collect(),
            ends: BTreeMap::new(),
        };
        let present: BTreeMap<PeerId, Identity> =
            fates.owners.iter().map(|(id, peer)| (*peer, *id)).collect();
        let mut operations: Vec<&OperationSpec> = spec.operations.iter().collect();
        operations.sort_by_key(|operation| operation.at);
        for operation in operations {
            let at = SimTime::from(operation.at);
            for peer in &operation.revoke {
                let end = (at, KeyEnd::Revocation);
                fates.ends.entry(present[peer]).or_insert(end);
            }
        }
        fates
    }

    /// Whose keys they are.
    pub(crate) fn owners(&self) -> &BTreeMap<Identity, PeerId> {
        &self.owners
    }

    /// Whose key it is.
    pub(crate) fn owner(&self, key: Identity) -> Option<PeerId> {
        self.owners.get(&key).copied()
    }

    /// When a key ends, and how.
    pub(crate) fn end(&self, key: Identity) -> Option<(SimTime, KeyEnd)> {
        self.ends.get(&key).copied()
    }

    /// Whether any key ends so.
    pub(crate) fn include(&self, by: KeyEnd) -> bool {
        self.ends.values().any(|(_, how)| *how == by)
    }
}

impl Owners {
    /// All operations, in order of time. Nobody revokes a member that is alone.
    pub(super) fn operations(
        &self,
        organisations: &[Vec<PeerId>],
        specs: &[OperationSpec],
    ) -> Vec<Operation> {
        let mut operations = Vec::new();
        for spec in specs {
            for revoked in &spec.revoke {
                operations.extend(self.revocation(organisations, SimTime::from(spec.at), *revoked));
            }
        }
        operations.sort_by_key(|operation| operation.at);
        operations
    }

    fn revocation(
        &self,
        organisations: &[Vec<PeerId>],
        at: SimTime,
        revoked: PeerId,
    ) -> Option<Operation> {
        let mut all = organisations.iter();
        let number = all.position(|members| members.contains(&revoked))?;
        let mut members = organisations[number].iter();
        let by = *members.find(|peer| **peer != revoked)?;
        let mut root = self.of_other("organisation-root", number as u32);
        let key = self.of_peer(revoked).public();
        let record = IdentityRecord::revoke(&mut root, Organisation(number as u16), key, None);
        let what = Deed::Publish(vec![record]);
        Some(Operation { at, by, what })
    }
}
