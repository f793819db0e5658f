//! What goes to disk: every rumor a user starts, and with `durable` every rumor that is learned.
//!
//! ```text
//!   Start ──▶ persist ──▶ durable: learned by oneself, replied, spread from the next round on
//! ```
//!
//! Must not know how a rumor spreads.

use super::Rumor;
use super::event::{Refusal, RumorEvent, RumorReply};
use super::known::{Interest, Known};
use super::message::{RumorCopy, RumorId};
use super::rules::Rules;
use crate::outbox::{PersistToken, RequestId, Write};
use crate::protocol::{Context, Durable, Stored};

/// A rumor that a user started and that is not on disk yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Starting {
    token: PersistToken,
    request: RequestId,
    copy: RumorCopy,
}

impl<R: Rules> Rumor<R> {
    /// How many more rumors the peer may take.
    pub(super) fn room(&self) -> usize {
        let taken = self.known.len() + self.starting.len();
        (self.config.capacity as usize).saturating_sub(taken)
    }

    pub(super) fn is_full(&self) -> bool {
        self.room() == 0
    }

    pub(super) fn on_start_request(
        &mut self,
        request: RequestId,
        payload: u64,
        size: u32,
        ctx: &mut Context<'_, Self>,
    ) {
        let Some(next) = self
            .next_sequence
            .checked_add(1)
            .filter(|_| !self.is_full())
        else {
            let (refusal, rumor) = (Refusal::TableFull, None);
            ctx.notify(RumorEvent::Rejected { refusal, rumor });
            ctx.reply(request, RumorReply::Refused);
            return;
        };
        let rumor = RumorId {
            origin: ctx.me(),
            sequence: std::mem::replace(&mut self.next_sequence, next),
        };
        let copy = RumorCopy {
            rumor,
            payload,
            size,
            age: 0,
            hops: 0,
            phase: 0,
        };
        let token = self.append(&copy, ctx);
        self.starting.push(Starting {
            token,
            request,
            copy,
        });
    }

    /// Puts a rumor behind the last one on disk.
    pub(super) fn append(&mut self, copy: &RumorCopy, ctx: &mut Context<'_, Self>) -> PersistToken {
        let (index, record) = (self.log_end, *copy);
        let token = PersistToken(index);
        ctx.persist(token, vec![Write::Append { index, record }]);
        self.log_end += 1;
        token
    }

    /// Whether others can have heard of the rumor of one's own with this number: one that is not on
    /// disk was never told. A damaged disk can make a peer forget one that was.
    pub(super) fn was_announced(&self, sequence: u32) -> bool {
        let waits = |starting: &Starting| starting.copy.rumor.sequence == sequence;
        sequence < self.next_sequence && !self.starting.iter().any(waits)
    }

    /// Learns a rumor of one's own, now that it is on disk.
    pub(super) fn announce_started(&mut self, token: PersistToken, ctx: &mut Context<'_, Self>) {
        let written = |starting: &Starting| starting.token == token;
        let Some(at) = self.starting.iter().position(written) else {
            return;
        };
        let Starting { request, copy, .. } = self.starting.remove(at);
        let interest = Interest::fresh(self.config.loss, 0);
        self.learn(&copy, interest, ctx);
        let rumor = copy.rumor;
        ctx.reply(request, RumorReply::Started { rumor });
    }

    /// Reads back what is on disk; the peer spreads it again, since nobody may have heard it.
    pub(super) fn recover(&mut self, durable: Durable<RumorCopy>, ctx: &mut Context<'_, Self>) {
        let round = self.round(ctx);
        self.log_end = durable.log_start + durable.log.len() as u64;
        let mut damaged = 0;
        for stored in durable.log {
            match stored {
                Stored::Intact(copy) => self.recover_one(&copy, round, ctx),
                Stored::Damaged => damaged += 1,
            }
        }
        // Each damaged record may have been one of ours: its name must not be given again.
        self.next_sequence = self.next_sequence.saturating_add(damaged);
    }

    fn recover_one(&mut self, copy: &RumorCopy, round: i64, ctx: &mut Context<'_, Self>) {
        let rumor = copy.rumor;
        if rumor.origin == ctx.me() {
            let next = rumor.sequence.saturating_add(1);
            self.next_sequence = self.next_sequence.max(next);
        }
        let interest = Interest::fresh(self.config.loss, 0);
        self.known.insert(Known::new(copy, round, interest));
        ctx.notify(RumorEvent::Recovered { rumor });
    }
}
