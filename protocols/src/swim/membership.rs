//! Being a member: start, join, refute, leave, rejoin, restart.
//!
//! ```text
//!   Down ──start, restart──▶ Starting ──incarnation durable──▶ Member ──leave──▶ Leaving ──told──▶ Left
//!                               ▲                                                                  │
//!                               └───────────────────────── join ───────────────────────────────────┘
//! ```

use crate::outbox::{PersistToken, RequestId, Write};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Stored};
use crate::signed::Signed;

use super::config::DeadRule;
use super::event::{Refusal, SwimEvent};
use super::members::{Member, Place};
use super::message::{
    Alive, Claim, ClaimKind, Incarnation, Nickname, SwimMessage, SwimRecord, SwimReply, Update,
};
use super::probe::ProbeList;
use super::rules::{Status, SwimRules};
use super::{Swim, SwimTimer};

/// The slot on disk that holds the [`SwimRecord`].
const INCARNATION_SLOT: u32 = 0;

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Not started.
    Down,
    /// Its incarnation is not durable yet: it hears and says nothing.
    Starting,
    /// In the group.
    Member,
    /// Its farewell is on the way.
    Leaving(RequestId),
    /// Out of the group; it answers pings with its farewell and is silent otherwise.
    Left,
}

/// A join that no seed has answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Join {
    seeds: Vec<PeerId>,
    /// Who is told.
    request: Option<RequestId>,
}

impl<R: SwimRules> Swim<R> {
    /// The first start; who is given a roster has nobody to ask.
    pub(super) fn begin(&mut self, first: Incarnation, ctx: &mut Context<'_, Self>) {
        let join = self.roster.is_none().then(|| self.first_join());
        self.come_up(first, join, ctx);
    }

    fn first_join(&self) -> Join {
        Join {
            seeds: self.seeds.to_vec(),
            request: None,
        }
    }

    fn come_up(&mut self, first: Incarnation, join: Option<Join>, ctx: &mut Context<'_, Self>) {
        self.key = ctx.public_key();
        self.join = join;
        self.raise_to(first, ctx);
        self.stage = Stage::Starting;
    }

    /// A restart: in a new generation after the one on disk, and always asking what was missed.
    pub(super) fn begin_again(
        &mut self,
        durable: &Durable<SwimRecord>,
        ctx: &mut Context<'_, Self>,
    ) {
        let first = match durable.slots.get(&INCARNATION_SLOT) {
            Some(Stored::Intact(record)) => record.incarnation.next_generation(),
            Some(Stored::Damaged) => {
                self.refuse(Refusal::DamagedRecord, ctx);
                Some(Incarnation::FIRST)
            }
            None => Some(Incarnation::FIRST),
        };
        match first {
            Some(first) => self.come_up(first, Some(self.first_join()), ctx),
            None => self.refuse(Refusal::IncarnationsExhausted, ctx),
        }
    }

    /// Makes a new incarnation durable; it is announced when that is done.
    fn raise_to(&mut self, incarnation: Incarnation, ctx: &mut Context<'_, Self>) {
        self.pending = Some(incarnation);
        let record = SwimRecord { incarnation };
        let put = Write::Put {
            slot: INCARNATION_SLOT,
            record,
        };
        ctx.persist(PersistToken(incarnation.0), vec![put]);
    }

    /// The incarnation that is announced, or will be as soon as it is durable.
    fn own_incarnation(&self) -> Incarnation {
        let announced = || self.members.get(self.place).record.incarnation;
        self.pending.unwrap_or_else(announced)
    }

    /// A pending incarnation is durable, unless a higher one is wanted by now.
    pub(super) fn on_durable(&mut self, incarnation: Incarnation, ctx: &mut Context<'_, Self>) {
        if self.pending != Some(incarnation) {
            return;
        }
        self.pending = None;
        match self.stage {
            Stage::Starting => self.enter(incarnation, ctx),
            Stage::Member => self.announce(incarnation, ctx),
            Stage::Down | Stage::Leaving(_) | Stage::Left => {}
        }
    }

