//! Snapshots: taking them, compacting the log, sending them in pieces, taking them over (paper 7,
//! figure 13). Must not know what the state machine holds.

use std::sync::Arc;

use borsh::BorshDeserialize;

use super::Ctx;
use super::command::Shared;
use super::durability::Ack;
use super::event::RaftEvent;
use super::leading::Mode;
use super::log::Log;
use super::message::{Chunk, RaftMessage, RaftRecord, SNAPSHOT_SLOT, Snapshot};
use super::rules::{LogEnd, Rules};
use super::state::Raft;
use super::store::StateMachine;
use crate::outbox::Write;
use crate::peer::PeerId;

/// No honest log gets here; above it, indexes could overflow.
const HIGHEST_INDEX: u64 = u64::MAX / 2;

/// A snapshot that arrives in pieces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Incoming {
    from: PeerId,
    end: LogEnd,
    bytes: Vec<u8>,
}

impl<R: Rules> Raft<R> {
    /// Takes a snapshot if enough was applied since the last one.
    pub(super) fn take_due_snapshot(&mut self, ctx: &mut Ctx<'_, R>) {
        let every = self.config.snapshot_every;
        let last = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.index);
        if every > 0 && self.commit >= last + every {
            self.take_snapshot(ctx);
        }
    }

    /// Replaces what is applied by a snapshot, except for a tail kept for slow followers (paper 7).
    pub(super) fn take_snapshot(&mut self, ctx: &mut Ctx<'_, R>) {
        let index = self.commit;
        let last = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.index);
        let Some(term) = self.log.term_at(index).filter(|_| index > last) else {
            return self.reject("nothing-to-snapshot", ctx);
        };
        let as_of = self.configuration_as_of(index);
        let snapshot = Shared::new(Snapshot {
            index,
            term,
            configuration: R::configuration_in_snapshot(as_of, self.configuration()),
            machine: StateMachine {
                store: self.machine.store.clone(),
                sessions: R::sessions_in_snapshot(&self.machine.sessions),
            },
        });
        self.snapshot = Some(snapshot.clone());
        let keep = index.saturating_sub(self.config.snapshot_keep);
        self.log.compact_to(R::may_compact(keep, self.commit));
        let passed = self.configurations.partition_point(|(at, _)| *at <= index);
        self.configurations.drain(..passed.saturating_sub(1));
        self.write_snapshot(snapshot);
        let state = self.machine.store.state_hash();
        ctx.notify(RaftEvent::SnapshotTaken { index, term, state });
    }

    fn write_snapshot(&mut self, snapshot: Shared<Snapshot>) {
        self.disk.also_write(Write::Put {
            slot: SNAPSHOT_SLOT,
            record: RaftRecord::Snapshot { snapshot },
        });
        let below = self.log.first_index();
        self.disk.also_write(Write::CompactBelow { below });
    }

    /// A follower lacks entries that are compacted away: it gets the snapshot instead.
    pub(super) fn send_snapshot(&mut self, to: PeerId, ctx: &mut Ctx<'_, R>) {
        let Some(snapshot) = self.snapshot.clone() else {
            return;
        };
        let Some(bytes) = self.encoded_snapshot(&snapshot) else {
            return;
        };
        let end = LogEnd {
            term: snapshot.term,
            index: snapshot.index,
        };
        if let Some(progress) = self.leading.as_mut().and_then(|l| l.of_mut(to)) {
            let offset = 0;
            progress.mode = Mode::Snapshot { end, bytes, offset };
            progress.stale = false;
        }
        self.send_chunk(to, ctx);
    }

    /// The snapshot's bytes, shared with whoever already receives the same snapshot.
    fn encoded_snapshot(&self, snapshot: &Snapshot) -> Option<Arc<[u8]>> {
        let receivers = self.leading.iter().flat_map(|leading| &leading.progress);
        let shared = receivers
            .into_iter()
            .find_map(|progress| match &progress.mode {
                Mode::Snapshot { end, bytes, .. } if end.index == snapshot.index => {
                    Some(bytes.clone())
                }
                Mode::Snapshot { .. } | Mode::Probe { .. } | Mode::Replicate { .. } => None,
            });
        shared.or_else(|| borsh::to_vec(snapshot).ok().map(Arc::from))
    }

    /// Sends the piece that the follower lacks next.
    pub(super) fn send_chunk(&mut self, to: PeerId, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = &self.leading else {
            return;
        };
        let Some(Mode::Snapshot { end, bytes, offset }) = leading.of(to).map(|p| &p.mode) else {
            return;
        };
        let rest = bytes.get(*offset as usize..).unwrap_or(&[]);
        let length = rest.len().min(self.config.chunk_bytes as usize);
        let chunk = Chunk {
            term: self.term,
            index: end.index,
            last_term: end.term,
            offset: *offset,
            total: bytes.len() as u64,
            round: leading.round,
            bytes: rest[..length].to_vec(),
        };
        let chunk = Box::new(chunk);
        ctx.send(to, RaftMessage::InstallSnapshot { chunk });
    }

    /// A follower has so much of the snapshot.
    pub(super) fn on_snapshot_reply(
        &mut self,
        from: PeerId,
        (round, index, received): (u64, u64, u64),
        ctx: &mut Ctx<'_, R>,
    ) {
        let Some(progress) = self.contact(from, round, ctx) else {
            return;
        };
        match &mut progress.mode {
            Mode::Snapshot { end, bytes, offset }
                if end.index == index && received < bytes.len() as u64 && *offset != received =>
            {
                *offset = received;
                progress.stale = false;
                self.send_chunk(from, ctx);
            }
            Mode::Snapshot { .. } | Mode::Probe { .. } | Mode::Replicate { .. } => {}
        }
        self.serve_confirmed_reads(ctx);
    }

    /// A piece of a snapshot arrives (paper figure 13, receiver).
    pub(super) fn on_install_snapshot(
        &mut self,
        from: PeerId,
        chunk: &Chunk,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (term, round, index) = (self.term, chunk.round, chunk.index);
        if !self.hear_leader(from, chunk.term, ctx) {
            let received = 0;
            let reply = RaftMessage::SnapshotReply {
                term,
                round,
                index,
                received,
            };
            return ctx.send(from, reply);
        }
        if R::snapshot_is_stale(index, self.commit) {
            return self.acknowledge_snapshot(from, round, self.commit, ctx);
        }
        let Some(received) = self.collect(from, chunk) else {
            self.incoming = None;
            return self.reject("malformed-chunk", ctx);
        };
        if received < chunk.total {
            let reply = RaftMessage::SnapshotReply {
                term: self.term,
                round,
                index,
                received,
            };
            return ctx.send(from, reply);
        }
        let bytes = self.incoming.take().map_or(Vec::new(), |i| i.bytes);
        match Snapshot::try_from_slice(&bytes) {
            Ok(snapshot) if (snapshot.index, snapshot.term) == (index, chunk.last_term) => {
                self.install(snapshot, ctx);
                self.acknowledge_snapshot(from, round, index, ctx);
            }
            Ok(_) | Err(_) => self.reject("malformed-snapshot", ctx),
        }
    }

    /// An installed snapshot is acknowledged like entries.
    fn acknowledge_snapshot(
        &mut self,
        to: PeerId,
        round: u64,
        verified: u64,
        ctx: &mut Ctx<'_, R>,
    ) {
        let term = self.term;
        let ack = Ack {
            to,
            term,
            round,
            verified,
        };
        self.flush(Some(ack), ctx);
        self.note_agreement(verified, ctx);
    }

    /// Puts a piece where it belongs; how many bytes are there without a gap.
    fn collect(&mut self, from: PeerId, chunk: &Chunk) -> Option<u64> {
        let end = LogEnd {
            term: chunk.last_term,
            index: chunk.index,
        };
        let same = |i: &Incoming| i.from == from && i.end == end;
        if !self.incoming.as_ref().is_some_and(same) {
            let bytes = Vec::new();
            self.incoming = Some(Incoming { from, end, bytes });
        }
        let bytes = &mut self.incoming.as_mut()?.bytes;
        if chunk.offset == bytes.len() as u64 {
            bytes.extend_from_slice(&chunk.bytes);
        }
        let received = bytes.len() as u64;
        (received <= chunk.total && chunk.index <= HIGHEST_INDEX).then_some(received)
    }

    /// Takes a snapshot over. If the log holds its last entry, it only says what is committed.
    fn install(&mut self, snapshot: Snapshot, ctx: &mut Ctx<'_, R>) {
        let (index, term) = (snapshot.index, snapshot.term);
        if R::keeps_tail(self.log.term_at(index), term) && index <= self.log.last_index() {
            return self.commit_to(index, ctx);
        }
        let state = snapshot.machine.store.state_hash();
        self.log = Log::behind(LogEnd { term, index });
        self.disk.restart_at(index);
        self.disk.also_write(Write::TruncateFrom { from: 0 });
        self.commit = index;
        self.machine = snapshot.machine.clone();
        self.configurations = vec![(index, snapshot.configuration.clone())];
        let snapshot = Shared::new(snapshot);
        self.snapshot = Some(snapshot.clone());
        self.write_snapshot(snapshot);
        let last = self.log.last_index();
        ctx.notify(RaftEvent::SnapshotInstalled {
            index,
            term,
            state,
            last,
        });
        self.enforce_configuration(ctx);
        self.serve_forwarded_reads(ctx);
    }
}
