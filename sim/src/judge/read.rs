//! Reading a history in whichever notation it is written.
//!
//! The three notations differ in how they write one event; what a sequence of
//! events means is the same for all and decided here. Must not know models or
//! the search.

use std::collections::BTreeMap;
use std::fmt;

use super::history::{Call, History, HistoryError, OperationId, Outcome};
use super::value::Value;
use super::{edn, jepsen_log, jsonl};

/// A notation of histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Jepsen's EDN maps, see [`edn`].
    Edn,
    /// Lines logged by `jepsen.util`, see [`jepsen_log`].
    JepsenLog,
    /// Our own JSON lines, see [`jsonl`].
    JsonLines,
}

impl Format {
    /// Recognizes a notation by the first line that looks like one.
    pub fn detect(text: &str) -> Option<Format> {
        text.lines().find_map(|line| {
            let line = line.trim_start_matches('\u{feff}').trim_start();
            let object = line.strip_prefix('{').map(str::trim_start);
            if line.contains(jepsen_log::MARK) {
                Some(Format::JepsenLog)
            } else if object.is_some_and(|rest| rest.starts_with('"')) {
                Some(Format::JsonLines)
            } else if object.is_some() || line.starts_with(['[', '(', '#']) {
                Some(Format::Edn)
            } else {
                None
            }
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Edn => "Jepsen EDN",
            Format::JepsenLog => "jepsen.util log",
            Format::JsonLines => "JSON lines",
        })
    }
}

/// Why a text is no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found {found}")]
pub struct ReadError {
    /// The line, counted from one.
    pub line: usize,
    /// What should have been there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl ReadError {
    /// An error at a line; a long finding is cut.
    pub(super) fn new(line: usize, expected: impl Into<String>, found: impl fmt::Display) -> Self {
        const FOUND_CHARS_MAX: usize = 80;
        let found = found.to_string();
        let mut shown: String = found.chars().take(FOUND_CHARS_MAX).collect();
        if shown.len() < found.len() {
            shown.push('…');
        }
        Self {
            line,
            expected: expected.into(),
            found: shown,
        }
    }
}

/// Reads a history, recognizing its notation by its content.
///
/// # Errors
/// Text that is no history, with its line.
pub fn read(bytes: &[u8]) -> Result<History, ReadError> {
    let text = decode(bytes)?;
    match Format::detect(text) {
        Some(format) => read_as(format, bytes),
        None => Err(ReadError::new(
            1,
            "a history: EDN maps, jepsen.util log lines or JSON lines",
            text.lines().next().unwrap_or("an empty file"),
        )),
    }
}

/// Reads a history in a given notation.
///
/// # Errors
/// Text that is no history in that notation, with its line.
pub fn read_as(format: Format, bytes: &[u8]) -> Result<History, ReadError> {
    let text = decode(bytes)?;
    let records = match format {
        Format::Edn => edn::records(text)?,
        Format::JepsenLog => jepsen_log::records(text)?,
        Format::JsonLines => jsonl::records(text)?,
    };
    assemble(records)
}

fn decode(bytes: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let newlines = bytes[..error.valid_up_to()].iter();
        let line = 1 + newlines.filter(|&&byte| byte == b'\n').count();
        let byte = bytes[error.valid_up_to()];
        ReadError::new(line, "text in UTF-8", format!("byte 0x{byte:02x}"))
    })?;
    Ok(text.trim_start_matches('\u{feff}'))
}

/// What a record says of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Kind {
    pub(super) const EXPECTED: &'static str = "a type: invoke, ok, fail or info";

    pub(super) fn named(name: &str) -> Option<Kind> {
        match name {
            "invoke" => Some(Kind::Invoke),
            "ok" => Some(Kind::Ok),
            "fail" => Some(Kind::Fail),
            "info" => Some(Kind::Info),
            _ => None,
        }
    }
}

/// The calls by their names in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Read,
    Write,
    Swap,
    Append,
}

impl Function {
    pub(super) const EXPECTED: &'static str =
        "an operation: read (get), write (put), cas or append";

    pub(super) fn named(name: &str) -> Option<Function> {
        match name {
            "read" | "get" => Some(Function::Read),
            "write" | "put" => Some(Function::Write),
            "cas" => Some(Function::Swap),
            "append" => Some(Function::Append),
            _ => None,
        }
    }
}

/// The `error` that tells a compare-and-swap that met another value, which is
/// an observation, from one that never reached the object, which is none.
pub(super) const MISMATCH: &str = "mismatch";

/// One event as a file states it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) process: u64,
    pub(super) kind: Kind,
    pub(super) function: Function,
    pub(super) key: Option<Value>,
    /// Whether the key, or that there is none, is stated apart from the value;
    /// else `value` may be Jepsen's `[key value]`.
    pub(super) states_key: bool,
    pub(super) value: Value,
    pub(super) time_ns: Option<u64>,
    pub(super) index: Option<u64>,
    /// A failure that says the compare-and-swap met another value.
    pub(super) is_mismatch: bool,
}

/// Turns records into a history. They count in the order of their indices if
/// every one has one, else as they stand.
fn assemble(mut records: Vec<Record>) -> Result<History, ReadError> {
    if records.iter().all(|record| record.index.is_some()) {
        records.sort_by_key(|record| record.index);
        let twice = records
            .windows(2)
            .find(|pair| pair[0].index == pair[1].index);
        if let Some([_, second]) = twice {
            let index = second.index.unwrap_or_default();
            return Err(ReadError::new(
                second.line,
                "an index of its own",
                format!("index {index} again"),
            ));
        }
    }
    let mut assembly = Assembly::default();
    for record in &records {
        assembly.add(record)?;
    }
    Ok(assembly.history)
}

