//! One owner at a time, and no effect of a former one.

use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::testing::{keys, needed};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

needed!(a_lease_is_waited_out: grants_one_of_a_hundred_claimants, LeasesIgnored);
needed!(epochs_grow: gives_every_owner_a_larger_epoch, EpochsStand);
needed!(only_the_owner_speaks: ignores_a_former_owner, OwnersUnchecked);
needed!(a_fence_holds: stops_a_former_owner, FenceOpen);
needed!(a_holder_stops_in_time: stops_a_holder_whose_clock_may_be_late, HoldersOverrun);

const TERM: SimDuration = SimDuration::from_secs(60);
const SKEW: SimDuration = SimDuration::from_secs(30);
const R7: Resource = Resource(7);

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn leases<R: Rules>() -> Leases<R> {
    Leases::new(TERM, SKEW)
}

fn acquire<R: Rules>(leases: &mut Leases<R>, number: u8, secs: i64) -> Option<Lease> {
    let claimant = id(number);
    leases.apply(R7, Claim::Acquire { claimant }, at(secs)).ok()
}

fn grants_one_of_a_hundred_claimants<R: Rules>() -> bool {
    // A hundred decided claims, stamped by clocks up to the skew apart: one owner. A second one
    // only when the first cannot count on its lease by any honest clock.
    let mut leases = leases::<R>();
    let stamps = (0..100_u8).map(|number| (number, i64::from(number % 30)));
    let granted = stamps.filter(|(number, secs)| acquire(&mut leases, *number, *secs).is_some());
    granted.count() == 1
        && acquire(&mut leases, 50, 90).is_none()
        && acquire(&mut leases, 50, 91).is_some()
}

fn gives_every_owner_a_larger_epoch<R: Rules>() -> bool {
    let mut leases = leases::<R>();
    let first = acquire(&mut leases, 1, 0).unwrap();
    let hand_over = Claim::HandOver {
        owner: id(1),
        epoch: first.epoch,
        heir: id(2),
    };
    let second = leases.apply(R7, hand_over, at(1)).unwrap();
    let owner = id(2);
    let release = Claim::Release {
        owner,
        epoch: second.epoch,
    };
    leases.apply(R7, release, at(2)).unwrap();
    let third = acquire(&mut leases, 1, 3).unwrap();
    first.epoch < second.epoch && second.epoch < third.epoch
}

fn ignores_a_former_owner<R: Rules>() -> bool {
    let mut leases = leases::<R>();
    let first = acquire(&mut leases, 1, 0).unwrap();
    let (owner, epoch) = (id(1), first.epoch);
    let heir = id(2);
    leases
        .apply(R7, Claim::HandOver { owner, epoch, heir }, at(1))
        .unwrap();
    let late = [
        Claim::Renew { owner, epoch },
        Claim::Release { owner, epoch },
        Claim::HandOver {
            owner,
            epoch,
            heir: id(3),
        },
    ];
    let refused = Err(OwnershipRefusal::NotOwner);
    late.into_iter()
        .all(|claim| leases.apply(R7, claim, at(2)) == refused)
}

fn stops_a_former_owner<R: Rules>() -> bool {
    let mut fence = Fence::<R>::default();
    let passes = [1, 1, 2, 2].map(|epoch| fence.admit(R7, epoch));
    let stale = fence.admit(R7, 1);
    passes == [true; 4] && !stale && fence.highest(R7) == 2 && fence.admit(Resource(8), 1)
}

fn stops_a_holder_whose_clock_may_be_late<R: Rules>() -> bool {
    // The lease ends at 60; with work of 5 s and a skew of 30 s the last safe start is at 25.
    let lease = acquire(&mut leases::<R>(), 1, 0).unwrap();
    let work = SimDuration::from_secs(5);
    may_act::<R>(&lease, at(25), work, SKEW) && !may_act::<R>(&lease, at(26), work, SKEW)
}

#[test]
fn a_holder_and_its_successor_never_act_at_once() {
    // By true time: the holder's clock is as late as allowed, the granter's as early. The last
    // thing the holder does ends before the first lease of the next begins.
    let mut leases = leases::<Strict>();
    let lease = acquire(&mut leases, 1, 0).unwrap();
    let holder_ends = (0..200).filter(|true_secs| {
        let late_clock = at(true_secs - 30);
        may_act::<Strict>(&lease, late_clock, SimDuration::ZERO, SKEW)
    });
    let last = holder_ends.max().unwrap();
    let first = (0..200).find(|true_secs| acquire(&mut leases.clone(), 2, *true_secs).is_some());
    assert!(last < first.unwrap(), "{last} {first:?}");
}

#[test]
fn a_stamp_of_the_past_does_not_bring_back_a_lease() {
    // A proposer with a late clock renews after somebody else could acquire: time stays put.
    let mut leases = leases::<Strict>();
    acquire(&mut leases, 1, 0).unwrap();
    let second = acquire(&mut leases, 2, 100).unwrap();
    assert!(acquire(&mut leases, 3, 10).is_none());
    assert_eq!(leases.lease(R7), Some(second));
}

#[test]
fn members_that_apply_the_same_claims_agree() {
    // The state machine is a function of the decided order and nothing else.
    let run = || {
        let mut leases = leases::<Strict>();
        for step in 0..500_i64 {
            let number = (step * 7 % 5) as u8;
            let owner = id(number);
            let epoch = (step % 9) as u64;
            let claim = match step % 4 {
                0 | 1 => Claim::Acquire { claimant: owner },
                2 => Claim::Renew { owner, epoch },
                _ => Claim::HandOver {
                    owner,
                    epoch,
                    heir: id(9),
                },
            };
            let _ = leases.apply(R7, claim, at(step * 13));
        }
        leases
    };
    assert_eq!(run(), run());
    assert!(run().lease(R7).unwrap().epoch > 10);
}
