//! A client: finds the leader, opens a session, and runs each operation exactly once (paper 8;
//! dissertation 6). Must not know the log.
//!
//! ```text
//! operation ─▶ register ─▶ request ─▶ done ─▶ ok
//!                 ▲           │ not leader, busy, silence: ask again, another server
//!                 └─ expired ─┘ (outcome unknown)
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Ctx;
use super::apply::fail;
use super::command::{Command, Operation, Shared};
use super::config::RaftConfig;
use super::event::RaftEvent;
use super::message::{Answer, RaftMessage, RaftReply, RaftTimer};
use super::rules::Rules;
use crate::outbox::RequestId;
use crate::peer::PeerId;
use crate::time::LocalTime;

/// The serial under which a registration is timed.
const REGISTRATION: u64 = 0;

/// An operation not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    request: RequestId,
    operation: Operation,
    /// What was sent, and sent again unchanged; `None` until there is a session.
    command: Option<Shared<Command>>,
    /// Whom it was sent to last.
    asked: PeerId,
    /// When it was asked for.
    since: LocalTime,
}

/// A Raft client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RaftClient {
    config: Arc<RaftConfig>,
    servers: Vec<PeerId>,
    /// Who is believed to lead.
    target: PeerId,
    session: Option<u64>,
    /// The registration that is under way.
    registering: Option<u64>,
    next_serial: u64,
    open: BTreeMap<u64, Open>,
}

impl RaftClient {
    /// A client of these servers; it asks the first one first.
    ///
    /// # Panics
    /// If there are no servers.
    pub fn new(config: Arc<RaftConfig>, servers: Vec<PeerId>) -> Self {
        let target = *servers.first().expect("BUG: a client without servers");
        Self {
            config,
            servers,
            target,
            session: None,
            registering: None,
            next_serial: 1,
            open: BTreeMap::new(),
        }
    }

    /// How many operations are not answered yet.
    pub fn open_operations(&self) -> usize {
        self.open.len()
    }

    /// Its session, once it has one.
    pub fn session(&self) -> Option<u64> {
        self.session
    }

    pub(super) fn on_operate<R: Rules>(
        &mut self,
        request: RequestId,
        operation: Operation,
        ctx: &mut Ctx<'_, R>,
    ) {
        let serial = self.next_serial;
        self.next_serial += 1;
        let open = Open {
            request,
            operation,
            command: None,
            asked: self.target,
            since: ctx.now(),
        };
        self.open.insert(serial, open);
        if self.session.is_some() {
            return self.send(serial, ctx);
        }
        ctx.set_timer(RaftTimer::GiveUp { serial }, self.config.client_give_up);
        if self.registering.is_none() {
            self.register(ctx);
        }
    }

    /// Asks for a session; without sessions a random name takes its place.
    fn register<R: Rules>(&mut self, ctx: &mut Ctx<'_, R>) {
        let nonce = ctx.rng().below(u64::MAX - 1) + 1;
        if !self.config.sessions {
            self.session = Some(nonce);
            return self.send_unsent(ctx);
        }
        self.registering = Some(nonce);
        self.send_registration(nonce, ctx);
    }

    fn send_registration<R: Rules>(&self, nonce: u64, ctx: &mut Ctx<'_, R>) {
        let serial = REGISTRATION;
        ctx.set_timer(RaftTimer::Retry { serial }, self.config.client_retry);
        ctx.send(self.target, RaftMessage::Register { nonce });
    }

    fn send<R: Rules>(&mut self, serial: u64, ctx: &mut Ctx<'_, R>) {
        let first = self.open.keys().next().copied().unwrap_or(serial);
        let (Some(client), Some(open)) = (self.session, self.open.get_mut(&serial)) else {
            return;
        };
        let command = open.command.get_or_insert_with(|| {
            Shared::new(Command {
                client,
                serial,
                answered_below: first,
                operation: open.operation.clone(),
            })
        });
        open.asked = self.target;
        let left = self.config.client_give_up - ctx.now().since(open.since);
        let patience = self.config.client_retry.min(left);
        ctx.set_timer(RaftTimer::Retry { serial }, patience);
        let command = command.clone();
        ctx.send(self.target, RaftMessage::Request { command });
    }

    fn send_unsent<R: Rules>(&mut self, ctx: &mut Ctx<'_, R>) {
        let unsent = self.open.iter().filter(|(_, open)| open.command.is_none());
        let unsent: Vec<u64> = unsent.map(|(serial, _)| *serial).collect();
        for serial in unsent {
            self.send(serial, ctx);
        }
    }

