//! Ownership as it is decided: who holds a lease uses what it owns, and whoever keeps that lets nobody
//! use it under an epoch that is over.
//!
//! ```text
//!   claimant ── claim, decided ──▶ everybody: lease, epoch
//!   owner ───── touch, epoch ────▶ keeper: passes unless a later epoch is known
//! ```
//!
//! The keeper learns epochs from decisions too, so that a restart forgets none. Must not know who
//! decides.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::ownership::{Claim, Fence, Lease, Leases, Resource, may_act};
use crate::federation::rules::Rules;
use crate::identity::Identity;
use crate::peer::PeerId;
use crate::time::{LocalTime, SimDuration};

use super::message::Load;
use super::{Ctx, StackEvent, StackTimer};

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

/// What one peer knows and has of ownership.
pub(super) struct Tenure<R: Rules> {
    me: Identity,
    skew: SimDuration,
    leases: Leases<R>,
    fence: Fence<R>,
    held: BTreeMap<Resource, Lease>,
}

impl<R: Rules> Tenure<R> {
    /// Of a peer among others whose clocks differ by at most `skew`.
    pub(super) fn new(me: Identity, skew: SimDuration) -> Self {
        Self {
            me,
            skew,
            leases: Leases::new(TERM + skew + skew, skew),
            fence: Fence::default(),
            held: BTreeMap::new(),
        }
    }

    /// What is proposed by a peer that wants to own something.
    pub(super) fn claim(&self, resource: Resource, stamp: LocalTime) -> Vec<u8> {
        let claim = Claim::Acquire { claimant: self.me };
        let stamped = Stamped {
            mark: MARK,
            resource,
            claim,
            stamp,
        };
        borsh::to_vec(&stamped).expect("writing to memory does not fail")
    }

    /// Something was decided: if it was a claim that holds, its owner begins to use what it owns.
    pub(super) fn decided(&mut self, content: &[u8], ctx: &mut Ctx<'_, R>) {
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
        if owner == self.me {
            self.held.insert(resource, lease);
            ctx.set_timer(StackTimer::Use { resource }, SimDuration::ZERO);
        } else {
            self.held.remove(&resource);
        }
    }

    /// It is time to use something: what is sent to its keeper, as long as the lease allows it.
    pub(super) fn on_use(
        &mut self,
        resource: Resource,
        everyone: &[PeerId],
        ctx: &mut Ctx<'_, R>,
    ) -> Option<(PeerId, Load)> {
        let lease = *self.held.get(&resource)?;
        if !may_act::<R>(&lease, ctx.now(), USE_TAKES, self.skew) {
            self.held.remove(&resource);
            return None;
        }
        ctx.set_timer(StackTimer::Use { resource }, USE_EVERY);
        let place = resource.0 % everyone.len() as u64;
        let (to, epoch) = (everyone[place as usize], lease.epoch);
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
