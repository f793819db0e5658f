//! The run record: what a run leaves behind, its writing and its reading.
//!
//! A [`RunRecord`] is everything a report is made of: the [`Summary`] of the run, the scenario
//! text that was run, and one table of typed rows per subject ([`Tables`]). It is written as a
//! run directory ([`RunDirectory`]) and read back with [`RunRecord::read`].
//!
//! This crate must not know the engine that fills a record, nor the plots and pages that are
//! computed from it. Start at [`RunRecord`]; a new subject is one file under `tables/` and one
//! line in `tables.rs`.

#![deny(missing_docs)]

mod csv_table;
mod directory;
mod error;
mod fixed_point;
mod record;
mod runs;
mod summary;
mod tables;

pub use directory::{RunDirectory, link_latest};
pub use error::{DirectoryError, RecordError};
pub use fixed_point::{FixedPoint, FixedPointError, Milliseconds, Seconds};
pub use record::{Attachment, RunRecord, SCENARIO_FILE, SUMMARY_FILE, read_tables};
pub use runs::{PooledTables, RUNS_FILE, RunRow, read_runs, write_runs};
pub use summary::{
    Expectation, Holds, Invariant, MessageTotals, RUN_SCHEMA, Summary, Verdict, Violation,
};
pub use tables::{
    AuditRow, ConvergenceRow, DetectionRow, ElectionRow, EventRow, FaultRow, LatencyRow, LoadRow,
    MembershipRow, MessageRow, Outcome, PeerRow, SampleRow, StepRow, Subject, Tables, TimelineRow,
    TraceRow,
};