#[derive(Default)]
struct Assembly {
    history: History,
    /// Whether the operation under way wrote its key into its value.
    has_tuple: BTreeMap<u64, bool>,
    now_ns: u64,
}

impl Assembly {
    /// A record without a time happens one nanosecond after the one before.
    fn add(&mut self, record: &Record) -> Result<(), ReadError> {
        self.now_ns = record.time_ns.unwrap_or(self.now_ns.saturating_add(1));
        match record.kind {
            Kind::Invoke => self.invoke(record),
            Kind::Ok | Kind::Fail | Kind::Info => self.complete(record),
        }
    }

    fn invoke(&mut self, record: &Record) -> Result<(), ReadError> {
        let tuple = split_tuple(record.function, &record.value).filter(|_| !record.states_key);
        let (key, value) = match tuple {
            Some((key, value)) => (Some(key), value),
            None => (record.key.as_ref(), &record.value),
        };
        let call = call_of(record, value)?;
        self.has_tuple.insert(record.process, tuple.is_some());
        let invoked = self
            .history
            .invoke(record.process, key.cloned(), call, self.now_ns);
        invoked.map(drop).map_err(|error| at_line(record, &error))
    }

    fn complete(&mut self, record: &Record) -> Result<(), ReadError> {
        let Some(id) = self.history.pending(record.process) else {
            return Err(ReadError::new(
                record.line,
                format!("an invocation by process {} before", record.process),
                "none that is still open",
            ));
        };
        let call = self.history.operation(id).call.clone();
        self.check_function(record, &call)?;
        self.check_key(record, id)?;
        let outcome = match record.kind {
            Kind::Ok => self.ok_outcome(record, &call)?,
            Kind::Fail if record.is_mismatch && record.function == Function::Swap => {
                Outcome::Refused
            }
            Kind::Fail => Outcome::Failed,
            Kind::Info | Kind::Invoke => Outcome::Open,
        };
        let completed = self.history.complete(id, outcome, self.now_ns);
        completed.map_err(|error| at_line(record, &error))
    }

    fn check_function(&self, record: &Record, call: &Call) -> Result<(), ReadError> {
        let is_same = match record.function {
            Function::Read => matches!(call, Call::Read),
            Function::Write => matches!(call, Call::Write(_)),
            Function::Swap => matches!(call, Call::CompareAndSwap { .. }),
            Function::Append => matches!(call, Call::Append(_)),
        };
        if is_same {
            return Ok(());
        }
        let expected = format!("the end of {call} by process {}", record.process);
        let found = format!("{:?}", record.function).to_lowercase();
        Err(ReadError::new(record.line, expected, found))
    }

    fn check_key(&self, record: &Record, id: OperationId) -> Result<(), ReadError> {
        let invoked = self.history.operation(id).key.as_ref();
        match (&record.key, invoked) {
            (Some(key), Some(invoked)) if key != invoked => Err(ReadError::new(
                record.line,
                format!("key {invoked}, as in the invocation"),
                key,
            )),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// The outcome of an `ok`. What changed the object must repeat its own
    /// arguments or say nothing: anything else is a convention unknown here,
    /// and guessing it would give wrong verdicts.
    fn ok_outcome(&self, record: &Record, call: &Call) -> Result<Outcome, ReadError> {
        let has_tuple = self.has_tuple.get(&record.process) == Some(&true);
        let value = match split_tuple(record.function, &record.value) {
            Some((_, value)) if has_tuple => value,
            Some(_) | None => &record.value,
        };
        if matches!(call, Call::Read) {
            return Ok(Outcome::Read(value.clone()));
        }
        let echoes = *value == Value::Nil || call_of(record, value).as_ref() == Ok(call);
        if echoes {
            return Ok(Outcome::Done);
        }
        let expected = format!("the arguments of {call} again, or nil");
        Err(ReadError::new(record.line, expected, value))
    }
}

/// Jepsen's `independent` tuples: `[key value]` around the value proper. A
/// swap has two values already, so there the second must be a pair itself.
pub(super) fn split_tuple(function: Function, value: &Value) -> Option<(&Value, &Value)> {
    let Value::List(items) = value else {
        return None;
    };
    let [key, inner] = items.as_slice() else {
        return None;
    };
    let is_pair = |value: &Value| matches!(value, Value::List(items) if items.len() == 2);
    let is_tuple = key.is_scalar() && (function != Function::Swap || is_pair(inner));
    is_tuple.then_some((key, inner))
}

fn call_of(record: &Record, value: &Value) -> Result<Call, ReadError> {
    match record.function {
        Function::Read => Ok(Call::Read),
        Function::Write => Ok(Call::Write(value.clone())),
        Function::Append => Ok(Call::Append(value.clone())),
        Function::Swap => match value {
            Value::List(items) if items.len() == 2 => Ok(Call::CompareAndSwap {
                expected: items[0].clone(),
                new: items[1].clone(),
            }),
            other => Err(ReadError::new(
                record.line,
                "the values of a cas: [expected new]",
                other,
            )),
        },
    }
}

fn at_line(record: &Record, error: &HistoryError) -> ReadError {
    let expected = match error {
        HistoryError::Overlap { process, .. } => {
            format!("the end of the operation process {process} has under way")
        }
        HistoryError::NotPending(_) => "an operation under way".to_owned(),
        HistoryError::UnfitOutcome { call, .. } => format!("an outcome of {call}"),
    };
    ReadError::new(record.line, expected, error)
}
