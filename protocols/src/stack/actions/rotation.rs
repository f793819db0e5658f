//! How an office takes up another key.
//!
//! ```text
//!   asked to ─▶ nothing new leaves ─▶ what it asked for has ended ─▶ told, signed by both keys
//!            ─▶ acts under the new key; whoever meets it in a new session hears of it first
//! ```
//!
//! So nothing that was asked for under the old key is under way when others learn that it is over.
//! Must not know what a key is good for.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::federation::grant::Parties as _;
use crate::federation::identity::IdentityRecord;
use crate::federation::rules::Rules;
use crate::identity::Identity;
use crate::outbox::RequestId;
use crate::peer::PeerId;
use crate::stack::message::Load;
use crate::stack::{Ctx, StackReply, StackTimer};
use crate::time::{LocalTime, SimDuration};

use super::Errand;
use super::office::{Office, Posting};
use super::onward::{Asker, Place};

/// How long it waits for what it asked for under the old key.
const PATIENCE: SimDuration = SimDuration::from_secs(5);
/// How often it looks whether that has ended.
const LOOK: SimDuration = SimDuration::from_millis(20);
/// How long others have to hear of the new key where no session keeps the order of what is said.
const HEARING: SimDuration = SimDuration::from_secs(1);

/// Where a change of keys stands.
#[derive(Clone, Copy, Debug)]
enum Turnover {
    /// What was asked for under the old key is waited for, but no longer than this.
    Draining { until: LocalTime },
    /// Others are hearing of the new key.
    Hearing,
}

/// An errand that waits for a change of keys.
type Held = (Asker, Errand, Place);

/// The keys of one office over time.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    /// How many keys it had before the present one.
    number: usize,
    turnover: Option<Turnover>,
    held: Vec<Held>,
    /// What proves the present key.
    proof: Vec<IdentityRecord>,
    /// Who was shown that proof.
    shown_to: BTreeSet<PeerId>,
}

impl<R: Rules> Office<R> {
    /// Whether errands wait for a change of keys.
    pub(super) fn holds_back(&self) -> bool {
        self.rotation.turnover.is_some()
    }

    pub(super) fn hold(&mut self, held: Held) {
        self.rotation.held.push(held);
    }

    /// Those in charge want another key to be taken up.
    pub(in crate::stack) fn rotate(&mut self, id: RequestId, ctx: &mut Ctx<'_, R>) {
        let line = self.federation.lines.get(&ctx.me());
        let has_next = line.is_some_and(|line| self.rotation.number + 1 < line.len());
        if self.holds_back() || !has_next {
            return ctx.reply(id, StackReply::Failed {});
        }
        let until = ctx.now() + PATIENCE;
        self.rotation.turnover = Some(Turnover::Draining { until });
        ctx.set_timer(StackTimer::Turnover, LOOK);
        ctx.reply(id, StackReply::Published {});
    }

    /// It is time to look how a change of keys stands; what leaves by that.
    pub(in crate::stack) fn on_turnover(&mut self, ctx: &mut Ctx<'_, R>) -> Vec<Posting> {
        match self.rotation.turnover {
            Some(Turnover::Draining { until }) if !self.book.is_empty() && ctx.now() < until => {
                ctx.set_timer(StackTimer::Turnover, LOOK);
                Vec::new()
            }
            Some(Turnover::Draining { .. }) => {
                let told = self.take_up_next(ctx);
                if self.sessions.are_used() {
                    self.release(ctx);
                } else {
                    self.rotation.turnover = Some(Turnover::Hearing);
                    ctx.set_timer(StackTimer::Turnover, HEARING);
                }
                told
            }
            Some(Turnover::Hearing) => {
                self.release(ctx);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Sends what waited.
    fn release(&mut self, ctx: &mut Ctx<'_, R>) {
        self.rotation.turnover = None;
        for (asker, errand, place) in std::mem::take(&mut self.rotation.held) {
            let posting = self.send_out(asker, errand, place, ctx);
            self.postings.extend(posting);
        }
    }

    fn take_up_next(&mut self, ctx: &mut Ctx<'_, R>) -> Vec<Posting> {
        let federation = Arc::clone(&self.federation);
        let line = &federation.lines[&ctx.me()];
        self.rotation.number += 1;
        let mut heir = line[self.rotation.number].keys.clone();
        let nickname = self.registry.nickname(self.identity).unwrap_or_default();
        let introduction = IdentityRecord::introduce(&mut heir, self.organisation, nickname);
        let succession = IdentityRecord::succeed(ctx.keys(), &mut heir);
        self.records.change_key(heir.public(), ctx);
        let proof = vec![introduction, succession];
        let told = self.on_records(&proof, ctx);
        self.rotation.proof = proof;
        self.rotation.shown_to.clear();
        self.show_all(ctx);
        self.act_as_present(ctx);
        told
    }

    /// Shows the proof of the present key: in every open session, or to everybody.
    fn show_all(&mut self, ctx: &mut Ctx<'_, R>) {
        let me = ctx.me();
        let everybody = self.federation.directory.identities.keys();
        let everybody = everybody.copied().filter(|peer| *peer != me).collect();
        let others: Vec<PeerId> = match self.sessions.are_used() {
            true => self.sessions.others(),
            false => everybody,
        };
        for to in others {
            self.show(to, ctx);
        }
        if self.sessions.are_used() {
            // Once more in each new session, which may be open before the old one was read.
            self.rotation.shown_to.clear();
        }
    }

    fn show(&mut self, to: PeerId, ctx: &mut Ctx<'_, R>) {
        if !self.rotation.proof.is_empty() && self.rotation.shown_to.insert(to) {
            let records = self.rotation.proof.clone();
            let load = Load::Identity { records };
            self.carry_plainly(Posting { to, load }, ctx);
        }
    }

    /// Sends what has been made ready, behind the proof of the key by which it is sent.
    pub(in crate::stack) fn carry(&mut self, posting: Posting, ctx: &mut Ctx<'_, R>) {
        self.show(posting.to, ctx);
        self.carry_plainly(posting, ctx);
    }

    /// Signs and is certified by the present key of its line; sessions by another one end.
    fn act_as_present(&mut self, ctx: &mut Ctx<'_, R>) {
        let federation = Arc::clone(&self.federation);
        let Some(link) = federation
            .lines
            .get(&ctx.me())
            .and_then(|line| line.get(self.rotation.number))
        else {
            return;
        };
        *ctx.keys() = link.keys.clone();
        self.identity = link.keys.identity();
        for session in self.sessions.all() {
            self.close(vec![session], ctx);
        }
        self.sessions.certify(link.papers.as_ref());
    }

    /// Finds out after a restart, from what the disk remembers, which key is the present one.
    pub(super) fn resume_line(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(line) = self.federation.lines.get(&ctx.me()) else {
            return;
        };
        let present = self.registry.current(self.identity);
        let identities: Vec<Identity> = line.iter().map(|link| link.keys.identity()).collect();
        let number = identities.iter().position(|it| Some(*it) == present);
        self.rotation.number = number.unwrap_or(0);
        let learnt = self.news.learnt.iter();
        let own = learnt.filter(|record| identities.contains(&record.subject()));
        self.rotation.proof = own.cloned().collect();
        self.act_as_present(ctx);
    }
}
