//! What a story can say of rumor spreading.

use fedsim_protocols::rumor::{Rumor, RumorTimer};

use super::Dialect;

/// The words for rumor spreading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RumorWords {}

impl Dialect for RumorWords {
    type Protocol = Rumor;
    type Fact = RumorFact;
    type Ask = RumorAsk;
    type Claim = RumorClaim;

    const TIMERS: &'static [&'static str] = &["round", "reconcile"];

    fn timer(timer: &RumorTimer) -> &'static str {
        match timer {
            RumorTimer::BeginRound => "round",
            RumorTimer::Reconcile => "reconcile",
        }
    }
}

/// A peer begins knowing no rumor; nothing can be given to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RumorFact {}

/// What a peer can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RumorAsk {
    /// To spread a rumor with this content.
    Spread(u64),
}

/// What can be claimed of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RumorClaim {
    /// It knows a rumor with this content.
    Knows(u64),
    /// It knows no rumor with this content.
    Ignores(u64),
    /// It knows a rumor with this content and goes on spreading it.
    Spreads(u64),
}
