//! SWIM with Lifeguard: who is a member, and who of them is alive, found out by random pings and
//! told by gossip.
//!
//! After Das, Gupta and Motivala, *SWIM* (DSN 2002); Dadgar, Phillips and Currey, *Lifeguard*
//! (DSN-W 2018); and HashiCorp's memberlist where the papers leave a choice. The machine knows
//! slots, keys and its own clock; it must not know names of hosts, how far others are, or who lies:
//! whatever it believes of a member carries that member's signature.
//!
//! **Glossary.** *Member*: an identity (public key) with an address (slot). *Incarnation*: counts
//! how often a member has spoken up; only the member itself can raise it. *Generation*: its upper
//! half, counts starts, restarts and rejoins. *Claim*: somebody's signed word that another is
//! Suspect or Dead, with the other's own signed record inside. *Proxy*: who pings for another.
//! *Local health*: how far a member doubts itself. *Roster*: everyone's first record, given at
//! start.
//!
//! ```text
//!   message            from ──▶ to                  when
//!   ping               member ──▶ member            each protocol period, one
//!   ack                pinged ──▶ pinger            at once; a proxy passes it on
//!   ping-request       member ──▶ k proxies         no ack within the probe timeout
//!   nack               proxy ──▶ member             no ack for the proxy at 80 % of its timeout
//!   gossip             member ──▶ fanout others     each gossip interval, if there is news
//!   push-pull-request  member ──▶ random other      each push-pull interval, and to seeds on join
//!   push-pull-reply    asked ──▶ asker              at once
//!   dead-notice        member ──▶ a dead one        that spoke to it
//! ```
//!
//! ```text
//!   member state, as an observer holds it
//!     (unknown) ──own record──▶ Alive                (unknown) ──claim──▶ Suspect, Dead
//!     Alive ──own probe failed · claim──▶ Suspect    Suspect ──higher incarnation──▶ Alive
//!     Suspect ──timeout · claim──▶ Dead              Alive ──claim──▶ Dead
//!     any ──farewell──▶ Left
//!     Dead, Left ──higher incarnation (refutable) · higher generation (final)──▶ Alive
//! ```
//!
//! **The two published rules for Dead.** `refutable` (memberlist): the higher incarnation wins, at
//! equal incarnation Left > Dead > Suspect > Alive; a member that hears of its death refutes it.
//! `final` (SWIM 2002): Dead overrides Alive and Suspect of its generation whatever their
//! incarnations, and nothing of that generation overrides Dead; to come back is to be somebody new.
//! A member that speaks to somebody who holds it for dead is told so ("you are dead", as in `foca`),
//! and under `final` rejoins with the next generation.
//!
//! Departs from memberlist: Dead is not forgotten after a while, so an old record replayed late
//! never revives anyone; dead members may be drawn for push-pull
//! ([`SwimConfig::push_pull_to_dead`]), so halves that parted for long merge again; all records are
//! signed. Departs from SWIM 2002: gossip and push-pull beside the pings, each of which
//! [`SwimConfig::swim_2002`] turns off.
//!
//! Start reading at [`Swim`], then `news.rs` for what replaces what; the rules themselves, each open
//! to being broken by a test, are [`SwimRules`].

mod config;
mod dissemination;
mod event;
mod health;
mod members;
mod membership;
mod message;
mod news;
mod places;
mod probe;
mod push_pull;
mod rules;
mod suspicion;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::fold_enum;
use crate::identity::PublicKey;
use crate::outbox::{PersistToken, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol};
use crate::signed::Signed;
use crate::time::LocalTime;

pub use config::{Bootstrap, DeadRule, ProbeOrder, SwimConfig};
pub use event::{Refusal, SwimEvent};
pub use members::{Place, Roster};
pub use message::{
    Alive, Claim, ClaimKind, Incarnation, Nickname, SwimMessage, SwimRecord, SwimReply,
    SwimRequest, Update,
};
pub use push_pull::push_pull_interval;
pub use rules::{ClaimProof, Published, RecordProof, Status, SuspicionTerms, SwimRules, View};
pub use suspicion::suspicion_terms;

