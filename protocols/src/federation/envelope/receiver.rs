//! The receiver: an explicit list of stages between the bytes and the effect.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::federation::rules::{Rules, Strict};
use crate::identity::{Identity, Keys};
use crate::signed::Signed;
use crate::time::{LocalTime, SimDuration};

use super::action::{Action, Answer, decode, unframe};
use super::execution::{Executions, Intent, Known};
use super::refusal::Refusal;
use super::replay::{Admission, Replays, Seen};

/// What happens to an envelope, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It is one frame of a size that is taken.
    Framing,
    /// It is the canonical encoding of an envelope whose fields agree.
    Schema,
    /// The source signed it.
    Signature,
    /// It is for this peer.
    Audience,
    /// It came in an open session with its source.
    Session,
    /// It is of the present, as far as clocks agree.
    Freshness,
    /// It was not seen before.
    Replay,
    /// Its source may act.
    Revocation,
    /// The breaker lets its source through.
    Breaker,
    /// Its content is screened.
    Policy,
    /// Somebody allowed it.
    Authorisation,
    /// It was not handed on too often, and somebody pays: whoever executes asks the keeper.
    Budget,
    /// It had no effect yet.
    Execution,
    /// The source gets a receipt. Done by whoever executes.
    Receipt,
    /// What happened is written down. Done by whoever keeps the log.
    Audit,
}

crate::fold_enum!(Stage {
    0 = Framing {},
    1 = Schema {},
    2 = Signature {},
    3 = Audience {},
    4 = Session {},
    5 = Freshness {},
    6 = Replay {},
    7 = Revocation {},
    8 = Breaker {},
    9 = Policy {},
    10 = Authorisation {},
    11 = Execution {},
    12 = Receipt {},
    13 = Audit {},
    14 = Budget {},
});

impl Stage {
    /// All stages in their order.
    pub const ORDER: [Self; 15] = [
        Self::Framing,
        Self::Schema,
        Self::Signature,
        Self::Audience,
        Self::Session,
        Self::Freshness,
        Self::Replay,
        Self::Revocation,
        Self::Breaker,
        Self::Policy,
        Self::Authorisation,
        Self::Budget,
        Self::Execution,
        Self::Receipt,
        Self::Audit,
    ];

    /// The stage's name in scenarios and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Schema => "schema",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Session => "session",
            Self::Freshness => "freshness",
            Self::Replay => "replay",
            Self::Revocation => "revocation",
            Self::Breaker => "breaker",
            Self::Policy => "policy",
            Self::Authorisation => "authorisation",
            Self::Budget => "budgets",
            Self::Execution => "execution",
            Self::Receipt => "receipt",
            Self::Audit => "audit",
        }
    }
}

/// What a receiver takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnvelopeConfig {
    /// The most bytes of a frame. Default 1 MiB.
    pub bytes_max: usize,
    /// The longest time from issue to expiry. Longer costs memory. Default 5 min.
    pub lifetime_max: SimDuration,
    /// How far apart two honest clocks may be. Default 30 s.
    pub skew: SimDuration,
    /// The most links of a chain of grants. Default 8.
    pub grants_max: usize,
    /// The most envelopes remembered of one source. Default 65,536.
    pub replays_per_source: u32,
}

impl Default for EnvelopeConfig {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 20,
            lifetime_max: SimDuration::from_secs(300),
            skew: SimDuration::from_secs(30),
            grants_max: 8,
            replays_per_source: 1 << 16,
        }
    }
}

/// The layers that a receiver asks; the composing stack answers for them.
pub trait Neighbours {
    /// Whether this peer is meant by `audience`.
    fn is_me(&self, audience: Identity) -> bool;

    /// Whether the session that the action names is open, and whether its peer is the source.
    fn session_of(&self, action: &Action) -> (bool, bool);

    /// Whether a source was revoked, superseded or is disputed.
    fn is_barred(&self, source: Identity) -> bool;

    /// Whether the breaker is closed for a source.
    fn is_closed(&mut self, source: Identity, now: LocalTime) -> bool;

    /// Whether the content policy passes the payload.
    fn is_clean(&mut self, action: &Action) -> bool;

    /// Whether the action is allowed.
    fn is_authorised(&mut self, action: &Action, now: LocalTime, keys: &mut Keys) -> bool;
}

/// How an envelope comes: as bytes, or decoded by a transport that kept its size.
#[derive(Clone, Copy, Debug)]
pub enum Arrival<'a> {
    /// As it stood on the wire.
    Bytes(&'a [u8]),
    /// Decoded; `size` is [`framed_len`](super::framed_len), as the transport counted it.
    Decoded {
        /// The envelope.
        action: &'a Signed<Action>,
        /// Its bytes on the wire.
        size: usize,
    },
}

