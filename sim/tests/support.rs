//! What the tests of whole runs share.

use std::sync::Arc;

use fedsim_protocols::federation::rules::{Chosen, Rules};
use fedsim_record::{Holds, RunRecord};
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_scenarios::{Document, Folder, Options, Scenario};
use fedsim_sim::checkers::federation::FederationWatch;
use fedsim_sim::engine::RunControl;
use fedsim_sim::runner::{self, FederationCast, RunOptions, run_cast};

pub(crate) fn options() -> RunOptions {
    RunOptions {
        threads: Some(1),
        available: 1,
        trace: false,
        control: Arc::new(RunControl::default()),
        command: "fedsim run".to_owned(),
        version: "0".to_owned(),
        commit: "unknown".to_owned(),
    }
}

/// A scenario from its text.
pub(crate) fn scenario(text: &str) -> Scenario {
    let document = Document::read("test.toml", text, &Folder::new(""), &Options::default());
    document
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .scenario
}

/// A small federation: what its test is about is said, the rest is as usual.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) duration: &'static str,
    /// Each organisation, and how many peers it has.
    pub(crate) organisations: &'static [(&'static str, u32)],
    /// Lines of `[network]`.
    pub(crate) network: &'static str,
    /// Lines of `[federation]`.
    pub(crate) federation: &'static str,
    /// Sections.
    pub(crate) rest: &'static str,
}

impl Stage {
    /// Two organisations of two, and one more peer.
    pub(crate) const USUAL: Self = Self {
        duration: "20s",
        organisations: &[("acme", 2), ("globex", 2), ("mallory", 1)],
        network: r#"latency = { uniform = ["10ms", "40ms"] }"#,
        federation: "",
        rest: "",
    };

    /// The scenario's text.
    pub(crate) fn text(&self) -> String {
        let organisation =
            |(name, peers): &(&str, u32)| format!("[[orgs]]\nname = \"{name}\"\npeers = {peers}\n");
        let organisations: String = self.organisations.iter().map(organisation).collect();
        let Self {
            duration,
            network,
            federation,
            rest,
            ..
        } = self;
        format!(
            "name = \"test/federation\"\nclaim = \"A checker is no decoration.\"\n\
             duration = \"{duration}\"\nsignatures = \"ideal\"\n{organisations}\
             [network]\n{network}\n[federation]\n{federation}\n{rest}"
        )
    }
}

/// A shipped scenario, changed by `path=value`.
pub(crate) fn shipped(name: &str, set: &[&str]) -> Scenario {
    let options = Options {
        set: set.iter().map(|it| (*it).to_owned()).collect(),
        ..Options::default()
    };
    let document = Document::open(name, &options);
    document
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .scenario
}

pub(crate) fn run(scenario: &Scenario) -> RunRecord {
    runner::run(scenario, &options()).expect("the scenario can be run")
}

/// Runs a federation whose peers keep the rules `R`.
pub(crate) fn run_by<R: Rules>(scenario: &Scenario) -> RunRecord {
    let ProtocolSpec::Federation(spec) = &scenario.protocols[0] else {
        panic!("not a federation");
    };
    let cast = Arc::new(FederationCast::<Chosen>::new(scenario, spec));
    let watch = FederationWatch::new(scenario, spec);
    let record = Chosen::run_under::<R, _>(|| run_cast(scenario, &cast, watch, &options()));
    record.expect("the scenario can be run")
}

/// The finding on one invariant.
pub(crate) fn holds(record: &RunRecord, name: &str) -> Option<Holds> {
    let invariants = &record.summary.invariants;
    invariants
        .iter()
        .find(|it| it.name == name)
        .map(|it| it.holds)
}

/// Which invariants of the federation are violated.
pub(crate) fn violated(record: &RunRecord) -> Vec<String> {
    let found = record.summary.invariants.iter();
    let found = found.filter(|it| it.holds == Holds::Violated);
    found.map(|it| it.name.replace("federation/", "")).collect()
}

/// All that a person needs to see when a run did not come out as it should.
pub(crate) fn told(record: &RunRecord) -> String {
    let summary = &record.summary;
    format!(
        "{} seed {}: {:?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}",
        summary.scenario,
        summary.seed,
        summary.verdict,
        summary.invariants,
        summary.expectations,
        summary.metrics,
        summary.notes
    )
}

/// How much of a test is asked for: the number in an environment variable, or `usual`.
pub(crate) fn asked_for(variable: &str, usual: u64) -> u64 {
    let asked = std::env::var_os(variable);
    let number = |text: std::ffi::OsString| text.to_str().and_then(|text| text.parse().ok());
    asked.map_or(usual, |text| {
        number(text).unwrap_or_else(|| panic!("{variable} is not a number"))
    })
}
