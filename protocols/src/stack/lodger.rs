//! Machines that live inside the stack: how their outputs become the stack's.
//!
//! An inner machine is driven with a context and an outbox of its own. Its timers and records are
//! wrapped, its slots and tokens are moved apart from those of others, and its messages, replies
//! and events are given to the stack, which decides what becomes of them. The log of a disk belongs
//! to Raft alone. Must not know what any machine does.

use crate::federation::rules::Rules;
use crate::outbox::{Outbox, Output, PersistToken, RequestId, Write};
use crate::pbft::{self, PbftPeer};
use crate::peer::PeerId;
use crate::protocol::{Durable, Protocol, Stored};
use crate::raft::RaftPeer;

use super::{Ctx, StackEvent, StackRecord, StackTimer};

/// Which machine something of a disk belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Owner {
    /// The stack itself.
    Stack,
    /// Its Raft server.
    Raft,
    /// Its PBFT replica and client.
    Pbft,
    /// Its audit log, by number of record.
    Audit,
    /// What it learnt of keys.
    Identity,
}

/// Bits of a slot below its owner's number.
const SLOT_BITS: u32 = 28;
/// Bits of a token below its owner's number.
const TOKEN_BITS: u32 = 56;

impl Owner {
    const ALL: [Self; 5] = [
        Self::Stack,
        Self::Raft,
        Self::Pbft,
        Self::Audit,
        Self::Identity,
    ];

    /// The token of a write that nobody waits for.
    pub(super) const NOBODYS_TOKEN: PersistToken = PersistToken(0);

    const fn number(self) -> u32 {
        match self {
            Self::Stack => 0,
            Self::Audit => 1,
            Self::Raft => 2,
            Self::Pbft => 3,
            Self::Identity => 4,
        }
    }

    fn numbered(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.number() == number)
    }

    /// The disk's slot for one of the owner's slots.
    pub(super) const fn slot(self, slot: u32) -> u32 {
        self.number() << SLOT_BITS | slot
    }

    /// The disk's token for one of the owner's tokens.
    pub(super) const fn token(self, token: PersistToken) -> PersistToken {
        PersistToken((self.number() as u64) << TOKEN_BITS | token.0)
    }

    /// All slots of the owner.
    pub(super) const fn slots(self) -> std::ops::Range<u32> {
        let first = self.slot(0);
        first..first + (1 << SLOT_BITS)
    }

    /// Whose token it is, and what the owner called it.
    pub(super) fn of_token(token: PersistToken) -> (Self, PersistToken) {
        let owner = Self::numbered((token.0 >> TOKEN_BITS) as u32).unwrap_or(Self::Stack);
        (owner, PersistToken(token.0 & ((1 << TOKEN_BITS) - 1)))
    }
}

/// A machine that can live inside the stack.
pub(super) trait Lodger: Protocol {
    /// Whose its slots and tokens are.
    const OWNER: Owner;

    fn timer(timer: Self::Timer) -> StackTimer;
    fn record(record: Self::Record) -> StackRecord;
    fn own_record(record: StackRecord) -> Option<Self::Record>;
    fn event(event: Self::Event) -> StackEvent;
}

macro_rules! lodger {
    ([$($rules:tt)*] $machine:ty, $owner:ident) => {
        impl<$($rules)*> Lodger for $machine {
            const OWNER: Owner = Owner::$owner;

            fn timer(timer: Self::Timer) -> StackTimer {
                StackTimer::$owner { timer }
            }

            fn record(record: Self::Record) -> StackRecord {
                StackRecord::$owner { record }
            }

            fn own_record(record: StackRecord) -> Option<Self::Record> {
                match record {
                    StackRecord::$owner { record } => Some(record),
                    _ => None,
                }
            }

            fn event(event: Self::Event) -> StackEvent {
                StackEvent::$owner { event }
            }
        }
    };
}

lodger!([] RaftPeer, Raft);
lodger!([B: pbft::Rules] PbftPeer<B>, Pbft);

/// What an inner machine said that the stack must deal with.
pub(super) enum Said<P: Protocol> {
    /// It wants this carried.
    Send(PeerId, P::Message),
    /// It answers one of the stack's requests.
    Reply(RequestId, P::Reply),
    /// It reported this; passed on already.
    Event(P::Event),
}

/// Carries out what an inner machine wants done alone, and gives back the rest, in order.
pub(super) fn settle<P: Lodger, R: Rules>(
    outbox: &mut Outbox<P>,
    ctx: &mut Ctx<'_, R>,
) -> Vec<Said<P>> {
    let mut said = Vec::new();
    for output in outbox.drain() {
        match output {
            Output::Send { to, payload } => said.push(Said::Send(to, (*payload).clone())),
            Output::SetTimer { timer, after } => ctx.set_timer(P::timer(timer), after),
            Output::CancelTimer { timer } => ctx.cancel_timer(P::timer(timer)),
            Output::Persist { token, writes } => {
                let writes = writes.into_iter().map(wrapped::<P>).collect();
                ctx.persist(P::OWNER.token(token), writes);
            }
            Output::Reply { request, reply } => said.push(Said::Reply(request, reply)),
            Output::Notify(event) => {
                ctx.notify(P::event(event.clone()));
                said.push(Said::Event(event));
            }
        }
    }
    said
}

fn wrapped<P: Lodger>(write: Write<P::Record>) -> Write<StackRecord> {
    match write {
        Write::Append { index, record } => Write::Append {
            index,
            record: P::record(record),
        },
        Write::TruncateFrom { from } => Write::TruncateFrom { from },
        Write::CompactBelow { below } => Write::CompactBelow { below },
        Write::Put { slot, record } => Write::Put {
            slot: P::OWNER.slot(slot),
            record: P::record(record),
        },
    }
}

/// What of a disk belongs to one machine, as that machine wrote it.
pub(super) fn share_of<P: Lodger>(durable: &Durable<StackRecord>) -> Durable<P::Record> {
    let first = P::OWNER.slot(0);
    let slots = durable.slots.range(P::OWNER.slots());
    let slots = slots.map(|(slot, stored)| (slot - first, unwrapped::<P>(stored)));
    let has_log = P::OWNER == Owner::Raft;
    Durable {
        slots: slots.collect(),
        log_start: if has_log { durable.log_start } else { 0 },
        log: match has_log {
            true => durable.log.iter().map(unwrapped::<P>).collect(),
            false => Vec::new(),
        },
    }
}

fn unwrapped<P: Lodger>(stored: &Stored<StackRecord>) -> Stored<P::Record> {
    match stored {
        Stored::Intact(record) => {
            P::own_record(record.clone()).map_or(Stored::Damaged, Stored::Intact)
        }
        Stored::Damaged => Stored::Damaged,
    }
}
