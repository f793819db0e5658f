//! Phrases about PBFT.

use fedsim_protocols::pbft::Operation;

use super::Grammar;
use super::phrase::{Arguments, Phrase};
use crate::spec::story::{PbftClaim, PbftFact, PbftWords};

impl Grammar for PbftWords {
    const TABLE: &'static str = "pbft";

    fn facts() -> Vec<Phrase<PbftFact>> {
        Vec::new()
    }

    fn asks() -> Vec<Phrase<Operation>> {
        vec![
            Phrase {
                pattern: "read NUMBER",
                about: "Clients: what does this register hold?",
                build: |a| Operation::Read { key: a.number() },
            },
            Phrase {
                pattern: "write NUMBER = VALUE",
                about: "Clients: let it hold this.",
                build: |a| {
                    let (key, value) = (a.number(), value(a));
                    Operation::Write { key, value }
                },
            },
            Phrase {
                pattern: "append NUMBER = VALUE",
                about: "Clients: put this behind what it holds.",
                build: |a| {
                    let (key, value) = (a.number(), value(a));
                    Operation::Append { key, value }
                },
            },
            Phrase {
                pattern: "swap NUMBER from VALUE to VALUE",
                about: "Clients: compare and swap.",
                build: |a| {
                    let (key, expected, value) = (a.number(), Some(value(a)), value(a));
                    Operation::CompareAndSwap {
                        key,
                        expected,
                        value,
                    }
                },
            },
        ]
    }

    fn claims() -> Vec<Phrase<PbftClaim>> {
        let mut claims = views();
        claims.extend(order());
        claims.extend(answers());
        claims
    }
}

fn value(a: &mut Arguments) -> Vec<u8> {
    a.text().into_bytes()
}

fn views() -> Vec<Phrase<PbftClaim>> {
    vec![
        Phrase {
            pattern: "is|are primary|backup",
            about: "What a replica is in its view.",
            build: |a| {
                a.word();
                PbftClaim::Primary(a.text() == "primary")
            },
        },
        Phrase {
            pattern: "is|are active|changing",
            about: "Whether it takes part in its view or waits for the new-view.",
            build: |a| {
                a.word();
                PbftClaim::Active(a.text() == "active")
            },
        },
        Phrase {
            pattern: "view = NUMBER",
            about: "The view it is in or asked for.",
            build: |a| PbftClaim::View(a.number()),
        },
    ]
}

fn order() -> Vec<Phrase<PbftClaim>> {
    vec![
        Phrase {
            pattern: "executed = NUMBER",
            about: "The last batch executed for good.",
            build: |a| PbftClaim::Executed(a.number()),
        },
        Phrase {
            pattern: "stable = NUMBER",
            about: "The last stable checkpoint.",
            build: |a| PbftClaim::Stable(a.number()),
        },
        Phrase {
            pattern: "has|have [not] prepared NUMBER",
            about: "A batch at this sequence number is prepared in this view, or is not.",
            build: |a| {
                a.word();
                let is_so = a.word().is_none();
                PbftClaim::Prepared(a.number(), is_so)
            },
        },
        Phrase {
            pattern: "has|have [not] committed NUMBER",
            about: "A batch at this sequence number is committed-local and not behind a stable \
                    checkpoint yet, or is not.",
            build: |a| {
                a.word();
                let is_so = a.word().is_none();
                PbftClaim::Committed(a.number(), is_so)
            },
        },
        Phrase {
            pattern: "register NUMBER = nothing",
            about: "It was never written.",
            build: |a| PbftClaim::Holds(a.number(), None),
        },
        Phrase {
            pattern: "register NUMBER = VALUE",
            about: "What it holds here.",
            build: |a| PbftClaim::Holds(a.number(), Some(a.text())),
        },
    ]
}

fn answers() -> Vec<Phrase<PbftClaim>> {
    vec![
        Phrase {
            pattern: "answered done|nothing",
            about: "What became of a client's last request: it was carried out, or there is no answer \
                    yet.",
            build: |a| match a.text().as_str() {
                "done" => PbftClaim::Answered,
                _ => PbftClaim::Unanswered,
            },
        },
        Phrase {
            pattern: "read nothing",
            about: "A client's last request was a read and found no value.",
            build: |_| PbftClaim::Read(None),
        },
        Phrase {
            pattern: "read VALUE",
            about: "It found this.",
            build: |a| PbftClaim::Read(Some(a.text())),
        },
    ]
}
