//! The cast of `[federation]`: organisations, their keys, and the users of their peers.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use fedsim_protocols::federation::authorisation::Exposure;
use fedsim_protocols::federation::grant::{Grant, Party};
use fedsim_protocols::federation::identity::{IdentityRecord, Registry};
use fedsim_protocols::federation::injection::Patterns;
use fedsim_protocols::federation::rules::{Rules, Strict};
use fedsim_protocols::federation::sanitise::{Policy, Sanitiser};
use fedsim_protocols::federation::terms::{Level, Organisation, Scope as Reach};
use fedsim_protocols::pbft::{Member, PbftConfig, Roster};
use fedsim_protocols::raft::RaftConfig;
use fedsim_protocols::stack::{
    Across, Directory, Federation, Scope, StackConfig, StackPeer, Standing,
};
use fedsim_protocols::{
    Identity, KeyScheme, Keys, LocalTime, PeerId, PublicKey, RunKey, SecretSeed, StreamLabel,
};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{ErrandLoad, FederationSpec};

use super::operations::Operation;
use super::users::{ErrandStream, Users};
use super::{Stage, Staged, key_scheme};
use crate::adversary::Forge;
use crate::adversary::federation::StackForge;
use crate::checkers::federation::FederationWatch;
use crate::engine::{Cast, Workload, identity_seed};
use crate::runner::RunFailure;
use crate::time::SimTime;

pub(super) fn stage<'a>(
    scenario: &'a Scenario,
    spec: &'a FederationSpec,
) -> Result<Box<dyn Stage + 'a>, RunFailure> {
    Ok(Box::new(Staged {
        scenario,
        cast: Box::new(|| FederationCast::<Strict>::new(scenario, spec)),
        watch: Box::new(|| FederationWatch::new(scenario, spec)),
    }))
}

/// Builds the peers of a federation that keeps the rules `R`.
pub struct FederationCast<R: Rules = Strict> {
    configs: Vec<Arc<StackConfig>>,
    federation: Arc<Federation>,
    forge: Arc<StackForge>,
    starts: Vec<SimTime>,
    organisations: Vec<Organisation>,
    errands: Vec<ErrandLoad>,
    operations: Vec<Operation>,
    scheme: KeyScheme,
    rules: PhantomData<R>,
}

impl<R: Rules> FederationCast<R> {
    /// The federation of `scenario`, set as `spec` says.
    pub fn new(scenario: &Scenario, spec: &FederationSpec) -> Self {
        let peers: Vec<PeerId> = (0..scenario.peers.len() as u32).map(PeerId).collect();
        let mut names: Vec<&str> = Vec::new();
        let mut groups: Vec<Vec<PeerId>> = Vec::new();
        let mut organisations = Vec::new();
        for (peer, described) in peers.iter().zip(&scenario.peers) {
            let name = described.organisation.as_str();
            let number = names.iter().position(|known| *known == name);
            let number = number.unwrap_or_else(|| {
                names.push(name);
                groups.push(Vec::new());
                names.len() - 1
            });
            groups[number].push(*peer);
            organisations.push(Organisation(number as u16));
        }
        let scheme = key_scheme(scenario);
        let owners = Owners {
            key: RunKey::from_seed(scenario.seed),
            scheme: scheme.clone(),
        };
        let operations = owners.operations(&groups, &spec.operations);
        let federation = Arc::new(owners.found(groups, spec));
        let shared = StackConfig {
            across: spec.across,
            renews_leases: spec.renew_leases,
            raft: Arc::new(RaftConfig::default()),
            pbft: Arc::new(PbftConfig {
                checkpoint_interval: spec.checkpoint_interval,
                guardians: owners.guardians(&federation.organisations),
                ..PbftConfig::default()
            }),
            actions: Arc::new(spec.actions()),
            ..StackConfig::default()
        };
        let identities = &federation.directory.identities;
        let config = |peer: &PeerId| {
            Arc::new(StackConfig {
                actions: Arc::new(spec.actions_of(*peer)),
                exposures: exposures(*peer, spec, identities),
                levels: levels(*peer, spec, identities),
                grants: owners.standing(*peer, spec),
                ..shared.clone()
            })
        };
        let starts = scenario.peers.iter();
        Self {
            configs: peers.iter().map(config).collect(),
            starts: starts.map(|peer| SimTime::from(peer.starts_at)).collect(),
            organisations,
            errands: scenario.workload.errands.clone(),
            operations,
            forge: Arc::new(StackForge::new(
                &federation,
                &shared,
                owners.roots(&federation.organisations),
            )),
            federation,
            scheme,
            rules: PhantomData,
        }
    }
}

