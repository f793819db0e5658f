//! Elections: timeouts, pre-votes, votes, winning (paper 5.2, 5.4.1; dissertation 4.2.3, 9.6).
//! Must not know how entries are replicated.

use super::Ctx;
use super::event::RaftEvent;
use super::leading::Leading;
use super::message::{Entry, EntryKind, RaftMessage, RaftTimer, VoteKind};
use super::rules::{LogEnd, Rules};
use super::state::{Raft, Role};
use crate::peer::PeerId;

/// What a candidate asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidacy {
    pub(super) term: u64,
    pub(super) end: LogEnd,
    pub(super) kind: VoteKind,
}

impl<R: Rules> Raft<R> {
    /// A server that the latest configuration leaves out may still be the only one that can lead
    /// while that configuration is not committed: with C_old = {0, 3} and C_new = {0} in the log of
    /// 3 alone, 3 refuses 0 its vote for the shorter log (dissertation 4.2.2).
    fn may_campaign(&self) -> bool {
        let committed = self
            .configurations
            .partition_point(|(at, _)| *at <= self.commit);
        let possible = &self.configurations[committed.saturating_sub(1)..];
        R::may_promise(self.repair)
            && possible
                .iter()
                .any(|(_, configuration)| R::may_campaign(configuration, self.me))
    }

    /// No leader was heard for an election timeout (paper 5.2).
    pub(super) fn on_election_timeout(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.role == Role::Leader {
            return;
        }
        self.leader = None;
        if !self.may_campaign() {
            return self.reset_election_timer(ctx);
        }
        if self.config.pre_vote {
            self.become_pre_candidate(ctx);
        } else {
            self.become_candidate(VoteKind::Vote, ctx);
        }
    }

    /// The leader hands over: stand at once, without a pre-vote (dissertation 3.10).
    pub(super) fn on_timeout_now(&mut self, from: PeerId, term: u64, ctx: &mut Ctx<'_, R>) {
        if term != self.term || self.role == Role::Leader || self.leader != Some(from) {
            return self.reject("stale-timeout-now", ctx);
        }
        if !self.may_campaign() {
            return self.reject("timeout-now-to-non-voter", ctx);
        }
        self.become_candidate(VoteKind::Transfer, ctx);
    }

    fn become_pre_candidate(&mut self, ctx: &mut Ctx<'_, R>) {
        self.role = Role::PreCandidate;
        self.votes.clear();
        self.reset_election_timer(ctx);
        ctx.notify(RaftEvent::BecamePreCandidate { term: self.term });
        self.ask_for_votes(R::next_term(self.term), VoteKind::PreVote, ctx);
        self.record_vote(self.me, true, ctx);
    }

    /// Raises the term and votes for itself; that vote counts once it is on disk.
    fn become_candidate(&mut self, kind: VoteKind, ctx: &mut Ctx<'_, R>) {
        self.term = R::next_term(self.term);
        self.vote = Some(self.me);
        self.role = Role::Candidate;
        self.leader = None;
        self.votes.clear();
        self.forwarded.clear();
        self.reset_election_timer(ctx);
        ctx.notify(RaftEvent::BecameCandidate { term: self.term });
        if self.config.overlap_vote_write {
            self.ask_for_votes(self.term, kind, ctx);
            self.flush_vote(ctx);
        } else {
            self.flush_vote(ctx);
            self.ask_for_votes(self.term, kind, ctx);
        }
    }

    /// The end of the log that this server may stand with. If its requests do not wait for its disk,
    /// a crash may take what is not there yet, and votes won with it would still be under way.
    fn end_to_stand_with(&self) -> LogEnd {
        let end = self.log.end();
        let index = R::entries_to_stand_with(
            end.index,
            self.disk.durable(),
            self.config.overlap_vote_write,
        );
        let term = self.log.term_at(index);
        term.map_or(LogEnd::default(), |term| LogEnd { term, index })
    }

    fn ask_for_votes(&self, term: u64, kind: VoteKind, ctx: &mut Ctx<'_, R>) {
        let LogEnd {
            term: last_term,
            index: last_index,
        } = self.end_to_stand_with();
        let others = self.configuration().all_voters();
        let others = others.into_iter().filter(|peer| *peer != self.me);
        let message = RaftMessage::RequestVote {
            term,
            last_index,
            last_term,
            kind,
        };
        ctx.multicast(others, message);
    }

    /// Whether a leader is heard too well to change it (dissertation 4.2.3).
    fn sticks_to_leader(&self, ctx: &Ctx<'_, R>) -> bool {
        let heard = |at| R::is_led(ctx.now().since(at), self.config.election_timeout_min);
        self.config.leader_stickiness
            && (self.role == Role::Leader || self.heard.is_some_and(heard))
    }

