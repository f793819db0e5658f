//! Practical Byzantine Fault Tolerance, signature version: Castro and Liskov, OSDI 1999 ("section"
//! without more), TOCS 2002 and Castro's thesis (2001).
//!
//! n replicas, of which f = floor((n-1)/3) may do anything, execute one sequence of requests. Where
//! the papers say 2f+1 this code reads the quorum q = ceil((n+f+1)/2), which is right for every n;
//! where they say 2f, q-1. The replicas believe nothing that is not signed by a member of the
//! roster in force: who voted is who signed, whatever the network says.
//!
//! | word | means |
//! |---|---|
//! | view, primary, backup | the reign of replica v mod n; the one that assigns places; the others |
//! | sequence number | a batch's place in the total order |
//! | prepared | an assignment and q-1 matching prepares of different backups: no other batch can prepare there in this view |
//! | committed-local | prepared and q matching commits: the place survives every view change |
//! | checkpoint, stable | the state after every K batches; vouched for by a quorum |
//! | watermarks h, H | the last stable checkpoint, and L above it: votes lie between |
//! | null request | the empty batch that fills a gap after a view change |
//! | epoch | the version of the roster; every vote signs it |
//!
//! | message | from | to | phase |
//! |---|---|---|---|
//! | request | client | primary; all on a retransmission | normal case |
//! | forward | backup | primary | normal case |
//! | pre-prepare | primary | backups | normal case |
//! | prepare | backup | all | normal case |
//! | commit | replica | all | normal case |
//! | reply | replica | client | normal case |
//! | checkpoint | replica | all | every K batches |
//! | view-change | replica | all | view change |
//! | new-view | primary of the new view | all | view change |
//! | status | stuck replica | all | retransmission |
//! | commit-proof, checkpoint-proof | replica | stuck replica | retransmission |
//! | state-request, state-reply | replica or client; replica | one replica; asker | state transfer, rosters |
//!
//! ```text
//! client   ──request──▶ ·                                              ▲ f+1 replies
//! primary              ──pre-prepare──▶ ·           ──commit──▶ ·  ──reply
//! backups                               ──prepare──▶ ──commit──▶ ·  ──reply
//! ```
//!
//! Start reading at [`replica`], then [`rules`]; the phases follow in `ordering`, `voting`,
//! `committing`, `execution`, `checkpoint`, `view_change`, `new_view`, `state_transfer`,
//! `reconfiguration`, `rekeying`. Must not know networks, clocks other than its own, adversaries or any
//! other protocol.

mod checkpoint;
mod client;
mod committing;
pub mod config;
mod durability;
pub mod event;
mod execution;
mod future;
mod inspect;
mod log;
pub mod message;
pub mod mutants;
mod new_view;
pub mod numbers;
mod ordering;
mod rate;
mod reconfiguration;
mod rekeying;
pub mod replica;
mod requests;
mod retransmission;
pub mod roster;
pub mod rules;
pub mod state;
mod state_transfer;
pub mod store;
mod view_change;
mod votes;
mod voting;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::fold::{Fold, Folder};
use crate::outbox::{PersistToken, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};

pub use client::PbftClient;
pub use config::{ConfigError, MinimumRate, PbftConfig};
pub use durability::PbftRecord;
pub use event::{Executed, Execution, PbftEvent, Placement, Reason, StoreSizes, ViewChangeCause};
pub use message::{PbftMessage, Request};
pub use new_view::{Reissue, reissue};
pub use numbers::{Digest, Epoch, ReplicaId, Sequence, Timestamp, View};
pub use rekeying::Rekeying;
pub use replica::{Pbft, Status};
pub use roster::{Member, Membership, Roster};
pub use rules::{Chosen, Paper, Rules};
pub use store::{Entry, Operation, Outcome, Store, Value};

/// The timers of a PBFT peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PbftTimer {
    /// Replica: ask for the next view; a request, or a new view, takes too long.
    ViewChange,
    /// Replica: send again, or ask for, what seems lost.
    Retransmit,
    /// Replica: ask the next peer for a state.
    FetchState,
    /// Replica: judge how fast the primary is.
    JudgePrimary,
    /// Client: send the request to all replicas.
    AskAgain,
}

impl Fold for PbftTimer {
    fn fold(&self, into: &mut Folder) {
        into.u64(match self {
            Self::ViewChange => 0,
            Self::Retransmit => 1,
            Self::FetchState => 2,
            Self::JudgePrimary => 3,
            Self::AskAgain => 4,
        });
    }
}

/// A party of a PBFT group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PbftPeer<R: Rules = Paper> {
    /// One of the replicas.
    Replica(Box<Pbft<R>>),
    /// A client of theirs.
    Client(Box<PbftClient<R>>),
}

impl<R: Rules> PbftPeer<R> {
    /// A replica.
    pub fn replica(config: Arc<PbftConfig>, roster: Arc<Roster>) -> Self {
        Self::Replica(Box::new(Pbft::new(config, roster)))
    }

    /// A client.
    pub fn client(config: Arc<PbftConfig>, roster: Arc<Roster>) -> Self {
        Self::Client(Box::new(PbftClient::new(config, roster)))
    }

    /// The replica in it, for checkers and traces.
    pub fn as_replica(&self) -> Option<&Pbft<R>> {
        match self {
            Self::Replica(replica) => Some(replica),
            Self::Client(_) => None,
        }
    }

    /// The client in it.
    pub fn as_client(&self) -> Option<&PbftClient<R>> {
        match self {
            Self::Client(client) => Some(client),
            Self::Replica(_) => None,
        }
    }
}

impl<R: Rules> Protocol for PbftPeer<R> {
    type Message = PbftMessage;
    type Timer = PbftTimer;
    type Record = PbftRecord;
    type Event = PbftEvent;
    type Request = Operation;
    type Reply = Outcome;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        match self {
            Self::Replica(replica) => replica.on_start(ctx),
            Self::Client(_) => {}
        }
    }

    fn on_restart(&mut self, durable: Durable<PbftRecord>, ctx: &mut Context<'_, Self>) {
        match self {
            Self::Replica(replica) => replica.on_restart(durable, ctx),
            Self::Client(client) => client.on_restart(&durable, ctx),
        }
    }

    fn on_message(&mut self, _from: PeerId, message: &PbftMessage, ctx: &mut Context<'_, Self>) {
        match self {
            Self::Replica(replica) => replica.on_message(message, ctx),
            Self::Client(client) => client.on_message(message, ctx),
        }
    }

    fn on_timer(&mut self, timer: PbftTimer, ctx: &mut Context<'_, Self>) {
        match self {
            Self::Replica(replica) => replica.on_timer(timer, ctx),
            Self::Client(client) => match timer {
                PbftTimer::AskAgain => client.on_ask_again(ctx),
                PbftTimer::ViewChange
                | PbftTimer::Retransmit
                | PbftTimer::FetchState
                | PbftTimer::JudgePrimary => {}
            },
        }
    }

    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Context<'_, Self>) {
        match self {
            Self::Replica(replica) => replica.on_persisted(token, ctx),
            Self::Client(_) => {}
        }
    }

    fn on_request(&mut self, id: RequestId, request: Operation, ctx: &mut Context<'_, Self>) {
        match self {
            Self::Client(client) => client.on_request(id, request, ctx),
            Self::Replica(_) => ctx.reply(id, Outcome::Refused {}),
        }
    }
}
