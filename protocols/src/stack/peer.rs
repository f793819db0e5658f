//! The machine: hands each input to the part that it is for, and carries what the parts send.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::federation::ownership::Resource;
use crate::federation::rules::{Rules, Strict};
use crate::outbox::{PersistToken, RequestId};
use crate::pbft::{Epoch, PbftMessage};
use crate::peer::PeerId;
use crate::protocol::{Durable, Protocol};
use crate::raft::RaftPeer;

use super::actions::{Office, Posting};
use super::config::{Across, Federation, StackConfig};
use super::council::{Assembly, AssemblyStep, Chamber, ChamberStep, Delegate, DelegateStep};
use super::council::{Elector, Proposal, Tidings};
use super::held::Held;
use super::lodger::{self, Owner};
use super::message::Load;
use super::sessions::Channel;
use super::tenure::{Tenure, Wish};
use super::{
    Ctx, Ending, Scope, StackEvent, StackMessage, StackRecord, StackReply, StackRequest, StackTimer,
};

/// The ids of proposals that no user waits for.
const RENEWALS: u64 = 1 << 60;

/// One peer of a federation that keeps the rules `R`.
pub struct StackPeer<R: Rules = Strict> {
    config: Arc<StackConfig>,
    federation: Arc<Federation>,
    /// The number of its organisation.
    organisation: usize,
    pub(super) office: Office<R>,
    tenure: Tenure<R>,
    chamber: Chamber,
    assembly: Option<Assembly<R>>,
    delegate: Option<Delegate<R>>,
    /// Proposals known to be decided, by proposer and number.
    decided: BTreeSet<(PeerId, u64)>,
    /// The epoch of its council's roster, as far as it was told.
    seated: Epoch,
    /// What is left to whoever holds the machine, if somebody does.
    pub(super) held: Option<Held>,
}

impl<R: Rules> StackPeer<R> {
    /// The peer in slot `me`, a member of one of the organisations.
    ///
    /// # Panics
    /// If no organisation lists the peer.
    pub fn new(me: PeerId, config: Arc<StackConfig>, federation: Arc<Federation>) -> Self {
        let number = federation.organisation_of(me);
        let number = number.expect("BUG: a peer without an organisation");
        let everyone: Vec<PeerId> = federation.organisations.concat();
        let own = federation.organisations[number].as_slice();
        let council = match config.across {
            Across::Raft => (Scope::Federation, everyone.as_slice()),
            Across::Flat | Across::TwoTier | Across::Broadcast => (Scope::Organisation, own),
        };
        let line = federation.lines.get(&me).into_iter().flatten();
        let mut line = line.map(|link| link.keys.clone());
        let first = line.next();
        let seal = first.map(|first| first.with_others(line.collect()));
        let assembly = |votes| Assembly::new(&config.pbft, &federation.roster, votes, seal.clone());
        let keys = || federation.organisation_keys[number].clone();
        let office = Office::new(
            me,
            &config.actions,
            &federation,
            &config.exposures,
            &config.levels,
            &config.grants,
        );
        let identity = federation.directory.identities[&me];
        Self {
            organisation: number,
            office,
            tenure: Tenure::new(identity, config.actions.envelope.skew, config.renews_leases),
            chamber: Chamber::new(me, &config.raft, council),
            assembly: match config.across {
                Across::Flat => Some(assembly(true)),
                Across::TwoTier => Some(assembly(false)),
                Across::Raft | Across::Broadcast => None,
            },
            delegate: (config.across == Across::TwoTier)
                .then(|| Delegate::new(&config.pbft, &federation.roster, keys())),
            decided: BTreeSet::new(),
            seated: Epoch::default(),
            held: None,
            config,
            federation,
        }
    }

    /// Whether this peer speaks for its organisation in a two-tier federation.
    pub fn is_delegate(&self) -> bool {
        self.delegate.as_ref().is_some_and(Delegate::speaks)
    }

    /// Its Raft server.
    pub fn server(&self) -> &RaftPeer {
        self.chamber.server()
    }

