//! What is on disk, what is on its way there, and what a restart makes of what it finds.
//!
//! Writes may complete late and in any order. A server counts its log as durable only as far as
//! all earlier writes have completed too, and a completion says nothing about entries that were
//! overwritten meanwhile. Must not know what the entries mean.

use std::collections::VecDeque;

use super::Ctx;
use super::command::Shared;
use super::event::RaftEvent;
use super::log::Log;
use super::message::{
    Entry, EntryKind, HardState, RaftMessage, RaftRecord, SNAPSHOT_SLOT, STATE_SLOT, Snapshot,
};
use super::rules::{LogEnd, Rules};
use super::state::{Raft, Role};
use crate::fold::Folder;
use crate::outbox::{PersistToken, Write};
use crate::peer::PeerId;
use crate::protocol::{Durable, Stored};

/// An acknowledgement that waits for a write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ack {
    pub(super) to: PeerId,
    pub(super) term: u64,
    pub(super) round: u64,
    /// How far the log equals the leader's.
    pub(super) verified: u64,
}

/// A write under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    token: PersistToken,
    done: bool,
    /// The log is durable up to here once this write and all before it are.
    upto: u64,
    /// The vote that this write makes durable.
    vote: (u64, Option<PeerId>),
    ack: Option<Ack>,
}

/// A server's view of its own disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Disk {
    pending: VecDeque<Pending>,
    next_token: u64,
    /// The log up to here was handed to the disk.
    written: u64,
    /// The log up to here is on disk, as it stands in memory; `durable <= written`.
    durable: u64,
    /// The state handed to the disk last.
    saved: HardState,
    /// The durable vote reported last.
    reported_vote: (u64, Option<PeerId>),
    /// Writes that do not follow from log and state: snapshots and compaction.
    extra: Vec<Write<RaftRecord>>,
}

impl Disk {
    pub(super) fn with_durable(durable: u64) -> Self {
        Self {
            durable,
            ..Self::default()
        }
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    /// Takes note that the log was cut before `from`.
    pub(super) fn truncate_from<R: Rules>(&mut self, from: u64) {
        self.written = self.written.min(from - 1);
        self.durable = R::durable_after_truncation(self.durable, from);
        for pending in &mut self.pending {
            pending.upto = R::durable_after_truncation(pending.upto, from);
        }
    }

    /// Takes note that a snapshot up to `index` stands in place of the whole log.
    pub(super) fn restart_at(&mut self, index: u64) {
        self.pending.iter_mut().for_each(|pending| pending.upto = 0);
        self.written = index;
        self.durable = 0;
    }

    /// Takes note that the disk is empty, whatever the log holds.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How far the log was handed to the disk.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn also_write(&mut self, write: Write<RaftRecord>) {
        self.extra.push(write);
    }

    fn complete(&mut self, token: PersistToken) -> Option<(u64, Option<PeerId>)> {
        let pending = self.pending.iter_mut().find(|p| p.token == token)?;
        pending.done = true;
        Some(pending.vote)
    }

    /// The next write, in order, that is complete with all before it.
    fn next_complete(&mut self) -> Option<Pending> {
        self.pending.front().filter(|pending| pending.done)?;
        let pending = self.pending.pop_front()?;
        self.durable = self.durable.max(pending.upto);
        Some(pending)
    }

    fn vote_under_way(&self, vote: (u64, Option<PeerId>)) -> bool {
        self.pending
            .iter()
            .any(|pending| !pending.done && pending.vote == vote)
    }
}

impl<R: Rules> Raft<R> {
    fn hard_state(&self) -> HardState {
        HardState {
            term: self.term,
            vote: self.vote,
            tail: self.log.last_index(),
            repair: self.repair,
        }
    }

    /// Writes whatever is not on its way to disk yet, and then acknowledges.
    pub(super) fn flush(&mut self, ack: Option<Ack>, ctx: &mut Ctx<'_, R>) {
        let state = self.hard_state();
        let clean = state == self.disk.saved && self.disk.extra.is_empty();
        if clean && self.disk.written == self.log.last_index() {
            if let Some(ack) = ack {
                self.acknowledge(&ack, ctx);
            }
            return;
        }
        if let Some(ack) = ack.as_ref().filter(|_| !R::append_waits_for_disk()) {
            self.acknowledge(ack, ctx);
        }
        self.write(state, ack.filter(|_| R::append_waits_for_disk()), ctx);
    }

