//! The sections of a scenario file, each described once. One file a section (or a family of them).
//!
//! Must not know how a description is read, written or printed.

pub(crate) mod adversaries;
pub(crate) mod expect;
pub(crate) mod faults;
pub(crate) mod latency;
pub(crate) mod network;
pub(crate) mod peers;
pub(crate) mod physical;
pub(crate) mod protocols;
pub(crate) mod regions;
pub(crate) mod root;
pub(crate) mod select;
pub(crate) mod story;
pub(crate) mod topology;
pub(crate) mod when;
pub(crate) mod workload;