    /// The PBFT replica that it runs at present, for itself or for its organisation.
    pub fn replica(&self) -> Option<&Elector<R>> {
        let own = self.assembly.as_ref().and_then(Assembly::replica);
        own.or_else(|| self.delegate.as_ref().and_then(Delegate::replica))
    }

    /// Its client of the council across organisations, where that decides by PBFT.
    pub fn client(&self) -> Option<&Elector<R>> {
        self.assembly.as_ref().map(Assembly::client)
    }

    /// Carries what councils say: in a session to a peer of another organisation, where there are
    /// any.
    fn carry(&mut self, to: PeerId, load: Load, ctx: &mut Ctx<'_, R>) {
        if self.goes_sealed(to, &load) {
            return self.office.carry_plainly(Posting { to, load }, ctx);
        }
        let load = Box::new(load);
        ctx.send(to, StackMessage::Plain { load });
    }

    /// Whether something to or from `other` goes in a session: all that leaves an organisation, and
    /// all that offices say.
    pub(super) fn goes_sealed(&self, other: PeerId, load: &Load) -> bool {
        if !self.office.has_sessions() {
            return false;
        }
        let own = &self.federation.organisations[self.organisation];
        load.is_between_offices() || !own.contains(&other)
    }

    fn post(&mut self, postings: impl IntoIterator<Item = Posting>, ctx: &mut Ctx<'_, R>) {
        for posting in postings {
            self.office.carry(posting, ctx);
        }
    }

    /// Sends what the office made ready and what answers no input.
    fn post_rest(&mut self, ctx: &mut Ctx<'_, R>) {
        let postings = self.office.take_postings();
        self.post(postings, ctx);
        self.follow_keys(ctx);
    }

    /// Has the council's roster follow what became of keys.
    fn follow_keys(&mut self, ctx: &mut Ctx<'_, R>) {
        for record in self.office.take_for_council() {
            if let Some(assembly) = &mut self.assembly {
                let step = assembly.rekey(&record, ctx);
                self.after_assembly(step, ctx);
            }
        }
    }

    /// Carries a PBFT message: to the peer itself, or to all peers of the replica's organisation.
    fn carry_pbft(&mut self, to: PeerId, message: PbftMessage, ctx: &mut Ctx<'_, R>) {
        let is_answer = matches!(
            message,
            PbftMessage::Reply { .. } | PbftMessage::StateReply { .. }
        );
        if is_answer || self.config.across != Across::TwoTier {
            return self.carry(to, Load::Pbft { message }, ctx);
        }
        let federation = Arc::clone(&self.federation);
        for &peer in federation.peers_at(to) {
            let message = message.clone();
            self.carry(peer, Load::Pbft { message }, ctx);
        }
    }

    fn after_assembly(&mut self, step: AssemblyStep, ctx: &mut Ctx<'_, R>) {
        for (to, message) in step.sends {
            self.carry_pbft(to, message, ctx);
        }
        self.tell(step.tidings, ctx);
        self.tell_seats(ctx);
    }

    /// Tells of a new roster.
    fn tell_seats(&mut self, ctx: &mut Ctx<'_, R>) {
        let replica = self.replica().and_then(Elector::as_replica);
        let roster = replica.map(|replica| replica.roster());
        let Some(roster) = roster.filter(|roster| roster.epoch > self.seated) else {
            return;
        };
        let seats = roster.clients.iter();
        let seats = seats.map(|(slot, key)| (*slot, key.identity())).collect();
        let epoch = roster.epoch;
        self.seated = epoch;
        let epoch = epoch.0;
        ctx.notify(StackEvent::SeatsChanged { epoch, seats });
    }

    fn after_chamber(&mut self, step: ChamberStep, ctx: &mut Ctx<'_, R>) {
        for (to, message) in step.sends {
            self.carry(to, Load::Raft { message }, ctx);
        }
        self.tell(step.tidings, ctx);
        let Some(delegate) = &mut self.delegate else {
            return;
        };
        let mut steps = Vec::new();
        if let Some(leads) = step.leads {
            steps.push(delegate.on_leadership(leads, ctx));
        }
        for (id, is_done) in step.answers {
            if Delegate::<R>::is_own(id) {
                steps.push(delegate.on_answer(id, is_done, self.chamber.store(), ctx));
            }
        }
        for step in steps {
            self.after_delegate(step, ctx);
        }
    }

