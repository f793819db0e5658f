//! `fedsim check`: validate, run nothing.

use crate::commands::input;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Checks scenario files without running them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fedsim check scenarios/gossip/*.toml")]
pub(crate) struct Check {
    /// Scenario files, or names of shipped scenarios
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

impl Check {
    /// Says of every file whether it is right; all that is wrong with any is reported.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let mut exit = Exit::Met;
        for file in &self.files {
            match input::open_to_run(file, None, &[]) {
                Ok(document) => {
                    terminal::print(&format!("{file}: ok: {}\n", document.scenario.claim))?;
                }
                Err(failure) => {
                    terminal::remark(failure.message());
                    exit = failure.exit;
                }
            }
        }
        Ok(exit)
    }
}
