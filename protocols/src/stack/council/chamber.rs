//! A council that decides by Raft: a server and a client of it on every member.

use std::sync::Arc;

use crate::federation::rules::Rules;
use crate::outbox::{Outbox, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};
use crate::raft::{
    Configuration, Operation, Raft, RaftClient, RaftConfig, RaftEvent, RaftMessage, RaftPeer,
    RaftRecord, RaftReply, RaftRequest, RaftTimer, Store, Value,
};

use super::minutes::Minutes;
use super::{LIST, OUTER, Proposal, Tidings};
use crate::stack::lodger::{self, Said};
use crate::stack::{Ctx, Scope, StackEvent};
use crate::time::SimDuration;

/// How often the only member of a council does what leaders do for others.
const ALONE: SimDuration = SimDuration::from_secs(3_600);

/// The configuration for so many members: one alone has nobody to tell and nobody to hear.
fn paced(config: &Arc<RaftConfig>, members: usize) -> Arc<RaftConfig> {
    match members {
        1 => Arc::new(RaftConfig {
            heartbeat_interval: ALONE,
            check_quorum: false,
            ..RaftConfig::clone(config)
        }),
        _ => Arc::clone(config),
    }
}

/// A member's part in a Raft council.
pub(in crate::stack) struct Chamber {
    members: Vec<PeerId>,
    server: RaftPeer,
    client: RaftPeer,
    outbox: Outbox<RaftPeer>,
    minutes: Minutes,
    /// Whom its decisions bind.
    scope: Scope,
    /// The register of the next decision of the outer council.
    outer: u64,
}

/// What a step of the chamber left to be done.
#[derive(Default)]
pub(in crate::stack) struct ChamberStep {
    /// To be carried.
    pub(in crate::stack) sends: Vec<(PeerId, RaftMessage)>,
    /// To be told.
    pub(in crate::stack) tidings: Vec<Tidings>,
    /// Answers to what was put to the server itself.
    pub(in crate::stack) answers: Vec<(RequestId, bool)>,
    /// Whether the server began to lead, or ceased to.
    pub(in crate::stack) leads: Option<bool>,
}

impl Chamber {
    /// The part of peer `me` in a council of `members`.
    pub(in crate::stack) fn new(
        me: PeerId,
        config: &Arc<RaftConfig>,
        (scope, members): (Scope, &[PeerId]),
    ) -> Self {
        let config = &paced(config, members.len());
        let voters = Configuration::of_voters(members.iter().copied());
        let client = RaftClient::new(Arc::clone(config), members.to_vec());
        Self {
            members: members.to_vec(),
            server: Raft::new(me, Arc::clone(config), voters).into(),
            client: client.into(),
            outbox: Outbox::new(),
            minutes: Minutes::default(),
            scope,
            outer: OUTER,
        }
    }

    pub(in crate::stack) fn server(&self) -> &RaftPeer {
        &self.server
    }

    /// The store as far as this member has applied it.
    pub(in crate::stack) fn store(&self) -> Option<&Store> {
        self.server
            .as_server()
            .map(|server| &server.machine().store)
    }

    pub(in crate::stack) fn on_start<R: Rules>(&mut self, ctx: &mut Ctx<'_, R>) -> ChamberStep {
        self.step(ctx, |server, _, ctx| server.on_start(ctx))
    }

    pub(in crate::stack) fn on_restart<R: Rules>(
        &mut self,
        durable: Durable<RaftRecord>,
        ctx: &mut Ctx<'_, R>,
    ) -> ChamberStep {
        self.step(ctx, |server, _, ctx| server.on_restart(durable, ctx))
    }

    pub(in crate::stack) fn on_message<R: Rules>(
        &mut self,
        from: PeerId,
        message: &RaftMessage,
        ctx: &mut Ctx<'_, R>,
    ) -> ChamberStep {
        if !self.members.contains(&from) {
            // Raft believes whoever speaks to it.
            let reason = "raft-of-a-stranger";
            ctx.notify(StackEvent::Rejected { reason });
            return ChamberStep::default();
        }
        let is_answer = matches!(
            message,
            RaftMessage::Registered { .. } | RaftMessage::Answer { .. }
        );
        self.step(ctx, |server, client, ctx| match is_answer {
            true => client.on_message(from, message, ctx),
            false => server.on_message(from, message, ctx),
        })
    }

