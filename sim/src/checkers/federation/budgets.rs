//! What is spent in whose name, held against what the scenario lets it cost.
//!
//! What a ledger says counts for nothing: what was spent is counted where it was spent, and counts as
//! reported when the report arrives. A reservation stands for five minutes; what is reported after
//! that was late, and may carry the sum beyond the cap, but nothing may be begun then. Liars keep
//! their own accounts: what is spent on those nobody can promise.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::federation::budget::LEASE_MAX;
use fedsim_protocols::federation::terms::{ActionId, Amount};
use fedsim_protocols::stack::StackEvent;
use fedsim_protocols::{Identity, PeerId, SimDuration};
use fedsim_record::SampleRow;
use fedsim_scenarios::spec::FederationSpec;

use super::lineage::Lineage;
use crate::checkers::{Ledger, Thinned};
use crate::runner::{WatchReport, seconds};
use crate::time::SimTime;

/// Nothing is begun that could carry what was spent and set aside above the cap, on what nobody
/// asked for, or further from its source than it may go.
pub(super) const WITHIN: &str = "federation/within-budget";

/// A reservation is made before the work begins: this much earlier at most.
const REQUESTED_BEFORE: SimDuration = SimDuration::from_secs(60);
/// Points kept of all organisations.
const POINTS: usize = 10_000;

/// What one action may cost, or did.
#[derive(Clone, Copy)]
struct Open {
    amount: Amount,
    since: SimTime,
}

/// What is spent in one peer's name.
#[derive(Clone, Default)]
struct Account {
    /// By actions whose cost was not reported.
    open: BTreeMap<ActionId, Open>,
    reported: Amount,
    spent: Amount,
}

impl Account {
    /// What was reported, or is set aside at `at`.
    fn used(&self, at: SimTime) -> Amount {
        let stands = |open: &&Open| at.since(open.since) + REQUESTED_BEFORE < LEASE_MAX;
        let open = self.open.values().filter(stands);
        open.fold(self.reported, |sum, open| sum + open.amount)
    }
}

/// Checks and counts what is spent.
pub(super) struct Budgets {
    spec: FederationSpec,
    /// Those whose accounts are judged.
    peers: BTreeMap<Identity, PeerId>,
    organisations: Vec<String>,
    within: Ledger,
    accounts: BTreeMap<PeerId, Account>,
    spent: BTreeMap<String, f64>,
    counts: BTreeMap<&'static str, u64>,
    points: Thinned<SampleRow>,
}

