//! Token passing: the smallest work an event engine can be asked for.
//!
//! Each of so many tokens of 64 bytes is passed on to a peer drawn at random as soon as it arrives.
//! The same work once through the engine with everything on that a real run has, and once through
//! a bare loop over one `BinaryHeap`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use borsh::{BorshDeserialize, BorshSerialize};
use fedsim_protocols::{
    Context, Durable, Event, Folder, Message, PeerId, Protocol, RunKey, Stream, StreamLabel,
};
use fedsim_sim::SimTime;
use fedsim_sim::engine::Cast;

/// A token of 64 bytes.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Token([u8; 64]);

fedsim_protocols::fold_tuple!(Token(content));

impl Message for Token {
    const KINDS: &'static [&'static str] = &["token"];

    fn kind(&self) -> usize {
        0
    }

    fn encoded_len(&self) -> usize {
        64
    }
}

/// Nothing is reported.
#[derive(Clone, Debug)]
pub(crate) enum Silence {}

impl fedsim_protocols::Fold for Silence {
    fn fold(&self, _: &mut Folder) {
        match *self {}
    }
}

impl Event for Silence {
    fn name(&self) -> &'static str {
        match *self {}
    }
}

/// Passes every token on.
pub(crate) struct Passer {
    peers: u64,
    begins_with: u32,
}

impl Protocol for Passer {
    type Message = Token;
    type Timer = ();
    type Record = ();
    type Event = Silence;
    type Request = ();
    type Reply = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        for _ in 0..self.begins_with {
            let me = ctx.me();
            let to = other(ctx.rng(), self.peers, me);
            ctx.send(PeerId(to), Token([7; 64]));
        }
    }

    fn on_restart(&mut self, _: Durable<()>, _: &mut Context<'_, Self>) {}

    fn on_message(&mut self, _: PeerId, token: &Token, ctx: &mut Context<'_, Self>) {
        let me = ctx.me();
        let to = other(ctx.rng(), self.peers, me);
        ctx.send(PeerId(to), token.clone());
    }

    fn on_timer(&mut self, (): (), _: &mut Context<'_, Self>) {}
}

/// A peer drawn among all others.
fn other(dice: &mut Stream, peers: u64, me: PeerId) -> u32 {
    let draw = dice.below(peers - 1) as u32;
    draw + u32::from(draw >= me.0)
}

/// `peers` peers that hold `in_flight` tokens between them.
pub(crate) struct Tokens {
    /// How many peers.
    pub(crate) peers: u32,
    /// How many tokens.
    pub(crate) in_flight: u32,
}

impl Cast for Tokens {
    type Machine = Passer;

    fn machine(&self, peer: PeerId) -> Passer {
        let share = self.in_flight / self.peers;
        let rest = self.in_flight % self.peers;
        Passer {
            peers: u64::from(self.peers),
            begins_with: share + u32::from(peer.0 < rest),
        }
    }

    fn protocol(&self) -> &'static str {
        "tokens"
    }

    fn starts_at(&self, _: PeerId) -> SimTime {
        SimTime::ZERO
    }
}

/// One token under way in the bare loop.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: u64,
    seq: u64,
    to: u32,
    token: [u8; 64],
}

/// The bare loop: passes tokens until `end` nanoseconds; how often one was passed.
pub(crate) fn bare_heap(tokens: &Tokens, low: u64, high: u64, end: u64) -> u64 {
    let label = StreamLabel::global("bench");
    let mut dice = Stream::new(RunKey::from_seed(1), label);
    let mut heap = BinaryHeap::with_capacity(tokens.in_flight as usize);
    let mut seq = 0;
    for holder in 0..tokens.in_flight {
        let at = dice.between(low, high);
        seq += 1;
        let to = other(
            &mut dice,
            u64::from(tokens.peers),
            PeerId(holder % tokens.peers),
        );
        heap.push(Reverse(Entry {
            at,
            seq,
            to,
            token: [7; 64],
        }));
    }
    let mut events = 0;
    while let Some(Reverse(entry)) = heap.pop() {
        if entry.at >= end {
            break;
        }
        events += 1;
        seq += 1;
        let to = other(&mut dice, u64::from(tokens.peers), PeerId(entry.to));
        let at = entry.at + dice.between(low, high);
        heap.push(Reverse(Entry {
            at,
            seq,
            to,
            token: entry.token,
        }));
    }
    events
}