/// What becomes of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To be executed, once `seen` and `intent` are durable.
    Execute {
        /// The envelope.
        action: Signed<Action>,
        /// What the replay stage must remember.
        seen: Option<Seen>,
        /// What the execution stage must remember.
        intent: Option<Intent>,
    },
    /// Its action is under way, or a crash hid whether it was done: neither again nor denied.
    Begun(Signed<Action>),
    /// Its action was done: the answer again.
    Repeat(Answer),
    /// Refused.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The envelope, as far as it could be read.
        action: Option<Signed<Action>>,
    },
}

/// One envelope under examination.
struct Examined<'a, N> {
    action: &'a Signed<Action>,
    now: LocalTime,
    keys: &'a mut Keys,
    neighbours: &'a mut N,
}

/// Everything between the bytes and the effect, at one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver<R: Rules = Strict> {
    config: EnvelopeConfig,
    stages: Vec<Stage>,
    replays: Replays<R>,
    executions: Executions<R>,
    rules: PhantomData<R>,
}

impl<R: Rules> Receiver<R> {
    /// A receiver of which all stages stand.
    pub fn new(config: EnvelopeConfig) -> Self {
        Self::with_stages(config, Stage::ORDER)
    }

    /// A receiver of which only these stages stand. They keep their order.
    pub fn with_stages(config: EnvelopeConfig, stages: impl IntoIterator<Item = Stage>) -> Self {
        let mut stages: Vec<Stage> = stages.into_iter().collect();
        stages.sort_unstable();
        stages.dedup();
        Self {
            config,
            stages,
            replays: Replays::new(config.replays_per_source, config.skew),
            executions: Executions::new(config.skew),
            rules: PhantomData,
        }
    }

    /// The stages that stand.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Takes up again what was durable before a restart; see [`Replays::restore`].
    pub fn restore(
        &mut self,
        seen: impl IntoIterator<Item = Seen>,
        intents: impl IntoIterator<Item = Intent>,
        is_complete: bool,
        now: LocalTime,
    ) {
        self.replays.restore(seen, is_complete, now);
        self.executions.restore(intents);
    }

    /// What is remembered of envelopes.
    pub fn replays(&self) -> &Replays<R> {
        &self.replays
    }

    /// What is remembered of actions.
    pub fn executions(&self) -> &Executions<R> {
        &self.executions
    }

    /// Judges an envelope at `now` by the receiver's clock.
    pub fn receive(
        &mut self,
        arrival: Arrival<'_>,
        now: LocalTime,
        keys: &mut Keys,
        neighbours: &mut impl Neighbours,
    ) -> Verdict {
        let action = match self.open(arrival) {
            Ok(action) => action,
            Err(refusal) => {
                let action = None;
                return Verdict::Refused { refusal, action };
            }
        };
        let mut examined = Examined {
            action: &action,
            now,
            keys,
            neighbours,
        };
        match self.examine(&mut examined) {
            Ok(seen) => self.execute(action, seen, now),
            Err(refusal) => Verdict::Refused {
                refusal,
                action: Some(action),
            },
        }
    }

    /// Notes that an action had its effect; the intent as it should be durable now.
    pub fn finish(&mut self, answer: Answer) -> Option<Intent> {
        self.executions.finish(answer)
    }

    fn stands(&self, stage: Stage) -> bool {
        self.stages.contains(&stage)
    }

    /// The stages before there is an envelope to speak of.
    fn open(&self, arrival: Arrival<'_>) -> Result<Signed<Action>, Refusal> {
        let size = match arrival {
            Arrival::Bytes(bytes) => bytes.len(),
            Arrival::Decoded { size, .. } => size,
        };
        if self.stands(Stage::Framing) && !R::size_fits(size, self.config.bytes_max) {
            return Err(Refusal::TooLarge);
        }
        match arrival {
            Arrival::Bytes(bytes) => decode(unframe(bytes)?),
            Arrival::Decoded { action, .. } => Ok(action.clone()),
        }
    }

    /// Every stage from the schema to authorisation; the first refusal wins.
    fn examine<N: Neighbours>(
        &mut self,
        examined: &mut Examined<'_, N>,
    ) -> Result<Option<Seen>, Refusal> {
        let mut seen = None;
        for place in 0..self.stages.len() {
            match self.stages[place] {
                Stage::Schema => self.check_schema(examined)?,
                Stage::Signature => check_signature::<R, N>(examined)?,
                Stage::Audience => check_audience::<R, N>(examined)?,
                Stage::Session => check_session::<R, N>(examined)?,
                Stage::Freshness => self.check_freshness(examined)?,
                Stage::Replay => seen = Some(self.check_replay(examined)?),
                Stage::Revocation => check_revocation::<R, N>(examined)?,
                Stage::Breaker => check_breaker::<R, N>(examined)?,
                Stage::Policy => check_policy::<R, N>(examined)?,
                Stage::Authorisation => check_authorisation::<R, N>(examined)?,
                Stage::Budget => check_hops::<R, N>(examined)?,
                Stage::Framing | Stage::Execution | Stage::Receipt | Stage::Audit => {}
            }
        }
        Ok(seen)
    }

