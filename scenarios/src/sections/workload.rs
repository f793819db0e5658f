//! `[workload]`: what is asked of the protocols; and `[report]`.

mod errands;

use fedsim_protocols::SimDuration;

use crate::layer::choice::only;
use crate::layer::names::Peers;
use crate::layer::quantity::{Chance, duration, positive_duration, rate, size};
use crate::layer::scalar::{Flag, Words, count, real, words};
use crate::layer::shape::{Tables, maybe, tables};
use crate::layer::{Reader, Section, Tagged, at};
use crate::spec::{Arrivals, LoadLoop, Mix, Rate, Report, RequestLoad, Role, RumorStart, Workload};
use crate::tree::Node;

/// `[workload]`.
pub(crate) fn section() -> Section<Workload> {
    Section::new(
        "What is asked of the protocols while they run.",
        Workload::default(),
    )
    .key(
        "rumors",
        rumors(),
        at!(rumors),
        "Rumors to spread; for `[rumor]`.",
    )
    .key(
        "requests",
        maybe(requests()),
        at!(requests),
        "What clients ask of a replicated store; needs `[clients]`.",
    )
    .key(
        "errands",
        errands::errands(),
        at!(errands),
        "What the users of peers want done by other peers; for `[federation]`.",
    )
    .check(|workload, node, reader| {
        let clients = reader
            .world
            .peers
            .iter()
            .any(|peer| peer.role == Role::Client);
        if workload.requests.is_some() && reader.world.peers_known && !clients {
            reader.refuse(
                node.place_of("requests"),
                "there are no clients",
                "add `[clients]`",
            );
        }
    })
    .check(distinct_rumors)
}

fn distinct_rumors(workload: &Workload, node: &Node, reader: &mut Reader<'_>) {
    for (position, start) in workload.rumors.iter().enumerate() {
        if workload.rumors[..position]
            .iter()
            .any(|other| other.rumor == start.rumor)
        {
            let message = format!("the rumor {} is there twice", start.rumor);
            reader.refuse(
                node.place_of("rumors"),
                message,
                "a number of its own for each",
            );
        }
    }
}

fn rumors() -> Tables<Section<RumorStart>> {
    let base = RumorStart {
        rumor: 1,
        peers: Vec::new(),
        at: SimDuration::ZERO,
        bytes: 64,
    };
    tables(
        Section::new("A rumor and who knows it first.", base)
            .key(
                "rumor",
                count(0..=u64::MAX),
                at!(rumor),
                "Its number, used once.",
            )
            .required("from", Peers, at!(peers), "Who knows it first.")
            .key("at", duration(), at!(at), "When they begin to spread it.")
            .key(
                "size",
                size().that(
                    |&bytes| bytes <= u64::from(u32::MAX),
                    "must be at most 4GiB",
                ),
                at!(bytes),
                "What its body adds to each message that carries it.",
            )
            .check(|start, node, reader| {
                reader.must_be_within_run(start.at, node.place_of("at"), "a rumor");
            }),
    )
}

fn requests() -> Section<RequestLoad> {
    what_is_asked(when_it_is_asked()).check(|load, node, reader| {
        reader.must_be_within_run(load.from, node.place_of("from"), "a first request");
        if let (Some(until), Some(end)) = (load.until, reader.world.duration)
            && until > end
        {
            let message = format!("until {until} is past the end of the run");
            reader.refuse(
                node.place_of("until"),
                message,
                format!("must be at most {end}"),
            );
        }
        if load.until.is_some_and(|until| until <= load.from) {
            reader.refuse(
                node.place_of("until"),
                "until is not after from",
                "no time is left",
            );
        }
    })
}

fn when_it_is_asked() -> Section<RequestLoad> {
    Section::new("What clients ask.", RequestLoad::default())
        .key(
            "loop",
            rhythm(),
            at!(rhythm),
            "When a client puts its next request.",
        )
        .key(
            "from",
            duration(),
            at!(from),
            "The first request is put at this time.",
        )
        .key(
            "until",
            maybe(positive_duration()),
            at!(until),
            "No new request at or after; the end of the run if left out.",
        )
        .key(
            "operations",
            maybe(count(1..=u64::MAX)),
            at!(operations),
            "At most so many requests by all clients together.",
        )
}

