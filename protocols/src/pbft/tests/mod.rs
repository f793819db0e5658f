//! Claims about PBFT, most of them on a table of real machines.
