//! Completeness: whoever crashes is found out by everybody, in time; and how long that took.
//!
//! For each crash, every observer that lists the victim and stays up and connected must stop listing
//! it within the detection bound of its own probing time ([`super::pace`]), counted from the crash,
//! from the moment its links with the victim's place were whole again, or from the last Alive it
//! accepted, whichever is latest. An observer that crashes, leaves or sees the victim return before
//! that is let off: its latency is censored, never dropped.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_record::{DetectionRow, Milliseconds};
use fedsim_scenarios::Scenario;

use super::bounds::Bounds;
use super::group::{Change, Group, Standing};
use super::pace::Pace;
use crate::checkers::{Ledger, Survival};
use crate::runner::seconds;
use crate::time::SimTime;

/// Rows kept; of the rest only the latencies are.
const ROWS_KEPT: usize = 100_000;

/// One observer of one crash.
#[derive(Clone, Debug)]
struct Watcher {
    observer: PeerId,
    /// Whether it listed the victim when it crashed.
    from_the_crash: bool,
    suspected: Option<SimTime>,
    /// When it first held the victim for dead.
    detected: Option<SimTime>,
    /// The observer's probing time from which the bound counts; none while it owes nothing.
    owes_from: Option<u64>,
    connected: bool,
}

#[derive(Debug)]
struct Crash {
    at: SimTime,
    watchers: BTreeMap<PeerId, Watcher>,
}

/// Watches every crash.
pub(super) struct Detection {
    pub(super) ledger: Ledger,
    paces: Vec<Pace>,
    bounds: Vec<Bounds>,
    /// Members that a fault may slow down by an unknown amount.
    exempt: Vec<bool>,
    open: BTreeMap<PeerId, Crash>,
    pub(super) rows: Vec<DetectionRow>,
    pub(super) latencies: Survival,
    /// The first detection of each crash.
    pub(super) first: Survival,
    pub(super) not_in_rows: u64,
    names: Vec<String>,
}

impl Detection {
    pub(super) fn new(scenario: &Scenario, bounds: Vec<Bounds>, exempt: Vec<bool>) -> Self {
        let names = scenario.peers.iter().map(|peer| peer.nickname.clone());
        Self {
            ledger: Ledger::new(super::COMPLETENESS),
            paces: vec![Pace::default(); bounds.len()],
            bounds,
            exempt,
            open: BTreeMap::new(),
            rows: Vec::new(),
            latencies: Survival::default(),
            first: Survival::default(),
            not_in_rows: 0,
            names: names.collect(),
        }
    }

    pub(super) fn set_running(&mut self, at: SimTime, peer: PeerId, running: bool) {
        self.paces[peer.index()].run(at, running);
    }

    pub(super) fn set_score(&mut self, at: SimTime, peer: PeerId, score: u32) {
        let period = self.bounds[peer.index()].period;
        self.paces[peer.index()].set_score(at, score, period);
    }

    /// `victim`, a member until now, crashed. Who watches is judged from `group` before that.
    pub(super) fn crashed(
        &mut self,
        at: SimTime,
        victim: PeerId,
        group: &Group,
        connected: impl Fn(PeerId, PeerId) -> bool,
    ) {
        let lists = |observer: &PeerId| {
            *observer != victim
                && group.sees(*observer)
                && group.standing(*observer, victim).is_listed()
        };
        let watchers = group.peers().filter(lists).map(|observer| {
            let watcher = Watcher {
                observer,
                from_the_crash: true,
                suspected: None,
                detected: None,
                owes_from: Some(self.paces[observer.index()].at(at)),
                connected: connected(observer, victim),
            };
            (observer, watcher)
        });
        let watchers = watchers.collect();
        self.open.insert(victim, Crash { at, watchers });
    }

    /// An entry of a view changed; those about a crashed member matter here.
    pub(super) fn changed(&mut self, at: SimTime, change: &Change, connected: bool) {
        let Some(crash) = self.open.get_mut(&change.subject) else {
            return;
        };
        let pace = self.paces[change.observer.index()].at(at);
        let entry = crash.watchers.entry(change.observer);
        let watcher = entry.or_insert_with(|| Watcher {
            observer: change.observer,
            from_the_crash: false,
            suspected: None,
            detected: None,
            owes_from: None,
            connected,
        });
        match change.after {
            Standing::Alive => watcher.owes_from = Some(pace),
            Standing::Suspect => {
                watcher.suspected.get_or_insert(at);
                watcher.owes_from.get_or_insert(pace);
            }
            Standing::Unknown => {}
            Standing::Dead | Standing::Left => {
                watcher.detected.get_or_insert(at);
                let watcher = watcher.clone();
                self.settle(at, change.subject, &watcher);
                if let Some(crash) = self.open.get_mut(&change.subject)
                    && let Some(watcher) = crash.watchers.get_mut(&change.observer)
                {
                    watcher.owes_from = None;
                }
            }
        }
    }

