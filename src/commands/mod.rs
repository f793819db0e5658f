//! The commands, one file each, and what they share.

mod audit;
mod check;
mod compare;
mod completions;
mod explain;
mod input;
mod judge;
mod list;
mod reference;
mod report;
mod run;
mod schema;
mod scrub;

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::version;

const EXIT_CODES: &str = "Exit codes:
  0  all expectations met
  1  an invariant was violated or an expectation missed
  2  bad input; nothing was written
  3  a bug of fedsim itself; the message begins with BUG and says how to replay it
  4  unknown: an assumption was broken, or a checker ran out of its budget
  130  stopped by Ctrl-C

Example:
  fedsim run gossip/one-crash --seed 7";

/// Deterministic simulator and test harness for federations of agents.
#[derive(Debug, Parser)]
#[command(name = "fedsim", version = version::LONG, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked of the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario, with one seed or many, and write its run directory
    Run(run::Run),
    /// List the scenarios shipped with the program
    List(list::List),
    /// Check scenario files without running them
    Check(check::Check),
    /// Say in plain words what a scenario will do
    Explain(explain::Explain),
    /// Make the pictures and the page of a run directory again
    Report(report::Report),
    /// Put several runs side by side: which attack does what to which protocol
    Compare(compare::Compare),
    /// Judge a recorded history of client operations for linearizability
    Judge(judge::Judge),
    /// Verify the audit logs of a run, and tell the story of an action
    Audit(audit::Audit),
    /// Show what of a document may leave for a receiver of some trust level
    Scrub(scrub::Scrub),
    /// Print the JSON Schema of scenario files, for editors
    Schema(schema::Schema),
    /// Print the reference page of scenario files, in Markdown
    Reference(reference::Reference),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does what was asked.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Run(run) => run.run(),
            Self::List(list) => list.run(),
            Self::Check(check) => check.run(),
            Self::Explain(explain) => explain.run(),
            Self::Report(report) => report.run(),
            Self::Compare(compare) => compare.run(),
            Self::Judge(judge) => judge.run(),
            Self::Audit(audit) => audit.run(),
            Self::Scrub(scrub) => scrub.run(),
            Self::Schema(schema) => schema.run(),
            Self::Reference(reference) => reference.run(),
            Self::Completions(completions) => completions.run(),
        }
    }
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: fits a screen.
    Text,
    /// One JSON object.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_shows_an_example() {
        // The parser checks its own definition, and whoever asks for help sees one line to copy.
        let mut whole = Arguments::command();
        whole.clone().debug_assert();
        for command in whole.get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            let example = format!("  fedsim {}", command.get_name());
            assert!(
                help.contains("Example") && help.contains(&example),
                "{help}"
            );
        }
    }
}
