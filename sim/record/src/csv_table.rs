//! One table as one CSV file, both ways.
//!
//! Must not know any subject: rows come and go through serde.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::RecordError;
use crate::tables::Subject;

/// Writes the rows with a header line into `directory`; no rows, no file.
pub(crate) fn write<R: Subject>(directory: &Path, rows: &[R]) -> Result<(), RecordError> {
    if rows.is_empty() {
        return Ok(());
    }
    let path = directory.join(R::FILE);
    let file = File::create(&path).map_err(RecordError::io("create", &path))?;
    let mut writer = csv::Writer::from_writer(file);
    rows.iter()
        .try_for_each(|row| writer.serialize(row))
        .map_err(|error| table_error(&path, &error))?;
    writer.flush().map_err(RecordError::io("write", &path))
}

/// Reads the table of `R` from `directory`; a file that is not there is an empty table.
pub(crate) fn read<R: Subject>(directory: &Path) -> Result<Vec<R>, RecordError> {
    let path = directory.join(R::FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RecordError::io("read", &path)(error)),
    };
    let mut reader = csv::Reader::from_reader(file);
    let headers = reader
        .headers()
        .map_err(|error| table_error(&path, &error))?
        .clone();
    reader
        .deserialize()
        .map(|row| row.map_err(|error| located(&path, &headers, &error)))
        .collect()
}

/// Appends the rows to `out`, each with the seed of its run before it, without a header line.
pub(crate) fn append<R: Subject>(
    out: &mut impl Write,
    seed: u64,
    rows: &[R],
) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(out);
    rows.iter()
        .try_for_each(|row| writer.serialize((seed, row)))?;
    Ok(writer.flush()?)
}

/// The header line of the table that `row` belongs to, without the line end.
pub(crate) fn header<R: Subject>(row: &R) -> Result<String, csv::Error> {
    let mut text = csv::Writer::from_writer(Vec::new());
    text.serialize(row)?;
    let bytes = text.into_inner().map_err(|error| error.into_error())?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// An error with the name of the column at which it arose, where that is known.
fn located(path: &Path, headers: &csv::StringRecord, error: &csv::Error) -> RecordError {
    let csv::ErrorKind::Deserialize { pos, err } = error.kind() else {
        return table_error(path, error);
    };
    let column = err.field().and_then(|field| headers.get(field as usize));
    RecordError::Table {
        path: path.to_owned(),
        line: pos.as_ref().map_or(1, csv::Position::line),
        message: match column {
            Some(column) => format!("column `{column}`: {}", err.kind()),
            None => err.kind().to_string(),
        },
    }
}

pub(crate) fn table_error(path: &Path, error: &csv::Error) -> RecordError {
    RecordError::Table {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        message: match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => format!("{len} columns where the header has {expected_len}"),
            csv::ErrorKind::Utf8 { .. } => "not UTF-8 text".to_owned(),
            _ => error.to_string(),
        },
    }
}
