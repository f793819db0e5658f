//! `fedsim compare`: several runs side by side, from what they left behind.

use std::path::{Path, PathBuf};

use fedsim_reports::{PAGE, Source, compare, comparison_text, write_comparison};

use crate::commands::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Compares runs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rows are attacks, columns protocols. A row is named after the scenario, without its folder
and protocol, or as NAME=DIR says; runs of one name and protocol are taken together.

Example:
  fedsim compare honest=runs/pbft/fault-free-4-1 slow=runs/pbft/gray-primary-1"
)]
pub(crate) struct Compare {
    /// Run directories, of one seed or of many, or directories that hold some
    #[arg(value_name = "[NAME=]RUN DIR", required = true)]
    directories: Vec<String>,

    /// The row that the others are held against; by itself the first
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,

    /// Where the comparison is written
    #[arg(long, value_name = "DIR", default_value = "runs/comparison")]
    out: PathBuf,

    /// How the comparison is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Compare {
    /// Reads every run, compares, writes and prints.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let mut sources = Vec::new();
        for text in &self.directories {
            let (attack, directory) = named(text);
            let read = Source::read(directory, attack).map_err(Failure::bad_input)?;
            sources.extend(read);
        }
        let comparison = compare(sources, self.baseline.as_deref()).map_err(Failure::bad_input)?;
        let written = write_comparison(&comparison, &self.out)?;
        terminal::print(&match self.format {
            Format::Text => {
                let page = written.join(PAGE);
                format!(
                    "{}report    {}\n",
                    comparison_text(&comparison),
                    page.display()
                )
            }
            Format::Json => comparison.to_json(),
        })?;
        Ok(Exit::Met)
    }
}

/// `NAME=DIR` apart; a directory that is there under the whole text needs no name.
fn named(text: &str) -> (Option<&str>, &Path) {
    match text.split_once('=') {
        Some((name, directory)) if !name.is_empty() && !Path::new(text).exists() => {
            (Some(name), Path::new(directory))
        }
        Some(_) | None => (None, Path::new(text)),
    }
}
