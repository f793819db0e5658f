//! One machine on a desk: every input by hand, every output in sight.

use std::sync::Arc;

use crate::identity::{KeyScheme, Keys};
use crate::outbox::{Outbox, Output, PersistToken, RequestId, Write};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};
use crate::raft::{
    Configuration, Entries, Entry, EntryKind, InitialState, Operation, Paper, Raft, RaftConfig,
    RaftEvent, RaftMessage, RaftPeer, RaftRecord, RaftReply, RaftRequest, RaftTimer, RaftView,
    Rules, VoteKind,
};
use crate::random::{RunKey, Stream, StreamLabel};
use crate::tabletop::secret_seed;
use crate::time::{LocalTime, SimDuration};

/// What came out of one input, in order, each kind for itself.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// Every output in order, by kind and receiver, for whole-outbox comparisons.
    pub(super) order: Vec<String>,
    pub(super) sent: Vec<(u32, RaftMessage)>,
    pub(super) events: Vec<RaftEvent>,
    pub(super) replies: Vec<RaftReply>,
}

pub(super) struct Desk<R: Rules = Paper> {
    pub(super) machine: RaftPeer<R>,
    rng: Stream,
    keys: Keys,
    pub(super) now: LocalTime,
    /// Writes not yet durable, oldest first.
    pub(super) writing: Vec<(PersistToken, Vec<Write<RaftRecord>>)>,
    pub(super) disk: Durable<RaftRecord>,
}

/// No features beyond the paper's figure 2.
pub(super) fn bare() -> RaftConfig {
    RaftConfig {
        pre_vote: false,
        leader_stickiness: false,
        check_quorum: false,
        ..RaftConfig::default()
    }
}

/// Server 0 of `voters` with this log, in the term of its last entry.
pub(super) fn with_log(voters: u32, terms: &[u64], commit: u64) -> InitialState {
    InitialState {
        term: terms.last().copied().unwrap_or(0),
        vote: None,
        log_terms: terms.to_vec(),
        commit,
        configuration: Configuration::of_voters((0..voters).map(PeerId)),
    }
}

impl Desk {
    pub(super) fn new(config: RaftConfig, initial: InitialState) -> Self {
        Self::with_rules(config, initial)
    }
}

impl<R: Rules> Desk<R> {
    /// A started server 0 whose initial state is on disk.
    pub(super) fn with_rules(config: RaftConfig, initial: InitialState) -> Self {
        let label = StreamLabel {
            purpose: "protocol",
            peer: 0,
            incarnation: 0,
        };
        let mut desk = Self {
            machine: Raft::from_state(PeerId(0), Arc::new(config), initial).into(),
            rng: Stream::new(RunKey::from_seed(1), label),
            keys: Keys::new(KeyScheme::ideal([7; 32]), secret_seed(1, 0)),
            now: LocalTime::default(),
            writing: Vec::new(),
            disk: Durable::default(),
        };
        desk.input(|machine, ctx| machine.on_start(ctx));
        desk.sync();
        desk
    }

    pub(super) fn view(&self) -> RaftView {
        self.machine.as_server().expect("a server").view()
    }

