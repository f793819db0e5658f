//! Which action was asked for as a part of which, as it was, not as envelopes say.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_protocols::federation::terms::ActionId;
use fedsim_protocols::stack::StackEvent;

/// What is known of one action.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    source: Option<PeerId>,
    whole: Option<ActionId>,
}

/// The chains of all actions.
#[derive(Default)]
pub(super) struct Lineage {
    links: BTreeMap<ActionId, Link>,
}

impl Lineage {
    /// A peer asked for something, be it a liar.
    pub(super) fn heard(&mut self, peer: PeerId, event: &StackEvent) {
        match event {
            StackEvent::ActionSent { action, .. } => {
                self.links.entry(*action).or_default().source = Some(peer);
            }
            StackEvent::HandedOn { whole, action } => {
                self.links.entry(*action).or_default().whole = Some(*whole);
            }
            _ => {}
        }
    }

    /// Who asked for it, who asked for that of which it is a part, and so on to the first one. Ends
    /// early where somebody asked who should not have.
    pub(super) fn sources(&self, action: ActionId) -> Vec<PeerId> {
        let mut sources = Vec::new();
        let mut next = Some(action);
        while let Some(link) = next.and_then(|action| self.links.get(&action)) {
            sources.extend(link.source);
            next = link.whole;
        }
        sources
    }
}
