//! An organisation as one PBFT replica: its Raft leader runs the replica, and nothing that the
//! replica must remember leaves before the organisation's Raft has committed it.
//!
//! ```text
//!   replica wants to persist and to send ──▶ records into the organisation's Raft
//!                                        ──▶ applied there ──▶ what stands behind is sent
//!   more wants come meanwhile          ──▶ their records follow at once, their sends in order
//!   another peer begins to lead          ──▶ it builds the replica again from those records
//! ```
//!
//! The organisation signs with a key that all its peers hold, so one liar among them can speak for
//! all: an organisation with any liar in it counts as Byzantine. Must not know how Raft decides.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use borsh::BorshDeserialize;

use crate::federation::rules::Rules;
use crate::identity::Keys;
use crate::outbox::{Outbox, Output, PersistToken, RequestId, Write};
use crate::pbft::{PbftConfig, PbftMessage, PbftRecord, PbftTimer, Roster};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol, Stored};
use crate::raft::Store;

use super::assembly::brings_news;
use super::minutes::Minutes;
use super::{Elector, OUTER};
use crate::stack::{Ctx, StackEvent, StackTimer};

/// Registers of the organisation's store that hold the records of its replica, one a slot.
const RECORDS: u64 = 1 << 40;
/// The register in which a new leader says that it is one.
const SPEAKER: u64 = RECORDS - 1;

/// What the replica wants done once its records are kept.
enum Step<R: Rules> {
    /// Wait until these writes are applied, and tell it so by this token.
    Keep(PersistToken, BTreeSet<RequestId>),
    /// Tell the organisation what was decided.
    Tell,
    /// Then this.
    Do(Output<Elector<R>>),
}

/// The organisation's replica, as far as this peer speaks for it.
pub(in crate::stack) struct Delegate<R: Rules> {
    config: Arc<PbftConfig>,
    roster: Arc<Roster>,
    keys: Keys,
    replica: Option<Elector<R>>,
    outbox: Outbox<Elector<R>>,
    minutes: Minutes,
    /// What the replica wants, oldest first.
    wants: VecDeque<Step<R>>,
    /// Registers to be written that the organisation's Raft has not been given yet.
    unwritten: Vec<(RequestId, u64, Vec<u8>)>,
    /// How many decisions the organisation was told of.
    told: u64,
    /// The request by which this peer makes sure that it leads and has applied all.
    inaugural: Option<RequestId>,
    requests: u64,
}

/// What a step of the delegate left to be done.
#[derive(Default)]
pub(in crate::stack) struct DelegateStep {
    /// To be carried; an organisation is reached at the slot of its first peer.
    pub(in crate::stack) sends: Vec<(PeerId, PbftMessage)>,
    /// Registers to write in the organisation's store.
    pub(in crate::stack) writes: Vec<(RequestId, u64, Vec<u8>)>,
}

/// The upper half of the ids under which the delegate writes.
const WRITES: u64 = 1 << 62;

impl<R: Rules> Delegate<R> {
    /// A peer of the organisation that signs with `keys`.
    pub(in crate::stack) fn new(
        config: &Arc<PbftConfig>,
        roster: &Arc<Roster>,
        keys: Keys,
    ) -> Self {
        Self {
            config: Arc::clone(config),
            roster: Arc::clone(roster),
            keys,
            replica: None,
            outbox: Outbox::new(),
            minutes: Minutes::default(),
            wants: VecDeque::new(),
            unwritten: Vec::new(),
            told: 0,
            inaugural: None,
            requests: 0,
        }
    }

    /// Whether this peer speaks for its organisation.
    pub(in crate::stack) fn speaks(&self) -> bool {
        self.replica.is_some()
    }

    pub(in crate::stack) fn replica(&self) -> Option<&Elector<R>> {
        self.replica.as_ref()
    }

    /// Whether `id` names a write of the delegate.
    pub(in crate::stack) fn is_own(id: RequestId) -> bool {
        id.0 & WRITES != 0
    }

    /// The peer began to lead its organisation, or ceased to.
    pub(in crate::stack) fn on_leadership(
        &mut self,
        leads: bool,
        ctx: &mut Ctx<'_, R>,
    ) -> DelegateStep {
        self.fall_silent(ctx);
        let mut step = DelegateStep::default();
        if leads {
            let id = self.next_request();
            self.inaugural = Some(id);
            step.writes
                .push((id, SPEAKER, ctx.me().0.to_le_bytes().to_vec()));
        }
        step
    }

