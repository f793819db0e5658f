//! Whole scenarios drawn at random: the same run however it is run, and no alarm that is false.
//!
//! A draw is a scenario file, so that what fails is kept as a file under `tests/corpus/`, shrunk,
//! and replayed ever after. `PROPTEST_CASES` asks for more cases.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use fedsim_record::{Holds, RunRecord};
use fedsim_scenarios::{Document, Folder, Options, Scenario};
use fedsim_sim::engine::RunControl;
use fedsim_sim::runner::{self, RunOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")
}

fn read(text: &str) -> Scenario {
    let document = Document::read("drawn.toml", text, &Folder::new(""), &Options::default());
    document
        .unwrap_or_else(|errors| {
            panic!("{}\n{text}", errors.render(fedsim_scenarios::Style::Plain))
        })
        .scenario
}

fn run(scenario: &Scenario, threads: usize) -> RunRecord {
    let options = RunOptions {
        threads: Some(threads),
        available: threads,
        trace: false,
        control: Arc::new(RunControl::default()),
        command: String::new(),
        version: String::new(),
        commit: String::new(),
    };
    runner::run(scenario, &options).expect("no machine panics")
}

/// What must hold of every run of every scenario.
fn check(text: &str) -> Result<(), TestCaseError> {
    let scenario = read(text);
    let once = run(&scenario, 1);
    for (threads, what) in [(1, "again"), (2, "on two threads"), (3, "on three threads")] {
        let other = run(&scenario, threads);
        prop_assert_eq!(&once.summary.digest, &other.summary.digest, "{}", what);
        prop_assert_eq!(&once.summary.metrics, &other.summary.metrics, "{}", what);
    }
    let alarms: Vec<&str> = once
        .summary
        .invariants
        .iter()
        .filter(|invariant| invariant.holds == Holds::Violated)
        .map(|invariant| invariant.name.as_str())
        .collect();
    prop_assert!(alarms.is_empty(), "false alarms: {:?}", alarms);
    accounts(&once)
}

/// No message from nowhere, and none lost without a reason.
fn accounts(record: &RunRecord) -> Result<(), TestCaseError> {
    let (mut sent, mut arrived, mut duplicated) = (0, 0, 0);
    for row in &record.tables.messages {
        sent += row.sent;
        duplicated += row.duplicated;
        arrived += row.delivered
            + row.dropped_loss
            + row.dropped_cut
            + row.dropped_down
            + row.dropped_queue;
    }
    prop_assert_eq!(sent, record.summary.messages.sent);
    prop_assert!(arrived <= sent + duplicated, "messages from nowhere");
    let under_way = sent + duplicated - arrived;
    let scale = 20 + sent / 4;
    prop_assert!(
        under_way <= scale,
        "{} of {} messages vanished",
        under_way,
        sent
    );
    Ok(())
}

/// A network of moderate hostility.
fn network() -> impl Strategy<Value = String> {
    let latency = prop_oneof![
        (1_u64..60).prop_map(|ms| format!("{{ constant = \"{ms}ms\" }}")),
        (1_u64..30, 1_u64..80).prop_map(|(low, more)| {
            format!("{{ uniform = [\"{low}ms\", \"{}ms\"] }}", low + more)
        }),
        (5_u64..40).prop_map(|ms| format!(
            "{{ log-normal = {{ median = \"{ms}ms\", sigma = 0.5, min = \"2ms\" }} }}"
        )),
    ];
    (latency, 0_u32..10, 0_u32..10).prop_map(|(latency, loss, duplicate)| {
        format!(
            "[network]\nlatency = {latency}\nloss = \"{loss}%\"\nduplicate = \"{duplicate}%\"\n"
        )
    })
}

/// A fault that begins after 5 s and is over by 25 s.
fn fault(peers: u32) -> impl Strategy<Value = String> {
    let what = prop_oneof![
        Just("partition = \"halves\"".to_owned()),
        (1..=peers).prop_map(|peer| format!("crash = \"peer-{peer}\"")),
        (1..=peers).prop_map(|peer| format!("pause = \"peer-{peer}\"")),
        (1..=peers).prop_map(|peer| format!("partition = {{ isolate = \"peer-{peer}\" }}")),
        (5_u32..40)
            .prop_map(|loss| format!("loss-storm = {{ peers = \"*\", loss = \"{loss}%\" }}")),
    ];
    (5_u64..15, 1_u64..10, what).prop_map(|(at, lasts, what)| {
        format!("\n[[faults]]\nat = \"{at}s\"\nfor = \"{lasts}s\"\n{what}\n")
    })
}

fn scenario() -> impl Strategy<Value = String> {
    let protocol = prop_oneof![
        Just("[swim]\n"),
        Just("[swim]\nprobe_order = \"random\"\n"),
        Just("[swim]\ndead = \"final\"\n"),
        Just("[swim]\npreset = \"local\"\n"),
        Just("[rumor]\n\n[[workload.rumors]]\nrumor = 1\nfrom = \"peer-1\"\nat = \"1s\"\n"),
    ];
    (2_u32..9, any::<u32>(), network(), protocol)
        .prop_flat_map(|(peers, seed, network, protocol)| {
            let faults = prop::collection::vec(fault(peers), 0..3);
            (Just((peers, seed, network, protocol)), faults)
        })
        .prop_map(|((peers, seed, network, protocol), faults)| {
            let mut text = "name = \"drawn\"\nclaim = \"nothing is amiss\"\n".to_owned();
            let _ = write!(
                text,
                "seed = {seed}\nduration = \"40s\"\n\n[peers]\ncount = {peers}\n\n"
            );
            let _ = write!(text, "{network}\n{protocol}{}", faults.concat());
            text
        })
}

#[test]
fn a_drawn_scenario_runs_the_same_everywhere_and_alarms_nobody() {
    // A fixed seed: the gate never flickers. Whatever fails is written down as a scenario, each
    // smaller failure over the larger one, so that the smallest remains.
    let config = Config {
        cases: std::env::var_os("PROPTEST_CASES").map_or(24, |_| Config::default().cases),
        failure_persistence: None,
        ..Config::default()
    };
    let dice = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, dice);
    let outcome = runner.run(&scenario(), |text| {
        let judged = std::panic::catch_unwind(|| check(&text))
            .unwrap_or_else(|_| Err(TestCaseError::fail("a panic")));
        if judged.is_err() {
            let _ = std::fs::write(corpus().join("latest-failure.toml"), &text);
        }
        judged
    });
    if let Err(error) = outcome {
        panic!("{error}\nkept as tests/corpus/latest-failure.toml");
    }
}

#[test]
fn what_failed_once_holds_now() {
    // Each file of the corpus once broke something; the folder's page says what.
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus())
        .expect("the corpus is part of the repository")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        if let Err(error) = check(&text) {
            panic!("{}: {error}", path.display());
        }
    }
}
