//! What may be said about identities, and under which name a registry keeps it.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::Rules;
use crate::federation::terms::Organisation;
use crate::identity::{Identity, Keys, PublicKey};
use crate::signed::{Signable, Signed};
use crate::{fold_enum, fold_struct};

use super::registry::IdentityRefusal;

/// A key says where it belongs and what to call it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Introduction {
    /// The organisation it claims. A key claims one in its life.
    pub organisation: Organisation,
    /// What to show to people; others may carry the same name.
    pub nickname: String,
    /// The latest version counts.
    pub version: u64,
}

fold_struct!(Introduction {
    organisation,
    nickname,
    version
});

impl Signable for Introduction {
    const DOMAIN: &'static str = "fedsim/federation/v1/introduction";
}

/// An organisation says that a key is one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Enrolment {
    /// The organisation.
    pub organisation: Organisation,
    /// Its member's key.
    pub key: PublicKey,
}

fold_struct!(Enrolment { organisation, key });

impl Signable for Enrolment {
    const DOMAIN: &'static str = "fedsim/federation/v1/enrolment";
}

/// A key says who is its heir.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Succession {
    /// The key that takes the signer's place.
    pub heir: PublicKey,
}

fold_struct!(Succession { heir });

impl Signable for Succession {
    const DOMAIN: &'static str = "fedsim/federation/v1/succession";
}

/// A key says whose heir it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Acceptance {
    /// The key whose place the signer takes.
    pub predecessor: PublicKey,
}

fold_struct!(Acceptance { predecessor });

impl Signable for Acceptance {
    const DOMAIN: &'static str = "fedsim/federation/v1/acceptance";
}

/// An organisation says that a key is not its own any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Revocation {
    /// The organisation.
    pub organisation: Organisation,
    /// The key.
    pub key: PublicKey,
    /// Who takes its place, if anybody.
    pub replaced_by: Option<PublicKey>,
}

fold_struct!(Revocation {
    organisation,
    key,
    replaced_by
});

impl Signable for Revocation {
    const DOMAIN: &'static str = "fedsim/federation/v1/revocation";
}

/// One signed statement about identities.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum IdentityRecord {
    /// By the key itself.
    Introduction {
        /// The statement.
        said: Signed<Introduction>,
    },
    /// By the organisation's root.
    Enrolment {
        /// The statement.
        said: Signed<Enrolment>,
    },
    /// By both keys.
    Succession {
        /// By the old key.
        said: Signed<Succession>,
        /// By the heir.
        accepted: Signed<Acceptance>,
    },
    /// By the organisation's root.
    Revocation {
        /// The statement.
        said: Signed<Revocation>,
    },
}

fold_enum!(IdentityRecord {
    0 = Introduction { said },
    1 = Enrolment { said },
    2 = Succession { said, accepted },
    3 = Revocation { said },
});

impl IdentityRecord {
    /// The owner of `keys` introduces itself.
    pub fn introduce(keys: &mut Keys, organisation: Organisation, nickname: &str) -> Self {
        let nickname = nickname.to_owned();
        let said = keys.sign(Introduction {
            organisation,
            nickname,
            version: 0,
        });
        Self::Introduction { said }
    }

    /// An organisation's root enrols a key.
    pub fn enrol(root: &mut Keys, organisation: Organisation, key: PublicKey) -> Self {
        let said = root.sign(Enrolment { organisation, key });
        Self::Enrolment { said }
    }

    /// The owner of both keys rotates from one to the other.
    pub fn succeed(old: &mut Keys, new: &mut Keys) -> Self {
        let (predecessor, heir) = (old.public(), new.public());
        Self::Succession {
            said: old.sign(Succession { heir }),
            accepted: new.sign(Acceptance { predecessor }),
        }
    }

    /// An organisation's root revokes a key.
    pub fn revoke(
        root: &mut Keys,
        organisation: Organisation,
        key: PublicKey,
        replaced_by: Option<PublicKey>,
    ) -> Self {
        let said = root.sign(Revocation {
            organisation,
            key,
            replaced_by,
        });
        Self::Revocation { said }
    }