    fn after_delegate(&mut self, step: DelegateStep, ctx: &mut Ctx<'_, R>) {
        for (to, message) in step.sends {
            self.carry_pbft(to, message, ctx);
        }
        for (id, key, value) in step.writes {
            let step = self.chamber.write(id, key, &value, ctx);
            self.after_chamber(step, ctx);
        }
        self.tell_seats(ctx);
    }

    fn tell(&mut self, tidings: Vec<Tidings>, ctx: &mut Ctx<'_, R>) {
        for tidings in tidings {
            match tidings {
                Tidings::Decided(scope, proposal) => self.decide(scope, proposal, ctx),
                Tidings::Failed(id) if id.0 & RENEWALS == 0 => {
                    ctx.reply(id, StackReply::Failed {});
                }
                Tidings::Failed(_) => {}
            }
        }
    }

    fn decide(&mut self, scope: Scope, proposal: Proposal, ctx: &mut Ctx<'_, R>) {
        if !self.decided.insert((proposal.proposer, proposal.number)) {
            return;
        }
        let is_awaited = proposal.number & RENEWALS == 0;
        if proposal.proposer == ctx.me() && is_awaited {
            ctx.reply(RequestId(proposal.number), StackReply::Decided {});
        }
        let content = proposal.content.clone();
        let by = self.federation.directory.identities.get(&proposal.proposer);
        let by = by.copied();
        ctx.notify(StackEvent::Decided { scope, proposal });
        self.tenure.decided((scope, by), &content, ctx);
    }

    fn propose(&mut self, id: RequestId, scope: Scope, content: Vec<u8>, ctx: &mut Ctx<'_, R>) {
        let proposal = Proposal {
            proposer: ctx.me(),
            number: id.0,
            content,
        };
        ctx.notify(StackEvent::Proposed {
            proposal: proposal.clone(),
        });
        if scope == Scope::Federation && !self.decides() {
            return self.announce(&proposal, ctx);
        }
        match (scope, &mut self.assembly) {
            (Scope::Federation, Some(assembly)) => {
                let step = assembly.propose(id, &proposal, ctx);
                self.after_assembly(step, ctx);
            }
            (Scope::Organisation, _) | (Scope::Federation, None) => {
                let step = self.chamber.propose(id, &proposal, ctx);
                self.after_chamber(step, ctx);
            }
        }
    }

    fn claim(
        &mut self,
        id: RequestId,
        scope: Scope,
        wanted: (Resource, Wish),
        ctx: &mut Ctx<'_, R>,
    ) {
        let identities = &self.federation.directory.identities;
        let heir = match wanted.1 {
            Wish::HandOver { to } => identities.get(&to).copied(),
            Wish::Acquire {} | Wish::Release {} => None,
        };
        match self.tenure.claim(wanted, heir, ctx.now()) {
            Some(content) => self.propose(id, scope, content, ctx),
            None => ctx.reply(id, StackReply::Failed {}),
        }
    }

    /// Wants to keep what it still uses.
    fn renew(&mut self, resource: Resource, ctx: &mut Ctx<'_, R>) {
        let now = ctx.now();
        if let Some((scope, content)) = self.tenure.renewal(resource, now) {
            let id = RequestId(RENEWALS | now.as_nanos().unsigned_abs());
            self.propose(id, scope, content, ctx);
        }
    }

    /// Whether what concerns several organisations is put to a council.
    fn decides(&self) -> bool {
        R::must_decide(self.config.across != Across::Broadcast)
    }

    /// Tells everybody, and takes it for decided.
    fn announce(&mut self, proposal: &Proposal, ctx: &mut Ctx<'_, R>) {
        let me = ctx.me();
        let federation = Arc::clone(&self.federation);
        let others = federation.organisations.iter().flatten();
        for &to in others.filter(|peer| **peer != me) {
            let proposal = proposal.clone();
            self.carry(to, Load::Notice { proposal }, ctx);
        }
        self.decide(Scope::Federation, proposal.clone(), ctx);
    }

