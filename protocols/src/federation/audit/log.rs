//! The log of one peer while it grows.
//!
//! Records are handed to the caller, who makes them durable; what is kept here is the end of the
//! chain and the actions that are still open. Must not know disks.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;

use super::record::{ActionRecord, Content, Entry, Record, Stage, Witness};
use crate::federation::head::{Acknowledgement, Head};
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionId, Digest};
use crate::identity::{Identity, Keys};
use crate::signed::Signed;
use crate::time::LocalTime;

/// Which side of an action a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Sender,
    Executor,
}

/// An action that has begun in this log and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    /// The record that began it.
    number: u64,
    step: ActionRecord,
}

/// The end of a log and what is open in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuditLog<R: Rules = Strict> {
    last: Head,
    durable: Head,
    /// Heads behind the durable one, oldest first.
    pending: VecDeque<Head>,
    open: BTreeMap<(Side, Identity, ActionId), Open>,
    rules: PhantomData<R>,
}

impl<R: Rules> Default for AuditLog<R> {
    fn default() -> Self {
        let none = Head {
            number: 0,
            hash: Digest([0; 32]),
        };
        Self {
            last: none,
            durable: none,
            pending: VecDeque::new(),
            open: BTreeMap::new(),
            rules: PhantomData,
        }
    }
}

