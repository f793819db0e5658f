//! Every single message and what became of it, written down where that was asked for.
//!
//! A shard notes what its peers send and what arrives at them, each on its own side; at the end of
//! the run the two sides of all shards are put together. Memory grows with the number of messages.

use fedsim_protocols::PeerId;

use super::envelope::Envelope;
use crate::network::DropReason;
use crate::time::SimTime;

/// One message, or a second copy of one that the network made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTrace {
    /// When it was given to the network.
    pub sent: SimTime,
    /// The sender.
    pub from: PeerId,
    /// The sender's count of what it sent or had due so far; tells its messages apart.
    pub seq: u64,
    /// The receiver.
    pub to: PeerId,
    /// Its kind, a place in [`Message::KINDS`](fedsim_protocols::Message::KINDS).
    pub kind: usize,
    /// Encoded size.
    pub bytes: u32,
    /// What became of it.
    pub fate: MessageFate,
}

/// What became of a message by the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFate {
    /// It was still under way.
    InFlight,
    /// Its receiver handled or queued it, from this moment on.
    Delivered(SimTime),
    /// It reached nobody.
    Dropped(DropReason),
}

/// What one message met at the end of its way.
struct Arrival {
    from: PeerId,
    seq: u64,
    fate: MessageFate,
}

/// What one shard knows of single messages.
#[derive(Default)]
pub(crate) struct Ledger {
    sent: Vec<MessageTrace>,
    arrived: Vec<Arrival>,
}

impl Ledger {
    /// Notes what the network decided at `sent`: a reason if it dropped the message at once.
    #[cold]
    pub(crate) fn send<M: fedsim_protocols::Message>(
        &mut self,
        sent: SimTime,
        envelope: &Envelope<M>,
        bytes: u32,
        dropped: Option<DropReason>,
    ) {
        self.sent.push(MessageTrace {
            sent,
            from: envelope.from,
            seq: envelope.seq,
            to: envelope.to,
            kind: envelope.payload.kind(),
            bytes,
            fate: dropped.map_or(MessageFate::InFlight, MessageFate::Dropped),
        });
    }

    /// Notes an arrival: a reason if the message was refused.
    #[cold]
    pub(crate) fn arrive<M>(&mut self, envelope: &Envelope<M>, refused: Option<DropReason>) {
        let delivered = MessageFate::Delivered(envelope.at);
        self.arrived.push(Arrival {
            from: envelope.from,
            seq: envelope.seq,
            fate: refused.map_or(delivered, MessageFate::Dropped),
        });
    }
}

/// All messages of a run with their final fates, by time, sender and the sender's count.
pub(crate) fn settle(ledgers: impl Iterator<Item = Ledger>) -> Vec<MessageTrace> {
    let mut all = Ledger::default();
    for mut ledger in ledgers {
        all.sent.append(&mut ledger.sent);
        all.arrived.append(&mut ledger.arrived);
    }
    let Ledger {
        mut sent,
        mut arrived,
    } = all;
    sent.sort_unstable_by_key(|message| (message.from, message.seq));
    arrived.sort_unstable_by_key(|arrival| (arrival.from, arrival.seq));
    let mut messages = sent.iter_mut();
    for arrival in arrived {
        let key = (arrival.from, arrival.seq);
        let message = messages.find(|message| (message.from, message.seq) == key);
        message.expect("BUG: a message from nowhere").fate = arrival.fate;
    }
    sent.sort_unstable_by_key(|message| (message.sent, message.from, message.seq));
    sent
}
