//! The rules that no lint can hold: who may know whom, what a file begins with, how long it gets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Most code lines of a file, its tests left out.
const FILE_LINES_MAX: usize = 500;

/// Most code lines of a function, from its signature to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Each crate, its folder, and the crates of ours it may depend on.
const CRATES: [(&str, &str, &[&str]); 7] = [
    ("fedsim-protocols", "protocols", &[]),
    ("fedsim-scenarios", "scenarios", &["fedsim-protocols"]),
    ("fedsim-record", "sim/record", &[]),
    (
        "fedsim-sim",
        "sim",
        &["fedsim-protocols", "fedsim-scenarios", "fedsim-record"],
    ),
    ("fedsim-reports", "reports", &["fedsim-record"]),
    (
        "fedsim",
        ".",
        &[
            "fedsim-protocols",
            "fedsim-scenarios",
            "fedsim-sim",
            "fedsim-record",
            "fedsim-reports",
        ],
    ),
    ("fedsim-bench", "benches", &[]),
];

/// What sans-IO code must not name.
const FORBIDDEN_IN_PROTOCOLS: [&str; 8] = [
    "actix",
    "tokio",
    "std::thread",
    "std::fs",
    "std::env",
    "std::net",
    "std::time",
    "std::process",
];

/// The one module that knows actors.
const SHELL: &str = "sim/src/engine/shell.rs";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file of the repository by its path, sorted.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let folders = [
        "src",
        "tests",
        "benches",
        "examples",
        "protocols",
        "scenarios",
        "sim",
        "reports",
    ];
    folders
        .iter()
        .for_each(|folder| collect(&root().join(folder), &mut found));
    let mut sources: Vec<(String, String)> = found
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root()).expect("below the root");
            let name = name.to_string_lossy().replace('\\', "/");
            let text = read(&name);
            (name, text)
        })
        .collect();
    sources.sort();
    assert!(sources.len() > 100, "the walk has lost its way");
    sources
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A line without its comment; good enough, as no text of ours holds two slashes before code.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or("").trim()
}

/// The lines before the tests of a file.
fn before_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate();
    numbered
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
}

fn none(offences: Vec<String>) {
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// The crates of ours among the dependencies of a manifest, those for tests left out.
fn dependencies(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let of = |table: &str| manifest.get(table).and_then(|one| one.as_table());
    let names = of("dependencies")
        .into_iter()
        .flat_map(|table| table.keys());
    names
        .filter(|name| name.starts_with("fedsim"))
        .cloned()
        .collect()
}

#[test]
fn dependencies_go_one_way() {
    // The table of crates is the architecture: an arrow that is not in it fails here, before
    // anybody has got used to it.
    let mut offences = Vec::new();
    for (name, folder, allowed) in CRATES {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        for found in dependencies(&manifest) {
            if !allowed.contains(&found.as_str()) {
                offences.push(format!("{name} must not depend on {found}"));
            }
        }
    }
    let workspace: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("a list");
    assert_eq!(
        members.len(),
        CRATES.len(),
        "a crate is missing from the table in this test"
    );
    none(offences);
}

#[test]
fn a_protocol_knows_no_other_protocol() {
    // What two protocols share belongs into a module of its own, and only `stack` puts several
    // together; an import from folder to folder would tie their designs to each other.
    let folders: Vec<String> = fs::read_dir(root().join("protocols/src"))
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            path.file_name()
                .expect("named")
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "stack" && name != "quorum")
        .collect();
    assert!(folders.iter().any(|name| name == "swim"), "{folders:?}");
    let mut offences = Vec::new();
    for (path, text) in sources() {
        let Some(own) = folders
            .iter()
            .find(|name| path.starts_with(&format!("protocols/src/{name}/")))
        else {
            continue;
        };
        for (line, other) in imports(&text, &folders) {
            if other != own {
                offences.push(format!("{path}:{line}: `{own}` must not know `{other}`"));
            }
        }
    }
    none(offences);
}

#[test]
fn a_layer_of_the_federation_knows_no_other_layer() {
    // Layers are put together by `stack`; a gate that asks another gate could not be left out. Their
    // tests may borrow a neighbour, and `unmask` is no gate but how several of them read.
    const HOME: &str = "protocols/src/federation/";
    let layers: Vec<String> = fs::read_dir(root().join(HOME))
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("named").to_string_lossy().into())
        .filter(|name| name != "unmask")
        .collect();
    assert!(layers.iter().any(|name| name == "trust"), "{layers:?}");
    let mut offences = Vec::new();
    for (path, text) in sources() {
        let Some((own, file)) = path
            .strip_prefix(HOME)
            .and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        if file.starts_with("tests") {
            continue;
        }
        let code: Vec<&str> = text.lines().map(code).collect();
        let names = |layer: &str| {
            let (path, module) = (
                format!("federation::{layer}::"),
                format!("federation::{layer};"),
            );
            code.iter()
                .any(|line| line.contains(&path) || line.contains(&module))
        };
        let others = layers.iter().filter(|layer| *layer != own && names(layer));
        offences.extend(others.map(|other| format!("{path}: `{own}` must not know `{other}`")));
    }
    none(offences);
}

/// The lines that name one of `folders` as a module of the crate.
fn imports<'a>(text: &'a str, folders: &'a [String]) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().flat_map(move |(index, line)| {
        let line = code(line);
        let named = folders.iter().filter(move |name| {
            line.contains(&format!("crate::{name}::")) || line.contains(&format!("crate::{name};"))
        });
        named.map(move |name| (index + 1, name.as_str()))
    })
}

