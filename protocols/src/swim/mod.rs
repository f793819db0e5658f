//! SWIM with Lifeguard: who is a member, who is alive, told by gossip.

mod config;
mod event;
mod message;

pub use config::{Bootstrap, DeadRule, ProbeOrder, SwimConfig};
pub use event::{Refusal, SwimEvent};
pub use message::{
    Alive, Claim, ClaimKind, Incarnation, Nickname, SwimMessage, SwimRecord, SwimReply,
    SwimRequest, Update,
};

/// The first signed Alive record of everyone, given to each at the start.
#[derive(Clone, Debug)]
pub struct Roster;
