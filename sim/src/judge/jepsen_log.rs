//! Histories as `jepsen.util` logs them, for instance in the etcd tests of
//! 2014 that checkers are measured by.
//!
//! ```text
//! INFO  jepsen.util - 3   :invoke  :write  4
//! INFO  jepsen.util - 3   :ok      :write  4
//! INFO  jepsen.util - 0   :invoke  :cas    [4 2]
//! INFO  jepsen.util - 0   :fail    :cas    [4 2]
//! INFO  jepsen.util - 1   :info    :write  :timed-out
//! ```
//!
//! Behind the mark stand EDN forms: process, type, function, value. Other
//! lines are other components talking and are skipped, as are operations of
//! the nemesis. `:fail` says that nothing happened.

use super::edn::{self, Form};
use super::read::{Function, Kind, ReadError, Record};
use super::value::Value;

/// What tells these lines from others.
pub(super) const MARK: &str = "jepsen.util - ";

/// The events of a log.
pub(super) fn records(text: &str) -> Result<Vec<Record>, ReadError> {
    let mut records = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some((_, rest)) = line.split_once(MARK) {
            records.extend(record(number, rest)?);
        }
    }
    Ok(records)
}

fn record(line: usize, text: &str) -> Result<Option<Record>, ReadError> {
    if !is_client_operation(text) {
        return Ok(None);
    }
    let forms = edn::forms(text).map_err(|error| ReadError { line, ..error })?;
    let process = match forms.first() {
        Some(Form::Value(Value::Int(number))) if *number >= 0 => number.unsigned_abs(),
        Some(_) | None => return Err(ReadError::new(line, "a process number", text)),
    };
    let kind = keyword(&forms, 1).and_then(Kind::named);
    let kind = kind.ok_or_else(|| ReadError::new(line, Kind::EXPECTED, text))?;
    let function = keyword(&forms, 2).and_then(Function::named);
    let function = function.ok_or_else(|| ReadError::new(line, Function::EXPECTED, text))?;
    let form = forms.get(3);
    let form = form.ok_or_else(|| ReadError::new(line, "a value", text))?;
    Ok(Some(Record {
        line,
        process,
        kind,
        function,
        key: None,
        states_key: false,
        value: edn::client_value(kind, form)
            .map_err(|found| ReadError::new(line, edn::VALUE_EXPECTED, found))?,
        time_ns: None,
        index: None,
        is_mismatch: false,
    }))
}

/// Whether the words are an operation and not another message; those of the
/// nemesis have a keyword for a process.
fn is_client_operation(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (process, kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let is_number = process.parse::<u64>().is_ok();
    let is_kind = kind.strip_prefix(':').and_then(Kind::named).is_some();
    !process.starts_with(':') && (is_number || is_kind)
}

fn keyword(forms: &[Form], position: usize) -> Option<&str> {
    match forms.get(position) {
        Some(Form::Keyword(name)) => Some(name),
        Some(Form::Value(_) | Form::Vector(_) | Form::Map(_) | Form::Other(_)) | None => None,
    }
}
