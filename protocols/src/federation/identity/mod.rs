//! Identity: who a peer is, whom its organisation vouches for, and what becomes of a key.
//!
//! An identity is the hash of an ed25519 public key. Everything else is said in signed records that
//! spread by gossip and merge: learning the same records in any order, any number of times, leaves
//! the same [`Registry`]. Must not know who brings the records, nor what a standing is good for.
//!
//! | record | signed by | says |
//! |---|---|---|
//! | introduction | the key itself | I am of this organisation; call me so |
//! | enrolment | the organisation's root | this key is ours |
//! | succession | the old key and the new one | who was the old key is now the new one |
//! | revocation | the organisation's root | this key is ours no more; or: it is replaced by that one |
//!
//! ```text
//!  Unknown ─introduction─▶ Introduced ─enrolment─▶ Enrolled ─succession─▶ Superseded
//!                                                     │ ─revocation─▶ Revoked ◀─ any of them
//!                                                     └ two successions, two organisations ─▶ Disputed
//! ```
//!
//! A key that names two heirs was stolen or lies, and nobody can tell which of the two is honest:
//! its line ends until the root replaces it. A revocation without a replacement ends the line too,
//! so that a thief gains nothing by naming himself the heir.

mod pins;
mod record;
mod registry;

#[cfg(test)]
mod tests;

pub use pins::{Contact, Pins};
pub use record::{Acceptance, Enrolment, IdentityRecord, Introduction, Revocation, Succession};
pub use registry::{IdentityRefusal, Learnt, Registry, Standing};
