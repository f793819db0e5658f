//! What happened at peers, in order, for checkers, triggers and reports.

use fedsim_protocols::{Payload, PeerId, Protocol, RequestId};

use super::agenda::Class;
use crate::time::SimTime;

/// One thing that happened at one peer and that somebody outside may care about.
pub struct Notice<P: Protocol> {
    /// When.
    pub at: SimTime,
    /// Where.
    pub peer: PeerId,
    /// Orders what happened at one peer at one time.
    pub(crate) n: u64,
    /// What.
    pub what: Happened<P>,
}

/// What a [`Notice`] tells.
pub enum Happened<P: Protocol> {
    /// The machine reported a fact.
    Event(P::Event),
    /// A user put a request.
    Invoked(RequestId, P::Request),
    /// The machine answered.
    Replied(RequestId, P::Reply),
    /// The peer started for the first time.
    Started,
    /// The peer stopped; what it had not made durable is gone.
    Crashed,
    /// The peer runs again.
    Restarted,
    /// The peer handles nothing until it is resumed.
    Paused,
    /// The peer goes on.
    Resumed,
    /// A message of the peer entered the network; told only where messages are traced.
    Sent(Box<Passage<P::Message>>),
    /// The machine takes up a message; told only where messages are traced.
    Received(Box<Passage<P::Message>>),
}

/// One end of a message's way.
#[derive(Clone, Debug)]
pub struct Passage<M> {
    /// The peer at the other end.
    pub with: PeerId,
    /// The sender's count of what it sent or had due so far; tells its messages apart.
    pub seq: u64,
    /// How many the network makes of it, the number of the second being the next: told at sending.
    pub copies: u64,
    /// The message.
    pub payload: Payload<M>,
}

impl<P: Protocol> Clone for Happened<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Event(event) => Self::Event(event.clone()),
            Self::Invoked(id, request) => Self::Invoked(*id, request.clone()),
            Self::Replied(id, reply) => Self::Replied(*id, reply.clone()),
            Self::Started => Self::Started,
            Self::Crashed => Self::Crashed,
            Self::Restarted => Self::Restarted,
            Self::Paused => Self::Paused,
            Self::Resumed => Self::Resumed,
            Self::Sent(passage) => Self::Sent(passage.clone()),
            Self::Received(passage) => Self::Received(passage.clone()),
        }
    }
}

/// One event of the run digest, as traced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    /// When.
    pub at: SimTime,
    /// At whom.
    pub peer: PeerId,
    /// Its class in the order of events.
    pub class: Class,
    /// From whom; the peer itself for timers and orders.
    pub from: PeerId,
    /// Breaks ties.
    pub seq: u64,
    /// The peer's running hash after it.
    pub fold: u128,
    /// The event in words.
    pub text: String,
}
