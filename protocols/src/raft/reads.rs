//! Linearizable reads without a log entry: ReadIndex, leases, reads at followers (dissertation 6.4).
//! Must not know how commands are applied.

use super::Ctx;
use super::apply::fail;
use super::config::ReadMode;
use super::event::RaftEvent;
use super::leading::Origin;
use super::message::{Answer, RaftMessage};
use super::rules::Rules;
use super::state::{Raft, take_up_to};
use crate::outbox::RequestId;
use crate::peer::PeerId;

/// Reads that followers handed on and that are not answered yet; above it the oldest are dropped.
const FORWARDED_READS: usize = 65_536;

/// Who reads what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reader {
    pub(super) origin: Origin,
    pub(super) key: u64,
}

/// For whom a leader fixes a read index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReadFor {
    /// Its own reader.
    Here(Reader),
    /// A follower's.
    Follower { peer: PeerId, ticket: u64 },
}

/// A read that waits for a round of heartbeats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PendingRead {
    pub(super) reader: ReadFor,
    /// The commit index when it arrived, `None` while the leader does not know what is committed.
    index: Option<u64>,
    /// The round that must be confirmed: the first that began after it arrived.
    round: u64,
}

/// A read handed to the leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ForwardedRead {
    reader: Reader,
    /// What must be applied, once the leader has said.
    index: Option<u64>,
}

impl<R: Rules> Raft<R> {
    /// A client or user reads.
    pub(super) fn on_read(&mut self, reader: Reader, ctx: &mut Ctx<'_, R>) {
        if self.config.reads == ReadMode::Local {
            return self.serve(reader, ctx);
        }
        if self.leading.is_some() {
            return self.begin_read(ReadFor::Here(reader), ctx);
        }
        match self.leader {
            Some(leader) if self.config.follower_reads => self.forward(leader, reader, ctx),
            leader => self.answer(reader.origin, Answer::NotLeader { leader }, ctx),
        }
    }

    fn forward(&mut self, leader: PeerId, reader: Reader, ctx: &mut Ctx<'_, R>) {
        let (term, ticket) = (self.term, self.next_ticket);
        self.next_ticket += 1;
        let index = None;
        self.forwarded
            .insert(ticket, ForwardedRead { reader, index });
        if self.forwarded.len() > FORWARDED_READS {
            self.forwarded.pop_first();
        }
        ctx.send(leader, RaftMessage::ReadIndex { term, ticket });
    }

    /// A follower asks for a read index.
    pub(super) fn on_read_index(&mut self, peer: PeerId, ticket: u64, ctx: &mut Ctx<'_, R>) {
        if self.leading.is_none() {
            return self.reject("read-index-at-no-leader", ctx);
        }
        self.begin_read(ReadFor::Follower { peer, ticket }, ctx);
    }

    /// Fixes the read index and sees to it that this server still leads (dissertation 6.4, steps 1
    /// to 3).
    fn begin_read(&mut self, reader: ReadFor, ctx: &mut Ctx<'_, R>) {
        let commit = self.commit;
        let leased = self.has_lease(ctx);
        let Some(leading) = self.leading.as_mut() else {
            return;
        };
        let knows = R::may_read(commit, leading.term_start);
        if knows && (leased || !R::read_needs_round()) {
            return self.finish_read(reader, commit, ctx);
        }
        let quiet = leading.reads.is_empty();
        leading.reads.push_back(PendingRead {
            reader,
            index: knows.then_some(commit),
            round: leading.round + 1,
        });
        if quiet {
            self.begin_round(ctx);
            self.serve_confirmed_reads(ctx);
        }
    }

    /// Reads that came before anything of this term was committed get their index now: it is what
    /// is known to be committed, and not below what was when they came.
    pub(super) fn admit_early_reads(&mut self, ctx: &mut Ctx<'_, R>) {
        let commit = self.commit;
        let Some(leading) = self.leading.as_mut() else {
            return;
        };
        if leading.reads.is_empty() || !R::may_read(commit, leading.term_start) {
            return;
        }
        for read in &mut leading.reads {
            read.index.get_or_insert(commit);
        }
        self.serve_confirmed_reads(ctx);
    }

    /// Answers the reads whose round a quorum has answered.
    pub(super) fn serve_confirmed_reads(&mut self, ctx: &mut Ctx<'_, R>) {
        let waits = self.leading.as_ref().is_some_and(|l| !l.reads.is_empty());
        if !waits {
            return;
        }
        let confirmed = self.confirmed_round();
        let Some(leading) = self.leading.as_mut() else {
            return;
        };
        if leading.reads.iter().any(|read| read.index.is_none()) {
            return;
        }
        let served = take_up_to(&mut leading.reads, confirmed, |read| read.round);
        let more = leading.reads.front().map(|read| read.round);
        let round = leading.round;
        let any = !served.is_empty();
        for read in served {
            self.finish_read(read.reader, read.index.unwrap_or(0), ctx);
        }
        if any && more.is_some_and(|wanted| wanted > round) {
            self.begin_round(ctx);
        }
    }

