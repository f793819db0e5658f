//! `fedsim list`: the shipped scenarios and what each claims.

use fedsim_scenarios::library;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Lists the shipped scenarios.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fedsim list | grep partition")]
pub(crate) struct List {}

impl List {
    /// Prints a line a scenario, cut to the terminal if there is one.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let entries = library::list();
        let width = entries.iter().map(|entry| entry.name.len()).max();
        let width = width.unwrap_or(0);
        let columns = terminal::columns();
        let lines = entries.iter().map(|entry| {
            let line = format!("{:width$}  {}", entry.name, entry.claim);
            match columns {
                Some(columns) => console::truncate_str(&line, columns, "…").into_owned() + "\n",
                None => line + "\n",
            }
        });
        terminal::print(&lines.collect::<String>())?;
        Ok(Exit::Met)
    }
}
