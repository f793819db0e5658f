//! The run record: what a run leaves behind, its reading and writing.
