//! The circuit breaker: who costs too much or fails too often is not asked for a while.
//!
//! ```text
//!            cost or failures                    cool-down over
//!  Active ────────────────────▶ Suspended ───────────────────────▶ Probing ──answered──▶ Active
//!                                  ▲  │                               │
//!                                  └──┼────────── not answered ◀──────┘
//!                                     │ 24 h without an answer
//!                                     ▼
//!                                  Evicted ──misbehaved: an operator; unreachable: a probe──▶ Active
//! ```
//!
//! The numbers are those of ruflo's ADR-097: more than 5 USD in 24 h, or more than half failures of
//! at least 10 in 1 h; 30 minutes of cool-down; eviction after 24 h.
//!
//! Departs from ADR-097 in four places. The cool-down has jitter, drawn from the peer's own dice, so
//! that peers who were cut off together do not come back together. One request at a time is let
//! through as a probe; ADR-097 has none. A return forgets the failures before it, which would trip at
//! once again. And a peer that was only out of reach is evicted but not for ever: it is probed on;
//! [`Readmission::OperatorOnly`] restores the letter.
//!
//! Must not know what a request is; an evicted peer's sessions are ended by whoever reads
//! [`Transition`].

mod config;
mod watch;

#[cfg(test)]
mod tests;

pub use config::{BreakerConfig, Readmission};
pub use watch::{Admission, Breaker, Cause, Outage, Outcome, State, Transition};
