//! What a shard counts: messages by kind and interval, and the load of the busiest peer.
//!
//! Memory is bounded on runs of any length: when there are too many intervals, neighbours merge.

use fedsim_protocols::SimDuration;

use crate::network::{DropReason, Work};
use crate::time::SimTime;

/// Intervals kept at most; an even number.
const MOST_INTERVALS: usize = 1_200;

/// What became of messages of one kind in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCount {
    /// Given to the network, or to nowhere.
    pub sent: u64,
    /// Handled or queued by their receiver.
    pub delivered: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Lost to a cut or for want of a path.
    pub cut: u64,
    /// Arrived at a peer that was down.
    pub down: u64,
    /// Refused by a full link.
    pub queue: u64,
    /// Second copies made by the network.
    pub duplicated: u64,
    /// Bytes sent.
    pub bytes: u64,
}

impl KindCount {
    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.cut += other.cut;
        self.down += other.down;
        self.queue += other.queue;
        self.duplicated += other.duplicated;
        self.bytes += other.bytes;
    }

    /// Messages that reached nobody.
    pub fn dropped(&self) -> u64 {
        self.lost + self.cut + self.down + self.queue
    }
}

/// The busiest peer of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeakLoad {
    /// Messages that one peer sent at most.
    pub messages: u64,
    /// Bytes that one peer sent at most.
    pub bytes: u64,
}

/// One peer's sends in the interval that it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeerLoad {
    interval: u32,
    messages: u32,
    bytes: u64,
}

/// The counts of one shard, or of a run once merged.
#[derive(Clone, Debug)]
pub struct Counters {
    kinds: usize,
    base: SimDuration,
    interval: SimDuration,
    counts: Vec<KindCount>,
    peaks: Vec<PeakLoad>,
    current: usize,
    current_from: SimTime,
    current_until: SimTime,
    /// The current interval as peers remember it, whatever its width.
    current_number: u32,
    /// Events that peers handled.
    pub events: u64,
    /// Signatures that peers made.
    pub signatures: u64,
    /// Verifications that peers asked for, whoever computed them.
    pub verifications: u64,
}

impl Counters {
    /// Nothing counted yet of `kinds` kinds of message, in intervals of `interval` at first.
    pub(crate) fn new(kinds: usize, interval: SimDuration) -> Self {
        let mut counters = Self {
            kinds,
            base: interval,
            interval,
            counts: Vec::new(),
            peaks: Vec::new(),
            current: 0,
            current_from: SimTime::ZERO,
            current_until: SimTime::ZERO,
            current_number: 0,
            events: 0,
            signatures: 0,
            verifications: 0,
        };
        counters.enter(SimTime::ZERO);
        counters
    }

    /// The width of an interval.
    pub fn interval(&self) -> SimDuration {
        self.interval
    }

    /// The counts of each interval: one per kind.
    pub fn intervals(&self) -> impl Iterator<Item = (&[KindCount], PeakLoad)> {
        self.counts
            .chunks(self.kinds)
            .zip(self.peaks.iter().copied())
    }

    /// The counts of one kind over the whole run.
    pub fn total(&self, kind: usize) -> KindCount {
        let mut total = KindCount::default();
        self.counts
            .iter()
            .skip(kind)
            .step_by(self.kinds)
            .for_each(|count| total.add(count));
        total
    }

    /// The counts of all kinds over the whole run.
    pub fn grand_total(&self) -> KindCount {
        let mut total = KindCount::default();
        self.counts.iter().for_each(|count| total.add(count));
        total
    }

    /// Makes the interval of `at` current.
    #[cold]
    fn enter(&mut self, at: SimTime) {
        loop {
            self.current = (at.as_nanos() / self.interval.as_nanos()) as usize;
            if self.current < MOST_INTERVALS {
                break;
            }
            self.double();
        }
        if self.peaks.len() <= self.current {
            self.peaks.resize(self.current + 1, PeakLoad::default());
            self.counts
                .resize((self.current + 1) * self.kinds, KindCount::default());
        }
        self.current_from = SimTime::from_nanos(self.current as u64 * self.interval.as_nanos());
        self.current_until = self.current_from + self.interval;
        self.current_number = (self.current_from.as_nanos() / self.base.as_nanos()) as u32;
    }

    /// Merges neighbouring intervals.
    fn double(&mut self) {
        self.interval = self.interval * 2;
        let halves = self.peaks.len().div_ceil(2);
        for half in 0..halves {
            let later = (2 * half + 1) * self.kinds;
            for kind in 0..self.kinds {
                let mut sum = self.counts[2 * half * self.kinds + kind];
                if let Some(second) = self.counts.get(later + kind) {
                    sum.add(second);
                }
                self.counts[half * self.kinds + kind] = sum;
            }
            let second = self.peaks.get(2 * half + 1).copied().unwrap_or_default();
            let first = self.peaks[2 * half];
            self.peaks[half] = PeakLoad {
                messages: first.messages.max(second.messages),
                bytes: first.bytes.max(second.bytes),
            };
        }
        self.peaks.truncate(halves);
        self.counts.truncate(halves * self.kinds);
    }

    #[inline]
    pub(crate) fn at(&mut self, at: SimTime, kind: usize) -> &mut KindCount {
        if at < self.current_from || at >= self.current_until {
            self.enter(at);
        }
        &mut self.counts[self.current * self.kinds + kind]
    }

    /// Counts what an input had signed and verified.
    #[inline]
    pub(crate) fn signed(&mut self, work: &Work) {
        self.signatures += u64::from(work.signatures);
        self.verifications += u64::from(work.verifications);
    }

    /// Counts a message that `load`'s peer sends.
    #[inline]
    pub(crate) fn sent(&mut self, at: SimTime, kind: usize, bytes: u64, load: &mut PeerLoad) {
        let count = self.at(at, kind);
        count.sent += 1;
        count.bytes += bytes;
        if load.interval != self.current_number {
            *load = PeerLoad {
                interval: self.current_number,
                ..PeerLoad::default()
            };
        }
        load.messages += 1;
        load.bytes += bytes;
        let peak = &mut self.peaks[self.current];
        peak.messages = peak.messages.max(u64::from(load.messages));
        peak.bytes = peak.bytes.max(load.bytes);
    }

    /// Counts a message that reaches nobody.
    #[cold]
    pub(crate) fn dropped(&mut self, at: SimTime, kind: usize, reason: DropReason) {
        let count = self.at(at, kind);
        match reason {
            DropReason::Loss { .. } => count.lost += 1,
            DropReason::Cut { .. } | DropReason::NoRoute => count.cut += 1,
            DropReason::Down => count.down += 1,
            DropReason::Queue => count.queue += 1,
        }
    }

    /// Adds what another shard counted.
    pub(crate) fn merge(&mut self, mut other: Self) {
        while self.interval < other.interval {
            self.double();
        }
        while other.interval < self.interval {
            other.double();
        }
        if self.peaks.len() < other.peaks.len() {
            self.peaks.resize(other.peaks.len(), PeakLoad::default());
            self.counts.resize(other.counts.len(), KindCount::default());
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            mine.add(theirs);
        }
        for (mine, theirs) in self.peaks.iter_mut().zip(&other.peaks) {
            mine.messages = mine.messages.max(theirs.messages);
            mine.bytes = mine.bytes.max(theirs.bytes);
        }
        self.events += other.events;
        self.signatures += other.signatures;
        self.verifications += other.verifications;
    }
}
