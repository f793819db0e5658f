//! The set of placed operations, and the key under which a configuration is
//! remembered. Must not know what the operations do.

use super::super::compile::StateId;

/// Which operations are placed, as bits; completed and open ones apart.
///
/// All completed operations up to some point are placed, and none beyond the
/// concurrent ones after it, so a configuration is told by a few words.
pub(super) struct PlacedSet {
    completed: Vec<u64>,
    open: Vec<u64>,
    completed_total: usize,
    /// How many completed operations are placed.
    pub(super) completed_count: usize,
    /// Every word of `completed` before this one is full.
    full_words: usize,
}

impl PlacedSet {
    pub(super) fn new(completed: usize, all: usize) -> Self {
        Self {
            completed: vec![0; completed.div_ceil(64)],
            open: vec![0; (all - completed).div_ceil(64)],
            completed_total: completed,
            completed_count: 0,
            full_words: 0,
        }
    }

    pub(super) fn contains(&self, operation: u32) -> bool {
        let index = operation as usize;
        let (words, bit) = if index < self.completed_total {
            (&self.completed, index)
        } else {
            (&self.open, index - self.completed_total)
        };
        words[bit / 64] >> (bit % 64) & 1 == 1
    }

    pub(super) fn insert(&mut self, operation: u32) {
        let index = operation as usize;
        if index >= self.completed_total {
            let bit = index - self.completed_total;
            self.open[bit / 64] |= 1 << (bit % 64);
            return;
        }
        self.completed[index / 64] |= 1 << (index % 64);
        self.completed_count += 1;
        while self.completed.get(self.full_words) == Some(&u64::MAX) {
            self.full_words += 1;
        }
    }

    pub(super) fn remove(&mut self, operation: u32) {
        let index = operation as usize;
        if index >= self.completed_total {
            let bit = index - self.completed_total;
            self.open[bit / 64] &= !(1 << (bit % 64));
            return;
        }
        self.completed[index / 64] &= !(1 << (index % 64));
        self.completed_count -= 1;
        self.full_words = self.full_words.min(index / 64);
    }

    /// Writes the configuration: state, number of full words, the words with
    /// some completed operations placed, all words of open ones.
    pub(super) fn write_key(&self, state: StateId, key: &mut Vec<u64>) {
        key.clear();
        key.push(u64::from(state) | (self.full_words as u64) << 32);
        let mut left = self.completed_count - 64 * self.full_words;
        for &word in &self.completed[self.full_words..] {
            if left == 0 {
                break;
            }
            key.push(word);
            left -= word.count_ones() as usize;
        }
        key.extend_from_slice(&self.open);
    }
}
