//! The cast of `[pbft]`: replicas and clients, the roster that they all begin with, and requests.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use fedsim_protocols::pbft::{
    Member, Membership, Operation, Outcome, Paper, PbftConfig, PbftPeer, Roster, Rules, Value,
};
use fedsim_protocols::{KeyScheme, Keys, PeerId, RunKey};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Fault, PbftSpec, PeerSpec, RequestLoad, Role, Story};

use super::{Acted, Stage, Staged, key_scheme};
use crate::adversary::Forge;
use crate::adversary::pbft::PbftForge;
use crate::checkers::pbft::promise::{Promise, last_change};
use crate::checkers::pbft::{LIVENESS, PbftWatch};
use crate::engine::{Cast, Workload, identity_seed};
use crate::judge::{self, Call};
use crate::runner::RunFailure;
use crate::time::SimTime;
use crate::workload::{self, StoreProtocol, Users};

pub(super) fn stage<'a>(
    scenario: &'a Scenario,
    spec: &'a PbftSpec,
) -> Result<Box<dyn Stage + 'a>, RunFailure> {
    refuse(scenario, spec)?;
    let staged = Staged {
        scenario,
        cast: Box::new(|| PbftCast::<Paper>::new(scenario, spec)),
        watch: Box::new(|| PbftWatch::new(scenario, spec)),
    };
    match &scenario.story {
        Some(Story::Pbft(steps)) => Ok(Box::new(Acted { staged, steps })),
        Some(_) | None => Ok(Box::new(staged)),
    }
}

/// Refuses what a scenario asks of PBFT and PBFT does not have.
fn refuse(scenario: &Scenario, spec: &PbftSpec) -> Result<(), RunFailure> {
    let refusals = [
        refuse_group(scenario, spec),
        refuse_requests(scenario),
        refuse_haste(scenario, &spec.members.base),
    ];
    match refusals.into_iter().flatten().next() {
        Some(what) => Err(RunFailure::Unsupported(what)),
        None => Ok(()),
    }
}

/// Why these peers are no group.
fn refuse_group(scenario: &Scenario, spec: &PbftSpec) -> Option<String> {
    let founds = |peer: &PeerSpec| peer.role == Role::Member && peer.starts_at.is_zero();
    if !scenario.peers.iter().any(founds) {
        return Some("[pbft] needs a member that is there from the beginning".to_owned());
    }
    let shared = |it: &PbftConfig| {
        (
            (it.checkpoint_interval, it.window),
            (it.read_only, it.tentative),
        )
    };
    let base = shared(&spec.members.base);
    let mut overrides = spec.members.overrides.iter();
    if let Some((organisation, _)) = overrides.find(|(_, it)| shared(it) != base) {
        return Some(format!(
            "checkpoint_interval, window, read_only and tentative of [pbft] must be equal in the \
             whole group, and [pbft.org.{organisation}] has others"
        ));
    }
    let administrators = spec.administrators.iter().flatten();
    let mut administrators = administrators.map(|slot| &scenario.peers[slot.index()]);
    let stranger = administrators.find(|peer| peer.role != Role::Client)?;
    Some(format!(
        "administrators of [pbft] are clients, and {} is none",
        stranger.nickname
    ))
}

/// Which request nobody here can put.
fn refuse_requests(scenario: &Scenario) -> Option<String> {
    let seats = seats(scenario);
    for fault in &scenario.faults {
        if let Fault::Request { request, .. } = &fault.fault
            && named_replicas(request, &seats).is_none()
        {
            return Some(format!(
                "[pbft] has no request {request:?}; it has \"replicas/PEER/...\", which a client \
                 among its administrators puts"
            ));
        }
    }
    let usual = RequestLoad::default();
    let load = scenario.workload.requests.as_ref().unwrap_or(&usual);
    let retry = |load: &RequestLoad| (load.timeout, load.retries, load.switch);
    (retry(load) != retry(&usual)).then(|| {
        "timeout, retries and switch of [workload.requests] are client_timeout of [pbft], whose \
         clients ask all replicas again until they are answered"
            .to_owned()
    })
}

