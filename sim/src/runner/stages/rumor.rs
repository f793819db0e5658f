//! The cast of `[rumor]`, and those who start rumors.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use fedsim_protocols::rumor::{
    AsPublished, Partners, Rules, Rumor, RumorConfig, RumorReply, RumorRequest,
};
use fedsim_protocols::{PeerId, RequestId, RunKey, Stream};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{PerOrganisation, Role, Routing, Story, Topology};

use super::{Acted, Stage, Staged};
use crate::adversary::Forge;
use crate::adversary::rumor::RumorForge;
use crate::checkers::rumor::RumorWatch;
use crate::engine::{Cast, Workload};
use crate::network::Layout;
use crate::runner::RunFailure;
use crate::time::SimTime;

pub(super) fn stage<'a>(
    scenario: &'a Scenario,
    settings: &'a PerOrganisation<RumorConfig>,
) -> Result<Box<dyn Stage + 'a>, RunFailure> {
    if scenario.peers.iter().any(|peer| peer.role == Role::Client) {
        return Err(RunFailure::Unsupported(
            "[rumor] has no requests that clients could put".to_owned(),
        ));
    }
    let staged = Staged {
        scenario,
        cast: Box::new(|| RumorCast::<AsPublished>::new(scenario, settings)),
        watch: Box::new(|| RumorWatch::new(scenario, settings)),
    };
    match &scenario.story {
        Some(Story::Rumor(steps)) => Ok(Box::new(Acted { staged, steps })),
        Some(_) | None => Ok(Box::new(staged)),
    }
}

/// Builds peers that spread rumors by the rules `R`.
pub struct RumorCast<R = AsPublished> {
    peers: Vec<(Arc<RumorConfig>, SimTime)>,
    layout: Option<Layout>,
    starts: BTreeMap<PeerId, Vec<(SimTime, RumorRequest)>>,
    rules: PhantomData<fn() -> R>,
}

impl<R: Rules> RumorCast<R> {
    /// The peers of `scenario`, set as `settings` says.
    ///
    /// A peer calls its neighbours; everybody where messages find their way to everybody.
    pub fn new(scenario: &Scenario, settings: &PerOrganisation<RumorConfig>) -> Self {
        let base = Arc::new(settings.base.clone());
        let overrides = settings.overrides.iter();
        let overrides: BTreeMap<&str, Arc<RumorConfig>> = overrides
            .map(|(name, config)| (name.as_str(), Arc::new(config.clone())))
            .collect();
        let config = |organisation: &str| overrides.get(organisation).unwrap_or(&base).clone();
        let peers = scenario.peers.iter();
        let peers = peers.map(|peer| (config(&peer.organisation), SimTime::from(peer.starts_at)));
        let reaches_all = matches!(scenario.topology, Topology::Complete)
            || matches!(scenario.routing, Routing::Shortest);
        let layout = || Layout::new(scenario, RunKey::from_seed(scenario.seed));
        Self {
            peers: peers.collect(),
            layout: (!reaches_all).then(layout),
            starts: starts(scenario),
            rules: PhantomData,
        }
    }
}

/// What each peer is asked to spread, by time.
fn starts(scenario: &Scenario) -> BTreeMap<PeerId, Vec<(SimTime, RumorRequest)>> {
    let mut starts: BTreeMap<PeerId, Vec<(SimTime, RumorRequest)>> = BTreeMap::new();
    for start in &scenario.workload.rumors {
        let request = RumorRequest::Start {
            payload: start.rumor,
            size: u32::try_from(start.bytes).unwrap_or(u32::MAX),
        };
        for &peer in &start.peers {
            let at = SimTime::from(start.at);
            starts.entry(peer).or_default().push((at, request));
        }
    }
    starts
        .values_mut()
        .for_each(|list| list.sort_by_key(|(at, _)| *at));
    starts
}

impl<R: Rules> Cast for RumorCast<R> {
    type Machine = Rumor<R>;

    fn machine(&self, peer: PeerId) -> Rumor<R> {
        let partners = match &self.layout {
            None => Partners::Everyone {
                peers: self.peers.len() as u32,
            },
            Some(layout) => Partners::Neighbours(layout.neighbours(peer).into()),
        };
        Rumor::with_rules(Arc::clone(&self.peers[peer.index()].0), partners)
    }

    fn protocol(&self) -> &'static str {
        "rumor"
    }

    fn starts_at(&self, peer: PeerId) -> SimTime {
        self.peers[peer.index()].1
    }

    fn forge(&self) -> Arc<dyn Forge<Rumor<R>>> {
        let rounds = self.peers.iter().map(|(config, _)| config.period);
        Arc::new(RumorForge {
            round: rounds.min().unwrap_or_default(),
        })
    }

    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<Rumor<R>>>> {
        let starts = self.starts.get(&peer)?.clone();
        Some(Box::new(Teller { starts, next: 0 }))
    }
}

/// Somebody with rumors to tell.
struct Teller {
    starts: Vec<(SimTime, RumorRequest)>,
    next: usize,
}

impl Teller {
    fn due(&self) -> Option<SimTime> {
        self.starts.get(self.next).map(|(at, _)| *at)
    }
}

impl<R: Rules> Workload<Rumor<R>> for Teller {
    fn first(&mut self, _: &mut Stream) -> Option<SimTime> {
        self.due()
    }

    fn arrive(
        &mut self,
        _: SimTime,
        _: RequestId,
        _: &mut Stream,
    ) -> (RumorRequest, Option<SimTime>) {
        let (_, request) = self.starts[self.next];
        self.next += 1;
        (request, self.due())
    }

    fn answered(
        &mut self,
        _: SimTime,
        _: RequestId,
        _: &RumorReply,
        _: &mut Stream,
    ) -> Option<SimTime> {
        None
    }
}
