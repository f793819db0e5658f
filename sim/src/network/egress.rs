//! What a sender remembers of its links: how long each is busy, and what arrives last on it.
//!
//! One pointer while no link has capacity or order. Must not know latencies or faults.

use fedsim_protocols::PeerId;
use fedsim_scenarios::spec::Bandwidth;

use crate::time::SimTime;

/// The links of one sending peer, allocated at first need.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    state: Option<Box<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// When each link has sent all it was given, by next hop.
    busy: Moments,
    /// The last arrival on each path that keeps order, by receiver.
    arrivals: Moments,
}

/// Moments by peer, ascending; those that have passed may be forgotten.
#[derive(Clone, Debug, Default)]
struct Moments(Vec<(PeerId, SimTime)>);

impl Moments {
    fn get(&self, peer: PeerId) -> SimTime {
        self.0
            .binary_search_by_key(&peer, |entry| entry.0)
            .map_or(SimTime::ZERO, |index| self.0[index].1)
    }

    fn set(&mut self, peer: PeerId, moment: SimTime, now: SimTime) {
        if self.0.len() == self.0.capacity() {
            self.0.retain(|entry| entry.1 > now);
        }
        match self.0.binary_search_by_key(&peer, |entry| entry.0) {
            Ok(index) => self.0[index].1 = moment,
            Err(index) => self.0.insert(index, (peer, moment)),
        }
    }
}

impl Egress {
    /// Puts a message of `bytes` bytes, which take `transmission` nanoseconds, on the link to
    /// `hop`; gives the nanoseconds until its last bit has left, or `None` if the queue is full.
    ///
    /// What waits is everything the link has not sent yet, the message under way included; an idle
    /// link takes any message.
    pub(crate) fn transmit(
        &mut self,
        hop: PeerId,
        now: SimTime,
        bytes: u32,
        transmission: u64,
        bandwidth: Bandwidth,
    ) -> Option<u64> {
        let state = self.state.get_or_insert_default();
        let wait = state.busy.get(hop).since(now).as_nanos();
        let rate = u128::from(bandwidth.bytes_per_second);
        let backlog = (u128::from(wait) * rate).div_ceil(1_000_000_000);
        if wait > 0 && backlog + u128::from(bytes) > u128::from(bandwidth.queue_bytes) {
            return None;
        }
        let left = wait.saturating_add(transmission);
        let until = SimTime::from_nanos(now.as_nanos().saturating_add(left));
        state.busy.set(hop, until, now);
        Some(left)
    }

    /// The arrival `at`, or later if an earlier message to `to` arrives later.
    pub(crate) fn in_order(&mut self, to: PeerId, now: SimTime, at: SimTime) -> SimTime {
        let state = self.state.get_or_insert_default();
        let at = at.max(state.arrivals.get(to));
        state.arrivals.set(to, at, now);
        at
    }
}
