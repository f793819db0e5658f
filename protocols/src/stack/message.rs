//! What peers of a federation send each other, each kind in the words of its own protocol.
//!
//! ```text
//!   load     from ──▶ to                                  for
//!   raft     peer ──▶ peer of the same organisation       decisions inside; those of the delegate
//!   pbft     peer ──▶ peer of any organisation            decisions across
//!   action   source ──▶ audience                          something is asked for
//!   receipt  audience ──▶ source                          it was done
//!   refusal  audience ──▶ source                          it will not be done
//!   unknown  audience ──▶ source                          a crash hid whether it was done
//!   head     peer ──▶ third party                         the end of an audit log
//!   witness  third party ──▶ peer                         that end, countersigned
//!   bid      executor ──▶ keeper of an account            it pays
//!   ruling   keeper ──▶ executor                          whether it does
//!   touch    owner ──▶ keeper of a resource               it is used, under this epoch
//!   notice   proposer ──▶ everybody                       a proposal, where nobody decides
//!   identity peer ──▶ peer                                what is known of keys
//!   packet   peer ──▶ peer                                any of the above, in a session
//! ```

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::audit::{Head, Witness};
use crate::federation::envelope::{Action, Answer, Code};
use crate::federation::identity::IdentityRecord;
use crate::federation::ownership::Resource;
use crate::federation::terms::{ActionId, SessionId};
use crate::federation::transport::Packet;
use crate::fold_enum;
use crate::pbft::PbftMessage;
use crate::protocol::Message;
use crate::raft::RaftMessage;
use crate::signed::Signed;

use super::actions::{Bid, BidName};
use super::council::Proposal;

/// What one peer has to say to another, however it is carried.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Load {
    /// Decisions inside an organisation.
    Raft {
        /// In Raft's words.
        message: RaftMessage,
    },
    /// Decisions across organisations.
    Pbft {
        /// In PBFT's words.
        message: PbftMessage,
    },
    /// Something is asked for.
    Action {
        /// The signed envelope.
        action: Signed<Action>,
    },
    /// It was done.
    Receipt {
        /// The proof.
        answer: Answer,
    },
    /// It will not be done.
    Refusal {
        /// Which action.
        action: ActionId,
        /// All that is said of why.
        code: Code,
    },
    /// A crash hid whether it was done.
    OutcomeUnknown {
        /// Which action.
        action: ActionId,
    },
    /// The end of the sender's audit log, to be countersigned.
    Head {
        /// The end.
        head: Signed<Head>,
    },
    /// The end of the receiver's audit log, countersigned.
    Witness {
        /// The countersignature.
        witness: Signed<Witness>,
    },
    /// What is known of keys.
    Identity {
        /// By whoever may say it.
        records: Vec<IdentityRecord>,
    },
    /// A proposal, to be taken as it is: nobody decides.
    Notice {
        /// What is proposed.
        proposal: Proposal,
    },
    /// Something is wanted of whoever keeps an account.
    Bid {
        /// What.
        bid: Bid,
    },
    /// The sender uses what it owns.
    Touch {
        /// What.
        resource: Resource,
        /// Under which fencing epoch.
        epoch: u64,
    },
    /// The keeper's answer.
    Ruling {
        /// To which bid.
        name: BidName,
        /// Whether it is granted.
        is_granted: bool,
    },
}

fold_enum!(Load {
    1 = Raft { message },
    2 = Pbft { message },
    3 = Action { action },
    4 = Receipt { answer },
    5 = Refusal { action, code },
    6 = OutcomeUnknown { action },
    7 = Head { head },
    8 = Witness { witness },
    9 = Notice { proposal },
    20 = Bid { bid },
    21 = Ruling { name, is_granted },
    22 = Touch { resource, epoch },
    23 = Identity { records },
});

impl Load {
    /// Whether it answers something that the other side sent.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Receipt { .. }
            | Self::Refusal { .. }
            | Self::OutcomeUnknown { .. }
            | Self::Ruling { .. }
            | Self::Witness { .. } => true,
            Self::Raft { .. }
            | Self::Pbft { .. }
            | Self::Action { .. }
            | Self::Head { .. }
            | Self::Bid { .. }
            | Self::Touch { .. }
            | Self::Identity { .. }
            | Self::Notice { .. } => false,
        }
    }

    /// Whether offices say it to each other; what councils say is the rest.
    pub fn is_between_offices(&self) -> bool {
        match self {
            Self::Raft { .. } | Self::Pbft { .. } | Self::Notice { .. } => false,
            Self::Action { .. }
            | Self::Head { .. }
            | Self::Bid { .. }
            | Self::Identity { .. }
            | Self::Touch { .. } => true,
            answer => answer.is_answer(),
        }
    }
}

/// One carriage.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum StackMessage {
    /// As it is.
    Plain {
        /// What is said.
        load: Box<Load>,
    },
    /// In a session.
    Packet {
        /// Which.
        session: SessionId,
        /// Of its channel.
        packet: Box<Packet>,
    },
    /// To a packet: there is no such session here.
    NoSession {
        /// Which.
        session: SessionId,
    },
}

fold_enum!(StackMessage {
    0 = Plain { load },
    1 = Packet { session, packet },
    2 = NoSession { session },
});

/// Bytes by which a packet names its session, as the ports of TCP do.
const SESSION_LEN: usize = 16;

impl Message for StackMessage {
    const KINDS: &'static [&'static str] = &[
        "raft",
        "pbft",
        "action",
        "receipt",
        "refusal",
        "outcome-unknown",
        "head",
        "witness",
        "notice",
        "bid",
        "ruling",
        "touch",
        "packet",
        "no-session",
        "identity",
    ];

    fn kind(&self) -> usize {
        match self {
            Self::Plain { load } => match **load {
                Load::Raft { .. } => 0,
                Load::Pbft { .. } => 1,
                Load::Action { .. } => 2,
                Load::Receipt { .. } => 3,
                Load::Refusal { .. } => 4,
                Load::OutcomeUnknown { .. } => 5,
                Load::Head { .. } => 6,
                Load::Witness { .. } => 7,
                Load::Notice { .. } => 8,
                Load::Bid { .. } => 9,
                Load::Ruling { .. } => 10,
                Load::Touch { .. } => 11,
                Load::Identity { .. } => 14,
            },
            Self::Packet { .. } => 12,
            Self::NoSession { .. } => 13,
        }
    }

    fn encoded_len(&self) -> usize {
        match self {
            Self::Packet { packet, .. } => SESSION_LEN + packet.wire_len(),
            Self::Plain { .. } | Self::NoSession { .. } => {
                borsh::object_length(self).expect("counting bytes does not fail")
            }
        }
    }
}
