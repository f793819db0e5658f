//! `[rumor]`: rumor spreading.

use fedsim_protocols::rumor::{Contacts, Loss, Mode, Rounds, RumorConfig};

use super::{Overrides, Table};
use crate::layer::choice::only;
use crate::layer::quantity::{Quantity, duration};
use crate::layer::scalar::{Flag, Words, count, words};
use crate::layer::shape::or_word;
use crate::layer::{Section, Tagged, at};
use crate::spec::{PerOrganisation, ProtocolSpec};
use fedsim_protocols::SimDuration;

pub(super) fn table() -> Table<PerOrganisation<RumorConfig>> {
    Table {
        name: "rumor",
        about: "Members spread rumors.",
        section,
        wrap: ProtocolSpec::Rumor,
        unwrap: only!(ProtocolSpec::Rumor(spec) => spec),
    }
}

fn section() -> Section<PerOrganisation<RumorConfig>> {
    Section::new(
        "Rumor spreading (Demers 1987, Karp 2000). Who starts which rumor stands under \
         `[[workload.rumors]]`.",
        PerOrganisation::default(),
    )
    .embed(config(), at!(base))
    .part(Overrides {
        section: config,
        lens: at!(),
    })
}

const MODES: Words<Mode> = words(&[
    ("push", "The caller gives what it knows.", Mode::Push),
    (
        "pull",
        "The caller is given what the called peer knows.",
        Mode::Pull,
    ),
    ("push-pull", "Both at once.", Mode::PushPull),
]);

const ROUNDS: Words<Rounds> = words(&[
    (
        "synchronous",
        "At whole multiples of the period: the round model of the literature.",
        Rounds::Synchronous,
    ),
    (
        "own-phase",
        "Each peer at a phase of its own.",
        Rounds::OwnPhase,
    ),
]);

const CONTACTS: Words<Contacts> = words(&[
    (
        "feedback",
        "Those in vain, because the other knew already.",
        Contacts::Feedback,
    ),
    ("blind", "All of them.", Contacts::Blind),
]);

fn period() -> Quantity<SimDuration> {
    duration().that(
        |span| *span >= RumorConfig::PERIOD_MIN,
        "must be at least 1ms",
    )
}

fn config() -> Section<RumorConfig> {
    Section::new("Settings of a member.", RumorConfig::default())
        .key("mode", MODES, at!(mode), "Who hands over in a call.")
        .key(
            "fanout",
            count(1..=1_000_000),
            at!(fanout),
            "How many peers one peer calls in a round.",
        )
        .key(
            "period",
            period(),
            at!(period),
            "Length of a round by the peer's own clock. Keep it above twice the longest one-way \
             delay when calls are answered, above three times with feedback on answers.",
        )
        .key("rounds", ROUNDS, at!(rounds), "When rounds begin.")
        .key(
            "loss",
            loss(),
            at!(loss),
            "When a peer loses interest in a rumor.",
        )
        .key(
            "contacts",
            CONTACTS,
            at!(contacts),
            "Which contacts count towards the loss of interest.",
        )
        .key(
            "age_limit",
            or_word(count(1..=u32::MAX), "none", "No limit."),
            at!(age_limit),
            "A rumor older than this many rounds is no longer spread.",
        )
        .key(
            "max_rounds",
            or_word(count(1..=u32::MAX), "none", "No limit."),
            at!(max_rounds),
            "A peer places calls in this many rounds and no more.",
        )
        .key(
            "anti_entropy",
            or_word(period(), "never", "Off."),
            at!(anti_entropy),
            "Compare everything with one random peer this often.",
        )
        .key(
            "durable",
            Flag,
            at!(durable),
            "Whether what is learned from others goes to disk.",
        )
        .key(
            "capacity",
            count(1..=u32::MAX),
            at!(capacity),
            "How many rumors a peer keeps.",
        )
        .check(|config, node, reader| {
            if !config.has_answers_for_a_median() {
                let message = "a median is taken over partners who tell how far they are";
                let right = "mode = \"push-pull\"";
                reader.refuse(node.place_of("loss"), message, right);
            }
        })
}

fn loss() -> Tagged<Loss> {
    let k = || count(1..=u32::MAX);
    Tagged::new()
        .word("never", Loss::Never, "Never, but for the age limit.")
        .case(
            "counter",
            k(),
            |k| Loss::Counter { k },
            only!(Loss::Counter { k } => *k),
            "After so many contacts that count, all in all.",
        )
        .case(
            "consecutive",
            k(),
            |k| Loss::Consecutive { k },
            only!(Loss::Consecutive { k } => *k),
            "After so many that count with none between that did not.",
        )
        .case(
            "coin",
            k(),
            |k| Loss::Coin { k },
            only!(Loss::Coin { k } => *k),
            "After each contact that counts, with probability 1/k.",
        )
        .case(
            "median-counter",
            k(),
            |max| Loss::MedianCounter { max },
            only!(Loss::MedianCounter { max } => *max),
            "By the median counter of Karp et al.: so many phases, each until most partners of a \
             round are as far, and as many rounds more. For push-pull.",
        )
}