    pub(super) fn input(
        &mut self,
        handler: impl FnOnce(&mut RaftPeer<R>, &mut Context<'_, RaftPeer<R>>),
    ) -> Out {
        let mut outbox = Outbox::new();
        let me = PeerId(0);
        let mut ctx = Context::new(self.now, me, &mut self.rng, &mut self.keys, &mut outbox);
        handler(&mut self.machine, &mut ctx);
        let mut out = Out::default();
        for output in outbox.drain() {
            out.order
                .push(self.take(output, &mut out.sent, &mut out.events, &mut out.replies));
        }
        out
    }

    fn take(
        &mut self,
        output: Output<RaftPeer<R>>,
        sent: &mut Vec<(u32, RaftMessage)>,
        events: &mut Vec<RaftEvent>,
        replies: &mut Vec<RaftReply>,
    ) -> String {
        match output {
            Output::Send { to, payload } => {
                let kind = crate::Message::kind(&*payload);
                sent.push((to.0, (*payload).clone()));
                let kinds = <RaftMessage as crate::Message>::KINDS;
                format!("send {} to {to}", kinds[kind])
            }
            Output::SetTimer { timer, .. } => format!("set {timer:?}"),
            Output::CancelTimer { timer } => format!("cancel {timer:?}"),
            Output::Persist { token, writes } => {
                self.writing.push((token, writes));
                "persist".to_owned()
            }
            Output::Reply { reply, .. } => {
                replies.push(reply);
                "reply".to_owned()
            }
            Output::Notify(event) => {
                let name = crate::Event::name(&event);
                events.push(event);
                name.to_owned()
            }
        }
    }

    pub(super) fn hand(&mut self, from: u32, message: RaftMessage) -> Out {
        self.input(|machine, ctx| machine.on_message(PeerId(from), &message, ctx))
    }

    pub(super) fn fire(&mut self, timer: RaftTimer) -> Out {
        self.input(|machine, ctx| machine.on_timer(timer, ctx))
    }

    pub(super) fn ask(&mut self, id: u64, request: RaftRequest) -> Out {
        self.input(|machine, ctx| machine.on_request(RequestId(id), request, ctx))
    }

    /// Writes number to `key`.
    pub(super) fn put(&mut self, id: u64, key: u64) -> Out {
        let value = id.into();
        let operation = Operation::Write { key, value };
        self.ask(id, RaftRequest::Operate { operation })
    }

    /// Makes the `nth` write under way durable, out of order if it is not the first.
    pub(super) fn sync_nth(&mut self, nth: usize) -> Out {
        let (token, writes) = self.writing.remove(nth);
        writes.into_iter().for_each(|write| self.disk.apply(write));
        self.input(|machine, ctx| machine.on_persisted(token, ctx))
    }

    /// Makes everything durable, in order.
    pub(super) fn sync(&mut self) -> Out {
        let mut all = Out::default();
        while !self.writing.is_empty() {
            let out = self.sync_nth(0);
            all.order.extend(out.order);
            all.sent.extend(out.sent);
            all.events.extend(out.events);
            all.replies.extend(out.replies);
        }
        all
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now = self.now + SimDuration::from_millis(ms);
    }

    /// Loses what is not durable and starts over.
    pub(super) fn crash(&mut self, config: RaftConfig, voters: u32) -> Out {
        let configuration = Configuration::of_voters((0..voters).map(PeerId));
        self.writing.clear();
        self.machine = Raft::new(PeerId(0), Arc::new(config), configuration).into();
        let durable = self.disk.clone();
        self.input(|machine, ctx| machine.on_restart(durable, ctx))
    }

    /// Makes it the leader of its next term by the votes of `voters`.
    pub(super) fn elect(&mut self, voters: &[u32]) -> Out {
        self.fire(RaftTimer::Election);
        self.sync();
        let term = self.view().term;
        let mut out = Out::default();
        for voter in voters {
            out = self.hand(*voter, vote_reply(term, true));
        }
        out
    }
}

pub(super) fn vote_reply(term: u64, granted: bool) -> RaftMessage {
    let pre = false;
    RaftMessage::VoteReply { term, pre, granted }
}

pub(super) fn request_vote(
    term: u64,
    (last_index, last_term): (u64, u64),
    kind: VoteKind,
) -> RaftMessage {
    RaftMessage::RequestVote {
        term,
        last_index,
        last_term,
        kind,
    }
}

/// An append of entries with these terms behind `prev`.
pub(super) fn append(
    term: u64,
    (prev_index, prev_term): (u64, u64),
    terms: &[u64],
    commit: u64,
) -> RaftMessage {
    let kind = EntryKind::Noop;
    let entry = |term: &u64| Entry {
        term: *term,
        kind: kind.clone(),
    };
    let entries: Entries = terms.iter().map(entry).collect();
    RaftMessage::Append {
        term,
        prev_index,
        prev_term,
        commit,
        round: 1,
        entries,
    }
}

pub(super) fn accepted(term: u64, round: u64, index: u64) -> RaftMessage {
    RaftMessage::AppendAccepted { term, round, index }
}