/// What finds private data; made once, for it takes longer than many a run.
fn sanitiser() -> Arc<Sanitiser> {
    static SANITISER: OnceLock<Arc<Sanitiser>> = OnceLock::new();
    let make = || Arc::new(Sanitiser::new(Arc::default(), Policy::default()));
    Arc::clone(SANITISER.get_or_init(make))
}

/// What finds prompt injections; made once as well.
fn patterns() -> Arc<Patterns> {
    static PATTERNS: OnceLock<Arc<Patterns>> = OnceLock::new();
    Arc::clone(PATTERNS.get_or_init(Arc::default))
}

fn label(purpose: &'static str, number: u32) -> StreamLabel {
    StreamLabel {
        purpose,
        peer: number,
        incarnation: 0,
    }
}

/// Who owns which keys.
pub(super) struct Owners {
    pub(super) key: RunKey,
    scheme: KeyScheme,
}

impl Owners {
    pub(super) fn secret_of_peer(&self, peer: PeerId) -> SecretSeed {
        identity_seed(self.key, peer)
    }

    /// The keys of whoever holds `secret`.
    pub(super) fn keys(&self, secret: SecretSeed) -> Keys {
        Keys::new(self.scheme.clone(), secret)
    }

    pub(super) fn of_peer(&self, peer: PeerId) -> Keys {
        self.keys(self.secret_of_peer(peer))
    }

    pub(super) fn secret_of_other(&self, purpose: &'static str, number: u32) -> SecretSeed {
        SecretSeed(self.key.derive(label(purpose, number)))
    }

    /// The keys of somebody who is no peer: an organisation or its root.
    pub(super) fn of_other(&self, purpose: &'static str, number: u32) -> Keys {
        self.keys(self.secret_of_other(purpose, number))
    }

    fn found(&self, organisations: Vec<Vec<PeerId>>, spec: &FederationSpec) -> Federation {
        let numbers = 0..organisations.len() as u32;
        let organisation_keys = numbers.map(|number| self.of_other("organisation", number));
        let organisation_keys: Vec<Keys> = organisation_keys.collect();
        let numbers = 0..organisations.len() as u32;
        let secrets = numbers.map(|number| self.key.derive(label("pseudonyms", number)));
        let secrets = secrets.collect();
        let member = |slot: PeerId, keys: &Keys| Member {
            slot,
            key: keys.public(),
        };
        let everyone = organisations.concat();
        let replicas = match spec.across {
            Across::TwoTier => {
                let pairs = organisations.iter().zip(&organisation_keys);
                pairs.map(|(peers, keys)| member(peers[0], keys)).collect()
            }
            Across::Flat | Across::Raft | Across::Broadcast => {
                let out = spec.out_of_council();
                let members = everyone.iter().filter(|it| !out.contains(it));
                members.map(|it| member(*it, &self.of_peer(*it))).collect()
            }
        };
        let clients = everyone.iter().filter(|it| !spec.revoked.contains(it));
        let clients = clients
            .map(|it| (*it, self.of_peer(*it).public()))
            .collect();
        let roster = Roster::genesis(replicas, clients, Default::default());
        let directory = self.enrol(&organisations, &spec.revoked);
        let papers = self.papers(&organisations, spec);
        let lines = self.lines(&organisations, spec);
        Federation {
            organisations,
            papers,
            lines,
            roster: Arc::new(roster),
            organisation_keys,
            directory: Arc::new(directory),
            sanitiser: sanitiser(),
            patterns: patterns(),
            pseudonym_secrets: secrets,
        }
    }

    /// The root keys of all organisations.
    fn roots(&self, organisations: &[Vec<PeerId>]) -> Vec<Keys> {
        let numbers = 0..organisations.len() as u32;
        let root = |number| self.of_other("organisation-root", number);
        numbers.map(root).collect()
    }

    /// Whose word of a peer's key the council takes beside its own.
    fn guardians(&self, organisations: &[Vec<PeerId>]) -> BTreeMap<PeerId, PublicKey> {
        let roots = self.roots(organisations).into_iter();
        let members = organisations.iter().zip(roots.map(|root| root.public()));
        members
            .flat_map(|(members, root)| members.iter().map(move |peer| (*peer, root)))
            .collect()
    }

    /// What others sign for a peer before the run.
    fn standing(&self, to: PeerId, spec: &FederationSpec) -> Vec<Standing> {
        let identity = self.of_peer(to).identity();
        let own = spec.grants.iter().filter(|it| it.to.contains(&to));
        let signed = own.flat_map(|it| {
            it.by.iter().map(move |by| Standing {
                at: it.at.clone(),
                grant: self.of_peer(*by).sign(Grant {
                    subject: Party::Peer { identity },
                    scope: Reach::of([it.capability.clone()]),
                    depth: 0,
                    expires_at: LocalTime::from_nanos(i64::MAX),
                    parent: None,
                }),
            })
        });
        signed.collect()
    }

