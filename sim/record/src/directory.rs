//! The directory of a run, which appears whole or not at all.
//!
//! Everything is written into a hidden sibling, which is renamed when it is complete. What stands
//! at the target is replaced only if it is a run of ours. Must not know what the files say.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{DirectoryError, RecordError};
use crate::record::{RunRecord, SUMMARY_FILE, schema};

/// What every schema marker of ours begins with, so that one version replaces another's runs.
const OUR_SCHEMAS: &str = "fedsim-";

/// A run directory in the making.
///
/// ```text
/// claim -> (write into staging) -> publish
///        \-> dropped: staging removed, target untouched
/// ```
#[derive(Debug)]
pub struct RunDirectory {
    target: PathBuf,
    staging: PathBuf,
}

impl RunDirectory {
    /// Makes sure that `target` can be written, before the run is paid for: it is absent or a
    /// run of ours, and a hidden sibling for the files could be made. Missing parents are made.
    ///
    /// # Errors
    /// [`DirectoryError::Occupied`] if anything else stands there (an empty directory and a
    /// symbolic link included); [`DirectoryError::Record`] if the place is not writable.
    pub fn claim(target: &Path) -> Result<Self, DirectoryError> {
        let Some(name) = target.file_name() else {
            return Err(DirectoryError::NoName {
                path: target.to_owned(),
            });
        };
        refuse_foreign(target)?;
        let parent = parent(target);
        fs::create_dir_all(parent).map_err(RecordError::io("create", parent))?;
        let staging = unused_sibling(parent, &name.to_string_lossy(), "partial", |path| {
            fs::create_dir(path)
        })?;
        Ok(Self {
            target: target.to_owned(),
            staging,
        })
    }

    /// Where files are written until [`Self::publish`].
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Writes the record, lets the caller add his own files (plots, pages) to the directory he
    /// is handed, and publishes. Returns the target.
    ///
    /// # Errors
    /// Whatever the record, the caller's `extras` or [`Self::publish`] report; nothing is left
    /// behind then, and what stood at the target still stands.
    pub fn commit(
        self,
        record: &RunRecord,
        extras: impl FnOnce(&Path) -> Result<(), Box<dyn Error + Send + Sync>>,
    ) -> Result<PathBuf, DirectoryError> {
        record.write_files(&self.staging)?;
        extras(&self.staging).map_err(DirectoryError::Extras)?;
        self.publish()
    }

    /// Puts the complete directory in its place, instead of an earlier run of ours.
    ///
    /// # Errors
    /// [`DirectoryError::Occupied`] if something foreign came to stand there meanwhile;
    /// [`DirectoryError::Record`] if a rename fails, with the earlier run put back.
    pub fn publish(self) -> Result<PathBuf, DirectoryError> {
        refuse_foreign(&self.target)?;
        let Some(old) = self.set_aside()? else {
            self.rename_into_place()?;
            return Ok(self.target.clone());
        };
        if let Err(error) = self.rename_into_place() {
            let _ = fs::rename(&old, &self.target);
            return Err(error.into());
        }
        fs::remove_dir_all(&old).map_err(RecordError::io("remove", &old))?;
        Ok(self.target.clone())
    }

    /// Moves an earlier run out of the way and says where to.
    fn set_aside(&self) -> Result<Option<PathBuf>, RecordError> {
        if !self.target.exists() {
            return Ok(None);
        }
        let name = self.target.file_name().unwrap_or_default();
        let old = unused_sibling(
            parent(&self.target),
            &name.to_string_lossy(),
            "replaced",
            |path| match path.exists() {
                true => Err(ErrorKind::AlreadyExists.into()),
                false => fs::rename(&self.target, path),
            },
        )?;
        Ok(Some(old))
    }

    fn rename_into_place(&self) -> Result<(), RecordError> {
        fs::rename(&self.staging, &self.target).map_err(RecordError::io("create", &self.target))
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Points the symbolic link `latest` beside a run directory at it.
///
/// A convenience for the default directory of runs; where symbolic links cannot be made, or
/// something that is no link has the name, nothing happens.
///
/// # Errors
/// What the operating system says when the link cannot be replaced.
pub fn link_latest(run: &Path) -> io::Result<()> {
    let (Some(name), parent) = (run.file_name(), parent(run)) else {
        return Ok(());
    };
    let latest = parent.join("latest");
    match fs::symlink_metadata(&latest) {
        Ok(there) if !there.file_type().is_symlink() => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let fresh = parent.join(".latest.partial");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    symbolic_link(Path::new(name), &fresh)?;
    fs::rename(&fresh, &latest)
}

#[cfg(unix)]
fn symbolic_link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn symbolic_link(_to: &Path, _at: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a hidden sibling of `name` with the first number that nobody else has taken.
fn unused_sibling(
    parent: &Path,
    name: &str,
    purpose: &str,
    make: impl Fn(&Path) -> io::Result<()>,
) -> Result<PathBuf, RecordError> {
    let mut number = 0_u32;
    loop {
        let path = parent.join(format!(".{name}.{purpose}-{number}"));
        match make(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(RecordError::io("create", &path)(error)),
        }
    }
}

fn refuse_foreign(target: &Path) -> Result<(), DirectoryError> {
    let occupied = |why| {
        Err(DirectoryError::Occupied {
            path: target.to_owned(),
            why,
        })
    };
    let there = match fs::symlink_metadata(target) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RecordError::io("look at", target)(error).into()),
    };
    if there.file_type().is_symlink() {
        return occupied("it is a symbolic link");
    }
    if !there.is_dir() {
        return occupied("it is not a directory");
    }
    let Ok(summary) = fs::read_to_string(target.join(SUMMARY_FILE)) else {
        return occupied("it is not a run directory of fedsim: it has no summary.json");
    };
    match schema(&summary) {
        Ok(marker) if marker.starts_with(OUR_SCHEMAS) => Ok(()),
        Ok(_) | Err(_) => occupied("its summary.json was not written by fedsim"),
    }
}
