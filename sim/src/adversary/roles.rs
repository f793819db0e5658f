//! Who is Byzantine in a run, in which cabal, and what each entry of the scenario asks of them.
//!
//! Drawn from the run's seed before anything happens, so that checkers know whom to judge. Must not
//! know how anything is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fedsim_protocols::{PeerId, RunKey, SimDuration, Stream, StreamLabel};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::adversaries::BehaviourSettings;
use fedsim_scenarios::spec::{AdversarySpec, Behaviour, ProtocolSpec, Role as Seat, Who};

use super::network::Bounds;

/// One entry of `[[adversaries]]`, with everything drawn that is drawn once a run.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name in reports.
    pub label: String,
    /// Who plays it, ascending; nobody if it is the network's.
    pub peers: Vec<PeerId>,
    /// What they do.
    pub what: Vec<Behaviour>,
    /// How.
    pub settings: BehaviourSettings,
}

/// All that is Byzantine in a run.
#[derive(Clone, Debug)]
pub struct Conspiracy {
    /// By entry, in file order.
    pub roles: Arc<[Role]>,
    /// The members of each cabal, ascending; who acts alone is a cabal of one.
    pub cabals: Vec<Vec<PeerId>>,
    /// Whether some cabal overhears others, by cabal.
    listens: Vec<bool>,
    /// What the network may do, if it takes sides.
    pub(crate) bounds: Option<Bounds>,
    slots: u32,
}

/// The peers that do not keep to the protocol in this run.
pub fn byzantine(scenario: &Scenario) -> BTreeSet<PeerId> {
    let key = RunKey::from_seed(scenario.seed);
    let conspiracy = Conspiracy::new(scenario, key);
    conspiracy
        .into_iter()
        .flat_map(|it| it.cabals)
        .flatten()
        .collect()
}

fn stream(key: RunKey, purpose: &'static str, entry: usize) -> Stream {
    let label = StreamLabel {
        purpose,
        peer: entry as u32,
        incarnation: 0,
    };
    Stream::new(key, label)
}

impl Conspiracy {
    /// What `scenario` asks for in the run of `key`; none if it has no adversaries.
    pub fn new(scenario: &Scenario, key: RunKey) -> Option<Self> {
        if scenario.adversaries.is_empty() {
            return None;
        }
        let roles: Vec<Role> = (0..)
            .zip(&scenario.adversaries)
            .map(|(entry, spec)| Role {
                label: spec.label.clone(),
                peers: choose(scenario, spec, stream(key, "adversary/who", entry)),
                what: behaviours(scenario, spec, stream(key, "adversary/what", entry)),
                settings: spec.settings.clone(),
            })
            .collect();
        let cabals = cabals(&scenario.adversaries, &roles);
        let overhears = |cabal: &Vec<PeerId>| {
            let theirs = |role: &&Role| role.peers.iter().any(|peer| cabal.contains(peer));
            let mut roles = roles.iter().filter(theirs);
            roles.any(|role| role.what.iter().any(|what| what.overhears()))
        };
        Some(Self {
            listens: cabals.iter().map(overhears).collect(),
            bounds: Bounds::new(scenario, &roles),
            roles: roles.into(),
            cabals,
            slots: scenario.peers.len() as u32,
        })
    }

    /// The cabal of a peer, by number.
    pub fn cabal_of(&self, peer: PeerId) -> Option<usize> {
        self.cabals.iter().position(|cabal| cabal.contains(&peer))
    }

    /// Where the members of cabals live, unless everybody lives at his own place.
    pub(crate) fn homes(&self) -> Option<Homes> {
        let crowded = self.cabals.iter().any(|cabal| cabal.len() > 1);
        if !crowded && !self.listens.contains(&true) {
            return None;
        }
        let mut home: Vec<u32> = (0..self.slots).collect();
        for cabal in &self.cabals {
            cabal
                .iter()
                .for_each(|peer| home[peer.index()] = cabal[0].0);
        }
        let ears = (0..)
            .zip(&self.cabals)
            .filter(|(number, _)| self.listens[*number]);
        Some(Homes {
            home,
            ears: ears.map(|(_, cabal)| cabal[0].0).collect(),
        })
    }

    /// Whether a peer has a twin.
    pub(crate) fn has_twin(&self, peer: PeerId) -> bool {
        let twins =
            |role: &Role| role.peers.contains(&peer) && role.what.contains(&Behaviour::Twins);
        self.roles.iter().any(twins)
    }
}

/// In which seat each peer lives: members of a cabal in that of the first of them.
///
/// A cabal that overhears others gets copies of their messages, addressed to slots beyond all peers:
/// the number of the ear times the number of peers, plus the true receiver.
#[derive(Clone, Debug)]
pub(crate) struct Homes {
    home: Vec<u32>,
    ears: Vec<u32>,
}

