//! The cast of `[raft]`: servers, clients and what these ask.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use fedsim_protocols::raft::{
    Configuration, Operation, Outcome, Paper, Raft, RaftClient, RaftConfig, RaftPeer, RaftReply,
    RaftRequest, Rules, Value,
};
use fedsim_protocols::{PeerId, RequestId, Stream};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Fault, PerOrganisation, RequestLoad, Role};

use super::{Stage, Staged};
use crate::adversary::Forge;
use crate::adversary::raft::RaftForge;
use crate::checkers::raft::RaftWatch;
use crate::engine::{Cast, Workload};
use crate::runner::RunFailure;
use crate::time::SimTime;
use crate::workload::{Keys, Kind, Rhythm};

pub(super) fn stage<'a>(
    scenario: &'a Scenario,
    settings: &'a PerOrganisation<RaftConfig>,
) -> Result<Box<dyn Stage + 'a>, RunFailure> {
    let cast = RaftCast::<Paper>::new(scenario, settings);
    refuse(scenario, &cast)?;
    Ok(Box::new(Staged {
        scenario,
        cast: Box::new(|| RaftCast::<Paper>::new(scenario, settings)),
        watch: Box::new(|| RaftWatch::new(scenario, &settings.base)),
    }))
}

/// Refuses what a scenario asks of Raft and Raft does not have.
fn refuse(scenario: &Scenario, cast: &RaftCast) -> Result<(), RunFailure> {
    let unsupported = |what: String| Err(RunFailure::Unsupported(what));
    if cast.voters.is_empty() {
        return unsupported("[raft] needs a member that is there from the beginning".to_owned());
    }
    for fault in &scenario.faults {
        if let Fault::Request { request, .. } = &fault.fault
            && Cast::request(cast, request).is_none()
        {
            return unsupported(format!(
                "[raft] has no request {request:?}; it has \"take-snapshot\", \"transfer/PEER\" and \
                 \"voters/PEER/...[/learners/PEER/...]\""
            ));
        }
    }
    let usual = RequestLoad::default();
    let load = scenario.workload.requests.as_ref().unwrap_or(&usual);
    let retry = |load: &RequestLoad| (load.timeout, load.retries, load.switch);
    if retry(load) != retry(&usual) {
        return unsupported(
            "timeout, retries and switch of [workload.requests] are client_retry and \
             client_give_up of [raft], whose clients always turn to another server"
                .to_owned(),
        );
    }
    Ok(())
}

/// Builds the servers and clients of a Raft cluster that decides by the rules `R`.
///
/// Members that are there from the beginning are its first voters; those that start later wait to
/// be added. Clients know all members.
pub struct RaftCast<R = Paper> {
    nicknames: Vec<String>,
    parts: Vec<Part>,
    voters: Vec<PeerId>,
    members: Vec<PeerId>,
    load: Option<(RequestLoad, Arc<Keys>)>,
    rules: PhantomData<fn() -> R>,
}

struct Part {
    role: Role,
    config: Arc<RaftConfig>,
    starts_at: SimTime,
    /// Its number among the clients, if it is one.
    client: u64,
}

impl<R: Rules> RaftCast<R> {
    /// The cluster of `scenario`, set as `settings` say.
    pub fn new(scenario: &Scenario, settings: &PerOrganisation<RaftConfig>) -> Self {
        let mut clients = 0;
        let parts = scenario.peers.iter().map(|peer| {
            let client = clients;
            clients += u64::from(peer.role == Role::Client);
            Part {
                role: peer.role,
                config: Arc::new(settings.of(&peer.organisation).clone()),
                starts_at: SimTime::from(peer.starts_at),
                client,
            }
        });
        let parts: Vec<Part> = parts.collect();
        let slots = (0..).map(PeerId).zip(&parts);
        let members = slots.filter(|(_, part)| part.role == Role::Member);
        let (members, starts): (Vec<PeerId>, Vec<SimTime>) =
            members.map(|(peer, part)| (peer, part.starts_at)).unzip();
        let founding = members.iter().zip(&starts);
        let founding = founding.filter(|(_, at)| **at == SimTime::ZERO);
        Self {
            nicknames: scenario
                .peers
                .iter()
                .map(|it| it.nickname.clone())
                .collect(),
            voters: founding.map(|(peer, _)| *peer).collect(),
            members,
            parts,
            load: scenario
                .workload
                .requests
                .clone()
                .map(|load| (load.clone(), Arc::new(Keys::new(&load)))),
            rules: PhantomData,
        }
    }

    fn peer(&self, nickname: &str) -> Option<PeerId> {
        let slot = self.nicknames.iter().position(|it| it == nickname)?;
        let peer = PeerId(slot as u32);
        self.members.contains(&peer).then_some(peer)
    }

    /// `A/B/learners/C`: who votes, and who only learns.
    fn configuration<'a>(&self, words: impl Iterator<Item = &'a str>) -> Option<Configuration> {
        let (mut voters, mut learners, mut learning) = (Vec::new(), Vec::new(), false);
        for word in words {
            match word {
                "learners" => learning = true,
                _ if learning => learners.push(self.peer(word)?),
                _ => voters.push(self.peer(word)?),
            }
        }
        (!voters.is_empty()).then(|| Configuration::new(voters, learners))
    }
}

