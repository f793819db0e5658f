//! A peer's disk: batches become durable in order, and a crash loses what was not.
//!
//! Must not know what the records mean.

use std::collections::VecDeque;

use fedsim_protocols::{Durable, PeerId, PersistToken, SimDuration, Stored, Write};
use fedsim_scenarios::spec::DiskSpec;

use super::draw::{Draw, DrawKey, Purpose};
use crate::time::SimTime;

/// One peer's disk.
///
/// ```text
///   write ──▶ pending ──settle──▶ durable ──restart──▶ what the machine gets
///                └─crash: lost, or the oldest batch torn
/// ```
#[derive(Clone, Debug)]
pub struct DiskModel<R> {
    spec: DiskSpec,
    key: DrawKey,
    peer: PeerId,
    durable: Durable<R>,
    pending: VecDeque<Batch<R>>,
    /// Batches written so far; numbers their draws.
    written: u64,
    /// Crashes and restarts so far; number theirs.
    accidents: u64,
}

#[derive(Clone, Debug)]
struct Batch<R> {
    token: PersistToken,
    writes: Vec<Write<R>>,
    durable_at: SimTime,
}

/// Sets the draws of accidents apart from those of batches.
const ACCIDENT: u64 = 1 << 63;

impl<R: Clone> DiskModel<R> {
    /// The empty disk of `peer`. `key` is the run's key of disk draws.
    pub fn new(spec: DiskSpec, key: DrawKey, peer: PeerId) -> Self {
        Self {
            spec,
            key,
            peer,
            durable: Durable::default(),
            pending: VecDeque::new(),
            written: 0,
            accidents: 0,
        }
    }

    /// Takes a batch at `now`; gives when it is durable, never before the batch written before it.
    pub fn write(&mut self, now: SimTime, token: PersistToken, writes: Vec<Write<R>>) -> SimTime {
        let draw = self.key.own(self.peer, self.written);
        self.written += 1;
        let width = self.spec.fsync_high.saturating_sub(self.spec.fsync_low);
        let jitter = draw.up_to(Purpose::Fsync, width.as_nanos());
        let own = now + self.spec.fsync_low + SimDuration::from_nanos(jitter);
        let durable_at = own.max(self.pending.back().map_or(now, |last| last.durable_at));
        self.pending.push_back(Batch {
            token,
            writes,
            durable_at,
        });
        durable_at
    }

    /// When the oldest pending batch is durable.
    pub fn next_due(&self) -> Option<SimTime> {
        self.pending.front().map(|batch| batch.durable_at)
    }

    /// Makes the oldest batch durable if it is due at `now`; gives its token. To be called until it
    /// gives none.
    pub fn settle(&mut self, now: SimTime) -> Option<PersistToken> {
        self.next_due().filter(|&due| due <= now)?;
        let batch = self.pending.pop_front()?;
        batch
            .writes
            .into_iter()
            .for_each(|write| self.durable.apply(write));
        Some(batch.token)
    }

    /// A crash at `now`: what is due by then is durable, what is not is lost, and the oldest batch
    /// that was not may be torn.
    pub fn crash(&mut self, now: SimTime) {
        while self.settle(now).is_some() {}
        let draw = self.accident();
        if let Some(oldest) = self.pending.pop_front()
            && draw.chance(Purpose::Torn, 0, self.spec.torn)
        {
            self.tear(oldest.writes, draw);
        }
        self.pending.clear();
    }

    /// What the peer finds on its disk when it starts again; may find records corrupted, which then
    /// stay so.
    pub fn restart(&mut self) -> Durable<R> {
        let draw = self.accident();
        let corrupt = self.spec.corrupt;
        let records = self.durable.slots.values_mut().chain(&mut self.durable.log);
        for (round, record) in (0..).zip(records) {
            if draw.chance(Purpose::Corrupt, round, corrupt) {
                *record = Stored::Damaged;
            }
        }
        self.durable.clone()
    }

    /// What is durable by now.
    pub fn durable(&self) -> &Durable<R> {
        &self.durable
    }

    /// Empties the disk.
    pub fn wipe(&mut self) {
        self.pending.clear();
        self.durable = Durable::default();
    }

    /// From now on the disk behaves so; what is pending keeps its times.
    pub fn set_spec(&mut self, spec: DiskSpec) {
        self.spec = spec;
    }

    /// Puts a drawn number of the batch's first writes on disk, at least one, the last of them
    /// damaged. A slot is replaced atomically, so a torn [`Write::Put`] leaves the slot as it was;
    /// what only takes records away has nothing to damage.
    fn tear(&mut self, writes: Vec<Write<R>>, draw: Draw) {
        let others = writes.len().saturating_sub(1) as u64;
        let whole = draw.up_to(Purpose::TornLength, others) as usize;
        for (index, write) in writes.into_iter().take(whole + 1).enumerate() {
            match write {
                Write::Put { .. } if index == whole => {}
                Write::Append { .. } if index == whole => {
                    self.durable.apply(write);
                    if let Some(last) = self.durable.log.last_mut() {
                        *last = Stored::Damaged;
                    }
                }
                Write::Append { .. }
                | Write::TruncateFrom { .. }
                | Write::CompactBelow { .. }
                | Write::Put { .. } => self.durable.apply(write),
            }
        }
    }

    fn accident(&mut self) -> Draw {
        self.accidents += 1;
        self.key.own(self.peer, ACCIDENT | self.accidents)
    }
}
