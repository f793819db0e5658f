//! From committed to applied, and from applied to answered (paper 5.3, 8; dissertation 6.3). Must
//! not know how entries came to be committed.

use super::Ctx;
use super::command::{Command, Operation, Outcome, Shared};
use super::config::ReadMode;
use super::event::RaftEvent;
use super::leading::{Leading, Origin};
use super::membership::Change;
use super::message::{Answer, Entry, EntryKind, RaftMessage, RaftReply};
use super::reads::Reader;
use super::rules::Rules;
use super::state::Raft;
use super::store::{Applied, Duplicate};
use crate::fold::Folder;
use crate::outbox::RequestId;
use crate::peer::PeerId;

impl<R: Rules> Raft<R> {
    /// Commits up to `index`, which is in the log, and does all that follows from it.
    pub(super) fn commit_to(&mut self, index: u64, ctx: &mut Ctx<'_, R>) {
        let first = self.commit + 1;
        if let Some(entry) = self.log.get(index) {
            let (term, digest) = (entry.term, Folder::of(entry));
            ctx.notify(RaftEvent::Committed {
                first,
                index,
                term,
                digest,
            });
        }
        for index in first..=index {
            let Some(entry) = self.log.get(index).cloned() else {
                break;
            };
            self.commit = index;
            self.apply(index, &entry, ctx);
        }
        self.after_commit(ctx);
    }

    fn after_commit(&mut self, ctx: &mut Ctx<'_, R>) {
        self.serve_forwarded_reads(ctx);
        self.admit_early_reads(ctx);
        self.take_due_snapshot(ctx);
        self.continue_change(ctx);
    }

    fn apply(&mut self, index: u64, entry: &Entry, ctx: &mut Ctx<'_, R>) {
        match &entry.kind {
            EntryKind::Noop | EntryKind::Configuration { .. } => self.answer_noop(index, ctx),
            EntryKind::Register { .. } => {
                let limit = self.config.session_limit as usize;
                self.machine.sessions.open(index, index, limit);
                self.answer_registration(index, ctx);
            }
            EntryKind::Command { command } => {
                let digest = Folder::of(entry);
                self.apply_command(index, command, digest, ctx);
            }
        }
    }

    fn apply_command(&mut self, index: u64, command: &Command, digest: u64, ctx: &mut Ctx<'_, R>) {
        let duplicate = if command.client == 0 || !self.config.sessions {
            Duplicate::Fresh
        } else {
            let known = self.machine.sessions.knows(command.client, command.serial);
            R::duplicate(known)
        };
        let applied = self.machine.apply(index, command, duplicate);
        let (fresh, answer) = match applied {
            Applied::Ran(outcome) => (true, Answer::Done { outcome }),
            Applied::Again(outcome) => (false, Answer::Done { outcome }),
            Applied::Expired => (false, Answer::Expired),
        };
        ctx.notify(RaftEvent::Applied {
            index,
            client: command.client,
            serial: command.serial,
            fresh,
            digest,
            state: self.machine.store.state_hash(),
        });
        if let Some(origin) = self.take_waiting(index) {
            self.answer(origin, answer, ctx);
        }
    }

    fn take_waiting(&mut self, index: u64) -> Option<Origin> {
        self.leading.as_mut()?.take_waiting(index)
    }

    fn answer_noop(&mut self, index: u64, ctx: &mut Ctx<'_, R>) {
        if let Some(origin) = self.take_waiting(index) {
            let outcome = Outcome::Accomplished;
            self.answer(origin, Answer::Done { outcome }, ctx);
        }
    }

    fn answer_registration(&mut self, index: u64, ctx: &mut Ctx<'_, R>) {
        if let Some(Origin::Registration { peer, nonce }) = self.take_waiting(index) {
            let client = index;
            ctx.send(peer, RaftMessage::Registered { nonce, client });
        }
    }

    /// Tells whoever asked.
    pub(super) fn answer(&self, origin: Origin, answer: Answer, ctx: &mut Ctx<'_, R>) {
        let index = self.commit;
        match origin {
            Origin::Client {
                peer,
                client,
                serial,
            } => {
                if matches!(answer, Answer::Done { .. }) {
                    ctx.notify(RaftEvent::Acknowledged {
                        client,
                        serial,
                        index,
                    });
                }
                let message = RaftMessage::Answer {
                    client,
                    serial,
                    answer,
                };
                ctx.send(peer, message);
            }
            Origin::Registration { peer, nonce } => {
                let message = RaftMessage::Answer {
                    client: nonce,
                    serial: 0,
                    answer,
                };
                ctx.send(peer, message);
            }
            Origin::Local { request } => {
                let reply = match answer {
                    Answer::Done { outcome } => {
                        let (client, serial) = (0, request.0);
                        ctx.notify(RaftEvent::Acknowledged {
                            client,
                            serial,
                            index,
                        });
                        RaftReply::Ok { outcome }
                    }
                    Answer::Expired => fail("expired-session"),
                    Answer::NotLeader { .. } => fail("not-leader"),
                    Answer::Busy => fail("busy"),
                };
                ctx.reply(request, reply);
            }
        }
    }

