//! Who owns what until when, and under which epoch.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::{Rules, Strict};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};
use crate::{fold_enum, fold_struct, fold_tuple};

/// Something that one peer at a time may own; named by the scenario.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Resource(pub u64);

fold_tuple!(Resource(number));

/// Ownership of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Lease {
    /// Who.
    pub owner: Identity,
    /// The fencing epoch: larger for every new owner, and for the same one after a gap.
    pub epoch: u64,
    /// Until when, by the clock that decided.
    pub until: LocalTime,
}

fold_struct!(Lease {
    owner,
    epoch,
    until
});

/// What can be decided about a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Claim {
    /// Somebody wants it.
    Acquire {
        /// Who.
        claimant: Identity,
    },
    /// The owner wants to keep it.
    Renew {
        /// Who.
        owner: Identity,
        /// Under which epoch.
        epoch: u64,
    },
    /// The owner gives it to somebody.
    HandOver {
        /// Who.
        owner: Identity,
        /// Under which epoch.
        epoch: u64,
        /// To whom.
        heir: Identity,
    },
    /// The owner gives it up.
    Release {
        /// Who.
        owner: Identity,
        /// Under which epoch.
        epoch: u64,
    },
}

impl Claim {
    /// Who alone may say so.
    pub const fn speaker(&self) -> Identity {
        match self {
            Self::Acquire { claimant: speaker }
            | Self::Renew { owner: speaker, .. }
            | Self::HandOver { owner: speaker, .. }
            | Self::Release { owner: speaker, .. } => *speaker,
        }
    }
}

fold_enum!(Claim {
    0 = Acquire { claimant },
    1 = Renew { owner, epoch },
    2 = HandOver { owner, epoch, heir },
    3 = Release { owner, epoch },
});

/// Why a claim changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnershipRefusal {
    /// Somebody owns it.
    Held(Lease),
    /// Whoever claims to own it does not, or not under that epoch.
    NotOwner,
}

/// Every lease of a federation, as decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leases<R: Rules = Strict> {
    term: SimDuration,
    skew: SimDuration,
    leases: BTreeMap<Resource, Lease>,
    latest: LocalTime,
    rules: PhantomData<R>,
}

impl<R: Rules> Leases<R> {
    /// Leases of `term`, among peers whose clocks differ by at most `skew`.
    pub fn new(term: SimDuration, skew: SimDuration) -> Self {
        Self {
            term,
            skew,
            leases: BTreeMap::new(),
            latest: LocalTime::from_nanos(i64::MIN),
            rules: PhantomData,
        }
    }

    /// Applies a decided claim, stamped by whoever proposed it. Stamps do not go back.
    ///
    /// # Errors
    /// If it changes nothing; every member refuses alike.
    pub fn apply(
        &mut self,
        resource: Resource,
        claim: Claim,
        stamp: LocalTime,
    ) -> Result<Lease, OwnershipRefusal> {
        self.latest = self.latest.max(stamp);
        let now = self.latest;
        let lease = match claim {
            Claim::Acquire { claimant } => self.acquire(resource, claimant, now)?,
            Claim::Renew { owner, epoch } => Lease {
                until: now + self.term,
                ..self.held(resource, owner, epoch)?
            },
            Claim::HandOver { owner, epoch, heir } => {
                let held = self.held(resource, owner, epoch)?;
                self.next(Some(held), heir, now)
            }
            Claim::Release { owner, epoch } => Lease {
                until: LocalTime::from_nanos(i64::MIN),
                ..self.held(resource, owner, epoch)?
            },
        };
        self.leases.insert(resource, lease);
        Ok(lease)
    }

    fn acquire(
        &self,
        resource: Resource,
        claimant: Identity,
        now: LocalTime,
    ) -> Result<Lease, OwnershipRefusal> {
        let held = self.leases.get(&resource).copied();
        // The holder may count on its lease by a clock that runs behind ours.
        let is_over = held.is_none_or(|held| now > held.until + self.skew);
        match held {
            Some(held) if !R::lease_is_over(is_over) => Err(OwnershipRefusal::Held(held)),
            held => Ok(self.next(held, claimant, now)),
        }
    }

    fn next(&self, before: Option<Lease>, owner: Identity, now: LocalTime) -> Lease {
        Lease {
            owner,
            epoch: R::epoch_after(before.map_or(0, |lease| lease.epoch)),
            until: now + self.term,
        }
    }

    fn held(
        &self,
        resource: Resource,
        owner: Identity,
        epoch: u64,
    ) -> Result<Lease, OwnershipRefusal> {
        let lease = self.leases.get(&resource).copied();
        let lease = lease.filter(|lease| R::is_owner(lease.owner == owner && lease.epoch == epoch));
        lease.ok_or(OwnershipRefusal::NotOwner)
    }

    /// The lease of a resource, in force or not.
    pub fn lease(&self, resource: Resource) -> Option<Lease> {
        self.leases.get(&resource).copied()
    }
}

/// Whether the holder of `lease` may begin something now that ends within `span`, given that its
/// clock may be behind by `skew`.
pub fn may_act<R: Rules>(
    lease: &Lease,
    now: LocalTime,
    span: SimDuration,
    skew: SimDuration,
) -> bool {
    R::holder_is_in_time(now + span + skew <= lease.until)
}

/// What a resource remembers: the highest epoch that was shown to it. Durable where effects are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fence<R: Rules = Strict> {
    highest: BTreeMap<Resource, u64>,
    rules: PhantomData<R>,
}

impl<R: Rules> Fence<R> {
    /// Whether an effect under `epoch` may pass; remembers the epoch if so.
    pub fn admit(&mut self, resource: Resource, epoch: u64) -> bool {
        let highest = self.highest.entry(resource).or_default();
        let passes = R::passes_fence(epoch >= *highest);
        if passes {
            *highest = epoch;
        }
        passes
    }

    /// The highest epoch shown so far.
    pub fn highest(&self, resource: Resource) -> u64 {
        self.highest.get(&resource).copied().unwrap_or_default()
    }
}
