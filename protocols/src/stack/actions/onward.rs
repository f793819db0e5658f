//! How an office hands work on: part of what it was asked for it asks of others, by a permission and
//! with money that were given to it.
//!
//! ```text
//!   a ── action, grant for b ──▶ b ── action by that grant, grant for c ──▶ c ── … ──▶ d
//!   hops 0, account of a         hops 1, account split off                hops 2, …
//! ```
//!
//! What is handed on expires with what it is for, is paid out of it, and carries its chain of grants.
//! The effect at `b` comes once all that it handed on is done. Must not know what money is there.

use rand::Rng as _;

use crate::federation::envelope::{Action, Stage};
use crate::federation::grant::{Grant, Party, grant_digest};
use crate::federation::rules::Rules;
use crate::federation::terms::{Account, ActionId, Amount, Budget, Capability, Scope};
use crate::identity::Identity;
use crate::outbox::RequestId;
use crate::peer::PeerId;
use crate::signed::Signed;
use crate::stack::config::Standing;
use crate::stack::{Ctx, StackEvent, StackReply};

use super::office::Office;
use super::spending::Costs;
use super::{Ending, Errand};

/// What a peer does not do by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delegation {
    /// What it is asked for by this ability.
    pub capability: Capability,
    /// Whom it asks in turn; drawn anew for each part.
    pub to: Vec<PeerId>,
    /// Into how many parts it goes.
    pub parts: u8,
    /// How much of the money goes with them, in hundredths.
    pub percent: u8,
}

/// Who waits for the end of an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) enum Asker {
    /// A user.
    User(RequestId),
    /// Work of which it is a part, by its ticket.
    Work(u64),
}

impl Asker {
    /// The request of a user.
    pub(super) fn request(self) -> Option<RequestId> {
        match self {
            Self::User(request) => Some(request),
            Self::Work(_) => None,
        }
    }
}

/// A part of some work that goes to somebody else.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The action by which it is asked for.
    pub(super) action: ActionId,
    to: PeerId,
    pub(super) budget: Budget,
}

/// Where an action stands in a chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The action it is a part of, and its own name.
    part: Option<(ActionId, ActionId)>,
    hops: u8,
    budget: Option<Budget>,
    grants: Vec<Signed<Grant>>,
    /// The grant that was given to this peer last.
    link: Option<Signed<Grant>>,
    /// How often it may be handed on by this peer's permission.
    hand_on: u8,
}

impl<R: Rules> Office<R> {
    /// The place of what a user wants: first, by a permission that stands if there is one.
    pub(super) fn place_of_errand(&self, errand: &Errand) -> Place {
        let mut standing = self.standing.iter();
        let fits = |it: &&Standing| {
            it.at.contains(&errand.to) && it.grant.scope.contains(&errand.capability)
        };
        let link = standing.find(fits).map(|it| it.grant.clone());
        Place {
            grants: link.iter().cloned().collect(),
            link,
            hand_on: errand.hand_on,
            ..Place::default()
        }
    }

    /// What some work costs here, and what of it is handed on.
    pub(super) fn plan(&mut self, action: &Action, ctx: &mut Ctx<'_, R>) -> Costs {
        let total = action.budget.most();
        let is_bounded = self.config.stages.contains(&Stage::Budget);
        let hops = action.hops.saturating_add(1);
        let may_go_on = !is_bounded || R::hops_fit(hops <= action.budget.hops_max);
        let mut delegations = self.config.delegations.iter();
        let delegation = delegations.find(|it| it.capability == action.capability);
        let Some(delegation) = delegation.filter(|it| may_go_on && !it.to.is_empty()) else {
            return Costs {
                own: total,
                ..Costs::default()
            };
        };
        let share = total.part(delegation.percent, delegation.parts);
        let mut parts = Vec::new();
        let mut own = total;
        for _ in 0..delegation.parts {
            let place = ctx.rng().between(0, delegation.to.len() as u64 - 1);
            let name = ActionId::new(action.expires_at, ctx.rng().next_u64());
            if is_bounded {
                own = own - share;
            }
            parts.push(Part {
                action: name,
                to: delegation.to[place as usize],
                budget: part_of(&action.budget, is_bounded.then_some(share), name),
            });
        }
        Costs {
            own,
            parts,
            ..Costs::default()
        }
    }

    /// Whether some work has its effect now: the own part is done and paid, and so is all that was
    /// handed on. Whether that failed.
    pub(super) fn is_done_onward(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) -> Option<bool> {
        let Some(costs) = self.costs.get(&ticket) else {
            return Some(true);
        };
        if !costs.is_spent {
            self.spend(ticket, ctx);
            self.hand_on(ticket, ctx);
        }
        let costs = self.costs.get(&ticket)?;
        if costs.waits_for > 0 {
            return None;
        }
        let costs = self.costs.remove(&ticket)?;
        Some(!costs.has_failed)
    }

