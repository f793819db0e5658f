//! Whole runs through the public interface.

mod shipped;
mod support;
