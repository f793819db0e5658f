//! `fedsim explain`: what a scenario will do, before anything runs.

use fedsim_sim::nemesis;

use crate::commands::input::Input;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Says in plain words what a scenario will do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fedsim explain gossip/healed-partition --seed 3")]
pub(crate) struct Explain {
    #[command(flatten)]
    input: Input,
}

impl Explain {
    /// Prints the network and the resolved plan of faults.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let document = self.input.open()?;
        terminal::print(&nemesis::explain(&document.scenario))?;
        Ok(Exit::Met)
    }
}