    /// Writes what a vote needs: that it leaves behind this write is up to the driver.
    pub(super) fn flush_vote(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.disk.vote_under_way((self.term, self.vote)) {
            self.write(self.hard_state(), None, ctx);
        } else {
            self.flush(None, ctx);
        }
    }

    fn write(&mut self, state: HardState, ack: Option<Ack>, ctx: &mut Ctx<'_, R>) {
        let mut writes = std::mem::take(&mut self.disk.extra);
        let entries = self.log.iter_from(self.disk.written + 1);
        writes.extend(entries.map(|(index, entry)| Write::Append {
            index,
            record: RaftRecord::Entry {
                entry: entry.clone(),
            },
        }));
        writes.push(Write::Put {
            slot: STATE_SLOT,
            record: RaftRecord::State { state },
        });
        let token = PersistToken(self.disk.next_token);
        self.disk.next_token += 1;
        self.disk.written = self.log.last_index();
        self.disk.saved = state;
        self.disk.pending.push_back(Pending {
            token,
            done: false,
            upto: self.log.last_index(),
            vote: (state.term, state.vote),
            ack,
        });
        ctx.persist(token, writes);
    }

    /// Tells a leader how far the log is its own and safe; says nothing in another term.
    pub(super) fn acknowledge(&self, ack: &Ack, ctx: &mut Ctx<'_, R>) {
        if ack.term != self.term || self.role != Role::Follower {
            return;
        }
        let message = RaftMessage::AppendAccepted {
            term: self.term,
            round: ack.round,
            index: R::may_acknowledge(ack.verified, self.disk.durable),
        };
        ctx.send(ack.to, message);
    }

    /// The writes of `token` are durable.
    pub(super) fn on_persisted(&mut self, token: PersistToken, ctx: &mut Ctx<'_, R>) {
        let Some(vote) = self.disk.complete(token) else {
            return self.reject("unknown-persist-token", ctx);
        };
        self.report_vote(vote, ctx);
        if self.role == Role::Candidate && vote == (self.term, Some(self.me)) {
            self.record_vote(self.me, true, ctx);
        }
        let before = self.disk.durable;
        while let Some(pending) = self.disk.next_complete() {
            if let Some(ack) = pending.ack {
                self.acknowledge(&ack, ctx);
                self.note_agreement(ack.verified, ctx);
            }
        }
        if self.disk.durable > before {
            let index = self.disk.durable;
            ctx.notify(RaftEvent::Durable { index });
            self.commit_what_is_agreed(ctx);
        }
    }

    /// A vote that a crash could still undo is not reported.
    fn report_vote(&mut self, vote: (u64, Option<PeerId>), ctx: &mut Ctx<'_, R>) {
        if let (term, Some(candidate)) = vote
            && vote != self.disk.reported_vote
            && term >= self.disk.reported_vote.0
        {
            self.disk.reported_vote = vote;
            ctx.notify(RaftEvent::Voted { term, candidate });
        }
    }

    /// A damaged log is whole again once it agrees with a leader's as far as it had promised.
    pub(super) fn note_agreement(&mut self, verified: u64, ctx: &mut Ctx<'_, R>) {
        if self.repair != 0 && verified.min(self.disk.durable) >= self.repair {
            let upto = std::mem::take(&mut self.repair);
            ctx.notify(RaftEvent::Repaired { upto });
        }
    }

