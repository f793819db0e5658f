//! Starts a run and turns what became of it into a record or a failure.

use std::sync::Arc;

use fedsim_record::RunRecord;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::PooledExpect;
use fedsim_sim::engine::{PeerPanic, RunControl};
use fedsim_sim::runner::{self, Difference, RunFailure, RunOptions, Verification};

use super::Run;
use crate::failure::Failure;
use crate::stopwatch::Stopwatch;
use crate::version;

/// One run to make.
pub(super) struct Simulation<'a> {
    /// What was asked for.
    pub(super) asked: &'a Run,
    /// The scenario with the seed of this run.
    pub(super) scenario: Scenario,
    /// Threads, if somebody said how many.
    pub(super) threads: Option<usize>,
    /// Cores that may be used if nobody said.
    pub(super) available: usize,
    /// Tells how far it is, and tells it to stop.
    pub(super) control: Arc<RunControl>,
}

/// Why a run left no record.
#[derive(Debug)]
pub(super) enum NoRecord {
    /// It was stopped.
    Cancelled,
    /// It could not be made, or showed a bug.
    Failed(Failure),
}

/// The scenario of a single run with `seed`: one of many runs is a run like any other.
pub(super) fn one_run(scenario: &Scenario, seed: u64) -> Scenario {
    let mut one = scenario.clone();
    one.seed = seed;
    one.runs = 1;
    one.expect.pooled = PooledExpect::default();
    one
}

impl Simulation<'_> {
    /// Runs, and runs again if that was asked for.
    pub(super) fn run(&self) -> Result<RunRecord, NoRecord> {
        let options = self.options();
        let watch = Stopwatch::start();
        let mut record =
            runner::run(&self.scenario, &options).map_err(|failure| self.explained(failure))?;
        record.summary.wall_seconds = watch.elapsed().as_secs_f64();
        if self.asked.verify {
            let verification = runner::verify(&self.scenario, &options)
                .map_err(|failure| self.explained(failure))?;
            self.check(&verification, &mut record)?;
        }
        Ok(record)
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            threads: self.threads,
            available: self.available,
            trace: self.asked.trace,
            control: Arc::clone(&self.control),
            command: self.replay(),
            version: version::VERSION.to_owned(),
            commit: version::COMMIT.to_owned(),
        }
    }

    fn replay(&self) -> String {
        self.asked.input.replay(self.scenario.seed)
    }

    fn explained(&self, failure: RunFailure) -> NoRecord {
        match failure {
            RunFailure::Cancelled => NoRecord::Cancelled,
            RunFailure::Unsupported(what) => NoRecord::Failed(Failure::bad_input(format!(
                "{}: {what}",
                self.asked.input.scenario
            ))),
            RunFailure::Panic(panic) => NoRecord::Failed(self.bug_of_peer(&panic)),
        }
    }

    fn bug_of_peer(&self, panic: &PeerPanic) -> Failure {
        let peer = self.scenario.peers.get(panic.peer.index());
        let peer = peer.map_or_else(|| panic.peer.to_string(), |spec| spec.nickname.clone());
        let message = panic.message.trim_start_matches("BUG: ");
        Failure::bug(format!(
            "{peer} panicked at {} of virtual time, seed {}: {message}\nreplay: {}",
            panic.at,
            self.scenario.seed,
            self.replay()
        ))
    }

    fn check(&self, verification: &Verification, record: &mut RunRecord) -> Result<(), NoRecord> {
        let digests = verification.runs.iter().map(|run| &run.digest);
        let all_same = digests
            .clone()
            .all(|digest| *digest == record.summary.digest);
        if verification.holds() && all_same {
            let threads = verification.runs.iter().map(|run| run.threads.to_string());
            let threads: Vec<String> = threads.collect();
            record.summary.notes.push(format!(
                "verified: the same digest in {} more runs, on {} threads",
                threads.len(),
                threads.join(", ")
            ));
            return Ok(());
        }
        let difference = verification.difference.as_ref();
        Err(NoRecord::Failed(Failure::bug(format!(
            "two runs of seed {} differ: {}\nreplay: {} --verify",
            self.scenario.seed,
            difference.map_or_else(|| "their digests".to_owned(), in_words),
            self.replay()
        ))))
    }
}