    fn sign_own(
        &self,
        incarnation: Incarnation,
        leaving: bool,
        ctx: &mut Context<'_, Self>,
    ) -> Signed<Alive> {
        ctx.sign(Alive {
            key: self.key,
            address: self.me,
            nickname: Nickname(self.nickname.clone()),
            incarnation,
            leaving,
        })
    }

    fn announce(&mut self, incarnation: Incarnation, ctx: &mut Context<'_, Self>) {
        let record = self.sign_own(incarnation, false, ctx);
        self.set_own_record(record, ctx);
        ctx.notify(SwimEvent::Announced { incarnation });
        self.spread(self.place, ctx);
    }

    fn set_own_record(&mut self, record: Signed<Alive>, ctx: &mut Context<'_, Self>) {
        let status = match record.leaving {
            true => Status::Left,
            false => Status::Alive,
        };
        self.members.edit(self.place).record = record;
        self.members.set_status(self.place, status, ctx.now());
    }

    /// The member is in: it speaks up, sets out to probe, and asks its seeds.
    fn enter(&mut self, incarnation: Incarnation, ctx: &mut Context<'_, Self>) {
        self.stage = Stage::Member;
        let is_given_all = self.members.len() == 0 && self.roster.is_some();
        self.take_own_place(incarnation, ctx);
        if is_given_all {
            let members = self.members.live();
            ctx.notify(SwimEvent::Joined { members });
        } else {
            self.resume_suspicions(ctx);
        }
        let period = self.config.protocol_period;
        let phase = ctx.rng().below(period.as_nanos());
        ctx.set_timer(SwimTimer::Period, period.scale(phase, period.as_nanos()));
        let interval = super::push_pull_interval(&self.config, self.members.live());
        if !interval.is_zero() {
            let phase = ctx.rng().below(interval.as_nanos());
            ctx.set_timer(
                SwimTimer::PushPull,
                interval.scale(phase, interval.as_nanos()),
            );
        }
        self.try_join(ctx);
    }

    /// Puts oneself on the list. What a roster says already need not be spread.
    fn take_own_place(&mut self, incarnation: Incarnation, ctx: &mut Context<'_, Self>) {
        if self.members.len() == 0
            && let Some(roster) = &self.roster
        {
            self.members = roster.members.clone();
            let own = self.members.find(&self.key);
            self.probe_list = ProbeList::of_all(self.members.len() as u32, own);
        }
        let Some(place) = self.members.find(&self.key) else {
            let record = self.sign_own(incarnation, false, ctx);
            let own = Member::new(record, Status::Alive, ctx.now());
            self.place = self.members.insert(own);
            ctx.notify(SwimEvent::Announced { incarnation });
            return self.spread(self.place, ctx);
        };
        self.place = place;
        if self.members.get(place).record.incarnation < incarnation {
            self.announce(incarnation, ctx);
        } else {
            ctx.notify(SwimEvent::Announced { incarnation });
        }
    }

    /// Suspects held from before a farewell get their time anew.
    fn resume_suspicions(&mut self, ctx: &mut Context<'_, Self>) {
        let members = self.members.iter();
        let suspects = members.filter(|(_, member)| member.status == Status::Suspect);
        let suspects: Vec<Place> = suspects.map(|(place, _)| place).collect();
        for place in suspects {
            self.time_suspicion(place, self.place, ctx);
        }
    }

    /// Asks every seed for its full state, and again until one answers. Who comes back to a roster
    /// without seeds asks random members of it.
    pub(super) fn try_join(&mut self, ctx: &mut Context<'_, Self>) {
        let Some(join) = &self.join else {
            return;
        };
        let me = self.me;
        let mut seeds: Vec<PeerId> = join.seeds.iter().copied().filter(|&to| to != me).collect();
        if seeds.is_empty() {
            let fanout = (self.config.gossip_fanout as usize).max(1);
            let drawn = self.draw_live(fanout, &[], ctx.rng());
            let address = |place| self.members.get(place).record.address;
            seeds.extend(drawn.into_iter().map(address));
        }
        if seeds.is_empty() {
            return self.finish_join(ctx);
        }
        let state = self.full_state();
        ctx.multicast(seeds, SwimMessage::PushPullRequest { state });
        ctx.set_timer(SwimTimer::JoinRetry, self.config.join_retry);
    }

