//! Ownership of shared resources: a lease, and a fencing epoch that never goes back.
//!
//! [`Leases`] is the state machine that consensus drives: every member applies the same decided
//! claims in the same order and grants the same leases. [`Fence`] stands at the resource and lets
//! nobody pass who shows an older epoch than it has seen. [`may_act`] is what a holder asks before it
//! acts. The three together: eventual replication alone cannot give exclusive ownership. Must not
//! know how claims are decided.
//!
//! The fence is that of Gray and Cheriton, "Leases" (SOSP 1989), and of the sequencers in Burrows,
//! "The Chubby lock service" (OSDI 2006), section 2.4.

mod leases;

#[cfg(test)]
mod tests;

pub use leases::{Claim, Fence, Lease, Leases, OwnershipRefusal, Resource, may_act};
