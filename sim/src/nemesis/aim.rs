//! Whom a fault hits. Must not know what hits them.

use std::collections::BTreeMap;

use fedsim_protocols::{PeerId, Stream};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Fault, Partition, PeerSpec, Role, Select};

use crate::time::SimTime;

/// Who there is, and who reported what last.
#[derive(Debug)]
pub(super) struct Aim {
    slots: usize,
    members: Vec<PeerId>,
    regions: BTreeMap<String, Vec<PeerId>>,
    organisations: BTreeMap<String, Vec<PeerId>>,
    /// Reports of the events that faults aim by: when and by whom.
    reports: BTreeMap<String, Vec<(SimTime, PeerId)>>,
}

impl Aim {
    /// The peers of `scenario`, and nothing reported.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let slots = (0..).map(PeerId).zip(&scenario.peers);
        let members = slots.filter(|(_, peer)| peer.role == Role::Member);
        let aimed = scenario.faults.iter().flat_map(|spec| selects(&spec.fault));
        let names = aimed.filter_map(|select| match select {
            Select::LastToReport(name) => Some((name.clone(), Vec::new())),
            Select::Peers(_)
            | Select::Random { .. }
            | Select::Trigger
            | Select::Region(_)
            | Select::Organisation(_) => None,
        });
        Self {
            members: members.map(|(slot, _)| slot).collect(),
            reports: names.collect(),
            slots: scenario.peers.len(),
            regions: grouped(scenario, |peer| &peer.region),
            organisations: grouped(scenario, |peer| &peer.organisation),
        }
    }

    /// All members, by slot.
    pub(super) fn members(&self) -> &[PeerId] {
        &self.members
    }

    /// How many peers there are, clients included.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Whether some fault aims by events of this name.
    pub(super) fn listens_to(&self, name: &str) -> bool {
        self.reports.contains_key(name)
    }

    /// `peer` reported `name` at `at`.
    pub(super) fn note(&mut self, at: SimTime, peer: PeerId, name: &str) {
        if let Some(reports) = self.reports.get_mut(name) {
            reports.push((at, peer));
        }
    }

    /// Forgets reports that later ones up to `horizon` have replaced; nobody will ask for an
    /// earlier horizon.
    pub(super) fn forget_before(&mut self, horizon: SimTime) {
        for reports in self.reports.values_mut() {
            let latest = latest(reports, horizon);
            reports.retain(|report| report.0 > horizon || Some(*report) == latest);
        }
    }

    /// Whom `select` means, ascending, by what was known at `horizon`.
    pub(super) fn select(
        &self,
        select: &Select,
        horizon: SimTime,
        trigger: Option<PeerId>,
        dice: &mut Stream,
    ) -> Vec<PeerId> {
        let mut chosen = match select {
            Select::Peers(peers) => peers.clone(),
            Select::Random { count, of } => {
                let mut order = of.clone();
                dice.shuffle(&mut order);
                order.truncate(*count as usize);
                order
            }
            Select::LastToReport(name) => {
                let reports = self.reports.get(name);
                let last = reports.and_then(|reports| latest(reports, horizon));
                last.map(|report| report.1).into_iter().collect()
            }
            Select::Trigger => trigger.into_iter().collect(),
            Select::Region(name) => self.region(name),
            Select::Organisation(name) => self.organisations.get(name).cloned().unwrap_or_default(),
        };
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// All peers of a region.
    pub(super) fn region(&self, name: &str) -> Vec<PeerId> {
        self.regions.get(name).cloned().unwrap_or_default()
    }
}

/// The slots of each group that `name` puts peers into, ascending.
fn grouped(
    scenario: &Scenario,
    name: impl Fn(&PeerSpec) -> &String,
) -> BTreeMap<String, Vec<PeerId>> {
    let mut groups: BTreeMap<String, Vec<PeerId>> = BTreeMap::new();
    for (slot, peer) in (0..).map(PeerId).zip(&scenario.peers) {
        match groups.get_mut(name(peer)) {
            Some(group) => group.push(slot),
            None => drop(groups.insert(name(peer).clone(), vec![slot])),
        }
    }
    groups
}

/// The last report up to `horizon`; of those at one moment that of the highest slot.
fn latest(reports: &[(SimTime, PeerId)], horizon: SimTime) -> Option<(SimTime, PeerId)> {
    reports
        .iter()
        .copied()
        .filter(|report| report.0 <= horizon)
        .max()
}

/// The selections that a fault makes.
pub(super) fn selects(fault: &Fault) -> Vec<&Select> {
    match fault {
        Fault::Partition(cut) | Fault::Flapping { cut, .. } => match cut {
            Partition::Bridge { over: one }
            | Partition::Isolate(one)
            | Partition::StarAround(one) => vec![one],
            Partition::OneWay { from, to } => vec![from, to],
            Partition::Halves
            | Partition::Sides(_)
            | Partition::MajorityRing
            | Partition::Chain => Vec::new(),
        },
        Fault::Crash(peers)
        | Fault::Wipe(peers)
        | Fault::Pause(peers)
        | Fault::ClockJump { peers, .. }
        | Fault::LatencyStorm { peers, .. }
        | Fault::LossStorm { peers, .. }
        | Fault::Links { peers, .. }
        | Fault::Slow { peers, .. }
        | Fault::Disk { peers, .. }
        | Fault::Request { peers, .. } => vec![peers],
        Fault::RegionOutage(_) | Fault::Turn { .. } => Vec::new(),
    }
}
