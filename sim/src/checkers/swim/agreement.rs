//! Agreement of the views: they converge after the last change, and what a member announces reaches
//! everybody.
//!
//! Convergence is judged where the scenario asks for it: from the last change (a start, crash,
//! pause, farewell, or of the links) to the moment from which no view differs from the truth until
//! the end. Dissemination is judged for each last announcement of a member in the group: everybody
//! that has been up and kept from nobody for the dissemination bound must go by it.

use fedsim_protocols::{PeerId, SimDuration};

use super::bounds::Bounds;
use super::group::{Group, Life, Truth};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// Watches how views come to agree.
pub(super) struct Agreement {
    pub(super) convergence: Ledger,
    pub(super) dissemination: Ledger,
    bounds: Vec<Bounds>,
    pub(super) last_change: SimTime,
    /// By subject: how many announcements have reached everybody.
    settled: Vec<usize>,
}

impl Agreement {
    pub(super) fn new(bounds: Vec<Bounds>) -> Self {
        Self {
            convergence: Ledger::new(super::CONVERGENCE),
            dissemination: Ledger::new(super::DISSEMINATION),
            last_change: SimTime::ZERO,
            settled: vec![0; bounds.len()],
            bounds,
        }
    }

    pub(super) fn note_change(&mut self, at: SimTime) {
        self.last_change = at;
    }

    /// How long after the last change all views agreed for good; none if they do not at the end.
    pub(super) fn converged_after(&self, group: &Group) -> Option<SimDuration> {
        let since = group.right_since()?;
        Some(since.since(self.last_change))
    }

    /// Judges convergence at the end, within `bound`.
    pub(super) fn judge_convergence(&mut self, end: SimTime, bound: SimDuration, group: &Group) {
        let after = self.converged_after(group);
        if after.is_some_and(|after| after <= bound) {
            self.convergence.exercise();
        } else if end.since(self.last_change) >= bound {
            let disagreement = group.disagreement();
            self.convergence.breach(end, &[], || match after {
                Some(after) => {
                    format!("views agreed {after} after the last change, not within {bound}")
                }
                None => format!("{:.4} of all entries are wrong at the end", disagreement),
            });
        }
    }

    /// Looks for members that should have heard of an announcement long ago.
    pub(super) fn look(&mut self, at: SimTime, group: &Group, names: &[String]) {
        for subject in group.peers() {
            let life = group.life(subject);
            let number = life.announced.len();
            if life.truth == Truth::Here && self.settled[subject.index()] < number {
                self.look_at(at, subject, group, names);
            }
        }
    }

    fn look_at(&mut self, at: SimTime, subject: PeerId, group: &Group, names: &[String]) {
        let life = group.life(subject);
        let number = life.announced.len();
        let announced_at = life.announced.last().map_or(SimTime::ZERO, |last| last.1);
        let bound = self.bounds[subject.index()].dissemination;
        let is_due = at.since(announced_at) > bound && is_clean(life, at, bound);
        let mut missing = 0;
        for observer in group.peers().filter(|observer| *observer != subject) {
            let other = group.life(observer);
            if !group.sees(observer) || group.is_up_to_date(observer, subject) {
                continue;
            }
            missing += 1;
            let is_new = other
                .sees_since
                .is_none_or(|since| at.since(since) <= bound);
            if is_due && !is_new && is_clean(other, at, bound) {
                self.settled[subject.index()] = number;
                return self.dissemination.breach(at, &[observer, subject], || {
                    let (who, whom) = (&names[observer.index()], &names[subject.index()]);
                    format!("{who} has not heard within {bound} what {whom} announced last")
                });
            }
        }
        if missing == 0 {
            self.dissemination.exercise();
            self.settled[subject.index()] = number;
        }
    }
}

/// Whether nothing has kept the member from anybody for so long.
fn is_clean(life: &Life, at: SimTime, span: SimDuration) -> bool {
    life.clean_since.is_some_and(|since| at.since(since) > span)
}
