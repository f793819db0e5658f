//! Whom the members list: those at a peer's address, of whom one at most is that peer.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_protocols::swim::SwimEvent;
use rustc_hash::FxHashMap;

/// How many members each observer lists at each address.
#[derive(Default)]
pub(super) struct Listed(BTreeMap<PeerId, FxHashMap<PeerId, u32>>);

impl Listed {
    pub(super) fn changed(&mut self, observer: PeerId, event: &SwimEvent) {
        match event {
            SwimEvent::MemberLearned { subject, .. } | SwimEvent::MemberRevived { subject, .. } => {
                *self.at(observer, *subject) += 1;
            }
            SwimEvent::MemberDied { subject, .. } | SwimEvent::MemberLeft { subject, .. } => {
                let count = self.at(observer, *subject);
                *count = count.saturating_sub(1);
            }
            SwimEvent::MemberMoved { from, subject, .. } => {
                let count = self.at(observer, *from);
                *count = count.saturating_sub(1);
                *self.at(observer, *subject) += 1;
            }
            SwimEvent::MemberRefreshed { .. }
            | SwimEvent::MemberSuspected { .. }
            | SwimEvent::MemberRefuted { .. }
            | SwimEvent::ProbeStarted { .. }
            | SwimEvent::HealthChanged { .. }
            | SwimEvent::Announced { .. }
            | SwimEvent::SuspicionRefuted { .. }
            | SwimEvent::Rejoined { .. }
            | SwimEvent::Joined { .. }
            | SwimEvent::Left
            | SwimEvent::Rejected { .. } => {}
        }
    }

    fn at(&mut self, observer: PeerId, address: PeerId) -> &mut u32 {
        let list = self.0.entry(observer).or_default();
        list.entry(address).or_default()
    }

    /// An observer has lost its list.
    pub(super) fn forget(&mut self, observer: PeerId) {
        self.0.remove(&observer);
    }

    /// How many members who are no peer an observer lists on average; none if nobody lists anybody.
    pub(super) fn strangers(&self) -> Option<f64> {
        let counts = self.0.values().flat_map(FxHashMap::values);
        let sum: u32 = counts.map(|count| count.saturating_sub(1)).sum();
        (!self.0.is_empty()).then(|| f64::from(sum) / self.0.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use fedsim_protocols::swim::Incarnation;

    use super::*;

    const ME: PeerId = PeerId(0);

    fn hear(listed: &mut Listed, events: &[SwimEvent]) -> Option<f64> {
        events.iter().for_each(|event| listed.changed(ME, event));
        listed.strangers()
    }

    fn learned(at: u32) -> SwimEvent {
        SwimEvent::MemberLearned {
            subject: PeerId(at),
            identity: fedsim_protocols::Identity([at as u8; 32]),
            incarnation: Incarnation::FIRST,
        }
    }

    fn moved(from: u32, to: u32) -> SwimEvent {
        SwimEvent::MemberMoved {
            from: PeerId(from),
            subject: PeerId(to),
            incarnation: Incarnation::FIRST,
        }
    }

    fn died(at: u32) -> SwimEvent {
        SwimEvent::MemberDied {
            subject: PeerId(at),
            incarnation: Incarnation::FIRST,
            by_own_timeout: false,
        }
    }

    #[test]
    fn of_those_at_one_address_all_but_one_are_strangers() {
        // One peer has one identity: the others there are somebody's inventions.
        let mut listed = Listed::default();
        assert_eq!(listed.strangers(), None);
        assert_eq!(hear(&mut listed, &[learned(1), learned(2)]), Some(0.0));
        assert_eq!(hear(&mut listed, &[learned(2), learned(2)]), Some(2.0));
        assert_eq!(hear(&mut listed, &[died(2)]), Some(1.0));
        assert_eq!(hear(&mut listed, &[moved(2, 3)]), Some(0.0));
        assert_eq!(hear(&mut listed, &[moved(3, 1)]), Some(1.0));
        listed.changed(PeerId(7), &learned(1));
        assert_eq!(listed.strangers(), Some(0.5));
        listed.forget(ME);
        assert_eq!(listed.strangers(), Some(0.0));
    }
}