    /// The latest round that a quorum has answered, this server included.
    fn confirmed_round(&self) -> u64 {
        let Some(leading) = &self.leading else {
            return 0;
        };
        let round_of = |peer| {
            if peer == self.me {
                return leading.round;
            }
            leading.of(peer).map_or(0, |progress| progress.round)
        };
        R::agreed_value(self.configuration(), &round_of).unwrap_or(0)
    }

    /// Whether no other leader can have been elected yet (dissertation 6.4.1).
    fn has_lease(&self, ctx: &Ctx<'_, R>) -> bool {
        let Some(leading) = &self.leading else {
            return false;
        };
        if self.config.reads != ReadMode::Lease || leading.lease_void {
            return false;
        }
        let span = R::lease_span(
            self.config.election_timeout_min,
            self.config.clock_drift_ppm,
        );
        leading
            .round_began(self.confirmed_round())
            .is_some_and(|began| ctx.now().since(began) < span)
    }

    fn finish_read(&mut self, reader: ReadFor, index: u64, ctx: &mut Ctx<'_, R>) {
        match reader {
            ReadFor::Here(reader) => self.serve(reader, ctx),
            ReadFor::Follower { peer, ticket } => {
                let term = self.term;
                let message = RaftMessage::ReadIndexReply {
                    term,
                    ticket,
                    index,
                };
                ctx.send(peer, message);
            }
        }
    }

    /// The leader has confirmed a read index.
    pub(super) fn on_read_index_reply(&mut self, ticket: u64, index: u64, ctx: &mut Ctx<'_, R>) {
        match self.forwarded.get_mut(&ticket) {
            Some(read) => read.index = Some(index),
            None => return self.reject("read-index-unasked", ctx),
        }
        self.serve_forwarded_reads(ctx);
    }

    /// Answers handed-on reads whose index is applied here (dissertation 6.4, step 4).
    pub(super) fn serve_forwarded_reads(&mut self, ctx: &mut Ctx<'_, R>) {
        let ready = |read: &ForwardedRead| {
            read.index
                .is_some_and(|index| R::may_serve_read(self.commit, index))
        };
        let ready: Vec<u64> = self
            .forwarded
            .iter()
            .filter(|(_, read)| ready(read))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in ready {
            if let Some(read) = self.forwarded.remove(&ticket) {
                self.serve(read.reader, ctx);
            }
        }
    }

    fn serve(&self, reader: Reader, ctx: &mut Ctx<'_, R>) {
        let (client, serial) = match &reader.origin {
            Origin::Client { client, serial, .. } => (*client, *serial),
            Origin::Registration { nonce, .. } => (*nonce, 0),
            Origin::Local { request } => (0, request.0),
        };
        let index = self.commit;
        ctx.notify(RaftEvent::ReadServed {
            index,
            client,
            serial,
        });
        let outcome = self.machine.store.read(reader.key);
        self.answer_read(reader.origin, Answer::Done { outcome }, ctx);
    }

    fn answer_read(&self, origin: Origin, answer: Answer, ctx: &mut Ctx<'_, R>) {
        match (origin, answer) {
            (Origin::Local { request }, Answer::Done { outcome }) => {
                ctx.reply(request, super::message::RaftReply::Ok { outcome });
            }
            (
                Origin::Client {
                    peer,
                    client,
                    serial,
                },
                answer,
            ) => {
                let message = RaftMessage::Answer {
                    client,
                    serial,
                    answer,
                };
                ctx.send(peer, message);
            }
            (origin, answer) => self.answer(origin, answer, ctx),
        }
    }

    /// No longer leader: a read that waits here is not answered, and changes nothing.
    pub(super) fn disappoint_reader(&self, reader: ReadFor, ctx: &mut Ctx<'_, R>) {
        match reader {
            ReadFor::Here(reader) => match reader.origin {
                Origin::Local { request } => refuse_read(request, ctx),
                Origin::Client { .. } | Origin::Registration { .. } => {
                    let leader = None;
                    self.answer(reader.origin, Answer::NotLeader { leader }, ctx);
                }
            },
            ReadFor::Follower { .. } => {}
        }
    }
}

fn refuse_read<R: Rules>(request: RequestId, ctx: &mut Ctx<'_, R>) {
    ctx.reply(request, fail("leader-changed"));
}
