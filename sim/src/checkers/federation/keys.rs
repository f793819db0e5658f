//! Who knows since when that a key is over, whether that binds whoever knows, and whether anybody is
//! made to believe of a key what its owner and its organisation never said.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::federation::identity::{IdentityRecord, Registry};
use fedsim_protocols::federation::rules::Strict;
use fedsim_protocols::federation::terms::Organisation;
use fedsim_protocols::{Identity, PeerId, SimDuration};
use fedsim_record::ConvergenceRow;

use crate::checkers::{Ledger, Survival};
use crate::runner::{Fates, KeyEnd, WatchReport, seconds};
use crate::time::SimTime;

/// Nothing is done for a key after whoever does it has learnt that the key was revoked.
pub(super) const REVOCATION: &str = "federation/revocation";
/// Nothing is done for a key after whoever does it has learnt who its heir is.
pub(super) const SUCCESSION: &str = "federation/succession";
/// Nobody takes the key of an honest peer for ended while it is not, nor a stranger for a member.
pub(super) const TRUE_KEYS: &str = "federation/true-keys";

/// Nobody keeps more of what strangers say of themselves than there is room for.
pub(super) const STRANGERS: &str = "federation/strangers";

/// What is known of one way in which keys end.
struct Track {
    ledger: Ledger,
    spread: Survival,
    slowest: SimDuration,
    done_after: u64,
}

impl Track {
    fn new(name: &'static str) -> Self {
        Self {
            ledger: Ledger::new(name),
            spread: Survival::default(),
            slowest: SimDuration::ZERO,
            done_after: 0,
        }
    }
}

/// Follows what is said of keys from peer to peer.
pub(super) struct KeyWatch {
    fates: Fates,
    names: Vec<String>,
    /// The organisation of each peer, numbered as they appear.
    organisations: Vec<Organisation>,
    liars: BTreeSet<PeerId>,
    learnt: BTreeMap<(PeerId, Identity), SimTime>,
    /// Who has ever learnt that a key is over; the first one tells the others.
    told: BTreeMap<Identity, (SimTime, BTreeSet<PeerId>)>,
    revocation: Track,
    succession: Track,
    truth: Ledger,
    /// The heirs that were named for a key, as far as a peer has heard.
    heirs: BTreeMap<(PeerId, Identity), BTreeSet<Identity>>,
    disputed: u64,
    /// How many strangers each peer has heard of.
    strangers: BTreeMap<PeerId, usize>,
    crowd: Ledger,
    refused: u64,
    curves: Vec<ConvergenceRow>,
}

fn numbered(names: &[String]) -> Vec<Organisation> {
    let mut known: Vec<&String> = Vec::new();
    let mut numbers = Vec::new();
    for name in names {
        let place = known.iter().position(|it| *it == name);
        let place = place.unwrap_or(known.len());
        if place == known.len() {
            known.push(name);
        }
        numbers.push(Organisation(place as u16));
    }
    numbers
}

