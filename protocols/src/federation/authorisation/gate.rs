//! The gate: exposures, levels, queued work and open sessions of one peer.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::federation::grant::{Grant, Parties, Party};
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionId, ActionKind, Capability, Level, Organisation, SessionId};
use crate::identity::{Identity, Keys};
use crate::signed::Signed;
use crate::time::LocalTime;

use super::chain::follow;
use super::levels::{LevelChange, level_of, serves};

/// One opt-in: these may use that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exposure {
    /// The capability.
    pub capability: Capability,
    /// To whom.
    pub to: Party,
    /// How often they may hand it on: 0 is for themselves alone.
    pub depth: u8,
    /// The level it needs; never below that of the table.
    pub level: Level,
}

/// What somebody asks to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub source: Identity,
    /// In which session, if in one.
    pub session: Option<SessionId>,
    /// What kind of action.
    pub kind: ActionKind,
    /// By which capability.
    pub capability: &'a Capability,
    /// By whose permission.
    pub grants: &'a [Signed<Grant>],
}

/// Why something is not allowed. For the peer's own record; outside all of them are one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denial {
    /// The capability is not exposed to whoever asks or whose grant begins the chain.
    NotExposed,
    /// The kind of action needs another capability.
    WrongCapability,
    /// Somebody in the chain is not trusted so far.
    LevelTooLow,
    /// A grant was not signed by its issuer.
    Forged,
    /// A grant has ended.
    Expired,
    /// Links do not belong together.
    BrokenChain,
    /// The chain is longer than one of its links allows.
    TooDeep,
    /// The chain does not allow this capability.
    OutOfScope,
    /// Whoever asks or issued a grant was revoked or is disputed.
    Revoked,
    /// Nothing of this name is queued.
    NotQueued,
}

impl Denial {
    /// The constant reason for counters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotExposed => "not-exposed",
            Self::WrongCapability => "wrong-capability",
            Self::LevelTooLow => "level-too-low",
            Self::Forged => "forged-grant",
            Self::Expired => "expired-grant",
            Self::BrokenChain => "broken-chain",
            Self::TooDeep => "chain-too-deep",
            Self::OutOfScope => "out-of-scope",
            Self::Revoked => "revoked-party",
            Self::NotQueued => "not-queued",
        }
    }
}

/// What was allowed, and on whose standing it rests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Permit {
    /// The level that everybody needs whom it rests on.
    pub needed: Level,
    /// The source and the issuers of its grants, but for this peer and its root.
    pub rests_on: Vec<Identity>,
    /// In which session.
    pub session: Option<SessionId>,
}

/// Work that was allowed and has not started.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queued {
    /// What allowed it.
    pub permit: Permit,
    /// When it was queued.
    pub since: LocalTime,
}

/// The gate of one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate<R: Rules = Strict> {
    me: Identity,
    organisation: Organisation,
    exposures: BTreeMap<Capability, Vec<Exposure>>,
    levels: BTreeMap<Identity, Level>,
    queued: BTreeMap<(Identity, ActionId), Queued>,
    sessions: BTreeMap<SessionId, (Identity, Level)>,
    rules: PhantomData<R>,
}

impl<R: Rules> Gate<R> {
    /// The gate of `me`, which exposes nothing yet and trusts nobody.
    pub fn new(me: Identity, organisation: Organisation) -> Self {
        Self {
            me,
            organisation,
            exposures: BTreeMap::new(),
            levels: BTreeMap::new(),
            queued: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rules: PhantomData,
        }
    }

    /// Opts in: lets a party use a capability.
    pub fn expose(&mut self, exposure: Exposure) {
        let of_capability = self.exposures.entry(exposure.capability.clone());
        of_capability.or_default().push(exposure);
    }

    /// How far a peer is trusted.
    pub fn level(&self, peer: Identity) -> Level {
        self.levels.get(&peer).copied().unwrap_or_default()
    }

    /// Judges a request. Allowed is not started: see [`Gate::queue`] and [`Gate::start`].
    ///
    /// # Errors
    /// Why it is not allowed.
    pub fn decide(
        &self,
        request: &Request<'_>,
        now: LocalTime,
        parties: &impl Parties,
        keys: &mut Keys,
    ) -> Result<Permit, Denial> {
        let is_its = serves(request.kind, request.capability.name());
        deny_unless(R::kind_may_use(is_its), Denial::WrongCapability)?;
        let stands = parties.current(request.source) == Some(request.source);
        deny_unless(R::party_stands(stands), Denial::Revoked)?;
        let (floor, depth) = self.exposed(request, parties)?;
        let source = request.source;
        let chain = follow::<R>(request.grants, depth, source, now, parties, keys)?;
        let is_within = chain.scope.contains(request.capability);
        deny_unless(is_within, Denial::OutOfScope)?;
        let table = level_of(request.capability.name()).unwrap_or_default();
        let issuers = chain.issuers.into_iter();
        let permit = Permit {
            needed: floor.max(table),
            rests_on: issuers
                .filter(|issuer| !self.is_own(*issuer, parties))
                .chain([request.source])
                .collect(),
            session: request.session,
        };
        self.judge_levels(&permit)?;
        Ok(permit)
    }