use dissemination::UpdateQueue;
use health::LocalHealth;
use members::Members;
use membership::{Join, Stage};
use probe::{Probe, ProbeList, Relay};
use suspicion::Suspicion;

/// What a SWIM member waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SwimTimer {
    /// The protocol period ends: judge the probe, start the next.
    Period,
    /// The direct ack is late: ask proxies.
    ProbeTimeout,
    /// A ping for somebody else was not answered: send a nack, then forget it.
    Relay {
        /// The number of that ping.
        sequence: u32,
    },
    /// A suspect has not refuted: declare it dead.
    Suspicion {
        /// Whose suspicion.
        place: Place,
    },
    /// Send news to a few.
    Gossip,
    /// Exchange full state with one.
    PushPull,
    /// No seed answered: ask again.
    JoinRetry,
    /// The farewell has had its time.
    LeaveTimeout,
}

fold_enum!(SwimTimer {
    0 = Period {},
    1 = ProbeTimeout {},
    2 = Relay { sequence },
    3 = Suspicion { place },
    4 = Gossip {},
    5 = PushPull {},
    6 = JoinRetry {},
    7 = LeaveTimeout {},
});

/// One member of a SWIM group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Swim<R: SwimRules = Published> {
    config: Arc<SwimConfig>,
    me: PeerId,
    nickname: Arc<str>,
    seeds: Arc<[PeerId]>,
    roster: Option<Roster>,
    stage: Stage,
    /// One's own key; all zeros until started.
    key: PublicKey,
    /// One's own place in the table.
    place: Place,
    /// An incarnation that is not durable yet.
    pending: Option<Incarnation>,
    join: Option<Join>,
    members: Members,
    probe_list: ProbeList,
    probe: Option<Probe>,
    /// The number of the last ping sent.
    sequence: u32,
    /// Pings for others, by their number.
    relays: BTreeMap<u32, Relay>,
    suspicions: BTreeMap<Place, Suspicion>,
    queue: UpdateQueue,
    gossip_due: bool,
    /// Who is dead, by slot, to tell them.
    dead_at: BTreeMap<PeerId, Place>,
    /// Deaths in the order they were learned, as long as the dead get gossip.
    recently_dead: VecDeque<(LocalTime, Place)>,
    health: LocalHealth,
    rules: PhantomData<R>,
}

impl<R: SwimRules> Swim<R> {
    /// A member that knows nobody but its `seeds`; oneself among them does no harm, and without any
    /// it is a group of one that waits to be asked.
    pub fn new(
        config: Arc<SwimConfig>,
        me: PeerId,
        nickname: Arc<str>,
        seeds: Arc<[PeerId]>,
    ) -> Self {
        Self {
            config,
            me,
            nickname,
            seeds,
            roster: None,
            stage: Stage::Down,
            key: PublicKey([0; 32]),
            place: Place(0),
            pending: None,
            join: None,
            members: Members::default(),
            probe_list: ProbeList::default(),
            probe: None,
            sequence: 0,
            relays: BTreeMap::new(),
            suspicions: BTreeMap::new(),
            queue: UpdateQueue::default(),
            gossip_due: false,
            dead_at: BTreeMap::new(),
            recently_dead: VecDeque::new(),
            health: LocalHealth::default(),
            rules: PhantomData,
        }
    }

    /// A member that starts with everyone's first record. After a restart it asks its `seeds` for
    /// what has changed, or random members of the roster if it has none.
    pub fn with_roster(
        config: Arc<SwimConfig>,
        me: PeerId,
        nickname: Arc<str>,
        seeds: Arc<[PeerId]>,
        roster: Roster,
    ) -> Self {
        Self {
            roster: Some(roster),
            ..Self::new(config, me, nickname, seeds)
        }
    }

    /// The settings.
    pub fn config(&self) -> &SwimConfig {
        &self.config
    }

