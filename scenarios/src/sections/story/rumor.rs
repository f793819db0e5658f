//! Phrases about rumors.

use super::Grammar;
use super::phrase::Phrase;
use crate::spec::story::{RumorAsk, RumorClaim, RumorFact, RumorWords};

impl Grammar for RumorWords {
    const TABLE: &'static str = "rumor";

    fn facts() -> Vec<Phrase<RumorFact>> {
        Vec::new()
    }

    fn asks() -> Vec<Phrase<RumorAsk>> {
        vec![Phrase {
            pattern: "spread NUMBER",
            about: "Start a rumor with this content.",
            build: |a| RumorAsk::Spread(a.number()),
        }]
    }

    fn claims() -> Vec<Phrase<RumorClaim>> {
        vec![
            Phrase {
                pattern: "knows|know NUMBER",
                about: "A rumor with this content is known.",
                build: |a| {
                    a.word();
                    RumorClaim::Knows(a.number())
                },
            },
            Phrase {
                pattern: "ignores|ignore NUMBER",
                about: "No rumor with this content is known.",
                build: |a| {
                    a.word();
                    RumorClaim::Ignores(a.number())
                },
            },
            Phrase {
                pattern: "spreads|spread NUMBER",
                about: "A rumor with this content is known and still spread.",
                build: |a| {
                    a.word();
                    RumorClaim::Spreads(a.number())
                },
            },
        ]
    }
}
