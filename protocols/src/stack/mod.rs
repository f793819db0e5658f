//! One peer of a federation: the machines of several protocols, composed.
//!
//! | part | is |
//! |---|---|
//! | chamber | Raft among the peers of the own organisation, or of all |
//! | assembly | PBFT across organisations: every peer a replica, or only a client |
//! | office | actions from peer to peer: signed, judged, done once, answered |
//! | delegate | the organisation's own PBFT replica, run by whoever leads its Raft |
//! | sessions | who is at the other end, proven, where the transport says so |
//!
//! The only module that may import several protocols. Each of them runs unchanged: what it sends is
//! a [`Load`] among others, its timers, records and events are wrapped. Start reading at
//! [`StackPeer`], then `lodger`, then `council`. Must not know networks, files or who lies.

mod actions;
mod config;
mod council;
mod event;
mod held;
mod lodger;
mod message;
mod peer;
mod sessions;
mod tenure;

#[cfg(test)]
mod tests;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::audit::Record;
use crate::federation::identity::IdentityRecord;
use crate::federation::ownership::Resource;
use crate::fold_enum;
use crate::pbft::{PbftRecord, PbftTimer};
use crate::protocol::Context;
use crate::raft::{RaftRecord, RaftTimer};

pub use actions::{
    ActionRecord, ActionsConfig, Bid, BidName, BidStep, ConductConfig, Delegation, Directory,
    Effect, Ending, Errand, Pool, PrivacyGate, Screening,
};
pub use config::{Across, Federation, Link, StackConfig, Standing};
pub use council::{Ballots, Elector, Proposal};
pub use event::StackEvent;
pub use message::{Load, StackMessage};
pub use peer::StackPeer;
pub use sessions::{Papers, Tls, TransportConfig};
pub use tenure::Wish;

/// The context of a peer.
type Ctx<'a, R> = Context<'a, StackPeer<R>>;

/// The timers of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackTimer {
    /// One of its Raft server or client.
    Raft {
        /// Which.
        timer: RaftTimer,
    },
    /// One of its PBFT replica or client.
    Pbft {
        /// Which.
        timer: PbftTimer,
    },
    /// An action was not answered: send it again, or give up.
    Resend {
        /// Which errand.
        number: u64,
    },
    /// A piece of work is done.
    Work {
        /// Which.
        ticket: u64,
    },
    /// Third parties are to countersign the head of the audit log.
    Countersign,
    /// What is thought of others is to be recomputed.
    Evaluate,
    /// A keeper has not ruled: ask again.
    Bid {
        /// On which bid.
        number: u64,
    },
    /// It is time to use what this peer owns.
    Use {
        /// What.
        resource: Resource,
    },
    /// It is time to have a lease renewed.
    Renew {
        /// On what.
        resource: Resource,
    },
    /// Something is due in a session.
    Sessions,
    /// What is known of keys is to be told again.
    Spread,
    /// A change of keys goes on.
    Turnover,
}

fold_enum!(StackTimer {
    1 = Raft { timer },
    2 = Pbft { timer },
    3 = Resend { number },
    4 = Work { ticket },
    5 = Countersign {},
    6 = Evaluate {},
    20 = Bid { number },
    21 = Use { resource },
    22 = Renew { resource },
    7 = Sessions {},
    8 = Spread {},
    9 = Turnover {},
});

/// What a peer keeps on disk.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum StackRecord {
    /// Of its Raft server.
    Raft {
        /// What.
        record: RaftRecord,
    },
    /// Of its PBFT replica or client.
    Pbft {
        /// What.
        record: PbftRecord,
    },
    /// Of an envelope that it took.
    Action {
        /// What.
        record: ActionRecord,
    },
    /// Of its audit log.
    Audit {
        /// What.
        record: Record,
    },
    /// Of a key.
    Identity {
        /// What.
        record: IdentityRecord,
    },
}

/// Whom a decision binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The peers of one's own organisation.
    Organisation,
    /// All.
    Federation,
}

fold_enum!(Scope {
    0 = Organisation {},
    1 = Federation {},
});

/// What a user asks of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackRequest {
    /// Have this decided.
    Propose {
        /// By whom.
        scope: Scope,
        /// What.
        content: Vec<u8>,
    },
    /// Have it decided who owns something.
    Claim {
        /// By whom.
        scope: Scope,
        /// What.
        resource: Resource,
        /// Who is to.
        wish: Wish,
    },
    /// Tell everybody what an organisation says of its keys.
    Publish {
        /// What.
        records: Vec<IdentityRecord>,
    },
    /// Take up another key.
    Rotate {},
    /// Have another peer do this.
    Act {
        /// What, and whom.
        errand: Box<Errand>,
    },
}

fold_enum!(StackRequest {
    0 = Propose { scope, content },
    1 = Act { errand },
    2 = Claim { scope, resource, wish },
    3 = Publish { records },
    4 = Rotate {},
});

/// What came of a [`StackRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StackReply {
    /// It was decided, and this peer has applied it.
    Decided {},
    /// It was not, as far as this peer knows.
    Failed {},
    /// It is being told, or done.
    Published {},
    /// The other peer was asked, and this came of it.
    Ended {
        /// How it ended.
        ending: Ending,
    },
}

fold_enum!(StackReply {
    0 = Decided {},
    1 = Failed {},
    2 = Ended { ending },
    3 = Published {},
});
