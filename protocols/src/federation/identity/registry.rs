//! What one peer knows of identities: a set of records that merges in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use crate::federation::grant::Parties;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::Organisation;
use crate::identity::{Identity, Keys, PublicKey};

use super::record::{IdentityRecord, Place};

/// Where an identity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It has not introduced itself.
    Unknown,
    /// It claims an organisation that does not vouch for it.
    Introduced,
    /// It is a member.
    Enrolled {
        /// Of this organisation.
        organisation: Organisation,
    },
    /// An heir took its place.
    Superseded {
        /// The next in line.
        by: Identity,
    },
    /// Its organisation took it back.
    Revoked,
    /// It said two things of which only one can be true.
    Disputed,
}

/// Why a record was not learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityRefusal {
    /// A signature does not verify.
    Forged,
    /// Not the organisation's root spoke for the organisation.
    NotRoot,
    /// The heir does not agree.
    HeirDisagrees,
    /// The nickname is longer than 64 bytes.
    NicknameTooLong,
    /// No organisation vouches for the key, and of such keys enough is known.
    TooManyStrangers,
}

impl IdentityRefusal {
    /// The constant reason for counters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Forged => "forged-record",
            Self::NotRoot => "not-root",
            Self::HeirDisagrees => "heir-disagrees",
            Self::NicknameTooLong => "nickname-too-long",
            Self::TooManyStrangers => "too-many-strangers",
        }
    }
}

/// What a record changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Learnt {
    /// Nothing: it was known, or says nothing that is not.
    Known,
    /// It is worth passing on.
    New {
        /// Whom it is about.
        subject: Identity,
        /// Where that one stood.
        before: Standing,
        /// Where it stands now.
        after: Standing,
    },
}

/// The records that one peer knows, and what follows from them.
///
/// At most two records of a kind that may be said once are kept a key (and a root): two prove the
/// contradiction, and which two does not depend on the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry<R: Rules = Strict> {
    roots: BTreeMap<Organisation, PublicKey>,
    records: BTreeMap<Place, IdentityRecord>,
    /// How many of them are of strangers.
    strangers: usize,
    rules: PhantomData<R>,
}

impl<R: Rules> Registry<R> {
    /// The longest nickname in bytes.
    pub const NICKNAME_MAX: usize = 64;

    /// How much is kept that keys say of themselves which no organisation vouches for: anybody can
    /// make more of them.
    pub const STRANGERS_MAX: usize = 1_024;

    /// Knows nothing but the organisations' root keys.
    pub fn new(roots: BTreeMap<Organisation, PublicKey>) -> Self {
        Self {
            roots,
            records: BTreeMap::new(),
            strangers: 0,
            rules: PhantomData,
        }
    }

    /// The same records, kept by other rules.
    pub fn ruled<S: Rules>(&self) -> Registry<S> {
        Registry {
            roots: self.roots.clone(),
            records: self.records.clone(),
            strangers: self.strangers,
            rules: PhantomData,
        }
    }

    /// Learns a record, from whomever it came.
    ///
    /// # Errors
    /// If the record does not prove itself; nothing changes then.
    pub fn learn(
        &mut self,
        record: &IdentityRecord,
        keys: &mut Keys,
    ) -> Result<Learnt, IdentityRefusal> {
        let place = record.place();
        if self.records.get(&place) == Some(record) {
            return Ok(Learnt::Known);
        }
        self.check_room(&place)?;
        self.prove(record, keys)?;
        let subject = record.subject();
        let before = self.standing(subject);
        Ok(if self.insert(place, record) {
            let after = self.standing(subject);
            Learnt::New {
                subject,
                before,
                after,
            }
        } else {
            Learnt::Known
        })
    }

    /// Whether there is room for what a stranger says.
    fn check_room(&self, place: &Place) -> Result<(), IdentityRefusal> {
        if !self.is_of_stranger(place) {
            return Ok(());
        }
        match R::strangers_fit(self.strangers < Self::STRANGERS_MAX) {
            true => Ok(()),
            false => Err(IdentityRefusal::TooManyStrangers),
        }
    }

