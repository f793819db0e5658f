//! PBFT.

pub mod config;
pub mod event;
pub mod message;
pub mod numbers;
pub mod roster;
pub mod state;
pub mod store;