    /// Any full state that answers will do: its records speak for themselves.
    pub(super) fn on_join_answered(&mut self, ctx: &mut Context<'_, Self>) {
        if self.join.is_some() {
            ctx.cancel_timer(SwimTimer::JoinRetry);
            self.finish_join(ctx);
        }
    }

    fn finish_join(&mut self, ctx: &mut Context<'_, Self>) {
        let members = self.members.live();
        ctx.notify(SwimEvent::Joined { members });
        if let Some(request) = self.join.take().and_then(|join| join.request) {
            ctx.reply(request, SwimReply::Joined { members });
        }
    }

    pub(super) fn on_join_request(
        &mut self,
        id: RequestId,
        seeds: Vec<PeerId>,
        ctx: &mut Context<'_, Self>,
    ) {
        let is_free = self.join.as_ref().is_none_or(|join| join.request.is_none());
        let join = Join {
            seeds,
            request: Some(id),
        };
        match self.stage {
            Stage::Member if is_free => {
                self.join = Some(join);
                self.try_join(ctx);
            }
            Stage::Left => self.return_with(join, id, ctx),
            Stage::Down | Stage::Starting | Stage::Member | Stage::Leaving(_) => {
                self.refuse_request(id, ctx);
            }
        }
    }

    fn return_with(&mut self, join: Join, id: RequestId, ctx: &mut Context<'_, Self>) {
        match self.own_incarnation().next_generation() {
            Some(incarnation) => {
                self.join = Some(join);
                self.stage = Stage::Starting;
                self.raise_to(incarnation, ctx);
            }
            None => {
                self.refuse(Refusal::IncarnationsExhausted, ctx);
                ctx.reply(id, SwimReply::Refused);
            }
        }
    }

    fn refuse_request(&self, id: RequestId, ctx: &mut Context<'_, Self>) {
        self.refuse(Refusal::UntimelyRequest, ctx);
        ctx.reply(id, SwimReply::Refused);
    }

    /// Says farewell: one's own record of the same incarnation, marked as the last.
    pub(super) fn on_leave_request(&mut self, id: RequestId, ctx: &mut Context<'_, Self>) {
        let abandons_join = self
            .join
            .as_ref()
            .is_some_and(|join| join.request.is_some());
        if self.stage != Stage::Member || abandons_join {
            return self.refuse_request(id, ctx);
        }
        self.stage = Stage::Leaving(id);
        self.pending = None;
        self.join = None;
        ctx.cancel_timer(SwimTimer::JoinRetry);
        let incarnation = self.members.get(self.place).record.incarnation;
        let farewell = self.sign_own(incarnation, true, ctx);
        self.set_own_record(farewell, ctx);
        self.spread(self.place, ctx);
        ctx.set_timer(SwimTimer::LeaveTimeout, self.config.leave_timeout);
    }

    /// Ends a farewell that was sent as often as news are, or that nobody is there to hear.
    pub(super) fn settle(&mut self, ctx: &mut Context<'_, Self>) {
        let is_leaving = matches!(self.stage, Stage::Leaving(_));
        let is_told = || self.members.get(self.place).queued == 0 || self.members.live() == 0;
        if is_leaving && is_told() {
            self.fall_silent(ctx);
        }
    }

    pub(super) fn fall_silent(&mut self, ctx: &mut Context<'_, Self>) {
        let Stage::Leaving(request) = self.stage else {
            return;
        };
        self.stage = Stage::Left;
        let timers = [
            SwimTimer::Period,
            SwimTimer::ProbeTimeout,
            SwimTimer::Gossip,
            SwimTimer::PushPull,
            SwimTimer::LeaveTimeout,
        ];
        timers.into_iter().for_each(|timer| ctx.cancel_timer(timer));
        for (place, _) in std::mem::take(&mut self.suspicions) {
            ctx.cancel_timer(SwimTimer::Suspicion { place });
        }
        for (sequence, _) in std::mem::take(&mut self.relays) {
            ctx.cancel_timer(SwimTimer::Relay { sequence });
        }
        self.probe = None;
        self.gossip_due = false;
        self.queue.clear();
        ctx.notify(SwimEvent::Left);
        ctx.reply(request, SwimReply::Left);
    }