    /// Everyone known, oneself included, in the order of learning: the latest own record that was
    /// believed, and what is believed of him.
    pub fn members(&self) -> impl Iterator<Item = (&Signed<Alive>, Status)> {
        let members = self.members.iter();
        members.map(|(_, member)| (&member.record, member.status))
    }

    /// What is held of the member with this key.
    pub fn view_of(&self, key: &PublicKey) -> Option<View> {
        let place = self.members.find(key)?;
        Some(self.members.get(place).view())
    }

    /// Members that are Alive or Suspect, oneself included.
    pub fn live_members(&self) -> u32 {
        self.members.live()
    }

    /// The local health score; 0 is healthy.
    pub fn health_score(&self) -> u32 {
        self.health.score()
    }

    fn hear_message(&mut self, from: PeerId, message: &SwimMessage, ctx: &mut Context<'_, Self>) {
        match message {
            SwimMessage::Ping {
                sequence,
                target,
                updates,
            } => self.on_ping(from, *sequence, target, updates, ctx),
            SwimMessage::PingRequest {
                sequence,
                target,
                address,
                wants_nack,
                updates,
            } => {
                let relay = Relay::new(from, *sequence, *address, *wants_nack);
                self.on_ping_request(relay, *target, updates, ctx);
            }
            SwimMessage::Ack { sequence, updates } => self.on_ack(from, *sequence, updates, ctx),
            SwimMessage::Nack { sequence, updates } => self.on_nack(from, *sequence, updates, ctx),
            SwimMessage::Gossip { updates } => self.hear_all(updates, ctx),
            SwimMessage::PushPullRequest { state } => self.on_push_pull_request(from, state, ctx),
            SwimMessage::PushPullReply { state } => self.on_push_pull_reply(state, ctx),
            SwimMessage::DeadNotice { claim } => self.on_dead_notice(claim, ctx),
        }
    }
}

impl<R: SwimRules> Protocol for Swim<R> {
    type Message = SwimMessage;
    type Timer = SwimTimer;
    type Record = SwimRecord;
    type Event = SwimEvent;
    type Request = SwimRequest;
    type Reply = SwimReply;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        self.begin(Incarnation::FIRST, ctx);
    }

    fn on_restart(&mut self, durable: Durable<SwimRecord>, ctx: &mut Context<'_, Self>) {
        self.begin_again(&durable, ctx);
    }

    fn on_message(&mut self, from: PeerId, message: &SwimMessage, ctx: &mut Context<'_, Self>) {
        match self.stage {
            Stage::Down | Stage::Starting => {}
            Stage::Left => self.answer_from_beyond(from, message, ctx),
            Stage::Member | Stage::Leaving(_) => {
                self.hear_message(from, message, ctx);
                self.tell_the_dead(from, message, ctx);
                self.settle(ctx);
            }
        }
    }

    fn on_timer(&mut self, timer: SwimTimer, ctx: &mut Context<'_, Self>) {
        match self.stage {
            Stage::Down | Stage::Starting | Stage::Left => return,
            Stage::Member | Stage::Leaving(_) => {}
        }
        match timer {
            SwimTimer::Period => self.on_period(ctx),
            SwimTimer::ProbeTimeout => self.on_probe_timeout(ctx),
            SwimTimer::Relay { sequence } => self.on_relay_timeout(sequence, ctx),
            SwimTimer::Suspicion { place } => self.on_suspicion_over(place, ctx),
            SwimTimer::Gossip => self.on_gossip(ctx),
            SwimTimer::PushPull => self.on_push_pull_due(ctx),
            SwimTimer::JoinRetry => self.try_join(ctx),
            SwimTimer::LeaveTimeout => self.fall_silent(ctx),
        }
        self.settle(ctx);
    }

    fn on_request(&mut self, id: RequestId, request: SwimRequest, ctx: &mut Context<'_, Self>) {
        match request {
            SwimRequest::Leave => self.on_leave_request(id, ctx),
            SwimRequest::Join { seeds } => self.on_join_request(id, seeds, ctx),
        }
        self.settle(ctx);
    }

    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Context<'_, Self>) {
        self.on_durable(Incarnation(token.0), ctx);
    }
}
