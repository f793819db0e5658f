//! Tests of the whole program, in one binary.

/// The command line: exit codes, messages, files.
mod cli;
/// The rules that no lint can hold.
mod tidy;
