//! `[[federation.software]]`: peers that differ from the rest in single layers or in all of them.
//!
//! Must not know what a layer does.

use super::federation::{BREAKERS, GATES, MODELS, PROFILES, SCREENINGS, STAGES};
use super::transport::MODES;
use crate::layer::names::Peers;
use crate::layer::shape::{Tables, list, maybe, tables};
use crate::layer::{Section, at};
use crate::spec::SoftwareSpec;

/// The peers whose layers are not everybody's.
pub(super) fn software() -> Tables<Section<SoftwareSpec>> {
    tables(
        Section::new("Peers that run other software.", SoftwareSpec::default())
            .required("by", Peers, at!(by), "Who.")
            .key(
                "profile",
                maybe(PROFILES),
                at!(profile),
                "Whose layers they have; those of the federation if left out. Who decides, and the \
                 transport, stay those of the federation.",
            )
            .key(
                "transport",
                maybe(MODES),
                at!(transport),
                "Who proves who he is in their sessions; as in the federation if left out. Whoever \
                 has sessions says nothing to other organisations outside them, and takes nothing; \
                 whoever is to prove himself and cannot is not let in.",
            )
            .key(
                "without",
                maybe(list(STAGES)),
                at!(without),
                "Checks of envelopes that they leave out; as in the profile if left out.",
            )
            .key(
                "gate",
                maybe(GATES),
                at!(gate),
                "When they take private data out of payloads; as in the profile if left out.",
            )
            .key(
                "trust_model",
                maybe(MODELS),
                at!(trust_model),
                "How their trust moves; as in the profile if left out.",
            )
            .key(
                "breaker",
                maybe(BREAKERS),
                at!(breaker),
                "Whether they have circuit breakers; as in the profile if left out.",
            )
            .key(
                "screening",
                maybe(SCREENINGS),
                at!(screening),
                "Which payloads they screen; as in the profile if left out.",
            )
            .check(|spec, node, reader| {
                let by = spec.by.clone();
                if *spec
                    == (SoftwareSpec {
                        by,
                        ..SoftwareSpec::default()
                    })
                {
                    let right = "say what is different, such as `profile = \"none\"`";
                    reader.refuse(node.place, "this software is everybody's", right);
                }
            }),
    )
}
