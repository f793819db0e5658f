//! The whole file: its first keys, and its sections in canonical order.

use fedsim_protocols::SimDuration;

use super::peers::{Joins, Population};
use super::{adversaries, expect, faults, network, peers, protocols, story, topology, workload};
use crate::layer::out::Entries;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::{Words, count, path_name, text, words};
use crate::layer::section::refuse_unknown;
use crate::layer::shape::TableDoc;
use crate::layer::{Reader, Section, World, at};
use crate::spec::{Scenario, Signatures};
use crate::tree::Node;

/// Tables that have a meaning in plan and none yet.
const RESERVED: [(&str, &str); 1] = [("sweep", "ranges of parameters")];

const SIGNATURES: Words<Signatures> = words(&[
    (
        "ed25519",
        "Real ones, each verified once for all receivers of a message.",
        Signatures::Ed25519,
    ),
    (
        "ed25519-per-receiver",
        "Real ones, each verified by every receiver.",
        Signatures::Ed25519PerReceiver,
    ),
    (
        "ideal",
        "Keyed hashes whose keys the run alone holds.",
        Signatures::Ideal,
    ),
]);

/// Keys at the head of a file.
fn head() -> Section<Scenario> {
    Section::new("What the run is.", Scenario::default())
        .required(
            "name",
            path_name(),
            at!(name),
            "The scenario's name: lower case letters, digits, dashes and slashes. Names the run \
             directory.",
        )
        .required(
            "claim",
            text(),
            at!(claim),
            "The one sentence that the run is to confirm or refute.",
        )
        .key(
            "seed",
            count(0..=u64::MAX),
            at!(seed),
            "Everything random follows from it.",
        )
        .key(
            "runs",
            count(1..=1_000_000),
            at!(runs),
            "How many seeds make one judgement: `seed`, `seed + 1`, ...",
        )
        .key(
            "duration",
            positive_duration(),
            at!(duration),
            "Virtual length of a run; required, but for a story, in which no peer's time may go \
             beyond it.",
        )
        .key(
            "warm_up",
            duration(),
            at!(warm_up),
            "The first part of the run, left out of latency and load statistics.",
        )
        .key(
            "signatures",
            SIGNATURES,
            at!(signatures),
            "How signatures are made. It changes how long a run takes and nothing else.",
        )
        .check(|scenario, node, reader| {
            if scenario.warm_up >= scenario.duration {
                let message = format!("warm_up, {}, leaves nothing of the run", scenario.warm_up);
                let right = format!("must be below {}", scenario.duration);
                reader.refuse(node.place_of("warm_up"), message, right);
            }
            if scenario.claim.trim().is_empty() {
                reader.refuse(node.place_of("claim"), "the claim is empty", "a sentence");
            }
        })
}

/// Who starts late; after the peers themselves.
fn joins() -> Section<Scenario> {
    Section::new("Who starts late.", Scenario::default()).key(
        "joins",
        Joins,
        at!(peers),
        "Peers that start late; all others start at once.",
    )
}

/// Everything that may name peers.
fn body() -> Section<Scenario> {
    let physical = Section::new("Everything else.", Scenario::default())
        .key(
            "network",
            network::section(),
            at!(network),
            "Links, clocks, processors and disks.",
        )
        .nested("topology", topology::section(), "Who can talk to whom.")
        .key(
            "assume",
            expect::assume(),
            at!(assume),
            "What checkers may take for given.",
        );
    let run = protocols::all()
        .into_iter()
        .fold(physical, Section::boxed_part);
    run.key(
        "workload",
        workload::section(),
        at!(workload),
        "What is asked of the protocols.",
    )
    .part(story::Stories)
    .key(
        "faults",
        faults::Faults,
        at!(faults),
        "What hurts, and when.",
    )
    .key(
        "adversaries",
        adversaries::Adversaries,
        at!(adversaries),
        "Who does not keep to the protocol.",
    )
}

/// What comes after the faults, whose labels it may name.
fn tail() -> Section<Scenario> {
    Section::new("What must come out.", Scenario::default())
        .key(
            "expect",
            expect::section(),
            at!(expect),
            "What must come out.",
        )
        .key(
            "report",
            workload::report(),
            at!(report),
            "What a run leaves behind.",
        )
}

