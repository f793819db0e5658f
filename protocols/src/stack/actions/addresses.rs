//! Who is to be found where: as it was at the start, but for keys that have heirs by now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::identity::Identity;
use crate::peer::PeerId;
use crate::stack::config::Federation;

/// The present key of each address, and whose line a key is of.
pub(super) struct Addresses {
    federation: Arc<Federation>,
    moved: BTreeMap<PeerId, Identity>,
    heirs: BTreeMap<Identity, PeerId>,
}

impl Addresses {
    pub(super) fn new(federation: &Arc<Federation>) -> Self {
        Self {
            federation: Arc::clone(federation),
            moved: BTreeMap::new(),
            heirs: BTreeMap::new(),
        }
    }

    /// Who is to be found at `at`, if anybody.
    pub(super) fn get(&self, at: PeerId) -> Option<Identity> {
        let moved = self.moved.get(&at).copied();
        moved.or_else(|| self.federation.directory.identities.get(&at).copied())
    }

    /// The key with which the line of `key` began.
    pub(super) fn first(&self, key: Identity) -> Identity {
        let slot = self.heirs.get(&key);
        slot.map_or(key, |slot| self.federation.directory.identities[slot])
    }

    /// `heir` takes the place of `old`.
    pub(super) fn succeed(&mut self, old: Identity, heir: Identity) {
        let identities = self.federation.directory.identities.iter();
        let mut all = identities.map(|(slot, known)| (*slot, *known));
        let slot = self.heirs.get(&old).copied();
        let slot = slot.or_else(|| all.find(|(_, known)| *known == old).map(|(slot, _)| slot));
        if let Some(slot) = slot {
            self.heirs.insert(heir, slot);
            self.moved.insert(slot, heir);
        }
    }
}
