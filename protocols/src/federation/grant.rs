//! A permission that one party signs for another, and who a party is. Judging them is not for here.

use std::fmt::Debug;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::identity::Identity;
use crate::signed::{Signable, Signed};
use crate::time::LocalTime;
use crate::{fold_enum, fold_struct};

use super::terms::{Digest, Organisation, Scope};

/// Whom a permission is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Party {
    /// One peer, and whoever succeeds to its key.
    Peer {
        /// Its identity when the permission was given.
        identity: Identity,
    },
    /// Every enrolled peer of an organisation.
    Members {
        /// Which one.
        organisation: Organisation,
    },
}

fold_enum!(Party {
    0 = Peer { identity },
    1 = Members { organisation },
});

/// One link of a chain of permissions; signed by its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Grant {
    /// Whom it is for.
    pub subject: Party,
    /// What it allows; never more than its parent does.
    pub scope: Scope,
    /// How many more links may follow. Each has a smaller one.
    pub depth: u8,
    /// Not valid later than this by the receiver's clock.
    pub expires_at: LocalTime,
    /// The digest of the grant it is derived from; nothing at the head of a chain.
    pub parent: Option<Digest>,
}

fold_struct!(Grant {
    subject,
    scope,
    depth,
    expires_at,
    parent,
});

impl Signable for Grant {
    const DOMAIN: &'static str = "fedsim/federation/v1/grant";
}

/// What names a signed grant: its content and who issued it.
pub fn grant_digest(grant: &Signed<Grant>) -> Digest {
    Digest::of(&(grant.content(), grant.signer()))
}

/// What is known of the parties: memberships, successions, revocations.
pub trait Parties: Debug {
    /// The organisation that the identity is enrolled in, if it may act for it at present.
    fn organisation(&self, identity: Identity) -> Option<Organisation>;

    /// Who holds the identity today: itself, or the end of its line of successors. Nobody if the
    /// line is disputed.
    fn current(&self, identity: Identity) -> Option<Identity>;

    /// Whether the identity was revoked, superseded or is disputed.
    fn is_barred(&self, identity: Identity) -> bool;

    /// The identity of an organisation's root key.
    fn root(&self, organisation: Organisation) -> Option<Identity>;

    /// Whether two identities are one party.
    fn is_same_party(&self, one: Identity, other: Identity) -> bool {
        one == other || (self.current(one).is_some() && self.current(one) == self.current(other))
    }

    /// Whether `identity` is of `party`.
    fn is_of(&self, identity: Identity, party: Party) -> bool {
        match party {
            Party::Peer { identity: named } => self.is_same_party(named, identity),
            Party::Members { organisation } => self.organisation(identity) == Some(organisation),
        }
    }
}
