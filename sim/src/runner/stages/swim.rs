//! The cast of `[swim]`.

use std::marker::PhantomData;
use std::sync::Arc;

use fedsim_protocols::swim::{
    Bootstrap, Published, Roster, Swim, SwimConfig, SwimRequest, SwimRules,
};
use fedsim_protocols::{KeyScheme, Keys, PeerId, RunKey};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Role, Story, SwimSpec};

use super::{Acted, Stage, Staged, key_scheme};
use crate::adversary::Forge;
use crate::adversary::swim::SwimForge;
use crate::checkers::swim::SwimWatch;
use crate::engine::{Cast, identity_seed};
use crate::runner::RunFailure;
use crate::time::SimTime;

/// Members at most: checkers keep three bytes for each pair of them.
const MEMBERS: usize = 12_000;

pub(super) fn stage<'a>(
    scenario: &'a Scenario,
    spec: &'a SwimSpec,
) -> Result<Box<dyn Stage + 'a>, RunFailure> {
    if scenario.peers.len() > MEMBERS {
        return Err(RunFailure::Unsupported(format!(
            "[swim] runs with at most {MEMBERS} members, since every member's view of every other \
             is watched"
        )));
    }
    if scenario.peers.iter().any(|peer| peer.role == Role::Client) {
        return Err(RunFailure::Unsupported(
            "[swim] has no requests that clients could put".to_owned(),
        ));
    }
    let staged = Staged {
        scenario,
        cast: Box::new(|| SwimCast::<Published>::new(scenario, spec)),
        watch: Box::new(|| SwimWatch::new(scenario, spec)),
    };
    match &scenario.story {
        Some(Story::Swim(steps)) => Ok(Box::new(Acted { staged, steps })),
        Some(_) | None => Ok(Box::new(staged)),
    }
}

/// Builds the members of a SWIM group that decide by the rules `R`.
pub struct SwimCast<R = Published> {
    members: Vec<Part>,
    seeds: Arc<[PeerId]>,
    /// Everyone's first record, if anybody starts with it.
    roster: Option<Roster>,
    scheme: KeyScheme,
    rules: PhantomData<fn() -> R>,
}

struct Part {
    config: Arc<SwimConfig>,
    nickname: Arc<str>,
    starts_at: SimTime,
}

impl<R: SwimRules> SwimCast<R> {
    /// The group of `scenario`, set as `spec` says.
    pub fn new(scenario: &Scenario, spec: &SwimSpec) -> Self {
        let mut configs: Vec<Arc<SwimConfig>> = Vec::new();
        let mut shared = |config: &SwimConfig| match configs.iter().find(|it| ***it == *config) {
            Some(known) => Arc::clone(known),
            None => {
                configs.push(Arc::new(config.clone()));
                configs[configs.len() - 1].clone()
            }
        };
        let part = |peer: &fedsim_scenarios::spec::PeerSpec| Part {
            config: shared(spec.members.of(&peer.organisation)),
            nickname: peer.nickname.as_str().into(),
            starts_at: SimTime::from(peer.starts_at),
        };
        let members: Vec<Part> = scenario.peers.iter().map(part).collect();
        let seeds = spec.seeds.clone().unwrap_or_else(|| vec![PeerId(0)]);
        let is_full = |part: &Part| part.config.bootstrap == Bootstrap::Full;
        let roster = members
            .iter()
            .any(is_full)
            .then(|| roster(scenario, &members));
        Self {
            members,
            seeds: seeds.into(),
            roster,
            scheme: key_scheme(scenario),
            rules: PhantomData,
        }
    }
}

fn roster(scenario: &Scenario, members: &[Part]) -> Roster {
    let (key, scheme) = (RunKey::from_seed(scenario.seed), key_scheme(scenario));
    Roster::sign((0..).map(PeerId).zip(members).map(|(peer, part)| {
        let keys = Keys::new(scheme.clone(), identity_seed(key, peer));
        (peer, part.nickname.clone(), keys)
    }))
}

impl<R: SwimRules> Cast for SwimCast<R> {
    type Machine = Swim<R>;

    fn machine(&self, peer: PeerId) -> Swim<R> {
        let part = &self.members[peer.index()];
        let (config, nickname, seeds) = (
            part.config.clone(),
            part.nickname.clone(),
            self.seeds.clone(),
        );
        match (part.config.bootstrap, &self.roster) {
            (Bootstrap::Full, Some(roster)) => {
                Swim::with_roster(config, peer, nickname, seeds, roster.clone())
            }
            (Bootstrap::Full, None) | (Bootstrap::Seeds, _) => {
                Swim::new(config, peer, nickname, seeds)
            }
        }
    }

    fn protocol(&self) -> &'static str {
        "swim"
    }

    fn starts_at(&self, peer: PeerId) -> SimTime {
        self.members[peer.index()].starts_at
    }

    fn forge(&self) -> Arc<dyn Forge<Swim<R>>> {
        let timeouts = self.members.iter().map(|part| part.config.probe_timeout);
        let periods = self.members.iter().map(|part| part.config.protocol_period);
        Arc::new(SwimForge {
            patience: timeouts.min().unwrap_or_default(),
            period: periods.min().unwrap_or_default(),
        })
    }

    fn key_scheme(&self) -> KeyScheme {
        self.scheme.clone()
    }

    fn request(&self, name: &str) -> Option<SwimRequest> {
        match name {
            "leave" => Some(SwimRequest::Leave),
            "join" => Some(SwimRequest::Join {
                seeds: self.seeds.to_vec(),
            }),
            _ => None,
        }
    }
}
