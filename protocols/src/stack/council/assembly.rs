//! A council that decides by PBFT: a client of it on every member, and a replica on those that vote.
//!
//! Each of the two signs with the key that its own roster lists, which for some time may be another one
//! than its peer acts under: a succession is put to the council like anything else, and the roster
//! follows it at the next checkpoint.

use std::sync::Arc;

use crate::federation::identity::IdentityRecord;
use crate::federation::rules::Rules;
use crate::identity::Keys;
use crate::outbox::{Outbox, PersistToken, RequestId};
use crate::pbft::{
    Operation, Outcome, PbftConfig, PbftEvent, PbftMessage, PbftRecord, PbftTimer, Roster,
};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};

use super::minutes::Minutes;
use super::{Elector, Proposal, Tidings};
use crate::stack::lodger::{self, Said};
use crate::stack::{Ctx, Scope};

/// A member's part in a PBFT council.
pub(in crate::stack) struct Assembly<R: Rules> {
    /// None where the organisation's delegate votes.
    replica: Option<Elector<R>>,
    client: Elector<R>,
    outbox: Outbox<Elector<R>>,
    minutes: Minutes,
    /// What replica and client sign with if their peer may take up other keys.
    seals: Option<[Keys; 2]>,
    /// How often it put a key to the council.
    rekeyings: u64,
}

/// The ids under which keys are put to the council; nobody waits for what comes of it.
const REKEYINGS: u64 = 1 << 61;

/// What a step of the assembly left to be done.
#[derive(Default)]
pub(in crate::stack) struct AssemblyStep {
    /// To be carried.
    pub(in crate::stack) sends: Vec<(PeerId, PbftMessage)>,
    /// To be told.
    pub(in crate::stack) tidings: Vec<Tidings>,
}

impl<R: Rules> Assembly<R> {
    /// A member's part in the council of `roster`; `votes` if it is a replica itself. With a `seal` it
    /// signs with that, else with the keys of its peer.
    pub(in crate::stack) fn new(
        config: &Arc<PbftConfig>,
        roster: &Arc<Roster>,
        votes: bool,
        seal: Option<Keys>,
    ) -> Self {
        let replica = || Elector::replica(Arc::clone(config), Arc::clone(roster));
        Self {
            replica: votes.then(replica),
            client: Elector::client(Arc::clone(config), Arc::clone(roster)),
            outbox: Outbox::new(),
            minutes: Minutes::default(),
            seals: seal.map(|seal| [seal.clone(), seal]),
            rekeyings: 0,
        }
    }

    pub(in crate::stack) fn replica(&self) -> Option<&Elector<R>> {
        self.replica.as_ref()
    }

    pub(in crate::stack) fn client(&self) -> &Elector<R> {
        &self.client
    }

    pub(in crate::stack) fn on_start(&mut self, ctx: &mut Ctx<'_, R>) -> AssemblyStep {
        let mut step = AssemblyStep::default();
        self.as_replica(&mut step, ctx, |replica, ctx| replica.on_start(ctx));
        self.as_client(&mut step, ctx, |client, ctx| client.on_start(ctx));
        step
    }

    pub(in crate::stack) fn on_restart(
        &mut self,
        durable: Durable<PbftRecord>,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let mut step = AssemblyStep::default();
        let share = durable.clone();
        self.as_client(&mut step, ctx, |client, ctx| client.on_restart(share, ctx));
        self.as_replica(&mut step, ctx, |replica, ctx| {
            replica.on_restart(durable, ctx);
        });
        step
    }

    pub(in crate::stack) fn on_message(
        &mut self,
        from: PeerId,
        message: &PbftMessage,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let mut step = AssemblyStep::default();
        let is_reply = matches!(message, PbftMessage::Reply { .. });
        if is_reply || matches!(message, PbftMessage::StateReply { .. }) {
            self.as_client(&mut step, ctx, |client, ctx| {
                client.on_message(from, message, ctx);
            });
        }
        if !is_reply {
            self.as_replica(&mut step, ctx, |replica, ctx| {
                replica.on_message(from, message, ctx);
            });
        }
        step
    }