    fn is_of_stranger(&self, place: &Place) -> bool {
        let (Place::Introduction(who, _) | Place::Succession(who, _)) = place else {
            return false;
        };
        let mut enrolled = self.records.range(Place::enrolments(*who));
        enrolled.next().is_none()
    }

    fn prove(&self, record: &IdentityRecord, keys: &mut Keys) -> Result<(), IdentityRefusal> {
        match record {
            IdentityRecord::Introduction { said } => {
                if said.nickname.len() > Self::NICKNAME_MAX {
                    return Err(IdentityRefusal::NicknameTooLong);
                }
            }
            IdentityRecord::Enrolment { said } => {
                self.is_root(said.signer(), said.organisation)?;
            }
            IdentityRecord::Succession { .. } => {}
            IdentityRecord::Revocation { said } => {
                self.is_root(said.signer(), said.organisation)?;
            }
        }
        record.verify::<R>(keys)
    }

    fn is_root(&self, signer: PublicKey, of: Organisation) -> Result<(), IdentityRefusal> {
        match R::is_by_root(self.roots.get(&of) == Some(&signer)) {
            true => Ok(()),
            false => Err(IdentityRefusal::NotRoot),
        }
    }

    /// Whether the record is kept.
    fn insert(&mut self, place: Place, record: &IdentityRecord) -> bool {
        let stands = self.records.get(&place);
        if stands.is_some_and(|earlier| !record.supersedes(earlier)) {
            return false;
        }
        let is_first = self.records.insert(place, record.clone()).is_none();
        if is_first && self.is_of_stranger(&place) {
            self.strangers += 1;
        }
        if let Place::Enrolment(..) = place {
            let places = self.records.keys();
            self.strangers = places.filter(|place| self.is_of_stranger(place)).count();
        }
        let third = place
            .rivals()
            .and_then(|rivals| self.records.range(rivals).nth(2));
        match third.map(|(third, _)| *third) {
            Some(third) => {
                self.records.remove(&third);
                self.strangers -= usize::from(self.is_of_stranger(&third));
                third != place
            }
            None => true,
        }
    }

    /// Every record, for gossip, in a fixed order.
    pub fn records(&self) -> impl Iterator<Item = &IdentityRecord> {
        self.records.values()
    }

    /// Where `identity` stands.
    pub fn standing(&self, identity: Identity) -> Standing {
        let mut claims = self.claims(identity);
        let Some(organisation) = claims.next() else {
            return Standing::Unknown;
        };
        if R::is_disputed(1 + claims.count()) {
            return Standing::Disputed;
        }
        match self.heirs(identity, organisation) {
            Heirs::Cut => Standing::Revoked,
            Heirs::Disputed => Standing::Disputed,
            Heirs::One(by) => Standing::Superseded { by },
            Heirs::Nobody if self.is_member(identity, organisation) => {
                Standing::Enrolled { organisation }
            }
            Heirs::Nobody => Standing::Introduced,
        }
    }

    /// The organisations that an identity claims: one, if it is honest.
    fn claims(&self, identity: Identity) -> impl Iterator<Item = Organisation> {
        let places = self.records.range(Place::introductions(identity));
        places.filter_map(|(place, _)| match place {
            Place::Introduction(_, organisation) => Some(*organisation),
            Place::Enrolment(..) | Place::Succession(..) | Place::Revocation(..) => None,
        })
    }

