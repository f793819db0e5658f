//! One peer's dealings with others: sends what its users want done, judges what others ask, does
//! it, and answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::Rng as _;

use crate::federation::authorisation::{Exposure, Gate};
use crate::federation::envelope::{
    Action, Answer, Arrival, Code, PROTOCOL_VERSION, Receipt, Receiver, Refusal, Stage, Verdict,
    framed_len,
};
use crate::federation::grant::Parties as _;
use crate::federation::identity::Registry;
use crate::federation::injection::{Direction, Screen};
use crate::federation::rules::Rules;
use crate::federation::sanitise::PairKey;
use crate::federation::terms::{ActionId, Amount, Level, Organisation};
use crate::identity::Identity;
use crate::outbox::{PersistToken, RequestId};
use crate::peer::PeerId;
use crate::protocol::Durable;
use crate::signed::Signed;
use crate::stack::config::{Federation, Standing};
use crate::stack::message::Load;
use crate::stack::sessions::{Channel, Sessions};
use crate::stack::{Ctx, StackEvent, StackRecord, StackTimer};

use super::addresses::Addresses;
use super::around::{Around, is_clean};
use super::book::{Book, Open};
use super::conduct::Conduct;
use super::config::{ActionsConfig, PrivacyGate, Screening};
use super::counter::{self, ActionRecord, Slots};
use super::departures::nonce;
use super::gossip::News;
use super::onward::{Asker, Place};
use super::purse::Purse;
use super::records::Records;
use super::rotation::Rotation;
use super::spending::Costs;
use super::{Effect, Ending, Errand};

/// Who is who at the start, the same for all peers.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The signed records of all memberships.
    pub registry: Registry,
    /// The identity at each address.
    pub identities: BTreeMap<PeerId, Identity>,
}

/// What an office wants done beyond what it did itself.
pub(in crate::stack) struct Posting {
    pub(in crate::stack) to: PeerId,
    pub(in crate::stack) load: Load,
}

/// Work that was taken on.
pub(super) struct Work {
    pub(super) from: PeerId,
    pub(super) action: Signed<Action>,
    /// Whether the gate has it in its queue.
    pub(super) is_queued: bool,
}

/// One peer's dealings with others.
pub(in crate::stack) struct Office<R: Rules> {
    pub(super) config: Arc<ActionsConfig>,
    pub(super) federation: Arc<Federation>,
    pub(super) identity: Identity,
    pub(super) organisation: Organisation,
    pub(super) registry: Registry<R>,
    pub(super) gate: Gate<R>,
    pub(super) conduct: Conduct<R>,
    screen: Option<Screen<R>>,
    receiver: Receiver<R>,
    pub(super) book: Book,
    slots: Slots,
    /// Work by ticket: waiting for the disk, or under way.
    pub(super) work: BTreeMap<u64, Work>,
    tickets: u64,
    pub(super) records: Records<R>,
    /// How often a head was sent to third parties.
    pub(super) round: u64,
    pub(super) purse: Purse<R>,
    /// What work costs that somebody else pays for, by ticket.
    pub(super) costs: BTreeMap<u64, Costs>,
    /// What others let it do in their stead.
    pub(super) standing: Vec<Standing>,
    /// What was made ready to be sent and does not answer the input at hand.
    pub(super) postings: Vec<Posting>,
    pub(super) sessions: Sessions<R>,
    /// What is being told to others.
    pub(super) news: News,
    pub(super) addresses: Addresses,
    pub(super) rotation: Rotation,
}

