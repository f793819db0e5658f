//! When things are due: a ring of time buckets with recycled chunks, and a far future beside it.
//!
//! Pushing and taking cost a few nanoseconds whatever the number of entries, since nothing is kept
//! sorted: a window takes all that is due in it, and each peer sorts its own few. Must not know
//! what it holds.

use std::collections::BTreeMap;

use crate::time::SimTime;

/// Entries a chunk holds; a bucket is a list of full chunks and one that fills.
const CHUNK_BITS: u32 = 6;
const CHUNK: usize = 1 << CHUNK_BITS;
/// Buckets in the ring; later ones wait in the far future.
const BUCKETS: usize = 256;

/// log2 of the width of a bucket in nanoseconds: an eighth of the lookahead or somewhat less, so
/// that a window can end where a bucket does and yet be nearly as long as the lookahead.
pub(crate) fn bucket_bits(lookahead: u64) -> u32 {
    (lookahead / 8).max(1).ilog2()
}

/// What can be put into a ring.
pub(crate) trait Timed {
    /// When it is due.
    fn at(&self) -> SimTime;
}

/// All that is due in one window, addressed by index, in no order.
pub(crate) struct Due<T> {
    chunks: Vec<Vec<T>>,
}

impl<T> Default for Due<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Due<T> {
    /// The entry that [`Due::for_each`] named `index`.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> &T {
        &self.chunks[(index >> CHUNK_BITS) as usize][index as usize & (CHUNK - 1)]
    }

    /// Calls `visit` with each entry and its index.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u32, &T)) {
        for (number, chunk) in self.chunks.iter().enumerate() {
            let first = (number << CHUNK_BITS) as u32;
            for (position, entry) in (first..).zip(chunk) {
                visit(position, entry);
            }
        }
    }

    /// One more than the largest index.
    pub(crate) fn index_end(&self) -> usize {
        self.chunks.len() << CHUNK_BITS
    }
}

/// Which buckets of the ring hold something.
#[derive(Default)]
struct Occupied([u64; BUCKETS / 64]);

impl Occupied {
    #[inline]
    fn set(&mut self, number: u64, occupied: bool) {
        let place = number as usize % BUCKETS;
        let bit = 1 << (place % 64);
        if occupied {
            self.0[place / 64] |= bit;
        } else {
            self.0[place / 64] &= !bit;
        }
    }

    /// The first occupied bucket from number `first` on, once around the ring.
    #[inline]
    fn next_from(&self, first: u64) -> Option<u64> {
        let place = first as usize % BUCKETS;
        let words = self.0.len();
        (0..=words).find_map(|step| {
            let mut word = self.0[(place / 64 + step) % words];
            if step == 0 {
                word &= u64::MAX << (place % 64);
            } else if step == words {
                word &= !(u64::MAX << (place % 64));
            }
            let found = (place / 64 + step) * 64 + word.trailing_zeros() as usize;
            (word != 0).then(|| first + (found - place) as u64)
        })
    }
}

/// Entries by due time, cheap to add to and to take whole windows from.
pub(crate) struct Ring<T> {
    /// log2 of a bucket's width in nanoseconds.
    width_bits: u32,
    /// The number of the first bucket in the ring; earlier ones are empty.
    first: u64,
    buckets: Vec<Vec<Vec<T>>>,
    occupied: Occupied,
    far: BTreeMap<u64, Vec<Vec<T>>>,
    spare: Vec<Vec<T>>,
    len: usize,
}

impl<T: Timed> Ring<T> {
    /// An empty ring for windows of up to `lookahead` nanoseconds.
    pub(crate) fn new(lookahead: u64) -> Self {
        Self {
            width_bits: bucket_bits(lookahead),
            first: 0,
            buckets: (0..BUCKETS).map(|_| Vec::new()).collect(),
            occupied: Occupied::default(),
            far: BTreeMap::new(),
            spare: Vec::new(),
            len: 0,
        }
    }

