//! The keys of `[federation]` that are about sessions.

use fedsim_protocols::SimDuration;
use fedsim_protocols::federation::transport::Mode;
use fedsim_protocols::stack::Tls;

use crate::layer::names::Peers;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{Words, words};
use crate::layer::shape::{Tables, tables};
use crate::layer::{Section, at};
use crate::spec::{CertificateSpec, FederationSpec};

pub(super) const MODES: Words<Mode> = words(&[
    (
        "none",
        "Nobody: actions go as they are, and whoever sends says who he is.",
        Mode::None,
    ),
    (
        "server-only",
        "Whoever accepts a session; whoever begins it is believed.",
        Mode::ServerOnly,
    ),
    ("mutual", "Both sides.", Mode::Mutual),
]);

const KINDS: Words<Tls> = words(&[
    (
        "modelled",
        "With its flights, sizes and checks, without its records.",
        Tls::Modelled,
    ),
    ("real", "TLS 1.3 itself, by rustls.", Tls::Real),
]);

/// Adds the keys, and checks them against each other.
pub(super) fn keys(section: Section<FederationSpec>) -> Section<FederationSpec> {
    section
        .key(
            "transport",
            MODES,
            at!(transport.mode),
            "Who proves who he is, by a certificate of his organisation. What peers ask of each \
             other goes in sessions then, begun when they are needed and used again, and so does \
             what councils say from one organisation to another.",
        )
        .key("tls", KINDS, at!(transport.tls), "What a session is.")
        .key(
            "session_lifetime",
            positive_duration(),
            at!(transport.lifetime),
            "How long a session lives after it was opened or renewed.",
        )
        .key(
            "session_lifetime_max",
            positive_duration(),
            at!(transport.lifetime_max),
            "How long it lives at most.",
        )
        .key(
            "heartbeat",
            positive_duration(),
            at!(transport.heartbeat),
            "How often each side of a session says that it is there; three that are missed end it.",
        )
        .key(
            "certificates",
            certificates(),
            at!(transport.certificates),
            "Whose certificates end within the run; others are valid for a year.",
        )
        .check(|spec, node, reader| {
            if spec.transport.lifetime > spec.transport.lifetime_max {
                let right = format!(
                    "must be at least session_lifetime, {}",
                    spec.transport.lifetime
                );
                let place = node.place_of("session_lifetime_max");
                reader.refuse(place, "session_lifetime_max is too short", right);
            }
        })
}

fn certificates() -> Tables<Section<CertificateSpec>> {
    let base = CertificateSpec {
        of: Vec::new(),
        until: SimDuration::ZERO,
    };
    tables(
        Section::new("Whose certificates end when.", base)
            .required("of", Peers, at!(of), "Whose.")
            .required(
                "until",
                duration(),
                at!(until),
                "When, by the reader's clock.",
            ),
    )
}
