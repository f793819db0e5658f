//! `fedsim scrub`: what of a document would leave for a receiver of some trust level.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use fedsim_protocols::federation::injection::{Direction, Screen, Screened};
use fedsim_protocols::federation::sanitise::{
    Action, Finding, Kind, PairKey, Policy, Sanitiser, Scrubbed,
};
use fedsim_protocols::federation::terms::Level;
use fedsim_protocols::{RunKey, StreamLabel};
use serde_json::json;

use crate::commands::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Shows what sanitisation and screening do to a document.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints the text that would leave; what was found goes to standard error.
Exit codes: 0 it leaves, 1 nothing leaves, 2 unreadable.

Example:
  fedsim scrub --level 2 ticket.json"
)]
pub(crate) struct Scrub {
    /// The document, text or JSON; `-` reads standard input
    file: PathBuf,

    /// Trust level of the receiver: 0 untrusted, 1 verified, 2 attested, 3 trusted, 4 privileged
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4))]
    level: u8,

    /// Do something else about a kind, as in --set email=pass; may be repeated
    #[arg(long, value_name = "KIND=ACTION")]
    set: Vec<String>,

    /// The organisation that receives; each has pseudonyms of its own
    #[arg(long, value_name = "NAME", default_value = "receiver")]
    to: String,

    /// The seed of the sender's secret, from which pseudonyms come
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Scrub {
    /// Reads, sanitises, screens and prints.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let level = Level::from_number(self.level).expect("BUG: the parser knows the range");
        let policy = self.policy(level)?;
        let document = self.document()?;
        let sanitiser: Sanitiser = Sanitiser::new(Arc::default(), policy);
        let scrubbed = sanitiser.scrub(&document, level, &self.pair());
        let screen: Screen = Screen::new(Arc::default());
        let screened = screen.screen(&document, Direction::Outbound);
        let leaves = !scrubbed.is_blocked() && !screened.is_refused;
        match self.format {
            Format::Text => self.tell(&document, &scrubbed, &screened, leaves)?,
            Format::Json => terminal::print(&object(&document, &scrubbed, &screened, leaves))?,
        }
        Ok(if leaves { Exit::Met } else { Exit::Failed })
    }

    fn policy(&self, level: Level) -> Result<Policy, Failure> {
        let mut policy = Policy::default();
        for set in &self.set {
            let (kind, action) = set.split_once('=').unwrap_or((set, ""));
            let kind = named("kind", kind, Kind::from_name, &Kind::ALL.map(Kind::name))?;
            let actions = Action::ALL.map(Action::name);
            let action = named("action", action, Action::from_name, &actions)?;
            policy.set(kind, level, action);
        }
        Ok(policy)
    }

    fn pair(&self) -> PairKey {
        let label = StreamLabel::global("scrub/secret");
        let secret = RunKey::from_seed(self.seed).derive(label);
        PairKey::new(&secret, b"sender", self.to.as_bytes())
    }

    fn document(&self) -> Result<String, Failure> {
        let name = self.file.display();
        let bytes = match self.file.as_os_str() == "-" {
            false => fs::read(&self.file),
            true => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            }
        };
        let bytes =
            bytes.map_err(|error| Failure::bad_input(format!("cannot read {name}: {error}")))?;
        let not_text = |error: std::string::FromUtf8Error| {
            let place = error.utf8_error().valid_up_to();
            Failure::bad_input(format!(
                "{name}: byte {place} is not UTF-8; only text can be scrubbed"
            ))
        };
        String::from_utf8(bytes).map_err(not_text)
    }

    fn tell(
        &self,
        document: &str,
        scrubbed: &Scrubbed,
        screened: &Screened,
        leaves: bool,
    ) -> Result<(), Failure> {
        let name = self.file.display();
        for Finding {
            kind,
            action,
            start,
            is_hidden,
            ..
        } in &scrubbed.findings
        {
            let (line, column) = place(document, *start);
            let hidden = if *is_hidden { ", in disguise" } else { "" };
            terminal::remark(&format!("{name}:{line}:{column}: {kind}: {action}{hidden}"));
        }
        for one in &screened.suspicions {
            let (line, column) = place(document, one.start);
            let (category, weight) = (one.category, one.weight);
            terminal::remark(&format!(
                "{name}:{line}:{column}: injection ({category}), weight {weight}"
            ));
        }
        match (&scrubbed.text, leaves) {
            (Some(text), true) => terminal::print(text),
            _ => {
                terminal::remark("nothing leaves");
                Ok(())
            }
        }
    }
}

/// What a name on the command line means, or what it could have been.
fn named<T>(
    what: &str,
    name: &str,
    meaning: impl Fn(&str) -> Option<T>,
    all: &[&str],
) -> Result<T, Failure> {
    meaning(name).ok_or_else(|| {
        let all = all.join(", ");
        Failure::bad_input(format!(
            "--set: no {what} is called `{name}`; there are {all}"
        ))
    })
}

/// Line and column of a byte, from 1; columns count characters.
fn place(document: &str, at: u32) -> (usize, usize) {
    let before = &document[..at as usize];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[start..].chars().count() + 1)
}

fn object(document: &str, scrubbed: &Scrubbed, screened: &Screened, leaves: bool) -> String {
    let findings = scrubbed.findings.iter().map(|one| {
        let (line, column) = place(document, one.start);
        json!({
            "kind": one.kind.name(),
            "action": one.action.name(),
            "line": line,
            "column": column,
            "in_disguise": one.is_hidden,
        })
    });
    let suspicions = screened.suspicions.iter().map(|one| {
        let (line, column) = place(document, one.start);
        json!({
            "category": one.category.name(),
            "weight": one.weight,
            "line": line,
            "column": column,
        })
    });
    let object = json!({
        "leaves": leaves,
        "text": scrubbed.text.as_ref().filter(|_| leaves),
        "findings": findings.collect::<Vec<_>>(),
        "injections": suspicions.collect::<Vec<_>>(),
    });
    format!("{object:#}\n")
}