    fn hand_on(&mut self, ticket: u64, ctx: &mut Ctx<'_, R>) {
        let Some(costs) = self.costs.get_mut(&ticket) else {
            return;
        };
        let parts = std::mem::take(&mut costs.parts);
        costs.waits_for = parts.len();
        let Some(work) = self.work.get(&ticket) else {
            return;
        };
        let whole = work.action.clone();
        for part in parts {
            let now = ctx.now();
            let errand = Errand {
                to: part.to,
                kind: whole.kind,
                capability: whole.capability.clone(),
                payload: whole.payload.clone(),
                lifetime: whole.expires_at.since(now),
                tokens_max: part.budget.tokens_max,
                money_max: part.budget.money_max,
                hand_on: 0,
                planted: Vec::new(),
                is_hostile: false,
            };
            if whole.expires_at <= now {
                self.count_end(ticket, Ending::Unknown);
                continue;
            }
            let place = place_of(&whole, &part);
            let posting = self.send_out(Asker::Work(ticket), errand, place, ctx);
            self.postings.extend(posting);
        }
    }

    fn count_end(&mut self, ticket: u64, ending: Ending) -> bool {
        let Some(costs) = self.costs.get_mut(&ticket) else {
            return false;
        };
        costs.waits_for = costs.waits_for.saturating_sub(1);
        costs.has_failed |= ending != Ending::Done;
        costs.waits_for == 0
    }

    /// Tells whoever waits for it how an errand ended. `is_sent` is false while it was not even sent.
    pub(super) fn tell(
        &mut self,
        asker: Asker,
        (ending, is_sent): (Ending, bool),
        ctx: &mut Ctx<'_, R>,
    ) {
        match asker {
            Asker::User(request) => ctx.reply(request, StackReply::Ended { ending }),
            Asker::Work(ticket) => {
                if self.count_end(ticket, ending) && is_sent {
                    let posting = self.on_work_done(ticket, ctx);
                    self.postings.extend(posting);
                }
            }
        }
    }

    /// Puts an action in its place of a chain.
    pub(super) fn chained(&self, action: Action, place: Place, ctx: &mut Ctx<'_, R>) -> Action {
        let Place {
            part,
            hops,
            budget,
            grants,
            link,
            hand_on,
        } = place;
        let mut action = Action {
            hops,
            budget: budget.unwrap_or(action.budget),
            grants,
            ..action
        };
        if let Some((whole, name)) = part {
            (action.id, action.expires_at) = (name, name.expires_at());
            ctx.notify(StackEvent::HandedOn {
                whole,
                action: name,
            });
        }
        let depth = link.as_ref().map_or(hand_on, |link| link.depth);
        if depth > 0 {
            let audience = action.audience;
            action.onward = Some(self.grant(audience, &action, (link, depth - 1), ctx));
        }
        action
    }

    /// The permission for `subject` to ask others for what it is asked for itself.
    fn grant(
        &self,
        subject: Identity,
        action: &Action,
        (parent, depth): (Option<Signed<Grant>>, u8),
        ctx: &mut Ctx<'_, R>,
    ) -> Signed<Grant> {
        ctx.sign(Grant {
            subject: Party::Peer { identity: subject },
            scope: Scope::of([action.capability.clone()]),
            depth,
            expires_at: action.expires_at + self.config.envelope.skew,
            parent: parent.as_ref().map(grant_digest),
        })
    }
}

/// What pays for a part: a share of the whole's budget in an account of its own, or where nobody
/// keeps count all of it once more.
fn part_of(whole: &Budget, share: Option<Amount>, action: ActionId) -> Budget {
    let Some(share) = share else {
        return *whole;
    };
    let account = match whole.account {
        Account::NONE => Account::NONE,
        _ => Account::of_action(action),
    };
    Budget {
        account,
        tokens_max: share.tokens,
        money_max: share.money,
        ..*whole
    }
}

fn place_of(whole: &Signed<Action>, part: &Part) -> Place {
    let link = whole.onward.clone();
    let grants = match &link {
        Some(link) => whole.grants.iter().chain([link]).cloned().collect(),
        None => Vec::new(),
    };
    Place {
        part: Some((whole.id, part.action)),
        hops: whole.hops.saturating_add(1),
        budget: Some(part.budget),
        grants,
        link,
        hand_on: 0,
    }
}
