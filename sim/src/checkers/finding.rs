//! What a checker says of one invariant.

use fedsim_protocols::PeerId;
use fedsim_record::Holds;

use crate::time::SimTime;

/// A violation as a checker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// When it was seen.
    pub at: SimTime,
    /// Whom it concerns.
    pub peers: Vec<PeerId>,
    /// What was wrong, in one sentence.
    pub message: String,
}

/// What came of one invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `protocol/invariant`.
    pub name: &'static str,
    /// The finding.
    pub holds: Holds,
    /// The first violation, if it was violated.
    pub first: Option<Breach>,
    /// Violations in all.
    pub breaches: u64,
    /// Which assumption the run left, if it did.
    pub broken: Option<String>,
}

/// What a checker notes about one invariant while the run goes on.
#[derive(Clone, Debug)]
pub struct Ledger {
    name: &'static str,
    exercised: bool,
    first: Option<Breach>,
    breaches: u64,
    broken: Option<String>,
}

impl Ledger {
    /// Nothing noted yet about the invariant of this name.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            exercised: false,
            first: None,
            breaches: 0,
            broken: None,
        }
    }

    /// Something happened that could have violated it.
    #[inline]
    pub fn exercise(&mut self) {
        self.exercised = true;
    }

    /// It was violated. Only the first violation is described.
    pub fn breach(&mut self, at: SimTime, peers: &[PeerId], message: impl FnOnce() -> String) {
        self.exercised = true;
        self.breaches += 1;
        if self.first.is_none() {
            self.first = Some(Breach {
                at,
                peers: peers.to_vec(),
                message: message(),
            });
        }
    }

    /// Whether the run is still inside what the invariant is promised for.
    pub fn stands(&self) -> bool {
        self.broken.is_none()
    }

    /// From here on the run is outside what the invariant is promised for.
    pub fn leave_assumptions(&mut self, which: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(which());
        }
    }

    /// What to say of it. A violation counts only while the assumptions stood.
    pub fn finding(self) -> Finding {
        let holds = match (&self.broken, &self.first, self.exercised) {
            (_, Some(_), _) => Holds::Violated,
            (Some(_), None, _) => Holds::AssumptionBroken,
            (None, None, true) => Holds::Holds,
            (None, None, false) => Holds::NeverExercised,
        };
        Finding {
            name: self.name,
            holds,
            first: self.first,
            breaches: self.breaches,
            broken: self.broken,
        }
    }

    /// The invariant's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Notes a violation, unless the run is outside of what is promised.
pub(crate) fn blame(
    ledger: &mut Ledger,
    at: SimTime,
    peers: &[PeerId],
    message: impl FnOnce() -> String,
) {
    if ledger.stands() {
        ledger.breach(at, peers, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holding_means_nothing_unless_it_was_exercised() {
        // The four findings differ in nothing but what was noted, so each note is what decides.
        let ledger = || Ledger::new("test/invariant");
        assert_eq!(ledger().finding().holds, Holds::NeverExercised);
        let mut exercised = ledger();
        exercised.exercise();
        assert_eq!(exercised.clone().finding().holds, Holds::Holds);
        exercised.leave_assumptions(|| "drift".to_owned());
        assert_eq!(exercised.finding().holds, Holds::AssumptionBroken);
    }

    #[test]
    fn the_first_breach_is_kept_and_all_are_counted() {
        // Later breaches are often consequences of the first; only that one explains anything.
        let mut ledger = Ledger::new("test/invariant");
        for second in 1..=3 {
            let at = SimTime::from_nanos(second);
            ledger.breach(at, &[PeerId(7)], || format!("breach {second}"));
        }
        let finding = ledger.finding();
        let first = finding.first.expect("it was breached");
        assert_eq!((first.message.as_str(), finding.breaches), ("breach 1", 3));
    }
}
