//! Routing: which actions must be decided together, by whom, and what makes a decision.
//!
//! Actions that change shared state are decided; all others go direct, and status spreads by gossip.
//! How something is decided follows from whom one must expect to lie:
//!
//! | concerned | assumed | decided by |
//! |---|---|---|
//! | one organisation | its peers may crash | Raft inside |
//! | several | organisations may lie | PBFT across, flat or of two tiers |
//! | several | nobody lies | Raft across; forks if somebody does |
//!
//! The unit of Byzantine failure is the organisation: [`Tolerance`] says how many of them a roster
//! survives. [`Poll`] counts ballots for what needs no log. Must not know how Raft and PBFT work.

mod poll;
mod router;

#[cfg(test)]
mod tests;

pub use poll::{Ballot, BallotRefusal, Poll, PollOutcome, Threshold};
pub use router::{Adversary, Route, Router, Tiers, Tolerance};
