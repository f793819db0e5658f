//! What hurts, and when: faults of the scenario resolved into a timeline.

mod order;

pub use order::{Control, Order};