impl<R: Rules> Office<R> {
    /// The office of the peer at `me`, which exposes and trusts as given.
    pub(in crate::stack) fn new(
        me: PeerId,
        config: &Arc<ActionsConfig>,
        federation: &Arc<Federation>,
        exposures: &[Exposure],
        levels: &BTreeMap<Identity, Level>,
        standing: &[Standing],
    ) -> Self {
        let identity = federation.directory.identities[&me];
        let registry = federation.directory.registry.ruled();
        let number = federation.organisation_of(me);
        let number = number.expect("BUG: a peer without an organisation");
        let organisation = Organisation(number as u16);
        let mut gate = Gate::new(identity, organisation);
        exposures.iter().cloned().for_each(|it| gate.expose(it));
        levels.iter().for_each(|(peer, level)| {
            gate.set_level(*peer, *level);
        });
        let known = levels.iter();
        let known =
            known.filter_map(|(peer, level)| Some((*peer, registry.organisation(*peer)?, *level)));
        let conduct = Conduct::new(&config.conduct, known);
        let screen = || Screen::new(Arc::clone(&federation.patterns));
        let secret = federation.pseudonym_secrets[usize::from(organisation.0)];
        let secret = *blake3::keyed_hash(&secret, &identity.0).as_bytes();
        Self {
            receiver: Receiver::with_stages(config.envelope, config.stages.iter().copied()),
            sessions: Sessions::new(config.transport, federation.papers.get(&me)),
            config: Arc::clone(config),
            federation: Arc::clone(federation),
            identity,
            organisation,
            registry,
            gate,
            conduct,
            screen: (config.screening != Screening::Off).then(screen),
            book: Book::default(),
            slots: Slots::default(),
            work: BTreeMap::new(),
            tickets: 0,
            records: Records::new(config.stages.contains(&Stage::Audit), config.audit, secret),
            round: 0,
            purse: Purse::new(identity, config.pool),
            costs: BTreeMap::new(),
            standing: standing.to_vec(),
            postings: Vec::new(),
            news: News::default(),
            addresses: Addresses::new(federation),
            rotation: Rotation::default(),
        }
    }

    /// Takes up again what the disk remembers.
    pub(in crate::stack) fn on_restart(
        &mut self,
        durable: &Durable<StackRecord>,
        ctx: &mut Ctx<'_, R>,
    ) {
        self.records.restart(durable, ctx);
        self.purse.close_pool(self.identity);
        self.recall(durable, ctx);
        self.on_start(ctx);
        let (records, is_complete) = counter::remembered(durable);
        let seen = records.iter().filter_map(|record| record.seen);
        let intents = records.iter().filter_map(|record| record.intent.clone());
        self.receiver
            .restore(seen, intents.collect::<Vec<_>>(), is_complete, ctx.now());
        self.slots = Slots::after(durable);
    }

    /// Takes what was made ready to be sent.
    pub(in crate::stack) fn take_postings(&mut self) -> Vec<Posting> {
        std::mem::take(&mut self.postings)
    }

    /// A user wants something done.
    pub(in crate::stack) fn ask(
        &mut self,
        request: RequestId,
        errand: Errand,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        let place = self.place_of_errand(&errand);
        self.send_out(Asker::User(request), errand, place, ctx)
    }

    /// Sends an action, unless nothing of it may leave.
    pub(super) fn send_out(
        &mut self,
        asker: Asker,
        errand: Errand,
        place: Place,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        if self.holds_back() {
            self.hold((asker, errand, place));
            return None;
        }
        let audience = self.addresses.get(errand.to);
        let payload = audience
            .filter(|audience| self.may_ask(*audience, &errand.capability, ctx))
            .and_then(|audience| self.cleaned(audience, &errand.payload, ctx));
        let (Some(audience), Some(payload)) = (audience, payload) else {
            let to = errand.to;
            let request = asker.request();
            ctx.notify(StackEvent::ActionWithheld { request, to });
            if let Some(audience) = audience {
                self.note_withheld(audience, &errand, ctx);
            }
            let ending = Ending::Refused(Code::Denied);
            self.tell(asker, (ending, false), ctx);
            return None;
        };
        let to = errand.to;
        let action = self.draw_up(audience, Errand { payload, ..errand }, ctx);
        let action = self.chained(action, place, ctx);
        ctx.notify(StackEvent::ActionSent {
            request: asker.request(),
            action: action.id,
            to: audience,
            kind: action.kind,
            capability: action.capability.clone(),
            payload: action.payload.clone(),
        });
        self.note_asked(audience, ctx);
        let action = ctx.sign(action);
        let number = self.book.add(Open {
            asker,
            to,
            action: action.clone(),
        });
        let other = (audience, self.gate.level(audience));
        let goes_now = self.records.sent(number, &action, other, ctx);
        if goes_now {
            self.depart(number, ctx)
        } else {
            None
        }
    }

    /// What of a payload may leave for `audience`; nothing if it may not leave at all.
    fn cleaned(&self, audience: Identity, payload: &[u8], ctx: &mut Ctx<'_, R>) -> Option<Vec<u8>> {
        let Ok(text) = std::str::from_utf8(payload) else {
            // Nobody can say what is in it.
            return (self.config.gate == PrivacyGate::Off).then(|| payload.to_vec());
        };
        let screen = self.screen.as_ref();
        let screen = screen.filter(|_| self.config.screening == Screening::Both);
        if !is_clean(screen, payload, Direction::Outbound) {
            return None;
        }
        let scrub = || {
            let pair = self.pair_key(audience);
            let level = self.gate.level(audience);
            self.federation.sanitiser.scrub(text, level, &pair)
        };
        match self.config.gate {
            PrivacyGate::BeforeSend => scrub().text.map(String::into_bytes),
            PrivacyGate::AfterSend => {
                let found = scrub().findings.len() as u64;
                if found > 0 {
                    ctx.notify(StackEvent::PrivateDataSent {
                        to: audience,
                        found,
                    });
                }
                Some(payload.to_vec())
            }
            PrivacyGate::Off => Some(payload.to_vec()),
        }
    }

