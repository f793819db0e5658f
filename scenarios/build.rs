//! Has the crate built again when a shipped scenario comes, goes or changes.

fn main() {
    println!("cargo::rerun-if-changed=.");
}
