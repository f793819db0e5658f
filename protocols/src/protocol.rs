//! The boundary between a protocol and whoever runs it.
//!
//! A protocol is a plain value with one handler an input. A handler gets a [`Context`]: the peer's
//! own clock, its dice, its keys, and an outbox; it returns nothing and touches nothing else. The
//! driver drains the outbox before the next input. Whether the driver is a simulator, a test that
//! calls handlers by hand or a real process, the protocol cannot tell.
//!
//! ```text
//!   start · restart · message · timer · request · persisted
//!                         │ one at a time
//!                         ▼
//!                     [ machine ]  ── outbox ──▶ send · set/cancel timer · persist · reply · notify
//! ```

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::event::Event;
use crate::fold::Fold;
use crate::identity::{Keys, PublicKey};
use crate::outbox::{Outbox, Output, Payload, PersistToken, RequestId, Write};
use crate::peer::PeerId;
use crate::random::Stream;
use crate::signed::{Signable, Signed};
use crate::time::{LocalTime, SimDuration};

/// What travels between peers.
///
/// Keep the type within 64 bytes (box what is larger). `BorshSerialize` gives the wire bytes,
/// signatures included; [`Fold`] gives what the run digest sees, signatures left out.
pub trait Message:
    Clone + Debug + Fold + BorshSerialize + BorshDeserialize + Send + Sync + 'static
{
    /// The names of the kinds of message, for counters and tables: lower case with dashes.
    const KINDS: &'static [&'static str];

    /// The index of this message's kind in [`Message::KINDS`].
    fn kind(&self) -> usize;

    /// Bytes on the wire.
    fn encoded_len(&self) -> usize {
        borsh::object_length(self).expect("counting bytes does not fail")
    }
}

/// What the disk holds at one place when a peer restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stored<R> {
    /// The record as it was written.
    Intact(R),
    /// A record whose checksum fails: torn by the crash or corrupted since.
    Damaged,
}

/// What survived on a peer's disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Durable<R> {
    /// The numbered slots.
    pub slots: BTreeMap<u32, Stored<R>>,
    /// The index of the log's first record.
    pub log_start: u64,
    /// The log, oldest record first.
    pub log: Vec<Stored<R>>,
}

impl<R> Default for Durable<R> {
    fn default() -> Self {
        Self {
            slots: BTreeMap::new(),
            log_start: 0,
            log: Vec::new(),
        }
    }
}

impl<R> Durable<R> {
    /// Changes what the disk holds by one write.
    pub fn apply(&mut self, write: Write<R>) {
        match write {
            Write::Append { index, record } => {
                self.log.truncate(self.position(index));
                if self.log.is_empty() {
                    self.log_start = index;
                }
                self.log.push(Stored::Intact(record));
            }
            Write::TruncateFrom { from } => self.log.truncate(self.position(from)),
            Write::CompactBelow { below } => {
                let gone = self.position(below).min(self.log.len());
                self.log.drain(..gone);
                self.log_start = self.log_start.max(below);
            }
            Write::Put { slot, record } => {
                self.slots.insert(slot, Stored::Intact(record));
            }
        }
    }

    fn position(&self, index: u64) -> usize {
        index.saturating_sub(self.log_start) as usize
    }
}

