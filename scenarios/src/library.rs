//! The scenarios shipped with the program, one folder per subject.

use include_dir::{Dir, include_dir};

use crate::layer::reader::Files;
use crate::problem::{Problem, nearest};

/// Subjects and their files. A new subject is a line here.
static SUBJECTS: [(&str, Dir<'static>); 6] = [
    ("adversary", include_dir!("$CARGO_MANIFEST_DIR/adversary")),
    ("federation", include_dir!("$CARGO_MANIFEST_DIR/federation")),
    ("gossip", include_dir!("$CARGO_MANIFEST_DIR/gossip")),
    ("papers", include_dir!("$CARGO_MANIFEST_DIR/papers")),
    ("pbft", include_dir!("$CARGO_MANIFEST_DIR/pbft")),
    ("raft", include_dir!("$CARGO_MANIFEST_DIR/raft")),
];

/// One shipped scenario.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Subject and file name: `gossip/one-crash`.
    pub name: String,
    /// The file's first comment: what it claims.
    pub claim: &'static str,
    /// The file.
    pub text: &'static str,
    subject: usize,
}

impl Entry {
    /// The files beside this one.
    pub fn folder(&self) -> impl Files + use<> {
        Shelf(self.subject)
    }
}

struct Shelf(usize);

impl Files for Shelf {
    fn text(&self, path: &str) -> Result<String, String> {
        SUBJECTS[self.0]
            .1
            .get_file(path)
            .and_then(include_dir::File::contents_utf8)
            .map(str::to_owned)
            .ok_or_else(|| "the library has no such file".to_owned())
    }
}

/// All shipped scenarios, by name.
pub fn list() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (subject, (folder_name, folder)) in SUBJECTS.iter().enumerate() {
        for file in folder.files() {
            let name = file
                .path()
                .to_str()
                .and_then(|path| path.strip_suffix(".toml"));
            if let (Some(name), Some(text)) = (name, file.contents_utf8()) {
                entries.push(Entry {
                    name: format!("{folder_name}/{name}"),
                    claim: claim_of(text),
                    text,
                    subject,
                });
            }
        }
    }
    entries.sort_by(|a, b| (a.subject, &a.name).cmp(&(b.subject, &b.name)));
    entries
}

/// The first comment of a file, without its mark.
fn claim_of(text: &'static str) -> &'static str {
    let first = text.lines().next().unwrap_or("");
    first.strip_prefix('#').unwrap_or("").trim()
}

/// The shipped scenario of this name.
///
/// # Errors
/// That there is none, with the nearest name.
pub fn find(name: &str) -> Result<Entry, Problem> {
    let entries = list();
    let near = nearest(name, entries.iter().map(|entry| entry.name.as_str()));
    if let Some(entry) = entries.iter().find(|entry| entry.name == name) {
        return Ok(entry.clone());
    }
    let message = format!("there is no file and no shipped scenario `{name}`");
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`fedsim list` shows all".to_owned(),
    };
    Err(Problem::nowhere(message, Some(help)))
}
