//! `[federation]`: organisations whose peers work together without blind trust.

use fedsim_protocols::PeerId;
use fedsim_protocols::federation::audit::ContentMode;
use fedsim_protocols::federation::envelope::Stage;
use fedsim_protocols::federation::terms::{Capability, Level};
use fedsim_protocols::federation::trust::Model;
use fedsim_protocols::stack::{Across, PrivacyGate, Screening};

use super::budgets::{budgets, delegate, grants};
use super::software::software;
use super::{Named, Preset, Table, transport};
use crate::layer::choice::only;
use crate::layer::names::Peers;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{Flag, Words, count, words};
use crate::layer::shape::{Tables, list, tables};
use crate::layer::{Out, Reader, Section, Shape, Type, World, at};
use crate::spec::{ExposeSpec, FederationSpec, OperationSpec, Profile, ProtocolSpec, TrustSpec};
use crate::tree::{Node, Value};

pub(super) fn table() -> Table<FederationSpec> {
    Table {
        name: "federation",
        about: "Organisations whose peers work together without blind trust.",
        section,
        wrap: ProtocolSpec::Federation,
        unwrap: only!(ProtocolSpec::Federation(spec) => spec),
    }
}

const ACROSS: Words<Across> = words(&[
    (
        "flat",
        "By PBFT, in which every peer is a replica.",
        Across::Flat,
    ),
    (
        "two-tier",
        "By PBFT, in which every organisation is one replica and agrees inside by Raft on what it \
         says outside.",
        Across::TwoTier,
    ),
    (
        "raft",
        "By Raft among all peers: right only where nobody lies.",
        Across::Raft,
    ),
    (
        "broadcast",
        "By nobody: whoever proposes tells all others, and each takes it when it comes.",
        Across::Broadcast,
    ),
]);

pub(super) const PROFILES: Words<Profile> = words(&[
    ("none", Profile::None.about(), Profile::None),
    (
        "mcp-over-https",
        Profile::McpOverHttps.about(),
        Profile::McpOverHttps,
    ),
    (
        "ruflo-shipped",
        Profile::RufloShipped.about(),
        Profile::RufloShipped,
    ),
    (
        "ruflo-adr-078",
        Profile::RufloAdr078.about(),
        Profile::RufloAdr078,
    ),
    ("full", Profile::Full.about(), Profile::Full),
]);

const PRESETS: &[Named<FederationSpec>] = &[
    ("none", Profile::None.about(), || Profile::None.preset()),
    ("mcp-over-https", Profile::McpOverHttps.about(), || {
        Profile::McpOverHttps.preset()
    }),
    ("ruflo-shipped", Profile::RufloShipped.about(), || {
        Profile::RufloShipped.preset()
    }),
    ("ruflo-adr-078", Profile::RufloAdr078.about(), || {
        Profile::RufloAdr078.preset()
    }),
    ("full", Profile::Full.about(), || Profile::Full.preset()),
];

pub(super) const GATES: Words<PrivacyGate> = words(&[
    (
        "before-send",
        "Before an action is signed and sent.",
        PrivacyGate::BeforeSend,
    ),
    (
        "after-send",
        "Once it is under way: what is found is known, and gone.",
        PrivacyGate::AfterSend,
    ),
    ("off", "Never.", PrivacyGate::Off),
]);

const CONTENTS: Words<ContentMode> = words(&[
    ("full", "It, as it was sanitised.", ContentMode::Full),
    (
        "keyed-hash",
        "A hash of it under the keeper's key.",
        ContentMode::KeyedHash,
    ),
]);

pub(super) const MODELS: Words<Option<Model>> = words(&[
    (
        "fixed",
        "Not at all: it stays where it was at the start.",
        None,
    ),
    (
        "reference",
        "By the formula of ruflo 3.38, holes included.",
        Some(Model::Reference),
    ),
    (
        "sound",
        "By evidence that decays and cannot be bought.",
        Some(Model::Sound),
    ),
]);

pub(super) const BREAKERS: Words<bool> = words(&[
    ("off", "There are none.", false),
    (
        "on",
        "More than 5 USD in 24 h, or more than half failures of at least 10 in 1 h, suspend for \
         30 min; 24 h of that evict.",
        true,
    ),
]);

pub(super) const SCREENINGS: Words<Screening> = words(&[
    ("off", "None.", Screening::Off),
    ("inbound", "What others send.", Screening::Inbound),
    (
        "both",
        "What others send, and what is sent to them.",
        Screening::Both,
    ),
]);