    /// Who comes after a member of `organisation`. The root's word is above the key's own.
    fn heirs(&self, identity: Identity, organisation: Organisation) -> Heirs {
        let mut replacements = Vec::new();
        let mut is_revoked = false;
        for place in self.records.range(Place::revocations(identity)) {
            if let Place::Revocation(_, by, heir) = *place.0
                && R::revocation_binds(by == organisation)
            {
                is_revoked = true;
                replacements.extend(heir);
            }
        }
        if is_revoked {
            return match replacements[..] {
                [] => Heirs::Cut,
                [heir] => Heirs::One(heir),
                _ => Heirs::Disputed,
            };
        }
        let successions = self.records.range(Place::successions(identity));
        let named: Vec<Identity> = successions
            .filter_map(|(place, _)| heir_of(place))
            .collect();
        match named.first() {
            None => Heirs::Nobody,
            Some(_) if R::is_disputed(named.len()) => Heirs::Disputed,
            Some(heir) => Heirs::One(*heir),
        }
    }

    /// Whether the root enrolled the identity, or one whose heir it is.
    fn is_member(&self, identity: Identity, organisation: Organisation) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![identity];
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            let enrolment = Place::Enrolment(next, organisation);
            if self.records.contains_key(&enrolment) {
                return true;
            }
            open.extend(self.predecessors(next, organisation));
        }
        false
    }

    fn predecessors(&self, heir: Identity, organisation: Organisation) -> Vec<Identity> {
        let successions = self.records.range(Place::all_successions());
        let revocations = self.records.range(Place::all_revocations());
        let named = successions.chain(revocations);
        named
            .filter(|(place, _)| heir_of(place) == Some(heir))
            .map(|(_, record)| record.subject())
            .filter(|old| self.heirs(*old, organisation) == Heirs::One(heir))
            .collect()
    }

    /// What to call an identity.
    pub fn nickname(&self, identity: Identity) -> Option<&str> {
        let (_, record) = self.records.range(Place::introductions(identity)).next()?;
        match record {
            IdentityRecord::Introduction { said } => Some(&said.content().nickname),
            IdentityRecord::Enrolment { .. }
            | IdentityRecord::Succession { .. }
            | IdentityRecord::Revocation { .. } => None,
        }
    }

    /// Whom a nickname means, if it means one alone.
    pub fn named(&self, nickname: &str) -> Option<Identity> {
        let introductions = self.records.range(Place::all_introductions());
        let holders: Vec<Identity> = introductions
            .map(|(_, record)| record.subject())
            .filter(|identity| self.nickname(*identity) == Some(nickname))
            .filter(|identity| !self.is_barred(*identity))
            .collect();
        holders
            .first()
            .filter(|_| R::nickname_resolves(holders.len()))
            .copied()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heirs {
    Nobody,
    One(Identity),
    Cut,
    Disputed,
}

fn heir_of(place: &Place) -> Option<Identity> {
    match *place {
        Place::Succession(_, heir) => Some(heir),
        Place::Revocation(_, _, heir) => heir,
        Place::Introduction(..) | Place::Enrolment(..) => None,
    }
}

impl<R: Rules> Parties for Registry<R> {
    fn organisation(&self, identity: Identity) -> Option<Organisation> {
        match self.standing(identity) {
            Standing::Enrolled { organisation } => Some(organisation),
            Standing::Unknown
            | Standing::Introduced
            | Standing::Superseded { .. }
            | Standing::Revoked
            | Standing::Disputed => None,
        }
    }

    fn current(&self, identity: Identity) -> Option<Identity> {
        let mut seen = BTreeSet::new();
        let mut at = identity;
        while seen.insert(at) {
            match self.standing(at) {
                Standing::Superseded { by } => at = by,
                Standing::Revoked | Standing::Disputed => return None,
                Standing::Unknown | Standing::Introduced | Standing::Enrolled { .. } => {
                    return Some(at);
                }
            }
        }
        None
    }

    fn is_barred(&self, identity: Identity) -> bool {
        match self.standing(identity) {
            Standing::Superseded { .. } | Standing::Revoked | Standing::Disputed => true,
            Standing::Unknown | Standing::Introduced | Standing::Enrolled { .. } => false,
        }
    }

    fn root(&self, organisation: Organisation) -> Option<Identity> {
        self.roots.get(&organisation).map(PublicKey::identity)
    }
}