    /// Turns away from `asked`, if it is still the target.
    fn turn_from(&mut self, asked: PeerId) {
        if self.target == asked {
            let at = self.servers.iter().position(|peer| *peer == asked);
            let next = at.map_or(0, |at| (at + 1) % self.servers.len());
            self.target = self.servers[next];
        }
    }

    pub(super) fn on_registered<R: Rules>(
        &mut self,
        nonce: u64,
        client: u64,
        ctx: &mut Ctx<'_, R>,
    ) {
        if self.registering != Some(nonce) {
            return reject("session-unasked", ctx);
        }
        let serial = REGISTRATION;
        ctx.cancel_timer(RaftTimer::Retry { serial });
        self.registering = None;
        self.session = Some(client);
        self.send_unsent(ctx);
    }

    pub(super) fn on_answer<R: Rules>(
        &mut self,
        from: PeerId,
        (client, serial): (u64, u64),
        answer: &Answer,
        ctx: &mut Ctx<'_, R>,
    ) {
        if serial == REGISTRATION {
            return self.on_registration_refused(from, client, answer, ctx);
        }
        if self.session != Some(client) || !self.open.contains_key(&serial) {
            return reject("answer-unasked", ctx);
        }
        match answer {
            Answer::Done { outcome } => {
                let outcome = outcome.clone();
                self.close(serial, RaftReply::Ok { outcome }, ctx);
            }
            Answer::Expired => self.on_expired(ctx),
            Answer::NotLeader { leader } => {
                self.redirect(from, *leader);
                if leader.is_some() {
                    self.send(serial, ctx);
                }
            }
            // The retry timer asks again.
            Answer::Busy => {}
        }
    }

    fn on_registration_refused<R: Rules>(
        &mut self,
        from: PeerId,
        nonce: u64,
        answer: &Answer,
        ctx: &mut Ctx<'_, R>,
    ) {
        if self.registering != Some(nonce) {
            return reject("answer-unasked", ctx);
        }
        match answer {
            Answer::NotLeader { leader } => {
                self.redirect(from, *leader);
                if leader.is_some() {
                    self.send_registration(nonce, ctx);
                }
            }
            Answer::Busy => {}
            Answer::Done { .. } | Answer::Expired => reject("answer-unasked", ctx),
        }
    }

    fn redirect(&mut self, from: PeerId, leader: Option<PeerId>) {
        match leader.filter(|leader| self.servers.contains(leader)) {
            Some(leader) => self.target = leader,
            None => self.turn_from(from),
        }
    }

    /// The session is gone: whether what was sent ran cannot be known, and under another session
    /// it could run twice.
    fn on_expired<R: Rules>(&mut self, ctx: &mut Ctx<'_, R>) {
        self.session = None;
        let sent = self.open.iter().filter(|(_, open)| open.command.is_some());
        let sent: Vec<u64> = sent.map(|(serial, _)| *serial).collect();
        for serial in sent {
            self.close(
                serial,
                undecided(&self.open[&serial], "expired-session"),
                ctx,
            );
        }
        if !self.open.is_empty() {
            self.register(ctx);
        }
    }

    fn close<R: Rules>(&mut self, serial: u64, reply: RaftReply, ctx: &mut Ctx<'_, R>) {
        if let Some(open) = self.open.remove(&serial) {
            ctx.cancel_timer(RaftTimer::Retry { serial });
            ctx.reply(open.request, reply);
        }
    }

    /// No answer for too long: another server may know more.
    pub(super) fn on_retry<R: Rules>(&mut self, serial: u64, ctx: &mut Ctx<'_, R>) {
        if serial == REGISTRATION {
            if let Some(nonce) = self.registering {
                self.turn_from(self.target);
                self.send_registration(nonce, ctx);
            }
            return;
        }
        let Some(open) = self.open.get(&serial) else {
            return;
        };
        if ctx.now().since(open.since) >= self.config.client_give_up {
            return self.on_give_up(serial, ctx);
        }
        self.turn_from(open.asked);
        self.send(serial, ctx);
    }

    /// No answer for far too long. A stale timer finds nothing open.
    pub(super) fn on_give_up<R: Rules>(&mut self, serial: u64, ctx: &mut Ctx<'_, R>) {
        if let Some(open) = self.open.get(&serial) {
            let reply = undecided(open, "timeout");
            self.close(serial, reply, ctx);
        }
    }
}

/// What to say of an operation that was not answered: one that changes nothing, or was never sent,
/// has failed; another may have run or run later.
fn undecided(open: &Open, reason: &'static str) -> RaftReply {
    if open.operation.is_read() || open.command.is_none() {
        fail(reason)
    } else {
        RaftReply::Unknown { reason }
    }
}

fn reject<R: Rules>(reason: &'static str, ctx: &mut Ctx<'_, R>) {
    ctx.notify(RaftEvent::Rejected { reason });
}
