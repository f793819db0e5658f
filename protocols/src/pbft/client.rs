//! A client (section 4.1): one request at a time, a certificate of equal replies for each.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::fold::Folder;
use crate::outbox::{PersistToken, RequestId, Write};
use crate::protocol::{Durable, Stored};
use crate::signed::Signed;

use super::PbftTimer;
use super::config::PbftConfig;
use super::durability::{CLIENT_SLOT, PbftRecord};
use super::event::{PbftEvent, Reason};
use super::message::{PbftMessage, Reply, Request, StateReply, StateRequest};
use super::numbers::{Timestamp, View};
use super::replica::Ctx;
use super::roster::Roster;
use super::rules::{Paper, Rules};
use super::state_transfer::proves_link;
use super::store::Operation;
use super::votes::Tally;

/// How many timestamps a client sets aside with one write to disk.
const RESERVE: u64 = 1_024;

/// The request that a client waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    id: RequestId,
    request: Signed<Request>,
    /// The last valid reply of each replica.
    replies: Vec<Option<Signed<Reply>>>,
    asked_roster: bool,
}

/// A PBFT client; `R` holds the rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PbftClient<R: Rules = Paper> {
    config: Arc<PbftConfig>,
    roster: Arc<Roster>,
    queue: VecDeque<(RequestId, Operation)>,
    pending: Option<Pending>,
    /// The last timestamp used.
    timestamp: Timestamp,
    /// Timestamps below this one are set aside on disk.
    reserved: Timestamp,
    /// The view that each replica last reported.
    views: Vec<View>,
    writes: u64,
    rules: PhantomData<R>,
}

impl<R: Rules> PbftClient<R> {
    /// A client of the group that `roster` describes.
    pub fn new(config: Arc<PbftConfig>, roster: Arc<Roster>) -> Self {
        Self {
            queue: VecDeque::new(),
            pending: None,
            timestamp: Timestamp::default(),
            reserved: Timestamp::default(),
            views: vec![View::default(); roster.n()],
            writes: 0,
            rules: PhantomData,
            config,
            roster,
        }
    }

    /// The roster as far as the client knows.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// How many operations wait for their turn.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// The view that the client believes current: at least one honest replica reached it.
    pub fn believed_view(&self) -> View {
        let mut views = self.views.clone();
        views.sort_unstable_by(|a, b| b.cmp(a));
        views.get(self.roster.f()).copied().unwrap_or_default()
    }

    /// Begins again; timestamps that may be used up are skipped.
    pub(super) fn on_restart(&mut self, durable: &Durable<PbftRecord>, ctx: &mut Ctx<'_, R>) {
        if let Some(Stored::Intact(PbftRecord::Timestamps { reserved })) =
            durable.slots.get(&CLIENT_SLOT)
        {
            self.timestamp = *reserved;
            self.reserved = *reserved;
        } else if !durable.slots.is_empty() || !self.config.durable {
            // Nothing tells which timestamps are used up, but each took longer than a nanosecond.
            self.timestamp = Timestamp(ctx.now().as_nanos().unsigned_abs());
        }
    }

    /// An operation to carry out; it waits for those before it.
    pub(super) fn on_request(&mut self, id: RequestId, what: Operation, ctx: &mut Ctx<'_, R>) {
        self.queue.push_back((id, what));
        if self.pending.is_none() {
            self.send_next(ctx);
        }
    }

    fn send_next(&mut self, ctx: &mut Ctx<'_, R>) {
        if let Some((id, operation)) = self.queue.pop_front() {
            let read_only = self.config.read_only && operation.is_read();
            self.send_first(id, operation, read_only, ctx);
        }
    }

    fn send_first(
        &mut self,
        id: RequestId,
        operation: Operation,
        read_only: bool,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (client, timestamp) = (ctx.me(), self.next_timestamp(ctx));
        let request = ctx.sign(Request {
            client,
            timestamp,
            operation,
            read_only,
        });
        ctx.notify(PbftEvent::Requested {
            client,
            timestamp,
            request: Folder::of(request.content()),
        });
        self.pending = Some(Pending {
            id,
            request: request.clone(),
            replies: vec![None; self.roster.n()],
            asked_roster: false,
        });
        if read_only || self.config.client_multicasts {
            self.multicast(request, ctx);
        } else {
            let primary = self.roster.primary(self.believed_view());
            if let Some(member) = self.roster.member(primary) {
                ctx.send(member.slot, PbftMessage::Request { request });
            }
        }
        ctx.set_timer(PbftTimer::AskAgain, self.config.client_timeout);
    }

