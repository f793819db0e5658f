//! The report's part of a run directory: `plots/*.svg` and `report.html`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use fedsim_record::{RecordError, RunRecord};

use crate::error::ReportError;
use crate::page::page;
use crate::picture::{Picture, pictures};
use crate::seeds::{self, SEEDS_SCHEMA};

/// The folder of the pictures in a run directory.
pub const PLOTS: &str = "plots";

/// The file of the page in a run directory.
pub const PAGE: &str = "report.html";

/// Writes pictures and page of a run into its directory, for a directory in the making.
///
/// # Errors
/// [`ReportError::Write`] that names the file; [`ReportError::Draw`] for a fault of ours.
pub fn write_report(record: &RunRecord, directory: &Path) -> Result<(), ReportError> {
    let pictures = pictures(record)?;
    write_pictures(&pictures, &directory.join(PLOTS))?;
    write(&directory.join(PAGE), &page(record, &pictures))
}

/// Makes pictures and page of an old directory again, of one run or of many, from what was
/// recorded alone. The rest of the directory is not touched; pictures that are no longer drawn
/// are removed.
///
/// # Errors
/// [`ReportError::Record`] if the record cannot be read, before anything is changed; otherwise
/// like [`write_report`].
pub fn render(directory: &Path) -> Result<(), ReportError> {
    let record = match RunRecord::read(directory) {
        Err(RecordError::Schema { found, .. }) if found == SEEDS_SCHEMA => {
            return seeds::render(directory);
        }
        read => read?,
    };
    let pictures = pictures(&record)?;
    let page = page(&record, &pictures);
    replace_report(directory, &pictures, &page)
}

/// Puts new pictures and a new page in the place of the old ones, each as a whole.
pub(crate) fn replace_report(
    directory: &Path,
    pictures: &[Picture],
    page: &str,
) -> Result<(), ReportError> {
    let fresh_plots = directory.join(".plots.partial");
    remove(&fresh_plots)?;
    write_pictures(pictures, &fresh_plots)?;
    let fresh_page = directory.join(".report.partial");
    write(&fresh_page, page)?;

    let plots = directory.join(PLOTS);
    remove(&plots)?;
    fs::rename(&fresh_plots, &plots).map_err(ReportError::write(&plots))?;
    let page = directory.join(PAGE);
    fs::rename(&fresh_page, &page).map_err(ReportError::write(&page))
}

/// Writes each picture as `name.svg`. The folder is made even for none, as readers expect it.
pub(crate) fn write_pictures(pictures: &[Picture], plots: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(plots).map_err(ReportError::write(plots))?;
    pictures
        .iter()
        .try_for_each(|picture| write(&plots.join(format!("{}.svg", picture.name)), &picture.svg))
}

fn remove(folder: &Path) -> Result<(), ReportError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ReportError::write(folder)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), ReportError> {
    fs::write(path, text).map_err(ReportError::write(path))
}
