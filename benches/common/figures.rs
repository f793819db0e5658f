//! `target/figures.json`: one flat object of name to number, which every benchmark adds to.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Figures of this run, printed as they come and written at the end.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<String, f64>);

/// What a figure has to reach.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
}

/// Which figures were asked for: those whose name contains the argument, or all.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a>(pub(crate) Option<&'a str>);

impl Wanted<'_> {
    /// Whether a figure was asked for.
    pub(crate) fn includes(self, figure: &str) -> bool {
        self.0.is_none_or(|part| figure.contains(part))
    }
}

impl Figures {
    /// Prints a figure beside what it has to reach and keeps it.
    pub(crate) fn add(&mut self, name: &str, value: f64, reach: Reach) {
        let (relation, bound, reached) = match reach {
            Reach::AtLeast(bound) => (">=", bound, value >= bound),
            Reach::AtMost(bound) => ("<=", bound, value <= bound),
        };
        let verdict = if reached { "reached" } else { "MISSED" };
        println!("{name:<32} {value:>12.3}   {relation} {bound:<10} {verdict}");
        self.0.insert(name.to_owned(), value);
    }

    /// Adds the figures to the file, keeping those of other benchmarks.
    pub(crate) fn write(self) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target");
        let path = folder.join("figures.json");
        let mut all: BTreeMap<String, f64> = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        all.extend(self.0);
        let text = serde_json::to_string_pretty(&all).expect("numbers have a text");
        let written =
            std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text + "\n"));
        written.expect("target/figures.json can be written");
    }
}