fn in_words(difference: &Difference) -> String {
    let [one, other] = difference.threads;
    let between = format!("on {one} and on {other} threads");
    let Some(event) = &difference.event else {
        return format!("{between}; traced, they agree");
    };
    let [first, second] = event
        .texts
        .each_ref()
        .map(|text| text.as_deref().unwrap_or("nothing"));
    format!(
        "{between}; first at {} of virtual time at {}, a {} from {}:\n  {first}\n  {second}",
        event.at, event.peer, event.class, event.from
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use fedsim_protocols::PeerId;
    use fedsim_scenarios::spec::{PeerSpec, Role};
    use fedsim_sim::SimTime;
    use fedsim_sim::runner::{DifferingEvent, VerifiedRun};

    use super::*;
    use crate::commands::{Arguments, Command};
    use crate::exit::Exit;

    /// What is told of a failure of seed 7 with two peers, `acme-1` and `acme-2`.
    fn told(work: impl FnOnce(&Simulation<'_>) -> NoRecord) -> (Exit, String) {
        let arguments = Arguments::parse_from(["fedsim", "run", "a.toml", "--set", "runs=1"]);
        let Command::Run(asked) = arguments.command else {
            panic!("another command was read");
        };
        let peer = |number| PeerSpec {
            nickname: format!("acme-{number}"),
            organisation: "acme".to_owned(),
            region: String::new(),
            role: Role::Member,
            starts_at: fedsim_protocols::SimDuration::ZERO,
        };
        let simulation = Simulation {
            asked: &asked,
            scenario: Scenario {
                seed: 7,
                peers: vec![peer(1), peer(2)],
                ..Scenario::default()
            },
            threads: None,
            available: 1,
            control: Arc::default(),
        };
        match work(&simulation) {
            NoRecord::Failed(failure) => (failure.exit, failure.message().to_owned()),
            NoRecord::Cancelled => panic!("nobody cancelled"),
        }
    }

    #[test]
    fn a_peers_panic_is_told_with_seed_virtual_time_peer_and_replay() {
        // Whoever reads the message must be able to see it happen again without searching.
        let panic = PeerPanic {
            at: SimTime::from_nanos(1_500_000_000),
            peer: PeerId(1),
            message: "BUG: index out of bounds".to_owned(),
        };
        let (exit, message) = told(|simulation| simulation.explained(panic.into()));
        assert_eq!(exit, Exit::Bug);
        assert!(
            message.starts_with("BUG: acme-2 panicked at 1.5"),
            "{message}"
        );
        assert!(message.contains("seed 7: index out of bounds"), "{message}");
        assert!(message.ends_with("replay: fedsim run a.toml --seed 7 --set runs=1\n"));
    }

    #[test]
    fn runs_that_differ_are_a_bug_that_names_the_first_event() {
        // Two digests, and the event at which the runs part.
        let run = |digest: &str| VerifiedRun {
            threads: 1,
            digest: digest.to_owned(),
        };
        let verification = Verification {
            runs: vec![run("aa"), run("bb")],
            difference: Some(Difference {
                threads: [1, 2],
                event: Some(DifferingEvent {
                    at: SimTime::from_nanos(2_000_000_000),
                    peer: "acme-1".to_owned(),
                    class: "timer",
                    from: "acme-1".to_owned(),
                    texts: [Some("Probe".to_owned()), None],
                }),
            }),
        };
        assert!(!verification.holds());
        let text = in_words(verification.difference.as_ref().expect("made above"));
        assert!(text.contains("on 1 and on 2 threads"), "{text}");
        assert!(text.contains("at acme-1, a timer from acme-1"), "{text}");
        assert!(text.ends_with("  Probe\n  nothing"), "{text}");
    }
}