    /// Judges an observer that has just detected, or still has not.
    fn settle(&mut self, at: SimTime, victim: PeerId, watcher: &Watcher) {
        let Some(from) = watcher.owes_from else {
            return;
        };
        let observer = watcher.observer;
        let late = self.is_late(at, observer, from) && watcher.connected;
        if late && !self.exempt[observer.index()] {
            let (who, whom) = (&self.names[observer.index()], &self.names[victim.index()]);
            let bound = self.bounds[observer.index()].detection;
            self.ledger.breach(at, &[observer, victim], || {
                format!("{who} did not find out within {bound} of probing that {whom} had crashed")
            });
        } else {
            self.ledger.exercise();
        }
    }

    fn is_late(&self, at: SimTime, observer: PeerId, from: u64) -> bool {
        let passed = self.paces[observer.index()].at(at).saturating_sub(from);
        passed > self.bounds[observer.index()].detection.as_nanos()
    }

    /// Looks for observers that are late; each is reported once.
    pub(super) fn look(&mut self, at: SimTime) {
        let mut late = Vec::new();
        for (victim, crash) in &self.open {
            for watcher in crash.watchers.values() {
                let owes = watcher.owes_from.filter(|_| watcher.connected);
                if owes.is_some_and(|from| self.is_late(at, watcher.observer, from)) {
                    late.push((*victim, watcher.clone()));
                }
            }
        }
        for (victim, watcher) in late {
            self.settle(at, victim, &watcher);
            self.let_off(victim, watcher.observer);
        }
    }

    fn let_off(&mut self, victim: PeerId, observer: PeerId) {
        if let Some(crash) = self.open.get_mut(&victim)
            && let Some(watcher) = crash.watchers.get_mut(&observer)
        {
            watcher.owes_from = None;
        }
    }

    /// The links changed: who was cut off and no longer is starts anew.
    pub(super) fn links_changed(
        &mut self,
        at: SimTime,
        connected: impl Fn(PeerId, PeerId) -> bool,
    ) {
        for (victim, crash) in &mut self.open {
            for watcher in crash.watchers.values_mut() {
                let is = connected(watcher.observer, *victim);
                if is && !watcher.connected {
                    let pace = self.paces[watcher.observer.index()].at(at);
                    watcher.owes_from = watcher.owes_from.map(|_| pace);
                }
                watcher.connected = is;
            }
        }
    }

    /// The observer's view is gone: it owes nothing any more.
    pub(super) fn view_lost(&mut self, at: SimTime, observer: PeerId) {
        let victims: Vec<PeerId> = self.open.keys().copied().collect();
        for victim in victims {
            let crash = self.open.get_mut(&victim).expect("listed just now");
            let crashed_at = crash.at;
            if let Some(watcher) = crash.watchers.remove(&observer) {
                self.row(crashed_at, victim, &watcher, at);
            }
        }
    }

    /// The victim is back: whoever had not noticed never will.
    pub(super) fn returned(&mut self, at: SimTime, victim: PeerId) {
        let Some(crash) = self.open.remove(&victim) else {
            return;
        };
        let detected = crash
            .watchers
            .values()
            .filter_map(|watcher| watcher.detected.filter(|_| watcher.from_the_crash));
        match detected.min() {
            Some(first) => self.first.complete(first.since(crash.at)),
            None => self.first.censored(at.since(crash.at)),
        }
        for watcher in crash.watchers.values() {
            self.row(crash.at, victim, watcher, at);
        }
    }

    /// The run is over.
    pub(super) fn close(&mut self, end: SimTime) {
        self.look(end);
        let victims: Vec<PeerId> = self.open.keys().copied().collect();
        victims
            .into_iter()
            .for_each(|victim| self.returned(end, victim));
        self.rows.sort_by_key(|row| row.crash_s);
    }

    fn row(&mut self, crashed_at: SimTime, victim: PeerId, watcher: &Watcher, until: SimTime) {
        if !watcher.from_the_crash {
            return;
        }
        let span = watcher.detected.unwrap_or(until).since(crashed_at);
        match watcher.detected {
            Some(_) => self.latencies.complete(span),
            None => self.latencies.censored(span),
        }
        if self.rows.len() == ROWS_KEPT {
            self.not_in_rows += 1;
            return;
        }
        self.rows.push(DetectionRow {
            victim: self.names[victim.index()].clone(),
            observer: self.names[watcher.observer.index()].clone(),
            crash_s: seconds(crashed_at),
            suspected_s: watcher.suspected.map(seconds),
            detected_s: watcher.detected.map(seconds),
            latency_ms: Milliseconds::from_nanos(span.as_nanos()),
            censored: watcher.detected.is_none(),
        });
    }
}
