//! The library: every file is right, says what it claims, and survives being written back.

use fedsim_scenarios::spec::Expect;
use fedsim_scenarios::{Document, Options, Style, library};

use crate::support::again;

#[test]
fn every_shipped_scenario_is_right_and_reads_back_equal() {
    // A run directory holds the canonical file: if it did not read back equal, running it again
    // would be another experiment.
    let entries = library::list();
    assert!(entries.len() >= 12);
    for entry in entries {
        let name = entry.name;
        let document = Document::open(&name, &Options::default())
            .unwrap_or_else(|errors| panic!("{}", errors.render(Style::Plain)));
        let scenario = document.scenario;
        assert_eq!(scenario.name, name);
        assert!(again(&scenario) == scenario, "{}", scenario.to_toml());
    }
}

#[test]
fn every_scenario_file_is_shipped() {
    // A folder that the library forgets is a subject that nobody can run by name.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped: Vec<String> = library::list().into_iter().map(|it| it.name).collect();
    for folder in std::fs::read_dir(root).expect("readable") {
        let folder = folder.expect("readable").path();
        let files = folder
            .is_dir()
            .then(|| std::fs::read_dir(&folder).expect("readable"));
        for file in files.into_iter().flatten() {
            let path = file.expect("readable").path();
            if path.extension().is_some_and(|it| it == "toml") {
                let subject = folder.file_name().and_then(|it| it.to_str());
                let name = path.file_stem().and_then(|it| it.to_str());
                let name = format!("{}/{}", subject.unwrap_or(""), name.unwrap_or(""));
                assert!(shipped.contains(&name), "{name} is not in the library");
            }
        }
    }
}

#[test]
fn every_shipped_scenario_opens_with_its_claim_and_holds_itself_to_it() {
    for entry in library::list() {
        assert!(entry.claim.ends_with('.'), "{} has no claim", entry.name);
        let scenario = Document::open(&entry.name, &Options::default())
            .expect("right")
            .scenario;
        let Expect {
            holds,
            violates,
            assumption_broken,
            metrics,
            pooled,
            tolerates: _,
            faults_take_effect: _,
            adversaries_take_effect: _,
        } = scenario.expect;
        let named = holds.len() + violates.len() + assumption_broken.len();
        let expectations = named + metrics.len() + pooled.all().count();
        assert!(expectations > 0, "{} expects nothing", entry.name);
    }
}

#[test]
fn a_mistyped_name_is_answered_with_the_nearest() {
    let problem = library::find("gossip/one-crsh").expect_err("no such scenario");
    assert_eq!(
        problem.help_text(),
        Some("did you mean `gossip/one-crash`?")
    );
}