impl<R: Rules> AuditLog<R> {
    /// The log as its durable records leave it after a crash.
    ///
    /// Records behind the first that does not follow from the one before it are not ours, and are
    /// not taken: a torn write ends the log.
    pub fn recover<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut log = Self::default();
        for record in records {
            let follows = record.number == log.last.number + 1
                && record.previous == R::link_to(log.last.hash);
            if !follows {
                break;
            }
            log.note(record);
        }
        log.persisted(log.last.number);
        log
    }

    /// The end of the chain.
    pub fn head(&self) -> Head {
        self.last
    }

    /// Appends a record. The caller makes it durable and says so by [`AuditLog::persisted`].
    pub fn append(&mut self, now: LocalTime, entry: Entry) -> Record {
        let record = Record {
            number: self.last.number + 1,
            previous: R::link_to(self.last.hash),
            at: now,
            entry,
        };
        self.note(&record);
        record
    }

    /// Appends the refusal of an action, if refusals are recorded.
    pub fn refuse(&mut self, now: LocalTime, step: ActionRecord) -> Option<Record> {
        R::records_refusals().then(|| self.append(now, Entry::Action { step }))
    }

    fn note(&mut self, record: &Record) {
        self.last = record.head();
        self.pending.push_back(self.last);
        let Entry::Action { step } = &record.entry else {
            return;
        };
        let key = |side| (side, step.other, step.action);
        let open = || Open {
            number: record.number,
            step: ActionRecord {
                content: Content::AsBegun,
                ..step.clone()
            },
        };
        match step.stage {
            Stage::Sent => drop(self.open.insert(key(Side::Sender), open())),
            Stage::Intent => drop(self.open.insert(key(Side::Executor), open())),
            Stage::Executed { .. } => drop(self.open.remove(&key(Side::Executor))),
            Stage::Answered { .. } => drop(self.open.remove(&key(Side::Sender))),
            Stage::Refused { .. } | Stage::OutcomeUnknown => {
                let sides = [Side::Executor, Side::Sender];
                let side = sides
                    .into_iter()
                    .find(|side| self.open.contains_key(&key(*side)));
                side.map(|side| self.open.remove(&key(side)));
            }
            Stage::CopyRefused { .. } => {}
        }
    }

    /// Records up to this number are durable.
    pub fn persisted(&mut self, upto: u64) {
        let is_durable = |head: &&Head| head.number <= upto;
        let durable = self.pending.iter().take_while(is_durable).count();
        if let Some(head) = self.pending.drain(..durable).next_back() {
            self.durable = head;
        }
    }

    /// Whether an action of `other` was begun and has not ended.
    pub fn is_under_way(&self, other: Identity, action: ActionId) -> bool {
        self.open.contains_key(&(Side::Executor, other, action))
    }

    /// Whether the first byte of an action to `other` may leave.
    pub fn may_send(&self, other: Identity, action: ActionId) -> bool {
        R::sends_after_record(self.is_durable((Side::Sender, other, action)))
    }

    /// Whether an action of `other` may have its effect.
    pub fn may_take_effect(&self, other: Identity, action: ActionId) -> bool {
        R::acts_after_intent(self.is_durable((Side::Executor, other, action)))
    }

    fn is_durable(&self, key: (Side, Identity, ActionId)) -> bool {
        self.open
            .get(&key)
            .is_some_and(|open| open.number <= self.durable.number)
    }

    /// Says of every open action that its outcome is unknown; what a peer does after a restart.
    pub fn own_up(&mut self, now: LocalTime) -> Vec<Record> {
        if !R::owns_up_after_crash() {
            return Vec::new();
        }
        let open: Vec<Open> = self.open.values().cloned().collect();
        let unknown = |open: Open| ActionRecord {
            stage: Stage::OutcomeUnknown,
            ..open.step
        };
        open.into_iter()
            .map(|open| {
                self.append(
                    now,
                    Entry::Action {
                        step: unknown(open),
                    },
                )
            })
            .collect()
    }

    /// Says that no answer came to an action sent to `other`.
    pub fn give_up(&mut self, now: LocalTime, other: Identity, action: ActionId) -> Option<Record> {
        self.end_sent(now, (other, action), Stage::OutcomeUnknown)
    }

    /// Says that `other` refused an action sent to it, in its own word.
    pub fn denied(
        &mut self,
        now: LocalTime,
        other: Identity,
        action: ActionId,
        reason: String,
    ) -> Option<Record> {
        let record = R::records_refusals();
        let refused = || self.end_sent(now, (other, action), Stage::Refused { reason });
        record.then(refused)?
    }

    fn end_sent(
        &mut self,
        now: LocalTime,
        (other, action): (Identity, ActionId),
        stage: Stage,
    ) -> Option<Record> {
        let open = self.open.get(&(Side::Sender, other, action))?;
        let step = ActionRecord {
            stage,
            ..open.step.clone()
        };
        Some(self.append(now, Entry::Action { step }))
    }

    /// Signs the end of what is durable, for third parties: what a crash may take back binds nobody.
    pub fn signed_head(&self, keys: &mut Keys) -> Signed<Head> {
        keys.sign(self.durable)
    }

    /// Signs where the outcome of `action` stands, which must be the last record. Not to be sent
    /// before that record is durable.
    pub fn acknowledge(
        &self,
        action: ActionId,
        receipt: Digest,
        keys: &mut Keys,
    ) -> Signed<Acknowledgement> {
        keys.sign(Acknowledgement {
            action,
            receipt,
            head: self.last,
        })
    }

    /// Appends an answer, if it is the word of `speaker`, who is `other` or its heir, about this very
    /// action.
    pub fn answered(
        &mut self,
        now: LocalTime,
        (other, speaker): (Identity, Identity),
        acknowledgement: Signed<Acknowledgement>,
        keys: &mut Keys,
    ) -> Option<Record> {
        let action = acknowledgement.action;
        let is_theirs = acknowledgement.signer().identity() == speaker;
        let holds = R::keeps_answer(is_theirs && keys.verify(&acknowledgement));
        let open = self
            .open
            .get(&(Side::Sender, other, action))
            .filter(|_| holds)?;
        let step = ActionRecord {
            stage: Stage::Answered { acknowledgement },
            ..open.step.clone()
        };
        Some(self.append(now, Entry::Action { step }))
    }

    /// Appends a countersignature under a head of ours.
    pub fn countersigned(
        &mut self,
        now: LocalTime,
        witness: Signed<Witness>,
        keys: &mut Keys,
    ) -> Option<Record> {
        let is_ours = witness.head.signer() == keys.public() && keys.verify(&witness.head);
        let holds = R::keeps_answer(is_ours && keys.verify(&witness));
        holds.then(|| self.append(now, Entry::Countersigned { witness }))
    }
}
