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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixture::{ms, share};
    use fedsim_protocols::{Probability, RunKey};

    fn at(millis: u64) -> SimTime {
        SimTime::from(ms(millis))
    }

    fn disk(spec: DiskSpec, peer: u32) -> DiskModel<char> {
        let key = DrawKey::new(RunKey::from_seed(2), "disks");
        DiskModel::new(spec, key, PeerId(peer))
    }

    fn fsync(low: u64, high: u64) -> DiskSpec {
        DiskSpec {
            fsync_low: ms(low),
            fsync_high: ms(high),
            torn: Probability::ZERO,
            corrupt: Probability::ZERO,
        }
    }

    fn append(index: u64, record: char) -> Write<char> {
        Write::Append { index, record }
    }

    fn log(durable: &Durable<char>) -> String {
        let letter = |stored: &Stored<char>| match stored {
            Stored::Intact(letter) => *letter,
            Stored::Damaged => '#',
        };
        durable.log.iter().map(letter).collect()
    }

    #[test]
    fn a_batch_is_durable_after_its_delay_and_not_before() {
        let mut disk = disk(fsync(5, 5), 0);
        assert_eq!(
            disk.write(at(10), PersistToken(1), vec![append(0, 'a')]),
            at(15)
        );
        assert_eq!(disk.settle(at(14)), None);
        assert_eq!(log(disk.durable()), "");
        assert_eq!(disk.settle(at(15)), Some(PersistToken(1)));
        assert_eq!(log(disk.durable()), "a");
        assert_eq!(disk.next_due(), None);
    }

    #[test]
    fn batches_become_durable_in_the_order_in_which_they_were_written() {
        // Delays of 1 to 50 ms for batches a millisecond apart would often cross; the moments must
        // ascend, and both ends of the range must be met among 1,000.
        let mut disk = disk(fsync(1, 50), 0);
        let written = (0..1_000).map(|n| disk.write(at(n), PersistToken(n), Vec::new()));
        let due: Vec<SimTime> = written.collect();
        assert!(due.is_sorted());
        assert!(
            (0..)
                .zip(&due)
                .all(|(n, &due)| due >= at(n + 1) && due <= at(n + 50))
        );
        let tokens: Vec<u64> = std::iter::from_fn(|| disk.settle(SimTime::NEVER))
            .map(|token| token.0)
            .collect();
        assert_eq!(tokens, (0..1_000).collect::<Vec<u64>>());
    }

    #[test]
    fn a_disk_without_delay_is_durable_at_once() {
        let mut disk = disk(fsync(0, 0), 0);
        assert_eq!(
            disk.write(at(3), PersistToken(1), vec![append(0, 'a')]),
            at(3)
        );
        assert_eq!(disk.settle(at(3)), Some(PersistToken(1)));
    }

    #[test]
    fn a_crash_keeps_what_was_due_and_loses_the_rest_whole() {
        // Durable at 5 and 9 ms; the crash at 7 comes between, and no token of the lost batch may
        // come up later.
        let mut disk = disk(fsync(5, 5), 0);
        disk.write(at(0), PersistToken(1), vec![append(0, 'a')]);
        disk.write(at(4), PersistToken(2), vec![append(1, 'b')]);
        disk.crash(at(7));
        assert_eq!(log(&disk.restart()), "a");
        assert_eq!(disk.settle(SimTime::NEVER), None);
    }

    #[test]
    fn a_torn_batch_leaves_a_beginning_whose_last_record_is_damaged() {
        // Over 400 disks each of the four lengths of "bcde" must occur, always damaged at its end,
        // and nothing of the batch behind it.
        let mut found = std::collections::BTreeSet::new();
        for peer in 0..400 {
            let mut spec = fsync(5, 5);
            spec.torn = Probability::ONE;
            let mut disk = disk(spec, peer);
            disk.write(at(0), PersistToken(1), vec![append(0, 'a')]);
            let batch = (1..)
                .zip("bcde".chars())
                .map(|(index, record)| append(index, record));
            disk.write(at(4), PersistToken(2), batch.collect());
            disk.write(at(5), PersistToken(3), vec![append(5, 'f')]);
            disk.crash(at(6));
            found.insert(log(&disk.restart()));
        }
        assert_eq!(Vec::from_iter(found), ["a#", "ab#", "abc#", "abcd#"]);
    }

    #[test]
    fn a_torn_slot_is_the_old_one() {
        // Slots are replaced atomically: a crash in between leaves the old record, never a damaged
        // one.
        let mut spec = fsync(5, 5);
        spec.torn = Probability::ONE;
        let mut disk = disk(spec, 0);
        let put = |record| vec![Write::Put { slot: 1, record }];
        disk.write(at(0), PersistToken(1), put('a'));
        disk.write(at(4), PersistToken(2), put('b'));
        disk.crash(at(6));
        assert_eq!(disk.restart().slots[&1], Stored::Intact('a'));
    }

    #[test]
    fn tearing_and_corruption_happen_as_often_as_stated_and_stay() {
        // 20,000 crashes and 20,000 records: both shares within four standard errors, and a second
        // restart without corruption must find the same records damaged.
        let (mut torn, mut damaged) = (0, 0);
        for peer in 0..20_000 {
            let mut spec = fsync(5, 5);
            spec.torn = share(0.3);
            spec.corrupt = share(0.1);
            let mut disk = disk(spec, peer);
            disk.write(at(0), PersistToken(1), vec![append(0, 'a')]);
            disk.write(at(4), PersistToken(2), vec![append(1, 'b')]);
            disk.crash(at(6));
            let after = disk.restart();
            torn += usize::from(after.log.len() == 2);
            damaged += usize::from(after.log[0] == Stored::Damaged);
            disk.set_spec(fsync(0, 0));
            assert_eq!(disk.restart(), after);
        }
        let near = |found: usize, p: f64| {
            (found as f64 / 20_000.0 - p).abs() < 4.0 * (p * (1.0 - p) / 20_000.0).sqrt()
        };
        assert!(near(torn, 0.3), "{torn}");
        assert!(near(damaged, 0.1), "{damaged}");
    }

    #[test]
    fn a_wiped_disk_is_empty() {
        let mut disk = disk(fsync(0, 0), 0);
        disk.write(at(0), PersistToken(1), vec![append(0, 'a')]);
        disk.settle(at(0));
        disk.write(at(1), PersistToken(2), vec![append(1, 'b')]);
        disk.wipe();
        assert_eq!(disk.restart(), Durable::default());
        assert_eq!(disk.next_due(), None);
    }
}
