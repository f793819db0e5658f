//! Transport: who is at the other end, proven by key, and nobody in between.
//!
//! TLS 1.3 for real (RFC 8446), in memory: rustls with dice and clock of the run, ed25519
//! certificates that each organisation's root issues, X25519, ChaCha20-Poly1305. Or the model of it,
//! with the same flights, sizes and checks at a fraction of the cost; a test holds the two to the
//! same outcomes. Must not know what messages mean, nor who may do what.
//!
//! ```text
//!  client                                   server
//!     │ ── ClientHello ───────────────────────▶ │   half a round trip
//!     │ ◀── ServerHello, certificate, proof ─── │   one: the client knows whom it talks to
//!     │ ── certificate, proof, messages ──────▶ │   one and a half: so does the server
//! ```
//!
//! | layer | does |
//! |---|---|
//! | [`Session`] | lifetime, heartbeat, renewal, termination |
//! | [`Channel`] | proves, protects, keeps messages whole |
//! | [`Carriage`] | once each and in order, over a network that loses and reorders |
//!
//! A session is keyed by what both sides proved, so a relay in the middle proves nothing of its own:
//! it can carry bytes and no more. There are no tickets and no resumption: each session proves anew,
//! and what was revoked or has expired since is noticed.
//!
//! Everything is Rust: no C compiler, no system library, no entropy and no clock of the machine.

mod carriage;
mod certificate;
mod channel;
mod modelled;
mod provider;
mod session;
mod tls;

#[cfg(test)]
mod tests;

pub use carriage::{Carriage, Numbered, PACKET_OVERHEAD, Packet};
pub use certificate::{Certificate, EPOCH_SECS, Validity, member_certificate, root_certificate};
pub use channel::{Channel, ChannelError, Endpoint, Mode, Segment};
pub use modelled::{Credential, ModelledEndpoint};
pub use session::{End, Session, SessionConfig, SessionEvent};
pub use tls::TlsEndpoint;
