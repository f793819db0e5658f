//! Accuracy: whoever lives and is connected is not declared dead.
//!
//! A false positive is a Dead that an observer comes to hold of a member that is in the group,
//! connected with the observer both ways, and was kept from nobody (by a crash, a pause or a cut)
//! for as long as an accusation from before could still be under way: the longest suspicion and the
//! time that news take to spread. It is counted always, and a violation where the scenario promises
//! that there is none.

use fedsim_protocols::{PeerId, SimDuration};

use super::bounds::Bounds;
use super::group::{Change, Group, Standing, Truth};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// Counts false positives.
pub(super) struct Accuracy {
    pub(super) ledger: Ledger,
    /// How long what was true once is excused, by observer.
    grace: Vec<SimDuration>,
    pub(super) false_positives: u64,
    /// Those at observers that were not kept from anybody either.
    pub(super) at_healthy: u64,
    pub(super) false_suspicions: u64,
}

impl Accuracy {
    pub(super) fn new(bounds: &[Bounds]) -> Self {
        let grace = |bounds: &Bounds| bounds.suspicion + bounds.period * 2;
        Self {
            ledger: Ledger::new(super::ACCURACY),
            grace: bounds.iter().map(grace).collect(),
            false_positives: 0,
            at_healthy: 0,
            false_suspicions: 0,
        }
    }

    /// An entry of a view changed.
    pub(super) fn changed(
        &mut self,
        at: SimTime,
        change: &Change,
        group: &Group,
        connected: bool,
        names: &[String],
    ) {
        let Change {
            observer,
            subject,
            after,
            ..
        } = *change;
        let is_accused = match after {
            Standing::Suspect | Standing::Dead => true,
            Standing::Unknown | Standing::Alive | Standing::Left => false,
        };
        let is_healthy = |peer: PeerId| self.is_healthy(at, peer, observer, group);
        if !is_accused || !connected || !is_healthy(subject) {
            return;
        }
        let by_healthy = is_healthy(observer);
        if after == Standing::Suspect {
            self.false_suspicions += 1;
            return;
        }
        self.false_positives += 1;
        self.at_healthy += u64::from(by_healthy);
        self.ledger.breach(at, &[observer, subject], || {
            let (who, whom) = (&names[observer.index()], &names[subject.index()]);
            format!("{who} held {whom} for dead, which lives and is connected with it")
        });
    }

    fn is_healthy(&self, at: SimTime, peer: PeerId, observer: PeerId, group: &Group) -> bool {
        let life = group.life(peer);
        let grace = self.grace[observer.index()];
        life.truth == Truth::Here
            && life
                .clean_since
                .is_some_and(|since| since == SimTime::ZERO || at.since(since) > grace)
    }
}
