//! One run: its directory, its summary, its exit code.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;

use fedsim_record::{RunDirectory, RunRecord, Verdict, link_latest};
use fedsim_reports::{PAGE, text_summary, write_report};
use fedsim_scenarios::Scenario;
use fedsim_sim::runner::TRANSCRIPT_FILE;

use super::simulate::{NoRecord, Simulation, one_run};
use super::{Run, cores};
use crate::commands::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::{self, Progress};
use crate::terminal;

/// Runs `scenario` with its own seed.
pub(super) fn run(asked: &Run, scenario: Scenario, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let by_default = || PathBuf::from(format!("runs/{}-{}", scenario.name, scenario.seed));
    let directory = RunDirectory::claim(&asked.out.clone().unwrap_or_else(by_default))?;
    let simulation = Simulation {
        asked,
        scenario: one_run(&scenario, scenario.seed),
        threads: asked.threads.map(Into::into),
        available: cores(),
        control: Arc::default(),
    };
    interrupt.covers(&simulation.control);
    let record = watched(&simulation).map_err(|why| match why {
        NoRecord::Failed(failure) => failure,
        NoRecord::Cancelled => Failure::interrupted(format!(
            "stopped at {} of virtual time; nothing was written",
            simulation.control.done()
        )),
    })?;
    let target = directory.commit(&record, |staging| Ok(write_report(&record, staging)?))?;
    if asked.out.is_none()
        && let Err(error) = link_latest(&target)
    {
        terminal::remark(&format!("note: the link `latest` was not made: {error}"));
    }
    if asked.format == Format::Text
        && let Some(transcript) = transcript(&record)
    {
        terminal::print(transcript)?;
    }
    terminal::print(&match asked.format {
        Format::Json => record.summary.to_json(),
        Format::Text => text(&record, &target.join(PAGE)),
    })?;
    Ok(record.summary.verdict.into())
}

/// Runs on a thread of its own, while this one shows how far it is.
fn watched(simulation: &Simulation<'_>) -> Result<RunRecord, NoRecord> {
    let progress = Progress::default();
    let scenario = &simulation.scenario;
    let bar = progress.run(scenario.seed, &simulation.control, scenario.duration);
    let (alive, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let run = scope.spawn(move || {
            let _alive = alive;
            simulation.run()
        });
        progress::next(&ended, || bar.refresh());
        run.join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What each step of a story brought about.
fn transcript(record: &RunRecord) -> Option<&str> {
    let mut files = record.attachments.iter();
    let found = files.find(|file| file.name == TRANSCRIPT_FILE);
    found.map(|file| file.text.as_str())
}

fn text(record: &RunRecord, page: &std::path::Path) -> String {
    let summary = terminal::with_coloured_signs(&text_summary(record));
    let report = format!("report    {}\n", page.display());
    let replay = &record.summary.replay;
    let is_whole = summary.contains(replay);
    match record.summary.verdict {
        Verdict::Violated | Verdict::Unknown if !is_whole => {
            format!("{summary}{report}\n{replay}\n")
        }
        Verdict::Passed | Verdict::Violated | Verdict::Unknown => summary + &report,
    }
}
