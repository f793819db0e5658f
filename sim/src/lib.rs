//! Virtual time, the network and what hurts it, actors that run protocols, checkers, the runner.
//!
//! Must not know plots or the file formats of reports.

pub mod adversary;
pub mod checkers;
pub mod engine;
pub mod judge;
pub mod nemesis;
pub mod network;
pub mod runner;
pub mod time;
pub mod workload;

pub use time::SimTime;