    /// Entries held.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn bucket_of(&self, at: SimTime) -> u64 {
        at.as_nanos() >> self.width_bits
    }

    /// Adds an entry that is not due before the last window taken.
    #[inline]
    pub(crate) fn push(&mut self, entry: T) {
        let number = self.bucket_of(entry.at());
        debug_assert!(number >= self.first, "BUG: an entry in the past");
        self.len += 1;
        let bucket = if number - self.first < BUCKETS as u64 {
            self.occupied.set(number, true);
            &mut self.buckets[number as usize % BUCKETS]
        } else {
            self.far.entry(number).or_default()
        };
        push_chunked(bucket, entry, &mut self.spare);
    }

    /// When the next entry is due.
    pub(crate) fn next_at(&self) -> Option<SimTime> {
        if self.len == 0 {
            return None;
        }
        let bucket = match self.occupied.next_from(self.first) {
            Some(number) => &self.buckets[number as usize % BUCKETS],
            None => self.far.values().next()?,
        };
        bucket.iter().flatten().map(Timed::at).min()
    }

    /// Moves all that is due before `end` into `due`, which must be empty.
    pub(crate) fn take_before(&mut self, end: SimTime, due: &mut Due<T>) {
        debug_assert!(due.chunks.is_empty());
        let whole_until = self.bucket_of(end);
        while self.first < whole_until && self.len > 0 {
            self.take_bucket(due);
            self.advance(self.next_bucket().min(whole_until));
        }
        self.advance(whole_until);
        if end.as_nanos() & ((1 << self.width_bits) - 1) != 0 {
            self.split_first(end, due);
        }
    }

    fn take_bucket(&mut self, due: &mut Due<T>) {
        let bucket = &mut self.buckets[self.first as usize % BUCKETS];
        self.len -= bucket.iter().map(Vec::len).sum::<usize>();
        due.chunks.append(bucket);
        self.occupied.set(self.first, false);
    }

    /// The number of the first bucket that holds something.
    fn next_bucket(&self) -> u64 {
        let far = || self.far.keys().next().copied();
        let near = self.occupied.next_from(self.first);
        near.or_else(far).unwrap_or(u64::MAX)
    }

    /// Makes `first` the ring's first bucket and brings in what the ring now reaches.
    fn advance(&mut self, first: u64) {
        if first <= self.first {
            return;
        }
        self.first = first;
        while let Some(entry) = self.far.first_entry() {
            let number = *entry.key();
            if number - first >= BUCKETS as u64 {
                break;
            }
            self.buckets[number as usize % BUCKETS] = entry.remove();
            self.occupied.set(number, true);
        }
    }

    /// Takes from the first bucket what is due before `end` and keeps the rest.
    fn split_first(&mut self, end: SimTime, due: &mut Due<T>) {
        let place = self.first as usize % BUCKETS;
        if self.buckets[place]
            .iter()
            .flatten()
            .all(|entry| entry.at() >= end)
        {
            return;
        }
        let mut taken = Vec::new();
        self.occupied.set(self.first, false);
        for mut chunk in std::mem::take(&mut self.buckets[place]) {
            self.len -= chunk.len();
            for entry in chunk.drain(..) {
                if entry.at() < end {
                    push_chunked(&mut taken, entry, &mut self.spare);
                } else {
                    self.push(entry);
                }
            }
            self.spare.push(chunk);
        }
        due.chunks.append(&mut taken);
    }

    /// Drops what was due and keeps its memory for later entries.
    pub(crate) fn recycle(&mut self, due: &mut Due<T>) {
        for mut chunk in due.chunks.drain(..) {
            chunk.clear();
            self.spare.push(chunk);
        }
    }
}

fn push_chunked<T>(chunks: &mut Vec<Vec<T>>, entry: T, spare: &mut Vec<Vec<T>>) {
    match chunks.last_mut() {
        Some(chunk) if chunk.len() < CHUNK => chunk.push(entry),
        _ => {
            let mut chunk = spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
            chunk.push(entry);
            chunks.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BinaryHeap;

    use fedsim_protocols::{RunKey, Stream, StreamLabel};

    use super::*;

    struct Entry(u64);
    impl Timed for Entry {
        fn at(&self) -> SimTime {
            SimTime::from_nanos(self.0)
        }
    }

    #[test]
    fn windows_of_any_width_take_what_a_heap_would_give() {
        // The heap is the dumb second version: after every window both must have given the same
        // multiset, near and far entries, full and split buckets included.
        let mut dice = Stream::new(RunKey::from_seed(3), StreamLabel::global("test"));
        let mut ring = Ring::new(1_000);
        let mut heap = BinaryHeap::new();
        let mut due = Due::default();
        let mut now = 0;
        for _ in 0..2_000 {
            for _ in 0..dice.below(40) {
                let far = if dice.below(10) == 0 {
                    1_000_000
                } else {
                    5_000
                };
                let at = now + dice.below(far);
                ring.push(Entry(at));
                heap.push(std::cmp::Reverse(at));
            }
            assert_eq!(
                ring.next_at().map(SimTime::as_nanos),
                heap.peek().map(|at| at.0)
            );
            now += dice.below(3_000);
            ring.take_before(SimTime::from_nanos(now), &mut due);
            let mut taken = Vec::new();
            due.for_each(|index, entry| {
                assert_eq!(due.get(index).0, entry.0);
                taken.push(entry.0);
            });
            taken.sort_unstable();
            let expected: Vec<u64> = std::iter::from_fn(|| heap.pop_if_before(now)).collect();
            assert_eq!(taken, expected);
            assert_eq!(ring.len(), heap.len());
            ring.recycle(&mut due);
        }
    }

    trait PopBefore {
        fn pop_if_before(&mut self, end: u64) -> Option<u64>;
    }
    impl PopBefore for BinaryHeap<std::cmp::Reverse<u64>> {
        fn pop_if_before(&mut self, end: u64) -> Option<u64> {
            self.peek()
                .is_some_and(|at| at.0 < end)
                .then(|| self.pop().map(|at| at.0))?
        }
    }
}