    /// A candidate asks (paper figure 2, RequestVote receiver).
    pub(super) fn on_request_vote(&mut self, from: PeerId, asked: Candidacy, ctx: &mut Ctx<'_, R>) {
        if asked.kind != VoteKind::Transfer && self.sticks_to_leader(ctx) {
            return self.reject("vote-while-led", ctx);
        }
        match asked.kind {
            VoteKind::PreVote => self.answer_pre_vote(from, asked, ctx),
            VoteKind::Vote | VoteKind::Transfer => self.answer_vote(from, asked, ctx),
        }
    }

    fn answer_pre_vote(&self, from: PeerId, asked: Candidacy, ctx: &mut Ctx<'_, R>) {
        let granted = asked.term > self.term
            && R::may_promise(self.repair)
            && R::log_is_up_to_date(asked.end, self.log.end());
        let reply = RaftMessage::VoteReply {
            term: if granted { asked.term } else { self.term },
            pre: true,
            granted,
        };
        ctx.send(from, reply);
    }

    fn answer_vote(&mut self, from: PeerId, asked: Candidacy, ctx: &mut Ctx<'_, R>) {
        if R::must_step_down(asked.term, self.term) {
            self.become_follower(asked.term, None, ctx);
        }
        let granted = asked.term == self.term
            && R::may_promise(self.repair)
            && R::may_vote(self.vote, from)
            && R::log_is_up_to_date(asked.end, self.log.end());
        let reply = RaftMessage::VoteReply {
            term: self.term,
            pre: false,
            granted,
        };
        if !granted {
            return ctx.send(from, reply);
        }
        self.vote = Some(from);
        self.reset_election_timer(ctx);
        if R::vote_waits_for_disk() {
            self.flush_vote(ctx);
            ctx.send(from, reply);
        } else {
            ctx.send(from, reply);
            self.flush_vote(ctx);
        }
    }

    /// A voter answers.
    pub(super) fn on_vote_reply(
        &mut self,
        from: PeerId,
        term: u64,
        (pre, granted): (bool, bool),
        ctx: &mut Ctx<'_, R>,
    ) {
        // A pre-vote is granted for the term that the candidate does not have yet.
        if !(pre && granted) && R::must_step_down(term, self.term) {
            return self.become_follower(term, None, ctx);
        }
        let expected = match (self.role, pre, granted) {
            (Role::PreCandidate, true, true) => R::next_term(self.term),
            (Role::PreCandidate, true, false) | (Role::Candidate, false, _) => self.term,
            (Role::Follower | Role::PreCandidate | Role::Candidate | Role::Leader, _, _) => {
                return self.reject("vote-reply-unasked", ctx);
            }
        };
        // A pre-vote may be refused by a voter of a lower term: its log is longer.
        let refused_below = pre && !granted && term < self.term;
        if !refused_below && !R::vote_counts(term, expected) {
            return self.reject("vote-reply-of-other-term", ctx);
        }
        self.record_vote(from, granted, ctx);
    }

    /// Counts one vote and draws the conclusion: won, lost, or not yet decided (paper 5.2).
    pub(super) fn record_vote(&mut self, from: PeerId, granted: bool, ctx: &mut Ctx<'_, R>) {
        if !self.votes.iter().any(|(voter, _)| *voter == from) {
            self.votes.push((from, granted));
        }
        let vote_of = |peer| self.votes.iter().find(|(voter, _)| *voter == peer);
        let configuration = self.configuration();
        let won = R::has_quorum(configuration, &|peer| {
            vote_of(peer).is_some_and(|vote| vote.1)
        }) && R::may_win(vote_of(self.me).is_some());
        let lost = !R::has_quorum(configuration, &|peer| {
            vote_of(peer).is_none_or(|vote| vote.1)
        });
        match self.role {
            Role::PreCandidate if won => self.become_candidate(VoteKind::Vote, ctx),
            Role::Candidate if won => self.become_leader(ctx),
            Role::PreCandidate | Role::Candidate if lost => {
                self.become_follower(self.term, None, ctx);
            }
            Role::Follower | Role::PreCandidate | Role::Candidate | Role::Leader => {}
        }
    }

    /// Leads: says so at once and begins the term with an entry of its own (paper 5.2, 8).
    fn become_leader(&mut self, ctx: &mut Ctx<'_, R>) {
        self.role = Role::Leader;
        self.leader = Some(self.me);
        self.heard = None;
        self.votes.clear();
        self.incoming = None;
        let next_index = self.log.last_index() + 1;
        let mut leading = Leading::new(next_index);
        leading.begin_round(ctx.now());
        self.leading = Some(Box::new(leading));
        self.follow_members(next_index, ctx);
        ctx.cancel_timer(RaftTimer::Election);
        ctx.set_timer(RaftTimer::Heartbeat, self.config.heartbeat_interval);
        if self.config.check_quorum {
            ctx.set_timer(RaftTimer::CheckQuorum, self.config.election_timeout_min);
        }
        ctx.notify(RaftEvent::LeaderElected { term: self.term });
        if self.config.term_start_noop {
            let (term, kind) = (self.term, EntryKind::Noop);
            self.append(Entry { term, kind }, ctx);
        }
        self.announce(ctx);
    }
}
