//! What is wrong with a scenario: one problem per mistake, all of a file together.
//!
//! Must not know what any key means.

use std::fmt;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

/// One mistake: what is wrong, where, and what would be right.
#[derive(Clone, Debug)]
pub struct Problem {
    message: String,
    label: Option<String>,
    help: Option<String>,
    source: Option<Arc<NamedSource<String>>>,
    start: usize,
    end: usize,
}

impl Problem {
    /// A mistake that has no place in a text, such as a file that cannot be opened.
    pub fn nowhere(message: impl Into<String>, help: Option<String>) -> Self {
        Self {
            message: message.into(),
            label: None,
            help,
            source: None,
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn at(
        source: Arc<NamedSource<String>>,
        (start, end): (usize, usize),
        message: String,
        label: String,
        help: Option<String>,
    ) -> Self {
        let length = source.inner().len();
        Self {
            message,
            label: Some(label).filter(|text| !text.is_empty()),
            help,
            source: Some(source),
            start: start.min(length),
            end: end.clamp(start.min(length), length),
        }
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What would be right at the caret.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The nearest spelling, or how to go on.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The text at the caret; empty where a mistake has no place.
    pub fn excerpt(&self) -> &str {
        self.source
            .as_deref()
            .and_then(|source| source.inner().get(self.start..self.end))
            .unwrap_or("")
    }

    /// The line in which the mistake begins, from 1; none where it has no place.
    pub fn line(&self) -> Option<usize> {
        let text = self.source.as_deref()?.inner();
        let before = &text.as_bytes()[..self.start];
        Some(1 + before.iter().filter(|&&byte| byte == b'\n').count())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let label = LabeledSpan::new(self.label.clone(), self.start, self.end - self.start);
        Some(Box::new(std::iter::once(label)))
    }
}

/// Whether errors are drawn for a terminal or for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With colours.
    Terminal,
    /// Without.
    Plain,
}

/// Everything that is wrong with one scenario, in the order of the text; never empty.
#[derive(Clone, Debug)]
pub struct ScenarioErrors {
    name: String,
    problems: Vec<Problem>,
}

impl ScenarioErrors {
    pub(crate) fn new(name: &str, problems: Vec<Problem>) -> Self {
        assert!(!problems.is_empty(), "BUG: an error without a problem");
        Self {
            name: name.to_owned(),
            problems,
        }
    }

    pub(crate) fn one(name: &str, problem: Problem) -> Self {
        Self::new(name, vec![problem])
    }

    /// The problems, in the order of the text.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Each problem with file, line, caret and what would be right.
    pub fn render(&self, style: Style) -> String {
        let theme = match style {
            Style::Terminal => GraphicalTheme::unicode(),
            Style::Plain => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(100);
        let mut text = String::new();
        for problem in &self.problems {
            if handler.render_report(&mut text, problem).is_err() {
                text.push_str(&format!("  x {}\n", problem.message));
            }
            text.push('\n');
        }
        text + &format!("{self}\n")
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [_] => write!(f, "{}: 1 error", self.name),
            many => write!(f, "{}: {} errors", self.name, many.len()),
        }
    }
}

impl std::error::Error for ScenarioErrors {}

impl Diagnostic for ScenarioErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as _)))
    }
}

/// The candidate most like `word`, if any is like it.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= limit && distance < candidate.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean" the nearest candidate, or else all of them if they are few.
pub(crate) fn suggestion(word: &str, candidates: &[&str]) -> Option<String> {
    if let Some(best) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{best}`?"));
    }
    match candidates {
        [] => None,
        [only] => Some(format!("known here: `{only}`")),
        few if few.len() <= 24 => Some(format!("known here: {}", few.join(", "))),
        many => Some(format!("known here: {}, ...", many[..24].join(", "))),
    }
}
