//! What a peer of a federation reports, its inner machines' facts included.

use crate::event::Event;
use crate::fold_enum;
use crate::pbft::PbftEvent;
use crate::raft::RaftEvent;
use crate::swim::SwimEvent;

use super::council::Proposal;

/// A fact about one peer of a federation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackEvent {
    /// Its SWIM member reports.
    Swim {
        /// What.
        event: SwimEvent,
    },
    /// Its Raft server or client reports.
    Raft {
        /// What.
        event: RaftEvent,
    },
    /// Its PBFT replica or client reports.
    Pbft {
        /// What.
        event: PbftEvent,
    },
    /// It put a proposal to a council.
    Proposed {
        /// The proposal.
        proposal: Proposal,
    },
    /// It learned that a proposal was decided, for the first time in this life.
    Decided {
        /// The proposal.
        proposal: Proposal,
    },
    /// An input was refused.
    Rejected {
        /// Why: a constant.
        reason: &'static str,
    },
}

fold_enum!(StackEvent {
    0 = Swim { event },
    1 = Raft { event },
    2 = Pbft { event },
    3 = Proposed { proposal },
    4 = Decided { proposal },
    5 = Rejected { reason },
});

impl Event for StackEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Swim { event } => event.name(),
            Self::Raft { event } => event.name(),
            Self::Pbft { event } => event.name(),
            Self::Proposed { .. } => "proposed",
            Self::Decided { .. } => "decided",
            Self::Rejected { .. } => "rejected",
        }
    }

    fn rejected(&self) -> Option<&'static str> {
        match self {
            Self::Swim { event } => event.rejected(),
            Self::Raft { event } => event.rejected(),
            Self::Pbft { event } => event.rejected(),
            Self::Rejected { reason } => Some(reason),
            Self::Proposed { .. } | Self::Decided { .. } => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Swim { event } => event.detail(),
            Self::Raft { event } => event.detail(),
            Self::Pbft { event } => event.detail(),
            Self::Proposed { proposal } | Self::Decided { proposal } => {
                format!("number {} of {}", proposal.number, proposal.proposer)
            }
            Self::Rejected { reason } => (*reason).to_owned(),
        }
    }
}