impl<R: Rules> Cast for RaftCast<R> {
    type Machine = RaftPeer<R>;

    fn machine(&self, peer: PeerId) -> RaftPeer<R> {
        let part = &self.parts[peer.index()];
        let config = Arc::clone(&part.config);
        match part.role {
            Role::Member => {
                let is_founding = self.voters.contains(&peer);
                let voters = self.voters.iter().copied().filter(|_| is_founding);
                Raft::new(peer, config, Configuration::of_voters(voters)).into()
            }
            Role::Client => RaftClient::new(config, self.members.clone()).into(),
        }
    }

    fn protocol(&self) -> &'static str {
        "raft"
    }

    fn starts_at(&self, peer: PeerId) -> SimTime {
        self.parts[peer.index()].starts_at
    }

    fn forge(&self) -> Arc<dyn Forge<RaftPeer<R>>> {
        let timeouts = self
            .parts
            .iter()
            .map(|part| part.config.election_timeout_min);
        Arc::new(RaftForge {
            patience: timeouts.min().unwrap_or_default(),
        })
    }

    fn request(&self, name: &str) -> Option<RaftRequest> {
        let mut words = name.split('/');
        match words.next()? {
            "take-snapshot" => Some(RaftRequest::TakeSnapshot),
            "transfer" => Some(RaftRequest::Transfer {
                to: self.peer(words.next()?)?,
            }),
            "voters" => Some(RaftRequest::ChangeMembership {
                target: Box::new(self.configuration(words)?),
            }),
            _ => None,
        }
    }

    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<RaftPeer<R>>>> {
        let (load, keys) = self.load.as_ref()?;
        let part = &self.parts[peer.index()];
        let clients = self.parts.iter().filter(|part| part.role == Role::Client);
        let clients = clients.count() as u64;
        (part.role == Role::Client).then(|| {
            Box::new(Users {
                rhythm: Rhythm::new(load, part.client, clients),
                keys: Arc::clone(keys),
                value_bytes: load.value_bytes as usize,
                name: part.client,
                asked: 0,
                open: BTreeMap::new(),
                known: BTreeMap::new(),
            }) as Box<dyn Workload<RaftPeer<R>>>
        })
    }
}

/// The users at one client. Every value that they write is their own, so that a history tells who
/// read what from whom.
struct Users {
    rhythm: Rhythm,
    keys: Arc<Keys>,
    value_bytes: usize,
    name: u64,
    asked: u64,
    open: BTreeMap<RequestId, Operation>,
    /// What they saw last under each key: what compare-and-swap expects.
    known: BTreeMap<u64, Value>,
}

impl Users {
    /// A value of the wanted size that nobody else writes; longer if it must be.
    fn value(&self) -> Value {
        let text = format!("{}.{};", self.name, self.asked);
        let padding = self.value_bytes.saturating_sub(text.len());
        Value::from(format!("{}{text}", "-".repeat(padding)).as_str())
    }

    fn operation(&mut self, dice: &mut Stream) -> Operation {
        self.asked += 1;
        let (key, value) = (self.keys.key(dice), self.value());
        match self.keys.kind(dice) {
            Kind::Read => Operation::Read { key },
            Kind::Write => Operation::Write { key, value },
            Kind::CompareAndSwap => Operation::CompareAndSwap {
                key,
                expected: self.known.get(&key).unwrap_or(&value).clone(),
                value,
            },
            Kind::Append => Operation::Append { key, value },
        }
    }

    fn learn(&mut self, operation: Operation, outcome: &Outcome) {
        match (operation, outcome) {
            (Operation::Read { key }, Outcome::Read { value: Some(value) }) => {
                self.known.insert(key, value.clone());
            }
            (Operation::Write { key, value }, Outcome::Written)
            | (Operation::CompareAndSwap { key, value, .. }, Outcome::Swapped { swapped: true }) => {
                self.known.insert(key, value);
            }
            (
                Operation::Read { .. }
                | Operation::Write { .. }
                | Operation::CompareAndSwap { .. }
                | Operation::Append { .. },
                _,
            ) => {}
        }
    }
}

impl<R: Rules> Workload<RaftPeer<R>> for Users {
    fn first(&mut self, _: &mut Stream) -> Option<SimTime> {
        self.open.clear();
        self.rhythm.first()
    }

    fn arrive(
        &mut self,
        now: SimTime,
        id: RequestId,
        dice: &mut Stream,
    ) -> (RaftRequest, Option<SimTime>) {
        let operation = self.operation(dice);
        self.open.insert(id, operation.clone());
        let next = self.rhythm.arrived(now, dice);
        (RaftRequest::Operate { operation }, next)
    }

    fn answered(
        &mut self,
        now: SimTime,
        id: RequestId,
        reply: &RaftReply,
        _: &mut Stream,
    ) -> Option<SimTime> {
        let operation = self.open.remove(&id)?;
        if let RaftReply::Ok { outcome } = reply {
            self.learn(operation, outcome);
        }
        self.rhythm.answered(now)
    }
}