#[test]
fn protocols_are_sans_io() {
    // Threads, clocks, files and actors have no business in a state machine.
    let mut offences = Vec::new();
    for (path, text) in sources() {
        if !path.starts_with("protocols/src/") {
            continue;
        }
        for (line, content) in text.lines().enumerate() {
            let found = FORBIDDEN_IN_PROTOCOLS
                .iter()
                .find(|word| code(content).contains(**word));
            offences.extend(found.map(|word| format!("{path}:{}: names {word}", line + 1)));
        }
    }
    none(offences);
}

#[test]
fn actors_stay_in_their_shell() {
    // Everything else is plain code that a unit test drives without any actor.
    let mut offences = Vec::new();
    for (path, text) in sources() {
        let is_exempt = path == SHELL || path == "tests/tidy.rs";
        let names_actix = |line: &str| {
            let line = code(line);
            line.contains("actix::") || line.starts_with("use actix")
        };
        if !is_exempt && text.lines().any(names_actix) {
            offences.push(format!("{path} names actix; only {SHELL} may"));
        }
    }
    assert!(read(SHELL).contains("actix"), "the shell has moved");
    none(offences);
}

#[test]
fn nothing_hashes_in_an_order_of_its_own() {
    // The standard maps differ in order from run to run. Lints see uses, this sees imports too.
    let mut offences = Vec::new();
    for (path, text) in sources() {
        if path == "tests/tidy.rs" {
            continue;
        }
        for (line, content) in text.lines().enumerate() {
            let content = code(content);
            let from_std = content.contains("std::collections");
            if from_std && (content.contains("HashMap") || content.contains("HashSet")) {
                offences.push(format!("{path}:{}: {content}", line + 1));
            }
        }
    }
    none(offences);
}

#[test]
fn every_file_says_what_it_is_for() {
    // A reader who opens any file finds its page first.
    let pageless = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "));
    none(
        pageless
            .map(|(path, _)| format!("{path} has no page"))
            .collect(),
    );
}

#[test]
fn files_stay_short() {
    // Longer files hold two things. Comments, blank lines and tests do not count.
    let mut offences = Vec::new();
    for (path, text) in sources() {
        let lines = before_tests(&text)
            .filter(|(_, line)| !code(line).is_empty())
            .count();
        if lines > FILE_LINES_MAX {
            offences.push(format!(
                "{path}: {lines} code lines, at most {FILE_LINES_MAX}"
            ));
        }
    }
    none(offences);
}

/// Each function of a formatted file: its first line, and how many code lines it takes.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let content = code(line);
        if let Some(first) = open.get(&indent).copied() {
            if content.starts_with('}') {
                let lines = text.lines().skip(first).take(index - first + 1);
                let length = lines.filter(|line| !code(line).is_empty()).count();
                found.push((first + 1, length));
                open.remove(&indent);
            } else if content.ends_with(';') && content.starts_with(')') {
                open.remove(&indent);
            }
        }
        let is_function = content.split_whitespace().take(5).any(|word| word == "fn");
        if is_function && !content.ends_with('}') && !content.ends_with(';') {
            open.insert(indent, index);
        }
    }
    found
}

#[test]
fn functions_stay_short() {
    // A function that fits a screen is read as one thought.
    let mut offences = Vec::new();
    let mut seen = 0;
    for (path, text) in sources() {
        for (line, length) in functions(&text) {
            seen += 1;
            if length > FUNCTION_LINES_MAX {
                offences.push(format!(
                    "{path}:{line}: {length} lines, at most {FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    assert!(seen > 1000, "only {seen} functions were found");
    none(offences);
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    // The measure itself: nested, one-line and body-less functions, and a known length.
    let text = "trait T {\n    fn a();\n    fn b(\n    );\n}\nfn c() {\n    fn d() {\n        1;\n    }\n\n    2;\n}\nfn e() {}\n";
    assert_eq!(functions(text), [(7, 3), (6, 6)]);
}

/// The commands of the README's code blocks.
fn readme_commands() -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in read("README.md").lines() {
        if line.starts_with("```") {
            in_block = line == "```sh";
        } else if in_block && !line.trim().is_empty() && !line.starts_with('#') {
            let command = line.split(" #").next().unwrap_or(line).trim();
            commands.push(command.to_owned());
        }
    }
    commands
}

#[test]
fn every_command_of_the_readme_is_run() {
    // A command that nobody runs stops working unseen. `.ci/run` runs them all, word for word.
    let run = read(".ci/run");
    let commands = readme_commands();
    assert!(commands.len() > 5, "{commands:?}");
    let missing = commands
        .into_iter()
        .filter(|command| !run.contains(command.as_str()));
    none(
        missing
            .map(|command| format!(".ci/run does not run: {command}"))
            .collect(),
    );
}

#[test]
fn the_test_for_imports_sees_them() {
    // The rule about protocol folders must not rest on a pattern that matches nothing.
    let folders = ["raft".to_owned(), "swim".to_owned()];
    let text = "use crate::swim::Config;\n// crate::raft::x\nuse crate::raft;\n";
    let found: Vec<(usize, &str)> = imports(text, &folders).collect();
    assert_eq!(found, [(1, "swim"), (3, "raft")]);
}

/// What stands between the marks of the example `layers`.
fn table_of_layers(path: &str) -> String {
    let text = read(path);
    let marked = text.split_once("<!-- layers").map(|(_, rest)| rest);
    let table = marked.and_then(|rest| rest.split_once("<!-- end of layers"));
    let (table, _) = table.unwrap_or_else(|| panic!("{path} has no table of layers"));
    table.to_owned()
}

#[test]
fn the_readme_shows_the_layers_as_they_were_last_run() {
    // The example writes both; whoever changes one by hand, or forgets to run it, fails here.
    assert_eq!(
        table_of_layers("README.md"),
        table_of_layers("docs/layers.md")
    );
}
