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

    /// Who is to be found today where `key` was.
    pub(super) fn present(&self, key: Identity) -> Identity {
        if self.heirs.is_empty() {
            return key;
        }
        let slot = self.slot_of(key);
        slot.and_then(|slot| self.get(slot)).unwrap_or(key)
    }

    /// `heir` takes the place of `old`.
    pub(super) fn succeed(&mut self, old: Identity, heir: Identity) {
        if let Some(slot) = self.slot_of(old) {
            self.heirs.insert(heir, slot);
            self.moved.insert(slot, heir);
        }
    }

    fn slot_of(&self, key: Identity) -> Option<PeerId> {
        let of_heir = self.heirs.get(&key).copied();
        of_heir.or_else(|| {
            let mut all = self.federation.directory.identities.iter();
            all.find(|(_, known)| **known == key).map(|(slot, _)| *slot)
        })
    }
}