/// Why liveness, if it is asked for, cannot be judged in the time there is.
fn refuse_haste(scenario: &Scenario, config: &PbftConfig) -> Option<String> {
    if !scenario.expect.holds.iter().any(|name| name == LIVENESS) {
        return None;
    }
    let promise = Promise::new(scenario, config);
    if !promise.is_kept() {
        return Some(format!(
            "{LIVENESS} cannot hold: a view may need {} on this network, and max_timeout of [pbft] \
             is {}",
            promise.round(),
            config.max_timeout
        ));
    }
    let (calm, within) = (last_change(&scenario.faults), promise.within(0, 0));
    (calm + within > scenario.duration).then(|| {
        format!(
            "{LIVENESS} cannot be judged: the last fault changes at {calm}, answers are promised \
             {within} later, and duration is {}",
            scenario.duration
        )
    })
}

/// The nicknames of members, by slot.
fn seats(scenario: &Scenario) -> Vec<Option<String>> {
    let name = |peer: &PeerSpec| (peer.role == Role::Member).then(|| peer.nickname.clone());
    scenario.peers.iter().map(name).collect()
}

/// `replicas/A/B/...`: the slots of these members, each at most once.
fn named_replicas(request: &str, seats: &[Option<String>]) -> Option<Vec<usize>> {
    let names = request.strip_prefix("replicas/")?.split('/');
    let slot_of = |name| seats.iter().position(|seat| seat.as_deref() == Some(name));
    let slots: Vec<usize> = names.map(slot_of).collect::<Option<_>>()?;
    let distinct: BTreeSet<&usize> = slots.iter().collect();
    (distinct.len() == slots.len()).then_some(slots)
}

/// Builds the replicas and clients of a PBFT group that decides by the rules `R`.
///
/// Members that are there from the beginning are the first replicas, numbered in scenario order;
/// those that start later follow the group until a reconfiguration names them. Everybody knows the
/// first roster, keys included.
pub struct PbftCast<R = Paper> {
    seats: Vec<Option<String>>,
    parts: Vec<Part>,
    /// Where each peer is reached and what it signs with.
    keys: Vec<Member>,
    roster: Arc<Roster>,
    scheme: KeyScheme,
    load: Option<(RequestLoad, Arc<workload::Keys>)>,
    rules: PhantomData<fn() -> R>,
}

struct Part {
    role: Role,
    config: Arc<PbftConfig>,
    starts_at: SimTime,
    /// Its number among the clients, if it is one.
    client: u64,
}

impl<R: Rules> PbftCast<R> {
    /// The group of `scenario`, set as `spec` says.
    pub fn new(scenario: &Scenario, spec: &PbftSpec) -> Self {
        let scheme = key_scheme(scenario);
        let keys = keys(scenario, &scheme);
        let mut clients = 0;
        let parts = scenario.peers.iter().map(|peer| {
            let client = clients;
            clients += u64::from(peer.role == Role::Client);
            Part {
                role: peer.role,
                config: Arc::new(spec.members.of(&peer.organisation).clone()),
                starts_at: SimTime::from(peer.starts_at),
                client,
            }
        });
        let parts: Vec<Part> = parts.collect();
        let roster = Arc::new(roster(&parts, &keys, spec));
        let load = scenario.workload.requests.clone();
        let load = load.map(|load| (load.clone(), Arc::new(workload::Keys::new(&load))));
        Self {
            seats: seats(scenario),
            parts,
            keys,
            roster,
            scheme,
            load,
            rules: PhantomData,
        }
    }

    /// The roster that everybody begins with.
    pub fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }
}

fn keys(scenario: &Scenario, scheme: &KeyScheme) -> Vec<Member> {
    let key = RunKey::from_seed(scenario.seed);
    let slots = (0..scenario.peers.len() as u32).map(PeerId);
    let member = |slot| Member {
        slot,
        key: Keys::new(scheme.clone(), identity_seed(key, slot)).public(),
    };
    slots.map(member).collect()
}

