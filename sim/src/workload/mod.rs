//! The users of a run: when they ask, about which key, and for what kind of thing.
//!
//! Nothing here knows a protocol: [`Rhythm`] says when the next request comes and [`Keys`] which key
//! it is about; whoever stages a protocol makes its requests from them.

mod keys;
mod rhythm;

pub use keys::{Keys, Kind};
pub use rhythm::Rhythm;
