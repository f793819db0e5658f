//! The member table: who is known, at which incarnation, and what is believed of him.
//!
//! Pages of entries are shared until somebody changes one, so a thousand members that start from
//! one roster hold it once. Members are found by key through a hash index that nobody walks;
//! everything that can be seen goes by the order in which members were learned. Must not know why a
//! status changes.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::fold::{Fold, Folder};
use crate::identity::{Keys, PublicKey};
use crate::peer::PeerId;
use crate::signed::Signed;
use crate::time::LocalTime;

use super::message::{Alive, Claim, Incarnation, Nickname, Update};
use super::rules::{Status, View};

/// A member's place in one observer's table; places are given in the order of learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub(super) u32);

impl Fold for Place {
    fn fold(&self, into: &mut Folder) {
        into.u64(u64::from(self.0));
    }
}

/// What is held of one member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Member {
    /// Its own latest words that were believed.
    pub(super) record: Signed<Alive>,
    /// What another says of it, if that is what is believed.
    pub(super) claim: Option<Signed<Claim>>,
    /// When the status last changed.
    pub(super) since: LocalTime,
    /// Which of the queued updates is about it; 0 for none.
    pub(super) queued: u32,
    pub(super) status: Status,
    /// Whether it stands on the probe list.
    pub(super) probed: bool,
}

impl Member {
    pub(super) fn new(record: Signed<Alive>, status: Status, since: LocalTime) -> Self {
        Self {
            record,
            claim: None,
            since,
            queued: 0,
            status,
            probed: false,
        }
    }

    pub(super) fn view(&self) -> View {
        View {
            status: self.status,
            incarnation: self.record.incarnation,
        }
    }

    /// What to tell others of it.
    pub(super) fn update(&self) -> Update {
        match &self.claim {
            Some(claim) => Update::Claim(claim.clone()),
            None => Update::Alive(self.record.clone()),
        }
    }
}

const PAGE: usize = 64;

/// Everyone known to one member, itself included.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    pages: Vec<Arc<Vec<Member>>>,
    index: Arc<HashTable<u32>>,
    len: usize,
    live: u32,
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.pages == other.pages
    }
}

impl Eq for Members {}

impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pages.hash(state);
    }
}

/// Public keys are evenly spread already: eight of their bytes are a hash.
fn hash_of(key: &PublicKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = key.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn member(pages: &[Arc<Vec<Member>>], place: u32) -> &Member {
    &pages[place as usize / PAGE][place as usize % PAGE]
}

impl Members {
    pub(super) fn find(&self, key: &PublicKey) -> Option<Place> {
        self.index
            .find(hash_of(key), |&place| {
                member(&self.pages, place).record.key == *key
            })
            .map(|&place| Place(place))
    }

    pub(super) fn get(&self, place: Place) -> &Member {
        member(&self.pages, place.0)
    }

    /// Changes an entry, but neither its key nor whether it is live; for that there is
    /// [`Self::set_status`].
    pub(super) fn edit(&mut self, place: Place) -> &mut Member {
        let page = &mut self.pages[place.0 as usize / PAGE];
        &mut Arc::make_mut(page)[place.0 as usize % PAGE]
    }

    pub(super) fn set_status(&mut self, place: Place, status: Status, now: LocalTime) {
        let was_live = self.get(place).status.is_live();
        let entry = self.edit(place);
        entry.status = status;
        entry.since = now;
        self.live = self.live + u32::from(status.is_live()) - u32::from(was_live);
    }

    /// Adds somebody whose key is not in the table yet.
    pub(super) fn insert(&mut self, new: Member) -> Place {
        let place = u32::try_from(self.len).expect("fewer than 2^32 members");
        self.live += u32::from(new.status.is_live());
        let hash = hash_of(&new.record.key);
        if self.len.is_multiple_of(PAGE) {
            self.pages.push(Arc::default());
        }
        let page = self.pages.last_mut().expect("a page was just added");
        Arc::make_mut(page).push(new);
        let pages = &self.pages;
        Arc::make_mut(&mut self.index)
            .insert_unique(hash, place, |&old| hash_of(&member(pages, old).record.key));
        self.len += 1;
        Place(place)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Members that are Alive or Suspect.
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Member)> {
        let members = self.pages.iter().flat_map(|page| page.iter());
        (0..).map(Place).zip(members)
    }
}

/// Everyone's first signed Alive record, built once and shared by all who start from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Roster {
    pub(super) members: Members,
    records: Arc<[Signed<Alive>]>,
}

impl Roster {
    /// The roster of these records, which the caller vouches for: one a key, at
    /// [`Incarnation::FIRST`], not leaving.
    pub fn new(records: Arc<[Signed<Alive>]>) -> Self {
        let mut members = Members::default();
        for record in records.iter() {
            let since = LocalTime::default();
            let mut member = Member::new(record.clone(), Status::Alive, since);
            member.probed = true;
            members.insert(member);
        }
        Self { members, records }
    }

    /// Lets every peer sign its own first record.
    pub fn sign(peers: impl IntoIterator<Item = (PeerId, Arc<str>, Keys)>) -> Self {
        let sign = |(address, nickname, mut keys): (PeerId, Arc<str>, Keys)| {
            let key = keys.public();
            keys.sign(Alive {
                key,
                address,
                nickname: Nickname(nickname),
                incarnation: Incarnation::FIRST,
                leaving: false,
            })
        };
        Self::new(peers.into_iter().map(sign).collect())
    }

    /// The records, in the order given.
    pub fn records(&self) -> &Arc<[Signed<Alive>]> {
        &self.records
    }
}

#[cfg(test)]
impl Members {
    /// Pages that both tables hold in common.
    pub(super) fn shared_pages_with(&self, other: &Self) -> usize {
        let pairs = self.pages.iter().zip(&other.pages);
        pairs
            .filter(|(mine, theirs)| Arc::ptr_eq(mine, theirs))
            .count()
    }
}
