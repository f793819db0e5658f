//! What only a leader knows: how far each follower is, what clients wait for, which round of
//! heartbeats was confirmed. Must not send anything.

use std::collections::VecDeque;
use std::sync::Arc;

use super::log::Log;
use super::membership::Change;
use super::message::Entries;
use super::reads::PendingRead;
use super::rules::LogEnd;
use crate::outbox::RequestId;
use crate::peer::PeerId;
use crate::time::LocalTime;

/// Rounds whose start is remembered; without a quorum for longer, leases and reads wait anyway.
const ROUNDS_REMEMBERED: usize = 64;

/// How entries reach one follower (etcd's design page has the same three).
///
/// ```text
/// Probe ── accepted ─▶ Replicate ── refused or silent ─▶ Probe
///   └── needs compacted entries ─▶ Snapshot ── caught up ─▶ Replicate
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// Where the logs agree is not known: one append at a time.
    Probe {
        /// An answer is awaited.
        waiting: bool,
    },
    /// Entries flow; the last index of each append under way, oldest first.
    Replicate { inflight: VecDeque<u64> },
    /// A snapshot is under way, its bytes received up to `offset`.
    Snapshot {
        end: LogEnd,
        bytes: Arc<[u8]>,
        offset: u64,
    },
}

/// What a leader knows of one follower.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Progress {
    pub(super) peer: PeerId,
    /// The logs agree up to here, durably at the follower.
    pub(super) match_index: u64,
    /// What to send next; `match_index < next_index`.
    pub(super) next_index: u64,
    pub(super) mode: Mode,
    /// When it answered last.
    pub(super) heard: LocalTime,
    /// The latest round it answered.
    pub(super) round: u64,
    /// The latest round in which it accepted something.
    pub(super) accepted_round: u64,
    /// Nothing has moved since the last heartbeat.
    pub(super) stale: bool,
}

impl Progress {
    pub(super) fn new(peer: PeerId, next_index: u64, now: LocalTime) -> Self {
        Self {
            peer,
            match_index: 0,
            next_index,
            mode: Mode::Probe { waiting: false },
            heard: now,
            round: 0,
            accepted_round: 0,
            stale: false,
        }
    }

    pub(super) fn become_probe(&mut self, next_index: u64) {
        self.mode = Mode::Probe { waiting: false };
        self.next_index = next_index.max(self.match_index + 1);
        self.stale = false;
    }

    pub(super) fn become_replicate(&mut self) {
        self.mode = Mode::Replicate {
            inflight: VecDeque::new(),
        };
        self.next_index = self.match_index + 1;
        self.stale = false;
    }

    /// Whether another append may leave now.
    pub(super) fn may_send(&self, window: u32) -> bool {
        match &self.mode {
            Mode::Probe { waiting } => !waiting,
            Mode::Replicate { inflight } => inflight.len() < window as usize,
            Mode::Snapshot { .. } => false,
        }
    }

    /// Takes note of an append whose last entry is `last`.
    pub(super) fn sent(&mut self, last: u64) {
        match &mut self.mode {
            Mode::Probe { waiting } => *waiting = true,
            Mode::Replicate { inflight } => {
                inflight.push_back(last);
                self.next_index = last + 1;
            }
            Mode::Snapshot { .. } => {}
        }
    }

    /// Takes note that the logs agree up to `index`; true if that is news.
    pub(super) fn accepted(&mut self, index: u64) -> bool {
        let news = index > self.match_index;
        if news {
            self.match_index = index;
            self.next_index = self.next_index.max(index + 1);
            self.stale = false;
        }
        match &mut self.mode {
            Mode::Probe { .. } => self.become_replicate(),
            Mode::Replicate { inflight } => {
                while inflight.front().is_some_and(|last| *last <= index) {
                    inflight.pop_front();
                }
            }
            Mode::Snapshot { end, .. } => {
                if index >= end.index {
                    self.become_replicate();
                }
            }
        }
        news
    }

    /// The entry before a heartbeat: one that the follower has, where one is known to be there,
    /// so that a heartbeat that overtakes an append is not refused.
    pub(super) fn heartbeat_prev(&self, log: &Log) -> u64 {
        let prev = match &self.mode {
            Mode::Probe { .. } => self.next_index - 1,
            Mode::Replicate { .. } => self.match_index,
            Mode::Snapshot { end, .. } => end.index,
        };
        prev.max(log.base().index)
    }
}

