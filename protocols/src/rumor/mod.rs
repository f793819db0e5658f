//! Rumour spreading: epidemic broadcast by calls to random partners.
//!
//! Demers et al., "Epidemic algorithms for replicated database maintenance" (1987): rumor mongering
//! by push and pull, with loss of interest by counter or coin, with feedback or blind, backed up by
//! anti-entropy. Karp et al., "Randomized rumor spreading" (2000): push-pull in which every call is
//! answered, ended by age or by the median counter. Start reading at [`Rumor`]; the messages are drawn in [`message`].
//!
//! # What a round is
//!
//! Round `r` of a peer is the half-open span of its own time from `phase + r * period` to the next
//! such instant. At its beginning the peer calls `fanout` partners; messages take time, so calls,
//! answers and feedback of round `r` are under way within it. To keep the round model of the
//! literature exactly, with [`Rounds::Synchronous`] a peer acts on the state in which it entered
//! the round: what it learned in round `r` it pushes first at the start of round `r + 1`, gives in
//! answers from round `r + 1` on, and calls already known in feedback from round `r + 1` on. So a
//! rumor moves one hop a round, however short the delays are, and `n` peers at equal clocks with a
//! period above the longest exchange reproduce the papers' round counts and tables. A rumor is
//! started in round 0 by its age and first told in round 1; a message that comes after its round
//! counts in the round in which it arrives. With [`Rounds::OwnPhase`] a peer acts on all it knows
//! at any time, as in the differential equations of Demers et al.
//!
//! # Words
//!
//! | word | means |
//! |---|---|
//! | hot, cold | knows and spreads; knows and spreads no more (infective, removed) |
//! | contact | one copy handed over |
//! | news | what was learned in the round that still runs |
//! | residue `s` | the share of peers that never hear it |
//! | traffic `m` | copies sent, by the number of peers; `s = e^-m` for any push |
//!
//! # What it keeps
//!
//! A rumor that a user started is on disk before anybody hears of it, so a restarted peer never
//! gives one name to two rumors. Copies carry no signature: whoever can speak for a slot can forge
//! a rumor of others. A pushing peer with nothing hot sets no timer.
//!
//! # Departs from the papers
//!
//! - Anti-entropy compares lists of names instead of checksums and recent lists (Demers et al.,
//!   section 1.3): a peer keeps few rumors, and the outcome is the same.
//! - All copies of one round leave together: with a fanout or blind contacts above 1 a peer that
//!   loses interest by the first copy has sent the others. Fanout 1 is the papers' case.
//! - There are no death certificates: a rumor is never withdrawn.
//!
//! Must not know how time passes, which peers are up, or who listens to its events.

mod durable;
mod known;
mod phase;
mod reconcile;
mod round;
mod spread;

pub mod config;
pub mod event;
pub mod message;
pub mod partners;
pub mod rules;

#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::sync::Arc;

pub use config::{Contacts, Loss, Mode, Rounds, RumorConfig, RumorConfigError};
pub use event::{Learned, Refusal, RumorEvent, RumorReply, RumorRequest};
pub use message::{Contact, RumorCopy, RumorId, RumorMessage};
pub use partners::Partners;
pub use rules::{AsPublished, Rules};

use crate::fold_enum;
use crate::outbox::{PersistToken, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};
use crate::time::SimDuration;
use durable::Starting;
use known::Knowledge;
use round::RoundClock;

/// What a peer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RumorTimer {
    /// The next round begins: call partners.
    BeginRound,
    /// Compare everything with one partner.
    Reconcile,
}

fold_enum!(RumorTimer {
    0 = BeginRound {},
    1 = Reconcile {},
});

/// The calls that a peer answered in one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Answered {
    round: i64,
    calls: u32,
}

/// One rumor that a peer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KnownRumor {
    /// Which.
    pub rumor: RumorId,
    /// What it says.
    pub payload: u64,
    /// Whether the peer still spreads it.
    pub is_spread: bool,
}

/// One peer's part in the spreading of rumors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rumor<R: Rules = AsPublished> {
    config: Arc<RumorConfig>,
    partners: Partners,
    known: Knowledge,
    /// Drawn when first needed, so that an idle peer holds no dice.
    phase: Option<SimDuration>,
    /// Whether the timer of the next round is set.
    awaits_round: bool,
    /// Rounds in which this peer placed calls.
    rounds_called: u32,
    answered: Answered,
    /// Peers called and peers that called in this round.
    partners_met: u32,
    next_sequence: u32,
    /// The index behind the last record on disk.
    log_end: u64,
    /// Rumors on their way to the disk, oldest first.
    starting: Vec<Starting>,
    rules: PhantomData<R>,
}

