//! A list of places that may start as everyone of a roster, and then holds only what was moved.
//!
//! A thousand members that start from one roster would else write it a thousand times before the
//! first of them probes. Must not know what the list is for.

use std::hash::{Hash, Hasher};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::members::Place;

/// What was moved may be this part of a list before the whole list is written out.
const MOVED_PART: usize = 8;

/// A list of places.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// Written out.
    Listed(Vec<Place>),
    /// In the order of the table, but for what was moved.
    Given(Given),
}

/// All places of a table but one, in order, save what was moved since.
#[derive(Clone, Debug)]
pub(super) struct Given {
    len: usize,
    without: Option<Place>,
    /// By position; nobody walks it.
    moved: HashMap<u32, Place, FxBuildHasher>,
}

impl Given {
    fn at(&self, position: usize) -> Place {
        if let Some(&place) = self.moved.get(&(position as u32)) {
            return place;
        }
        let place = position as u32;
        match self.without {
            Some(without) if place >= without.0 => Place(place + 1),
            _ => Place(place),
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        if one != other {
            let (first, second) = (self.at(one), self.at(other));
            self.moved.insert(one as u32, second);
            self.moved.insert(other as u32, first);
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Places {}

impl Hash for Places {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|place| place.hash(state));
    }
}

impl Places {
    /// The first `count` places of a table but `own`, in order.
    pub(super) fn all_but(count: u32, own: Option<Place>) -> Self {
        Self::Given(Given {
            len: count as usize - usize::from(own.is_some()),
            without: own,
            moved: HashMap::default(),
        })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Listed(places) => places.len(),
            Self::Given(given) => given.len,
        }
    }

    pub(super) fn at(&self, position: usize) -> Place {
        match self {
            Self::Listed(places) => places[position],
            Self::Given(given) => given.at(position),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Place> {
        (0..self.len()).map(|position| self.at(position))
    }

    pub(super) fn swap(&mut self, one: usize, other: usize) {
        match self {
            Self::Listed(places) => places.swap(one, other),
            Self::Given(given) => {
                given.swap(one, other);
                if given.moved.len() > given.len / MOVED_PART {
                    self.listed();
                }
            }
        }
    }

    pub(super) fn push(&mut self, place: Place) {
        self.listed().push(place);
    }

    /// Removes the place at `position` and puts the last one there.
    pub(super) fn swap_remove(&mut self, position: usize) {
        self.listed().swap_remove(position);
    }

    /// The list, from now on written out.
    fn listed(&mut self) -> &mut Vec<Place> {
        if let Self::Given(_) = self {
            *self = Self::Listed(self.iter().collect());
        }
        match self {
            Self::Listed(places) => places,
            Self::Given(_) => unreachable!("BUG: it was just written out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_holds_only_what_was_moved_is_the_list_it_stands_for() {
        let mut written: Vec<Place> = (0..200).filter(|&at| at != 70).map(Place).collect();
        let mut places = Places::all_but(200, Some(Place(70)));
        let mut swaps = 0;
        while let Places::Given(_) = places {
            assert!(places.iter().eq(written.iter().copied()));
            let (one, other) = (swaps % 199, (swaps * 89 + 5) % 199);
            places.swap(one, other);
            written.swap(one, other);
            swaps += 1;
        }
        assert!(swaps > 10, "written out after {swaps} swaps");
        assert!(places.iter().eq(written.iter().copied()));
        places.swap_remove(3);
        places.push(Place(300));
        written.swap_remove(3);
        written.push(Place(300));
        assert!(places.iter().eq(written.iter().copied()));
        assert_eq!(places, Places::Listed(written));
    }
}
