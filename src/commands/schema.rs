//! `fedsim schema`: the JSON Schema of scenario files.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Prints the JSON Schema.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  fedsim schema > fedsim.schema.json

Editors with a TOML language server then complete and check scenario files that begin with
  #:schema ./fedsim.schema.json")]
pub(crate) struct Schema {}

impl Schema {
    /// Prints the schema, indented.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        terminal::print(&format!("{:#}\n", fedsim_scenarios::json_schema()))?;
        Ok(Exit::Met)
    }
}
