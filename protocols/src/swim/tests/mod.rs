//! Tests of the SWIM machine, one file per kind of input.
//!
//! [`Solo`] is one machine in slot 0 whose outputs are seen one input at a time; whole groups sit
//! at a [`Tabletop`](crate::tabletop::Tabletop).

mod group;
mod mutants;
mod news;
mod precedence;
mod probe;
mod properties;
mod request;
mod start;
mod statistics;
mod suspicion;
mod vectors;

use std::sync::Arc;

use super::*;
use crate::identity::{KeyScheme, Keys};
use crate::outbox::{Outbox, Output, Write};
use crate::random::{RunKey, Stream, StreamLabel};
use crate::tabletop::secret_seed;
use crate::time::SimDuration;

const SEED: u64 = 5;
const ME: PeerId = PeerId(0);

fn keys(slot: u32) -> Keys {
    Keys::new(KeyScheme::ideal([7; 32]), secret_seed(SEED, slot))
}

/// The `count`-th incarnation of a first generation.
fn nth(count: u64) -> Incarnation {
    Incarnation(Incarnation::FIRST.0 + count)
}

fn alive_content(slot: u32, incarnation: Incarnation) -> Alive {
    Alive {
        key: keys(slot).public(),
        address: PeerId(slot),
        nickname: Nickname(format!("peer-{slot}").into()),
        incarnation,
        leaving: false,
    }
}

fn alive(slot: u32, incarnation: Incarnation) -> Signed<Alive> {
    keys(slot).sign(alive_content(slot, incarnation))
}

fn farewell(slot: u32, incarnation: Incarnation) -> Signed<Alive> {
    keys(slot).sign(Alive {
        leaving: true,
        ..alive_content(slot, incarnation)
    })
}

fn claim(kind: ClaimKind, accuser: u32, subject: Signed<Alive>) -> Signed<Claim> {
    keys(accuser).sign(Claim { kind, subject })
}

fn says(update: Update) -> SwimMessage {
    SwimMessage::Gossip {
        updates: Box::new([update]),
    }
}

fn is_alive(slot: u32, incarnation: Incarnation) -> SwimMessage {
    says(Update::Alive(alive(slot, incarnation)))
}

fn is_suspect(accuser: u32, slot: u32, incarnation: Incarnation) -> SwimMessage {
    let subject = alive(slot, incarnation);
    says(Update::Claim(claim(ClaimKind::Suspect, accuser, subject)))
}

fn is_dead(accuser: u32, slot: u32, incarnation: Incarnation) -> SwimMessage {
    let subject = alive(slot, incarnation);
    says(Update::Claim(claim(ClaimKind::Dead, accuser, subject)))
}

/// The news of a message.
fn updates_of(message: &SwimMessage) -> &[Update] {
    match message {
        SwimMessage::Ping { updates, .. }
        | SwimMessage::PingRequest { updates, .. }
        | SwimMessage::Ack { updates, .. }
        | SwimMessage::Nack { updates, .. }
        | SwimMessage::Gossip { updates } => updates,
        SwimMessage::PushPullRequest { state } | SwimMessage::PushPullReply { state } => state,
        SwimMessage::DeadNotice { .. } => &[],
    }
}

/// All outputs of one input, each kind in its order.
#[derive(Debug, Default, PartialEq)]
struct Happened {
    sent: Vec<(PeerId, SwimMessage)>,
    set: Vec<(SwimTimer, SimDuration)>,
    cancelled: Vec<SwimTimer>,
    written: Vec<Incarnation>,
    replies: Vec<(RequestId, SwimReply)>,
    events: Vec<SwimEvent>,
}

/// One machine in slot 0, started, with time and dice of its own.
struct Solo<R: SwimRules = Published> {
    machine: Swim<R>,
    now: LocalTime,
    rng: Stream,
    keys: Keys,
}

