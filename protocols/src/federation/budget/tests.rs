//! What a budget buys, and what copying one does not.

use proptest::prelude::*;

use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Account, ActionId, Amount, Budget, Money};
use crate::federation::testing::{keys, needed};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

needed!(reservations_fit: lets_twenty_of_a_hundred_through, OverspendingAllowed, NothingSetAside);
needed!(children_fit: allots_no_more_than_the_parent_has, ChildrenUnbounded);
needed!(a_copy_buys_nothing: refuses_whoever_copies_a_budget, CopiesAccepted);
needed!(the_keeper_is_asked: asks_before_it_spends, KeeperUnasked);
needed!(an_account_knows_its_hops: refuses_a_hop_too_many, HopsUnchecked);
needed!(a_part_is_of_what_is_set_aside: hands_on_no_more_than_was_set_aside, ChildrenUnbounded);
needed!(late_work_is_paid: charges_a_late_commit, LateIsFree);

const ISSUER: u8 = 1;
const ROOT: Account = Account([1; 16]);

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn cents(cents: u64) -> Amount {
    Amount::money(Money::from_cents(cents))
}

fn action(salt: u64) -> ActionId {
    ActionId::new(at(10_000), salt)
}

fn budget(account: Account, cents: u64) -> Budget {
    Budget {
        account,
        issuer: id(ISSUER),
        hops_max: Budget::HOPS_DEFAULT,
        tokens_max: if account == ROOT { 1_000 } else { 100 },
        money_max: Money::from_cents(cents),
    }
}

fn dollar<R: Rules>() -> Ledger<R> {
    let mut ledger = Ledger::new(id(ISSUER));
    ledger.open(budget(ROOT, 100)).unwrap();
    ledger
}

/// The keeper of one dollar, of which peer 2 has 0.50 set aside for an action of the keeper.
fn kept<R: Rules>() -> Keeper<R> {
    let mut keeper = Keeper::new(id(ISSUER));
    keeper.open(budget(ROOT, 100)).unwrap();
    let shown = shown(ISSUER, 0, budget(ROOT, 50));
    keeper.reserve(&shown, id(2), at(0)).unwrap();
    keeper
}

fn shown(source: u8, hops: u8, budget: Budget) -> Shown {
    Shown {
        action: action(u64::from(hops)),
        source: id(source),
        hops,
        budget: Budget {
            tokens_max: 0,
            ..budget
        },
    }
}

const CHILD: Account = Account([2; 16]);

fn child(cents: u64) -> Budget {
    Budget {
        tokens_max: 0,
        ..budget(CHILD, cents)
    }
}

fn refuses_whoever_copies_a_budget<R: Rules>() -> bool {
    let mut keeper = kept::<R>();
    keeper.hand_on((ROOT, action(0)), id(2), child(20)).unwrap();
    // Peer 3 was asked by peer 2, and asks peer 4 under the same budget.
    let copied = keeper.reserve(&shown(3, 1, child(20)), id(4), at(0));
    copied == Err(BudgetRefusal::NotPayer)
}

fn asks_before_it_spends<R: Rules>() -> bool {
    let nobodys = Budget {
        account: Account::NONE,
        ..child(20)
    };
    is_asked_for::<R>(&child(20)) && !is_asked_for::<R>(&nobodys)
}

fn refuses_a_hop_too_many<R: Rules>() -> bool {
    let mut keeper = kept::<R>();
    keeper.hand_on((ROOT, action(0)), id(2), child(20)).unwrap();
    let disowned = keeper.reserve(&shown(2, 0, child(20)), id(3), at(0));
    let mut short = Keeper::<R>::new(id(ISSUER));
    let pool = Budget {
        hops_max: 0,
        ..budget(ROOT, 100)
    };
    short.open(pool).unwrap();
    short
        .reserve(&shown(ISSUER, 0, pool), id(2), at(0))
        .unwrap();
    let further = short.hand_on((ROOT, action(0)), id(2), child(20));
    disowned == Err(BudgetRefusal::TooFar) && further == Err(BudgetRefusal::TooFar)
}

