//! The member table: who is known, at which incarnation, and what is believed of him.
//!
//! A member that starts from a roster shares it, and holds a page of entries of its own only once it
//! changes one. Members are found by key: at the place that their address stands for, as nearly
//! always, or else through a hash index that nobody walks. Everything that can be seen goes by the
//! order in which members were learned. Must not know why a status changes.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrayvec::ArrayVec;
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

/// Entries of one's own: those that lie in one page of the table.
type Page = Arc<ArrayVec<Member, PAGE>>;

/// Everyone known to one member, itself included.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    /// The roster it started from: what holds where there is no page of its own.
    given: Arc<[Member]>,
    pages: Vec<Option<Page>>,
    index: Arc<HashTable<u32>>,
    addresses: Arc<Addresses>,
    len: usize,
    live: u32,
}

/// The place of whoever was learned last under an address that ends like this; a guess, which the key
/// must confirm. Looked at first, since it takes one line of memory where the index takes two.
#[derive(Clone, Debug, Default)]
struct Addresses(Vec<u32>);

impl Addresses {
    /// Room for so many members, of which none is known.
    fn for_members(count: usize) -> Self {
        Self(vec![NOBODY; (2 * count).next_power_of_two()])
    }

    fn guess(&self, address: PeerId) -> Option<u32> {
        let last = self.0.len().checked_sub(1)?;
        Some(self.0[address.index() & last]).filter(|place| *place != NOBODY)
    }

    fn note(&mut self, address: PeerId, place: u32) {
        let last = self.0.len() - 1;
        self.0[address.index() & last] = place;
    }
}

/// No place.
const NOBODY: u32 = u32::MAX;

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Members {}

impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len.hash(state);
        self.iter().for_each(|(_, member)| member.hash(state));
    }
}

/// Public keys are evenly spread already: eight of their bytes are a hash.
fn hash_of(key: &PublicKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = key.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[inline]
fn member<'a>(given: &'a [Member], pages: &'a [Option<Page>], place: u32) -> &'a Member {
    let place = place as usize;
    match pages.get(place / PAGE) {
        Some(Some(own)) => &own[place % PAGE],
        _ => &given[place],
    }
}

impl Members {
    /// Whom a record is of.
    pub(super) fn subject(&self, record: &Alive) -> Option<Place> {
        let is_right = |place: &u32| self.get(Place(*place)).record.key == record.key;
        let guess = self.addresses.guess(record.address).filter(is_right);
        guess.map(Place).or_else(|| self.find(&record.key))
    }

    pub(super) fn find(&self, key: &PublicKey) -> Option<Place> {
        self.index
            .find(hash_of(key), |&place| {
                member(&self.given, &self.pages, place).record.key == *key
            })
            .map(|&place| Place(place))
    }

    pub(super) fn get(&self, place: Place) -> &Member {
        member(&self.given, &self.pages, place.0)
    }

    /// The page of that number, from now on one's own.
    fn page(&mut self, number: usize) -> &mut ArrayVec<Member, PAGE> {
        if self.pages.len() <= number {
            self.pages.resize(number + 1, None);
        }
        let given = self.given.chunks(PAGE).nth(number).unwrap_or_default();
        let page =
            self.pages[number].get_or_insert_with(|| Arc::new(given.iter().cloned().collect()));
        Arc::make_mut(page)
    }

    /// Changes an entry, but neither its key nor whether it is live; for that there is
    /// [`Self::set_status`].
    pub(super) fn edit(&mut self, place: Place) -> &mut Member {
        let place = place.0 as usize;
        &mut self.page(place / PAGE)[place % PAGE]
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
        let (hash, address) = (hash_of(&new.record.key), new.record.address);
        self.page(self.len / PAGE).push(new);
        let (given, pages) = (&self.given, &self.pages);
        let hash_at = |&old: &u32| hash_of(&member(given, pages, old).record.key);
        Arc::make_mut(&mut self.index).insert_unique(hash, place, hash_at);
        self.len += 1;
        self.note_address(address, place);
        Place(place)
    }

    fn note_address(&mut self, address: PeerId, place: u32) {
        if self.addresses.0.len() >= self.len {
            return Arc::make_mut(&mut self.addresses).note(address, place);
        }
        let mut wider = Addresses::for_members(self.len);
        for (place, member) in self.iter() {
            wider.note(member.record.address, place.0);
        }
        self.addresses = Arc::new(wider);
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Members that are Alive or Suspect.
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Member)> {
        (0..self.len as u32).map(|place| (Place(place), self.get(Place(place))))
    }

    /// Gives what is held so far to all who are to start from it.
    fn give(self) -> Self {
        Self {
            given: self.iter().map(|(_, member)| member.clone()).collect(),
            pages: Vec::new(),
            ..self
        }
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
        Self {
            members: members.give(),
            records,
        }
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
    /// Pages of one's own.
    pub(super) fn own_pages(&self) -> usize {
        self.pages.iter().flatten().count()
    }
}
