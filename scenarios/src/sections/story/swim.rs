//! Phrases about SWIM.

use super::Grammar;
use super::phrase::Phrase;
use crate::spec::story::{Belief, SwimAsk, SwimClaim, SwimFact, SwimWords};

impl Grammar for SwimWords {
    const TABLE: &'static str = "swim";

    fn facts() -> Vec<Phrase<SwimFact>> {
        Vec::new()
    }

    fn asks() -> Vec<Phrase<SwimAsk>> {
        vec![
            Phrase {
                pattern: "leave",
                about: "Say farewell and fall silent.",
                build: |_| SwimAsk::Leave,
            },
            Phrase {
                pattern: "join through PEER",
                about: "Join, or join again, through this member.",
                build: |a| SwimAsk::Join(a.peer()),
            },
        ]
    }

    fn claims() -> Vec<Phrase<SwimClaim>> {
        vec![
            Phrase {
                pattern: "takes PEER for alive|suspect|dead|left|unknown [at INCARNATION]",
                about: "What a member believes of another, or says of itself, and at which of its \
                        incarnations: how often it started, and how often it spoke up since.",
                build: |a| {
                    let of = a.peer();
                    let belief = match a.text().as_str() {
                        "alive" => Belief::Alive,
                        "suspect" => Belief::Suspect,
                        "dead" => Belief::Dead,
                        "left" => Belief::Left,
                        _ => Belief::Unknown,
                    };
                    SwimClaim::Believes {
                        of,
                        belief,
                        incarnation: a.some_number(),
                    }
                },
            },
            Phrase {
                pattern: "health = NUMBER",
                about: "The local health score of Lifeguard; 0 is healthy.",
                build: |a| SwimClaim::Health(a.number()),
            },
            Phrase {
                pattern: "live members = NUMBER",
                about: "How many it takes for alive or suspect, itself included.",
                build: |a| SwimClaim::Live(a.number()),
            },
        ]
    }
}
