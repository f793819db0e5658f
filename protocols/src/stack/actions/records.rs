//! The audit log that an office keeps of its dealings, and what waits until its records are durable.
//!
//! ```text
//!   source    Sent ─durable─▶ first byte            Answered · Refused · OutcomeUnknown
//!   audience  Intent ─durable─▶ work ▸ effect ▸ Executed ─durable─▶ answer, which signs the head
//! ```
//!
//! An office whose list of checks has no audit keeps no log: everything goes at once, and its
//! answers sign the head of an empty log. Must not know whom messages go to, or who may do what.

use std::collections::VecDeque;

use crate::federation::audit::{
    Acknowledgement, ActionRecord, AuditConfig, AuditLog, Content, Entry, Head, Record, Stage,
    Witness, Witnesses,
};
use crate::federation::envelope::{Action, Answer, Code, Receipt, Refusal};
use crate::federation::rules::Rules;
use crate::federation::terms::{ActionId, Digest, Level};
use crate::identity::{Identity, PublicKey};
use crate::outbox::{PersistToken, Write};
use crate::protocol::{Durable, Stored};
use crate::signed::Signed;
use crate::stack::lodger::Owner;
use crate::stack::{Ctx, StackEvent, StackRecord};

/// What goes on once a record is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The first byte of an errand, by its number.
    Departure(u64),
    /// Work, by its ticket.
    Work(u64),
}

/// The other side of an action, and how far it is trusted.
pub(super) type Other = (Identity, Level);

/// The log of one office.
pub(super) struct Records<R: Rules> {
    is_kept: bool,
    config: AuditConfig,
    /// What contents are hashed with.
    secret: [u8; 32],
    log: AuditLog<R>,
    witnesses: Witnesses<R>,
    /// Whether an action was recorded since a head was last sent to third parties.
    has_news: bool,
    /// Writes of this input that are not handed to the disk yet.
    queue: Vec<Write<StackRecord>>,
    /// What waits for which record, oldest first.
    waiting: VecDeque<(u64, Waiting)>,
}

