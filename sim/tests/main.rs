//! Whole runs through the public interface.

/// Audit logs that are kept badly trip their checker, and so does tampering.
mod broken_audit;
/// Budgets that nobody keeps trip their checker.
mod broken_budgets;
/// Badly kept trust, breakers and screens trip their checkers.
mod broken_conduct;
/// Broken PBFT falls to adversaries, PBFT as published does not.
mod broken_pbft;
/// Badly counted ballots trip their checker.
mod broken_quorum;
/// Broken rumor spreading trips its checkers, as published it does not.
mod broken_rumor;
/// Broken SWIM trips its checkers, SWIM as published does not.
mod broken_swim;
/// A federation's runs do not depend on how signatures are made.
mod federation;
/// Whoever lets an old key go on, or believes what others say of one, is noticed.
mod keys;
/// Every layer of a federation that is left out is missed.
mod layers;
/// PBFT counts messages and delays as the papers do.
mod pbft;
/// A trace of PBFT shows the votes behind every step.
mod pbft_trace;
/// Whole scenarios drawn at random.
mod properties;
/// Elections of Raft against the published ones.
mod raft_elections;
/// Replication of Raft: latencies, counts, storms.
mod raft_replication;
/// A trace of Raft can be replayed, and says all that happened.
mod raft_trace;
/// Who is at the other end is proven, and whoever leaves out a check of that is noticed.
mod sessions;
/// Every shipped scenario keeps its claim.
mod shipped;
/// The statistics of the papers.
mod statistics;
/// Stories: transcripts word for word, tables of the literature, and how a story fails.
mod stories;
/// Whole federations drawn at random, under attack.
mod storm;
mod support;
/// A trace of every message agrees with the counts.
mod trace;
/// Runs are the same again and on any number of threads; if not, the first difference is found.
mod verification;
