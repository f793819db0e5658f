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
                epoch: self.held.remove(&resource)?.lease.epoch,
                heir: heir?,
            },
            Wish::Release {} => Claim::Release {
                owner,
                epoch: self.held.remove(&resource)?.lease.epoch,
            },
        };
        Some(Self::stamped(resource, claim, stamp))
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

    /// Something was decided: if it was a claim that holds, its owner begins to use what it owns.
    pub(super) fn decided(&mut self, scope: Scope, content: &[u8], ctx: &mut Ctx<'_, R>) {
        let Ok(stamped) = borsh::from_slice::<Stamped>(content) else {
            return;
        };
        let Stamped {
            mark,
            resource,
            claim,
            stamp,
        } = stamped;
        if mark != MARK {
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
        let is_given = matches!(claim, Claim::Release { .. });
        if owner != self.me || is_given || stamp < self.since {
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
