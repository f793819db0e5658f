//! Whom the members list: those at a peer's address, of whom one at most is that peer.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_protocols::swim::SwimEvent;

/// How many members each observer lists at each address.
#[derive(Default)]
pub(super) struct Listed(BTreeMap<PeerId, BTreeMap<PeerId, u32>>);

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
        let counts = self.0.values().flat_map(BTreeMap::values);
        let sum: u32 = counts.map(|count| count.saturating_sub(1)).sum();
        (!self.0.is_empty()).then(|| f64::from(sum) / self.0.len() as f64)
    }
}