/// A sans-IO protocol machine: inputs in, outputs through the [`Context`].
///
/// Machines of this crate are also `Clone + Eq + Hash`, so that search and shrinking can hold them;
/// the trait does not ask it of adapted third-party machines.
pub trait Protocol: Sized + 'static {
    /// What peers send each other.
    type Message: Message;
    /// The machine's timers, named by what they bring about.
    type Timer: Copy + Debug + Ord + Hash + Fold + Send + Sync + 'static;
    /// What the machine keeps on disk.
    type Record: Clone + Debug + BorshSerialize + BorshDeserialize + Send + Sync + 'static;
    /// What the machine reports.
    type Event: Event;
    /// What a user asks of this machine.
    type Request: Clone + Debug + Fold + Send + Sync + 'static;
    /// What the machine answers.
    type Reply: Clone + Debug + Fold + Send + Sync + 'static;

    /// The peer begins, with an empty disk.
    fn on_start(&mut self, ctx: &mut Context<'_, Self>);

    /// The peer begins again after a crash; the machine is freshly built.
    fn on_restart(&mut self, durable: Durable<Self::Record>, ctx: &mut Context<'_, Self>);

    /// A message arrived. `from` is the sender's slot, as the network saw it.
    fn on_message(&mut self, from: PeerId, message: &Self::Message, ctx: &mut Context<'_, Self>);

    /// A timer fired.
    fn on_timer(&mut self, timer: Self::Timer, ctx: &mut Context<'_, Self>);

    /// A user of this peer asks something; answered by [`Context::reply`], at once or later.
    fn on_request(&mut self, id: RequestId, request: Self::Request, ctx: &mut Context<'_, Self>) {
        let _ = (id, request, ctx);
    }

    /// The writes of `token` are durable.
    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Context<'_, Self>) {
        let _ = (token, ctx);
    }
}

/// What a driver lends a machine for one input.
pub struct Context<'a, P: Protocol> {
    now: LocalTime,
    me: PeerId,
    rng: &'a mut Stream,
    keys: &'a mut Keys,
    outbox: &'a mut Outbox<P>,
}

impl<'a, P: Protocol> Context<'a, P> {
    /// Lends `rng`, `keys` and `outbox` to the machine of peer `me` whose clock reads `now`.
    pub fn new(
        now: LocalTime,
        me: PeerId,
        rng: &'a mut Stream,
        keys: &'a mut Keys,
        outbox: &'a mut Outbox<P>,
    ) -> Self {
        Self {
            now,
            me,
            rng,
            keys,
            outbox,
        }
    }

    /// The same peer, moment, dice and keys for a machine inside this one; what that machine wants
    /// goes into an outbox of its own.
    pub fn lend<'b, Q: Protocol>(&'b mut self, outbox: &'b mut Outbox<Q>) -> Context<'b, Q> {
        Context::new(self.now, self.me, self.rng, self.keys, outbox)
    }

    /// As [`Context::lend`], for a machine that signs with `keys`, such as those of the peer's
    /// organisation.
    pub fn lend_as<'b, Q: Protocol>(
        &'b mut self,
        keys: &'b mut Keys,
        outbox: &'b mut Outbox<Q>,
    ) -> Context<'b, Q> {
        Context::new(self.now, self.me, self.rng, keys, outbox)
    }

    /// What the peer's own clock says.
    #[inline]
    pub fn now(&self) -> LocalTime {
        self.now
    }

    /// The peer's own slot.
    #[inline]
    pub fn me(&self) -> PeerId {
        self.me
    }

    /// The machine's own dice.
    #[inline]
    pub fn rng(&mut self) -> &mut Stream {
        self.rng
    }

    /// The peer's own keys, for what signs and verifies on its behalf.
    pub fn keys(&mut self) -> &mut Keys {
        self.keys
    }

    /// The peer's own public key.
    pub fn public_key(&self) -> PublicKey {
        self.keys.public()
    }

    /// Signs `content` as this peer.
    pub fn sign<T: Signable>(&mut self, content: T) -> Signed<T> {
        self.keys.sign(content)
    }

    /// Whether the named signer really signed this content.
    pub fn verify<T: Signable>(&mut self, signed: &Signed<T>) -> bool {
        self.keys.verify(signed)
    }

    /// Sends `message` to one peer.
    #[inline]
    pub fn send(&mut self, to: PeerId, message: P::Message) {
        let payload = Payload::Inline(message);
        self.outbox.push(Output::Send { to, payload });
    }

    /// Sends one message to several peers; it is stored once.
    pub fn multicast(&mut self, to: impl IntoIterator<Item = PeerId>, message: P::Message) {
        let shared = Payload::shared(message);
        for to in to {
            let payload = shared.clone();
            self.outbox.push(Output::Send { to, payload });
        }
    }

    /// Fires `timer` when the local clock has advanced by `after`; replaces an earlier setting.
    #[inline]
    pub fn set_timer(&mut self, timer: P::Timer, after: SimDuration) {
        self.outbox.push(Output::SetTimer { timer, after });
    }

    /// Forgets `timer`; harmless if it is not set.
    #[inline]
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.outbox.push(Output::CancelTimer { timer });
    }

    /// Writes to disk; sends that follow in this input wait until it is durable.
    pub fn persist(&mut self, token: PersistToken, writes: Vec<Write<P::Record>>) {
        self.outbox.push(Output::Persist { token, writes });
    }

    /// Answers a request.
    pub fn reply(&mut self, request: RequestId, reply: P::Reply) {
        self.outbox.push(Output::Reply { request, reply });
    }

    /// Reports a fact.
    #[inline]
    pub fn notify(&mut self, event: P::Event) {
        self.outbox.push(Output::Notify(event));
    }
}
