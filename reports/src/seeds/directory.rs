//! The directory of many runs: `runs.csv`, pooled tables, `summary.json` and a page.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fedsim_record::{
    DirectoryError, Expectation, PooledTables, RecordError, RunDirectory, RunRecord, RunRow,
    SCENARIO_FILE, SUMMARY_FILE, read_runs, write_runs,
};

use super::{Pooled, SeedsSummary, page, pooled};
use crate::directory::{PAGE, PLOTS, replace_report, write, write_pictures};
use crate::error::ReportError;

/// The directory of many runs of one scenario, in the making.
///
/// It appears whole or not at all, like the directory of one run.
#[derive(Debug)]
pub struct SeedsDirectory {
    directory: RunDirectory,
    tables: PooledTables,
    rows: Vec<RunRow>,
    summary: Option<SeedsSummary>,
    scenario: String,
}

impl SeedsDirectory {
    /// Makes sure that `target` can be written; `scenario` is the text of what will be run.
    ///
    /// # Errors
    /// Those of [`RunDirectory::claim`].
    pub fn claim(target: &Path, scenario: &str) -> Result<Self, DirectoryError> {
        let directory = RunDirectory::claim(target)?;
        Ok(Self {
            tables: PooledTables::new(directory.staging()),
            directory,
            rows: Vec::new(),
            summary: None,
            scenario: scenario.to_owned(),
        })
    }

    /// Takes a run. The pooled tables keep the order of calls, so call it in the order of seeds
    /// whichever run ended first.
    ///
    /// # Errors
    /// [`RecordError`] that names the file that could not be written.
    pub fn add(&mut self, record: &RunRecord) -> Result<(), RecordError> {
        self.tables.add(record)?;
        self.rows.push(RunRow::from(&record.summary));
        self.summary
            .get_or_insert_with(|| SeedsSummary::empty(&record.summary))
            .add(&record.summary);
        Ok(())
    }

    /// Completes the files and puts the directory in its place; `judge` says what became of the
    /// expectations on pooled metrics. `None` without any run: nothing is written then.
    ///
    /// # Errors
    /// [`ReportError`] that names the file, or what stands in the way.
    pub fn publish(
        self,
        judge: impl FnOnce(&BTreeMap<String, Pooled>) -> Vec<Expectation>,
    ) -> Result<Option<(PathBuf, SeedsSummary)>, ReportError> {
        let Some(mut summary) = self.summary else {
            return Ok(None);
        };
        summary.complete(&self.rows);
        summary.expectations = judge(&summary.metrics);
        let staging = self.directory.staging();
        self.tables.finish()?;
        write_runs(staging, &self.rows)?;
        write(&staging.join(SCENARIO_FILE), &self.scenario)?;
        let pictures = page::pictures(&self.rows, &summary)?;
        write_pictures(&pictures, &staging.join(PLOTS))?;
        let page = page::page(&summary, &pictures, &self.scenario);
        write(&staging.join(PAGE), &page)?;
        write(&staging.join(SUMMARY_FILE), &summary.to_json())?;
        let target = self.directory.publish()?;
        Ok(Some((target, summary)))
    }
}

/// Makes the page of many runs again, from `runs.csv` and `summary.json`.
pub(crate) fn render(directory: &Path) -> Result<(), ReportError> {
    let mut summary = read_summary(directory)?;
    let rows = read_runs(directory)?;
    summary.metrics = pooled(&rows);
    let scenario = read(directory, SCENARIO_FILE)?;
    let pictures = page::pictures(&rows, &summary)?;
    let page = page::page(&summary, &pictures, &scenario);
    replace_report(directory, &pictures, &page)
}

/// The summary of many runs from their directory.
pub(crate) fn read_summary(directory: &Path) -> Result<SeedsSummary, RecordError> {
    let text = read(directory, SUMMARY_FILE)?;
    serde_json::from_str(&text).map_err(|error| RecordError::Json {
        path: directory.join(SUMMARY_FILE),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })
}

fn read(directory: &Path, name: &str) -> Result<String, RecordError> {
    let path = directory.join(name);
    fs::read_to_string(&path).map_err(|source| RecordError::Io {
        doing: "read",
        path,
        source,
    })
}