impl Budgets {
    pub(super) const METRICS: &'static [&'static str] = &[
        "actions_handed_on",
        "hops_deepest",
        "spendings_begun",
        "spendings_done",
        "spent_micro_usd",
        "budget_refusals",
    ];

    /// Of peers that belong to `organisations`; some are liars.
    pub(super) fn new(
        spec: FederationSpec,
        mut peers: BTreeMap<Identity, PeerId>,
        organisations: Vec<String>,
        liars: &BTreeSet<PeerId>,
    ) -> Self {
        peers.retain(|_, peer| !liars.contains(peer));
        Self {
            spec,
            peers,
            organisations,
            within: Ledger::new(WITHIN),
            accounts: BTreeMap::new(),
            spent: BTreeMap::new(),
            counts: Self::METRICS.iter().map(|name| (*name, 0)).collect(),
            points: Thinned::new(POINTS),
        }
    }

    fn count(&mut self, name: &'static str, more: u64) {
        *self.counts.entry(name).or_default() += more;
    }

    /// Whether anybody's spending is bounded.
    fn is_idle(&self) -> bool {
        self.spec.budgets.is_empty()
    }

    /// An honest peer reports.
    pub(super) fn heard(
        &mut self,
        at: SimTime,
        peer: PeerId,
        event: &StackEvent,
        lineage: &Lineage,
    ) {
        match event {
            StackEvent::HandedOn { .. } => self.count("actions_handed_on", 1),
            StackEvent::BudgetRefused { .. } => self.count("budget_refusals", 1),
            StackEvent::SpendingBegun {
                action,
                issuer,
                amount,
            } => {
                self.count("spendings_begun", 1);
                let sources = lineage.sources(*action);
                let deepest = sources.len().saturating_sub(1) as u64;
                let so_far = self.counts.entry("hops_deepest").or_default();
                *so_far = deepest.max(*so_far);
                if let Some(issuer) = self.peers.get(issuer).copied() {
                    self.begun(at, peer, issuer, (*action, *amount), &sources);
                }
            }
            StackEvent::Spent {
                action,
                issuer,
                amount,
            } => {
                self.count("spendings_done", 1);
                self.count("spent_micro_usd", amount.money.0);
                if let Some(issuer) = self.peers.get(issuer).copied() {
                    self.spent(at, issuer, *action, *amount);
                }
            }
            StackEvent::CostReported { action } => self.reported(peer, *action),
            _ => {}
        }
    }

    fn begun(
        &mut self,
        at: SimTime,
        peer: PeerId,
        issuer: PeerId,
        (action, amount): (ActionId, Amount),
        sources: &[PeerId],
    ) {
        let Some(budget) = self.spec.budget_of(issuer) else {
            return;
        };
        let (cap, hops) = (budget.cap, usize::from(budget.hops));
        let account = self.accounts.entry(issuer).or_default();
        let used = account.used(at) + amount;
        let open = Open { amount, since: at };
        account.open.insert(action, open);
        self.within.exercise();
        let concerned = [issuer, peer];
        if sources.last() != Some(&issuer) {
            self.within.breach(at, &concerned, || {
                format!(
                    "began to spend {} of somebody who never asked for it",
                    amount.money
                )
            });
        } else if sources.len() > hops + 1 {
            let went = sources.len() - 1;
            self.within.breach(at, &concerned, || {
                format!("spent on what was handed on {went} times, and may be {hops} times")
            });
        } else if !used.fits(cap) {
            self.within.breach(at, &concerned, || {
                format!(
                    "{} spent and set aside of at most {}",
                    used.money, cap.money
                )
            });
        }
    }

    fn spent(&mut self, at: SimTime, issuer: PeerId, action: ActionId, amount: Amount) {
        let account = self.accounts.entry(issuer).or_default();
        account.spent = account.spent + amount;
        if let Some(open) = account.open.get_mut(&action) {
            open.amount = amount;
        }
        if self.is_idle() {
            return;
        }
        let organisation = &self.organisations[issuer.index()];
        let spent = self.spent.entry(organisation.clone()).or_default();
        *spent += amount.money.0 as f64 / 1e6;
        let value = *spent;
        self.points.push(|| spent_by(organisation, at, value));
    }

    fn reported(&mut self, issuer: PeerId, action: ActionId) {
        let Some(account) = self.accounts.get_mut(&issuer) else {
            return;
        };
        if let Some(open) = account.open.remove(&action) {
            account.reported = account.reported + open.amount;
        }
    }

    /// The caps, over the whole run.
    fn caps(&self, ended_at: SimTime) -> Vec<SampleRow> {
        let mut caps: BTreeMap<&str, f64> = BTreeMap::new();
        for (peer, organisation) in self.organisations.iter().enumerate() {
            if let Some(budget) = self.spec.budget_of(PeerId(peer as u32)) {
                *caps.entry(organisation).or_default() += budget.cap.money.0 as f64 / 1e6;
            }
        }
        let ends = [SimTime::ZERO, ended_at];
        let rows = caps.into_iter().flat_map(|(organisation, value)| {
            ends.map(|at| SampleRow {
                series: format!("budgets/cap of {organisation}"),
                unit: "USD".to_owned(),
                at_s: seconds(at),
                value,
            })
        });
        rows.collect()
    }

    pub(super) fn finish(&mut self, ended_at: SimTime, report: &mut WatchReport) {
        report.findings.push(self.within.clone().finding());
        for (name, count) in &self.counts {
            report.metric(name, *count as f64);
        }
        if self.is_idle() {
            return;
        }
        let mut rows = self.points.take();
        rows.extend(self.caps(ended_at));
        for (organisation, all) in &self.spent {
            rows.push(spent_by(organisation, SimTime::ZERO, 0.0));
            rows.push(spent_by(organisation, ended_at, *all));
        }
        rows.sort_by(|a, b| a.series.cmp(&b.series).then(a.at_s.cmp(&b.at_s)));
        report.tables.samples.append(&mut rows);
    }
}

/// What was spent by an organisation up to `at`, in USD.
fn spent_by(organisation: &str, at: SimTime, value: f64) -> SampleRow {
    SampleRow {
        series: format!("budgets/spent by {organisation}"),
        unit: "USD".to_owned(),
        at_s: seconds(at),
        value,
    }
}
