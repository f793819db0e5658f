//! Ownership as it is decided: who holds a lease uses what it owns, and whoever keeps that lets nobody
//! use it under an epoch that is over.
//!
//! ```text
//!   claimant ── claim, decided ──▶ everybody: lease, epoch
//!   owner ───── touch, epoch ────▶ keeper: passes unless a later epoch is known
//!         ───── renewal, hand-over, release, decided ──▶ everybody
//! ```
//!
//! The keeper learns epochs from decisions too, so that a restart forgets none. Whoever gives something
//! away uses it no more from that moment on, decided or not; and since a restart forgets what was given
//! away, nobody uses under a lease from before its last restart. Must not know who decides.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::ownership::{Claim, Fence, Lease, Leases, Resource, may_act};
use crate::federation::rules::Rules;
use crate::fold_enum;
use crate::identity::Identity;
use crate::peer::PeerId;
use crate::time::{LocalTime, SimDuration};

use super::message::Load;
use super::{Ctx, Scope, StackEvent, StackTimer};

/// What a lease is worth beyond what clocks may differ by, on either side.
const TERM: SimDuration = SimDuration::from_secs(10);
/// How often an owner uses what it owns.
const USE_EVERY: SimDuration = SimDuration::from_millis(500);
/// How long one use may take to arrive.
const USE_TAKES: SimDuration = SimDuration::from_millis(500);

/// A claim as it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Stamped {
    mark: [u8; 5],
    resource: Resource,
    claim: Claim,
    stamp: LocalTime,
}

const MARK: [u8; 5] = *b"claim";

/// What a user wants of something that is owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// To own it.
    Acquire {},
    /// That another own it in its place.
    HandOver {
        /// Who.
        to: PeerId,
    },
    /// To own it no more.
    Release {},
}

fold_enum!(Wish {
    0 = Acquire {},
    1 = HandOver { to },
    2 = Release {},
});

/// A lease that this peer has, and who decides on it.
#[derive(Clone, Copy, Debug)]
struct Holding {
    lease: Lease,
    scope: Scope,
}

/// What one peer knows and has of ownership.
pub(super) struct Tenure<R: Rules> {
    me: Identity,
    skew: SimDuration,
    leases: Leases<R>,
    fence: Fence<R>,
    held: BTreeMap<Resource, Holding>,
    /// Whether it keeps what it has for as long as it can.
    renews: bool,
    /// The epoch under which it gave something away.
    given: BTreeMap<Resource, u64>,
    /// Leases from before this time are somebody else's by now, for all it knows.
    since: LocalTime,
}

impl<R: Rules> Tenure<R> {
    /// Of a peer among others whose clocks differ by at most `skew`.
    pub(super) fn new(me: Identity, skew: SimDuration, renews: bool) -> Self {
        Self {
            me,
            skew,
            leases: Leases::new(TERM + skew + skew, skew),
            fence: Fence::default(),
            held: BTreeMap::new(),
            renews,
            given: BTreeMap::new(),
            since: LocalTime::from_nanos(i64::MIN),
        }
    }

    /// The peer begins again, at this time by its own clock.
    pub(super) fn restarted(&mut self, now: LocalTime) {
        self.since = now;
    }

    /// What is proposed by a peer that wants something of what is owned; nothing if it is not its to give.
    /// `heir` is who is to have it.
    pub(super) fn claim(
        &mut self,
        (resource, wish): (Resource, Wish),
        heir: Option<Identity>,
        stamp: LocalTime,
    ) -> Option<Vec<u8>> {
        let owner = self.me;
        let claim = match wish {
            Wish::Acquire {} => Claim::Acquire { claimant: owner },
            Wish::HandOver { .. } => Claim::HandOver {
                owner,
                heir: heir?,
                epoch: self.give_away(resource)?,
            },
            Wish::Release {} => Claim::Release {
                owner,
                epoch: self.give_away(resource)?,
            },
        };
        Some(Self::stamped(resource, claim, stamp))
    }

    /// Uses something no more, from now on; under which epoch that was, if it had it.
    fn give_away(&mut self, resource: Resource) -> Option<u64> {
        let epoch = self.held.remove(&resource)?.lease.epoch;
        self.given.insert(resource, epoch);
        Some(epoch)
    }