    pub(in crate::stack) fn on_timer<R: Rules>(
        &mut self,
        timer: RaftTimer,
        ctx: &mut Ctx<'_, R>,
    ) -> ChamberStep {
        let is_clients = matches!(timer, RaftTimer::Retry { .. } | RaftTimer::GiveUp { .. });
        self.step(ctx, |server, client, ctx| match is_clients {
            true => client.on_timer(timer, ctx),
            false => server.on_timer(timer, ctx),
        })
    }

    pub(in crate::stack) fn on_persisted<R: Rules>(
        &mut self,
        token: crate::outbox::PersistToken,
        ctx: &mut Ctx<'_, R>,
    ) -> ChamberStep {
        self.step(ctx, |server, _, ctx| server.on_persisted(token, ctx))
    }

    /// Puts a proposal, exactly once; `id` is given back if it fails.
    pub(in crate::stack) fn propose<R: Rules>(
        &mut self,
        id: RequestId,
        proposal: &Proposal,
        ctx: &mut Ctx<'_, R>,
    ) -> ChamberStep {
        let operation = Operation::Append {
            key: LIST,
            value: Value::from(proposal.entry().as_slice()),
        };
        self.step(ctx, |_, client, ctx| {
            client.on_request(id, RaftRequest::Operate { operation }, ctx);
        })
    }

    /// Writes a register as the leader; answered under `id`.
    pub(in crate::stack) fn write<R: Rules>(
        &mut self,
        id: RequestId,
        key: u64,
        value: &[u8],
        ctx: &mut Ctx<'_, R>,
    ) -> ChamberStep {
        let operation = Operation::Write {
            key,
            value: Value::from(value),
        };
        self.step(ctx, |server, _, ctx| {
            server.on_request(id, RaftRequest::Operate { operation }, ctx);
        })
    }

    fn step<R: Rules>(
        &mut self,
        ctx: &mut Ctx<'_, R>,
        input: impl FnOnce(&mut RaftPeer, &mut RaftPeer, &mut Context<'_, RaftPeer>),
    ) -> ChamberStep {
        let mut inner = ctx.lend(&mut self.outbox);
        input(&mut self.server, &mut self.client, &mut inner);
        let mut step = ChamberStep::default();
        let mut has_news = false;
        for said in lodger::settle(&mut self.outbox, ctx) {
            match said {
                Said::Send(to, message) => step.sends.push((to, message)),
                Said::Reply(id, reply) => answer(id, &reply, &mut step),
                Said::Event(event) => has_news |= heard(&event, &mut step),
            }
        }
        if has_news {
            self.read(&mut step);
        }
        step
    }

    fn read(&mut self, step: &mut ChamberStep) {
        let Some(server) = self.server.as_server() else {
            return;
        };
        let store = &server.machine().store;
        let list = store.get(LIST).map(Value::as_bytes).unwrap_or_default();
        let news = self.minutes.news(list).into_iter();
        let scope = self.scope;
        step.tidings
            .extend(news.map(|proposal| Tidings::Decided(scope, proposal)));
        for (key, entry) in store.registers(self.outer..u64::MAX) {
            if key != self.outer {
                break;
            }
            self.outer += 1;
            let news = Minutes::default().news(entry.as_bytes()).into_iter();
            let decided = |proposal| Tidings::Decided(Scope::Federation, proposal);
            step.tidings.extend(news.map(decided));
        }
    }
}

fn answer(id: RequestId, reply: &RaftReply, step: &mut ChamberStep) {
    let is_done = matches!(reply, RaftReply::Ok { .. });
    step.answers.push((id, is_done));
    if !is_done {
        step.tidings.push(Tidings::Failed(id));
    }
}

/// Notes who leads; whether the store may hold something new.
fn heard(event: &RaftEvent, step: &mut ChamberStep) -> bool {
    let becomes_leader = matches!(event, RaftEvent::LeaderElected { .. });
    if becomes_leader || matches!(event, RaftEvent::BecameFollower { .. }) {
        step.leads = Some(becomes_leader);
    }
    matches!(
        event,
        RaftEvent::Applied { .. } | RaftEvent::SnapshotInstalled { .. }
    )
}