impl Homes {
    /// The slot in whose seat a receiver lives.
    pub(crate) fn of(&self, to: PeerId) -> u32 {
        match self.home.get(to.index()) {
            Some(home) => *home,
            None => self.ears[to.index() / self.home.len() - 1],
        }
    }

    /// Who really got what was addressed to an ear.
    pub(crate) fn overheard(&self, to: PeerId) -> Option<PeerId> {
        let slots = self.home.len();
        (to.index() >= slots).then(|| PeerId((to.index() % slots) as u32))
    }

    /// The ears that overhear what `from` says to `to`: what a cabal's own say or hear needs no ear.
    pub(crate) fn ears(&self, from: PeerId, to: PeerId) -> impl Iterator<Item = PeerId> + '_ {
        let slots = self.home.len() as u32;
        let (from, receiver) = (self.home[from.index()], self.home[to.index()]);
        let ears = (1_u32..).zip(&self.ears);
        ears.filter(move |(_, home)| **home != from && **home != receiver)
            .map(move |(number, _)| PeerId(number * slots + to.0))
    }
}

fn choose(scenario: &Scenario, spec: &AdversarySpec, mut dice: Stream) -> Vec<PeerId> {
    let is_member = |peer: &PeerId| scenario.peers[peer.index()].role == Seat::Member;
    let mut draw = |count: usize, of: Vec<PeerId>| {
        let mut order = of;
        dice.shuffle(&mut order);
        order.truncate(count);
        order
    };
    let mut chosen = match &spec.who {
        Who::Peers(peers) => peers.clone(),
        Who::Drawn { count, of } => draw(*count as usize, of.clone()),
        Who::Share { fraction, of } => {
            let of: Vec<PeerId> = of.iter().copied().filter(is_member).collect();
            // A share is kept as the next lower multiple of 2^-53: 30% of ten are three.
            let count = of.len() as f64 * fraction.as_f64() + 1e-9;
            draw(count as usize, of)
        }
        Who::OnePerOrganisation => {
            let mut organisations: BTreeMap<&str, Vec<PeerId>> = BTreeMap::new();
            for peer in (0..scenario.peers.len() as u32)
                .map(PeerId)
                .filter(is_member)
            {
                let name = scenario.peers[peer.index()].organisation.as_str();
                organisations.entry(name).or_default().push(peer);
            }
            organisations
                .into_values()
                .flat_map(|of| draw(1, of))
                .collect()
        }
        Who::Network => Vec::new(),
    };
    chosen.sort_unstable();
    chosen
}

/// What is asked for, with draws in place of `random`.
fn behaviours(scenario: &Scenario, spec: &AdversarySpec, mut dice: Stream) -> Vec<Behaviour> {
    let mut what: Vec<Behaviour> = Vec::new();
    let protocols: Vec<&str> = scenario.protocols.iter().map(ProtocolSpec::name).collect();
    for behaviour in &spec.what {
        if *behaviour != Behaviour::Random {
            what.push(*behaviour);
            continue;
        }
        let mut all: Vec<Behaviour> = Behaviour::ALL
            .iter()
            .copied()
            .filter(|it| !it.is_of_network() && it.fits(&protocols))
            .filter(|it| !matches!(it, Behaviour::Random | Behaviour::CrashStop))
            .collect();
        dice.shuffle(&mut all);
        what.extend(all.into_iter().take(spec.settings.amount() as usize));
    }
    what.dedup();
    what
}

/// Entries with one name make one cabal; a peer in one of them brings along all its other entries.
fn cabals(specs: &[AdversarySpec], roles: &[Role]) -> Vec<Vec<PeerId>> {
    let mut named: BTreeMap<&str, BTreeSet<PeerId>> = BTreeMap::new();
    let mut all: BTreeSet<PeerId> = BTreeSet::new();
    for (spec, role) in specs.iter().zip(roles) {
        all.extend(&role.peers);
        if !spec.cabal.is_empty() {
            named.entry(&spec.cabal).or_default().extend(&role.peers);
        }
    }
    let mut cabals: Vec<Vec<PeerId>> = Vec::new();
    let mut placed: BTreeSet<PeerId> = BTreeSet::new();
    for members in named.into_values() {
        let members: Vec<PeerId> = members
            .into_iter()
            .filter(|peer| placed.insert(*peer))
            .collect();
        if !members.is_empty() {
            cabals.push(members);
        }
    }
    cabals.extend(
        all.into_iter()
            .filter(|peer| !placed.contains(peer))
            .map(|peer| vec![peer]),
    );
    cabals.sort_unstable();
    cabals
}

/// How long a machine is waited for, less a twentieth and the way there: just below a timeout.
pub(super) fn just_below(timeout: SimDuration, lookahead: SimDuration) -> SimDuration {
    (timeout - timeout / 20).saturating_sub(lookahead)
}
