//! `fedsim reference`: every key of a scenario file, with its default.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Prints the reference page.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fedsim reference | less")]
pub(crate) struct Reference {}

impl Reference {
    /// Prints the page.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        terminal::print(&fedsim_scenarios::reference_page())?;
        Ok(Exit::Met)
    }
}
