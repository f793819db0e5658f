//! Sans-IO protocol state machines and the boundary they share with whoever runs them.
//!
//! A protocol here is a plain value: input in, ordered list of outputs out ([`Protocol`],
//! [`Context`]). Clock, dice, wire, disk and keys belong to the driver and are lent for one input
//! at a time. This crate must not know actors, threads, real clocks, files, the environment or any
//! other crate of the project; one protocol folder must not import another. What they share stands
//! in the modules below.
//!
//! Start reading at [`protocol`].

mod chosen;
pub mod event;
pub mod federation;
pub mod fold;
pub mod identity;
pub mod outbox;
pub mod pbft;
pub mod peer;
pub mod protocol;
pub mod quorum;
pub mod raft;
pub mod random;
pub mod rumor;
pub mod signed;
pub mod stack;
pub mod swim;
pub mod tabletop;
pub mod time;

pub use event::Event;
pub use fold::{Fold, Folder};
pub use identity::{Identity, KeyScheme, Keys, PublicKey, SecretSeed, Signature};
pub use outbox::{Multicast, Outbox, Output, Payload, PersistToken, RequestId, Write};
pub use peer::PeerId;
pub use protocol::{Context, Durable, Message, Protocol, Stored};
pub use random::{Probability, RunKey, Stream, StreamLabel};
pub use signed::{Signable, Signed};
pub use time::{LocalTime, SimDuration};
