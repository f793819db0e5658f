//! Calls and returns of the operations not placed yet, in real-time order.
//! Must not know what the operations do.

use super::super::compile::{Entry, Subhistory};

/// Stands for the return that an open operation does not have.
const NONE: u32 = u32::MAX;

/// The doubly linked list of Lowe 2017, over entry positions.
pub(super) struct EntryList {
    next: Vec<u32>,
    previous: Vec<u32>,
    /// Where each operation's call and return stand; open ones have no return.
    ends: Vec<(u32, u32)>,
    /// Position of the sentinel before the first entry.
    head: u32,
}

impl EntryList {
    pub(super) fn new(problem: &Subhistory) -> Self {
        let count = problem.entries.len() as u32;
        let mut ends = vec![(NONE, NONE); problem.operations.len()];
        for (position, entry) in (0u32..).zip(&problem.entries) {
            match entry {
                Entry::Call(operation) => ends[*operation as usize].0 = position,
                Entry::Return(operation) => ends[*operation as usize].1 = position,
            }
        }
        // The list is a ring through the sentinel at position `count`.
        let ring = count + 1;
        Self {
            next: (0..ring).map(|position| (position + 1) % ring).collect(),
            previous: (0..ring)
                .map(|position| (position + count) % ring)
                .collect(),
            ends,
            head: count,
        }
    }

    pub(super) fn first(&self) -> u32 {
        self.next(self.head)
    }

    pub(super) fn next(&self, position: u32) -> u32 {
        self.next[position as usize]
    }

    pub(super) fn previous(&self, position: u32) -> u32 {
        self.previous[position as usize]
    }

    pub(super) fn call_of(&self, operation: u32) -> u32 {
        self.ends[operation as usize].0
    }

    /// Takes an operation out; its own links stay, so that it can come back.
    pub(super) fn lift(&mut self, operation: u32) {
        let (call, ret) = self.ends[operation as usize];
        self.unlink(call);
        self.unlink(ret);
    }

    /// Undoes the last [`EntryList::lift`] that has not been undone.
    pub(super) fn unlift(&mut self, operation: u32) {
        let (call, ret) = self.ends[operation as usize];
        self.relink(ret);
        self.relink(call);
    }

    fn unlink(&mut self, position: u32) {
        if position != NONE {
            let (before, after) = self.neighbours(position);
            self.next[before as usize] = after;
            self.previous[after as usize] = before;
        }
    }

    fn relink(&mut self, position: u32) {
        if position != NONE {
            let (before, after) = self.neighbours(position);
            self.next[before as usize] = position;
            self.previous[after as usize] = position;
        }
    }

    fn neighbours(&self, position: u32) -> (u32, u32) {
        (
            self.previous[position as usize],
            self.next[position as usize],
        )
    }
}
