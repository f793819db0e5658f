//! Attacks on what others pay for: budgets copied, handed back, stretched and multiplied.

use fedsim_protocols::Signed;
use fedsim_protocols::federation::envelope::Action;
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::{Account, Budget, Money};
use fedsim_protocols::stack::{Bid, Load, StackMessage, StackPeer};
use fedsim_scenarios::spec::Behaviour;

use super::actions::{self, To, usual};
use super::{StackForge, StackMeans, load_of, plain};
use crate::adversary::forge::Twist;

/// The newest action that was asked of the acting member and that somebody pays for.
fn last_asked<R: Rules>(forge: &StackForge, means: &StackMeans<'_, R>) -> Option<Signed<Action>> {
    let me = forge.federation.directory.identities[&means.me];
    let mut seen = means.memory.newest_first();
    seen.find_map(|seen| match load_of(seen.payload)? {
        Load::Action { action } if action.audience == me => {
            (action.budget.account != Account::NONE).then(|| action.clone())
        }
        _ => None,
    })
}

/// Something of the member's own, under a budget that it was given for something else.
pub(super) fn copied<R: Rules>(
    forge: &StackForge,
    to: To,
    means: &mut StackMeans<'_, R>,
) -> Option<Signed<Action>> {
    let genuine = last_asked(forge, means)?;
    let own = usual(forge, to, means);
    Some(means.sign(Action {
        kind: genuine.kind,
        capability: genuine.capability.clone(),
        budget: genuine.budget,
        hops: genuine.hops,
        ..own
    }))
}

/// The same as was asked of the member, asked of whoever asked it.
pub(super) fn handed_back<R: Rules>(
    forge: &StackForge,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    let Some(genuine) = last_asked(forge, means) else {
        return;
    };
    let mut identities = forge.federation.directory.identities.iter();
    let Some((&to, _)) = identities.find(|(_, identity)| **identity == genuine.source) else {
        return;
    };
    if means.ring.holds(to) {
        return;
    }
    for _ in 0..means.settings.amount() {
        actions::send(to, machine, means, |to, means| {
            let own = usual(forge, to, means);
            Some(means.sign(Action {
                kind: genuine.kind,
                capability: genuine.capability.clone(),
                payload: genuine.payload.clone(),
                budget: genuine.budget,
                ..own
            }))
        });
    }
}

/// What becomes of a message about what is handed on.
pub(super) fn twist<R: Rules>(
    what: Behaviour,
    message: &StackMessage,
    means: &mut StackMeans<'_, R>,
) -> Twist<StackMessage> {
    let times = u64::from(means.settings.amount().max(2));
    match (what, load_of(message)) {
        (Behaviour::HopInflation, Some(Load::Action { action })) if action.hops > 0 => {
            let mut content = action.content().clone();
            content.hops = 0;
            content.budget.hops_max = Budget::HOPS_CEILING;
            let action = means.sign(content);
            Twist::Replace(plain(Load::Action { action }))
        }
        (Behaviour::CostCascade, Some(Load::Action { action })) if action.hops > 0 => {
            let mut content = action.content().clone();
            content.budget = multiplied(content.budget, times);
            let action = means.sign(content);
            Twist::Replace(plain(Load::Action { action }))
        }
        (Behaviour::CostCascade, Some(Load::Bid { bid })) => match bid {
            Bid::HandOn {
                account,
                action,
                child,
            } => {
                let bid = Bid::HandOn {
                    account: *account,
                    action: *action,
                    child: multiplied(*child, times),
                };
                Twist::Replace(plain(Load::Bid { bid }))
            }
            Bid::Reserve { .. } | Bid::Commit { .. } => Twist::Keep,
        },
        _ => Twist::Keep,
    }
}

fn multiplied(budget: Budget, times: u64) -> Budget {
    let money = budget.money_max.0.saturating_mul(times);
    Budget {
        money_max: Money(money.min(Budget::MONEY_CEILING.0)),
        ..budget
    }
}
