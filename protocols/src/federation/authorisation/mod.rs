//! Authorisation: what a peer lets others do. Nothing, unless somebody said so.
//!
//! Three things must agree before an action starts:
//!
//! - the capability is *exposed* to a party (an organisation or one peer), by this peer's own opt-in;
//! - the source is of that party, or holds a chain of signed *grants* from it: each link allows at
//!   most what its parent does, one hop less deep, not longer than it lives;
//! - everybody in the chain has the *level* that the capability needs, now: when the work starts,
//!   not when it was queued or when the session was opened.
//!
//! Must not know how levels come about (`trust`) nor how identities are learnt (`identity`).
//!
//! ```text
//!  exposed to acme, depth 2      grant acme-1 → globex-2        grant globex-2 → initech-1
//!        {send, query}     ∩          {query, ping}      ∩              all
//!          depth 2         ▸            depth 1          ▸            depth 0         = {query}
//! ```

mod chain;
mod gate;
mod levels;

#[cfg(test)]
mod tests;

pub use chain::{Chain, follow};
pub use gate::{Denial, Exposure, Gate, Permit, Queued, Request};
pub use levels::{LevelChange, capability_of, level_of};