    /// The key of the pseudonyms that the own organisation uses towards that of `audience`.
    fn pair_key(&self, audience: Identity) -> PairKey {
        let own = self.organisation.0;
        let other = self.registry.organisation(audience);
        let other = other.map_or(u16::MAX, |organisation| organisation.0);
        let secret = &self.federation.pseudonym_secrets[usize::from(own)];
        PairKey::new(secret, &own.to_le_bytes(), &other.to_le_bytes())
    }

    fn draw_up(&mut self, audience: Identity, errand: Errand, ctx: &mut Ctx<'_, R>) -> Action {
        let issued_at = ctx.now();
        let expires_at = issued_at + errand.lifetime;
        let salt = ctx.rng().next_u64();
        let most = Amount {
            tokens: errand.tokens_max,
            money: errand.money_max,
        };
        let session = self.session_with(errand.to, ctx);
        Action {
            version: PROTOCOL_VERSION,
            id: ActionId::new(expires_at, salt),
            source: self.identity,
            audience,
            session,
            kind: errand.kind,
            capability: errand.capability,
            payload: errand.payload,
            nonce: nonce(ctx),
            issued_at,
            expires_at,
            hops: 0,
            budget: self.purse.budget(self.addresses.first(self.identity), most),
            grants: Vec::new(),
            onward: None,
        }
    }

    pub(super) fn end(&mut self, number: u64, ending: Ending, ctx: &mut Ctx<'_, R>) {
        if let Some(open) = self.book.close(number) {
            ctx.cancel_timer(StackTimer::Resend { number });
            self.note_ending(&open, ending, ctx);
            self.note_end_of(&open, ending, ctx);
            let action = open.action.id;
            ctx.notify(StackEvent::ActionEnded { action, ending });
            self.tell(open.asker, (ending, true), ctx);
        }
    }

    /// An envelope came.
    pub(in crate::stack) fn receive(
        &mut self,
        channel: Channel,
        action: &Signed<Action>,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        let from = channel.from;
        let mut around = Around {
            identity: self.identity,
            addresses: &self.addresses,
            registry: &self.registry,
            gate: &self.gate,
            conduct: &self.conduct,
            screen: self.screen.as_ref(),
            channel,
            permit: None,
        };
        let arrival = Arrival::Decoded {
            action,
            size: framed_len(action),
        };
        let now = ctx.now();
        let verdict = (self.receiver).receive(arrival, now, ctx.keys(), &mut around);
        let permit = around.permit;
        self.note_envelope(channel, action.source, &verdict, ctx);
        match verdict {
            Verdict::Execute {
                action,
                seen,
                intent,
            } => {
                let record = ActionRecord { seen, intent };
                let is_queued = permit.is_some();
                if let Some(permit) = permit {
                    self.gate.queue(action.source, action.id, permit, now);
                }
                let work = Work {
                    from,
                    action,
                    is_queued,
                };
                self.take_on(work, record, ctx);
                None
            }
            Verdict::Begun(action) => self.say_if_unknown(from, &action),
            Verdict::Repeat(answer) => Some(Posting {
                to: from,
                load: Load::Receipt { answer },
            }),
            Verdict::Refused { refusal, action } => {
                self.refuse(from, (refusal, false), action.as_ref(), ctx)
            }
        }
    }

    /// Refuses an envelope, or work that had begun.
    pub(super) fn refuse(
        &mut self,
        from: PeerId,
        (refusal, ends_work): (Refusal, bool),
        action: Option<&Signed<Action>>,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        if let Some(action) = action {
            let other = match ends_work {
                true => action.source,
                false => self.identity_at(from),
            };
            let other = (other, self.gate.level(other));
            self.records.refused(action, other, refusal, ends_work, ctx);
        }
        let source = action.map(|action| action.source);
        ctx.notify(StackEvent::ActionRefused {
            from,
            source,
            refusal,
        });
        if refusal == Refusal::Replayed {
            // The first copy is answered; a link that doubles messages must not deny the action.
            return None;
        }
        let action = action?.id;
        let code = refusal.code();
        let load = Load::Refusal { action, code };
        Some(Posting { to: from, load })
    }

