//! What a peer has asked others to do and is not answered yet.

use std::collections::BTreeMap;

use crate::federation::envelope::Action;
use crate::federation::terms::ActionId;
use crate::peer::PeerId;
use crate::signed::Signed;

use super::onward::Asker;

/// One errand under way.
#[derive(Clone, Debug)]
pub(in crate::stack) struct Open {
    /// Who waits for it.
    pub(in crate::stack) asker: Asker,
    /// Who was asked.
    pub(in crate::stack) to: PeerId,
    /// The envelope sent last.
    pub(in crate::stack) action: Signed<Action>,
}

/// The errands under way, by the number under which their timers run.
#[derive(Debug, Default)]
pub(in crate::stack) struct Book {
    open: BTreeMap<u64, Open>,
    numbers: BTreeMap<ActionId, u64>,
    last: u64,
}

impl Book {
    /// Notes an errand; its number.
    pub(super) fn add(&mut self, open: Open) -> u64 {
        self.last += 1;
        self.numbers.insert(open.action.id, self.last);
        self.open.insert(self.last, open);
        self.last
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Open> {
        self.open.get_mut(&number)
    }

    /// The number of an action that is under way.
    pub(super) fn number_of(&self, action: ActionId) -> Option<u64> {
        self.numbers.get(&action).copied()
    }

    /// Whether nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes an errand out, once it has ended.
    pub(super) fn close(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        self.numbers.remove(&open.action.id);
        Some(open)
    }
}
