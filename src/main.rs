//! The `fedsim` command line.
fn main() {}