    /// No longer leader: whoever waits cannot be answered from here.
    pub(super) fn disappoint(&mut self, leading: Leading, ctx: &mut Ctx<'_, R>) {
        for waiting in leading.waiting {
            match waiting.origin {
                Origin::Local { request } => {
                    let reason = "leader-changed";
                    ctx.reply(request, RaftReply::Unknown { reason });
                }
                Origin::Client { .. } | Origin::Registration { .. } => {
                    let leader = None;
                    self.answer(waiting.origin, Answer::NotLeader { leader }, ctx);
                }
            }
        }
        for read in leading.reads {
            self.disappoint_reader(read.reader, ctx);
        }
        if let Some(Change { request, .. }) = leading.change {
            let reason = "leader-changed";
            ctx.reply(request, RaftReply::Unknown { reason });
        }
        if let Some(transfer) = leading.transfer {
            let reply = if transfer.told {
                let outcome = Outcome::Accomplished;
                RaftReply::Ok { outcome }
            } else {
                let reason = "leader-changed";
                RaftReply::Unknown { reason }
            };
            ctx.reply(transfer.request, reply);
        }
    }

    fn not_leader(&self) -> Answer {
        Answer::NotLeader {
            leader: self.leader.filter(|leader| *leader != self.me),
        }
    }

    /// Whether proposals must wait: too many are open, or leadership is on its way elsewhere.
    fn is_busy(&self) -> bool {
        let open = self.log.last_index() - self.commit;
        let transfers = self.leading.as_ref().is_some_and(|l| l.transfer.is_some());
        open >= self.config.uncommitted_limit || transfers
    }

    /// A client wants a session.
    pub(super) fn on_register(&mut self, peer: PeerId, nonce: u64, ctx: &mut Ctx<'_, R>) {
        let origin = Origin::Registration { peer, nonce };
        if self.leading.is_none() {
            return self.answer(origin, self.not_leader(), ctx);
        }
        if self.is_busy() {
            return self.answer(origin, Answer::Busy, ctx);
        }
        let owner = peer;
        self.propose(EntryKind::Register { owner, nonce }, Some(origin), ctx);
    }

    /// A client wants something done.
    pub(super) fn on_client_request(
        &mut self,
        peer: PeerId,
        command: &Shared<Command>,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (client, serial) = (command.client, command.serial);
        let origin = Origin::Client {
            peer,
            client,
            serial,
        };
        if let Operation::Read { key } = command.operation
            && self.config.reads != ReadMode::Log
        {
            return self.on_read(Reader { origin, key }, ctx);
        }
        if self.leading.is_none() {
            return self.answer(origin, self.not_leader(), ctx);
        }
        if let Duplicate::Ran(outcome) = self.known(client, serial) {
            return self.answer(origin, Answer::Done { outcome }, ctx);
        }
        if self.is_busy() {
            return self.answer(origin, Answer::Busy, ctx);
        }
        let command = command.clone();
        self.propose(EntryKind::Command { command }, Some(origin), ctx);
    }

    fn known(&self, client: u64, serial: u64) -> Duplicate {
        if self.config.sessions {
            R::duplicate(self.machine.sessions.knows(client, serial))
        } else {
            Duplicate::Fresh
        }
    }

    /// A user of this very server wants something done; no session, so it may not be retried.
    pub(super) fn on_operate(
        &mut self,
        request: RequestId,
        operation: Operation,
        ctx: &mut Ctx<'_, R>,
    ) {
        let origin = Origin::Local { request };
        if let Operation::Read { key } = operation
            && self.config.reads != ReadMode::Log
        {
            return self.on_read(Reader { origin, key }, ctx);
        }
        if self.leading.is_none() {
            return self.answer(origin, self.not_leader(), ctx);
        }
        if self.is_busy() {
            return self.answer(origin, Answer::Busy, ctx);
        }
        let command = Shared::new(Command {
            client: 0,
            serial: request.0,
            answered_below: 0,
            operation,
        });
        self.propose(EntryKind::Command { command }, Some(origin), ctx);
    }
}

/// A refusal.
pub(super) fn fail(reason: &'static str) -> RaftReply {
    RaftReply::Fail { reason }
}
