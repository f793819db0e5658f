//! Replication, leader's side: proposals, appends, heartbeats, commitment (paper 5.3, 5.4.2;
//! dissertation 10.2.1). Must not know what entries mean to the store.

use super::Ctx;
use super::durability::Ack;
use super::event::RaftEvent;
use super::leading::{Mode, Origin, Waiting};
use super::message::{Entries, Entry, EntryKind, RaftMessage, RaftTimer};
use super::rules::Rules;
use super::state::{Raft, Role};
use crate::peer::PeerId;
use crate::time::SimDuration;

/// What a follower said when it refused an append.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) round: u64,
    pub(super) prev_index: u64,
    pub(super) hint_index: u64,
    pub(super) hint_term: u64,
}

impl<R: Rules> Raft<R> {
    /// A fresh leader makes itself known to everyone.
    pub(super) fn announce(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.config.term_start_noop {
            self.dispatch(ctx);
        } else {
            self.send_heartbeats(ctx);
            self.flush(None, ctx);
        }
    }

    /// Appends an entry of this term and sees to its replication; `None` if not leader.
    pub(super) fn propose(
        &mut self,
        kind: EntryKind,
        origin: Option<Origin>,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<u64> {
        self.leading.as_ref()?;
        let term = self.term;
        let index = self.append(Entry { term, kind }, ctx);
        let leading = self.leading.as_mut()?;
        if let Some(origin) = origin {
            leading.waiting.push_back(Waiting { index, origin });
        }
        let unsent = index - self.disk.written();
        if self.config.batch_delay.is_zero() || unsent >= u64::from(self.config.batch_entries) {
            self.dispatch(ctx);
        } else if !leading.batching {
            leading.batching = true;
            ctx.set_timer(RaftTimer::Batch, self.config.batch_delay);
        }
        Some(index)
    }

    /// Sends what followers lack, and writes it to the own disk at the same time (dissertation
    /// 10.2.1).
    pub(super) fn dispatch(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = self.leading.as_mut() else {
            return;
        };
        if std::mem::take(&mut leading.batching) {
            ctx.cancel_timer(RaftTimer::Batch);
        }
        for at in 0..leading.progress.len() {
            self.replicate_to_nth(at, ctx);
        }
        self.flush(None, ctx);
    }

    /// Sends one follower as much as its window allows.
    pub(super) fn replicate_to(&mut self, to: PeerId, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = &self.leading else {
            return;
        };
        if let Ok(at) = leading.progress.binary_search_by_key(&to, |p| p.peer) {
            self.replicate_to_nth(at, ctx);
        }
    }

    fn replicate_to_nth(&mut self, at: usize, ctx: &mut Ctx<'_, R>) {
        let (last, base) = (self.log.last_index(), self.log.base().index);
        while let Some(leading) = self.leading.as_mut()
            && let Some(progress) = leading.progress.get(at)
            && progress.may_send(self.config.window)
        {
            let (peer, next) = (progress.peer, progress.next_index);
            if next <= base {
                return self.send_snapshot(peer, ctx);
            }
            if next > last {
                return;
            }
            let entries = leading.cut(&self.log, next, self.config.batch_entries);
            leading.progress[at].sent(next - 1 + entries.as_slice().len() as u64);
            self.send_append(peer, next - 1, entries, ctx);
        }
    }

    fn send_append(&self, to: PeerId, prev_index: u64, entries: Entries, ctx: &mut Ctx<'_, R>) {
        let prev_term = self.log.term_at(prev_index);
        let message = RaftMessage::Append {
            term: self.term,
            prev_index,
            prev_term: prev_term.expect("BUG: an append begins behind the log's base"),
            commit: self.commit,
            round: self.leading.as_ref().map_or(0, |leading| leading.round),
            entries,
        };
        ctx.send(to, message);
    }

    /// The heartbeat interval is over.
    pub(super) fn on_heartbeat_timeout(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.leading.is_none() {
            return;
        }
        ctx.set_timer(RaftTimer::Heartbeat, self.config.heartbeat_interval);
        self.begin_round(ctx);
        self.abort_slow_change(ctx);
    }

    /// Begins a round of heartbeats whose answers confirm reads and leases.
    pub(super) fn begin_round(&mut self, ctx: &mut Ctx<'_, R>) {
        if let Some(leading) = self.leading.as_mut() {
            leading.begin_round(ctx.now());
            self.send_heartbeats(ctx);
        }
    }

    fn send_heartbeats(&mut self, ctx: &mut Ctx<'_, R>) {
        let peers = self.leading.iter().flat_map(|leading| &leading.progress);
        let peers: Vec<PeerId> = peers.map(|progress| progress.peer).collect();
        for peer in peers {
            self.send_heartbeat(peer, ctx);
        }
    }

    /// A heartbeat is an empty append. What has been under way since the last one is sent again.
    fn send_heartbeat(&mut self, to: PeerId, ctx: &mut Ctx<'_, R>) {
        let Some(progress) = self.leading.as_mut().and_then(|l| l.of_mut(to)) else {
            return;
        };
        let was_stale = progress.stale;
        match &mut progress.mode {
            Mode::Probe { waiting } => *waiting = true,
            Mode::Replicate { inflight } => progress.stale = !inflight.is_empty(),
            Mode::Snapshot { .. } => progress.stale = true,
        }
        let again = was_stale && progress.stale;
        let prev_index = progress.heartbeat_prev(&self.log);
        let compacted = progress.next_index <= self.log.base().index;
        match progress.mode {
            Mode::Replicate { .. } if again => {
                progress.become_probe(0);
                self.replicate_to(to, ctx);
            }
            Mode::Snapshot { .. } if again => self.send_chunk(to, ctx),
            Mode::Probe { .. } if compacted => self.send_snapshot(to, ctx),
            Mode::Probe { .. } | Mode::Replicate { .. } | Mode::Snapshot { .. } => {
                self.send_append(to, prev_index, Entries::default(), ctx);
            }
        }
    }

    /// A follower's log equals ours up to `index`, durably.
    pub(super) fn on_append_accepted(
        &mut self,
        from: PeerId,
        (round, index): (u64, u64),
        ctx: &mut Ctx<'_, R>,
    ) {
        let last = self.log.last_index();
        let Some(progress) = self.contact(from, round, ctx) else {
            return;
        };
        if index > last {
            return self.reject("accepted-beyond-log", ctx);
        }
        progress.accepted_round = progress.accepted_round.max(round);
        if progress.accepted(index) {
            if index > self.commit {
                self.commit_what_is_agreed(ctx);
            }
            self.continue_transfer(ctx);
            self.continue_change(ctx);
        }
        self.serve_confirmed_reads(ctx);
        self.replicate_to(from, ctx);
    }

    /// Takes note that a follower answered; `None` if that answer is of no use here.
    pub(super) fn contact(
        &mut self,
        from: PeerId,
        round: u64,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<&mut super::leading::Progress> {
        if self.leading.is_none() {
            self.reject("reply-to-no-leader", ctx);
        }
        let leading = self.leading.as_mut()?;
        let latest = leading.round;
        let progress = leading.of_mut(from)?;
        progress.heard = ctx.now();
        progress.round = progress.round.max(round.min(latest));
        Some(progress)
    }

    /// A follower has not what stands before an append; try further back (paper 5.3).
    pub(super) fn on_append_refused(
        &mut self,
        from: PeerId,
        refusal: Refusal,
        ctx: &mut Ctx<'_, R>,
    ) {
        let Refusal {
            round,
            prev_index,
            hint_index,
            hint_term,
        } = refusal;
        let back = if self.config.term_skip {
            self.log.last_not_above(hint_index, hint_term).index
        } else {
            prev_index.saturating_sub(1)
        };
        let Some(progress) = self.contact(from, round, ctx) else {
            return;
        };
        let stale = match &progress.mode {
            Mode::Probe { .. } => prev_index != progress.next_index - 1,
            Mode::Replicate { .. } => prev_index < progress.match_index,
            Mode::Snapshot { .. } => true,
        };
        // A refusal of what was accepted is late, unless it answers a later round: then the
        // follower's disk lost what it had promised.
        let lost = prev_index <= progress.match_index && round > progress.accepted_round;
        if (stale || prev_index <= progress.match_index) && !lost {
            return self.serve_confirmed_reads(ctx);
        }
        if lost {
            progress.match_index = 0;
        }
        progress.match_index = R::match_after_refusal(progress.match_index, prev_index);
        progress.become_probe(back.min(prev_index.saturating_sub(1)) + 1);
        self.serve_confirmed_reads(ctx);
        self.replicate_to(from, ctx);
    }

    /// Commits what a quorum holds, if it is of this term (paper 5.3, 5.4.2).
    pub(super) fn commit_what_is_agreed(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = &self.leading else {
            return;
        };
        let configuration = self.configuration();
        let own = R::counted_by_leader(self.disk.durable(), self.log.last_index());
        let match_of = |peer| {
            if peer == self.me {
                return own;
            }
            leading.of(peer).map_or(0, |progress| progress.match_index)
        };
        if !R::has_quorum(configuration, &|peer| match_of(peer) > self.commit) {
            return;
        }
        let agreed = R::agreed_value(configuration, &match_of).unwrap_or(0);
        let agreed = agreed.min(self.log.last_index());
        let term = self.log.term_at(agreed).unwrap_or(0);
        if agreed > self.commit && R::may_commit(term, self.term) {
            self.commit_to(agreed, ctx);
            if self.config.eager_commit {
                self.send_heartbeats(ctx);
            }
        }
    }

    /// Steps down if no quorum answered for a shortest election timeout (dissertation 6.2).
    pub(super) fn on_check_quorum_timeout(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = &self.leading else {
            return;
        };
        let now = ctx.now();
        let freshness_of = |peer| {
            let silence = leading.of(peer).map(|progress| now.since(progress.heard));
            u64::MAX - silence.unwrap_or_default().as_nanos()
        };
        let freshness = R::agreed_value(self.configuration(), &freshness_of);
        let silence = SimDuration::from_nanos(u64::MAX - freshness.unwrap_or(u64::MAX));
        let limit = self.config.election_timeout_min;
        if silence < limit {
            return ctx.set_timer(RaftTimer::CheckQuorum, limit - silence);
        }
        ctx.notify(RaftEvent::QuorumLost { term: self.term });
        self.become_follower(self.term, None, ctx);
    }
}

/// What an append says, apart from its entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct AppendHead {
    pub(super) term: u64,
    pub(super) prev_index: u64,
    pub(super) prev_term: u64,
    pub(super) commit: u64,
    pub(super) round: u64,
}

/// The follower's side (paper figure 2, AppendEntries receiver).
impl<R: Rules> Raft<R> {
    /// Follows whoever sends appends or snapshots of a term that is not over; false otherwise.
    pub(super) fn hear_leader(&mut self, from: PeerId, term: u64, ctx: &mut Ctx<'_, R>) -> bool {
        if !R::may_follow(term, self.term) {
            self.reject("stale-leader", ctx);
            return false;
        }
        if self.role == Role::Leader && term == self.term {
            self.reject("second-leader-in-term", ctx);
            return false;
        }
        let new = (term, Role::Follower, Some(from)) != (self.term, self.role, self.leader);
        if new {
            self.become_follower(term.max(self.term), Some(from), ctx);
        }
        self.heard = Some(ctx.now());
        self.reset_election_timer(ctx);
        true
    }

