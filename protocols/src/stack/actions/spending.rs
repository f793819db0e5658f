//! How an office spends what is not its own: it asks the keeper before the work, and reports after it.
//!
//! ```text
//!   begun ─▶ reserve ─▶ hand on, for each part ─▶ work ─▶ commit ─▶ handed on ─▶ effect
//!               └── refused: the work is refused
//! ```
//!
//! Must not know whom work is handed on to, or what a ledger does.

use crate::federation::budget::{BudgetRefusal, is_asked_for};
use crate::federation::envelope::{Refusal, Stage};
use crate::federation::rules::Rules;
use crate::federation::terms::Amount;
use crate::peer::PeerId;
use crate::stack::message::Load;
use crate::stack::{Ctx, StackEvent, StackTimer};
use crate::time::SimDuration;

use super::bid::{Bid, BidName, BidStep};
use super::office::{Office, Posting, Work};
use super::onward::Part;
use super::purse::OpenBid;

/// What a piece of work costs, and what of it goes further.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs {
    /// What the work at this peer costs.
    pub(super) own: Amount,
    /// What is handed on once that is done.
    pub(super) parts: Vec<Part>,
    /// Rulings or ends of parts that are waited for.
    pub(super) waits_for: usize,
    /// Whether a part was refused or did not get done.
    pub(super) has_failed: bool,
    /// Whether its keeper was asked.
    pub(super) is_kept: bool,
    /// Whether the own work is done and paid.
    pub(super) is_spent: bool,
}

impl<R: Rules> Office<R> {
    /// Work may begin: it does, as soon as it is paid for.
    pub(super) fn fund(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        let Some(work) = self.work.get(&ticket) else {
            return;
        };
        let action = work.action.clone();
        let mut costs = self.plan(&action, ctx);
        if action.budget.has_keeper() || !costs.parts.is_empty() {
            let is_asked = self.config.stages.contains(&Stage::Budget);
            costs.is_kept = is_asked && is_asked_for::<R>(&action.budget);
            let is_kept = costs.is_kept;
            self.costs.insert(ticket, costs);
            if is_kept {
                return self.bid(ticket, Bid::Reserve { action }, ctx);
            }
        }
        self.start(ticket, ctx);
    }

    fn start(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        let costs = self.costs.get(&ticket);
        if let (Some(costs), Some(work)) = (costs, self.work.get(&ticket)) {
            ctx.notify(StackEvent::SpendingBegun {
                action: work.action.id,
                issuer: work.action.budget.issuer,
                amount: costs.own,
            });
        }
        let (low, high) = (self.config.work_min, self.config.work_max);
        let span = ctx.rng().between(low.as_nanos(), high.as_nanos());
        ctx.set_timer(StackTimer::Work { ticket }, SimDuration::from_nanos(span));
    }

    /// Says what a piece of work cost, to its keeper too.
    pub(super) fn spend(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        let costs = self.costs.get_mut(&ticket);
        let (Some(costs), Some(work)) = (costs, self.work.get(&ticket)) else {
            return;
        };
        costs.is_spent = true;
        let (own, is_kept) = (costs.own, costs.is_kept);
        let (action, budget) = (work.action.id, work.action.budget);
        ctx.notify(StackEvent::Spent {
            action,
            issuer: budget.issuer,
            amount: own,
        });
        if is_kept {
            let bid = Bid::Commit {
                account: budget.account,
                action,
                actual: own,
            };
            self.bid(ticket, bid, ctx);
        }
    }

    /// Puts a bid to the keeper of the account that pays for a piece of work.
    fn bid(&mut self, ticket: u64, bid: Bid, ctx: &mut Ctx<'_, R>) {
        let Some(work) = self.work.get(&ticket) else {
            return;
        };
        let issuer = work.action.budget.issuer;
        let identities = &self.federation.directory.identities;
        let mut keepers = identities.iter().filter(|(_, known)| **known == issuer);
        let Some(keeper) = keepers.next().map(|(peer, _)| *peer) else {
            return self.unpaid(ticket, ctx);
        };
        let name = bid.name();
        let open = OpenBid {
            keeper,
            bid: bid.clone(),
            ticket,
        };
        let number = self.purse.add(open);
        if keeper == ctx.me() {
            let ruling = self.rule(issuer, &bid, ctx);
            return self.on_ruling(keeper, name, ruling.is_ok(), ctx);
        }
        ctx.set_timer(StackTimer::Bid { number }, self.config.resend_after);
        let load = Load::Bid { bid };
        self.postings.push(Posting { to: keeper, load });
    }

