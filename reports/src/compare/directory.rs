//! The directory of a comparison: `summary.json`, `plots/` and `report.html`.

use std::path::{Path, PathBuf};

use fedsim_record::{RunDirectory, SUMMARY_FILE};

use super::{Comparison, page};
use crate::ReportError;
use crate::directory::{PAGE, PLOTS, write, write_pictures};

/// Writes a comparison, in place of an earlier one or of a run of ours; says where it stands.
///
/// # Errors
/// [`ReportError`] that names the file, or what stands in the way.
pub fn write_comparison(comparison: &Comparison, target: &Path) -> Result<PathBuf, ReportError> {
    let directory = RunDirectory::claim(target)?;
    let staging = directory.staging();
    let pictures = page::pictures(comparison)?;
    write_pictures(&pictures, &staging.join(PLOTS))?;
    write(&staging.join(PAGE), &page::page(comparison, &pictures))?;
    write(&staging.join(SUMMARY_FILE), &comparison.to_json())?;
    Ok(directory.publish()?)
}