impl KeyWatch {
    pub(super) const METRICS: &'static [&'static str] = &[
        "revocation_learnt",
        "revocation_spread_p50_ms",
        "revocation_spread_p99_ms",
        "revocation_spread_max_ms",
        "done_for_revoked",
        "succession_learnt",
        "succession_spread_p50_ms",
        "succession_spread_p99_ms",
        "succession_spread_max_ms",
        "done_under_old_key",
        "key_records_refused",
        "keys_disputed",
    ];

    pub(super) fn new(
        fates: Fates,
        (names, organisations): (Vec<String>, &[String]),
        liars: BTreeSet<PeerId>,
    ) -> Self {
        Self {
            fates,
            names,
            organisations: numbered(organisations),
            liars,
            learnt: BTreeMap::new(),
            told: BTreeMap::new(),
            revocation: Track::new(REVOCATION),
            succession: Track::new(SUCCESSION),
            truth: Ledger::new(TRUE_KEYS),
            heirs: BTreeMap::new(),
            disputed: 0,
            strangers: BTreeMap::new(),
            crowd: Ledger::new(STRANGERS),
            refused: 0,
            curves: Vec::new(),
        }
    }

    fn track(&mut self, by: KeyEnd) -> &mut Track {
        match by {
            KeyEnd::Revocation => &mut self.revocation,
            KeyEnd::Succession => &mut self.succession,
        }
    }

    /// `by` has learnt a record, after which its subject has this heir and may act or not.
    pub(super) fn said(
        &mut self,
        at: SimTime,
        by: PeerId,
        record: &IdentityRecord,
        (heir, is_barred): (Option<Identity>, bool),
    ) {
        let subject = record.subject();
        match record {
            IdentityRecord::Succession { said, .. } => {
                let heirs = self.heirs.entry((by, subject)).or_default();
                if heirs.insert(said.heir.identity()) && heirs.len() > 1 {
                    self.disputed += u64::from(heirs.len() == 2);
                    self.truth.exercise();
                    if heir.is_some() || !is_barred {
                        let story = || "follows a key that named two heirs".to_owned();
                        self.truth.breach(at, &[by], story);
                    }
                }
            }
            IdentityRecord::Revocation { said } => {
                let owner = self.fates.owner(subject);
                let own = owner.map(|owner| self.organisations[owner.index()]);
                let end = self.fates.end(subject);
                let is_real =
                    end.is_some_and(|(since, how)| how == KeyEnd::Revocation && since <= at);
                if is_real && own == Some(said.organisation) && !is_barred {
                    let story = || "takes no notice of a revocation".to_owned();
                    self.revocation.ledger.breach(at, &[by], story);
                }
            }
            IdentityRecord::Introduction { .. } => self.introduced(at, by, subject),
            IdentityRecord::Enrolment { .. } => {}
        }
    }

    fn introduced(&mut self, at: SimTime, by: PeerId, who: Identity) {
        if self.fates.owner(who).is_some() {
            return;
        }
        let known = self.strangers.entry(by).or_default();
        *known += 1;
        self.crowd.exercise();
        if *known > Registry::<Strict>::STRANGERS_MAX {
            let story = || format!("keeps what {known} strangers say of themselves");
            self.crowd.breach(at, &[by], story);
        }
    }

    /// `by` has learnt something of the key of `subject`.
    pub(super) fn learnt(
        &mut self,
        at: SimTime,
        by: PeerId,
        subject: Identity,
        (is_barred, is_member): (bool, bool),
    ) {
        self.truth.exercise();
        let owner = self.fates.owner(subject);
        if owner.is_none() && is_member {
            self.truth
                .breach(at, &[by], || "took a stranger for a member".to_owned());
        }
        let Some(owner) = owner.filter(|_| is_barred) else {
            return;
        };
        let Some((since, ended)) = self.fates.end(subject).filter(|(since, _)| *since <= at) else {
            if !self.liars.contains(&owner) {
                self.truth.breach(at, &[owner, by], || {
                    format!("took the key of {owner} for ended, who still acts under it")
                });
            }
            return;
        };
        self.learnt.entry((by, subject)).or_insert(at);
        if by != owner || ended == KeyEnd::Succession {
            self.spread(at, by, (subject, owner), (since, ended));
        }
    }

    /// `by` has learnt who takes the place of a key, if anybody.
    pub(super) fn named(
        &mut self,
        at: SimTime,
        by: PeerId,
        subject: Identity,
        heir: Option<Identity>,
    ) {
        let Some(owner) = heir.and_then(|heir| self.fates.owner(heir)) else {
            return;
        };
        if self.fates.owner(subject) != Some(owner) && !self.liars.contains(&owner) {
            self.truth.breach(at, &[owner, by], || {
                format!("took {owner} for the heir of another")
            });
        }
    }

    fn spread(
        &mut self,
        at: SimTime,
        by: PeerId,
        (subject, owner): (Identity, PeerId),
        (since, ended): (SimTime, KeyEnd),
    ) {
        // A key is over when its owner or its organisation says so to the first peer.
        let told = self.told.entry(subject);
        let (first, peers) = told.or_insert_with(|| (at.max(since), BTreeSet::new()));
        let (first, is_new) = (*first, peers.insert(by));
        if !is_new {
            return;
        }
        let what = match ended {
            KeyEnd::Revocation => "was revoked".to_owned(),
            KeyEnd::Succession => {
                let number = self.fates.heirs_up_to(owner, since) + 1;
                format!("took up key {number}")
            }
        };
        // Whoever was revoked may be told by nobody, and what liars know counts for nothing.
        let is_asked = |peer: &PeerId| {
            let is_out = *peer == owner && ended == KeyEnd::Revocation;
            !is_out && !self.liars.contains(peer)
        };
        let know = peers.iter().filter(|peer| is_asked(peer)).count();
        let all = (0..self.names.len() as u32).map(PeerId);
        self.curves.push(ConvergenceRow {
            subject: format!("{} {what}", self.names[owner.index()]),
            at_s: seconds(at),
            share: know as f64 / all.filter(is_asked).count() as f64,
        });
        if by != owner {
            let took = at.since(first);
            let track = self.track(ended);
            track.spread.complete(took);
            track.slowest = track.slowest.max(took);
        }
    }

    /// `by` began something under the key of `source`, or it took effect.
    pub(super) fn done(&mut self, at: SimTime, by: PeerId, source: Identity) {
        let Some((_, ended)) = self.fates.end(source) else {
            return;
        };
        let Some(owner) = self.fates.owner(source) else {
            return;
        };
        let is_over = self.told.contains_key(&source);
        let known = self.learnt.get(&(by, source)).copied();
        let track = self.track(ended);
        track.done_after += u64::from(is_over);
        if let Some(known) = known {
            track.ledger.exercise();
            track.ledger.breach(at, &[owner, by], || {
                let since = at.since(known);
                format!("did something under a key of {owner} {since} after learning of its end")
            });
        }
    }

    /// An envelope under the key of `source` was refused.
    pub(super) fn refused(&mut self, by: PeerId, source: Identity) {
        let is_known = self.learnt.contains_key(&(by, source));
        if let Some((_, ended)) = self.fates.end(source).filter(|_| is_known) {
            self.track(ended).ledger.exercise();
        }
    }

    /// An input was refused for `reason`.
    pub(super) fn rejected(&mut self, reason: &str) {
        if matches!(
            reason,
            "forged-record"
                | "not-root"
                | "heir-disagrees"
                | "nickname-too-long"
                | "too-many-strangers"
        ) {
            self.refused += 1;
            self.truth.exercise();
        }
    }

    /// A peer forgot what its disk does not hold.
    pub(super) fn restarted(&mut self, peer: PeerId) {
        self.learnt.retain(|(by, _), _| *by != peer);
        self.heirs.retain(|(by, _), _| *by != peer);
        self.strangers.remove(&peer);
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        for ledger in [
            &self.revocation.ledger,
            &self.succession.ledger,
            &self.truth,
            &self.crowd,
        ] {
            report.findings.push(ledger.clone().finding());
        }
        report.metric("key_records_refused", self.refused as f64);
        report.metric("keys_disputed", self.disputed as f64);
        for (place, by) in [(0, KeyEnd::Revocation), (5, KeyEnd::Succession)] {
            if !self.fates.include(by) {
                continue;
            }
            let track = self.track(by);
            let learnt = track.spread.completed() as f64;
            let spread = std::mem::take(&mut track.spread).estimate();
            let slowest = track.slowest.as_nanos() as f64 / 1e6;
            let done = track.done_after as f64;
            report.metric(Self::METRICS[place], learnt);
            report.metric(Self::METRICS[place + 1], spread.quantile_ms(0.5));
            report.metric(Self::METRICS[place + 2], spread.quantile_ms(0.99));
            report.metric(Self::METRICS[place + 3], slowest);
            report.metric(Self::METRICS[place + 4], done);
        }
        report.tables.convergence.append(&mut self.curves);
    }
}