fn hands_on_no_more_than_was_set_aside<R: Rules>() -> bool {
    let mut keeper = kept::<R>();
    let of = (ROOT, action(0));
    keeper.hand_on(of, id(2), child(30)).unwrap();
    let second = Budget {
        account: Account([3; 16]),
        ..child(30)
    };
    keeper.hand_on(of, id(2), second) == Err(BudgetRefusal::Exceeded)
}

#[test]
fn what_a_chain_leaves_comes_back_when_its_last_account_closes() {
    // 0.50 set aside, 0.20 handed on; 0.10 and 0.05 are spent: 0.85 are free again.
    let mut keeper = kept::<Strict>();
    let (of, handed_on) = ((ROOT, action(0)), shown(2, 1, child(20)));
    keeper.hand_on(of, id(2), child(20)).unwrap();
    keeper.reserve(&handed_on, id(3), at(0)).unwrap();
    keeper.commit(of, id(2), cents(10), at(1)).unwrap();
    let name = (CHILD, handed_on.action);
    keeper.commit(name, id(3), cents(5), at(2)).unwrap();
    let balance = keeper.balance(ROOT).unwrap();
    assert_eq!(balance.spent, cents(15));
    assert_eq!(balance.free().money, cents(85).money);
    let again = keeper.reserve(&shown(ISSUER, 0, budget(ROOT, 50)), id(2), at(2));
    assert_eq!(again, Err(BudgetRefusal::UnknownReservation));
}

fn lets_twenty_of_a_hundred_through<R: Rules>() -> bool {
    // A hundred reservations of 0.05 on 1.00 before any of them is committed.
    let mut ledger = dollar::<R>();
    let won = (0..100_u64).filter(|salt| {
        let name = (ROOT, action(*salt));
        ledger.reserve(name, id(2), cents(5), at(0)).is_ok()
    });
    won.count() == 20
}

fn allots_no_more_than_the_parent_has<R: Rules>() -> bool {
    // Four children of 0.30 on 1.00 with 0.20 reserved: two fit.
    let mut ledger = dollar::<R>();
    ledger
        .reserve((ROOT, action(0)), id(2), cents(20), at(0))
        .unwrap();
    let children = (10..14).filter(|number| {
        let child = budget(Account([*number; 16]), 30);
        ledger.split(ROOT, child).is_ok()
    });
    children.count() == 2
}

fn charges_a_late_commit<R: Rules>() -> bool {
    // The reservation expires, others take the money, and the work reports its cost: the account
    // is overdrawn by exactly what was late.
    let mut ledger = dollar::<R>();
    ledger
        .reserve((ROOT, action(0)), id(2), cents(60), at(0))
        .unwrap();
    let after = at(0) + LEASE_MAX;
    ledger
        .reserve((ROOT, action(1)), id(3), cents(100), after)
        .unwrap();
    ledger
        .commit((ROOT, action(1)), id(3), cents(100), after)
        .unwrap();
    let charge = ledger
        .commit((ROOT, action(0)), id(2), cents(50), after)
        .unwrap();
    let balance = ledger.balance(ROOT).unwrap();
    charge.is_late
        && charge.charged == cents(50)
        && balance.spent == cents(150)
        && balance.late == cents(50)
}

#[test]
fn copying_a_budget_gains_nothing() {
    // Ten holders each show the same signed budget of 1.00; together they get 1.00. And one action
    // reserves once: its second holder is refused, its first may ask again.
    let mut ledger = dollar::<Strict>();
    let won: u64 = (0..10)
        .map(|holder| {
            let tries = (0..10).filter(|round| {
                let name = (ROOT, action(holder * 100 + round));
                ledger
                    .reserve(name, id(holder as u8), cents(20), at(0))
                    .is_ok()
            });
            tries.count() as u64
        })
        .sum();
    assert_eq!(won, 5);
    let mut ledger = dollar::<Strict>();
    let name = (ROOT, action(0));
    assert_eq!(ledger.reserve(name, id(2), cents(20), at(0)), Ok(()));
    assert_eq!(ledger.reserve(name, id(2), cents(20), at(0)), Ok(()));
    let refused = Err(BudgetRefusal::Taken);
    assert_eq!(ledger.reserve(name, id(3), cents(20), at(0)), refused);
    assert_eq!(ledger.balance(ROOT).unwrap().reserved, cents(20));
    let stranger = ledger.commit(name, id(3), cents(1), at(0));
    assert_eq!(stranger, Err(BudgetRefusal::UnknownReservation));
}

