//! What a user asks, and what a peer reports about the rumors it meets.

use std::fmt::Write as _;

use super::message::RumorId;
use crate::event::Event;
use crate::{fold_enum, fold_struct};

/// What a user asks of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RumorRequest {
    /// Spread a new rumor.
    Start {
        /// What it says.
        payload: u64,
        /// Bytes that its body would add to each message that carries it.
        size: u32,
    },
}

fold_enum!(RumorRequest {
    0 = Start { payload, size },
});

/// What the user is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RumorReply {
    /// The rumor is on the peer's disk and spreads from the next round on.
    Started {
        /// Its name.
        rumor: RumorId,
    },
    /// The peer keeps as many rumors as it may.
    Refused,
}

fold_enum!(RumorReply {
    0 = Started { rumor },
    1 = Refused {},
});

/// Why an input was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No room for another rumor.
    TableFull,
    /// A known rumor with another content.
    ConflictingContent,
    /// A rumor of one's own that one never started.
    ForgedOwn,
}

impl Refusal {
    /// The constant name by which refusals are counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TableFull => "rumor-table-full",
            Self::ConflictingContent => "rumor-conflicting-content",
            Self::ForgedOwn => "rumor-forged-own",
        }
    }
}

fold_enum!(Refusal {
    0 = TableFull {},
    1 = ConflictingContent {},
    2 = ForgedOwn {},
});

/// A peer came to know a rumor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Learned {
    /// Which rumor.
    pub rumor: RumorId,
    /// Rounds since it was started: 0 at the origin, 1 for those who hear it in the first round.
    pub round: u32,
    /// How many times it was passed on to get here: 0 at the origin.
    pub hops: u32,
    /// What it says.
    pub payload: u64,
}

fold_struct!(Learned {
    rumor,
    round,
    hops,
    payload,
});

/// What a peer reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RumorEvent {
    /// It learned a rumor that it did not know.
    Learned {
        /// Which, and how it got here.
        learned: Learned,
    },
    /// It read a rumor back from its disk after a restart, and spreads it again.
    Recovered {
        /// Which.
        rumor: RumorId,
    },
    /// It stopped spreading a rumor.
    InterestLost {
        /// Which.
        rumor: RumorId,
        /// Rounds since the rumor was started.
        round: u32,
    },
    /// It refused an input, without any change of its state.
    Rejected {
        /// Why.
        refusal: Refusal,
        /// Which rumor the input was about; none for one that was not yet named.
        rumor: Option<RumorId>,
    },
}

fold_enum!(RumorEvent {
    0 = Learned { learned },
    1 = Recovered { rumor },
    2 = InterestLost { rumor, round },
    3 = Rejected { refusal, rumor },
});

impl Event for RumorEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Learned { .. } => "rumor-learned",
            Self::Recovered { .. } => "rumor-recovered",
            Self::InterestLost { .. } => "interest-lost",
            Self::Rejected { .. } => "rumor-rejected",
        }
    }

    fn rejected(&self) -> Option<&'static str> {
        match self {
            Self::Rejected { refusal, .. } => Some(refusal.name()),
            Self::Learned { .. } | Self::Recovered { .. } | Self::InterestLost { .. } => None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Learned { learned } => {
                let Learned {
                    rumor,
                    round,
                    hops,
                    payload,
                } = learned;
                format!("rumor {rumor}, {payload}, in round {round} over {hops} hops")
            }
            Self::Recovered { rumor } => format!("rumor {rumor}"),
            Self::InterestLost { rumor, round } => format!("rumor {rumor} in round {round}"),
            Self::Rejected { refusal, rumor } => {
                let mut line = refusal.name().to_owned();
                if let Some(rumor) = rumor {
                    let _ = write!(line, ": rumor {rumor}");
                }
                line
            }
        }
    }
}
