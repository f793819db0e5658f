//! Raft.

pub mod command;
pub mod config;
pub mod configuration;
pub mod event;
pub mod message;
pub mod store;
