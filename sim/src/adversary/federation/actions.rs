//! Attacks on what peers do for each other: envelopes that no honest peer would send.

use fedsim_protocols::federation::authorisation::capability_of;
use fedsim_protocols::federation::envelope::{Action, PROTOCOL_VERSION};
use fedsim_protocols::federation::grant::{Grant, Party};
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::{
    Account, ActionId, ActionKind, Budget, Capability, Money, Nonce, Scope, SessionId,
};
use fedsim_protocols::stack::{Load, StackMessage, StackPeer};
use fedsim_protocols::{LocalTime, PeerId, Signed, SimDuration};
use fedsim_scenarios::spec::Behaviour;
use rand::Rng as _;

use super::spending;
use super::{StackForge, StackMeans, load_of, plain};

/// Until when what is asked for may be done.
const LIFETIME: SimDuration = SimDuration::from_secs(30);
/// Longer than any envelope may be valid.
const TOO_LONG: SimDuration = SimDuration::from_secs(3_600);
/// Less than honest work takes.
const A_MOMENT: SimDuration = SimDuration::from_millis(150);

pub(super) type Make<R> = fn(&StackForge, To, &mut StackMeans<'_, R>) -> Option<Signed<Action>>;

/// Whom an envelope is for, and the session in which it goes.
#[derive(Clone, Copy)]
pub(super) struct To {
    pub(super) peer: PeerId,
    pub(super) session: SessionId,
}

/// What a behaviour sends by itself, if it is about actions.
pub(super) fn act<R: Rules>(
    forge: &StackForge,
    what: Behaviour,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    let make: Make<R> = match what {
        Behaviour::Impersonate => impersonated,
        Behaviour::StolenKey => usual_signed,
        Behaviour::Tamper => tampered,
        Behaviour::Overreach => overreaching,
        Behaviour::PrivilegeClaim => privileged,
        Behaviour::SelfMadeGrant => self_granted,
        Behaviour::ExpiredAction => expired,
        Behaviour::MalformedAction => malformed,
        Behaviour::BudgetCopying => spending::copied,
        _ => return,
    };
    let mut targets = means.targets();
    targets.retain(|to| !means.ring.holds(*to));
    for _ in 0..means.settings.amount() {
        let Some(to) = pick(&targets, means) else {
            return;
        };
        send(to, machine, means, |to, means| make(forge, to, means));
    }
}

/// Sends an envelope in the session that the member's machine has with `to`, if there are sessions.
pub(super) fn send<R: Rules>(
    to: PeerId,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
    make: impl FnOnce(To, &mut StackMeans<'_, R>) -> Option<Signed<Action>>,
) {
    say(to, machine, means, |to, means| {
        let action = make(to, means)?;
        Some(Load::Action { action })
    });
}

/// Says something in the session that the member's machine has with `to`, if there are sessions.
pub(super) fn say<R: Rules>(
    to: PeerId,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
    make: impl FnOnce(To, &mut StackMeans<'_, R>) -> Option<Load>,
) {
    let (session, begun) = machine.session_to(to, (means.now, &mut *means.dice));
    let load = make(To { peer: to, session }, means);
    for message in begun.into_iter().chain(load.map(plain)) {
        means.send(to, message);
    }
}

pub(super) fn pick<R: Rules, T: Copy>(of: &[T], means: &mut StackMeans<'_, R>) -> Option<T> {
    let last = of.len().checked_sub(1)?;
    Some(of[means.dice.between(0, last as u64) as usize])
}

fn nonce<R: Rules>(means: &mut StackMeans<'_, R>) -> Nonce {
    let mut bytes = [0; 16];
    means.dice.fill_bytes(&mut bytes);
    Nonce(bytes)
}

fn before(now: LocalTime, span: SimDuration) -> LocalTime {
    let span = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    LocalTime::from_nanos(now.as_nanos().saturating_sub(span))
}

/// What the acting member may well ask of `to`: a message.
pub(super) fn usual<R: Rules>(forge: &StackForge, to: To, means: &mut StackMeans<'_, R>) -> Action {
    let identities = &forge.federation.directory.identities;
    let source = identities[&means.me];
    let expires_at = means.now + LIFETIME;
    Action {
        version: PROTOCOL_VERSION,
        id: ActionId::new(expires_at, means.dice.next_u64()),
        source,
        audience: identities[&to.peer],
        session: to.session,
        kind: ActionKind::Message,
        capability: capability(ActionKind::Message),
        payload: b"do this".to_vec(),
        nonce: nonce(means),
        issued_at: means.now,
        expires_at,
        hops: 0,
        budget: Budget {
            account: Account([0; 16]),
            issuer: source,
            hops_max: Budget::HOPS_DEFAULT,
            tokens_max: 0,
            money_max: Money(0),
        },
        grants: Vec::new(),
        onward: None,
    }
}

/// The same between two other times.
fn timed<R: Rules>(
    action: Action,
    issued_at: LocalTime,
    expires_at: LocalTime,
    means: &mut StackMeans<'_, R>,
) -> Action {
    Action {
        id: ActionId::new(expires_at, means.dice.next_u64()),
        issued_at,
        expires_at,
        ..action
    }
}

fn capability(kind: ActionKind) -> Capability {
    Capability::new(capability_of(kind)).expect("BUG: a valid name")
}

/// What the member might well ask for, under the key that it began with.
fn usual_signed<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let action = usual(forge, to, means);
    Some(means.sign(action))
}

/// In the name of somebody else; the signature is the member's own.
pub(super) fn impersonated<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let others: Vec<PeerId> = means
        .others
        .iter()
        .copied()
        .filter(|it| *it != to.peer)
        .collect();
    let victim = pick(&others, means)?;
    let source = forge.federation.directory.identities[&victim];
    let mut action = usual(forge, to, means);
    (action.source, action.budget.issuer) = (source, source);
    Some(means.sign(action))
}

/// The newest action of another for this audience, with another content.
fn tampered<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let audience = forge.federation.directory.identities[&to.peer];
    let mut seen = means.memory.newest_first();
    let genuine = seen.find_map(|seen| match load_of(seen.payload)? {
        Load::Action { action } if action.audience == audience => {
            let is_anothers = means.ring.owner_of(&action.signer()).is_none();
            is_anothers.then(|| action.clone())
        }
        _ => None,
    });
    drop(seen);
    let genuine = genuine?;
    let mut content = genuine.content().clone();
    content.payload = b"do that instead".to_vec();
    content.id = ActionId::new(content.expires_at, means.dice.next_u64());
    content.nonce = nonce(means);
    let (signer, signature) = (genuine.signer(), genuine.signature());
    Some(Signed::from_parts(content, signer, signature))
}

