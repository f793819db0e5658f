//! What a machine wants done: an ordered list of values that the driver carries out.
//!
//! Order is meaning: a send that stands behind a [`Output::Persist`] of the same input leaves only
//! when those writes are durable. Must not know how anything is carried out.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::fold::{Fold, Folder};
use crate::peer::PeerId;
use crate::protocol::Protocol;
use crate::time::SimDuration;

/// A message on its way: inline for one receiver, shared for a multicast.
///
/// Keep message types within 64 bytes and box what is larger: they are stored inline in queues.
#[derive(Clone, Debug)]
pub enum Payload<M> {
    /// For one receiver.
    Inline(M),
    /// One allocation for all receivers of a multicast.
    Shared(Arc<Multicast<M>>),
}

/// A message to several receivers, and its hash, which is computed once for all of them.
#[derive(Clone, Debug)]
pub struct Multicast<M> {
    message: M,
    hash: u64,
}

impl<M: Fold> Payload<M> {
    /// A message for several receivers; clone it for each.
    pub fn shared(message: M) -> Self {
        let hash = Folder::of(&message);
        Self::Shared(Arc::new(Multicast { message, hash }))
    }

    /// What the run digest sees of the message.
    #[inline]
    pub fn hash(&self) -> u64 {
        match self {
            Self::Inline(message) => Folder::of(message),
            Self::Shared(shared) => shared.hash,
        }
    }
}

impl<M> Deref for Payload<M> {
    type Target = M;
    #[inline]
    fn deref(&self) -> &M {
        match self {
            Self::Inline(message) => message,
            Self::Shared(shared) => &shared.message,
        }
    }
}

/// Names one request from its arrival at a machine to the machine's reply. Unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl Fold for RequestId {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.0);
    }
}

/// Names one batch of writes; chosen by the machine, given back when the batch is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistToken(pub u64);

impl Fold for PersistToken {
    fn fold(&self, into: &mut Folder) {
        into.u64(self.0);
    }
}

/// One change to a peer's disk, which holds an indexed log and numbered slots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write<R> {
    /// Puts `record` at log index `index`; whatever stood at or above it is gone.
    Append {
        /// Where in the log; at most one past its end.
        index: u64,
        /// What to keep.
        record: R,
    },
    /// Forgets the log from `from` upwards.
    TruncateFrom {
        /// The first index that goes.
        from: u64,
    },
    /// Forgets the log below `below`.
    CompactBelow {
        /// The first index that stays.
        below: u64,
    },
    /// Replaces what slot `slot` holds, atomically.
    Put {
        /// Which slot.
        slot: u32,
        /// What to keep.
        record: R,
    },
}

/// One thing that a machine wants done.
pub enum Output<P: Protocol> {
    /// Carry a message to a peer. Oneself is a legal target and is reached over no network.
    Send {
        /// The receiver.
        to: PeerId,
        /// What to carry.
        payload: Payload<P::Message>,
    },
    /// Fire `timer` when this peer's clock has advanced by `after`; replaces an earlier setting.
    SetTimer {
        /// Which of the machine's timers.
        timer: P::Timer,
        /// How long from now by the local clock.
        after: SimDuration,
    },
    /// Forget the timer; harmless if it is not set.
    CancelTimer {
        /// Which of the machine's timers.
        timer: P::Timer,
    },
    /// Write to disk, all or nothing; answered by `on_persisted(token)` once durable.
    Persist {
        /// Given back when durable.
        token: PersistToken,
        /// The writes, in order.
        writes: Vec<Write<P::Record>>,
    },
    /// Answer a request that was put to this machine.
    Reply {
        /// Which request.
        request: RequestId,
        /// The answer.
        reply: P::Reply,
    },
    /// Report a fact.
    Notify(P::Event),
}

impl<P: Protocol> fmt::Debug for Output<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { to, payload } => write!(f, "Send({to}, {:?})", &**payload),
            Self::SetTimer { timer, after } => write!(f, "SetTimer({timer:?}, {after})"),
            Self::CancelTimer { timer } => write!(f, "CancelTimer({timer:?})"),
            Self::Persist { token, writes } => write!(f, "Persist({}, {writes:?})", token.0),
            Self::Reply { request, reply } => write!(f, "Reply({}, {reply:?})", request.0),
            Self::Notify(event) => write!(f, "Notify({event:?})"),
        }
    }
}

/// The ordered outputs of one input.
pub struct Outbox<P: Protocol> {
    outputs: Vec<Output<P>>,
}

impl<P: Protocol> Default for Outbox<P> {
    fn default() -> Self {
        Self {
            outputs: Vec::new(),
        }
    }
}

impl<P: Protocol> fmt::Debug for Outbox<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.outputs).finish()
    }
}

impl<P: Protocol> Outbox<P> {
    /// An empty outbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one output at the end.
    #[inline]
    pub fn push(&mut self, output: Output<P>) {
        self.outputs.push(output);
    }

    /// The outputs so far, oldest first.
    pub fn outputs(&self) -> &[Output<P>] {
        &self.outputs
    }

    /// The outputs so far, for whoever stands between a machine and the world.
    pub fn outputs_mut(&mut self) -> &mut Vec<Output<P>> {
        &mut self.outputs
    }

    /// Takes all outputs, oldest first, and keeps the memory.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Output<P>> {
        self.outputs.drain(..)
    }
}
