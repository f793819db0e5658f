//! The users of a run: when they ask, about which key, and for what kind of thing.
//!
//! Nothing here knows a protocol: [`Rhythm`] says when the next request comes and [`Keys`] which key
//! it is about; [`Users`] are both, for any protocol that can say its requests and replies in the
//! words of a [`StoreProtocol`].

mod keys;
mod rhythm;
mod users;

pub use keys::{Keys, Kind};
pub use rhythm::Rhythm;
pub use users::{StoreProtocol, Users};