    /// A keeper has not ruled: it is asked again. What was not set aside by the time that the action
    /// expires is not wanted any more; what was spent is reported for as long as it takes.
    pub(in crate::stack) fn on_bid_due(&mut self, number: u64, ctx: &mut Ctx<'_, R>) {
        let Some(OpenBid {
            keeper,
            bid,
            ticket,
        }) = self.purse.bid(number)
        else {
            return;
        };
        let (to, ticket, step) = (*keeper, *ticket, bid.name().step);
        let load = Load::Bid { bid: bid.clone() };
        let work = self.work.get(&ticket);
        let is_over = work.is_none_or(|work| ctx.now() >= work.action.expires_at);
        if is_over && step != BidStep::Commit {
            self.purse.drop(number);
            return self.unpaid(ticket, ctx);
        }
        ctx.set_timer(StackTimer::Bid { number }, self.config.resend_after);
        self.postings.push(Posting { to, load });
    }

    /// An executor wants something of what this peer keeps.
    pub(in crate::stack) fn on_bid(
        &mut self,
        from: PeerId,
        bid: &Bid,
        ctx: &mut Ctx<'_, R>,
    ) -> Posting {
        let holder = self.federation.directory.identities[&from];
        let ruling = self.rule(holder, bid, ctx);
        let load = Load::Ruling {
            name: bid.name(),
            is_granted: ruling.is_ok(),
        };
        Posting { to: from, load }
    }

    fn rule(
        &mut self,
        holder: crate::identity::Identity,
        bid: &Bid,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), BudgetRefusal> {
        let BidName { step, about } = bid.name();
        if step == BidStep::Commit {
            ctx.notify(StackEvent::CostReported { action: about });
        }
        let now = ctx.now();
        let first = |key| self.addresses.first(key);
        let ruling = self.purse.rule(bid, holder, (now, &first), ctx.keys());
        if let Err(refusal) = ruling {
            ctx.notify(StackEvent::BudgetRefused {
                action: about,
                reason: refusal.reason(),
            });
        }
        ruling
    }

    /// A keeper ruled.
    pub(in crate::stack) fn on_ruling(
        &mut self,
        from: PeerId,
        name: BidName,
        is_granted: bool,
        ctx: &mut Ctx<'_, R>,
    ) {
        let Some((number, open)) = self.purse.close(from, name) else {
            let reason = "ruling-on-nothing";
            return ctx.notify(StackEvent::Rejected { reason });
        };
        ctx.cancel_timer(StackTimer::Bid { number });
        let ticket = open.ticket;
        match name.step {
            BidStep::Reserve if is_granted => self.on_funded(ticket, ctx),
            BidStep::Reserve => self.unpaid(ticket, ctx),
            BidStep::HandOn => self.on_handed_on(ticket, name, is_granted, ctx),
            BidStep::Commit => {}
        }
    }

    fn on_funded(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        let Some(work) = self.work.get(&ticket) else {
            return;
        };
        let (account, action) = (work.action.budget.account, work.action.id);
        let Some(costs) = self.costs.get_mut(&ticket) else {
            return;
        };
        costs.waits_for = costs.parts.len();
        let children: Vec<_> = costs.parts.iter().map(|part| part.budget).collect();
        if children.is_empty() {
            return self.start(ticket, ctx);
        }
        for child in children {
            let bid = Bid::HandOn {
                account,
                action,
                child,
            };
            self.bid(ticket, bid, ctx);
        }
    }

    fn on_handed_on(&mut self, ticket: u64, name: BidName, is_granted: bool, ctx: &mut Ctx<'_, R>) {
        let Some(costs) = self.costs.get_mut(&ticket) else {
            return;
        };
        costs.waits_for = costs.waits_for.saturating_sub(1);
        if !is_granted {
            costs.has_failed = true;
            costs.parts.retain(|part| part.action != name.about);
        }
        if costs.waits_for == 0 {
            self.start(ticket, ctx);
        }
    }

    /// Nobody pays for a piece of work: it is refused.
    fn unpaid(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        self.costs.remove(&ticket);
        let Some(Work { from, action, .. }) = self.work.remove(&ticket) else {
            return;
        };
        let refusal = (Refusal::OverBudget, true);
        let posting = self.refuse(from, refusal, Some(&action), ctx);
        self.postings.extend(posting);
    }
}
