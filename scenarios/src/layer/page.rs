//! The reference page from descriptions: a chapter a table, a line a key, and each named type once.

use std::fmt::Write;

use super::shape::{Alternative, KeyDoc, PhraseList, TableDoc, Type};

const OPENING: &str = "\
# Scenario reference

A scenario is a TOML file that makes one claim, sets the stage, and holds the run to it. This page
is generated from the descriptions that the reader itself works from; a test keeps the two equal.

How to read it: settings are written with underscores (`warm_up`), alternatives with dashes
(`\"round-robin\"`, `{ log-normal = ... }`). An alternative that needs nothing more is a word, one
that does is a table with that one key. Unknown keys are errors. Any key can be set on the command
line by its path: `--set network.loss=0.05`, `--set faults.0.at=3s` (entries count from 0). Names of
files count from the folder of the scenario.
";

/// The whole page.
pub(crate) fn page(root: &TableDoc) -> String {
    let mut writer = Writer::default();
    writer.text.push_str(OPENING);
    writer.table("", root.about, root, 2);
    writer.values();
    format!("{}\n", writer.text.trim_end())
}

#[derive(Default)]
struct Writer {
    text: String,
    named: Vec<(&'static str, &'static str, Type)>,
}

/// A table that gets a chapter of its own.
struct Chapter<'a> {
    header: String,
    about: &'static str,
    doc: &'a TableDoc,
}

impl Chapter<'_> {
    /// What the key says of the table, and what the table says of itself.
    fn about(&self) -> String {
        if self.doc.about.starts_with(self.about.trim_end_matches('.')) {
            self.doc.about.to_owned()
        } else {
            format!("{} {}", self.about, self.doc.about)
        }
    }
}

impl Writer {
    fn table(&mut self, path: &str, about: &str, doc: &TableDoc, depth: usize) {
        let mut chapters = Vec::new();
        let mut rows = String::new();
        for key in &doc.keys {
            if let Some(chapter) = chapter(path, key) {
                chapters.push(chapter);
            } else {
                self.row(&mut rows, key);
            }
        }
        let title = if path.is_empty() {
            "The file".to_owned()
        } else {
            format!("`{path}`")
        };
        let _ = writeln!(self.text, "\n{} {title}\n\n{}", "#".repeat(depth), about);
        if !rows.is_empty() {
            self.text
                .push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
            self.text.push_str(&rows);
        }
        if let Some(kind) = &doc.free {
            let kind = self.kind(kind);
            let _ = writeln!(self.text, "\nAny other key: {kind}.");
        }
        for chapter in chapters {
            let about = chapter.about();
            self.table(&chapter.header, &about, chapter.doc, (depth + 1).min(4));
        }
    }

    fn row(&mut self, rows: &mut String, key: &KeyDoc) {
        let default = match (&key.default, key.required) {
            (_, true) => "**required**".to_owned(),
            (Some(value), false) => format!("`{}`", value.to_text()),
            (None, false) => String::new(),
        };
        let kind = self.kind(&key.kind);
        let mut about = key.about.to_owned();
        if let Some(words) = words_of(&key.kind) {
            about += &list_of(words);
        }
        let _ = writeln!(
            rows,
            "| `{}` | {} | {} | {} |",
            key.name,
            cell(&kind),
            cell(&default),
            cell(&about)
        );
    }

    /// A type in a few words.
    fn kind(&mut self, kind: &Type) -> String {
        match kind {
            Type::Text { what, .. } => (*what).to_owned(),
            Type::Integer { min, max } => integer(*min, *max),
            Type::Number { min, .. } if *min <= -1e6 => "number".to_owned(),
            Type::Number { min, max } if *max >= 1e6 => format!("number from {min:?}"),
            Type::Number { min, max } => format!("number, {min:?} to {max:?}"),
            Type::Flag => "`true` or `false`".to_owned(),
            Type::Words(words) => {
                let words: Vec<String> = words
                    .iter()
                    .map(|word| format!("`\"{}\"`", word.name))
                    .collect();
                words.join(" or ")
            }
            Type::Tagged(cases) => {
                let cases: Vec<String> = cases
                    .iter()
                    .map(|(case, body)| format!("`{{ {} = ... }}`: {}", case.name, self.kind(body)))
                    .collect();
                cases.join("; or ")
            }
            Type::Either(forms) => {
                let forms: Vec<String> = forms.iter().map(|form| self.kind(form)).collect();
                forms.join(", or ")
            }
            Type::Phrases(_) => "text".to_owned(),
            Type::List(item) => format!("list of ({})", self.kind(item)),
            Type::Table(doc) => self.inline(doc),
            Type::Map(_) => "tables by name".to_owned(),
            Type::Named { name, about, of } => {
                if !self.named.iter().any(|(known, _, _)| known == name) {
                    self.named.push((name, about, (**of).clone()));
                }
                format!("[{name}](#{})", name.replace(' ', "-"))
            }
        }
    }

