//! What organisations do about the keys of their members within a run: who tells it first, and which
//! key ends when.

use std::collections::BTreeMap;

use fedsim_protocols::federation::identity::IdentityRecord;
use fedsim_protocols::federation::terms::Organisation;
use fedsim_protocols::stack::Link;
use fedsim_protocols::{Identity, KeyScheme, Keys, PeerId, RunKey, SecretSeed, StreamLabel};
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
    /// It takes up its next key.
    Rotate,
}

/// The secret of the key that a peer takes up after so many others.
pub(super) fn heir_seed(key: RunKey, peer: PeerId, number: u32) -> SecretSeed {
    SecretSeed(key.derive(StreamLabel {
        purpose: "heir",
        peer: peer.0,
        incarnation: number,
    }))
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
#[derive(Clone)]
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
        let mut numbers: BTreeMap<PeerId, u32> = BTreeMap::new();
        let mut present: BTreeMap<PeerId, Identity> =
            fates.owners.iter().map(|(id, peer)| (*peer, *id)).collect();
        let mut operations: Vec<&OperationSpec> = spec.operations.iter().collect();
        operations.sort_by_key(|operation| operation.at);
        for operation in operations {
            let at = SimTime::from(operation.at);
            for peer in &operation.revoke {
                let end = (at, KeyEnd::Revocation);
                fates.ends.entry(present[peer]).or_insert(end);
            }
            for peer in &operation.rotate {
                let number = numbers.entry(*peer).or_insert(0);
                *number += 1;
                let heir = identity(heir_seed(key, *peer, *number));
                let old = present.insert(*peer, heir);
                fates.owners.insert(heir, *peer);
                let end = (at, KeyEnd::Succession);
                fates
                    .ends
                    .entry(old.expect("BUG: a peer without a key"))
                    .or_insert(end);
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

    /// How many other keys a peer has taken up by then.
    pub(crate) fn heirs_up_to(&self, peer: PeerId, until: SimTime) -> usize {
        let own = self.owners.iter().filter(|(_, owner)| **owner == peer);
        let ends = own.filter_map(|(key, _)| self.end(*key));
        ends.filter(|(at, how)| *how == KeyEnd::Succession && *at <= until)
            .count()
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
            operations.extend(spec.rotate.iter().map(|by| Operation {
                at: SimTime::from(spec.at),
                by: *by,
                what: Deed::Rotate,
            }));
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

    /// The keys of every peer that takes up others, one after the other.
    pub(super) fn lines(
        &self,
        organisations: &[Vec<PeerId>],
        spec: &FederationSpec,
    ) -> BTreeMap<PeerId, Vec<Link>> {
        let operations = spec.operations.iter();
        let mut lengths: BTreeMap<PeerId, u32> = BTreeMap::new();
        for peer in operations.flat_map(|operation| &operation.rotate) {
            *lengths.entry(*peer).or_insert(1) += 1;
        }
        let secrets = lengths.iter().flat_map(|(peer, length)| {
            (0..*length).map(|number| (*peer, self.secret_of_key(*peer, number)))
        });
        let secrets: Vec<(PeerId, SecretSeed)> = secrets.collect();
        let papers = self.certify(organisations, spec, secrets.clone());
        let mut papers = papers.into_iter().map(|(_, papers)| papers);
        let mut lines: BTreeMap<PeerId, Vec<Link>> = BTreeMap::new();
        for (peer, secret) in secrets {
            let (keys, papers) = (self.keys(secret), papers.next());
            lines.entry(peer).or_default().push(Link { keys, papers });
        }
        lines
    }

    /// The secret of the key that a peer has after so many others.
    fn secret_of_key(&self, peer: PeerId, number: u32) -> SecretSeed {
        match number {
            0 => self.secret_of_peer(peer),
            _ => heir_seed(self.key, peer, number),
        }
    }
}
