//! Many runs of one scenario: a row a seed, and the rows of each subject pooled.
//!
//! Must not know the statistics that are made of them. Both files keep the order of seeds, so
//! that it does not matter which run ended first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::csv_table::{append, header, table_error};
use crate::error::RecordError;
use crate::fixed_point::Seconds;
use crate::record::RunRecord;
use crate::summary::{Summary, Verdict};
use crate::tables::{Subject, Visitor};

/// The file with one row a seed.
pub const RUNS_FILE: &str = "runs.csv";

const FIXED_COLUMNS: [&str; 6] = [
    "seed",
    "verdict",
    "digest",
    "virtual_seconds",
    "events",
    "sent",
];

/// One run among many: a row of `runs.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Seed of the run.
    pub seed: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// Run digest.
    pub digest: String,
    /// Virtual time at which the run ended.
    pub virtual_seconds: Seconds,
    /// Events that peers took.
    pub events: u64,
    /// Messages handed to the network.
    pub sent: u64,
    /// The run's metrics; each is a column of its own.
    pub metrics: BTreeMap<String, f64>,
}

impl From<&Summary> for RunRow {
    fn from(summary: &Summary) -> Self {
        Self {
            seed: summary.seed,
            verdict: summary.verdict,
            digest: summary.digest.clone(),
            virtual_seconds: summary.virtual_seconds,
            events: summary.events,
            sent: summary.messages.sent,
            metrics: summary.metrics.clone(),
        }
    }
}

/// Writes `runs.csv` into `directory`: the fixed columns, then every metric that any run has, by
/// name. A metric that a run does not have is an empty cell.
///
/// # Errors
/// [`RecordError`] that names the file.
pub fn write_runs(directory: &Path, rows: &[RunRow]) -> Result<(), RecordError> {
    let path = directory.join(RUNS_FILE);
    let file = File::create(&path).map_err(RecordError::io("create", &path))?;
    let mut writer = csv::Writer::from_writer(file);
    let metrics: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.metrics.keys().map(String::as_str))
        .collect();
    let header = FIXED_COLUMNS.into_iter().chain(metrics.iter().copied());
    writer
        .write_record(header)
        .and_then(|()| {
            rows.iter()
                .try_for_each(|row| writer.write_record(cells(row, &metrics)))
        })
        .map_err(|error| table_error(&path, &error))?;
    writer.flush().map_err(RecordError::io("write", &path))
}

fn cells(row: &RunRow, metrics: &BTreeSet<&str>) -> Vec<String> {
    let fixed = [
        row.seed.to_string(),
        row.verdict.word().to_owned(),
        row.digest.clone(),
        row.virtual_seconds.to_string(),
        row.events.to_string(),
        row.sent.to_string(),
    ];
    let value = |name: &&str| {
        row.metrics
            .get(*name)
            .map(f64::to_string)
            .unwrap_or_default()
    };
    fixed.into_iter().chain(metrics.iter().map(value)).collect()
}

/// Reads `runs.csv` from `directory`.
///
/// # Errors
/// [`RecordError`] that names the file, and the line and column that do not fit.
pub fn read_runs(directory: &Path) -> Result<Vec<RunRow>, RecordError> {
    let path = directory.join(RUNS_FILE);
    let file = File::open(&path).map_err(RecordError::io("read", &path))?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader
        .headers()
        .map_err(|error| table_error(&path, &error))?
        .clone();
    if header.iter().take(FIXED_COLUMNS.len()).ne(FIXED_COLUMNS) {
        return Err(RecordError::Table {
            path,
            line: 1,
            message: format!("the header does not begin with {}", FIXED_COLUMNS.join(",")),
        });
    }
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|error| table_error(&path, &error))?;
            run_row(&header, &record).map_err(|column| RecordError::Table {
                path: path.clone(),
                line: record.position().map_or(1, csv::Position::line),
                message: format!("column `{column}` does not hold what it should"),
            })
        })
        .collect()
}

/// The row, or the name of the first column that makes no sense.
fn run_row(header: &csv::StringRecord, record: &csv::StringRecord) -> Result<RunRow, String> {
    let named = |index: usize| header.get(index).unwrap_or_default().to_owned();
    let cell = |index: usize| record.get(index).unwrap_or_default();
    let number = |index: usize| cell(index).parse().map_err(|_| named(index));
    let metrics = (FIXED_COLUMNS.len()..header.len())
        .filter(|&index| !cell(index).is_empty())
        .map(|index| {
            let value = cell(index).parse().map_err(|_| named(index))?;
            Ok((named(index), value))
        })
        .collect::<Result<_, String>>()?;
    Ok(RunRow {
        seed: number(0)?,
        verdict: Verdict::from_word(cell(1)).ok_or_else(|| named(1))?,
        digest: cell(2).to_owned(),
        virtual_seconds: cell(3).parse().map_err(|_| named(3))?,
        events: number(4)?,
        sent: number(5)?,
        metrics,
    })
}

/// Writes the rows of many runs into one file per subject, each row with its seed before it.
///
/// Memory stays bounded: a record is written when it is added and may be forgotten then.
#[derive(Debug)]
pub struct PooledTables {
    directory: PathBuf,
    files: BTreeMap<&'static str, BufWriter<File>>,
}

impl PooledTables {
    /// A pool whose files go into `directory`, which must exist.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// Appends every table of a run. Call it in the order in which rows shall stand.
    ///
    /// # Errors
    /// [`RecordError`] that names the file.
    pub fn add(&mut self, record: &RunRecord) -> Result<(), RecordError> {
        record.tables.visit(&mut OneSeed {
            pool: self,
            seed: record.summary.seed,
        })
    }

    /// Completes the files.
    ///
    /// # Errors
    /// [`RecordError::Io`] if the last rows could not be written.
    pub fn finish(mut self) -> Result<(), RecordError> {
        for (name, file) in &mut self.files {
            let path = self.directory.join(name);
            file.flush().map_err(RecordError::io("write", &path))?;
        }
        Ok(())
    }

    fn file<R: Subject>(&mut self, first: &R) -> Result<&mut BufWriter<File>, RecordError> {
        let path = self.directory.join(R::FILE);
        match self.files.entry(R::FILE) {
            std::collections::btree_map::Entry::Occupied(file) => Ok(file.into_mut()),
            std::collections::btree_map::Entry::Vacant(vacant) => {
                let header = header(first).map_err(|error| table_error(&path, &error))?;
                let created = File::create(&path).map_err(RecordError::io("create", &path))?;
                let file = vacant.insert(BufWriter::new(created));
                writeln!(file, "seed,{header}").map_err(RecordError::io("write", &path))?;
                Ok(file)
            }
        }
    }
}

struct OneSeed<'a> {
    pool: &'a mut PooledTables,
    seed: u64,
}

impl Visitor<RecordError> for OneSeed<'_> {
    fn table<R: Subject>(&mut self, rows: &[R]) -> Result<(), RecordError> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let path = self.pool.directory.join(R::FILE);
        let file = self.pool.file(first)?;
        append(file, self.seed, rows).map_err(|error| table_error(&path, &error))
    }
}
