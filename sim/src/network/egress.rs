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

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand bytes a second: a millisecond a byte.
    const SLOW: Bandwidth = Bandwidth {
        bytes_per_second: 1_000,
        queue_bytes: 100,
    };

    fn transmit(egress: &mut Egress, hop: u32, at_ms: u64, bytes: u32) -> Option<u64> {
        let now = SimTime::from_nanos(at_ms * 1_000_000);
        let nanos = u64::from(bytes) * 1_000_000;
        let left = egress.transmit(PeerId(hop), now, bytes, nanos, SLOW);
        left.map(|nanos| nanos / 1_000_000)
    }

    #[test]
    fn messages_wait_their_turn_exactly() {
        // Every byte takes a millisecond, so the queue can be reckoned by hand: each message leaves
        // when all before it have, and an idle link starts at once.
        let mut egress = Egress::default();
        assert_eq!(transmit(&mut egress, 1, 0, 50), Some(50));
        assert_eq!(transmit(&mut egress, 1, 10, 20), Some(60));
        assert_eq!(
            transmit(&mut egress, 2, 10, 20),
            Some(20),
            "another link is idle"
        );
        assert_eq!(transmit(&mut egress, 1, 70, 5), Some(5), "idle again at 70");
    }

    #[test]
    fn a_full_queue_drops_and_stays_as_it_was() {
        // 100 bytes may wait: after 60 are left to send, 41 do not fit and 40 do; the refused
        // message must leave no trace. An idle link takes even more than the queue holds.
        let mut egress = Egress::default();
        assert_eq!(transmit(&mut egress, 1, 0, 300), Some(300));
        assert_eq!(transmit(&mut egress, 1, 240, 41), None);
        assert_eq!(transmit(&mut egress, 1, 240, 40), Some(100));
        assert_eq!(transmit(&mut egress, 1, 240, 1), None);
    }

    #[test]
    fn order_is_kept_for_each_receiver_alone() {
        // An arrival is moved behind the last on the same path, and on no other.
        let mut egress = Egress::default();
        let at = SimTime::from_nanos;
        assert_eq!(egress.in_order(PeerId(1), at(0), at(50)), at(50));
        assert_eq!(egress.in_order(PeerId(1), at(1), at(30)), at(50));
        assert_eq!(egress.in_order(PeerId(2), at(1), at(30)), at(30));
        assert_eq!(egress.in_order(PeerId(1), at(2), at(60)), at(60));
    }

    #[test]
    fn what_has_passed_is_forgotten_and_what_has_not_is_kept() {
        // Entries would pile up with one receiver after the other; only those in the future count.
        let mut egress = Egress::default();
        for hop in 0..1_000 {
            assert_eq!(transmit(&mut egress, hop, u64::from(hop) * 10, 5), Some(5));
        }
        assert!(egress.state.as_ref().unwrap().busy.0.len() < 16);
        assert_eq!(
            transmit(&mut egress, 999, 9_991, 5),
            Some(9),
            "still busy until 9,995"
        );
    }

    #[test]
    fn an_unused_egress_is_one_pointer() {
        // 100,000 idle peers hold one each.
        assert_eq!(size_of::<Egress>(), size_of::<usize>());
    }
}