    /// The least level and the depth at which the head of the request's chain may use the
    /// capability.
    fn exposed(
        &self,
        request: &Request<'_>,
        parties: &impl Parties,
    ) -> Result<(Level, u8), Denial> {
        let head = request.grants.first();
        let head = head.map_or(request.source, |grant| grant.signer().identity());
        let exposures = self.exposures.get(request.capability);
        let mut exposures = exposures.into_iter().flatten();
        let found = if !request.grants.is_empty() && self.is_own(head, parties) {
            // Opted in for somebody: this peer's own word may extend it to others.
            exposures.next().map(|exposure| (exposure.level, u8::MAX))
        } else {
            let mut fitting = exposures.filter(|exposure| parties.is_of(head, exposure.to));
            fitting
                .next()
                .map(|exposure| (exposure.level, exposure.depth))
        };
        deny_unless(R::may_use(found.is_some()), Denial::NotExposed)?;
        Ok(found.unwrap_or((Level::Untrusted, u8::MAX)))
    }

    fn is_own(&self, issuer: Identity, parties: &impl Parties) -> bool {
        parties.is_same_party(issuer, self.me) || parties.root(self.organisation) == Some(issuer)
    }

    fn judge_levels(&self, permit: &Permit) -> Result<(), Denial> {
        let session = permit
            .session
            .and_then(|session| self.sessions.get(&session));
        let suffices = permit.rests_on.iter().all(|peer| {
            let present = self.level(*peer);
            let level = match session {
                Some((with, opened)) if with == peer => R::level_in_session(*opened, present),
                Some(_) | None => present,
            };
            R::level_suffices(level, permit.needed)
        });
        deny_unless(suffices, Denial::LevelTooLow)
    }

    /// Whether this peer may send `peer` what uses `capability`: a demoted peer is sent nothing
    /// above its level. What is not of the table needs the level of sending.
    pub fn may_send(
        &self,
        peer: Identity,
        capability: &Capability,
        session: Option<SessionId>,
    ) -> bool {
        let permit = Permit {
            needed: level_of(capability.name()).unwrap_or(Level::Attested),
            rests_on: vec![peer],
            session,
        };
        self.judge_levels(&permit).is_ok()
    }

    /// Puts allowed work in the queue.
    pub fn queue(&mut self, source: Identity, action: ActionId, permit: Permit, since: LocalTime) {
        let queued = Queued { permit, since };
        self.queued.insert((source, action), queued);
    }

    /// Takes work out of the queue to start it now, if it is still allowed.
    ///
    /// # Errors
    /// If it is not in the queue, or somebody it rests on has lost the level; it is gone then.
    pub fn start(&mut self, source: Identity, action: ActionId) -> Result<Queued, Denial> {
        let queued = self.queued.remove(&(source, action));
        let queued = queued.ok_or(Denial::NotQueued)?;
        if R::judges_at_start() {
            self.judge_levels(&queued.permit)?;
        }
        Ok(queued)
    }

    /// The open sessions of a peer.
    pub fn sessions_of(&self, peer: Identity) -> Vec<SessionId> {
        let sessions = self.sessions.iter().filter(|(_, (with, _))| *with == peer);
        sessions.map(|(session, _)| *session).collect()
    }

    /// Notes an open session and the level at which it was opened.
    pub fn open_session(&mut self, session: SessionId, peer: Identity) {
        self.sessions.insert(session, (peer, self.level(peer)));
    }

    /// Forgets a session.
    pub fn close_session(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// Sets how far a peer is trusted, and drops what is queued above a lower level.
    pub fn set_level(&mut self, peer: Identity, after: Level) -> LevelChange {
        let before = self.levels.insert(peer, after).unwrap_or_default();
        let mut change = LevelChange {
            before,
            after,
            ..LevelChange::default()
        };
        change.sessions = self.sessions_of(peer);
        if R::judges_at_start() {
            let falls = self.queued.iter().filter(|(_, queued)| {
                queued.permit.rests_on.contains(&peer) && self.judge_levels(&queued.permit).is_err()
            });
            change.cancelled = falls.map(|(name, _)| *name).collect();
            for name in &change.cancelled {
                self.queued.remove(name);
            }
        }
        change
    }

    /// An heir takes the place of `old`: it is trusted as the less trusted of the two.
    pub fn succeed(&mut self, old: Identity, heir: Identity) -> LevelChange {
        let level = match (self.levels.remove(&old), self.levels.get(&heir)) {
            (Some(old), Some(known)) => old.min(*known),
            (Some(old), None) => old,
            (None, known) => known.copied().unwrap_or_default(),
        };
        self.set_level(heir, level)
    }
}

fn deny_unless(holds: bool, denial: Denial) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(denial) }
}
