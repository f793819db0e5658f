//! The ledger of one issuer: accounts, sub-accounts and reservations.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Account, ActionId, Amount, Budget};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

/// The longest that a reservation may stand: 5 min (ADR-164.1).
pub const LEASE_MAX: SimDuration = SimDuration::from_secs(300);

/// Why a ledger refuses. To the asker all of them are one: a balance is nobody else's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetRefusal {
    /// A bound is above its ceiling, or a child asks for more hops than its parent has.
    Invalid,
    /// There is no such account, or somebody else keeps it.
    UnknownAccount,
    /// The account or the reservation exists, and it is not the same.
    Taken,
    /// Not enough is left.
    Exceeded,
    /// There is no such reservation.
    UnknownReservation,
    /// The account was given to somebody else.
    NotPayer,
    /// The action was handed on more often than it may be, or than it says.
    TooFar,
}

impl BudgetRefusal {
    /// The constant reason for counters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "invalid-budget",
            Self::UnknownAccount => "unknown-account",
            Self::Taken => "taken",
            Self::Exceeded => "budget-exceeded",
            Self::UnknownReservation => "unknown-reservation",
            Self::NotPayer => "not-payer",
            Self::TooFar => "too-many-hops",
        }
    }
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Charge {
    /// What was charged.
    pub charged: Amount,
    /// What the work cost beyond that; whoever worked bears it.
    pub uncovered: Amount,
    /// Whether the reservation had expired.
    pub is_late: bool,
}

/// How an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Balance {
    /// The most that may be spent.
    pub max: Amount,
    /// What was charged, also by closed children.
    pub spent: Amount,
    /// What is set aside for work under way.
    pub reserved: Amount,
    /// What open children may spend.
    pub allotted: Amount,
    /// What of `spent` was charged after its reservation had expired.
    pub late: Amount,
}

