//! What the paper, the dissertation and the suites of other implementations demand of a Raft.

mod clients;
mod desk;
mod durability;
mod elections;
mod judge;
mod membership;
mod mutants;
mod reads;
mod replication;
mod snapshots;
mod storm;
mod transfers;
mod weather;