#[test]
fn a_ledger_pays_for_its_own_accounts_alone() {
    // A budget that names another issuer, or bounds beyond the ceilings, opens nothing.
    let mut ledger = dollar::<Strict>();
    let foreign = Budget {
        issuer: id(9),
        ..budget(Account([2; 16]), 1)
    };
    assert_eq!(ledger.open(foreign), Err(BudgetRefusal::UnknownAccount));
    let endless = Budget {
        hops_max: Budget::HOPS_CEILING + 1,
        ..budget(Account([2; 16]), 1)
    };
    assert_eq!(ledger.open(endless), Err(BudgetRefusal::Invalid));
    assert_eq!(ledger.open(budget(ROOT, 200)), Err(BudgetRefusal::Taken));
    let farther = Budget {
        hops_max: Budget::HOPS_DEFAULT + 1,
        ..budget(Account([2; 16]), 1)
    };
    assert_eq!(ledger.split(ROOT, farther), Err(BudgetRefusal::Invalid));
}

#[test]
fn a_closed_child_gives_back_what_it_did_not_spend() {
    // 0.30 allotted, 0.10 spent: 0.20 is the parent's again. Not while work is under way.
    let mut ledger = dollar::<Strict>();
    let child = Account([2; 16]);
    ledger.split(ROOT, budget(child, 30)).unwrap();
    ledger
        .reserve((child, action(0)), id(2), cents(10), at(0))
        .unwrap();
    assert_eq!(ledger.close(child), Err(BudgetRefusal::Taken));
    ledger
        .commit((child, action(0)), id(2), cents(10), at(1))
        .unwrap();
    let given_back = ledger.close(child).unwrap();
    assert_eq!(given_back.money, cents(20).money);
    let balance = ledger.balance(ROOT).unwrap();
    assert_eq!(
        (balance.spent, balance.free().money),
        (cents(10), cents(90).money)
    );
}

#[test]
fn work_that_costs_more_than_reserved_is_covered_as_far_as_money_is_left() {
    // 0.05 reserved, 0.30 spent, 0.20 free beside it: 0.25 is charged, 0.05 is the worker's.
    let mut ledger = dollar::<Strict>();
    ledger
        .reserve((ROOT, action(0)), id(2), cents(75), at(0))
        .unwrap();
    ledger
        .reserve((ROOT, action(1)), id(3), cents(5), at(0))
        .unwrap();
    let charge = ledger
        .commit((ROOT, action(1)), id(3), cents(30), at(1))
        .unwrap();
    let wanted = Charge {
        charged: cents(25),
        uncovered: cents(5),
        is_late: false,
    };
    assert_eq!(charge, wanted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_schedule_carries_an_account_beyond_its_cap_but_by_late_commits(
        steps in prop::collection::vec((0..5_u8, 0..12_u64, 0..40_u64, 0..200_u64), 1..120),
    ) {
        // The invariant itself, after every step, over the root and its children.
        let mut ledger = dollar::<Strict>();
        let mut now = at(0);
        for (what, salt, amount, wait) in steps {
            now = now + SimDuration::from_secs(wait);
            let account = if salt < 6 { ROOT } else { Account([salt as u8; 16]) };
            let name = (account, action(salt));
            match what {
                0 => drop(ledger.reserve(name, id(2), cents(amount), now)),
                1 => drop(ledger.commit(name, id(2), cents(amount), now)),
                2 => drop(ledger.release(name, id(2))),
                3 => drop(ledger.split(ROOT, budget(account, amount))),
                _ => drop(ledger.close(account)),
            }
            let accounts = (6..12).map(|salt| Account([salt; 16])).chain([ROOT]);
            for balance in accounts.filter_map(|account| ledger.balance(account)) {
                let used = balance.spent + balance.reserved + balance.allotted;
                prop_assert!(used.fits(balance.max + balance.late), "{:?}", balance);
            }
        }
    }
}