const LEVELS: Words<Level> = words(&[
    ("untrusted", "0: may discover.", Level::Untrusted),
    ("verified", "1: may ask for status.", Level::Verified),
    ("attested", "2: may send and receive.", Level::Attested),
    (
        "trusted",
        "3: may share context and work together.",
        Level::Trusted,
    ),
    (
        "privileged",
        "4: may use memory and start agents.",
        Level::Privileged,
    ),
]);

pub(super) const STAGES: Words<Stage> = words(&[
    ("framing", "Size and framing.", Stage::Framing),
    (
        "schema",
        "Fields that agree with each other.",
        Stage::Schema,
    ),
    ("signature", "The source's signature.", Stage::Signature),
    ("audience", "That it is for the receiver.", Stage::Audience),
    (
        "session",
        "That it came in a session with its source; stands where there are sessions.",
        Stage::Session,
    ),
    ("freshness", "That it is of the present.", Stage::Freshness),
    ("replay", "That it was not seen before.", Stage::Replay),
    ("revocation", "That its source may act.", Stage::Revocation),
    (
        "breaker",
        "That its source is not suspended.",
        Stage::Breaker,
    ),
    ("policy", "That its content is harmless.", Stage::Policy),
    (
        "authorisation",
        "That somebody allowed it.",
        Stage::Authorisation,
    ),
    ("execution", "That it had no effect yet.", Stage::Execution),
    (
        "budgets",
        "That it was not handed on too often, and that somebody pays for it.",
        Stage::Budget,
    ),
    (
        "audit",
        "That both sides write it down, before and after.",
        Stage::Audit,
    ),
]);

/// The name of an ability.
#[derive(Clone, Copy)]
pub(crate) struct CapabilityName;

impl Shape<Capability> for CapabilityName {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Capability> {
        let Value::Text(text) = &node.value else {
            reader.refuse_kind(node, "the name of a capability");
            return None;
        };
        let capability = Capability::new(text);
        if capability.is_none() {
            let message = format!("`{text}` names no capability");
            let right = "1 to 64 lower case letters, digits and dashes";
            reader.refuse(node.place, message, right);
        }
        capability
    }

    fn write(&self, value: &Capability, _: &World) -> Option<Out> {
        Some(Out::Text(value.name().to_owned()))
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: "capability",
            pattern: "^[a-z0-9-]{1,64}$",
        }
    }
}

fn section() -> Section<FederationSpec> {
    transport::keys(money(conduct(audit(pace(who(Section::new(
        "A federation of the scenario's organisations. Actions are signed, judged by a list of \
         checks, done once and answered by a receipt; what changes shared state is decided. Errands \
         stand under `[[workload.errands]]`.",
        FederationSpec::default(),
    )))))))
    .check(|spec, node, reader| {
        if spec.work_min > spec.work_max {
            let right = format!("must be at least work_min, {}", spec.work_min);
            reader.refuse(node.place_of("work_max"), "work_max is too short", right);
        }
    })
    .check(|_, node, reader| {
        let world = &reader.world;
        let is_outside = |peer: &crate::spec::PeerSpec| peer.organisation.is_empty();
        if world.peers_known && world.peers.iter().any(is_outside) {
            let message = "a federation is made of organisations";
            reader.refuse(node.place, message, "write `[[orgs]]` instead of `[peers]`");
        }
    })
    .check(|spec, node, reader| {
        let world = &reader.world;
        let peers = world.peers.len() as u32;
        let is_out = |slot| spec.revoked.contains(&PeerId(slot));
        if world.peers_known && peers > 0 && (0..peers).all(is_out) {
            let message = "everybody is revoked";
            reader.refuse(node.place_of("revoked"), message, "leave out at least one peer");
        }
    })
}

/// Who decides, trusts and exposes, and what is checked.
fn who(section: Section<FederationSpec>) -> Section<FederationSpec> {
    section
    .part(Preset {
            key: "profile",
            presets: PRESETS,
        })
    .key(
        "across",
        ACROSS,
        at!(across),
        "Who decides what concerns several organisations.",
    )
    .key(
        "checkpoint_interval",
        count(1..=100),
        at!(checkpoint_interval),
        "K of a council that decides by PBFT, in decisions: a change of its roster waits for the next \
         checkpoint, to which null requests lead.",
    )
    .key(
        "level",
        LEVELS,
        at!(level),
        "How far everybody trusts everybody at the start.",
    )
    .key("trust", trust(), at!(trust), "Whom some trust otherwise.")
    .key(
        "expose",
        expose(),
        at!(expose),
        "Who lets whom use what. Nothing else may be used.",
    )
    .key(
        "revoked",
        Peers,
        at!(revoked),
        "Whom its own organisation has revoked before the run begins; everybody knows.",
    )
    .key(
        "operations",
        operations(),
        at!(operations),
        "What organisations do about the keys of their members within the run. Of a revocation the first \
         other member tells, of a new key its owner, and it spreads from peer to peer.",
    )
    .key(
        "software",
        software(),
        at!(software),
        "Whose layers are others.",
    )
    .key(
        "without",
        list(STAGES),
        at!(without),
        "Checks of envelopes that are left out, to see what they are for.",
    )
    .key(
        "gate",
        GATES,
        at!(gate),
        "When personal data and secrets are found in payloads, and blocked, redacted or replaced by \
         pseudonyms, by kind and by the receiver's level.",
    )
}

