//! `[[workload.errands]]`: what the users of a federation's peers want done.

use fedsim_protocols::federation::terms::ActionKind;
use fedsim_protocols::{Probability, SimDuration};

use super::ARRIVALS;
use crate::layer::names::Peers;
use crate::layer::quantity::{Chance, duration, positive_duration, rate, size};
use crate::layer::scalar::{Words, count, words};
use crate::layer::shape::{Tables, maybe, tables};
use crate::layer::{Section, at};
use crate::sections::protocols::federation::CapabilityName;
use crate::spec::{Arrivals, ClaimKind, ErrandLoad, Rate};

const KINDS: Words<ActionKind> = words(&[
    ("status", "Says how a peer is.", ActionKind::Status),
    ("ping", "Asks whether a peer is there.", ActionKind::Ping),
    ("message", "Hands over a message.", ActionKind::Message),
    ("query", "Asks a question.", ActionKind::Query),
    (
        "context-share",
        "Hands over context.",
        ActionKind::ContextShare,
    ),
    ("task", "Asks for work.", ActionKind::Task),
    (
        "memory-query",
        "Reads the other's memory.",
        ActionKind::MemoryQuery,
    ),
    (
        "trust-change",
        "Changes how far a peer is trusted by all; decided.",
        ActionKind::TrustChange,
    ),
    (
        "topology-change",
        "Changes who is connected to whom; decided.",
        ActionKind::TopologyChange,
    ),
    (
        "roster-change",
        "Changes who belongs; decided.",
        ActionKind::RosterChange,
    ),
    (
        "agent-spawn",
        "Starts an agent at the other; decided.",
        ActionKind::AgentSpawn,
    ),
    (
        "hand-off",
        "Hands ownership of a resource over; decided.",
        ActionKind::HandOff,
    ),
    (
        "merge",
        "Merges work into what is shared; decided.",
        ActionKind::Merge,
    ),
]);

const CLAIMS: Words<ClaimKind> = words(&[
    (
        "acquire",
        "Whoever asks, unless somebody owns it.",
        ClaimKind::Acquire,
    ),
    (
        "hand-over",
        "One of `to`; fails unless whoever asks owns it.",
        ClaimKind::HandOver,
    ),
    (
        "release",
        "Nobody; fails unless whoever asks owns it.",
        ClaimKind::Release,
    ),
]);

pub(super) fn errands() -> Tables<Section<ErrandLoad>> {
    let base = ErrandLoad {
        by: Vec::new(),
        to: Vec::new(),
        kind: ActionKind::Message,
        capability: None,
        rate: Rate {
            events: 1,
            per: SimDuration::from_secs(1),
        },
        arrivals: Arrivals::Poisson,
        from: SimDuration::ZERO,
        until: None,
        bytes: 512,
        canaries: Probability::ZERO,
        injections: Probability::ZERO,
        micro_usd: 0,
        tokens: 0,
        hand_on: 0,
        resource: None,
        claim: ClaimKind::Acquire,
        lifetime: SimDuration::from_secs(60),
    };
    let section = Section::new(
        "Errands that the users of some peers want done by others.",
        base,
    );
    tables(
        what_it_may_use(what(when(section))).check(|load, node, reader| {
            let is_claim = load.kind == ActionKind::HandOff && load.resource.is_some();
            if load.claim != ClaimKind::Acquire && !is_claim {
                let message = "claim is about a resource that is handed off";
                let help = "write kind = \"hand-off\" and a resource";
                reader.refuse(node.place_of("claim"), message, help);
            }
        }),
    )
}

fn when(section: Section<ErrandLoad>) -> Section<ErrandLoad> {
    section
        .key("rate", rate(), at!(rate), "How often, per peer.")
        .key("arrivals", ARRIVALS, at!(arrivals), "How regularly.")
        .key("from", duration(), at!(from), "The first at this time.")
        .key(
            "until",
            maybe(positive_duration()),
            at!(until),
            "None at or after; the end of the run if left out.",
        )
        .check(|load, node, reader| {
            reader.must_be_within_run(load.from, node.place_of("from"), "a first errand");
            if load.until.is_some_and(|until| until <= load.from) {
                let message = "until is not after from";
                reader.refuse(node.place_of("until"), message, "no time is left");
            }
        })
}

fn what(section: Section<ErrandLoad>) -> Section<ErrandLoad> {
    section
        .required("by", Peers, at!(by), "Whose users.")
        .required(
            "to",
            Peers,
            at!(to),
            "By whom it is done: drawn for each errand, never the peer itself.",
        )
        .key(
            "kind",
            KINDS,
            at!(kind),
            "What kind. One that changes shared state is decided by the peers it concerns.",
        )
        .key(
            "capability",
            maybe(CapabilityName),
            at!(capability),
            "By which ability; that of the kind if left out.",
        )
        .key(
            "size",
            size().that(|&bytes| bytes <= 1 << 20, "must be at most 1MiB"),
            at!(bytes),
            "Bytes of its payload, if that is filler.",
        )
        .key(
            "canaries",
            Chance,
            at!(canaries),
            "The chance that its payload is a document with personal data or a secret in it, plainly \
             or in disguise.",
        )
        .key(
            "injections",
            Chance,
            at!(injections),
            "The chance that its payload is a document with a prompt injection in it.",
        )
}

fn what_it_may_use(section: Section<ErrandLoad>) -> Section<ErrandLoad> {
    section
        .key(
            "micro_usd",
            count(0..=1_000_000_000),
            at!(micro_usd),
            "What it is worth and may cost, in millionths of a USD.",
        )
        .key(
            "tokens",
            count(0..=1_000_000_000),
            at!(tokens),
            "How many tokens it may cost.",
        )
        .key(
            "hand_on",
            count(0..=8),
            at!(hand_on),
            "How often it may be handed on by the source's permission, to peers that expose the \
             ability to the source.",
        )
        .key(
            "resource",
            maybe(count(0..=u32::MAX)),
            at!(resource),
            "What is claimed by a hand-off: the number of something that one peer at a time owns by a \
             lease, and that the peer in that slot, counted round, keeps.",
        )
        .key(
            "claim",
            CLAIMS,
            at!(claim),
            "Who is to own `resource`.",
        )
        .key(
            "lifetime",
            positive_duration(),
            at!(lifetime),
            "How long it may take; its outcome is unknown after that.",
        )
}
