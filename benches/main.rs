//! All figures but those of memory, in one binary: what it is to be held against is in each module.
//!
//! Figures go to `target/figures.json`. An argument picks the figures whose name contains it.

/// What all share.
mod common;
/// The event engine against a bare heap.
mod engine;
/// Actions between organisations, with real and ideal signatures.
mod federation;
/// SWIM and rumor spreading.
mod gossip;
/// PBFT, with real and ideal signatures.
mod pbft;
/// Finding personal data.
mod privacy;
/// Raft, beside another implementation.
mod raft;

use common::figures::{Figures, Wanted};

fn main() {
    let argument = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = Wanted(argument.as_deref());
    let mut figures = Figures::default();
    for measure in [
        engine::main,
        federation::main,
        gossip::main,
        pbft::main,
        privacy::main,
        raft::main,
    ] {
        measure(wanted, &mut figures);
    }
    figures.write();
}