    fn multicast(&self, request: Signed<Request>, ctx: &mut Ctx<'_, R>) {
        ctx.multicast(self.roster.others(None), PbftMessage::Request { request });
    }

    fn next_timestamp(&mut self, ctx: &mut Ctx<'_, R>) -> Timestamp {
        self.timestamp = self.timestamp.next();
        if self.config.durable && self.timestamp >= self.reserved {
            self.reserved = Timestamp(self.timestamp.0.saturating_add(RESERVE));
            self.writes += 1;
            let record = PbftRecord::Timestamps {
                reserved: self.reserved,
            };
            let slot = CLIENT_SLOT;
            ctx.persist(PersistToken(self.writes), vec![Write::Put { slot, record }]);
        }
        self.timestamp
    }

    /// No certificate in time: the request goes to all, a read-only one as an ordered one.
    pub(super) fn on_ask_again(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(pending) = &mut self.pending else {
            return;
        };
        pending.asked_roster = false;
        if pending.request.signer() != ctx.public_key() {
            // Signed by a key of its own that another has replaced.
            pending.request = ctx.sign(pending.request.content().clone());
        }
        let request = pending.request.clone();
        ctx.notify(PbftEvent::Retransmitted {
            client: request.client,
            timestamp: request.timestamp,
        });
        if request.read_only {
            let (id, operation) = (pending.id, request.operation.clone());
            self.send_first(id, operation, false, ctx);
            return;
        }
        self.multicast(request, ctx);
        if ctx.keys().has_others() {
            // Nobody answers a key that another has replaced: that may be what is the matter.
            let request = self.roster_request(ctx);
            ctx.multicast(
                self.roster.others(None),
                PbftMessage::StateRequest { request },
            );
        }
        ctx.set_timer(PbftTimer::AskAgain, self.config.client_timeout);
    }

    fn roster_request(&self, ctx: &mut Ctx<'_, R>) -> Signed<StateRequest> {
        let asker = ctx.me();
        ctx.sign(StateRequest {
            epoch: self.roster.epoch,
            executed: super::numbers::Sequence::default(),
            asker,
            roster_only: true,
        })
    }

    /// One message.
    pub(super) fn on_message(&mut self, message: &PbftMessage, ctx: &mut Ctx<'_, R>) {
        let handled = match message {
            PbftMessage::Reply { reply } => self.on_reply(reply, ctx),
            PbftMessage::StateReply { reply } => self.on_rosters(reply, ctx),
            PbftMessage::Request { .. }
            | PbftMessage::Forward { .. }
            | PbftMessage::PrePrepare { .. }
            | PbftMessage::Prepare { .. }
            | PbftMessage::Commit { .. }
            | PbftMessage::Checkpoint { .. }
            | PbftMessage::ViewChange { .. }
            | PbftMessage::NewView { .. }
            | PbftMessage::Status { .. }
            | PbftMessage::CommitProof { .. }
            | PbftMessage::CheckpointProof { .. }
            | PbftMessage::StateRequest { .. } => Err(Reason::NotForMe),
        };
        if let Err(reason) = handled {
            ctx.notify(PbftEvent::Rejected { reason });
        }
    }

    fn on_reply(&mut self, reply: &Signed<Reply>, ctx: &mut Ctx<'_, R>) -> Result<(), Reason> {
        if reply.client != ctx.me() || reply.timestamp > self.timestamp {
            return Err(Reason::UnexpectedReply);
        }
        if reply.epoch > self.roster.epoch {
            self.ask_roster(reply, ctx);
            return Ok(());
        }
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        // Replies beyond the certificate come late as a rule: they are of no use, and no fault.
        if reply.timestamp != pending.request.timestamp {
            return Ok(());
        }
        if !R::is_this_epoch(reply.epoch == self.roster.epoch) {
            return Err(Reason::WrongEpoch);
        }
        if !R::is_member(self.roster.is_key_of(reply.replica, &reply.signer())) {
            return Err(Reason::NotAMember);
        }
        if !R::signature_holds(ctx.verify(reply)) {
            return Err(Reason::BadSignature);
        }
        let (place, view) = (
            pending.replies.get_mut(reply.replica.index()),
            self.views.get_mut(reply.replica.index()),
        );
        let (place, view) = place.zip(view).ok_or(Reason::NotAMember)?;
        *place = Some(reply.clone());
        *view = (*view).max(reply.view);
        self.check_replies(reply, ctx);
        Ok(())
    }

