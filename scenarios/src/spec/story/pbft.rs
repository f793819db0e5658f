//! What a story can say of PBFT.

use fedsim_protocols::pbft::{Operation, PbftPeer, PbftTimer};

use super::Dialect;

/// The words for PBFT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PbftWords {}

impl Dialect for PbftWords {
    type Protocol = PbftPeer;
    type Fact = PbftFact;
    type Ask = Operation;
    type Claim = PbftClaim;

    const TIMERS: &'static [&'static str] = &[
        "view-change",
        "retransmit",
        "fetch-state",
        "judge-primary",
        "ask-again",
    ];

    fn timer(timer: &PbftTimer) -> &'static str {
        match timer {
            PbftTimer::ViewChange => "view-change",
            PbftTimer::Retransmit => "retransmit",
            PbftTimer::FetchState => "fetch-state",
            PbftTimer::JudgePrimary => "judge-primary",
            PbftTimer::AskAgain => "ask-again",
        }
    }
}

/// A replica begins with an empty log; nothing can be given to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PbftFact {}

/// What can be claimed of a replica, or of a client where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PbftClaim {
    /// It is the primary of its view; false: a backup.
    Primary(bool),
    /// It takes part in its view; false: it waits for the new-view.
    Active(bool),
    /// It is in this view, or asked for it.
    View(u64),
    /// It executed batches up to here for good.
    Executed(u64),
    /// Its last stable checkpoint.
    Stable(u64),
    /// A batch at this sequence number is prepared in its view; false: none is.
    Prepared(u64, bool),
    /// A batch at this sequence number is committed-local; false: none is, or it is behind the
    /// stable checkpoint.
    Committed(u64, bool),
    /// Its register `key` holds this, or was never written.
    Holds(u64, Option<String>),
    /// The last request of this client has no answer yet.
    Unanswered,
    /// It was answered, and not by a value. Of clients.
    Answered,
    /// It was a read and found this, or nothing. Of clients.
    Read(Option<String>),
}
