//! `fedsim report`: pictures and page once more, from what a run left behind.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Makes the report of a run directory again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fedsim report runs/gossip/one-crash-1")]
pub(crate) struct Report {
    /// A run directory, of one seed or of many
    #[arg(value_name = "RUN DIR")]
    directory: PathBuf,
}

impl Report {
    /// Replaces `plots/` and `report.html`; nothing else in the directory is touched.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        fedsim_reports::render(&self.directory)?;
        let page = self.directory.join(fedsim_reports::PAGE);
        terminal::print(&format!("{}\n", page.display()))?;
        Ok(Exit::Met)
    }
}
