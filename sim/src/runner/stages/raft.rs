//! The cast of `[raft]`: servers, clients and what these ask.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::{
    Configuration, InitialState, Operation, Outcome, Paper, Raft, RaftClient, RaftConfig, RaftPeer,
    RaftReply, RaftRequest, Rules, Value,
};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::story::{Deed, RaftFact};
use fedsim_scenarios::spec::{Fault, PerOrganisation, RequestLoad, Role, Story};

use super::{Acted, Stage, Staged};
use crate::adversary::Forge;
use crate::adversary::raft::{RaftForge, forged};
use crate::checkers::raft::RaftWatch;
use crate::engine::{Cast, Workload};
use crate::judge::{self, Call};
use crate::runner::RunFailure;
use crate::time::SimTime;
use crate::workload::{Keys, StoreProtocol, Users};

pub(super) fn stage<'a>(
    scenario: &'a Scenario,
    settings: &'a PerOrganisation<RaftConfig>,
) -> Result<Box<dyn Stage + 'a>, RunFailure> {
    let cast = RaftCast::<Paper>::new(scenario, settings);
    refuse(scenario, &cast)?;
    let staged = Staged {
        scenario,
        cast: Box::new(|| RaftCast::<Paper>::new(scenario, settings)),
        watch: Box::new(|| RaftWatch::new(scenario, &settings.base)),
    };
    match &scenario.story {
        Some(Story::Raft(steps)) => Ok(Box::new(Acted { staged, steps })),
        Some(_) | None => Ok(Box::new(staged)),
    }
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
    for (peer, given) in &cast.given {
        let name = &scenario.peers[peer.index()].nickname;
        if !cast.members.contains(peer) {
            return unsupported(format!(
                "the story gives a state to {name}, which is no server"
            ));
        }
        let log = &given.state.log_terms;
        if !log.is_sorted() {
            return unsupported(format!(
                "the log given to {name} has a term below the one before"
            ));
        }
        if given.state.commit > log.len() as u64 {
            return unsupported(format!("{name} is given a commit index beyond its log"));
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
    given: BTreeMap<PeerId, Given>,
    rules: PhantomData<fn() -> R>,
}

/// What a story gives to a server before it starts.
#[derive(Clone, Default)]
struct Given {
    state: InitialState,
    /// None: that of all members.
    configuration: Option<Configuration>,
}

/// What a story gives to whom.
fn given(scenario: &Scenario) -> BTreeMap<PeerId, Given> {
    let mut given: BTreeMap<PeerId, Given> = BTreeMap::new();
    let Some(Story::Raft(steps)) = &scenario.story else {
        return given;
    };
    for step in steps {
        let Deed::Given { peers, facts } = &step.deed else {
            continue;
        };
        for peer in peers {
            let Given {
                state,
                configuration,
            } = given.entry(*peer).or_default();
            for fact in facts {
                match fact {
                    RaftFact::Term(term) => state.term = *term,
                    RaftFact::Vote(vote) => state.vote = Some(*vote),
                    RaftFact::Log(terms) => state.log_terms.clone_from(terms),
                    RaftFact::Commit(index) => state.commit = *index,
                    RaftFact::Configuration(all) => *configuration = Some(all.clone()),
                }
            }
        }
    }
    given
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
            given: given(scenario),
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
                let usual = Configuration::of_voters(voters);
                let Some(given) = self.given.get(&peer).cloned() else {
                    return Raft::new(peer, config, usual).into();
                };
                let initial = InitialState {
                    configuration: given.configuration.unwrap_or(usual),
                    ..given.state
                };
                Raft::from_state(peer, config, initial).into()
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
            forgery: forged,
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
            let users = Users::new(load, keys, part.client, clients);
            Box::new(users) as Box<dyn Workload<RaftPeer<R>>>
        })
    }
}

impl<R: Rules> StoreProtocol for RaftPeer<R> {
    fn request(key: u64, call: &Call) -> RaftRequest {
        let operation = match call {
            Call::Read => Operation::Read { key },
            Call::Write(new) => Operation::Write {
                key,
                value: value(new),
            },
            // Of a register that nobody has seen yet, what it expects is its own value.
            Call::CompareAndSwap { expected, new } => Operation::CompareAndSwap {
                key,
                expected: value(if *expected == judge::Value::Nil {
                    new
                } else {
                    expected
                }),
                value: value(new),
            },
            Call::Append(tail) => Operation::Append {
                key,
                value: value(tail),
            },
        };
        RaftRequest::Operate { operation }
    }

    fn call(request: &RaftRequest) -> Option<(u64, Call)> {
        let RaftRequest::Operate { operation } = request else {
            return None;
        };
        let call = match operation {
            Operation::Read { .. } => Call::Read,
            Operation::Write { value, .. } => Call::Write(told(value)),
            Operation::CompareAndSwap {
                expected, value, ..
            } => Call::CompareAndSwap {
                expected: told(expected),
                new: told(value),
            },
            Operation::Append { value, .. } => Call::Append(told(value)),
        };
        Some((operation.key(), call))
    }

    fn outcome(reply: &RaftReply) -> judge::Outcome {
        match reply {
            RaftReply::Ok { outcome } => match outcome {
                Outcome::Read { value } => {
                    judge::Outcome::Read(value.as_ref().map_or(judge::Value::Nil, told))
                }
                Outcome::Swapped { swapped: false } => judge::Outcome::Refused,
                Outcome::Swapped { swapped: true }
                | Outcome::Written
                | Outcome::Appended
                | Outcome::Accomplished => judge::Outcome::Done,
            },
            RaftReply::Fail { .. } => judge::Outcome::Failed,
            RaftReply::Unknown { .. } => judge::Outcome::Open,
        }
    }
}

fn told(value: &Value) -> judge::Value {
    judge::Value::Text(value.to_string())
}

fn value(value: &judge::Value) -> Value {
    match value {
        judge::Value::Text(text) => text.as_str().into(),
        other => other.to_string().as_str().into(),
    }
}
