//! The `fedsim` command line: arguments in, one command run, one exit code out.
//!
//! Each command is a file under `commands/`. Nothing here decides what a run does: that is its
//! scenario and seed alone. Start at [`commands::Command`].

mod bug;
mod commands;
mod exit;
mod failure;
mod interrupt;
mod progress;
mod stopwatch;
mod terminal;
mod version;

use std::process::ExitCode;

use clap::Parser;

use commands::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let exit = bug::guarded(|| arguments.command.run()).unwrap_or_else(|failure| {
        terminal::remark(failure.message().trim_end());
        failure.exit
    });
    exit.into()
}