    /// Whether the replies like this one certify its result.
    fn check_replies(&mut self, reply: &Reply, ctx: &mut Ctx<'_, R>) {
        let Some(pending) = &self.pending else {
            return;
        };
        let needed = if self.config.replies_need_quorum() {
            self.roster.quorum()
        } else {
            self.roster.f() + 1
        };
        let held = pending.replies.iter().flatten();
        let like: Vec<&Reply> = held
            .map(Signed::content)
            .filter(|other| is_like(other, reply))
            .collect();
        if R::accepts_result(like.len(), needed) {
            let (votes, tentative) = (like.len(), like.iter().any(|other| other.tentative));
            self.accept(reply, votes, tentative, ctx);
        } else if pending.request.read_only && pending.replies.iter().all(Option::is_some) {
            self.on_ask_again(ctx);
        }
    }

    fn accept(&mut self, reply: &Reply, votes: usize, tentative: bool, ctx: &mut Ctx<'_, R>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        ctx.cancel_timer(PbftTimer::AskAgain);
        ctx.notify(PbftEvent::ReplyAccepted {
            client: reply.client,
            timestamp: reply.timestamp,
            outcome: Folder::of(&reply.outcome),
            votes: votes as u64,
            tentative,
            read_only: pending.request.read_only,
        });
        ctx.reply(pending.id, reply.outcome.clone());
        self.send_next(ctx);
    }

    /// Somebody serves in a later epoch: the chain of rosters is asked for, once a timeout.
    fn ask_roster(&mut self, reply: &Signed<Reply>, ctx: &mut Ctx<'_, R>) {
        let member = self.roster.replica_of(&reply.signer());
        let Some(pending) = &mut self.pending else {
            return;
        };
        let Some(member) = member.filter(|_| !pending.asked_roster && ctx.verify(reply)) else {
            return;
        };
        pending.asked_roster = true;
        let request = self.roster_request(ctx);
        if let Some(member) = self.roster.member(member) {
            ctx.send(member.slot, PbftMessage::StateRequest { request });
        }
    }

    /// Follows the chain of rosters as far as it proves itself.
    fn on_rosters(&mut self, reply: &StateReply, ctx: &mut Ctx<'_, R>) -> Result<(), Reason> {
        let known = self.roster.epoch;
        for link in &reply.links {
            if link.roster.epoch <= self.roster.epoch {
                continue;
            }
            let mut tally = Tally::default();
            for vote in &link.certificate.votes {
                let member = self.roster.is_key_of(vote.replica, &vote.signer());
                let same = vote.epoch == self.roster.epoch
                    && vote.sequence == link.certificate.sequence
                    && vote.digest == link.certificate.digest;
                if same && R::is_member(member) && R::signature_holds(ctx.verify(vote)) {
                    tally.add::<R>(vote.replica, vote.digest, ());
                }
            }
            let votes = tally.count::<R>(link.certificate.digest);
            if !proves_link(link, &self.roster) || !R::is_quorum(votes, &self.roster) {
                return Err(Reason::BadState);
            }
            self.adopt(&link.roster, ctx);
        }
        if self.roster.epoch > known {
            self.on_ask_again(ctx);
        }
        Ok(())
    }

    fn adopt(&mut self, roster: &Roster, ctx: &mut Ctx<'_, R>) {
        if let Some(key) = roster.clients.get(&ctx.me()) {
            ctx.keys().take_up(*key);
        }
        self.roster = Arc::new(roster.clone());
        self.views = vec![View::default(); roster.n()];
        if let Some(pending) = &mut self.pending {
            pending.replies = vec![None; roster.n()];
        }
    }
}

/// Whether two replies vouch for the same result. Tentative ones do so only within one view: what
/// two views prepared need not be the same history.
fn is_like(one: &Reply, other: &Reply) -> bool {
    let same_view = !one.tentative || !other.tentative || one.view == other.view;
    one.timestamp == other.timestamp && one.outcome == other.outcome && same_view
}