    /// What is proposed, and to whom, to keep something that is still used.
    pub(super) fn renewal(&self, resource: Resource, stamp: LocalTime) -> Option<(Scope, Vec<u8>)> {
        let Holding { lease, scope } = *self.held.get(&resource)?;
        let claim = Claim::Renew {
            owner: lease.owner,
            epoch: lease.epoch,
        };
        Some((scope, Self::stamped(resource, claim, stamp)))
    }

    fn stamped(resource: Resource, claim: Claim, stamp: LocalTime) -> Vec<u8> {
        let stamped = Stamped {
            mark: MARK,
            resource,
            claim,
            stamp,
        };
        borsh::to_vec(&stamped).expect("writing to memory does not fail")
    }

    /// Something that `by` proposed was decided in `scope`: if it was a claim that holds, its owner begins
    /// to use what it owns.
    pub(super) fn decided(
        &mut self,
        (scope, by): (Scope, Option<Identity>),
        content: &[u8],
        ctx: &mut Ctx<'_, R>,
    ) {
        let Ok(stamped) = borsh::from_slice::<Stamped>(content) else {
            return;
        };
        let Stamped {
            mark,
            resource,
            claim,
            stamp,
        } = stamped;
        if mark != MARK || !R::is_owner(by == Some(claim.speaker())) {
            return;
        }
        let Ok(lease) = self.leases.apply(resource, claim, stamp) else {
            return;
        };
        let Lease { owner, epoch, .. } = lease;
        ctx.notify(StackEvent::LeaseGranted {
            resource,
            owner,
            epoch,
        });
        self.fence.admit(resource, epoch);
        if owner != self.me || !self.may_hold(&lease, (resource, claim), stamp) {
            self.held.remove(&resource);
            return;
        }
        self.held.insert(resource, Holding { lease, scope });
        ctx.set_timer(StackTimer::Use { resource }, SimDuration::ZERO);
        if self.renews {
            let left = lease.until.since(ctx.now());
            ctx.set_timer(StackTimer::Renew { resource }, left / 2);
        }
    }

    /// Whether this peer knows of nothing that came after a claim by which it owns something.
    fn may_hold(
        &self,
        lease: &Lease,
        (resource, claim): (Resource, Claim),
        stamp: LocalTime,
    ) -> bool {
        let given = self.given.get(&resource);
        let is_given = given.is_some_and(|epoch| lease.epoch <= *epoch);
        let behind = match claim {
            Claim::Release { .. } => return false,
            // By another clock than its own.
            Claim::HandOver { .. } => self.skew,
            Claim::Acquire { .. } | Claim::Renew { .. } => SimDuration::ZERO,
        };
        !is_given && stamp >= self.since + behind
    }

    /// It is time to use something: what is sent to its keeper, as long as the lease allows it.
    pub(super) fn on_use(
        &mut self,
        resource: Resource,
        everyone: &[PeerId],
        ctx: &mut Ctx<'_, R>,
    ) -> Option<(PeerId, Load)> {
        let lease = self.held.get(&resource)?.lease;
        if !may_act::<R>(&lease, ctx.now(), USE_TAKES, self.skew) {
            self.held.remove(&resource);
            return None;
        }
        ctx.set_timer(StackTimer::Use { resource }, USE_EVERY);
        let place = resource.0 % everyone.len() as u64;
        let (to, epoch) = (everyone[place as usize], lease.epoch);
        ctx.notify(StackEvent::Used { resource, epoch });
        if to == ctx.me() {
            self.on_touch(resource, epoch, ctx);
            return None;
        }
        Some((to, Load::Touch { resource, epoch }))
    }

