//! Who owns what under which epoch, and whether keepers let anybody in whose epoch is over.

use std::collections::BTreeMap;

use fedsim_protocols::federation::ownership::Resource;
use fedsim_protocols::stack::StackEvent;
use fedsim_protocols::{Identity, PeerId};

use crate::checkers::Ledger;
use crate::runner::WatchReport;
use crate::time::SimTime;

/// An epoch has one owner, and what a keeper lets pass goes from epoch to later epoch.
pub(super) const FENCING: &str = "federation/fencing";

/// Nobody uses what another has begun to use under a later epoch, whatever their clocks say.
pub(super) const ONE_OWNER: &str = "federation/one-owner";

/// Checks and counts what owners do.
pub(super) struct Fencing {
    fencing: Ledger,
    owners: BTreeMap<(Resource, u64), Identity>,
    highest: BTreeMap<(PeerId, Resource), u64>,
    one_owner: Ledger,
    /// The latest epoch under which anybody used something.
    used: BTreeMap<Resource, u64>,
    counts: BTreeMap<&'static str, u64>,
}

impl Fencing {
    pub(super) const METRICS: &'static [&'static str] =
        &["leases_granted", "touches_passed", "touches_fenced_off"];

    pub(super) fn new() -> Self {
        Self {
            fencing: Ledger::new(FENCING),
            one_owner: Ledger::new(ONE_OWNER),
            used: BTreeMap::new(),
            owners: BTreeMap::new(),
            highest: BTreeMap::new(),
            counts: Self::METRICS.iter().map(|name| (*name, 0)).collect(),
        }
    }

    /// An honest peer reports.
    pub(super) fn heard(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        match event {
            StackEvent::LeaseGranted {
                resource,
                owner,
                epoch,
            } => self.granted(at, peer, (*resource, *epoch), *owner),
            StackEvent::Touched {
                resource,
                epoch,
                passes,
            } => self.touched(at, peer, *resource, (*epoch, *passes)),
            StackEvent::Used { resource, epoch } => self.used(at, peer, *resource, *epoch),
            _ => {}
        }
    }

    fn granted(&mut self, at: SimTime, peer: PeerId, name: (Resource, u64), owner: Identity) {
        self.fencing.exercise();
        let known = *self.owners.entry(name).or_insert(owner);
        if known != owner {
            let (Resource(resource), epoch) = name;
            self.fencing.breach(at, &[peer], || {
                format!("resource {resource} has two owners of epoch {epoch}")
            });
        }
        let granted = self.owners.len() as u64;
        self.counts.insert("leases_granted", granted);
    }

    fn used(&mut self, at: SimTime, peer: PeerId, resource: Resource, epoch: u64) {
        self.one_owner.exercise();
        let latest = self.used.entry(resource).or_insert(epoch);
        let before = *latest;
        *latest = before.max(epoch);
        if epoch < before {
            let Resource(resource) = resource;
            self.one_owner.breach(at, &[peer], || {
                format!(
                    "uses resource {resource} under epoch {epoch}, and epoch {before} has begun"
                )
            });
        }
    }

    fn touched(
        &mut self,
        at: SimTime,
        peer: PeerId,
        resource: Resource,
        (epoch, passes): (u64, bool),
    ) {
        let name = match passes {
            true => "touches_passed",
            false => "touches_fenced_off",
        };
        *self.counts.entry(name).or_default() += 1;
        if !passes {
            return;
        }
        self.fencing.exercise();
        let highest = self.highest.entry((peer, resource)).or_default();
        let before = *highest;
        *highest = before.max(epoch);
        if epoch < before {
            let Resource(resource) = resource;
            self.fencing.breach(at, &[peer], || {
                format!("resource {resource} was used under epoch {epoch} after epoch {before}")
            });
        }
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        report.findings.push(self.fencing.clone().finding());
        report.findings.push(self.one_owner.clone().finding());
        for (name, count) in &self.counts {
            report.metric(name, *count as f64);
        }
    }
}
