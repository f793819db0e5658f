//! Which identity was met at which address: pinned on the first verified contact, then held to.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::federation::grant::Parties;
use crate::federation::rules::{Rules, Strict};
use crate::identity::Identity;
use crate::peer::PeerId;

/// What a verified contact turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contact {
    /// Nobody was known at this address; the identity is pinned now.
    First,
    /// The pinned identity.
    Known,
    /// The heir of the pinned identity; it is pinned now.
    Succeeded {
        /// Who was pinned.
        from: Identity,
    },
    /// Somebody else: to be refused.
    Impostor {
        /// Who is pinned.
        pinned: Identity,
    },
}

impl Contact {
    /// Whether to talk on.
    pub const fn is_accepted(self) -> bool {
        match self {
            Self::First | Self::Known | Self::Succeeded { .. } => true,
            Self::Impostor { .. } => false,
        }
    }
}

/// The pins of one peer, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pins<R: Rules = Strict> {
    pinned: BTreeMap<PeerId, Identity>,
    rules: PhantomData<R>,
}

impl<R: Rules> Pins<R> {
    /// Judges whoever proved to hold the key of `identity` at `address`, and pins it if it may.
    pub fn contact(
        &mut self,
        address: PeerId,
        identity: Identity,
        parties: &impl Parties,
    ) -> Contact {
        let Some(&pinned) = self.pinned.get(&address) else {
            self.pinned.insert(address, identity);
            return Contact::First;
        };
        let is_heir = parties.current(pinned) == Some(identity);
        if !R::pin_holds(pinned == identity, is_heir) {
            return Contact::Impostor { pinned };
        }
        if pinned == identity {
            return Contact::Known;
        }
        self.pinned.insert(address, identity);
        Contact::Succeeded { from: pinned }
    }

    /// Who is pinned at `address`.
    pub fn pinned(&self, address: PeerId) -> Option<Identity> {
        self.pinned.get(&address).copied()
    }
}