/// What the member was never let use.
fn overreaching<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let kinds = [
        ActionKind::AgentSpawn,
        ActionKind::MemoryQuery,
        ActionKind::HandOff,
    ];
    let mut action = usual(forge, to, means);
    action.kind = pick(&kinds, means)?;
    action.capability = capability(action.kind);
    Some(means.sign(action))
}

/// A kind of action under the capability of another.
fn privileged<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let mut action = usual(forge, to, means);
    action.kind = ActionKind::AgentSpawn;
    Some(means.sign(action))
}

/// By a grant that the member issued itself, in its own name or in that of whom it asks.
fn self_granted<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let mut action = usual(forge, to, means);
    action.kind = ActionKind::MemoryQuery;
    action.capability = capability(action.kind);
    let own = means.sign(Grant {
        subject: Party::Peer {
            identity: action.source,
        },
        scope: Scope::All,
        depth: 8,
        expires_at: action.expires_at,
        parent: None,
    });
    let names_audience = means.dice.below(2) == 1;
    let audience = forge.federation.roster.clients.get(&to.peer);
    let grant = match audience.filter(|_| names_audience) {
        Some(audience) => Signed::from_parts(own.content().clone(), *audience, own.signature()),
        None => own,
    };
    action.grants = vec![grant];
    Some(means.sign(action))
}

/// What expired long ago, or will have by the time it is done.
fn expired<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let action = usual(forge, to, means);
    let horizon = before(means.now, forge.envelope.skew);
    let expires_at = match means.dice.below(2) {
        0 => before(horizon, LIFETIME),
        _ => horizon + A_MOMENT,
    };
    let issued_at = before(expires_at, LIFETIME);
    let action = timed(action, issued_at, expires_at, means);
    Some(means.sign(action))
}

/// Too large, valid for too long, or of another expiry than its name says.
fn malformed<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let mut action = usual(forge, to, means);
    let far = means.now + TOO_LONG;
    match means.dice.below(3) {
        0 => action.payload.resize(forge.envelope.bytes_max, b'.'),
        1 => action = timed(action, means.now, far, means),
        _ => action.id = ActionId::new(far, means.dice.next_u64()),
    }
    Some(means.sign(action))
}

/// An action of the cabal's own with one field changed by a small step, signed anew.
pub(super) fn mutant<R: Rules>(
    action: &Signed<Action>,
    means: &mut StackMeans<'_, R>,
) -> Option<StackMessage> {
    let owner = means.ring.owner_of(&action.signer())?;
    let second = SimDuration::from_secs(1);
    let mut content = action.content().clone();
    match means.dice.below(5) {
        0 => content.hops = content.hops.saturating_add(1),
        1 => content.payload.push(b'.'),
        2 => content.expires_at = content.expires_at + second,
        3 => content.issued_at = before(content.issued_at, second),
        _ => content.nonce = nonce(means),
    }
    let action = means.ring.sign(owner, content)?;
    Some(plain(Load::Action { action }))
}
