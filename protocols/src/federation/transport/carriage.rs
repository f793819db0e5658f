//! Segments once each and in order over a network that loses, repeats and reorders: what TCP does
//! for TLS, no more of it than that.
//!
//! Every packet carries a number and acknowledges what came; what is not acknowledged in time is
//! sent again, at doubling distances. There is no congestion control: links of the simulation have
//! their own bandwidth.

use std::collections::{BTreeMap, VecDeque};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold_struct;
use crate::time::{LocalTime, SimDuration};

use super::channel::Segment;

/// Bytes of a packet beside its segment, as TCP's and IP's headers are.
pub const PACKET_OVERHEAD: usize = 40;

/// One packet between two peers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Packet {
    /// Every packet of the sender below this number has arrived.
    pub acknowledges: u64,
    /// The packet's own number and content; none if it only acknowledges.
    pub content: Option<Numbered>,
}

fold_struct!(Packet {
    acknowledges,
    content
});

/// A segment with its number, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Numbered {
    /// Which one.
    pub number: u64,
    /// What.
    pub segment: Segment,
}

fold_struct!(Numbered { number, segment });

impl Packet {
    /// Bytes on the wire.
    pub fn wire_len(&self) -> usize {
        let content = self.content.as_ref();
        PACKET_OVERHEAD + content.map_or(0, |content| content.segment.wire_len())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Unacknowledged {
    number: u64,
    segment: Segment,
    due: LocalTime,
    wait: SimDuration,
}

/// One end of an ordered, complete exchange of segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Carriage {
    wait: SimDuration,
    wait_max: SimDuration,
    next_out: u64,
    unacknowledged: VecDeque<Unacknowledged>,
    next_in: u64,
    early: BTreeMap<u64, Segment>,
}

impl Carriage {
    /// How far ahead of what is missing a segment may be and still be kept.
    const WINDOW: u64 = 1_024;

    /// Sends again first after `wait`, then ever later, at most every `wait_max`.
    pub fn new(wait: SimDuration, wait_max: SimDuration) -> Self {
        Self {
            wait,
            wait_max,
            next_out: 0,
            unacknowledged: VecDeque::new(),
            next_in: 0,
            early: BTreeMap::new(),
        }
    }

    /// The packet of the next segment.
    pub fn send(&mut self, segment: Segment, now: LocalTime) -> Packet {
        let (number, wait) = (self.next_out, self.wait);
        self.next_out += 1;
        self.unacknowledged.push_back(Unacknowledged {
            number,
            segment: segment.clone(),
            due: now + wait,
            wait,
        });
        self.packet(number, segment)
    }

    fn packet(&self, number: u64, segment: Segment) -> Packet {
        Packet {
            acknowledges: self.next_in,
            content: Some(Numbered { number, segment }),
        }
    }

    /// Takes a packet; the segments that are in order now, and whether to acknowledge.
    pub fn on_packet(&mut self, packet: &Packet) -> (Vec<Segment>, Option<Packet>) {
        let arrived = packet.acknowledges;
        while self
            .unacknowledged
            .front()
            .is_some_and(|front| front.number < arrived)
        {
            self.unacknowledged.pop_front();
        }
        let Some(Numbered { number, segment }) = &packet.content else {
            return (Vec::new(), None);
        };
        if (self.next_in..self.next_in + Self::WINDOW).contains(number) {
            self.early.insert(*number, segment.clone());
        }
        let mut in_order = Vec::new();
        while let Some(segment) = self.early.remove(&self.next_in) {
            self.next_in += 1;
            in_order.push(segment);
        }
        let acknowledgement = Packet {
            acknowledges: self.next_in,
            content: None,
        };
        (in_order, Some(acknowledgement))
    }

    /// What must be sent again by now.
    pub fn overdue(&mut self, now: LocalTime) -> Vec<Packet> {
        let wait_max = self.wait_max;
        let overdue = self.unacknowledged.iter_mut().filter(|one| one.due <= now);
        let again: Vec<(u64, Segment)> = overdue
            .map(|one| {
                one.wait = (one.wait * 2).min(wait_max);
                one.due = now + one.wait;
                (one.number, one.segment.clone())
            })
            .collect();
        again
            .into_iter()
            .map(|(number, segment)| self.packet(number, segment))
            .collect()
    }

    /// When something must be sent again, if nothing is acknowledged before.
    pub fn next_due(&self) -> Option<LocalTime> {
        self.unacknowledged.iter().map(|one| one.due).min()
    }
}
