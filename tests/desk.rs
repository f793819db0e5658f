//! A folder to run the built program in, and what it says there.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A small run that meets its claim in a blink.
pub(crate) const QUICK: &str = r#"# Nothing hurts, and nobody is accused.
name = "quick"
claim = "Six members keep each other for alive"
seed = 3
duration = "20s"

[peers]
count = 6

[network]
latency = { uniform = ["10ms", "50ms"] }

[swim]

[expect]
false_positives = { equals = 0 }
"#;

/// An empty folder with `quick.toml`, in which the program runs.
pub(crate) struct Desk(pub(crate) TempDir);

/// What the program said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.put("quick.toml", QUICK);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub(crate) fn fedsim(&self, arguments: &[&str]) -> Said {
        let mut program = Command::new(env!("CARGO_BIN_EXE_fedsim"));
        let output = program.args(arguments).current_dir(self.0.path()).output();
        Said::from(output.expect("the program starts"))
    }

    /// What lies here, hidden files included.
    pub(crate) fn content(&self) -> Vec<String> {
        names(self.0.path())
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn complains(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in:\n{}", self.err);
        }
        self
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("readable").file_name();
        name.to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Every file below a folder with its bytes, but for the summary, which holds real time.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if name != "summary.json" {
            files.push((name, fs::read(&path).expect("readable")));
        }
    }
    files
}

pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}