    /// Takes back what the disk kept.
    ///
    /// Records above [`HardState::tail`] were never promised: damage there is a torn write and is
    /// cut off. Damage at or below it is loss, and the server may not vote until a leader has
    /// repaired its log (Alagappan et al. 2018, protocol-aware recovery).
    pub(super) fn recover(&mut self, durable: Durable<RaftRecord>, ctx: &mut Ctx<'_, R>) {
        let state = recover_state(&durable);
        let snapshot = recover_snapshot(&durable);
        let base = snapshot
            .as_ref()
            .map_or(LogEnd::default(), |snapshot| LogEnd {
                term: snapshot.term,
                index: snapshot.index,
            });
        self.log = recover_log(&durable, base);
        self.commit = base.index;
        let found = durable.log_start + durable.log.len() as u64;
        let state = state.unwrap_or(HardState {
            repair: u64::MAX,
            ..HardState::default()
        });
        self.term = R::recovered_term(state.term, self.log.end().term);
        self.vote = R::recovered_vote(state.vote).filter(|_| self.term == state.term);
        self.repair = state.repair;
        if self.log.last_index() < state.tail {
            self.repair = self.repair.max(state.tail);
        }
        self.restore(snapshot, ctx);
        if self.log.last_index() + 1 < found {
            let from = self.log.last_index() + 1;
            self.disk.also_write(Write::TruncateFrom { from });
        }
        self.disk.written = self.log.last_index();
        self.disk.durable = self.log.last_index();
        self.disk.reported_vote = (self.term, self.vote);
        self.report_recovery(ctx);
    }

    fn restore(&mut self, snapshot: Option<Shared<Snapshot>>, ctx: &mut Ctx<'_, R>) {
        if let Some(snapshot) = &snapshot {
            self.machine = snapshot.machine.clone();
            self.configurations = vec![(snapshot.index, snapshot.configuration.clone())];
        }
        self.snapshot = snapshot;
        let standing: Vec<_> = self.log.iter_from(0).filter_map(configuration_of).collect();
        for (index, configuration) in standing {
            self.adopt_configuration(index, configuration, ctx);
        }
    }

    fn report_recovery(&self, ctx: &mut Ctx<'_, R>) {
        ctx.notify(RaftEvent::Recovered {
            term: self.term,
            vote: self.vote,
            snapshot: self.commit,
            last: self.log.last_index(),
        });
        for (index, entry) in self.log.iter_from(0) {
            let (term, digest) = (entry.term, Folder::of(entry));
            ctx.notify(RaftEvent::Appended {
                index,
                term,
                digest,
            });
        }
        if self.repair != 0 {
            ctx.notify(RaftEvent::DamagedLog {
                from: self.log.last_index() + 1,
                upto: self.repair,
            });
        }
    }
}

fn configuration_of(
    (index, entry): (u64, &Entry),
) -> Option<(u64, Shared<super::configuration::Configuration>)> {
    match &entry.kind {
        EntryKind::Configuration { configuration } => Some((index, configuration.clone())),
        EntryKind::Noop | EntryKind::Command { .. } | EntryKind::Register { .. } => None,
    }
}

/// The hard state, or `None` if it is damaged: then nobody knows what was promised.
fn recover_state(durable: &Durable<RaftRecord>) -> Option<HardState> {
    match durable.slots.get(&STATE_SLOT) {
        None => Some(HardState::default()),
        Some(Stored::Intact(RaftRecord::State { state })) => Some(*state),
        Some(Stored::Intact(RaftRecord::Entry { .. } | RaftRecord::Snapshot { .. }))
        | Some(Stored::Damaged) => None,
    }
}

fn recover_snapshot(durable: &Durable<RaftRecord>) -> Option<Shared<Snapshot>> {
    match durable.slots.get(&SNAPSHOT_SLOT)? {
        Stored::Intact(RaftRecord::Snapshot { snapshot }) => Some(snapshot.clone()),
        Stored::Intact(RaftRecord::Entry { .. } | RaftRecord::State { .. }) | Stored::Damaged => {
            None
        }
    }
}

/// The entries that follow `base` without a gap, up to the first damaged one.
fn recover_log(durable: &Durable<RaftRecord>, base: LogEnd) -> Log {
    let mut log = Log::behind(base);
    for (index, stored) in (durable.log_start..).zip(&durable.log) {
        if index <= base.index {
            continue;
        }
        match stored {
            Stored::Intact(RaftRecord::Entry { entry }) if index == log.last_index() + 1 => {
                log.push(entry.clone());
            }
            Stored::Intact(
                RaftRecord::Entry { .. } | RaftRecord::State { .. } | RaftRecord::Snapshot { .. },
            )
            | Stored::Damaged => break,
        }
    }
    log
}