    fn fall_silent(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.replica.take().is_some() {
            for timer in [
                PbftTimer::ViewChange,
                PbftTimer::Retransmit,
                PbftTimer::FetchState,
                PbftTimer::JudgePrimary,
            ] {
                ctx.cancel_timer(StackTimer::Pbft { timer });
            }
        }
        self.wants.clear();
        self.unwritten.clear();
        self.inaugural = None;
        (self.minutes, self.told) = (Minutes::default(), 0);
    }

    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(WRITES | self.requests)
    }

    /// A write was applied by the organisation's Raft, or was not.
    pub(in crate::stack) fn on_answer(
        &mut self,
        id: RequestId,
        is_done: bool,
        store: Option<&Store>,
        ctx: &mut Ctx<'_, R>,
    ) -> DelegateStep {
        if !is_done {
            self.fall_silent(ctx);
            return DelegateStep::default();
        }
        if self.inaugural == Some(id) {
            self.inaugural = None;
            return self.begin(store, ctx);
        }
        let mut step = DelegateStep::default();
        if self.applied(id) {
            self.go_on(&mut step, ctx);
        }
        step
    }

    /// Builds the replica from what the organisation remembers of it.
    fn begin(&mut self, store: Option<&Store>, ctx: &mut Ctx<'_, R>) -> DelegateStep {
        let durable = store.map(remembered).unwrap_or_default();
        let (config, roster) = (Arc::clone(&self.config), Arc::clone(&self.roster));
        self.replica = Some(Elector::replica(config, roster));
        self.step(ctx, |replica, ctx| match durable.slots.is_empty() {
            true => replica.on_start(ctx),
            false => replica.on_restart(durable, ctx),
        })
    }

    pub(in crate::stack) fn on_message(
        &mut self,
        from: PeerId,
        message: &PbftMessage,
        ctx: &mut Ctx<'_, R>,
    ) -> DelegateStep {
        self.step(ctx, |replica, ctx| replica.on_message(from, message, ctx))
    }

    pub(in crate::stack) fn on_timer(
        &mut self,
        timer: PbftTimer,
        ctx: &mut Ctx<'_, R>,
    ) -> DelegateStep {
        self.step(ctx, |replica, ctx| replica.on_timer(timer, ctx))
    }

    fn step(
        &mut self,
        ctx: &mut Ctx<'_, R>,
        input: impl FnOnce(&mut Elector<R>, &mut Context<'_, Elector<R>>),
    ) -> DelegateStep {
        let mut step = DelegateStep::default();
        self.ask_replica(ctx, input);
        self.go_on(&mut step, ctx);
        step
    }

    /// Gives the replica an input; what it wants waits behind what it wanted before.
    fn ask_replica(
        &mut self,
        ctx: &mut Ctx<'_, R>,
        input: impl FnOnce(&mut Elector<R>, &mut Context<'_, Elector<R>>),
    ) {
        let Some(replica) = &mut self.replica else {
            return;
        };
        let mut inner = ctx.lend_as(&mut self.keys, &mut self.outbox);
        input(replica, &mut inner);
        for output in self.outbox.drain() {
            self.wants.push_back(match output {
                Output::Persist { token, writes } => {
                    let writes = kept(writes).into_iter().map(|(key, value)| {
                        self.requests += 1;
                        (RequestId(WRITES | self.requests), key, value)
                    });
                    let first = self.unwritten.len();
                    self.unwritten.extend(writes);
                    let awaited = self.unwritten[first..].iter().map(|(id, ..)| *id);
                    Step::Keep(token, awaited.collect())
                }
                Output::Notify(event) => {
                    let has_news = brings_news(&event);
                    ctx.notify(StackEvent::Pbft { event });
                    if !has_news {
                        continue;
                    }
                    Step::Tell
                }
                other => Step::Do(other),
            });
        }
    }

    /// A write was applied; whether the replica waits for no other of those that came with it.
    fn applied(&mut self, id: RequestId) -> bool {
        self.wants.iter_mut().any(|want| match want {
            Step::Keep(_, awaited) => awaited.remove(&id) && awaited.is_empty(),
            Step::Tell | Step::Do(_) => false,
        })
    }

    /// Does what waits, up to the next thing that must be kept first; all that is to be kept is given to
    /// the organisation's Raft at once, which applies it in this order.
    fn go_on(&mut self, step: &mut DelegateStep, ctx: &mut Ctx<'_, R>) {
        let mut has_news = false;
        loop {
            step.writes.append(&mut self.unwritten);
            match self.wants.pop_front() {
                Some(Step::Keep(token, awaited)) if awaited.is_empty() => {
                    self.ask_replica(ctx, |replica, ctx| replica.on_persisted(token, ctx));
                }
                Some(Step::Tell) => has_news = true,
                Some(Step::Do(output)) => carry_out(output, step, ctx),
                Some(waits @ Step::Keep(..)) => {
                    self.wants.push_front(waits);
                    break;
                }
                None => break,
            }
        }
        if has_news {
            self.read(step);
        }
    }

    /// Tells the organisation what was decided outside: one register a decision, so that telling it
    /// again changes nothing.
    fn read(&mut self, step: &mut DelegateStep) {
        let replica = self.replica.as_ref().and_then(Elector::as_replica);
        let list = replica.map(|replica| replica.state().store.entries());
        let news = list.map(|list| self.minutes.news_by_authors::<R>(list));
        for proposal in news.into_iter().flatten() {
            let id = self.next_request();
            step.writes.push((id, OUTER + self.told, proposal.entry()));
            self.told += 1;
        }
    }
}

/// Carries out one output.
fn carry_out<R: Rules>(output: Output<Elector<R>>, step: &mut DelegateStep, ctx: &mut Ctx<'_, R>) {
    match output {
        Output::Send { to, payload } => step.sends.push((to, (*payload).clone())),
        Output::SetTimer { timer, after } => ctx.set_timer(StackTimer::Pbft { timer }, after),
        Output::CancelTimer { timer } => ctx.cancel_timer(StackTimer::Pbft { timer }),
        Output::Persist { .. } | Output::Reply { .. } | Output::Notify(_) => {}
    }
}

/// The registers that keep what a replica writes into its slots; it has no log.
fn kept(writes: Vec<Write<PbftRecord>>) -> Vec<(u64, Vec<u8>)> {
    let mut registers = Vec::new();
    for write in writes {
        if let Write::Put { slot, record } = write {
            let bytes = borsh::to_vec(&record).expect("writing to memory does not fail");
            registers.push((RECORDS + u64::from(slot), bytes));
        }
    }
    registers
}

fn remembered(store: &Store) -> Durable<PbftRecord> {
    let mut durable = Durable::default();
    for (key, value) in store.registers(RECORDS..OUTER) {
        let record = PbftRecord::try_from_slice(value.as_bytes());
        let stored = record.map_or(Stored::Damaged, Stored::Intact);
        durable.slots.insert((key - RECORDS) as u32, stored);
    }
    durable
}