impl<R: Rules> Records<R> {
    /// An empty log, kept as `config` says or not at all. Contents are hashed with `secret`.
    pub(super) fn new(is_kept: bool, config: AuditConfig, secret: [u8; 32]) -> Self {
        Self {
            is_kept,
            config,
            secret,
            log: AuditLog::default(),
            witnesses: Witnesses::default(),
            has_news: false,
            queue: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Takes up again what the disk holds, and says what a crash hid.
    pub(super) fn restart(&mut self, durable: &Durable<StackRecord>, ctx: &mut Ctx<'_, R>) {
        if !self.is_kept {
            return;
        }
        let slots = durable.slots.range(Owner::Audit.slots());
        let intact = slots.map_while(|(_, stored)| match stored {
            Stored::Intact(StackRecord::Audit { record }) => Some(record),
            Stored::Intact(_) | Stored::Damaged => None,
        });
        let records: Vec<&Record> = intact.collect();
        self.log = AuditLog::recover(records.iter().copied());
        self.witnesses = Witnesses::recover(records.iter().copied());
        let upto = self.log.head().number;
        ctx.notify(StackEvent::RecordsFound { upto });
        for record in self.log.own_up(ctx.now()) {
            self.keep(record, ctx);
        }
        self.flush(ctx);
    }

    /// Writes a record and says so.
    fn keep(&mut self, record: Record, ctx: &mut Ctx<'_, R>) {
        self.has_news |= matches!(record.entry, Entry::Action { .. });
        ctx.notify(StackEvent::Recorded {
            record: Box::new(record.clone()),
        });
        self.queue.push(Write::Put {
            slot: Owner::Audit.slot(record.number as u32),
            record: StackRecord::Audit { record },
        });
    }

    fn append(&mut self, step: ActionRecord, ctx: &mut Ctx<'_, R>) {
        let record = self.log.append(ctx.now(), Entry::Action { step });
        self.keep(record, ctx);
    }

    /// Writes something beside the records, together with what is written next.
    pub(super) fn also(&mut self, write: Write<StackRecord>) {
        self.queue.push(write);
    }

    /// Hands what was written to the disk. What is sent after this waits for it.
    pub(super) fn flush(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.queue.is_empty() {
            return;
        }
        let token = match self.is_kept {
            true => Owner::Audit.token(PersistToken(self.log.head().number)),
            false => Owner::NOBODYS_TOKEN,
        };
        ctx.persist(token, std::mem::take(&mut self.queue));
    }

    /// Records up to this one are durable: what waited for them.
    pub(super) fn persisted(&mut self, upto: u64, ctx: &mut Ctx<'_, R>) -> Vec<Waiting> {
        self.log.persisted(upto);
        ctx.notify(StackEvent::RecordsDurable { upto });
        let is_due = |entry: &&(u64, Waiting)| entry.0 <= upto;
        let due = self.waiting.iter().take_while(is_due).count();
        self.waiting.drain(..due).map(|(_, what)| what).collect()
    }

    fn step(&self, action: &Action, other: Other, stage: Stage) -> ActionRecord {
        let content = match std::str::from_utf8(&action.payload) {
            Ok(text) => Content::kept(self.config.content, &self.secret, text),
            Err(_) => Content::hashed(&self.secret, &action.payload),
        };
        ActionRecord {
            content,
            ..self.later_step(action, other, stage)
        }
    }

    /// A step after the one that holds the content.
    fn later_step(&self, action: &Action, (other, level): Other, stage: Stage) -> ActionRecord {
        ActionRecord {
            action: action.id,
            other,
            kind: action.kind,
            capability: action.capability.clone(),
            level,
            budget: Some(action.budget),
            content: Content::AsBegun,
            stage,
        }
    }

    /// Lets `what` go on once the last record is durable; true if it may go on now.
    fn hold(&mut self, what: Waiting, goes_now: bool, ctx: &mut Ctx<'_, R>) -> bool {
        if !goes_now {
            self.waiting.push_back((self.log.head().number, what));
            self.flush(ctx);
        }
        goes_now
    }

    /// Errand `number` is about to be sent to `other`; true if its first byte may leave now.
    pub(super) fn sent(
        &mut self,
        number: u64,
        action: &Action,
        other: Other,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        if !self.is_kept {
            return true;
        }
        self.append(self.step(action, other, Stage::Sent), ctx);
        let goes_now = self.may_send(action);
        self.hold(Waiting::Departure(number), goes_now, ctx)
    }

    /// Whether the first byte of an action may leave.
    pub(super) fn may_send(&self, action: &Action) -> bool {
        self.log.may_send(action.audience, action.id)
    }

    /// An action of `other` is about to be done under `ticket`, which `slot` remembers; true if the
    /// work may begin now.
    pub(super) fn begun(
        &mut self,
        ticket: u64,
        action: &Action,
        other: Other,
        slot: Write<StackRecord>,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        if !self.is_kept {
            ctx.persist(PersistToken(ticket), vec![slot]);
            return false;
        }
        self.append(self.step(action, other, Stage::Intent), ctx);
        // Behind the record: of a torn batch, what is remembered is also recorded.
        self.also(slot);
        let goes_now = self.may_take_effect(action);
        self.hold(Waiting::Work(ticket), goes_now, ctx)
    }

    /// Whether an action may have its effect.
    pub(super) fn may_take_effect(&self, action: &Action) -> bool {
        self.log.may_take_effect(action.source, action.id)
    }

    /// Whether an action is being done, as far as the log knows.
    pub(super) fn is_under_way(&self, action: &Action) -> bool {
        !self.is_kept || self.log.is_under_way(action.source, action.id)
    }

    /// An action was done. The word on it leaves after [`Records::flush`].
    pub(super) fn executed(
        &mut self,
        action: &Action,
        level: Level,
        receipt: &Receipt,
        ctx: &mut Ctx<'_, R>,
    ) -> Signed<Acknowledgement> {
        let digest = Digest::of(receipt);
        if self.is_kept {
            let stage = Stage::Executed { receipt: digest };
            self.append(self.later_step(action, (action.source, level), stage), ctx);
        }
        self.log.acknowledge(action.id, digest, ctx.keys())
    }

    /// An envelope of `other` was refused. The refusal of a copy ends nothing.
    pub(super) fn refused(
        &mut self,
        action: &Action,
        other: Other,
        refusal: Refusal,
        ends_work: bool,
        ctx: &mut Ctx<'_, R>,
    ) {
        if !self.is_kept {
            return;
        }
        let reason = refusal.reason().to_owned();
        let is_copy = refusal == Refusal::Replayed || self.log.is_under_way(other.0, action.id);
        let step = match is_copy && !ends_work {
            true => self.later_step(action, other, Stage::CopyRefused { reason }),
            false => self.step(action, other, Stage::Refused { reason }),
        };
        let record = self.log.refuse(ctx.now(), step);
        if let Some(record) = record {
            self.keep(record, ctx);
        }
        self.flush(ctx);
    }

    /// Something was not sent, since nothing of it may leave.
    pub(super) fn withheld(&mut self, step: ActionRecord, payload: &[u8], ctx: &mut Ctx<'_, R>) {
        if !self.is_kept {
            return;
        }
        let content = Content::hashed(&self.secret, payload);
        let step = ActionRecord { content, ..step };
        if let Some(record) = self.log.refuse(ctx.now(), step) {
            self.keep(record, ctx);
        }
        self.flush(ctx);
    }

    /// Whether an answer is the word of `speaker`, who is `other` or its heir; one that is becomes a
    /// record.
    pub(super) fn answered(
        &mut self,
        (other, speaker): (Identity, Identity),
        answer: &Answer,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        if !self.is_kept {
            return ctx.verify(&answer.word);
        }
        let now = ctx.now();
        let word = answer.word.clone();
        let other = (other, speaker);
        let Some(record) = self.log.answered(now, other, word, ctx.keys()) else {
            return false;
        };
        self.keep(record, ctx);
        self.flush(ctx);
        true
    }

    /// The other side refused an action.
    pub(super) fn denied(
        &mut self,
        other: Identity,
        action: ActionId,
        code: Code,
        ctx: &mut Ctx<'_, R>,
    ) {
        let reason = format!("told-{}", code.to_string().to_lowercase());
        let record = self.log.denied(ctx.now(), other, action, reason);
        self.end(record, ctx);
    }

    /// Nobody says what came of an action.
    pub(super) fn given_up(&mut self, other: Identity, action: ActionId, ctx: &mut Ctx<'_, R>) {
        let record = self.log.give_up(ctx.now(), other, action);
        self.end(record, ctx);
    }

    fn end(&mut self, record: Option<Record>, ctx: &mut Ctx<'_, R>) {
        if let Some(record) = record {
            self.keep(record, ctx);
            self.flush(ctx);
        }
    }

    /// The head that third parties are to countersign, if something happened since the last one.
    pub(super) fn head(&mut self, ctx: &mut Ctx<'_, R>) -> Option<Signed<Head>> {
        let has_news = std::mem::take(&mut self.has_news);
        has_news.then(|| self.log.signed_head(ctx.keys()))
    }

    /// Countersigns somebody's head. A fork is kept as well: it convicts whoever signed it.
    pub(super) fn witness(
        &mut self,
        head: &Signed<Head>,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Signed<Witness>> {
        let now = ctx.now();
        let witness = self.witnesses.countersign(now, head, ctx.keys());
        let reason = match witness {
            Ok(Some(_)) => None,
            Ok(None) => Some("head-behind"),
            Err(_) => Some("forked-log"),
        };
        if let Some(reason) = reason {
            ctx.notify(StackEvent::Rejected { reason });
        }
        if reason != Some("head-behind") {
            let head = head.clone();
            let record = self.log.append(now, Entry::Witnessed { head });
            self.keep(record, ctx);
            self.flush(ctx);
        }
        witness.ok().flatten()
    }

    /// From here on the log's owner signs with `key`.
    pub(super) fn change_key(&mut self, key: PublicKey, ctx: &mut Ctx<'_, R>) {
        if self.is_kept {
            let record = self.log.append(ctx.now(), Entry::KeyChanged { key });
            self.keep(record, ctx);
            self.flush(ctx);
        }
    }

    /// Keeps a countersignature under an own head.
    pub(super) fn countersigned(&mut self, witness: &Signed<Witness>, ctx: &mut Ctx<'_, R>) {
        let now = ctx.now();
        let record = self.log.countersigned(now, witness.clone(), ctx.keys());
        match record {
            Some(record) => {
                self.keep(record, ctx);
                self.flush(ctx);
            }
            None => ctx.notify(StackEvent::Rejected {
                reason: "bad-countersignature",
            }),
        }
    }

    /// Whether a log is kept at all.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }
}
