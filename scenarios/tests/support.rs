//! Short ways to read a text.

use fedsim_scenarios::{Document, Files, Options, Scenario, ScenarioErrors, Style};

/// Files that exist only here.
pub(crate) struct Desk(pub(crate) &'static [(&'static str, &'static str)]);

impl Files for Desk {
    fn text(&self, path: &str) -> Result<String, String> {
        let file = self.0.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "no such file".to_owned())
    }
}

/// A head and peers, for tests of other sections.
pub(crate) const HEAD: &str = "name = \"t\"\nclaim = \"c\"\nduration = \"60s\"\n\
    orgs = [{ name = \"acme\", peers = 3, region = \"eu\" }, { name = \"globex\", peers = 2 }]\n\
    [swim]\n";

/// Reads a text with settings.
pub(crate) fn read_with(text: &str, set: &[&str]) -> Result<Document, ScenarioErrors> {
    let options = Options {
        set: set.iter().map(|&argument| argument.to_owned()).collect(),
        ..Options::default()
    };
    Document::read("test.toml", text, &Desk(&[]), &options)
}

/// Reads a body under [`HEAD`].
pub(crate) fn body(text: &str) -> Result<Scenario, ScenarioErrors> {
    read_with(&format!("{HEAD}{text}"), &[]).map(|document| document.scenario)
}

/// Reads a body that must be right.
pub(crate) fn good(text: &str) -> Scenario {
    body(text).unwrap_or_else(|errors| panic!("{}", errors.render(Style::Plain)))
}

/// The problems of a body, each as excerpt and message.
pub(crate) fn problems(text: &str) -> Vec<(String, String)> {
    let errors = body(text).expect_err("must be refused");
    errors
        .problems()
        .iter()
        .map(|problem| (problem.excerpt().to_owned(), problem.message().to_owned()))
        .collect()
}

/// Writes a scenario and reads it again.
pub(crate) fn again(scenario: &Scenario) -> Scenario {
    let text = scenario.to_toml();
    let read = Document::read("again.toml", &text, &Desk(&[]), &Options::default());
    read.unwrap_or_else(|errors| panic!("{}\n{text}", errors.render(Style::Plain)))
        .scenario
}
