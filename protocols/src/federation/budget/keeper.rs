//! Who may spend what a ledger keeps: accounts belong to whoever was given them.

use std::collections::{BTreeMap, BTreeSet};

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Account, ActionId, Amount, Budget};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

use super::ledger::{Balance, BudgetRefusal, Charge, LEASE_MAX, Ledger};

/// How long after its expiry an action may still be reported on.
const AFTERMATH: SimDuration = LEASE_MAX;

/// What an executor shows of the action that it was asked for. That its source signed it is for
/// whoever takes the bid to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Which action.
    pub action: ActionId,
    /// Who asks.
    pub source: Identity,
    /// How often it was handed on, as it says.
    pub hops: u8,
    /// What pays for it, as it says.
    pub budget: Budget,
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Purse {
    /// Whose actions may name it.
    payer: Identity,
    /// How often those actions were handed on.
    hops: u8,
}

/// A ledger, and who may spend what is in it.
#[derive(Clone, Debug)]
pub struct Keeper<R: Rules = Strict> {
    me: Identity,
    ledger: Ledger<R>,
    purses: BTreeMap<Account, Purse>,
    /// Actions whose cost was reported; a copy of their reservation that comes late counts no more.
    settled: BTreeSet<ActionId>,
}

impl<R: Rules> Keeper<R> {
    /// The keeper of nothing yet.
    pub fn new(me: Identity) -> Self {
        Self {
            me,
            ledger: Ledger::new(me),
            purses: BTreeMap::new(),
            settled: BTreeSet::new(),
        }
    }

    /// Opens the pool that the keeper's own actions draw on.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open(&mut self, pool: Budget) -> Result<(), BudgetRefusal> {
        self.ledger.open(pool)?;
        let (payer, hops) = (self.me, 0);
        self.purses.insert(pool.account, Purse { payer, hops });
        Ok(())
    }

    /// Sets aside what an action may cost, for the `holder` that it asks.
    ///
    /// # Errors
    /// If its source was not given the account, it went further than it may or than it says, or not
    /// so much is left.
    pub fn reserve(
        &mut self,
        shown: &Shown,
        holder: Identity,
        now: LocalTime,
    ) -> Result<(), BudgetRefusal> {
        let account = shown.budget.account;
        let purse = self.purses.get(&account);
        let purse = *purse.ok_or(BudgetRefusal::UnknownAccount)?;
        let most = self.ledger.budget(account);
        let most = most.ok_or(BudgetRefusal::UnknownAccount)?;
        refuse_unless(
            R::may_pay_with(purse.payer == shown.source),
            BudgetRefusal::NotPayer,
        )?;
        let fits = shown.hops == purse.hops && shown.hops <= most.hops_max;
        refuse_unless(R::hops_fit(fits), BudgetRefusal::TooFar)?;
        refuse_unless(
            !self.settled.contains(&shown.action),
            BudgetRefusal::UnknownReservation,
        )?;
        let name = (account, shown.action);
        self.ledger.reserve(name, holder, shown.budget.most(), now)
    }

    /// Gives part of what `holder` has set aside an account of its own, for an action that it asks
    /// somebody else for.
    ///
    /// # Errors
    /// As [`Ledger::hand_on`]; and if that is one hop too many.
    pub fn hand_on(
        &mut self,
        of: (Account, ActionId),
        holder: Identity,
        child: Budget,
    ) -> Result<(), BudgetRefusal> {
        let purse = self.purses.get(&of.0);
        let purse = *purse.ok_or(BudgetRefusal::UnknownAccount)?;
        let hops = purse.hops.saturating_add(1);
        let most = self.ledger.budget(of.0).map_or(0, |budget| budget.hops_max);
        refuse_unless(R::hops_fit(hops <= most), BudgetRefusal::TooFar)?;
        self.ledger.hand_on(of, holder, child)?;
        let payer = holder;
        self.purses.insert(child.account, Purse { payer, hops });
        Ok(())
    }

    /// Charges what an action cost. An account that was for it alone is closed, and what is left of
    /// it is its parent's again.
    ///
    /// # Errors
    /// As [`Ledger::commit`].
    pub fn commit(
        &mut self,
        of: (Account, ActionId),
        holder: Identity,
        actual: Amount,
        now: LocalTime,
    ) -> Result<Charge, BudgetRefusal> {
        let charge = self.ledger.commit(of, holder, actual, now)?;
        self.settled.insert(of.1);
        while let Some(oldest) = self.settled.first().copied()
            && oldest.expires_at() + AFTERMATH < now
        {
            self.settled.pop_first();
        }
        let mut account = of.0;
        while let Some(parent) = self.ledger.parent(account)
            && self.ledger.close(account).is_ok()
        {
            self.purses.remove(&account);
            account = parent;
        }
        Ok(charge)
    }

    /// How an account stands.
    pub fn balance(&self, account: Account) -> Option<Balance> {
        self.ledger.balance(account)
    }
}

/// Whether a budget is spent only once its keeper was asked.
pub fn is_asked_for<R: Rules>(budget: &Budget) -> bool {
    R::asks_keeper(budget.has_keeper())
}

fn refuse_unless(holds: bool, refusal: BudgetRefusal) -> Result<(), BudgetRefusal> {
    if holds { Ok(()) } else { Err(refusal) }
}