/// The first roster: founding members, all clients, and who among these may change the group.
fn roster(parts: &[Part], keys: &[Member], spec: &PbftSpec) -> Roster {
    let seated = parts.iter().zip(keys);
    let of = |role| {
        let seated = seated.clone();
        seated.filter(move |(part, _)| part.role == role)
    };
    let founding = of(Role::Member).filter(|(part, _)| part.starts_at == SimTime::ZERO);
    let clients = of(Role::Client).map(|(_, member)| (member.slot, member.key));
    let administrators = spec.administrators.iter().flatten().copied();
    Roster::genesis(
        founding.map(|(_, member)| *member).collect(),
        clients.collect(),
        administrators.collect(),
    )
}

impl<R: Rules> Cast for PbftCast<R> {
    type Machine = PbftPeer<R>;

    fn machine(&self, peer: PeerId) -> PbftPeer<R> {
        let part = &self.parts[peer.index()];
        let (config, roster) = (Arc::clone(&part.config), Arc::clone(&self.roster));
        match part.role {
            Role::Member => PbftPeer::replica(config, roster),
            Role::Client => PbftPeer::client(config, roster),
        }
    }

    fn protocol(&self) -> &'static str {
        "pbft"
    }

    fn starts_at(&self, peer: PeerId) -> SimTime {
        self.parts[peer.index()].starts_at
    }

    fn forge(&self) -> Arc<dyn Forge<PbftPeer<R>>> {
        let timeouts = self.parts.iter().map(|part| part.config.view_timeout);
        Arc::new(PbftForge {
            patience: timeouts.min().unwrap_or_default(),
        })
    }

    fn key_scheme(&self) -> KeyScheme {
        self.scheme.clone()
    }

    fn request(&self, name: &str) -> Option<Operation> {
        let slots = named_replicas(name, &self.seats)?;
        let replicas = slots.iter().map(|slot| self.keys[*slot]).collect();
        let membership = Membership { replicas };
        Some(Operation::Reconfigure { membership })
    }

    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<PbftPeer<R>>>> {
        let (load, keys) = self.load.as_ref()?;
        let part = &self.parts[peer.index()];
        let clients = self.parts.iter().filter(|part| part.role == Role::Client);
        let clients = clients.count() as u64;
        (part.role == Role::Client).then(|| {
            let users = Users::new(load, keys, part.client, clients);
            Box::new(users) as Box<dyn Workload<PbftPeer<R>>>
        })
    }
}

impl<R: Rules> StoreProtocol for PbftPeer<R> {
    fn request(key: u64, call: &Call) -> Operation {
        match call {
            Call::Read => Operation::Read { key },
            Call::Write(new) => Operation::Write {
                key,
                value: value(new),
            },
            Call::CompareAndSwap { expected, new } => Operation::CompareAndSwap {
                key,
                expected: (*expected != judge::Value::Nil).then(|| value(expected)),
                value: value(new),
            },
            Call::Append(tail) => Operation::Append {
                key,
                value: value(tail),
            },
        }
    }

    fn call(request: &Operation) -> Option<(u64, Call)> {
        match request {
            Operation::Read { key } => Some((*key, Call::Read)),
            Operation::Write { key, value } => Some((*key, Call::Write(told(value)))),
            Operation::CompareAndSwap {
                key,
                expected,
                value,
            } => {
                let expected = expected.as_ref().map_or(judge::Value::Nil, told);
                let new = told(value);
                Some((*key, Call::CompareAndSwap { expected, new }))
            }
            Operation::Append { key, value } => Some((*key, Call::Append(told(value)))),
            Operation::Enter { .. } | Operation::Rekey { .. } | Operation::Reconfigure { .. } => {
                None
            }
        }
    }

    fn outcome(reply: &Outcome) -> judge::Outcome {
        match reply {
            Outcome::Value { value } => {
                judge::Outcome::Read(value.as_ref().map_or(judge::Value::Nil, told))
            }
            Outcome::Swapped { swapped: false, .. } => judge::Outcome::Refused,
            Outcome::Written {}
            | Outcome::Swapped { swapped: true, .. }
            | Outcome::Appended { .. }
            | Outcome::Entered { .. }
            | Outcome::Reconfigured {} => judge::Outcome::Done,
            Outcome::Refused {} => judge::Outcome::Failed,
        }
    }
}

fn told(value: &Value) -> judge::Value {
    judge::Value::Text(String::from_utf8_lossy(value).into_owned())
}

fn value(value: &judge::Value) -> Value {
    match value {
        judge::Value::Text(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}