    fn check_schema<N>(&self, examined: &Examined<'_, N>) -> Result<(), Refusal> {
        let action = examined.action;
        let lifetime = action.expires_at.since(action.issued_at);
        let is_well_formed = action.is_well_formed()
            && lifetime <= self.config.lifetime_max
            && action.grants.len() <= self.config.grants_max;
        unless(R::schema_holds(is_well_formed), Refusal::BadSchema)
    }

    /// The receiver's clock decides; an honest source's may be off by the assumed skew.
    fn check_freshness<N>(&self, examined: &Examined<'_, N>) -> Result<(), Refusal> {
        let (action, now, skew) = (examined.action, examined.now, self.config.skew);
        let has_begun = action.issued_at <= now + skew;
        let has_ended = now > action.expires_at + skew;
        let refusal = if has_begun {
            Refusal::Expired
        } else {
            Refusal::NotYet
        };
        unless(R::is_fresh(has_begun, has_ended), refusal)
    }

    fn check_replay<N>(&mut self, examined: &Examined<'_, N>) -> Result<Seen, Refusal> {
        let action = examined.action;
        let seen = Seen {
            expires_at: action.expires_at,
            source: action.source,
            nonce: action.nonce,
        };
        match self.replays.admit(seen, action.issued_at, examined.now) {
            Admission::New(seen) => Ok(seen),
            Admission::Seen => Err(Refusal::Replayed),
            Admission::Full => Err(Refusal::Busy),
        }
    }

    fn execute(&mut self, action: Signed<Action>, seen: Option<Seen>, now: LocalTime) -> Verdict {
        if !self.stands(Stage::Execution) {
            let intent = None;
            return Verdict::Execute {
                action,
                seen,
                intent,
            };
        }
        match self.executions.begin(&action, now) {
            Known::New(intent) => Verdict::Execute {
                action,
                seen,
                intent: Some(intent),
            },
            Known::Begun => Verdict::Begun(action),
            Known::Done(answer) => Verdict::Repeat(answer),
            Known::Conflict => Verdict::Refused {
                refusal: Refusal::Conflict,
                action: Some(action),
            },
        }
    }
}

fn unless(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}

fn check_signature<R: Rules, N>(examined: &mut Examined<'_, N>) -> Result<(), Refusal> {
    let action = examined.action;
    let is_signed = action.signer().identity() == action.source && examined.keys.verify(action);
    unless(R::envelope_is_signed(is_signed), Refusal::BadSignature)
}

fn check_audience<R: Rules, N: Neighbours>(examined: &Examined<'_, N>) -> Result<(), Refusal> {
    let is_audience = examined.neighbours.is_me(examined.action.audience);
    unless(R::is_for_receiver(is_audience), Refusal::WrongAudience)
}

fn check_session<R: Rules, N: Neighbours>(examined: &Examined<'_, N>) -> Result<(), Refusal> {
    let (is_open, is_its_peer) = examined.neighbours.session_of(examined.action);
    unless(R::is_of_session(is_open, is_its_peer), Refusal::NoSession)
}

fn check_revocation<R: Rules, N: Neighbours>(examined: &Examined<'_, N>) -> Result<(), Refusal> {
    let is_barred = examined.neighbours.is_barred(examined.action.source);
    unless(R::source_may_act(is_barred), Refusal::Barred)
}

fn check_breaker<R: Rules, N: Neighbours>(examined: &mut Examined<'_, N>) -> Result<(), Refusal> {
    let (source, now) = (examined.action.source, examined.now);
    let is_closed = examined.neighbours.is_closed(source, now);
    unless(R::breaker_lets_through(is_closed), Refusal::BreakerOpen)
}

fn check_policy<R: Rules, N: Neighbours>(examined: &mut Examined<'_, N>) -> Result<(), Refusal> {
    let is_clean = examined.neighbours.is_clean(examined.action);
    unless(R::policy_lets_through(is_clean), Refusal::PolicyBlocked)
}

fn check_authorisation<R: Rules, N: Neighbours>(
    examined: &mut Examined<'_, N>,
) -> Result<(), Refusal> {
    let (action, now) = (examined.action, examined.now);
    let is_authorised = examined
        .neighbours
        .is_authorised(action, now, examined.keys);
    unless(R::gate_lets_through(is_authorised), Refusal::Denied)
}

fn check_hops<R: Rules, N>(examined: &Examined<'_, N>) -> Result<(), Refusal> {
    let action = examined.action;
    let fits = action.hops <= action.budget.hops_max;
    unless(R::hops_fit(fits), Refusal::TooFar)
}
