//! `fedsim completions`: a script that teaches a shell our options.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::commands::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Prints a completion script.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  fedsim completions bash > ~/.local/share/bash-completion/completions/fedsim")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "fedsim", &mut script);
        terminal::print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Met)
    }
}
