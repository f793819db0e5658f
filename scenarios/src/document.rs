//! A scenario on its way from bytes to plain data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::NamedSource;

use crate::layer::reader::{Files, Finding, NameKind, Reader};
use crate::problem::{Problem, ScenarioErrors, suggestion};
use crate::sections::root;
use crate::set::{self, Setting};
use crate::spec::Scenario;
use crate::tree::{self, Place};

/// How to read a scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Takes the place of the file's seed.
    pub seed: Option<u64>,
    /// `path=value`, as in `network.loss=0.05`; applied in order before anything is read.
    pub set: Vec<String>,
    /// True: the caller brings a protocol of his own, so the file need not name one.
    pub own_protocol: bool,
}

/// Files beside a scenario file.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Paths count from this folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Files for Folder {
    fn text(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())
    }
}

/// A scenario that was read, and where its names stand.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub scenario: Scenario,
    name: String,
    sources: Vec<Arc<NamedSource<String>>>,
    names: BTreeMap<NameKind, Vec<(String, Place)>>,
}

impl Document {
    /// Reads a scenario by path, or by its name in the [library](crate::library).
    ///
    /// # Errors
    /// Everything that is wrong with it, together.
    pub fn open(file_or_name: &str, options: &Options) -> Result<Self, ScenarioErrors> {
        let path = Path::new(file_or_name);
        if !path.exists() && !file_or_name.ends_with(".toml") {
            let shipped = crate::library::find(file_or_name)
                .map_err(|problem| ScenarioErrors::one(file_or_name, problem))?;
            let name = format!("{file_or_name}.toml");
            return Self::read(&name, shipped.text, &shipped.folder(), options);
        }
        let refuse = |message: String, help: Option<String>| {
            ScenarioErrors::one(file_or_name, Problem::nowhere(message, help))
        };
        let bytes = std::fs::read(path)
            .map_err(|error| refuse(format!("cannot read {file_or_name}: {error}"), None))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..valid];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            let message = format!("{file_or_name} is not UTF-8 text: line {line}, byte {valid}");
            refuse(message, Some("save it as UTF-8".to_owned()))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::read(file_or_name, &text, &Folder::new(folder), options)
    }

    /// Reads a scenario from its text; `name` is for error messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, together.
    pub fn read(
        name: &str,
        text: &str,
        files: &dyn Files,
        options: &Options,
    ) -> Result<Self, ScenarioErrors> {
        let sources = sources(name, text, options);
        if text.trim().is_empty() {
            let help = "a scenario begins with `name`, `claim` and `duration`".to_owned();
            let problem = Problem::nowhere(format!("{name} is empty"), Some(help));
            return Err(ScenarioErrors::one(name, problem));
        }
        let refuse = |findings: Vec<Finding>| {
            let problems = findings
                .into_iter()
                .map(|finding| finding.tied_to(&sources));
            ScenarioErrors::new(name, problems.collect())
        };
        let mut tree = tree::parse(text, 0)
            .map_err(|malformed| refuse(malformed.into_iter().map(Finding::from).collect()))?;
        let settings = options.set.iter().enumerate();
        for (position, argument) in settings {
            Setting::parse(argument, position + 1)
                .and_then(|setting| set::apply(&mut tree, setting))
                .map_err(&refuse)?;
        }
        let texts: Vec<&str> = sources.iter().map(|it| it.inner().as_str()).collect();
        let mut reader = Reader::new(files, &texts);
        let mut scenario = root::read(&tree, options.own_protocol, &mut reader);
        scenario.seed = options.seed.unwrap_or(scenario.seed);
        let names = std::mem::take(&mut reader.names);
        let findings = reader.into_findings();
        if !findings.is_empty() {
            return Err(refuse(findings));
        }
        Ok(Self {
            scenario,
            name: name.to_owned(),
            sources,
            names,
        })
    }

    /// Checks that every metric under `[expect]` is one of these.
    ///
    /// # Errors
    /// Every metric that is not, with the nearest that is.
    pub fn check_metrics(&self, known: &[&str]) -> Result<(), ScenarioErrors> {
        self.check_names(NameKind::Metric, known)
    }

    /// Checks that every name of a kind is one of these.
    ///
    /// # Errors
    /// Every name that is not, with the nearest that is.
    pub fn check_names(&self, kind: NameKind, known: &[&str]) -> Result<(), ScenarioErrors> {
        let what = match kind {
            NameKind::Metric => "metric",
            NameKind::Invariant => "invariant",
            NameKind::Event => "event",
            NameKind::Request => "request",
        };
        let unknown = self.names.get(&kind).into_iter().flatten();
        let problems: Vec<Problem> = unknown
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, place)| Finding {
                place: *place,
                message: format!("there is no {what} `{name}`"),
                label: String::new(),
                help: suggestion(name, known),
            })
            .map(|finding| finding.tied_to(&self.sources))
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ScenarioErrors::new(&self.name, problems))
        }
    }
}

/// The file and each `--set` argument, in the order in which places count them.
fn sources(name: &str, text: &str, options: &Options) -> Vec<Arc<NamedSource<String>>> {
    let file = Arc::new(NamedSource::new(name, text.to_owned()));
    let arguments = options
        .set
        .iter()
        .map(|argument| Arc::new(NamedSource::new("--set", argument.clone())));
    std::iter::once(file).chain(arguments).collect()
}

impl Finding {
    fn tied_to(self, sources: &[Arc<NamedSource<String>>]) -> Problem {
        let source = Arc::clone(&sources[self.place.source.min(sources.len() - 1)]);
        let span = (self.place.start, self.place.end);
        Problem::at(source, span, self.message, self.label, self.help)
    }
}

impl From<tree::Malformed> for Finding {
    fn from(malformed: tree::Malformed) -> Self {
        Self {
            place: malformed.place,
            message: format!("this is not TOML: {}", malformed.message),
            label: String::new(),
            help: None,
        }
    }
}
