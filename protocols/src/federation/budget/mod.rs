//! Budgets: what an action and all that follows from it may cost.
//!
//! A [`Budget`](crate::federation::terms::Budget) travels signed in the envelope and names an
//! account; the money is in the [`Ledger`] of its issuer. Whoever wants to spend reserves there
//! first, so that a copied budget is the same account and a lying relay spends nobody's money but
//! that account's. Must not know what is bought.
//!
//! ```text
//!  reserve ──▶ Reserved ──commit──▶ spent          free = max - spent - reserved - allotted
//!                 │  └─release──▶ free
//!                 └─expiry──▶ Expired (free again) ──late commit──▶ spent all the same
//! ```
//!
//! Checking first and charging later lets parallel checks all pass (ruflo's ADR-164.1: ten checks of
//! 0.05 on 0.05 left); a reservation takes the money out of sight before the work begins. Work that
//! outlives its reservation is charged when it reports: that, and nothing else, can carry an account
//! beyond its maximum, by at most what was reserved.

mod keeper;
mod ledger;

#[cfg(test)]
mod tests;

pub use keeper::{Keeper, Shown, is_asked_for};
pub use ledger::{Balance, BudgetRefusal, Charge, LEASE_MAX, Ledger};
