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
