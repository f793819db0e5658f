//! Tells the binary from which commit it was built, by reading `.git` and running nothing.
//!
//! Outside a checkout (a packed source, a vendored copy) the commit is `unknown`.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let commit = git_directory(root).and_then(|git| commit(&git));
    let commit = commit.map_or("unknown".to_owned(), |full| full.chars().take(12).collect());
    println!("cargo::rustc-env=FEDSIM_COMMIT={commit}");
    println!("cargo::rerun-if-changed=build.rs");
}

/// The directory that holds `HEAD`; a worktree has a file that names it.
fn git_directory(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(root.join(named))
}

fn commit(git: &Path) -> Option<String> {
    let head = read(&git.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref:").map(str::trim) else {
        return Some(head);
    };
    let common = match fs::read_to_string(git.join("commondir")) {
        Ok(named) => git.join(named.trim()),
        Err(_) => git.to_owned(),
    };
    read(&common.join(reference)).or_else(|| packed(&common, reference))
}

/// The reference among those that git keeps in one file.
fn packed(common: &Path, reference: &str) -> Option<String> {
    let text = read(&common.join("packed-refs"))?;
    text.lines()
        .find_map(|line| line.strip_suffix(reference)?.strip_suffix(' '))
        .map(str::to_owned)
}

/// The text of a file, which is watched for changes if it is there.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Some(text.trim().to_owned())
}