/// Reads a whole file; problems are noted in the reader.
pub(crate) fn read(root: &Node, own_protocol: bool, reader: &mut Reader<'_>) -> Scenario {
    let mut scenario = Scenario::default();
    let before = reader.count();
    head().read_keys(root, &mut scenario, reader);
    if root.get("duration").is_none() && root.get(story::KEY).is_none() {
        let message = "the key `duration` is missing";
        reader.refuse(root.place, message, "Virtual length of a run.");
    }
    head().run_checks(&scenario, root, before, reader);
    reader.world.duration = root
        .get("duration")
        .filter(|_| !scenario.duration.is_zero() && reader.count() == before)
        .map(|_| scenario.duration);
    read_peers(root, &mut scenario, reader);
    body().read_keys(root, &mut scenario, reader);
    check_whole(root, &scenario, own_protocol, reader);
    tail().read_keys(root, &mut scenario, reader);
    refuse_strangers(root, reader);
    scenario
}

fn read_peers(root: &Node, scenario: &mut Scenario, reader: &mut Reader<'_>) {
    let before = reader.count();
    let mut population = Population::default();
    peers::section().read_keys(root, &mut population, reader);
    if !population.fits(root, reader) {
        return;
    }
    if reader.count() == before {
        population.check(root, reader);
    }
    scenario.peers = population.peers();
    reader.world.peers = scenario.peers.clone();
    reader.world.peers_known = reader.count() == before;
    joins().read_keys(root, scenario, reader);
    reader.world.peers = scenario.peers.clone();
}

fn check_whole(root: &Node, scenario: &Scenario, own_protocol: bool, reader: &mut Reader<'_>) {
    reader.world.adversaries_known =
        root.get("adversaries").is_none() || !reader.world.adversaries.is_empty();
    reader.world.faults_known = root.get("faults").is_none() || !reader.world.labels.is_empty();
    let names = protocols::names();
    if !own_protocol && !names.iter().any(|name| root.get(name).is_some()) {
        let tables: Vec<String> = names.iter().map(|name| format!("[{name}]")).collect();
        let right = format!("add one of {}", tables.join(", "));
        reader.refuse(root.place, "the scenario says no protocol to run", right);
    }
    if root.get(story::KEY).is_some() {
        for (key, why) in [
            ("faults", "the story itself says what hurts"),
            ("joins", "the story itself says who starts when"),
            ("adversaries", "in a story everybody is honest"),
        ] {
            if let Some(entry) = root.entry(key) {
                let message = format!("`{key}` beside a story");
                reader.refuse(entry.place, message, why);
            }
        }
    }
    if let Some(node) = root.get("faults") {
        let shortest = shortest_latency(scenario);
        faults::refuse_faster_links(&scenario.faults, shortest, node, reader);
    }
    if let Some(node) = root.get("adversaries") {
        adversaries::check_against(scenario, node, reader);
    }
}

/// The least latency that the network section allows anywhere.
fn shortest_latency(scenario: &Scenario) -> SimDuration {
    let network = &scenario.network;
    let cells = network
        .regions
        .iter()
        .flat_map(|matrix| matrix.latency.iter().flatten());
    let links = network.links.iter().map(|differs| &differs.link);
    links
        .chain(&network.lan)
        .map(|link| link.latency.min())
        .chain(cells.map(crate::spec::Latency::min))
        .fold(network.link.latency.min(), SimDuration::min)
}

fn refuse_strangers(root: &Node, reader: &mut Reader<'_>) {
    let mut known = Vec::new();
    for names in [head().names(), peers::section().names(), joins().names()] {
        known.extend(names);
    }
    known.extend(body().names());
    known.extend(tail().names());
    for (name, what) in RESERVED {
        if let Some(entry) = root.entry(name) {
            let message = format!("`{name}` is reserved for {what}");
            reader.refuse(entry.place, message, "this version does not read it yet");
        }
        known.push(name);
    }
    refuse_unknown(root, &known, reader);
}

/// All keys and sections in canonical order.
pub(crate) fn entries(scenario: &Scenario) -> Entries {
    let world = World {
        peers: scenario.peers.clone(),
        peers_known: true,
        ..World::default()
    };
    let mut entries = head().entries(scenario, &world);
    entries.extend(peers::section().entries(&Population::of(&scenario.peers), &world));
    for section in [joins(), body(), tail()] {
        entries.extend(section.entries(scenario, &world));
    }
    entries
}

/// What the pages say of the whole file.
pub(crate) fn doc() -> TableDoc {
    let mut keys = head().doc().keys;
    for mut part in [
        peers::section().doc(),
        joins().doc(),
        body().doc(),
        tail().doc(),
    ] {
        keys.append(&mut part.keys);
    }
    TableDoc {
        about: "A scenario: one claim, what runs, under which weather, and what must come out.",
        keys,
        free: None,
    }
}