    fn on_notice(&mut self, proposal: &Proposal, ctx: &mut Ctx<'_, R>) {
        if self.decides() {
            let reason = "notice-of-undecided";
            return ctx.notify(StackEvent::Rejected { reason });
        }
        self.decide(Scope::Federation, proposal.clone(), ctx);
    }

    fn on_pbft(&mut self, from: PeerId, message: &PbftMessage, ctx: &mut Ctx<'_, R>) {
        if let Some(assembly) = &mut self.assembly {
            let step = assembly.on_message(from, message, ctx);
            self.after_assembly(step, ctx);
        }
        if let Some(delegate) = &mut self.delegate {
            let step = delegate.on_message(from, message, ctx);
            self.after_delegate(step, ctx);
        }
    }

    /// Something was said, in a session or without.
    fn on_load(&mut self, channel: &Channel, load: &Load, ctx: &mut Ctx<'_, R>) {
        // An envelope is judged by what it came over.
        let may_be_open = matches!(load, Load::Action { .. });
        let is_open = channel.session.is_none();
        if is_open && !may_be_open && self.goes_sealed(channel.from, load) {
            let reason = "outside-session";
            return ctx.notify(StackEvent::Rejected { reason });
        }
        let from = channel.from;
        match load {
            Load::Raft { message } => {
                let step = self.chamber.on_message(from, message, ctx);
                self.after_chamber(step, ctx);
            }
            Load::Pbft { message } => self.on_pbft(from, message, ctx),
            Load::Action { action } => {
                let answer = self.office.receive(*channel, action, ctx);
                self.post(answer, ctx);
            }
            Load::Receipt { answer } => self.office.on_receipt(answer, ctx),
            Load::Refusal { action, code } => {
                let ending = Ending::Refused(*code);
                self.office.on_refusal(from, *action, ending, ctx);
            }
            Load::OutcomeUnknown { action } => {
                self.office.on_refusal(from, *action, Ending::Unknown, ctx);
            }
            Load::Head { head } => {
                let witness = self.office.on_head(from, head, ctx);
                self.post(witness, ctx);
            }
            Load::Witness { witness } => self.office.on_witness(witness, ctx),
            Load::Identity { records } => {
                let told = self.office.on_records(records, ctx);
                self.post(told, ctx);
            }
            Load::Notice { proposal } => self.on_notice(proposal, ctx),
            Load::Bid { bid } => {
                let ruling = self.office.on_bid(from, bid, ctx);
                self.post([ruling], ctx);
            }
            Load::Touch { resource, epoch } => self.tenure.on_touch(*resource, *epoch, ctx),
            Load::Ruling { name, is_granted } => {
                self.office.on_ruling(from, *name, *is_granted, ctx);
            }
        }
    }
}

impl<R: Rules> Protocol for StackPeer<R> {
    type Message = StackMessage;
    type Timer = StackTimer;
    type Record = StackRecord;
    type Event = StackEvent;
    type Request = StackRequest;
    type Reply = StackReply;

    fn on_start(&mut self, ctx: &mut Ctx<'_, R>) {
        self.office.on_start(ctx);
        let step = self.chamber.on_start(ctx);
        self.after_chamber(step, ctx);
        if let Some(assembly) = &mut self.assembly {
            let step = assembly.on_start(ctx);
            self.after_assembly(step, ctx);
        }
    }

    fn on_restart(&mut self, durable: Durable<StackRecord>, ctx: &mut Ctx<'_, R>) {
        self.tenure.restarted(ctx.now());
        self.office.on_restart(&durable, ctx);
        let share = lodger::share_of::<RaftPeer>(&durable);
        let step = self.chamber.on_restart(share, ctx);
        self.after_chamber(step, ctx);
        if let Some(assembly) = &mut self.assembly {
            let share = lodger::share_of::<Elector<R>>(&durable);
            let step = assembly.on_restart(share, ctx);
            self.after_assembly(step, ctx);
        }
        self.follow_keys(ctx);
    }

