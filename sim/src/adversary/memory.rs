//! What a cabal remembers of messages. Must not know what they say.

use std::collections::VecDeque;

use fedsim_protocols::{Payload, PeerId};

/// Messages of any kind that are remembered.
const RECENT: usize = 512;
/// Messages worth keeping that are remembered beyond that.
const KEPT: usize = 2_048;

/// One message that a cabal knows.
#[derive(Clone, Debug)]
pub struct Seen<M> {
    /// Who sent it.
    pub from: PeerId,
    /// To whom.
    pub to: PeerId,
    /// What.
    pub payload: Payload<M>,
}

/// The messages that a cabal sent, got and overheard, oldest first.
#[derive(Clone, Debug)]
pub struct Memory<M> {
    kept: VecDeque<Seen<M>>,
    recent: VecDeque<(bool, Seen<M>)>,
}

impl<M> Default for Memory<M> {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            recent: VecDeque::new(),
        }
    }
}

/// One message that is remembered, as a forge sees it.
#[derive(Debug)]
pub struct Recalled<'a, M> {
    /// Who sent it.
    pub from: PeerId,
    /// To whom.
    pub to: PeerId,
    /// What.
    pub payload: &'a M,
}

/// Messages that can be looked up.
pub trait Recall<M> {
    /// All of them, the newest first.
    fn newest_first(&self) -> Box<dyn Iterator<Item = Recalled<'_, M>> + '_>;
}

impl<M> Recall<M> for Memory<M> {
    fn newest_first(&self) -> Box<dyn Iterator<Item = Recalled<'_, M>> + '_> {
        let seen = Memory::newest_first(self);
        Box::new(seen.map(|seen| Recalled {
            from: seen.from,
            to: seen.to,
            payload: &*seen.payload,
        }))
    }
}

/// What others remember, as far as it is about something inside their messages.
pub(super) struct Inside<'a, M, N> {
    /// All that is remembered.
    pub(super) all: &'a dyn Recall<M>,
    /// What a message holds.
    pub(super) lens: for<'b> fn(&'b M) -> Option<&'b N>,
    /// By which slot a peer is known inside.
    pub(super) slot: &'a dyn Fn(PeerId) -> PeerId,
}

impl<M, N> Recall<N> for Inside<'_, M, N> {
    fn newest_first(&self) -> Box<dyn Iterator<Item = Recalled<'_, N>> + '_> {
        let all = self.all.newest_first();
        Box::new(all.filter_map(|seen| {
            Some(Recalled {
                from: (self.slot)(seen.from),
                to: (self.slot)(seen.to),
                payload: (self.lens)(seen.payload)?,
            })
        }))
    }
}

impl<M> Memory<M> {
    pub(super) fn note(&mut self, seen: Seen<M>, is_worth_keeping: bool) {
        self.recent.push_back((is_worth_keeping, seen));
        if self.recent.len() > RECENT
            && let Some((true, seen)) = self.recent.pop_front()
        {
            self.kept.push_back(seen);
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }

    /// All of them, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Seen<M>> {
        let recent = self.recent.iter().rev().map(|(_, seen)| seen);
        recent.chain(self.kept.iter().rev())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.recent.len() + self.kept.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }

    /// The one at a place, the newest at 0.
    pub fn nth(&self, place: usize) -> Option<&Seen<M>> {
        match place.checked_sub(self.recent.len()) {
            None => Some(&self.recent[self.recent.len() - 1 - place].1),
            Some(beyond) => self
                .kept
                .len()
                .checked_sub(beyond + 1)
                .map(|at| &self.kept[at]),
        }
    }
}
