//! `fedsim judge`: whether a recorded history is linearizable.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use fedsim_sim::judge::{self, Budget, History, Judgement, Model, Verdict};
use serde_json::json;

use crate::commands::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Judges a history.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads Jepsen's EDN, lines logged by jepsen.util, and JSON lines.
Exit codes: 0 linearizable, 1 not, 2 unreadable, 4 the budget ran out.

Example:
  fedsim judge history.edn --model cas-register --picture stuck.svg"
)]
pub(crate) struct Judge {
    /// The history; `-` reads standard input
    history: PathBuf,

    /// What the history is held against; by itself the narrowest that knows all its calls
    #[arg(long)]
    model: Option<Model>,

    /// Most steps of the search of one key
    #[arg(long, value_name = "N", default_value_t = Budget::default().steps_per_key)]
    steps: u64,

    /// Where to draw the smallest prefix that cannot be explained, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// How the verdict is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Judge {
    /// Reads, judges, prints and draws.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let name = self.history.display();
        let bytes = self
            .bytes()
            .map_err(|error| Failure::bad_input(format!("cannot read {name}: {error}")))?;
        let history =
            judge::read(&bytes).map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        let model = self.model.unwrap_or_else(|| Model::fitting(&history));
        let budget = Budget {
            steps_per_key: self.steps,
        };
        let judgement = judge::judge(&history, model, budget)
            .map_err(|error| Failure::bad_input(format!("{name}: {error}")))?;
        self.draw(&history, &judgement)?;
        terminal::print(&match self.format {
            Format::Text => judge::picture::text(&history, &judgement),
            Format::Json => json(&history, &judgement),
        })?;
        Ok(match judgement.verdict {
            Verdict::Linearizable => Exit::Met,
            Verdict::NotLinearizable => Exit::Failed,
            Verdict::Unknown => Exit::Unknown,
        })
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        if self.history.as_os_str() != "-" {
            return fs::read(&self.history);
        }
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn draw(&self, history: &History, judgement: &Judgement) -> Result<(), Failure> {
        let (Some(path), Some(stuck)) = (&self.picture, &judgement.stuck) else {
            return Ok(());
        };
        fs::write(path, judge::picture::svg(history, stuck)).map_err(|error| {
            Failure::bad_input(format!("cannot write {}: {error}", path.display()))
        })
    }
}

/// The judgement as one object; a key is the text that names it in the history.
fn json(history: &History, judgement: &Judgement) -> String {
    let keys = judgement.keys.iter().map(|key| {
        json!({
            "key": key.key.as_ref().map(ToString::to_string),
            "verdict": key.verdict.to_string(),
            "operations": key.operations,
            "steps": key.steps,
        })
    });
    let object = json!({
        "verdict": judgement.verdict.to_string(),
        "model": judgement.model.name(),
        "operations": history.operations().len(),
        "steps": judgement.steps(),
        "keys": keys.collect::<Vec<_>>(),
        "stuck": judgement.stuck.as_ref().map(|stuck| json!({
            "key": stuck.key.as_ref().map(ToString::to_string),
            "operation": history.operation(stuck.ended_by).to_string(),
        })),
    });
    format!("{object:#}\n")
}