    fn inline(&mut self, doc: &TableDoc) -> String {
        let keys: Vec<String> = doc
            .keys
            .iter()
            .map(|key| {
                let kind = self.kind(&key.kind);
                let default = match (&key.default, key.required) {
                    (Some(value), false) => format!(" = `{}`", value.to_text()),
                    (None, false) => " (optional)".to_owned(),
                    (_, true) => String::new(),
                };
                format!("`{}` ({kind}){default}", key.name)
            })
            .collect();
        format!("table with {}", keys.join(", "))
    }

    /// The chapter that explains each named type once; explaining one may bring up others.
    fn values(&mut self) {
        self.text.push_str("\n## Values\n");
        let mut next = 0;
        while next < self.named.len() {
            let (name, about, kind) = self.named[next].clone();
            next += 1;
            let _ = writeln!(self.text, "\n### {name}\n\n{about}");
            self.forms(&kind);
        }
    }

    fn forms(&mut self, kind: &Type) {
        match kind {
            Type::Either(forms) => forms.iter().for_each(|form| self.forms(form)),
            Type::Words(words) => {
                self.text.push('\n');
                for word in words {
                    let _ = writeln!(self.text, "- `\"{}\"`: {}", word.name, word.about);
                }
            }
            Type::Tagged(cases) => {
                self.text.push('\n');
                for (case, body) in cases {
                    let body = self.kind(body);
                    let _ = writeln!(
                        self.text,
                        "- `{{ {} = ... }}`: {} Holds {body}.",
                        case.name, case.about
                    );
                }
            }
            Type::Phrases(lists) => lists.iter().for_each(|list| self.phrases(list)),
            Type::Table(doc) => {
                let table = self.inline(doc);
                let _ = writeln!(self.text, "\n- {} A {table}.", doc.about);
            }
            Type::Text { .. }
            | Type::Integer { .. }
            | Type::Number { .. }
            | Type::Flag
            | Type::List(_)
            | Type::Map(_)
            | Type::Named { .. } => {}
        }
    }
}

impl Writer {
    fn phrases(&mut self, list: &PhraseList) {
        if list.phrases.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "\n{}\n", list.title);
        for phrase in &list.phrases {
            let Alternative { name, about } = phrase;
            let _ = writeln!(self.text, "- `{}{name}`: {about}", list.prefix);
        }
    }
}

fn integer(min: i128, max: i128) -> String {
    match (min, max) {
        (0, max) if max >= 1_000_000 => "whole number".to_owned(),
        (min, max) if max >= 1_000_000 => format!("whole number from {min}"),
        (min, max) => format!("whole number, {min} to {max}"),
    }
}

/// The alternatives of a key that is a choice of words, to be explained beside it.
fn words_of(kind: &Type) -> Option<&[Alternative]> {
    let Type::Words(words) = kind else {
        return None;
    };
    Some(words)
}

fn list_of(words: &[Alternative]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!(" `\"{}\"`: {}", word.name, word.about))
        .collect();
    words.join("")
}

/// Tables get chapters of their own: `[a.b]`, `[[a.b]]` or `[a.b.NAME]`.
fn chapter<'a>(path: &str, key: &'a KeyDoc) -> Option<Chapter<'a>> {
    let bare = path.trim_matches(['[', ']']);
    let name = if bare.is_empty() {
        key.name.to_owned()
    } else {
        format!("{bare}.{}", key.name)
    };
    let (header, table) = match &key.kind {
        Type::List(item) => (format!("[[{name}]]"), &**item),
        kind => (format!("[{name}]"), kind),
    };
    let Type::Table(doc) = table else {
        return None;
    };
    let about = key.about;
    Some(Chapter { header, about, doc })
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