impl Rumor {
    /// A peer that knows nothing yet and decides as published.
    ///
    /// The configuration is shared, so that a peer of a large group costs a few hundred bytes; it
    /// must have passed [`RumorConfig::validate`].
    pub fn new(config: Arc<RumorConfig>, partners: Partners) -> Self {
        Self::with_rules(config, partners)
    }
}

impl<R: Rules> Rumor<R> {
    /// A peer that knows nothing yet and decides by `R`.
    pub fn with_rules(config: Arc<RumorConfig>, partners: Partners) -> Self {
        Self {
            config,
            partners,
            known: Knowledge::default(),
            phase: None,
            awaits_round: false,
            rounds_called: 0,
            answered: Answered::default(),
            partners_met: 0,
            next_sequence: 0,
            log_end: 0,
            starting: Vec::new(),
            rules: PhantomData,
        }
    }

    /// Whether the peer knows a rumor.
    pub fn knows(&self, rumor: RumorId) -> bool {
        self.known.get(rumor).is_some()
    }

    /// Whether the peer still spreads a rumor.
    pub fn spreads(&self, rumor: RumorId) -> bool {
        self.known.get(rumor).is_some_and(|known| known.is_hot())
    }

    /// All rumors that the peer knows, in ascending order of their names.
    pub fn rumors(&self) -> impl Iterator<Item = KnownRumor> {
        self.known.iter().map(|known| KnownRumor {
            rumor: known.rumor,
            payload: known.payload,
            is_spread: known.is_hot(),
        })
    }

    /// What a rumor says, if the peer knows it.
    pub fn payload(&self, rumor: RumorId) -> Option<u64> {
        self.known.get(rumor).map(|known| known.payload)
    }

    fn clock(&mut self, ctx: &mut Context<'_, Self>) -> RoundClock {
        let period = self.config.period;
        let phase = match self.config.rounds {
            Rounds::Synchronous => SimDuration::ZERO,
            Rounds::OwnPhase => *self.phase.get_or_insert_with(|| {
                SimDuration::from_nanos(ctx.rng().below(period.as_nanos().max(1)))
            }),
        };
        RoundClock { period, phase }
    }

    fn round(&mut self, ctx: &mut Context<'_, Self>) -> i64 {
        let now = ctx.now();
        self.clock(ctx).round_at(now)
    }

    /// Waits for the next round if there will be anything to do.
    fn await_round(&mut self, ctx: &mut Context<'_, Self>) {
        let may = self
            .config
            .max_rounds
            .is_none_or(|max| self.rounds_called < max);
        let wants = self.config.mode.pulls() || self.known.iter().any(|known| known.is_hot());
        if may && wants && !self.awaits_round {
            let now = ctx.now();
            let after = self.clock(ctx).until_next(now);
            ctx.set_timer(RumorTimer::BeginRound, after);
            self.awaits_round = true;
        }
    }
}

impl<R: Rules> Protocol for Rumor<R> {
    type Message = RumorMessage;
    type Timer = RumorTimer;
    type Record = RumorCopy;
    type Event = RumorEvent;
    type Request = RumorRequest;
    type Reply = RumorReply;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.await_round(ctx);
        self.await_first_reconciliation(ctx);
    }

    fn on_restart(&mut self, durable: Durable<RumorCopy>, ctx: &mut Context<'_, Self>) {
        self.recover(durable, ctx);
        self.on_start(ctx);
    }

    fn on_message(&mut self, from: PeerId, message: &RumorMessage, ctx: &mut Context<'_, Self>) {
        match message {
            RumorMessage::Push { copy } => self.on_push(from, copy, ctx),
            RumorMessage::PullRequest => self.on_pull_request(from, ctx),
            RumorMessage::PullAnswer { copy } => self.on_pull_answer(from, copy, ctx),
            RumorMessage::Feedback {
                rumor,
                contact,
                needed,
            } => self.on_feedback(*rumor, *contact, *needed, ctx),
            RumorMessage::Digest { known } => self.on_digest(from, known, ctx),
            RumorMessage::Wanted { missing } => self.on_wanted(from, missing, ctx),
            RumorMessage::Repair { copy } => self.on_repair(copy, ctx),
        }
    }

    fn on_timer(&mut self, timer: RumorTimer, ctx: &mut Context<'_, Self>) {
        match timer {
            RumorTimer::BeginRound => self.begin_round(ctx),
            RumorTimer::Reconcile => self.reconcile(ctx),
        }
    }

    fn on_request(&mut self, id: RequestId, request: RumorRequest, ctx: &mut Context<'_, Self>) {
        match request {
            RumorRequest::Start { payload, size } => self.on_start_request(id, payload, size, ctx),
        }
    }

    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Context<'_, Self>) {
        self.announce_started(token, ctx);
    }
}