impl<R: SwimRules> Solo<R> {
    /// Not started yet.
    fn fresh(config: SwimConfig, seeds: &[u32]) -> Self {
        assert_eq!(config.validate(), Ok(()));
        let seeds = seeds.iter().map(|&slot| PeerId(slot)).collect();
        let machine = Swim::new(Arc::new(config), ME, "peer-0".into(), seeds);
        let label = StreamLabel {
            purpose: "protocol",
            peer: 0,
            incarnation: 0,
        };
        Self {
            machine,
            now: LocalTime::default(),
            rng: Stream::new(RunKey::from_seed(SEED), label),
            keys: keys(0),
        }
    }

    /// In a group with slots 1 to `others`, whom it knows as Alive; nothing is queued.
    fn among(others: u32, config: SwimConfig) -> Self {
        let mut solo = Self::fresh(config, &[]);
        solo.start();
        for slot in 1..=others {
            solo.hand(slot, &is_alive(slot, Incarnation::FIRST));
        }
        solo.machine.queue.clear();
        solo
    }

    fn start(&mut self) -> Happened {
        let mut first = self.input(|machine, ctx| machine.on_start(ctx));
        let second = self.persisted(Incarnation::FIRST);
        first.sent.extend(second.sent);
        first.set.extend(second.set);
        first.events.extend(second.events);
        first
    }

    fn input(&mut self, handler: impl FnOnce(&mut Swim<R>, &mut Context<'_, Swim<R>>)) -> Happened {
        let mut outbox = Outbox::new();
        let mut ctx = Context::new(self.now, ME, &mut self.rng, &mut self.keys, &mut outbox);
        handler(&mut self.machine, &mut ctx);
        let mut happened = Happened::default();
        for output in outbox.drain() {
            happened.take(output);
        }
        happened
    }

    fn hand(&mut self, from: u32, message: &SwimMessage) -> Happened {
        self.input(|machine, ctx| machine.on_message(PeerId(from), message, ctx))
    }

    fn fire(&mut self, timer: SwimTimer) -> Happened {
        self.input(|machine, ctx| machine.on_timer(timer, ctx))
    }

    fn ask(&mut self, id: u64, request: SwimRequest) -> Happened {
        self.input(|machine, ctx| machine.on_request(RequestId(id), request, ctx))
    }

    fn persisted(&mut self, incarnation: Incarnation) -> Happened {
        self.input(|machine, ctx| machine.on_persisted(PersistToken(incarnation.0), ctx))
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now + SimDuration::from_millis(millis);
    }

    fn view_of(&self, slot: u32) -> Option<(Status, Incarnation)> {
        let view = self.machine.view_of(&keys(slot).public())?;
        Some((view.status, view.incarnation))
    }

    /// Where the table keeps a member; in [`Self::among`] that is its slot.
    fn place(&self, slot: u32) -> Place {
        self.machine.members.find(&keys(slot).public()).unwrap()
    }
}

impl Happened {
    fn take<R: SwimRules>(&mut self, output: Output<Swim<R>>) {
        match output {
            Output::Send { to, payload } => self.sent.push((to, (*payload).clone())),
            Output::SetTimer { timer, after } => self.set.push((timer, after)),
            Output::CancelTimer { timer } => self.cancelled.push(timer),
            Output::Persist { writes, .. } => {
                for write in writes {
                    let Write::Put { slot: 0, record } = write else {
                        panic!("an unexpected write: {write:?}");
                    };
                    self.written.push(record.incarnation);
                }
            }
            Output::Reply { request, reply } => self.replies.push((request, reply)),
            Output::Notify(event) => self.events.push(event),
        }
    }

    fn sent_to(&self) -> Vec<u32> {
        self.sent.iter().map(|(to, _)| to.0).collect()
    }
}

fn refused(refusal: Refusal) -> Happened {
    Happened {
        events: vec![SwimEvent::Rejected { refusal }],
        ..Happened::default()
    }
}

#[test]
fn machines_can_be_held_by_a_search() {
    // The bounds are the claim: this compiles only if the machine is a value.
    fn is_value<T: Clone + Eq + std::hash::Hash + Send + Sync>() {}
    is_value::<Swim>();
}