/// Who asked for what stands at one index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// A client, over the network.
    Client {
        peer: PeerId,
        client: u64,
        serial: u64,
    },
    /// A client that wants a session.
    Registration { peer: PeerId, nonce: u64 },
    /// A user of this very server.
    Local { request: RequestId },
}

/// Someone waits for the entry at `index` to be applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    pub(super) index: u64,
    pub(super) origin: Origin,
}

/// A leadership transfer under way (dissertation 3.10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Transfer {
    pub(super) to: PeerId,
    pub(super) request: RequestId,
    pub(super) told: bool,
}

/// A leader's volatile state (paper figure 2) and what it does for clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Leading {
    /// All other members of the configurations that may be in force, by slot.
    pub(super) progress: Vec<Progress>,
    /// The first index of this term.
    pub(super) term_start: u64,
    /// The latest round of heartbeats.
    pub(super) round: u64,
    /// When recent rounds began.
    pub(super) rounds: VecDeque<(u64, LocalTime)>,
    /// By index.
    pub(super) waiting: VecDeque<Waiting>,
    /// By the round that must confirm them.
    pub(super) reads: VecDeque<PendingRead>,
    pub(super) transfer: Option<Transfer>,
    /// Somebody may hold an order to stand at once, so no lease of this term is safe any more.
    pub(super) lease_void: bool,
    pub(super) change: Option<Change>,
    /// Peers are followed that the configuration in force leaves out.
    pub(super) has_leavers: bool,
    /// Proposals wait for others to share their append.
    pub(super) batching: bool,
    /// The last slice cut from the log, for the next follower that needs the same.
    pub(super) cut: Option<(u64, u64, Entries)>,
}

impl Leading {
    pub(super) fn new(term_start: u64) -> Self {
        Self {
            progress: Vec::new(),
            term_start,
            round: 0,
            rounds: VecDeque::new(),
            waiting: VecDeque::new(),
            reads: VecDeque::new(),
            transfer: None,
            lease_void: false,
            change: None,
            has_leavers: false,
            batching: false,
            cut: None,
        }
    }

    pub(super) fn of(&self, peer: PeerId) -> Option<&Progress> {
        let at = self.progress.binary_search_by_key(&peer, |p| p.peer).ok()?;
        self.progress.get(at)
    }

    pub(super) fn of_mut(&mut self, peer: PeerId) -> Option<&mut Progress> {
        let at = self.progress.binary_search_by_key(&peer, |p| p.peer).ok()?;
        self.progress.get_mut(at)
    }

    /// Follows exactly these peers, the new ones from `next_index` on.
    pub(super) fn follow(&mut self, members: &[PeerId], next_index: u64, now: LocalTime) {
        self.progress.retain(|p| members.contains(&p.peer));
        for peer in members {
            if self.of(*peer).is_none() {
                self.progress.push(Progress::new(*peer, next_index, now));
                self.progress.sort_unstable_by_key(|p| p.peer);
            }
        }
    }

    pub(super) fn begin_round(&mut self, now: LocalTime) {
        self.round += 1;
        if self.rounds.len() == ROUNDS_REMEMBERED {
            self.rounds.pop_front();
        }
        self.rounds.push_back((self.round, now));
    }

    pub(super) fn round_began(&self, round: u64) -> Option<LocalTime> {
        let found = self.rounds.iter().find(|(number, _)| *number == round);
        found.map(|(_, began)| *began)
    }

    /// Entries from `from` on, cut once for all followers that need the same.
    pub(super) fn cut(&mut self, log: &Log, from: u64, most: u32) -> Entries {
        let last = log.last_index();
        if let Some((start, end, entries)) = &self.cut
            && (*start, *end) == (from, last)
        {
            return entries.clone();
        }
        let entries = log.slice(from, u64::from(most));
        self.cut = Some((from, last, entries.clone()));
        entries
    }

    /// Takes whoever waited for `index` or for one before it that was never answered.
    pub(super) fn take_waiting(&mut self, index: u64) -> Option<Origin> {
        while self.waiting.front().is_some_and(|w| w.index < index) {
            self.waiting.pop_front();
        }
        if self.waiting.front()?.index != index {
            return None;
        }
        self.waiting.pop_front().map(|waiting| waiting.origin)
    }
}
