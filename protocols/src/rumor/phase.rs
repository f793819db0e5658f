//! How far one peer is with one rumor by the median-counter algorithm (Karp et al. 2000, section 3).
//!
//! ```text
//!   A ──learned──▶ B-1 ──▶ B-2 ─ … ─▶ B-max ──▶ C (max rounds) ──▶ D
//!          a phase of B lasts until most partners of a round are as far
//! ```
//!
//! Phases are numbered through: `1..=max` are B, `max + 1..=2 * max` the rounds of C. Must not know
//! messages, or whom a peer met.

use super::rules::Rules;

/// The phase in which a peer spreads a rumor, and what it heard of others in this round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Phase {
    /// From 1.
    pub(super) number: u32,
    /// Partners of this round who were as far or further.
    abreast: u32,
    /// Whether one of them was in C.
    met_last: bool,
}

impl Phase {
    const fn new(number: u32) -> Self {
        Self {
            number,
            abreast: 0,
            met_last: false,
        }
    }

    /// That of a peer that learns the rumor from one in phase `from`: in A it follows whoever is in
    /// C there, and otherwise begins at B-1.
    pub(super) const fn learned(from: u32, max: u32) -> Self {
        Self::new(if from > max { max.saturating_add(1) } else { 1 })
    }

    /// Another partner gave the rumor in the round in which the peer learned it: it follows into C
    /// only if all were there.
    pub(super) const fn learned_again(&mut self, from: u32, max: u32) {
        if from <= max {
            *self = Self::new(1);
        }
    }

    /// A partner of this round is in phase `theirs`.
    pub(super) const fn meet(&mut self, theirs: u32, max: u32) {
        self.met_last |= theirs > max;
        self.abreast += (theirs >= self.number) as u32;
    }

    /// What it is in the next round after one in which the peer had `partners`; none if interest is
    /// lost (D).
    pub(super) fn next<R: Rules>(self, partners: u32, max: u32) -> Option<Self> {
        let number = match self.number {
            last if last >= max.saturating_mul(2) => return None,
            last if last > max => last + 1,
            _ if self.met_last => max + 1,
            counted if R::is_behind(self.abreast, partners) => counted + 1,
            counted => counted,
        };
        Some(Self::new(number))
    }
}

#[cfg(test)]
mod tests {
    use super::super::AsPublished;
    use super::*;

    const MAX: u32 = 3;

    fn after(mut phase: Phase, partners: u32, met: &[u32]) -> Option<u32> {
        met.iter().for_each(|&theirs| phase.meet(theirs, MAX));
        phase.next::<AsPublished>(partners, MAX).map(|it| it.number)
    }

    #[test]
    fn a_peer_goes_on_when_most_partners_are_as_far() {
        // The rest were behind, or did not know it.
        let cases: [(u32, &[u32], u32); 6] = [
            (2, &[2, 1], 2),
            (3, &[2, 3, 1], 3),
            (3, &[2], 2),
            (1, &[3], 3),
            (0, &[], 2),
            (4, &[1, 1, 1, 1], 2),
        ];
        for (partners, met, number) in cases {
            assert_eq!(after(Phase::new(2), partners, met), Some(number), "{met:?}");
        }
    }

    #[test]
    fn whoever_meets_one_in_the_last_phase_follows() {
        assert_eq!(after(Phase::new(1), 5, &[4]), Some(4));
        assert_eq!(Phase::learned(5, MAX).number, 4);
    }

    #[test]
    fn one_that_heard_it_from_the_last_phase_and_another_begins_at_the_first() {
        let mut phase = Phase::learned(6, MAX);
        phase.learned_again(5, MAX);
        assert_eq!(phase.number, 4);
        phase.learned_again(2, MAX);
        assert_eq!(phase.number, 1);
    }

    #[test]
    fn the_last_phase_takes_as_many_rounds_as_phases_are_counted() {
        let ends: Vec<_> = (3..=6).map(|it| after(Phase::new(it), 1, &[it])).collect();
        assert_eq!(ends, [Some(4), Some(5), Some(6), None]);
    }
}