    /// Whether everybody signed it whose word it is, whoever that may be.
    ///
    /// # Errors
    /// If not.
    pub fn verify<R: Rules>(&self, keys: &mut Keys) -> Result<(), IdentityRefusal> {
        let is_signed = match self {
            Self::Introduction { said } => keys.verify(said),
            Self::Enrolment { said } => keys.verify(said),
            Self::Succession { said, accepted } => {
                let is_mutual =
                    accepted.signer() == said.heir && accepted.predecessor == said.signer();
                if !R::heir_agrees(is_mutual && keys.verify(accepted)) {
                    return Err(IdentityRefusal::HeirDisagrees);
                }
                keys.verify(said)
            }
            Self::Revocation { said } => keys.verify(said),
        };
        match R::record_is_signed(is_signed) {
            true => Ok(()),
            false => Err(IdentityRefusal::Forged),
        }
    }

    /// Whom the record is about.
    pub fn subject(&self) -> Identity {
        match self {
            Self::Introduction { said } => said.signer().identity(),
            Self::Enrolment { said } => said.key.identity(),
            Self::Succession { said, .. } => said.signer().identity(),
            Self::Revocation { said } => said.key.identity(),
        }
    }

    pub(super) fn place(&self) -> Place {
        let subject = self.subject();
        match self {
            Self::Introduction { said } => Place::Introduction(subject, said.organisation),
            Self::Enrolment { said } => Place::Enrolment(subject, said.organisation),
            Self::Succession { said, .. } => Place::Succession(subject, said.heir.identity()),
            Self::Revocation { said } => {
                let heir = said.replaced_by.map(|key| key.identity());
                Place::Revocation(subject, said.organisation, heir)
            }
        }
    }

    /// Of two records for one place the one that stays: the later version, else the smaller bytes,
    /// so that it does not depend on which came first.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        let bytes = |record: &Self| borsh::to_vec(record).expect("writing to memory does not fail");
        match (self.version(), other.version()) {
            (mine, theirs) if mine != theirs => mine > theirs,
            _ => bytes(self) < bytes(other),
        }
    }

    fn version(&self) -> u64 {
        match self {
            Self::Introduction { said } => said.version,
            Self::Enrolment { .. } | Self::Succession { .. } | Self::Revocation { .. } => 0,
        }
    }
}

/// Under what a registry keeps a record: one record a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    Introduction(Identity, Organisation),
    Enrolment(Identity, Organisation),
    Succession(Identity, Identity),
    Revocation(Identity, Organisation, Option<Identity>),
}

impl Place {
    const FIRST: Identity = Identity([0; 32]);
    const LAST: Identity = Identity([0xff; 32]);

    pub(super) fn introductions(of: Identity) -> std::ops::RangeInclusive<Self> {
        Self::Introduction(of, Organisation(0))..=Self::Introduction(of, Organisation(u16::MAX))
    }

    pub(super) fn all_introductions() -> std::ops::RangeInclusive<Self> {
        *Self::introductions(Self::FIRST).start()..=*Self::introductions(Self::LAST).end()
    }

    pub(super) fn enrolments(of: Identity) -> std::ops::RangeInclusive<Self> {
        Self::Enrolment(of, Organisation(0))..=Self::Enrolment(of, Organisation(u16::MAX))
    }

    pub(super) fn successions(of: Identity) -> std::ops::RangeInclusive<Self> {
        Self::Succession(of, Self::FIRST)..=Self::Succession(of, Self::LAST)
    }

    pub(super) fn all_successions() -> std::ops::RangeInclusive<Self> {
        *Self::successions(Self::FIRST).start()..=*Self::successions(Self::LAST).end()
    }

    pub(super) fn revocations(of: Identity) -> std::ops::RangeInclusive<Self> {
        let last = Organisation(u16::MAX);
        Self::Revocation(of, Organisation(0), None)..=Self::Revocation(of, last, Some(Self::LAST))
    }

    pub(super) fn all_revocations() -> std::ops::RangeInclusive<Self> {
        *Self::revocations(Self::FIRST).start()..=*Self::revocations(Self::LAST).end()
    }

    /// The places of which two records are enough: what may be said once, said twice.
    pub(super) fn rivals(&self) -> Option<std::ops::RangeInclusive<Self>> {
        match *self {
            Self::Introduction(of, _) => Some(Self::introductions(of)),
            Self::Succession(of, _) => Some(Self::successions(of)),
            Self::Revocation(of, by, _) => {
                let last = Self::Revocation(of, by, Some(Self::LAST));
                Some(Self::Revocation(of, by, None)..=last)
            }
            Self::Enrolment(..) => None,
        }
    }
}
