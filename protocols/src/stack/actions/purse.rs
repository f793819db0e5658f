//! What a peer has to do with money: the pool that it keeps itself, and the bids that others have not
//! ruled on yet.

use std::collections::BTreeMap;

use crate::federation::budget::{BudgetRefusal, Keeper, Shown};
use crate::federation::rules::Rules;
use crate::federation::terms::{Account, Amount, Budget};
use crate::identity::{Identity, Keys};
use crate::peer::PeerId;
use crate::time::LocalTime;

use super::bid::{Bid, BidName};

/// What may be spent on all that a peer asks for of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// The most.
    pub cap: Amount,
    /// How often an action may be handed on.
    pub hops_max: u8,
}

/// A bid that was not ruled on yet.
#[derive(Clone, Debug)]
pub(super) struct OpenBid {
    pub(super) keeper: PeerId,
    pub(super) bid: Bid,
    /// The work that it is for.
    pub(super) ticket: u64,
}

/// One peer's purse.
#[derive(Debug)]
pub(super) struct Purse<R: Rules> {
    pool: Option<Pool>,
    keeper: Keeper<R>,
    bids: BTreeMap<u64, OpenBid>,
    numbers: BTreeMap<BidName, u64>,
    last: u64,
}

impl<R: Rules> Purse<R> {
    /// The purse of `me`, with a pool or without.
    pub(super) fn new(me: Identity, pool: Option<Pool>) -> Self {
        let mut keeper = Keeper::new(me);
        if let Some(pool) = pool {
            let opened = keeper.open(pool_budget(me, &pool));
            opened.expect("BUG: a pool above the ceilings");
        }
        Self {
            pool,
            keeper,
            bids: BTreeMap::new(),
            numbers: BTreeMap::new(),
            last: 0,
        }
    }

    /// What was set aside is forgotten in a crash, so nothing more is.
    pub(super) fn close_pool(&mut self, me: Identity) {
        self.keeper = Keeper::new(me);
    }

    /// What pays for an action of `me` that may cost `most`.
    pub(super) fn budget(&self, me: Identity, most: Amount) -> Budget {
        let unpaid = Budget {
            account: Account::NONE,
            issuer: me,
            hops_max: Budget::HOPS_DEFAULT,
            tokens_max: most.tokens,
            money_max: most.money,
        };
        self.pool.map_or(unpaid, |pool| Budget {
            account: Account::pool_of(me),
            hops_max: pool.hops_max,
            ..unpaid
        })
    }

    /// Rules on what an executor wants. Accounts are of the `first` key of a line.
    pub(super) fn rule(
        &mut self,
        bid: &Bid,
        holder: Identity,
        (now, first): (LocalTime, &dyn Fn(Identity) -> Identity),
        keys: &mut Keys,
    ) -> Result<(), BudgetRefusal> {
        match bid {
            Bid::Reserve { action } => {
                let is_asked = first(action.audience) == holder && keys.verify(action);
                if !is_asked || action.signer().identity() != action.source {
                    return Err(BudgetRefusal::NotPayer);
                }
                let shown = Shown {
                    action: action.id,
                    source: first(action.source),
                    hops: action.hops,
                    budget: action.budget,
                };
                self.keeper.reserve(&shown, holder, now)
            }
            Bid::HandOn {
                account,
                action,
                child,
            } => self.keeper.hand_on((*account, *action), holder, *child),
            Bid::Commit {
                account,
                action,
                actual,
            } => {
                let name = (*account, *action);
                self.keeper.commit(name, holder, *actual, now).map(|_| ())
            }
        }
    }

    /// Remembers a bid; its number.
    pub(super) fn add(&mut self, open: OpenBid) -> u64 {
        self.last += 1;
        self.numbers.insert(open.bid.name(), self.last);
        self.bids.insert(self.last, open);
        self.last
    }

    pub(super) fn bid(&self, number: u64) -> Option<&OpenBid> {
        self.bids.get(&number)
    }

    /// Takes the bid out that `keeper` ruled on.
    pub(super) fn close(&mut self, keeper: PeerId, name: BidName) -> Option<(u64, OpenBid)> {
        let number = *self.numbers.get(&name)?;
        self.bids
            .get(&number)
            .filter(|open| open.keeper == keeper)?;
        self.numbers.remove(&name);
        Some((number, self.bids.remove(&number)?))
    }

    /// Takes a bid out that nobody waits for any more.
    pub(super) fn drop(&mut self, number: u64) {
        if let Some(open) = self.bids.remove(&number) {
            self.numbers.remove(&open.bid.name());
        }
    }
}

fn pool_budget(issuer: Identity, pool: &Pool) -> Budget {
    Budget {
        account: Account::pool_of(issuer),
        issuer,
        hops_max: pool.hops_max,
        tokens_max: pool.cap.tokens,
        money_max: pool.cap.money,
    }
}