    /// Hears a claim about oneself and speaks up, unless it is stale (memberlist `refute`). Whether
    /// one knows the accuser does not matter: others may.
    pub(super) fn on_accusation(&mut self, claim: &Signed<Claim>, ctx: &mut Context<'_, Self>) {
        let accused = claim.subject.incarnation;
        if self.stage == Stage::Member
            && R::refutes(
                self.config.dead,
                claim.kind,
                self.own_incarnation(),
                accused,
            )
            && self.is_founded(claim, true, ctx)
        {
            self.speak_up(claim.kind, accused, ctx);
        }
    }

    /// Hears one's own record. One that is newer than any that is remembered comes from before a
    /// loss of the disk, or from a twin; the next incarnation tops it.
    pub(super) fn on_own_record(&mut self, record: &Signed<Alive>, ctx: &mut Context<'_, Self>) {
        let own = self.own_incarnation();
        let forgotten = record.incarnation > own || (record.incarnation == own && record.leaving);
        if self.stage != Stage::Member {
            return;
        }
        if record.incarnation == own && record.address != self.me {
            return self.refuse(Refusal::AddressConflict, ctx);
        }
        if forgotten && self.is_owned(record, ctx) {
            let kind = match record.leaving {
                true => ClaimKind::Dead,
                false => ClaimKind::Suspect,
            };
            self.speak_up(kind, record.incarnation, ctx);
        }
    }

    fn speak_up(&mut self, kind: ClaimKind, at: Incarnation, ctx: &mut Context<'_, Self>) {
        let rule = self.config.dead;
        let own = self.own_incarnation();
        let Some(incarnation) = R::next_incarnation(rule, kind, own, at) else {
            return self.refuse(Refusal::IncarnationsExhausted, ctx);
        };
        ctx.notify(match (rule, kind) {
            (DeadRule::Final, ClaimKind::Dead) => SwimEvent::Rejoined { incarnation },
            (DeadRule::Final, ClaimKind::Suspect) | (DeadRule::Refutable, _) => {
                SwimEvent::SuspicionRefuted { incarnation }
            }
        });
        self.shift_health(1, ctx);
        self.raise_to(incarnation, ctx);
        if R::announces_before_durable() {
            self.announce(incarnation, ctx);
        }
    }

    /// Who has left answers pings with his farewell, in case it was missed.
    pub(super) fn answer_from_beyond(
        &self,
        from: PeerId,
        message: &SwimMessage,
        ctx: &mut Context<'_, Self>,
    ) {
        let own = self.members.get(self.place);
        if let SwimMessage::Ping {
            sequence, target, ..
        } = message
            && *target == self.key
        {
            let (sequence, updates) = (*sequence, Box::new([own.update()]));
            ctx.send(from, SwimMessage::Ack { sequence, updates });
        }
    }

    /// Tells whoever is held for dead and speaks that he is dead, so that he can say otherwise.
    pub(super) fn tell_the_dead(
        &self,
        from: PeerId,
        message: &SwimMessage,
        ctx: &mut Context<'_, Self>,
    ) {
        let is_answer = match message {
            SwimMessage::Ping { .. }
            | SwimMessage::PingRequest { .. }
            | SwimMessage::Gossip { .. }
            | SwimMessage::PushPullRequest { .. } => false,
            SwimMessage::Ack { .. }
            | SwimMessage::Nack { .. }
            | SwimMessage::PushPullReply { .. }
            | SwimMessage::DeadNotice { .. } => true,
        };
        let dead = self
            .dead_at
            .get(&from)
            .map(|&place| self.members.get(place));
        if let Some(claim) = dead.and_then(|dead| dead.claim.clone())
            && !is_answer
        {
            ctx.send(from, SwimMessage::DeadNotice { claim });
        }
    }

    pub(super) fn on_dead_notice(&mut self, claim: &Signed<Claim>, ctx: &mut Context<'_, Self>) {
        self.hear_all(&[Update::Claim(claim.clone())], ctx);
    }
}
