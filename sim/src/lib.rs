//! Virtual time, network, faults, actors, checkers and the runner.

pub mod judge;
