//! `fedsim run`: one seed or many.
//!
//! [`single`] writes the directory of one run, [`many`] that of many; [`simulate`] is the one
//! place that starts a run for either.

mod in_order;
mod many;
mod pooled;
mod seeds;
mod simulate;
mod single;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::commands::Format;
use crate::commands::input::Input;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

use seeds::Seeds;

const HELP: &str =
    "The run directory is runs/<name>-<seed>/ unless --out names another. It holds the
scenario as it ran, summary.json, a CSV file a subject, plots/ and report.html, and appears when
it is complete. An earlier run of ours is replaced; anything else in the way is refused.

A scenario with `runs = N` is run with N seeds side by side, unless --seed names one.

Examples:
  fedsim run gossip/one-crash
  fedsim run gossip/one-crash --set network.loss=0.05 --seed 7 --verify
  fedsim run my.toml --seeds 1..=100 --jobs 4 --format json";

/// Runs a scenario.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) input: Input,

    /// Run every seed of a range side by side: 1..100 leaves out 100, 1..=100 does not
    #[arg(long, value_name = "A..B", conflicts_with = "seed")]
    pub(crate) seeds: Option<Seeds>,

    /// Runs side by side, with many seeds; all cores by itself
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Threads of one run; as many as pay off by itself. Never changes a result
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// The run directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// How the summary is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Record every message and its fate in trace.csv, and every step of Raft in
    /// raft_trace.ndjson; memory grows with the number of messages
    #[arg(long)]
    pub(crate) trace: bool,

    /// Run again, also on another number of threads, and compare event by event
    #[arg(long)]
    pub(crate) verify: bool,
}

impl Run {
    /// Runs what was asked for.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let scenario = self.input.open_to_run()?.scenario;
        let interrupt = Interrupt::listen();
        let seeds = self.seeds.or_else(|| match self.input.seed {
            None if scenario.runs > 1 => Seeds::starting_at(scenario.seed, scenario.runs.into()),
            None | Some(_) => None,
        });
        match seeds {
            Some(seeds) => many::run(self, &scenario, seeds, &interrupt),
            None => single::run(self, scenario, &interrupt),
        }
    }
}

/// The cores that may be used.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
