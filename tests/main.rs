//! Tests of the whole program, in one binary.

/// A folder to run the built program in.
mod desk;
/// Bad input of every kind.
mod input;
/// Ctrl-C.
#[cfg(unix)]
mod interrupts;
/// The commands beside `run`.
mod other_commands;
/// Runs of one seed and of many.
mod runs;
/// The rules that no lint can hold.
mod tidy;
