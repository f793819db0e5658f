//! Audit: who did what with whom and when, so that it cannot be changed afterwards unnoticed.
//!
//! Every peer keeps a [`Log`](AuditLog) of each action that crosses a boundary, and of each refusal.
//! Records are chained by hash, so a head, `(number, hash)`, stands for all before it. Its owner
//! signs heads, third parties countersign them on a schedule ([`Witnesses`]), and the executor of an
//! action signs one with its answer ([`Acknowledgement`]). Whatever is altered or removed before
//! such a head is found by [`verify`], which names the owner: nobody else could have signed. What
//! is only behind the last head is no proof against anybody, and is reported as that.
//!
//! ```text
//! sender                                   executor
//!   Sent ─durable─▶ first byte ──action──▶ Intent ─durable─▶ effect ─▶ Executed
//!   Answered ◀────── acknowledgement, which signs the executor's head ─┘
//!   OutcomeUnknown, after a crash or where no answer came       (both sides)
//! ```
//!
//! Records are canonical bytes (borsh) of which [`lines`] writes and reads a form in JSON lines, one
//! file a peer: `audit-<peer>.jsonl`. Must not know envelopes, transport, or what an action is for.

pub mod lines;
mod log;
mod record;
mod story;
mod verify;
mod witness;
mod words;

pub use crate::federation::head::{Acknowledgement, Head};
pub use log::AuditLog;
pub use record::{ActionRecord, Content, ContentMode, Entry, Record, Stage, Witness};
pub use story::story;
pub use verify::{Finding, Problem, Report, Standing, verify};
pub use witness::{Fork, Witnesses, third_parties};
pub use words::Hex;

use crate::identity::{KeyScheme, PublicKey};
use crate::signed::Signed;
use crate::time::{LocalTime, SimDuration};

/// How a peer keeps its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuditConfig {
    /// Whether content is kept as text or as a keyed hash.
    pub content: ContentMode,
    /// How often a head is countersigned. A shorter span leaves less behind the last head and
    /// costs one signature and one message for each witness. Default 1 min, ours.
    pub countersign_every: SimDuration,
    /// How many third parties countersign a head. Default 2, ours: one may be down.
    pub witnesses: usize,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            content: ContentMode::Full,
            countersign_every: SimDuration::from_secs(60),
            witnesses: 2,
        }
    }
}

/// The log of one peer as it is verified: on its own, with nothing but what stands in it.
#[derive(Clone, Debug)]
pub struct KeptLog {
    /// The peer's nickname.
    pub peer: String,
    /// The key it signed with when the log began.
    pub key: PublicKey,
    /// How signatures of the run are checked.
    pub scheme: KeyScheme,
    /// The records, with the true time at which each was made where that is known.
    pub records: Vec<KeptRecord>,
    /// How the log was closed, if it was.
    pub closing: Option<Closing>,
}

/// The end of a log, signed by its owner alone: it shows that something behind the last
/// countersigned head was changed, and not by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// What the owner's clock said.
    pub at: LocalTime,
    /// The last head.
    pub head: Signed<Head>,
}

/// A record and the true time of its making, in nanoseconds since the run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecord {
    /// The record.
    pub record: Record,
    /// The true time; the peer itself never knew it, so it is under no hash.
    pub virtual_ns: Option<u64>,
}

#[cfg(test)]
mod tests;
