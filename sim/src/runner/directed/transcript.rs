//! The transcript of a story: each step as it is written, and below it what it brought about.

use std::fmt::Write;

/// Text that grows step by step.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    text: String,
}

impl Transcript {
    /// Begins a step.
    pub(super) fn step(&mut self, text: &str) {
        let _ = writeln!(self.text, "> {text}");
    }

    /// Adds a line about what it brought about.
    pub(super) fn line(&mut self, words: impl AsRef<str>) {
        let _ = writeln!(self.text, "    {}", words.as_ref().trim_end());
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// A line about a message: who, what happened, which kind, and what it says if that is worth words.
pub(super) fn about(who: &str, kind: &str, other: &str, says: &str) -> String {
    match says.is_empty() {
        true => format!("{who} {kind} {other}"),
        false => format!("{who} {kind} {other}: {says}"),
    }
}