/// How long things take, and how far clocks may be apart.
fn pace(section: Section<FederationSpec>) -> Section<FederationSpec> {
    section
        .key(
            "skew",
            duration(),
            at!(skew),
            "How far apart receivers take two honest clocks to be.",
        )
        .key(
            "renew_leases",
            Flag,
            at!(renew_leases),
            "Whether whoever owns something has its lease renewed halfway, for as long as it runs and can.",
        )
        .key(
            "resend_after",
            positive_duration(),
            at!(resend_after),
            "How long a source waits for an answer before it sends the action again.",
        )
        .key(
            "work_min",
            duration(),
            at!(work_min),
            "The least that a piece of work takes.",
        )
        .key(
            "work_max",
            duration(),
            at!(work_max),
            "The most that it takes.",
        )
}

/// What follows from how others behave.
fn conduct(section: Section<FederationSpec>) -> Section<FederationSpec> {
    section
        .key(
            "trust_model",
            MODELS,
            at!(trust_model),
            "How trust moves with what a peer sees of another.",
        )
        .key(
            "trust_every",
            positive_duration(),
            at!(trust_every),
            "How often scores are recomputed.",
        )
        .key(
            "breaker",
            BREAKERS,
            at!(breaker),
            "Whether a peer that costs too much or fails too often is neither asked nor served for \
             a while.",
        )
        .key(
            "screening",
            SCREENINGS,
            at!(screening),
            "Which payloads are screened for prompt injections.",
        )
}

/// Who pays, and who hands on.
fn money(section: Section<FederationSpec>) -> Section<FederationSpec> {
    section
        .key(
            "budgets",
            budgets(),
            at!(budgets),
            "What may be spent in whose name.",
        )
        .key(
            "delegate",
            delegate(),
            at!(delegate),
            "Who hands on what it is asked for.",
        )
        .key(
            "grants",
            grants(),
            at!(grants),
            "Who lets whom act in its stead.",
        )
}

/// What is written down.
fn audit(section: Section<FederationSpec>) -> Section<FederationSpec> {
    section
        .key(
            "audit_content",
            CONTENTS,
            at!(audit_content),
            "What audit logs keep of what is said.",
        )
        .key(
            "audit_every",
            positive_duration(),
            at!(audit_every),
            "How often two peers of other organisations countersign the head of a peer's audit log.",
        )
}

fn operations() -> Tables<Section<OperationSpec>> {
    let base = OperationSpec {
        at: fedsim_protocols::SimDuration::ZERO,
        revoke: Vec::new(),
        rotate: Vec::new(),
    };
    tables(
        Section::new("What an organisation does about members of its own.", base)
            .required("at", duration(), at!(at), "When.")
            .key("revoke", Peers, at!(revoke), "Whom it revokes.")
            .key(
                "rotate",
                Peers,
                at!(rotate),
                "Who takes up a new key: what it asked for under the old one is waited for, and the \
                 succession is signed by both.",
            ),
    )
}

fn trust() -> Tables<Section<TrustSpec>> {
    let base = TrustSpec {
        by: Vec::new(),
        of: Vec::new(),
        level: Level::Attested,
    };
    tables(
        Section::new("Whom some trust, and how far.", base)
            .required("by", Peers, at!(by), "Who trusts.")
            .required("of", Peers, at!(of), "Whom.")
            .required("level", LEVELS, at!(level), "How far."),
    )
}

fn expose() -> Tables<Section<ExposeSpec>> {
    let base = ExposeSpec {
        by: Vec::new(),
        to: Vec::new(),
        capability: Capability::new("send").expect("BUG: a valid name"),
        level: Level::Untrusted,
        depth: 0,
    };
    tables(
        Section::new("Who lets whom use what.", base)
            .required("by", Peers, at!(by), "Who opts in.")
            .required("to", Peers, at!(to), "Who may use it.")
            .required(
                "capability",
                CapabilityName,
                at!(capability),
                "Which ability.",
            )
            .key(
                "level",
                LEVELS,
                at!(level),
                "The level that it needs, if that is above the one of its name.",
            )
            .key(
                "depth",
                count(0..=8),
                at!(depth),
                "How often they may hand it on to others.",
            ),
    )
}