    pub(super) fn on_append(
        &mut self,
        from: PeerId,
        head: AppendHead,
        entries: &[Entry],
        ctx: &mut Ctx<'_, R>,
    ) {
        if !self.hear_leader(from, head.term, ctx) {
            return self.refuse(from, head, ctx);
        }
        let base = self.log.base().index;
        let agrees = R::agrees_at_prev(self.log.term_at(head.prev_index), head.prev_term);
        if !agrees && head.prev_index >= base {
            return self.refuse(from, head, ctx);
        }
        // What lies below the base is committed, so it is the leader's too (leader completeness).
        let known = base.saturating_sub(head.prev_index) as usize;
        let new = entries.get(known..).unwrap_or(&[]);
        let first = head.prev_index.max(base) + 1;
        if !self.merge(first, new, ctx) {
            return;
        }
        let verified = first - 1 + new.len() as u64;
        self.flush(
            Some(Ack {
                to: from,
                term: self.term,
                round: head.round,
                verified,
            }),
            ctx,
        );
        let bound = R::commit_bound(head.commit, verified).min(self.log.last_index());
        if bound > self.commit {
            self.commit_to(bound, ctx);
        }
        self.note_agreement(verified, ctx);
    }

    fn refuse(&self, from: PeerId, head: AppendHead, ctx: &mut Ctx<'_, R>) {
        let hint = self.log.last_not_above(head.prev_index, head.prev_term);
        let message = RaftMessage::AppendRefused {
            term: self.term,
            round: head.round,
            prev_index: head.prev_index,
            hint_index: hint.index,
            hint_term: hint.term,
        };
        ctx.send(from, message);
    }

    /// Takes entries over from index `first` on; only a conflict cuts the log (paper 5.3).
    fn merge(&mut self, first: u64, entries: &[Entry], ctx: &mut Ctx<'_, R>) -> bool {
        for (index, entry) in (first..).zip(entries) {
            if let Some(term) = self.log.term_at(index) {
                if !R::may_truncate(term, entry.term) {
                    continue;
                }
                if index <= self.commit {
                    self.reject("conflict-with-committed", ctx);
                    return false;
                }
                self.truncate_from(index, ctx);
            }
            self.append(entry.clone(), ctx);
        }
        true
    }

    fn truncate_from(&mut self, from: u64, ctx: &mut Ctx<'_, R>) {
        self.log.truncate_from(from);
        self.disk.truncate_from::<R>(from);
        ctx.notify(RaftEvent::Truncated { from });
        self.abandon_configurations_from(from, ctx);
    }
}