impl Balance {
    /// What can still be reserved or allotted.
    pub fn free(&self) -> Amount {
        self.max - self.spent - self.reserved - self.allotted
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Book {
    budget: Budget,
    parent: Option<Account>,
    balance: Balance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reservation {
    holder: Identity,
    amount: Amount,
    expires_at: LocalTime,
    has_expired: bool,
}

/// One reservation's name: who spends twice under one name spends once.
type Name = (Account, ActionId);

/// The accounts that one issuer keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ledger<R: Rules = Strict> {
    me: Identity,
    books: BTreeMap<Account, Book>,
    reservations: BTreeMap<Name, Reservation>,
    by_expiry: BTreeSet<(LocalTime, Name)>,
    rules: PhantomData<R>,
}

impl<R: Rules> Ledger<R> {
    /// The empty ledger of `me`.
    pub fn new(me: Identity) -> Self {
        Self {
            me,
            books: BTreeMap::new(),
            reservations: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            rules: PhantomData,
        }
    }

    /// Opens an account. Opening the same one again changes nothing.
    ///
    /// # Errors
    /// If the budget is not valid, is another issuer's, or the account is in use.
    pub fn open(&mut self, budget: Budget) -> Result<(), BudgetRefusal> {
        self.insert(budget, None)
    }

    /// Opens a child account with part of what the parent has left.
    ///
    /// # Errors
    /// As [`Ledger::open`]; and if the parent has less left, or fewer hops.
    pub fn split(&mut self, parent: Account, budget: Budget) -> Result<(), BudgetRefusal> {
        let book = self.books.get(&parent);
        let book = book.ok_or(BudgetRefusal::UnknownAccount)?;
        if budget.hops_max > book.budget.hops_max {
            return Err(BudgetRefusal::Invalid);
        }
        if self.books.contains_key(&budget.account) {
            return self.insert(budget, Some(parent));
        }
        let allotted = budget.most();
        if !R::child_fits(allotted.fits(book.balance.free())) {
            return Err(BudgetRefusal::Exceeded);
        }
        self.insert(budget, Some(parent))?;
        self.change(parent, |balance| {
            balance.allotted = balance.allotted + allotted
        });
        Ok(())
    }

    /// Opens a child account with part of what is set aside for an action of `holder`. Opening the
    /// same one again changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::open`]; and if there is no such reservation, or less is set aside.
    pub fn hand_on(
        &mut self,
        name: (Account, ActionId),
        holder: Identity,
        budget: Budget,
    ) -> Result<(), BudgetRefusal> {
        if self.books.contains_key(&budget.account) {
            return self.insert(budget, Some(name.0));
        }
        let reservation = self.reservations.get(&name);
        let stands = |it: &&Reservation| it.holder == holder && !it.has_expired;
        let set_aside = reservation.filter(stands).map(|it| it.amount);
        let set_aside = set_aside.ok_or(BudgetRefusal::UnknownReservation)?;
        let part = budget.most();
        if !R::child_fits(part.fits(set_aside)) {
            return Err(BudgetRefusal::Exceeded);
        }
        self.insert(budget, Some(name.0))?;
        if let Some(reservation) = self.reservations.get_mut(&name) {
            reservation.amount = set_aside - part;
        }
        self.change(name.0, |balance| {
            balance.reserved = balance.reserved - R::set_aside(part.least(set_aside));
            balance.allotted = balance.allotted + part;
        });
        Ok(())
    }

    fn insert(&mut self, budget: Budget, parent: Option<Account>) -> Result<(), BudgetRefusal> {
        if !budget.is_valid() {
            return Err(BudgetRefusal::Invalid);
        }
        if budget.issuer != self.me {
            return Err(BudgetRefusal::UnknownAccount);
        }
        if let Some(known) = self.books.get(&budget.account) {
            let is_same = known.budget == budget && known.parent == parent;
            return if is_same {
                Ok(())
            } else {
                Err(BudgetRefusal::Taken)
            };
        }
        let balance = Balance {
            max: budget.most(),
            ..Balance::default()
        };
        let book = Book {
            budget,
            parent,
            balance,
        };
        self.books.insert(budget.account, book);
        Ok(())
    }

    /// Closes a child: what it did not spend is its parent's again. Not while work is under way.
    ///
    /// # Errors
    /// If there is no such account, or it has reservations or open children.
    pub fn close(&mut self, account: Account) -> Result<Amount, BudgetRefusal> {
        let book = self.books.get(&account);
        let book = book.ok_or(BudgetRefusal::UnknownAccount)?.clone();
        let is_busy = self.reservations.keys().any(|(of, _)| *of == account)
            || self
                .books
                .values()
                .any(|child| child.parent == Some(account));
        if is_busy {
            return Err(BudgetRefusal::Taken);
        }
        self.books.remove(&account);
        if let Some(parent) = book.parent {
            let closed = book.balance;
            self.change(parent, |balance| {
                balance.allotted = balance.allotted - closed.max;
                balance.spent = balance.spent + closed.spent;
                balance.late = balance.late + closed.late;
            });
        }
        Ok(book.balance.max - book.balance.spent)
    }

    /// Sets `amount` aside for an action of `holder`, for at most [`LEASE_MAX`]. Asking again for
    /// the same changes nothing.
    ///
    /// # Errors
    /// If not so much is left, or the action's reservation is another's.
    pub fn reserve(
        &mut self,
        (account, action): (Account, ActionId),
        holder: Identity,
        amount: Amount,
        now: LocalTime,
    ) -> Result<(), BudgetRefusal> {
        self.expire(now);
        let name = (account, action);
        if let Some(known) = self.reservations.get(&name) {
            let is_same = known.holder == holder && known.amount == amount;
            return if is_same {
                Ok(())
            } else {
                Err(BudgetRefusal::Taken)
            };
        }
        let book = self.books.get(&account);
        let free = book.ok_or(BudgetRefusal::UnknownAccount)?.balance.free();
        if !R::reservation_fits(amount.fits(free)) {
            return Err(BudgetRefusal::Exceeded);
        }
        let expires_at = now + LEASE_MAX;
        self.by_expiry.insert((expires_at, name));
        let reservation = Reservation {
            holder,
            amount,
            expires_at,
            has_expired: false,
        };
        self.reservations.insert(name, reservation);
        self.change(account, |balance| {
            balance.reserved = balance.reserved + R::set_aside(amount);
        });
        Ok(())
    }

    /// Charges what the work cost. Up to the reservation always, also when it comes late; beyond
    /// it as far as something is left.
    ///
    /// # Errors
    /// If `holder` has no such reservation.
    pub fn commit(
        &mut self,
        name: (Account, ActionId),
        holder: Identity,
        actual: Amount,
        now: LocalTime,
    ) -> Result<Charge, BudgetRefusal> {
        self.expire(now);
        let reservation = self.take(name, holder)?;
        let is_late = reservation.has_expired;
        let covered = match self.books.get(&name.0) {
            Some(book) if !is_late => reservation.amount + book.balance.free(),
            Some(_) | None => reservation.amount,
        };
        let charged = match R::is_charged(is_late) {
            true => actual.least(covered),
            false => Amount::ZERO,
        };
        self.change(name.0, |balance| {
            if is_late {
                balance.late = balance.late + charged;
            } else {
                balance.reserved = balance.reserved - R::set_aside(reservation.amount);
            }
            balance.spent = balance.spent + charged;
        });
        Ok(Charge {
            charged,
            uncovered: actual - charged,
            is_late,
        })
    }

    /// Gives a reservation back.
    ///
    /// # Errors
    /// If `holder` has no such reservation.
    pub fn release(
        &mut self,
        name: (Account, ActionId),
        holder: Identity,
    ) -> Result<(), BudgetRefusal> {
        let reservation = self.take(name, holder)?;
        if !reservation.has_expired {
            self.change(name.0, |balance| {
                balance.reserved = balance.reserved - R::set_aside(reservation.amount);
            });
        }
        Ok(())
    }

    fn take(&mut self, name: Name, holder: Identity) -> Result<Reservation, BudgetRefusal> {
        let reservation = self.reservations.get(&name);
        let reservation = reservation.filter(|reservation| reservation.holder == holder);
        let reservation = *reservation.ok_or(BudgetRefusal::UnknownReservation)?;
        self.reservations.remove(&name);
        self.by_expiry.remove(&(reservation.expires_at, name));
        Ok(reservation)
    }

    /// Frees what was set aside by reservations that expired; they can still be committed.
    pub fn expire(&mut self, now: LocalTime) {
        while let Some((at, name)) = self.by_expiry.first().copied()
            && at <= now
        {
            self.by_expiry.pop_first();
            let Some(reservation) = self.reservations.get_mut(&name) else {
                continue;
            };
            reservation.has_expired = true;
            let amount = reservation.amount;
            self.change(name.0, |balance| {
                balance.reserved = balance.reserved - R::set_aside(amount);
            });
        }
    }

    /// The account that an account was split off.
    pub fn parent(&self, account: Account) -> Option<Account> {
        self.books.get(&account)?.parent
    }

    /// How an account stands.
    pub fn balance(&self, account: Account) -> Option<Balance> {
        self.books.get(&account).map(|book| book.balance)
    }

    /// The budget of an account, as it travels.
    pub fn budget(&self, account: Account) -> Option<Budget> {
        self.books.get(&account).map(|book| book.budget)
    }

    fn change(&mut self, account: Account, how: impl FnOnce(&mut Balance)) {
        if let Some(book) = self.books.get_mut(&account) {
            how(&mut book.balance);
        }
    }
}
