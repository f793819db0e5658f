//! What one peer knows: its rumors, and how eager it is to spread each.
//!
//! ```text
//!   (susceptible) ──learned──▶ hot ──interest lost──▶ cold        Demers' s, i, r
//! ```
//!
//! Must not know clocks, partners or messages under way.

use super::config::Loss;
use super::message::{RumorCopy, RumorId};
use super::phase::Phase;

/// What the answers given in the round so far were worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answers {
    /// Nobody who was answered said anything yet.
    None,
    /// All who said something knew before.
    InVain,
    /// Somebody needed it.
    Needed,
}

/// How eager a peer is to spread a rumor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Interest {
    /// It spreads it.
    Hot {
        /// Contacts that counted towards the loss of interest.
        counted: u32,
        /// Feedback to the answers of this round.
        answers: Answers,
    },
    /// It spreads it, phase by phase.
    InPhase(Phase),
    /// It knows it and spreads it no more.
    Cold,
}

impl Interest {
    const FRESH: Self = Self::Hot {
        counted: 0,
        answers: Answers::None,
    };

    /// That of a peer that learns a rumor from one in `phase`; 0 if from nobody.
    pub(super) fn fresh(loss: Loss, phase: u32) -> Self {
        match loss {
            Loss::MedianCounter { max } => Self::InPhase(Phase::learned(phase, max)),
            Loss::Never | Loss::Counter { .. } | Loss::Consecutive { .. } | Loss::Coin { .. } => {
                Self::FRESH
            }
        }
    }
}

/// One rumor as one peer knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Known {
    pub(super) rumor: RumorId,
    pub(super) payload: u64,
    pub(super) size: u32,
    pub(super) hops: u32,
    /// The peer's own round in which the rumor had age 0.
    pub(super) born: i64,
    /// The peer's own round in which it learned the rumor.
    pub(super) learned: i64,
    pub(super) interest: Interest,
}

impl Known {
    /// What a copy becomes that arrives in the peer's `round`.
    pub(super) fn new(copy: &RumorCopy, round: i64, interest: Interest) -> Self {
        Self {
            rumor: copy.rumor,
            payload: copy.payload,
            size: copy.size,
            hops: copy.hops,
            born: round.saturating_sub(i64::from(copy.age)),
            learned: round,
            interest,
        }
    }

    /// Rounds since the rumor was started, as of `round`; 0 if a clock went back before that.
    pub(super) fn age(&self, round: i64) -> u32 {
        let age = round.saturating_sub(self.born).max(0);
        u32::try_from(age).unwrap_or(u32::MAX)
    }

    pub(super) fn is_hot(&self) -> bool {
        match self.interest {
            Interest::Hot { .. } | Interest::InPhase(_) => true,
            Interest::Cold => false,
        }
    }

    /// The copy that is handed on in `round`.
    pub(super) fn copy(&self, round: i64) -> RumorCopy {
        RumorCopy {
            rumor: self.rumor,
            payload: self.payload,
            size: self.size,
            age: self.age(round),
            hops: self.hops.saturating_add(1),
            phase: match self.interest {
                Interest::InPhase(phase) => phase.number,
                Interest::Hot { .. } | Interest::Cold => 0,
            },
        }
    }

    /// Whether `copy` says the same as what is known.
    pub(super) fn agrees(&self, copy: &RumorCopy) -> bool {
        (self.payload, self.size) == (copy.payload, copy.size)
    }
}

/// All rumors of one peer, by name; empty costs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Knowledge {
    rumors: Vec<Known>,
}

impl Knowledge {
    fn place(&self, rumor: RumorId) -> Result<usize, usize> {
        self.rumors
            .binary_search_by_key(&rumor, |known| known.rumor)
    }

    pub(super) fn len(&self) -> usize {
        self.rumors.len()
    }

    pub(super) fn get(&self, rumor: RumorId) -> Option<&Known> {
        self.place(rumor).ok().map(|at| &self.rumors[at])
    }

    pub(super) fn get_mut(&mut self, rumor: RumorId) -> Option<&mut Known> {
        self.place(rumor).ok().map(|at| &mut self.rumors[at])
    }

    /// All rumors in ascending order of their names.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Known> {
        self.rumors.iter()
    }

    /// Adds a rumor, or replaces it.
    pub(super) fn insert(&mut self, known: Known) {
        match self.place(known.rumor) {
            Ok(at) => self.rumors[at] = known,
            Err(at) => self.rumors.insert(at, known),
        }
    }

    /// Forgets a rumor.
    pub(super) fn remove(&mut self, rumor: RumorId) {
        if let Ok(at) = self.place(rumor) {
            self.rumors.remove(at);
        }
    }
}