    /// Remembers an envelope; the work begins when that is durable.
    fn take_on(&mut self, work: Work, record: ActionRecord, ctx: &mut Ctx<'_, R>) {
        let action = &work.action;
        self.tickets += 1;
        let ticket = self.tickets;
        let write = self.slots.keep((action.source, action.id), record);
        let other = (action.source, self.gate.level(action.source));
        let goes_now = self.records.begun(ticket, action, other, write, ctx);
        self.work.insert(ticket, work);
        if goes_now {
            self.begin(ticket, ctx);
        }
    }

    /// The disk remembers: work begins.
    pub(in crate::stack) fn on_persisted(&mut self, token: PersistToken, ctx: &mut Ctx<'_, R>) {
        self.begin(token.0, ctx);
    }

    pub(super) fn begin(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        if self.may_begin(ticket, ctx) {
            self.fund(ticket, ctx);
        }
    }

    /// Work is done: the effect, and the receipt.
    pub(in crate::stack) fn on_work_done(
        &mut self,
        ticket: u64,
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Posting> {
        let is_done = self.is_done_onward(ticket, ctx)?;
        let Work { from, action, .. } = self.work.remove(&ticket)?;
        if !is_done {
            return self.refuse(from, (Refusal::NotDoneOnward, true), Some(&action), ctx);
        }
        let at = ctx.now();
        let has_ended = at > action.expires_at + self.config.envelope.skew;
        if has_ended && self.config.stages.contains(&Stage::Freshness) {
            return self.refuse(from, (Refusal::Expired, true), Some(&action), ctx);
        }
        if !self.may_act(action.source) {
            return self.refuse(from, (Refusal::Barred, true), Some(&action), ctx);
        }
        let effect = Effect::of(&action, at);
        let outcome = effect.content;
        ctx.notify(StackEvent::ActionExecuted { effect });
        let receipt = Receipt {
            action: action.id,
            source: action.source,
            digest: action.digest(),
            outcome,
            at,
        };
        let level = self.gate.level(action.source);
        let word = self.records.executed(&action, level, &receipt, ctx);
        let answer = Answer { receipt, word };
        let kept = self.receiver.finish(answer.clone());
        if let Some(write) = kept.and_then(|intent| self.slots.complete(intent)) {
            self.records.also(write);
        }
        self.records.flush(ctx);
        let load = Load::Receipt { answer };
        Some(Posting { to: from, load })
    }

    /// The audience says that it is done.
    pub(in crate::stack) fn on_receipt(&mut self, answer: &Answer, ctx: &mut Ctx<'_, R>) {
        let receipt = &answer.receipt;
        let Some(number) = self.book.number_of(receipt.action) else {
            return;
        };
        let signer = answer.word.signer().identity();
        let registry = &self.registry;
        let audience = self.book.get_mut(number).and_then(|open| {
            let is_right = registry.is_same_party(signer, open.action.audience)
                && receipt.source == open.action.source
                && receipt.digest == open.action.digest()
                && answer.is_consistent();
            is_right.then_some(open.action.audience)
        });
        let is_kept = |audience| self.records.answered((audience, signer), answer, ctx);
        if audience.is_some_and(is_kept) {
            self.end(number, Ending::Done, ctx);
        } else if self.is_heard_early(number, signer) {
            // The heir of whoever was asked, as far as anybody knows; the question is put again.
            let reason = "answer-by-unknown-key";
            ctx.notify(StackEvent::Rejected { reason });
        } else {
            self.note_bad_answer(number, ctx);
            let reason = "bad-receipt";
            ctx.notify(StackEvent::Rejected { reason });
        }
    }

    /// The audience says no, or does not know. Unsigned: only believed from where the action went.
    pub(in crate::stack) fn on_refusal(
        &mut self,
        from: PeerId,
        action: ActionId,
        ending: Ending,
        ctx: &mut Ctx<'_, R>,
    ) {
        let number = self.book.number_of(action);
        let number = number.filter(|number| {
            let open = self.book.get_mut(*number);
            open.is_some_and(|open| open.to == from)
        });
        match number {
            Some(number) => self.end(number, ending, ctx),
            None => {
                let reason = "refusal-of-nothing";
                ctx.notify(StackEvent::Rejected { reason });
            }
        }
    }
}
