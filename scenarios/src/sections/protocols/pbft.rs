//! `[pbft]`: a replicated log among peers of which some may lie.

use fedsim_protocols::SimDuration;
use fedsim_protocols::pbft::{ConfigError, MinimumRate, PbftConfig};

use super::{Overrides, Table, refuse_invalid};
use crate::layer::choice::only;
use crate::layer::names::Peers;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{Flag, count};
use crate::layer::shape::{maybe, or_word};
use crate::layer::{Section, at};
use crate::spec::{PbftSpec, ProtocolSpec};

pub(super) fn table() -> Table<PbftSpec> {
    Table {
        name: "pbft",
        about: "Members order requests with PBFT.",
        section,
        wrap: ProtocolSpec::Pbft,
        unwrap: only!(ProtocolSpec::Pbft(spec) => spec),
    }
}

fn section() -> Section<PbftSpec> {
    Section::new(
        "PBFT (Castro and Liskov, OSDI 1999 and TOCS 2002). `checkpoint_interval`, `window`, \
         `read_only` and `tentative` must be equal in a whole group.",
        PbftSpec::default(),
    )
    .key(
        "administrators",
        maybe(Peers),
        at!(administrators),
        "Clients whose requests may change the group; nobody if left out.",
    )
    .embed(config(), at!(members.base))
    .part(Overrides {
        section: config,
        lens: at!(PbftSpec => members),
    })
}

fn config() -> Section<PbftConfig> {
    let section = Section::new("Settings of a replica.", PbftConfig::default());
    variants(timing(ordering(section))).check(|config, node, reader| {
        let located = config
            .validate()
            .map_err(|error| (key_of(error), error.to_string()));
        refuse_invalid(located, node, reader);
    })
}

/// The key at which an error is shown.
fn key_of(error: ConfigError) -> &'static str {
    match error {
        ConfigError::CheckpointInterval => "checkpoint_interval",
        ConfigError::Window => "window",
        ConfigError::Batching => "batch_max",
        ConfigError::Timeout => "max_timeout",
    }
}

fn ordering(section: Section<PbftConfig>) -> Section<PbftConfig> {
    section
        .key(
            "checkpoint_interval",
            count(1..=PbftConfig::MAX_WINDOW),
            at!(checkpoint_interval),
            "K: a checkpoint every so many batches; at most `window`.",
        )
        .key(
            "window",
            count(1..=PbftConfig::MAX_WINDOW),
            at!(window),
            "L: how far the high watermark lies above the low one, in batches.",
        )
        .key(
            "batch_max",
            count(1..=1_000_000),
            at!(batch_max),
            "Most requests in one batch.",
        )
        .key(
            "pipeline",
            count(1..=u64::MAX),
            at!(pipeline),
            "Most batches in flight at the primary; requests wait beyond it.",
        )
}

fn timing(section: Section<PbftConfig>) -> Section<PbftConfig> {
    section
        .key(
            "view_timeout",
            positive_duration(),
            at!(view_timeout),
            "How long a backup waits for a request's execution before it asks for the next view.",
        )
        .key(
            "max_timeout",
            positive_duration(),
            at!(max_timeout),
            "The bound on its doubling.",
        )
        .key(
            "client_timeout",
            positive_duration(),
            at!(client_timeout),
            "How long a client waits for a reply before it sends its request to all replicas.",
        )
        .key(
            "client_multicasts",
            Flag,
            at!(client_multicasts),
            "Whether clients send every request to all replicas from the start.",
        )
        .key(
            "retransmit_interval",
            positive_duration(),
            at!(retransmit_interval),
            "How long a replica sees no progress before it asks the others to send again.",
        )
        .key(
            "fetch_after",
            positive_duration(),
            at!(fetch_after),
            "How long a replica waits for missing batches below a stable checkpoint before it \
             fetches the state.",
        )
}

fn variants(section: Section<PbftConfig>) -> Section<PbftConfig> {
    section
        .key(
            "read_only",
            Flag,
            at!(read_only),
            "Read-only requests are answered unordered.",
        )
        .key(
            "tentative",
            Flag,
            at!(tentative),
            "Batches are executed once prepared.",
        )
        .key(
            "durable",
            Flag,
            at!(durable),
            "Whether votes, certificates and checkpoints reach the disk before they are sent.",
        )
        .key(
            "minimum_rate",
            or_word(minimum_rate(), "none", "Slow primaries stay."),
            at!(minimum_rate),
            "Replace a primary that is slower than its predecessors were (Aardvark).",
        )
}

fn minimum_rate() -> Section<MinimumRate> {
    let interval = |span: &SimDuration| !span.is_zero();
    Section::new("How fast a primary must be.", MinimumRate::default())
        .in_braces()
        .key(
            "grace",
            duration(),
            at!(grace),
            "How long a new primary is not judged.",
        )
        .key(
            "interval",
            duration().that(interval, "must be longer than zero"),
            at!(interval),
            "How often it is judged after that, and the demand raised.",
        )
        .key(
            "demand_percent",
            count(0..=1_000),
            at!(demand_percent),
            "What part of the best rate of the last n views it must reach at first.",
        )
        .key(
            "raise_percent",
            count(0..=1_000),
            at!(raise_percent),
            "How much the demand rises at each judgement, in percent of itself.",
        )
}
