//! Whether the council's roster follows what becomes of keys, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::{Identity, PeerId, SimDuration};

use crate::checkers::{Ledger, Survival};
use crate::runner::{Fates, KeyEnd, WatchReport};
use crate::time::SimTime;

/// Every seat of a council belongs to the peer whose key it names, and only a revocation ends one.
pub(super) const SEATS: &str = "federation/seats";

/// Follows the rosters of a council's members.
pub(super) struct Seats {
    fates: Fates,
    liars: BTreeSet<PeerId>,
    /// Who was revoked before the run.
    revoked: BTreeSet<PeerId>,
    ledger: Ledger,
    /// When an honest peer first learnt that a key is over.
    told: BTreeMap<Identity, SimTime>,
    /// Who seats that key no more.
    followed: BTreeSet<(PeerId, Identity)>,
    spread: Survival,
    slowest: SimDuration,
    epochs: u64,
}

impl Seats {
    pub(super) const METRICS: &'static [&'static str] = &[
        "council_epochs",
        "seats_followed",
        "seats_spread_p50_ms",
        "seats_spread_p99_ms",
        "seats_spread_max_ms",
    ];

    pub(super) fn new(fates: Fates, liars: BTreeSet<PeerId>, revoked: &[PeerId]) -> Self {
        Self {
            fates,
            liars,
            revoked: revoked.iter().copied().collect(),
            ledger: Ledger::new(SEATS),
            told: BTreeMap::new(),
            followed: BTreeSet::new(),
            spread: Survival::default(),
            slowest: SimDuration::ZERO,
            epochs: 0,
        }
    }

    /// An honest peer has learnt something of a key.
    pub(super) fn learnt(&mut self, at: SimTime, subject: Identity) {
        let ends = self.fates.end(subject);
        if ends.is_some_and(|(since, _)| since <= at) {
            self.told.entry(subject).or_insert(at);
        }
    }

    /// The roster of an honest member names these from now on.
    pub(super) fn changed(
        &mut self,
        at: SimTime,
        by: PeerId,
        epoch: u64,
        seats: &BTreeMap<PeerId, Identity>,
    ) {
        self.epochs = self.epochs.max(epoch);
        self.judge(at, by, seats);
        let told: Vec<(Identity, SimTime)> = self.told.iter().map(|(k, at)| (*k, *at)).collect();
        for (key, since) in told {
            let owner = self.fates.owner(key);
            let sits = owner.is_some_and(|owner| seats.get(&owner) == Some(&key));
            if !sits && self.followed.insert((by, key)) {
                let took = at.since(since);
                self.spread.complete(took);
                self.slowest = self.slowest.max(took);
            }
        }
    }

    fn judge(&mut self, at: SimTime, by: PeerId, seats: &BTreeMap<PeerId, Identity>) {
        self.ledger.exercise();
        let owners = self.fates.owners().values();
        let honest: BTreeSet<PeerId> = owners
            .copied()
            .filter(|it| !self.liars.contains(it))
            .collect();
        for owner in honest {
            let is_right = match seats.get(&owner) {
                Some(key) => self.fates.owner(*key) == Some(owner),
                None => self.is_revoked(owner, at),
            };
            if !is_right {
                let story = || format!("seats another in the place of {owner}, or nobody");
                self.ledger.breach(at, &[owner, by], story);
            }
        }
    }

    fn is_revoked(&self, peer: PeerId, at: SimTime) -> bool {
        let mut all = self.fates.owners().iter();
        self.revoked.contains(&peer)
            || all.any(|(key, owner)| {
                let end = self.fates.end(*key).filter(|_| *owner == peer);
                end.is_some_and(|(since, how)| since <= at && how == KeyEnd::Revocation)
            })
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        report.findings.push(self.ledger.clone().finding());
        let has_ends =
            self.fates.include(KeyEnd::Revocation) || self.fates.include(KeyEnd::Succession);
        if self.epochs == 0 && !has_ends {
            return;
        }
        let followed = self.spread.completed() as f64;
        let spread = std::mem::take(&mut self.spread).estimate();
        let slowest = self.slowest.as_nanos() as f64 / 1e6;
        let values = [
            Some(self.epochs as f64),
            Some(followed),
            spread.quantile_ms(0.5),
            spread.quantile_ms(0.99),
            Some(slowest),
        ];
        for (name, value) in Self::METRICS.iter().zip(values) {
            report.metric(name, value);
        }
    }
}
