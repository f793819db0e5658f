//! Suspicion: how long a suspect has to refute, and who has confirmed that it is silent.
//!
//! ```text
//!   Alive ──claim or own probe──▶ Suspect ──time out──▶ Dead
//!     ▲                              │
//!     └──── higher incarnation ──────┘      each new accuser shortens the rest (Lifeguard IV-B)
//! ```

use crate::time::{LocalTime, SimDuration};

use super::config::SwimConfig;
use super::members::Place;
use super::rules::SuspicionTerms;

/// One suspect's time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Suspicion {
    pub(super) started: LocalTime,
    pub(super) terms: SuspicionTerms,
    /// The first accuser, then those who confirmed; at most K + 1.
    accusers: Vec<Place>,
}

impl Suspicion {
    pub(super) fn new(started: LocalTime, terms: SuspicionTerms, accuser: Place) -> Self {
        Self {
            started,
            terms,
            accusers: vec![accuser],
        }
    }

    /// Independent confirmations so far.
    pub(super) fn confirmations(&self) -> u32 {
        self.accusers.len() as u32 - 1
    }

    /// Whether this accuser is independent of the others and would still make a difference.
    pub(super) fn counts(&self, accuser: Place) -> bool {
        self.confirmations() < self.terms.enough && !self.accusers.contains(&accuser)
    }

    pub(super) fn confirm(&mut self, accuser: Place) {
        if self.counts(accuser) {
            self.accusers.push(accuser);
        }
    }
}

/// How long a suspicion may last among `members` live ones, oneself included (memberlist
/// `suspectNode`): K is `suspicion_multiplier - 2`, or 0 if fewer others could confirm.
pub fn suspicion_terms(config: &SwimConfig, members: u32) -> SuspicionTerms {
    let min = shortest(config, members);
    let wanted = config.suspicion_multiplier.saturating_sub(2);
    let dynamic = config.dynamic_suspicion;
    SuspicionTerms {
        min,
        max: match dynamic {
            true => min * u64::from(config.suspicion_max_multiplier),
            false => min,
        },
        enough: match dynamic && members.saturating_sub(2) >= wanted {
            true => wanted,
            false => 0,
        },
    }
}

/// `multiplier * max(1, log10 n) * period`, the factor to a thousandth below.
fn shortest(config: &SwimConfig, members: u32) -> SimDuration {
    let scale = libm::log10(f64::from(members.max(1))).max(1.0);
    // Safe for determinism: libm gives the same bits everywhere, and so does the cut.
    let thousandths = (scale * 1000.0) as u64;
    let longest = config.protocol_period * u64::from(config.suspicion_multiplier);
    longest.scale(thousandths, 1000)
}

/// The published [`suspicion_timeout`](super::SwimRules::suspicion_timeout).
pub(super) fn timeout(terms: SuspicionTerms, confirmations: u32) -> SimDuration {
    if terms.enough == 0 {
        return terms.min;
    }
    let log = |n: u32| libm::log(f64::from(n) + 1.0);
    let fraction = log(confirmations.min(terms.enough)) / log(terms.enough);
    let span = terms.max.saturating_sub(terms.min).as_secs_f64();
    // Safe for determinism: IEEE 754 operations and libm give the same bits everywhere.
    let millis = ((terms.max.as_secs_f64() - fraction * span) * 1000.0) as u64;
    SimDuration::from_millis(millis).max(terms.min)
}
