//! The log in memory: entries behind a base that a snapshot replaced. Must not know roles or disks.

use std::collections::VecDeque;

use super::message::{Entries, Entry};
use super::rules::LogEnd;

/// Entries `base.index + 1 ..= last_index()`; terms never decrease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Log {
    base: LogEnd,
    entries: VecDeque<Entry>,
}

impl Log {
    /// The empty log behind `base`.
    pub(super) fn behind(base: LogEnd) -> Self {
        Self {
            base,
            entries: VecDeque::new(),
        }
    }

    pub(super) fn base(&self) -> LogEnd {
        self.base
    }

    pub(super) fn first_index(&self) -> u64 {
        self.base.index + 1
    }

    pub(super) fn last_index(&self) -> u64 {
        self.base.index + self.entries.len() as u64
    }

    pub(super) fn end(&self) -> LogEnd {
        LogEnd {
            term: self.entries.back().map_or(self.base.term, |e| e.term),
            index: self.last_index(),
        }
    }

    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        let at = index.checked_sub(self.first_index())?;
        self.entries.get(usize::try_from(at).ok()?)
    }

    /// The term of the entry at `index`, the base's included.
    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.get(index).map(|entry| entry.term)
    }

    pub(super) fn push(&mut self, entry: Entry) -> u64 {
        self.entries.push_back(entry);
        self.last_index()
    }

    /// Forgets `from` and all behind it; the base stays.
    pub(super) fn truncate_from(&mut self, from: u64) {
        let keep = from.saturating_sub(self.first_index());
        self.entries.truncate(keep as usize);
    }

    /// Makes `index` the base, if it lies in the log.
    pub(super) fn compact_to(&mut self, index: u64) {
        if index <= self.base.index {
            return;
        }
        let Some(term) = self.term_at(index) else {
            return;
        };
        self.entries.drain(..(index - self.base.index) as usize);
        self.base = LogEnd { term, index };
    }

    /// At most `most` entries from `from` on, in one shared allocation.
    pub(super) fn slice(&self, from: u64, most: u64) -> Entries {
        let start = from.saturating_sub(self.first_index()) as usize;
        let end = self.entries.len().min(start.saturating_add(most as usize));
        self.entries.range(start.min(end)..end).cloned().collect()
    }

    /// The terms of all entries behind the base.
    pub(super) fn terms(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.term)
    }

    /// The entries from `from` on with their indexes.
    pub(super) fn iter_from(&self, from: u64) -> impl Iterator<Item = (u64, &Entry)> {
        let from = from.max(self.first_index());
        let start = (from - self.first_index()) as usize;
        (from..).zip(self.entries.range(start.min(self.entries.len())..))
    }

    /// The last entry at or below `index` whose term is at most `term`: where two logs may still
    /// agree (paper 5.3, by terms). O(log n), since terms never decrease.
    pub(super) fn last_not_above(&self, index: u64, term: u64) -> LogEnd {
        let index = index.min(self.last_index());
        let within = self.entries.partition_point(|entry| entry.term <= term) as u64;
        let index = index.min(self.base.index + within).max(self.base.index);
        LogEnd {
            index,
            term: self.term_at(index).unwrap_or(self.base.term),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::message::EntryKind;

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for term in terms {
            log.push(Entry {
                term: *term,
                kind: EntryKind::Noop,
            });
        }
        log
    }

    fn end(index: u64, term: u64) -> LogEnd {
        LogEnd { term, index }
    }

    #[test]
    fn two_logs_skip_whole_terms_to_where_they_may_agree() {
        // The fast-reject table of etcd: the follower's hint, then the leader's next probe.
        let follower = log(&[1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3]);
        let short = log(&[1, 2, 2, 4]);
        let cases = [
            (&[1, 2, 2, 4, 4, 4, 4][..], &follower, end(7, 3), end(3, 2)),
            (&[1, 2, 2, 3, 4, 4, 4, 5], &follower, end(8, 3), end(4, 3)),
            (&[1, 1, 1, 1], &short, end(1, 1), end(1, 1)),
        ];
        for (terms, follower, hint, probe) in cases {
            let leader = log(terms);
            let told = follower.last_not_above(leader.end().index, leader.end().term);
            assert_eq!(told, hint);
            assert_eq!(leader.last_not_above(told.index, told.term), probe);
        }
    }

    #[test]
    fn compaction_keeps_the_base_term_and_the_tail() {
        // What a consistency check at the compaction point needs is all there.
        let mut log = log(&[1, 1, 2, 3]);
        log.compact_to(2);
        assert_eq!((log.first_index(), log.end()), (3, end(4, 3)));
        assert_eq!(
            (log.term_at(1), log.term_at(2), log.term_at(3)),
            (None, Some(1), Some(2))
        );
        assert_eq!(log.slice(3, 1).as_slice().len(), 1);
        log.truncate_from(3);
        assert_eq!(log.end(), end(2, 1));
    }
}