fn what_is_asked(section: Section<RequestLoad>) -> Section<RequestLoad> {
    section
        .key(
            "mix",
            mix(),
            at!(mix),
            "Kinds of request, as weights; one read to one write if left out.",
        )
        .key(
            "keys",
            count(1..=u32::MAX),
            at!(keys),
            "How many keys there are.",
        )
        .key(
            "skew",
            real(0.0..=10.0),
            at!(skew),
            "Zipf exponent of the keys' popularity; 0 is uniform.",
        )
        .key(
            "value_size",
            size(),
            at!(value_bytes),
            "Size of a written value.",
        )
        .key(
            "timeout",
            positive_duration(),
            at!(timeout),
            "After so long without an answer a client tries again.",
        )
        .key(
            "retries",
            count(0..=u32::MAX),
            at!(retries),
            "How often it tries again before it gives up, the outcome unknown.",
        )
        .key(
            "switch",
            Chance,
            at!(switch),
            "Chance that a retry goes to another member than the one before.",
        )
}

fn rhythm() -> Tagged<LoadLoop> {
    Tagged::new()
        .case(
            "closed",
            Section::new("A closed loop.", (1, SimDuration::ZERO))
                .key("in_flight", count(1..=u32::MAX), at!(0), "Unanswered at once, per client.")
                .key("think", duration(), at!(1), "Pause between an answer and the next request."),
            |(in_flight, think)| LoadLoop::Closed { in_flight, think },
            only!(LoadLoop::Closed { in_flight, think } => (*in_flight, *think)),
            "A new request when an earlier one is answered or given up.",
        )
        .case(
            "open",
            open_loop(),
            |(rate, arrivals)| LoadLoop::Open { rate, arrivals },
            only!(LoadLoop::Open { rate, arrivals } => (*rate, *arrivals)),
            "New requests whatever becomes of earlier ones; latencies count from the intended send.",
        )
        .named(
            "loop",
            "When a client puts its next request. `{ open = { rate = \"20/s\" } }`.",
        )
}

pub(super) const ARRIVALS: Words<Arrivals> = words(&[
    ("poisson", "As a Poisson process.", Arrivals::Poisson),
    ("steady", "At equal spans.", Arrivals::Steady),
]);

fn open_loop() -> Section<(Rate, Arrivals)> {
    let rate_base = Rate {
        events: 1,
        per: SimDuration::from_secs(1),
    };
    Section::new("An open loop.", (rate_base, Arrivals::Poisson))
        .required("rate", rate(), at!(0), "How often, per client.")
        .key("arrivals", ARRIVALS, at!(1), "How regularly.")
}

fn mix() -> Section<Mix> {
    let nothing = Mix {
        read: 0,
        write: 0,
        cas: 0,
        append: 0,
    };
    let weight = || count(0..=1_000_000_u32);
    Section::new(
        "Weights of the kinds of request; kinds left out are not asked.",
        nothing,
    )
    .in_braces()
    .key("read", weight(), at!(read), "Reads.")
    .key("write", weight(), at!(write), "Writes.")
    .key("cas", weight(), at!(cas), "Compare-and-swap.")
    .key("append", weight(), at!(append), "Appends.")
    .check(|mix, node, reader| {
        if mix.read + mix.write + mix.cas + mix.append == 0 {
            reader.refuse(
                node.place,
                "all weights are zero",
                "at least one above zero",
            );
        }
    })
}

/// `[report]`.
pub(crate) fn report() -> Section<Report> {
    Section::new(
        "What a run leaves behind beyond what every run does.",
        Report::default(),
    )
    .key(
        "interval",
        positive_duration(),
        at!(interval),
        "Messages and states are aggregated over spans of this length.",
    )
    .key(
        "trace",
        Flag,
        at!(trace),
        "Whether each single message is written down.",
    )
}
