//! Many runs of one scenario, side by side, added up in the order of their seeds.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fedsim_record::{RunRecord, link_latest};
use fedsim_reports::{PAGE, SeedsDirectory, SeedsSummary, seeds_text};
use fedsim_scenarios::Scenario;
use fedsim_sim::engine::RunControl;

use super::in_order::in_order;
use super::seeds::Seeds;
use super::simulate::{NoRecord, Simulation, one_run};
use super::{Run, cores, pooled};
use crate::commands::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::{Progress, RunBar};
use crate::terminal;

/// Runs `scenario` with each of `seeds`.
pub(super) fn run(
    asked: &Run,
    scenario: &Scenario,
    seeds: Seeds,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let (first, last) = (seeds.first(), seeds.last());
    let by_default = || PathBuf::from(format!("runs/{}-seeds-{first}-{last}", scenario.name));
    let target = asked.out.clone().unwrap_or_else(by_default);
    let mut pool = Pool {
        directory: SeedsDirectory::claim(&target, &all_runs(scenario, seeds).to_toml())?,
        finished: 0,
        bug: None,
    };
    Fleet::new(asked, scenario, seeds, interrupt).run(&mut pool);
    pool.publish(asked, scenario, seeds, interrupt)
}

/// The scenario that makes all these runs again by itself.
fn all_runs(scenario: &Scenario, seeds: Seeds) -> Scenario {
    let mut all = scenario.clone();
    all.seed = seeds.first();
    all.runs = u32::try_from(seeds.count()).unwrap_or(u32::MAX);
    all
}

/// What was added up so far.
struct Pool {
    directory: SeedsDirectory,
    finished: u64,
    bug: Option<Failure>,
}

impl Pool {
    /// Takes what became of the next seed.
    fn add(&mut self, run: Result<RunRecord, Failure>) -> ControlFlow<()> {
        let added = run.and_then(|record| self.directory.add(&record).map_err(Failure::from));
        match added {
            Ok(()) => {
                self.finished += 1;
                ControlFlow::Continue(())
            }
            Err(failure) => {
                self.bug = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// Publishes what was finished; a bug and an interrupt are told after that.
    fn publish(
        mut self,
        asked: &Run,
        scenario: &Scenario,
        seeds: Seeds,
        interrupt: &Interrupt,
    ) -> Result<Exit, Failure> {
        if let Some(failure) = self.bug.take_if(|failure| failure.exit == Exit::BadInput) {
            return Err(failure);
        }
        let published = self
            .directory
            .publish(|metrics| pooled::judge(&scenario.expect.pooled, metrics))?;
        let kept = match &published {
            None => "nothing was written".to_owned(),
            Some((target, _)) => format!("what was finished is in {}", target.display()),
        };
        if let Some((target, summary)) = &published {
            show(asked, target, summary)?;
        }
        let share = format!("{} of {} seeds were finished", self.finished, seeds.count());
        match (self.bug, published) {
            (Some(bug), _) => {
                terminal::remark(&format!("{share}; {kept}"));
                Err(bug)
            }
            (None, _) if interrupt.is_pressed() => {
                Err(Failure::interrupted(format!("{share}; {kept}")))
            }
            (None, Some((_, summary))) => Ok(summary.verdict().into()),
            (None, None) => Err(Failure::bug("no seed was run")),
        }
    }
}

fn show(asked: &Run, target: &std::path::Path, summary: &SeedsSummary) -> Result<(), Failure> {
    if asked.out.is_none()
        && let Err(error) = link_latest(target)
    {
        terminal::remark(&format!("note: the link `latest` was not made: {error}"));
    }
    terminal::print(&match asked.format {
        Format::Json => summary.to_json(),
        Format::Text => {
            let text = terminal::with_coloured_signs(&seeds_text(summary));
            format!("{text}\nreport    {}\n", target.join(PAGE).display())
        }
    })
}

/// The runs under way.
struct Fleet<'a> {
    asked: &'a Run,
    scenario: &'a Scenario,
    seeds: Seeds,
    interrupt: &'a Interrupt,
    jobs: NonZeroUsize,
    progress: Progress,
    bars: Mutex<BTreeMap<u64, RunBar>>,
}

impl<'a> Fleet<'a> {
    fn new(asked: &'a Run, scenario: &'a Scenario, seeds: Seeds, interrupt: &'a Interrupt) -> Self {
        let threads = asked.threads.map_or(1, NonZeroUsize::get);
        let by_cores = NonZeroUsize::new(cores() / threads).unwrap_or(NonZeroUsize::MIN);
        Self {
            asked,
            scenario,
            seeds,
            interrupt,
            jobs: asked.jobs.unwrap_or(by_cores),
            progress: Progress::default(),
            bars: Mutex::default(),
        }
    }

    fn run(&self, pool: &mut Pool) {
        let all = self.progress.seeds(self.seeds.count());
        let refresh = || self.bars().values().for_each(RunBar::refresh);
        let take = |run| {
            all.inc(1);
            pool.add(run)
        };
        in_order(
            self.seeds.count(),
            self.jobs,
            |index| self.run_one(index),
            refresh,
            take,
        );
        all.finish_and_clear();
    }

    /// What became of a run; nothing if it was stopped.
    fn run_one(&self, index: u64) -> Option<Result<RunRecord, Failure>> {
        if self.interrupt.is_pressed() {
            return None;
        }
        let seed = self.seeds.first() + index;
        let control = Arc::<RunControl>::default();
        self.interrupt.covers(&control);
        let bar = self.progress.run(seed, &control, self.scenario.duration);
        self.bars().insert(index, bar);
        let simulation = Simulation {
            asked: self.asked,
            scenario: one_run(self.scenario, seed),
            threads: Some(self.asked.threads.map_or(1, NonZeroUsize::get)),
            available: 1,
            control,
        };
        let run = simulation.run();
        self.bars().remove(&index);
        match run {
            Ok(record) => Some(Ok(record)),
            Err(NoRecord::Failed(failure)) => Some(Err(failure)),
            Err(NoRecord::Cancelled) => None,
        }
    }

    fn bars(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, RunBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
