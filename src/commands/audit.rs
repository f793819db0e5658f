//! `fedsim audit`: whether the audit logs of a run hold, and the story of one action.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fedsim_protocols::SimDuration;
use fedsim_protocols::federation::audit::{self, KeptLog, Report, lines};
use fedsim_protocols::federation::rules::Strict;
use serde_json::json;

use crate::commands::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Verifies the audit logs of a run directory.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads audit-<peer>.jsonl of every peer, and nothing else.
Exit codes: 0 all logs hold, 1 something was altered or removed and its culprit is named,
2 unreadable, 4 something is missing that cannot be attributed to anybody.

Example:
  fedsim audit examples/audit --action 0101"
)]
pub(crate) struct Audit {
    /// A run directory, or any folder with audit logs
    #[arg(value_name = "RUN DIR")]
    directory: PathBuf,

    /// Tell the story of the action whose id begins so
    #[arg(long, value_name = "ID")]
    action: Option<String>,

    /// An action begun this many seconds before its log ends need not have ended
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    grace: u64,

    /// How the verdict is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Audit {
    /// Reads, verifies, prints.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let logs = read(&self.directory)?;
        let report = audit::verify::<Strict>(&logs, SimDuration::from_secs(self.grace));
        let story = match &self.action {
            Some(id) => Some(self.story(&logs, id)?),
            None => None,
        };
        terminal::print(&match self.format {
            Format::Text => text(&report, story.as_deref()),
            Format::Json => object(&report, story.as_deref()),
        })?;
        Ok(match report.findings.is_empty() {
            true => Exit::Met,
            false if report.is_attributed() => Exit::Failed,
            false => Exit::Unknown,
        })
    }

    fn story(&self, logs: &[KeptLog], id: &str) -> Result<String, Failure> {
        audit::story(logs, &id.to_lowercase()).ok_or_else(|| {
            let directory = self.directory.display();
            Failure::bad_input(format!("{directory}: no log knows an action {id}"))
        })
    }
}

/// The logs of a folder, by the names of their files.
fn read(directory: &Path) -> Result<Vec<KeptLog>, Failure> {
    let shown = directory.display();
    let unreadable = |error| Failure::bad_input(format!("cannot read {shown}: {error}"));
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("audit-") && name.ends_with(".jsonl") {
            names.push(name);
        }
    }
    if names.is_empty() {
        let message = format!("{shown}: there is no audit-<peer>.jsonl here");
        return Err(Failure::bad_input(message));
    }
    names.sort();
    let log = |name: &String| {
        let path = directory.join(name);
        let shown = path.display();
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::bad_input(format!("cannot read {shown}: {error}")))?;
        lines::read(&text).map_err(|error| Failure::bad_input(format!("{shown}: {error}")))
    };
    names.iter().map(log).collect()
}

fn text(report: &Report, story: Option<&str>) -> String {
    let mut out = String::new();
    let width = report
        .standings
        .iter()
        .map(|one| one.peer.len())
        .max()
        .unwrap_or(0);
    for standing in &report.standings {
        let (peer, records, bound) = (&standing.peer, standing.records, standing.bound);
        let _ = write!(out, "{peer:<width$}  {records} records, proven to {bound}");
        let _ = match standing.pending {
            0 => writeln!(out),
            pending => writeln!(out, ", {pending} actions pending"),
        };
    }
    for finding in &report.findings {
        let culprit = match &finding.culprit {
            Some(culprit) => format!("by {culprit}"),
            None => "unattributable".to_owned(),
        };
        let _ = writeln!(out, "✗ {}: {} ({culprit})", finding.peer, finding.problem);
    }
    if report.findings.is_empty() {
        let _ = writeln!(out, "✓ all logs hold");
    }
    if let Some(story) = story {
        let _ = write!(out, "\n{story}");
    }
    terminal::with_coloured_signs(&out)
}

fn object(report: &Report, story: Option<&str>) -> String {
    let standings = report.standings.iter().map(|one| {
        json!({
            "peer": one.peer,
            "records": one.records,
            "proven_to": one.bound,
            "pending": one.pending,
        })
    });
    let findings = report.findings.iter().map(|one| {
        json!({
            "peer": one.peer,
            "problem": one.problem.to_string(),
            "culprit": one.culprit,
        })
    });
    let object = json!({
        "holds": report.findings.is_empty(),
        "logs": standings.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "story": story,
    });
    format!("{object:#}\n")
}