    /// Every peer introduced, enrolled by its organisation's root, and some revoked by it.
    fn enrol(&self, organisations: &[Vec<PeerId>], revoked: &[PeerId]) -> Directory {
        let root = |number: u16| self.of_other("organisation-root", u32::from(number));
        let numbers = 0..organisations.len() as u16;
        let roots = numbers
            .clone()
            .map(|number| (Organisation(number), root(number).public()));
        let mut registry = Registry::new(roots.collect());
        let mut identities = BTreeMap::new();
        for (number, members) in numbers.zip(organisations) {
            let (of, mut root) = (Organisation(number), root(number));
            for (place, peer) in members.iter().enumerate() {
                let mut keys = self.of_peer(*peer);
                let public = keys.public();
                let nickname = format!("{number}-{place}");
                let introduction = IdentityRecord::introduce(&mut keys, of, &nickname);
                let enrolment = IdentityRecord::enrol(&mut root, of, public);
                let revocation = revoked
                    .contains(peer)
                    .then(|| IdentityRecord::revoke(&mut root, of, public, None));
                // Whoever is vouched for is not counted among strangers.
                for record in [enrolment, introduction].into_iter().chain(revocation) {
                    let learnt = registry.learn(&record, &mut keys);
                    learnt.expect("BUG: a record of our own making proves itself");
                }
                identities.insert(*peer, public.identity());
            }
        }
        Directory {
            registry,
            identities,
        }
    }
}

fn exposures(
    by: PeerId,
    spec: &FederationSpec,
    identities: &BTreeMap<PeerId, Identity>,
) -> Vec<Exposure> {
    let own = spec.expose.iter().filter(|it| it.by.contains(&by));
    own.flat_map(|exposed| {
        exposed.to.iter().map(|peer| Exposure {
            capability: exposed.capability.clone(),
            to: Party::Peer {
                identity: identities[peer],
            },
            depth: exposed.depth,
            level: exposed.level,
        })
    })
    .collect()
}

fn levels(
    by: PeerId,
    spec: &FederationSpec,
    identities: &BTreeMap<PeerId, Identity>,
) -> BTreeMap<Identity, Level> {
    let mut levels: BTreeMap<Identity, Level> = identities
        .values()
        .map(|identity| (*identity, spec.level))
        .collect();
    for trust in spec.trust.iter().filter(|it| it.by.contains(&by)) {
        for peer in &trust.of {
            levels.insert(identities[peer], trust.level);
        }
    }
    levels
}

impl<R: Rules> Cast for FederationCast<R> {
    type Machine = StackPeer<R>;

    fn machine(&self, peer: PeerId) -> StackPeer<R> {
        let config = Arc::clone(&self.configs[peer.index()]);
        StackPeer::new(peer, config, Arc::clone(&self.federation))
    }

    fn protocol(&self) -> &'static str {
        "federation"
    }

    fn starts_at(&self, peer: PeerId) -> SimTime {
        self.starts[peer.index()]
    }

    fn forge(&self) -> Arc<dyn Forge<StackPeer<R>>> {
        Arc::clone(&self.forge) as Arc<dyn Forge<StackPeer<R>>>
    }

    fn key_scheme(&self) -> KeyScheme {
        self.scheme.clone()
    }

    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<StackPeer<R>>>> {
        let own = self.errands.iter().filter(|load| load.by.contains(&peer));
        let streams: Vec<ErrandStream> = own
            .filter_map(|load| {
                let to: Vec<PeerId> = load.to.iter().copied().filter(|to| *to != peer).collect();
                let scope = self.scope_of(peer, &to);
                (!to.is_empty()).then(|| ErrandStream::new(load, to, scope))
            })
            .collect();
        let operations = self.operations.iter().filter(|it| it.by == peer);
        let users = Users::new(streams, operations.cloned().collect());
        users.map(|users| Box::new(users) as Box<dyn Workload<StackPeer<R>>>)
    }
}

impl<R: Rules> FederationCast<R> {
    /// Whom something between a peer and others concerns.
    fn scope_of(&self, peer: PeerId, to: &[PeerId]) -> Scope {
        let own = self.organisations[peer.index()];
        match to.iter().all(|it| self.organisations[it.index()] == own) {
            true => Scope::Organisation,
            false => Scope::Federation,
        }
    }
}
