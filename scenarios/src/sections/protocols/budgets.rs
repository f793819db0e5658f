//! `[[federation.budgets]]`, `[[federation.delegate]]` and `[[federation.grants]]`: who pays, who hands
//! work on, and by whose permission.

use fedsim_protocols::federation::terms::{Amount, Budget, Capability, Money};

use super::federation::CapabilityName;
use crate::layer::names::Peers;
use crate::layer::scalar::count;
use crate::layer::shape::{Tables, tables};
use crate::layer::{Section, at};
use crate::spec::{BudgetSpec, DelegateSpec, GrantSpec};

pub(super) fn budgets() -> Tables<Section<BudgetSpec>> {
    let base = BudgetSpec {
        by: Vec::new(),
        cap: Amount {
            tokens: Budget::TOKENS_CEILING,
            money: Money(0),
        },
        hops: Budget::HOPS_DEFAULT,
    };
    tables(
        Section::new(
            "What may be spent on all that some ask for; whoever works for others bears the cost \
             itself.",
            base,
        )
        .required("by", Peers, at!(by), "In whose name; each has as much.")
        .required(
            "micro_usd",
            count(0..=Budget::MONEY_CEILING.0),
            at!(cap.money.0),
            "The most, in millionths of a USD.",
        )
        .key(
            "tokens",
            count(0..=Budget::TOKENS_CEILING),
            at!(cap.tokens),
            "The most tokens.",
        )
        .key(
            "hops",
            count(0..=Budget::HOPS_CEILING),
            at!(hops),
            "How often an action may be handed on.",
        ),
    )
}

pub(super) fn grants() -> Tables<Section<GrantSpec>> {
    let base = GrantSpec {
        by: Vec::new(),
        to: Vec::new(),
        at: Vec::new(),
        capability: Capability::new("send").expect("BUG: a valid name"),
    };
    tables(
        Section::new(
            "Permissions that some sign for others before the run. They count where the ability is \
             exposed to the signer with a depth, and nobody hands them on.",
            base,
        )
        .required("by", Peers, at!(by), "Who signs.")
        .required("to", Peers, at!(to), "For whom.")
        .required("at", Peers, at!(at), "To whom it is shown.")
        .required(
            "capability",
            CapabilityName,
            at!(capability),
            "Which ability.",
        ),
    )
}

pub(super) fn delegate() -> Tables<Section<DelegateSpec>> {
    let base = DelegateSpec {
        by: Vec::new(),
        capability: Capability::new("task").expect("BUG: a valid name"),
        to: Vec::new(),
        parts: 1,
        percent: 50,
    };
    tables(
        Section::new(
            "Who hands on what it is asked for, once its own work on it is done. Its effect waits \
             until all parts are done.",
            base,
        )
        .required("by", Peers, at!(by), "Who.")
        .required(
            "capability",
            CapabilityName,
            at!(capability),
            "What it is asked for by this ability.",
        )
        .required(
            "to",
            Peers,
            at!(to),
            "To whom: drawn for each part, never the peer itself.",
        )
        .key("parts", count(1..=100), at!(parts), "In how many parts.")
        .key(
            "percent",
            count(0..=100),
            at!(percent),
            "How much of the money goes with them, in hundredths.",
        ),
    )
}
