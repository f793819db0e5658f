//! A council that decides by PBFT: a client of it on every member, and a replica on those that vote.

use std::sync::Arc;

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
    /// What it signs with if its peer may sign with another key by now than the roster lists.
    seal: Option<Keys>,
}

/// What a step of the assembly left to be done.
#[derive(Default)]
pub(in crate::stack) struct AssemblyStep {
    /// To be carried.
    pub(in crate::stack) sends: Vec<(PeerId, PbftMessage)>,
    /// To be told.
    pub(in crate::stack) tidings: Vec<Tidings>,
}

impl<R: Rules> Assembly<R> {
    /// A member's part in the council of `roster`; `votes` if it is a replica itself. The
    /// roster lists it under `seal`, or under the key that it signs with.
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
            seal,
        }
    }

    pub(in crate::stack) fn replica(&self) -> Option<&Elector<R>> {
        self.replica.as_ref()
    }

    pub(in crate::stack) fn client(&self) -> &Elector<R> {
        &self.client
    }

    pub(in crate::stack) fn on_start(&mut self, ctx: &mut Ctx<'_, R>) -> AssemblyStep {
        self.step(ctx, |replica, client, ctx| {
            replica
                .into_iter()
                .for_each(|replica| replica.on_start(ctx));
            client.on_start(ctx);
        })
    }

    pub(in crate::stack) fn on_restart(
        &mut self,
        durable: Durable<PbftRecord>,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        self.step(ctx, |replica, client, ctx| {
            client.on_restart(durable.clone(), ctx);
            if let Some(replica) = replica {
                replica.on_restart(durable, ctx);
            }
        })
    }

    pub(in crate::stack) fn on_message(
        &mut self,
        from: PeerId,
        message: &PbftMessage,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let to_client = matches!(
            message,
            PbftMessage::Reply { .. } | PbftMessage::StateReply { .. }
        );
        let to_replica = !matches!(message, PbftMessage::Reply { .. });
        self.step(ctx, |replica, client, ctx| {
            if to_client {
                client.on_message(from, message, ctx);
            }
            if let Some(replica) = replica.filter(|_| to_replica) {
                replica.on_message(from, message, ctx);
            }
        })
    }

    pub(in crate::stack) fn on_timer(
        &mut self,
        timer: PbftTimer,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        self.step(ctx, |replica, client, ctx| match (timer, replica) {
            (PbftTimer::AskAgain, _) => client.on_timer(timer, ctx),
            (_, Some(replica)) => replica.on_timer(timer, ctx),
            (_, None) => {}
        })
    }

    pub(in crate::stack) fn on_persisted(
        &mut self,
        token: PersistToken,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        self.step(ctx, |replica, _, ctx| {
            if let Some(replica) = replica {
                replica.on_persisted(token, ctx);
            }
        })
    }

    /// Puts a proposal, exactly once; `id` is given back if it fails.
    pub(in crate::stack) fn propose(
        &mut self,
        id: RequestId,
        proposal: &Proposal,
        ctx: &mut Ctx<'_, R>,
    ) -> AssemblyStep {
        let value = proposal.bytes();
        let operation = Operation::Enter { value };
        self.step(ctx, |_, client, ctx| client.on_request(id, operation, ctx))
    }

    fn step(
        &mut self,
        ctx: &mut Ctx<'_, R>,
        input: impl FnOnce(Option<&mut Elector<R>>, &mut Elector<R>, &mut Context<'_, Elector<R>>),
    ) -> AssemblyStep {
        let mut inner = match &mut self.seal {
            Some(seal) => ctx.lend_as(seal, &mut self.outbox),
            None => ctx.lend(&mut self.outbox),
        };
        input(self.replica.as_mut(), &mut self.client, &mut inner);
        let mut step = AssemblyStep::default();
        let mut has_news = false;
        for said in lodger::settle(&mut self.outbox, ctx) {
            match said {
                Said::Send(to, message) => step.sends.push((to, message)),
                Said::Reply(id, Outcome::Refused {}) => step.tidings.push(Tidings::Failed(id)),
                Said::Reply(_, _) => {}
                Said::Event(event) => has_news |= brings_news(&event),
            }
        }
        if has_news {
            self.read(&mut step);
        }
        step
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