    /// Somebody uses what this peer keeps.
    pub(super) fn on_touch(&mut self, resource: Resource, epoch: u64, ctx: &mut Ctx<'_, R>) {
        let passes = self.fence.admit(resource, epoch);
        ctx.notify(StackEvent::Touched {
            resource,
            epoch,
            passes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::testing::{keys, needed};
    use crate::outbox::Outbox;
    use crate::random::{RunKey, Stream, StreamLabel};
    use crate::stack::StackPeer;

    needed!(nobody_claims_for_another: hears_nobody_in_anothers_name, OwnersUnchecked);

    const IT: Resource = Resource(3);

    fn owner() -> Identity {
        keys(1).identity()
    }

    fn at(millis: i64) -> LocalTime {
        LocalTime::from_nanos(millis * 1_000_000)
    }

    /// Gives the owner's tenure something that `by` proposed.
    fn decide<R: Rules>(tenure: &mut Tenure<R>, by: Identity, content: &[u8]) {
        with_context(|ctx| tenure.decided((Scope::Federation, Some(by)), content, ctx));
    }

    fn with_context<R: Rules, T>(work: impl FnOnce(&mut Ctx<'_, R>) -> T) -> T {
        let label = StreamLabel::global("test");
        let mut dice = Stream::new(RunKey::from_seed(1), label);
        let mut outbox: Outbox<StackPeer<R>> = Outbox::new();
        let mut own = keys(1);
        work(&mut Ctx::new(
            at(1_000),
            PeerId(1),
            &mut dice,
            &mut own,
            &mut outbox,
        ))
    }

    fn uses<R: Rules>(tenure: &mut Tenure<R>) -> bool {
        let everyone = [0, 1, 2, 3].map(PeerId);
        with_context(|ctx| tenure.on_use(IT, &everyone, ctx)).is_some()
    }

    fn tenure<R: Rules>() -> Tenure<R> {
        Tenure::new(owner(), SimDuration::from_secs(1), true)
    }

    fn hears_nobody_in_anothers_name<R: Rules>() -> bool {
        // Another proposes the very claim that makes the owner one when it proposes it itself.
        let mut tenure = tenure::<R>();
        let claim = tenure.claim((IT, Wish::Acquire {}), None, at(900));
        let claim = claim.expect("anybody may want something");
        decide(&mut tenure, keys(2).identity(), &claim);
        let is_deaf = !uses(&mut tenure);
        decide(&mut tenure, owner(), &claim);
        is_deaf && uses(&mut tenure)
    }

    #[test]
    fn what_is_given_away_is_used_no_more_whatever_is_decided_late() {
        // A renewal that was under way is decided between the moment of giving and the decision on it.
        use crate::federation::rules::Strict;
        let mut tenure = tenure::<Strict>();
        let claim = tenure.claim((IT, Wish::Acquire {}), None, at(900));
        decide(
            &mut tenure,
            owner(),
            &claim.expect("anybody may want something"),
        );
        let renewal = tenure.renewal(IT, at(1_000));
        let to = Wish::HandOver { to: PeerId(2) };
        let given = tenure.claim((IT, to), Some(keys(2).identity()), at(1_000));
        assert!(given.is_some() && !uses(&mut tenure));
        let (_, renewal) = renewal.expect("what is held is renewed");
        decide(&mut tenure, owner(), &renewal);
        assert!(!uses(&mut tenure));
    }

    #[test]
    fn nothing_from_before_a_restart_is_used_after_it() {
        // By its own clock, or by one that may be ahead.
        use crate::federation::rules::Strict;
        let mut tenure = tenure::<Strict>();
        tenure.restarted(at(950));
        let claim = tenure.claim((IT, Wish::Acquire {}), None, at(900));
        decide(
            &mut tenure,
            owner(),
            &claim.expect("anybody may want something"),
        );
        assert!(!uses(&mut tenure));
        let other = keys(2).identity();
        let acquired = Claim::Acquire { claimant: other };
        let handed_over = Claim::HandOver {
            owner: other,
            epoch: 1,
            heir: owner(),
        };
        for (restarted, is_used) in [(at(0), true), (at(950), false)] {
            let mut tenure = self::tenure::<Strict>();
            tenure.restarted(restarted);
            for (claim, stamp) in [(acquired, at(900)), (handed_over, at(1_500))] {
                let content = Tenure::<Strict>::stamped(IT, claim, stamp);
                decide(&mut tenure, other, &content);
            }
            assert_eq!(uses(&mut tenure), is_used);
        }
    }
}
