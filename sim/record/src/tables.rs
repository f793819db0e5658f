//! The tables of a run: one CSV file per subject, one typed row per line.
//!
//! Must not know who fills the rows or who plots them. To add a subject, write a file under
//! `tables/` with its row type and its [`Subject`], and add a line to the list below.
//!
//! All files have a header line, and units in the names of columns: `_s` virtual seconds,
//! `_ms` virtual milliseconds, both exact to the nanosecond. A column that may be empty is an
//! `Option`. A subject without rows leaves no file.

mod audit;
mod convergence;
mod detection;
mod elections;
mod events;
mod faults;
mod latency;
mod load;
mod membership;
mod messages;
mod peers;
mod samples;
mod steps;
mod timeline;
mod trace;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use audit::AuditRow;
pub use convergence::ConvergenceRow;
pub use detection::DetectionRow;
pub use elections::ElectionRow;
pub use events::EventRow;
pub use faults::FaultRow;
pub use latency::{LatencyRow, Outcome};
pub use load::LoadRow;
pub use membership::MembershipRow;
pub use messages::MessageRow;
pub use peers::PeerRow;
pub use samples::SampleRow;
pub use steps::StepRow;
pub use timeline::TimelineRow;
pub use trace::TraceRow;

/// A row type with a CSV file of its own.
///
/// The columns are the fields of the row, in order, by name; all fields are scalars.
pub trait Subject: Serialize + DeserializeOwned {
    /// Name of the file in the run directory.
    const FILE: &'static str;
}

/// What is done with the table of each subject in turn; see [`Tables::visit`].
pub(crate) trait Visitor<E> {
    fn table<R: Subject>(&mut self, rows: &[R]) -> Result<(), E>;
}

/// What fills the table of each subject in turn; see [`Tables::fill`].
pub(crate) trait Source<E> {
    fn table<R: Subject>(&mut self) -> Result<Vec<R>, E>;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident: $row:ty,)*) => {
        /// The rows of every subject; a subject that the run does not have is empty.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Tables {
            $($(#[$doc])* pub $table: Vec<$row>,)*
        }

        impl Tables {
            /// Names of all files that tables are kept in.
            pub const FILES: &[&str] = &[$(<$row as Subject>::FILE),*];

            /// Names of the files that these tables leave: those of subjects with rows.
            pub fn files(&self) -> Vec<&'static str> {
                let mut files = Vec::new();
                $(if !self.$table.is_empty() {
                    files.push(<$row as Subject>::FILE);
                })*
                files
            }

            pub(crate) fn visit<E>(&self, visitor: &mut impl Visitor<E>) -> Result<(), E> {
                $(visitor.table(&self.$table)?;)*
                Ok(())
            }

            pub(crate) fn fill<E>(source: &mut impl Source<E>) -> Result<Self, E> {
                Ok(Self { $($table: source.table()?,)* })
            }
        }
    };
}

tables! {
    /// Who took part, in slot order.
    peers: PeerRow,
    /// The faults that were planned, in number order; the bands of every plot over time.
    faults: FaultRow,
    /// Events of interest, by time.
    events: EventRow,
    /// Fate of messages per interval and kind.
    messages: MessageRow,
    /// Messages and bytes per peer and interval.
    load: LoadRow,
    /// Detection of crashed peers, one row for each observer.
    detection: DetectionRow,
    /// Share of peers that know something, over time.
    convergence: ConvergenceRow,
    /// Agreement of the peers' membership views, over time.
    membership: MembershipRow,
    /// Client operations and how long they took.
    latency: LatencyRow,
    /// Elections of leaders, by time.
    elections: ElectionRow,
    /// Steps of a protocol and how long they took, by time.
    steps: StepRow,
    /// What the audit logs are worth, by peer.
    audit: AuditRow,
    /// What each peer was and when, by timeline, peer and time.
    timeline: TimelineRow,
    /// Further time series, by name.
    samples: SampleRow,
    /// Every message; only under `--trace`.
    trace: TraceRow,
}
