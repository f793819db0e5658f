//! Scenario files: what they can say ([`spec`]), how they are read, checked and written back.
//!
//! This crate must not know how anything is run.

pub mod spec;

pub use spec::Scenario;
