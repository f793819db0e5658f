//! What a description needs while it reads: a place for problems, and what was read before.

use std::collections::BTreeMap;
use std::ops::Range;

use fedsim_protocols::SimDuration;

use crate::problem::{nearest, suggestion};
use crate::spec::{LinkSpec, PeerSpec};
use crate::tree::{Node, Place};

/// Where files named by a scenario come from.
pub trait Files {
    /// The text of the file at a path relative to the scenario file, or why there is none.
    fn text(&self, path: &str) -> Result<String, String>;
}

/// What sections that are read (or written) later may refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// All peers, by slot.
    pub(crate) peers: Vec<PeerSpec>,
    /// Whether they could be read; names are not looked up otherwise.
    pub(crate) peers_known: bool,
    /// Length of the run, if it could be read.
    pub(crate) duration: Option<SimDuration>,
    /// The link that link tables start from.
    pub(crate) link: LinkSpec,
    /// Whether the scenario has a latency matrix.
    pub(crate) has_matrix: bool,
    /// Whether the faults could be read.
    pub(crate) faults_known: bool,
    /// Labels of the faults.
    pub(crate) labels: Vec<String>,
    /// Whether the adversaries could be read.
    pub(crate) adversaries_known: bool,
    /// Labels of the adversaries.
    pub(crate) adversaries: Vec<String>,
}

impl World {
    /// The organisations, in slot order.
    pub(crate) fn organisations(&self) -> Vec<&str> {
        distinct(self.peers.iter().map(|peer| peer.organisation.as_str()))
    }

    /// The regions in which there are peers, in slot order.
    pub(crate) fn regions(&self) -> Vec<&str> {
        distinct(self.peers.iter().map(|peer| peer.region.as_str()))
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    let mut last = "";
    for name in names.filter(|name| !name.is_empty()) {
        if name != last && !seen.contains(&name) {
            seen.push(name);
        }
        last = name;
    }
    seen
}

/// Names that only a protocol or a checker can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// A metric under `[expect]`.
    Metric,
    /// An invariant under `[expect]`.
    Invariant,
    /// An event that triggers or aims a fault.
    Event,
    /// A request that a fault puts to a peer.
    Request,
}

/// A problem before it is tied to a text.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

/// The state of one reading.
pub(crate) struct Reader<'a> {
    /// What was read so far.
    pub(crate) world: World,
    /// Names to be judged by whoever knows them.
    pub(crate) names: BTreeMap<NameKind, Vec<(String, Place)>>,
    findings: Vec<Finding>,
    files: &'a dyn Files,
    /// The texts that places count in.
    texts: &'a [&'a str],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(files: &'a dyn Files, texts: &'a [&'a str]) -> Self {
        Self {
            world: World::default(),
            names: BTreeMap::new(),
            findings: Vec::new(),
            files,
            texts,
        }
    }

    /// Notes a problem: what is wrong, and what would be right at its place.
    pub(crate) fn refuse(
        &mut self,
        place: Place,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        self.findings.push(Finding {
            place,
            message: message.into(),
            label: label.into(),
            help: None,
        });
    }

    /// Notes a name that is none of the candidates.
    pub(crate) fn refuse_name(
        &mut self,
        place: Place,
        message: impl Into<String>,
        (word, candidates): (&str, &[&str]),
    ) {
        self.findings.push(Finding {
            place,
            message: message.into(),
            label: String::new(),
            help: suggestion(word, candidates),
        });
    }

    /// Notes a word that is none of the candidates, and what else would be right at its place.
    pub(crate) fn refuse_word(
        &mut self,
        place: Place,
        message: impl Into<String>,
        label: impl Into<String>,
        (word, candidates): (&str, &[&str]),
    ) {
        let best = nearest(word, candidates.iter().copied());
        self.findings.push(Finding {
            place,
            message: message.into(),
            label: label.into(),
            help: best.map(|best| format!("did you mean `{best}`?")),
        });
    }

    /// Where a stretch of a string's `text` was written; the whole string if it is written with
    /// escapes.
    pub(crate) fn inside(&self, node: &Node, text: &str, span: Range<usize>) -> Place {
        let Place { source, start, end } = node.place;
        let written = self.texts.get(source).and_then(|all| all.get(start..end));
        match written.and_then(|written| written.find(text)) {
            Some(at) => Place {
                source,
                start: start + at + span.start,
                end: start + at + span.end,
            },
            None => node.place,
        }
    }

    /// Notes a value of the wrong kind.
    pub(crate) fn refuse_kind(&mut self, node: &Node, wanted: &str) {
        let message = format!("expected {wanted}, found {}", node.kind());
        self.refuse(node.place, message, wanted);
    }

    /// How many problems there are so far.
    pub(crate) fn count(&self) -> usize {
        self.findings.len()
    }

    /// Notes a name that a protocol or checker will judge.
    pub(crate) fn mention(&mut self, kind: NameKind, name: &str, place: Place) {
        let names = self.names.entry(kind).or_default();
        names.push((name.to_owned(), place));
    }

    /// The text of a file named by the scenario; notes a problem if there is none.
    pub(crate) fn file(&mut self, path: &str, place: Place) -> Option<String> {
        match self.files.text(path) {
            Ok(text) => Some(text),
            Err(why) => {
                let label = "paths count from the scenario file";
                self.refuse(place, format!("cannot read `{path}`: {why}"), label);
                None
            }
        }
    }

    /// Refuses a time that lies at or past the end of the run.
    pub(crate) fn must_be_within_run(&mut self, time: SimDuration, place: Place, what: &str) {
        if let Some(end) = self.world.duration
            && time >= end
        {
            let message = format!("{what} at {time} is past the end of the run");
            self.refuse(place, message, format!("must be before {end}"));
        }
    }

    /// All problems, in the order of the text.
    pub(crate) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| finding.place);
        self.findings
    }
}