    pub(in crate::stack) fn on_timer(
        &mut self,
        timer: PbftTimer,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let mut step = AssemblyStep::default();
        match timer {
            PbftTimer::AskAgain => self.as_client(&mut step, ctx, |client, ctx| {
                client.on_timer(timer, ctx);
            }),
            _ => self.as_replica(&mut step, ctx, |replica, ctx| replica.on_timer(timer, ctx)),
        }
        step
    }

    pub(in crate::stack) fn on_persisted(
        &mut self,
        token: PersistToken,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let mut step = AssemblyStep::default();
        self.as_replica(&mut step, ctx, |replica, ctx| {
            replica.on_persisted(token, ctx);
        });
        step
    }

    /// Puts a proposal, exactly once; `id` is given back if it fails.
    pub(in crate::stack) fn propose(
        &mut self,
        id: RequestId,
        proposal: &Proposal,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let value = proposal.bytes();
        self.ask(id, Operation::Enter { value }, ctx)
    }

    /// Has the roster follow what became of a key, by whoever said so.
    pub(in crate::stack) fn rekey(
        &mut self,
        record: &IdentityRecord,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        self.rekeyings += 1;
        let proof = borsh::to_vec(record).expect("writing to memory does not fail");
        let id = RequestId(REKEYINGS | self.rekeyings);
        self.ask(id, Operation::Rekey { proof }, ctx)
    }

    fn ask(&mut self, id: RequestId, operation: Operation, ctx: &mut Ctx<'_, R>) -> AssemblyStep {
        let mut step = AssemblyStep::default();
        self.as_client(&mut step, ctx, |client, ctx| {
            client.on_request(id, operation, ctx);
        });
        step
    }

    fn as_replica(
        &mut self,
        step: &mut AssemblyStep,
        ctx: &mut Ctx<'_, R>,
        input: impl FnOnce(&mut Elector<R>, &mut Context<'_, Elector<R>>),
    ) {
        let Some(replica) = &mut self.replica else {
            return;
        };
        match &mut self.seals {
            Some([seal, _]) => input(replica, &mut ctx.lend_as(seal, &mut self.outbox)),
            None => input(replica, &mut ctx.lend(&mut self.outbox)),
        }
        self.settle(step, ctx);
    }

    fn as_client(
        &mut self,
        step: &mut AssemblyStep,
        ctx: &mut Ctx<'_, R>,
        input: impl FnOnce(&mut Elector<R>, &mut Context<'_, Elector<R>>),
    ) {
        let client = &mut self.client;
        match &mut self.seals {
            Some([_, seal]) => input(client, &mut ctx.lend_as(seal, &mut self.outbox)),
            None => input(client, &mut ctx.lend(&mut self.outbox)),
        }
        self.settle(step, ctx);
    }

    fn settle(&mut self, step: &mut AssemblyStep, ctx: &mut Ctx<'_, R>) {
        let mut has_news = false;
        for said in lodger::settle(&mut self.outbox, ctx) {
            match said {
                Said::Send(to, message) => step.sends.push((to, message)),
                Said::Reply(id, Outcome::Refused {}) if id.0 & REKEYINGS == 0 => {
                    step.tidings.push(Tidings::Failed(id));
                }
                Said::Reply(_, _) => {}
                Said::Event(event) => has_news |= brings_news(&event),
            }
        }
        if has_news {
            self.read(step);
        }
    }

    fn read(&mut self, step: &mut AssemblyStep) {
        let replica = self.replica.as_ref().and_then(Elector::as_replica);
        let list = replica.map(|replica| replica.state().store.entries());
        let news = list.map(|list| self.minutes.news_by_authors::<R>(list));
        let news = news.into_iter().flatten();
        let decided = |proposal| Tidings::Decided(Scope::Federation, proposal);
        step.tidings.extend(news.map(decided));
    }
}

/// Whether the store may hold something that was not there before.
pub(super) fn brings_news(event: &PbftEvent) -> bool {
    matches!(
        event,
        PbftEvent::Executed { .. } | PbftEvent::StateTransferred { .. }
    )
}
