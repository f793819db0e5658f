//! Opening a scenario as every command does it: read, override, and check what it names.

use fedsim_scenarios::{Document, NameKind, Options};
use fedsim_sim::runner;

use crate::failure::Failure;

/// Which scenario, and what is changed in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// A scenario file, or the name of a shipped scenario (`fedsim list`)
    #[arg(value_name = "FILE|NAME")]
    pub(crate) scenario: String,

    /// Run with this seed instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Override any key of the scenario, as in --set network.loss=0.05; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

impl Input {
    /// Reads and checks the scenario.
    pub(crate) fn open(&self) -> Result<Document, Failure> {
        open(&self.scenario, self.seed, &self.set)
    }

    /// Reads and checks a scenario that is about to run.
    pub(crate) fn open_to_run(&self) -> Result<Document, Failure> {
        open_to_run(&self.scenario, self.seed, &self.set)
    }

    /// The line that runs the same scenario with `seed`.
    pub(crate) fn replay(&self, seed: u64) -> String {
        let mut words = vec![
            "fedsim".to_owned(),
            "run".to_owned(),
            quoted(&self.scenario),
        ];
        words.push(format!("--seed {seed}"));
        words.extend(self.set.iter().map(|set| format!("--set {}", quoted(set))));
        words.join(" ")
    }
}

/// Reads a scenario and checks it against what the simulator knows.
pub(crate) fn open(
    file_or_name: &str,
    seed: Option<u64>,
    set: &[String],
) -> Result<Document, Failure> {
    let options = Options {
        seed,
        set: set.to_vec(),
        own_protocol: false,
    };
    let document = Document::open(file_or_name, &options)?;
    let metrics = runner::metric_names(&document.scenario);
    // A scenario that cannot be run has none; `open_to_run` says why.
    if !metrics.is_empty() {
        let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
        document.check_metrics(&metrics)?;
        let invariants = runner::invariant_names(&document.scenario);
        document.check_names(NameKind::Invariant, &invariants)?;
    }
    Ok(document)
}

/// Reads and checks a scenario, and refuses one that says nothing wrong but cannot be run.
pub(crate) fn open_to_run(
    file_or_name: &str,
    seed: Option<u64>,
    set: &[String],
) -> Result<Document, Failure> {
    let document = open(file_or_name, seed, set)?;
    let refusal = |why| Failure::bad_input(format!("{file_or_name}: {why}"));
    runner::check(&document.scenario).map_err(refusal)?;
    Ok(document)
}

/// A word as a shell takes it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replay_line_survives_a_shell() {
        // Quotes and blanks in an override must reach the program as they were given.
        let input = Input {
            scenario: "my runs/it's.toml".to_owned(),
            seed: None,
            set: vec!["network.loss=0.05".to_owned(), "name=\"a b\"".to_owned()],
        };
        let line = r#"fedsim run 'my runs/it'\''s.toml' --seed 3 --set network.loss=0.05 --set 'name="a b"'"#;
        assert_eq!(input.replay(3), line);
    }
}