    fn on_message(&mut self, from: PeerId, message: &StackMessage, ctx: &mut Ctx<'_, R>) {
        match message {
            StackMessage::Plain { load } => {
                let held = self.held.as_mut();
                let given = held.and_then(|held| held.take_given(from));
                let channel = given.unwrap_or_else(|| Channel::open(from));
                self.on_load(&channel, load, ctx);
            }
            StackMessage::Packet { session, packet } => {
                let heard = self.office.on_packet((from, *session), packet, ctx);
                if let Some(held) = &mut self.held {
                    return held.keep(heard);
                }
                for (channel, load) in heard {
                    self.on_load(&channel, &load, ctx);
                }
            }
            StackMessage::NoSession { session } => {
                self.office.on_no_session((from, *session), ctx);
            }
        }
        self.post_rest(ctx);
    }

    fn on_timer(&mut self, timer: StackTimer, ctx: &mut Ctx<'_, R>) {
        match timer {
            StackTimer::Resend { number } => {
                let again = self.office.resend(number, ctx);
                self.post(again, ctx);
            }
            StackTimer::Countersign => {
                let heads = self.office.on_countersign(ctx);
                self.post(heads, ctx);
            }
            StackTimer::Evaluate => self.office.on_evaluate(ctx),
            StackTimer::Bid { number } => self.office.on_bid_due(number, ctx),
            StackTimer::Use { resource } => {
                let everyone: Vec<PeerId> = self.federation.organisations.concat();
                let touch = self.tenure.on_use(resource, &everyone, ctx);
                let touch = touch.map(|(to, load)| Posting { to, load });
                self.post(touch, ctx);
            }
            StackTimer::Renew { resource } => self.renew(resource, ctx),
            StackTimer::Sessions => self.office.on_sessions_due(ctx),
            StackTimer::Turnover => {
                let told = self.office.on_turnover(ctx);
                self.post(told, ctx);
            }
            StackTimer::Spread => {
                let told = self.office.on_spread(ctx);
                self.post(told, ctx);
            }
            StackTimer::Work { ticket } => {
                let receipt = self.office.on_work_done(ticket, ctx);
                self.post(receipt, ctx);
            }
            StackTimer::Raft { timer } => {
                let step = self.chamber.on_timer(timer, ctx);
                self.after_chamber(step, ctx);
            }
            StackTimer::Pbft { timer } => {
                if let Some(assembly) = &mut self.assembly {
                    let step = assembly.on_timer(timer, ctx);
                    self.after_assembly(step, ctx);
                }
                if let Some(delegate) = &mut self.delegate {
                    let step = delegate.on_timer(timer, ctx);
                    self.after_delegate(step, ctx);
                }
            }
        }
        self.post_rest(ctx);
    }

    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Ctx<'_, R>) {
        match Owner::of_token(token) {
            (Owner::Raft, token) => {
                let step = self.chamber.on_persisted(token, ctx);
                self.after_chamber(step, ctx);
            }
            (Owner::Identity, _) => {}
            (Owner::Stack, token) => self.office.on_persisted(token, ctx),
            (Owner::Audit, token) => {
                let departures = self.office.on_recorded(token.0, ctx);
                self.post(departures, ctx);
            }
            (Owner::Pbft, token) => {
                if let Some(assembly) = &mut self.assembly {
                    let step = assembly.on_persisted(token, ctx);
                    self.after_assembly(step, ctx);
                }
            }
        }
        self.post_rest(ctx);
    }

    fn on_request(&mut self, id: RequestId, request: StackRequest, ctx: &mut Ctx<'_, R>) {
        match request {
            StackRequest::Propose { scope, content } => self.propose(id, scope, content, ctx),
            StackRequest::Claim {
                scope,
                resource,
                wish,
            } => self.claim(id, scope, (resource, wish), ctx),
            StackRequest::Publish { records } => {
                let told = self.office.on_records(&records, ctx);
                self.post(told, ctx);
                ctx.reply(id, StackReply::Published {});
            }
            StackRequest::Rotate {} => self.office.rotate(id, ctx),
            StackRequest::Act { errand } => {
                let posting = self.office.ask(id, *errand, ctx);
                self.post(posting, ctx);
            }
        }
        self.post_rest(ctx);
    }
}
