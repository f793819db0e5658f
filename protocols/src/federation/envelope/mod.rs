//! The signed action envelope, and what a receiver does with one before anything happens.
//!
//! The bytes under the signature cover everything: who asks whom, in which session, for what, with
//! which payload, when, how far from the originator, on whose budget and by whose permission. The
//! receiver is an explicit list of [`Stage`]s; each is one small function, the first refusal wins,
//! and a stage that is left out of the list is a layer that does not stand. Must not know how its
//! neighbours (sessions, revocations, breaker, content policy, authorisation) come to their answers.
//!
//! ```text
//!  bytes ─▶ framing ▸ schema ▸ signature ▸ audience ▸ session ▸ freshness ▸ replay
//!        ▸ revocation ▸ breaker ▸ policy ▸ authorisation ▸ execution ─▶ receipt ▸ audit
//! ```
//!
//! Order is a decision: what costs nothing comes before what costs a signature check, what is not
//! proven to come from the source changes nothing that is kept for the source, and nothing is
//! screened or authorised twice because it came twice.
//!
//! | word | means |
//! |---|---|
//! | action | what is asked for; keeps its id and its expiry when it is sent again |
//! | envelope | one sending of it, with a nonce of its own |
//! | replay | the same envelope again: refused |
//! | repetition | the same action in another envelope: answered with the receipt of the first |

mod action;
mod execution;
mod receiver;
mod refusal;
mod replay;

#[cfg(test)]
mod tests;

pub use action::{Action, Answer, PROTOCOL_VERSION, Receipt, frame, framed_len};
pub use execution::{Executions, Intent, Known};
pub use receiver::{Arrival, EnvelopeConfig, Neighbours, Receiver, Stage, Verdict};
pub use refusal::{Code, Refusal};
pub use replay::{Admission, Replays, Seen};
