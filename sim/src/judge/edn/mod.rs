//! Histories as Jepsen keeps them: EDN maps, one a line or all in one vector.
//!
//! ```text
//! {:process 0, :type :invoke, :f :write, :value 3, :time 1200, :index 0}
//! {:process 0, :type :ok, :f :write, :value 3, :time 5400, :index 1}
//! {:process 1, :type :invoke, :f :read, :value ["x" nil], :time 6000, :index 2}
//! ```
//!
//! Read are `:process`, `:type`, `:f`, `:value`, `:time` (nanoseconds),
//! `:index`, `:key` and `:error`; other entries, tags such as
//! `#jepsen.history.Op` and processes that are no numbers (`:nemesis`) are
//! skipped. A value `[key value]` belongs to that key, as
//! `jepsen.independent` writes it, unless the map has a `:key`. `:fail` says
//! that nothing happened, except for a `cas` whose `:error` is `:mismatch`: it
//! took place and met another value. `:info` says that nobody knows.
//!
//! Keywords, symbols and decimals as values are kept as they are written.

mod syntax;

use std::fmt::Write as _;

use super::history::{Event, History};
use super::jsonl::{written_kind, written_value};
use super::read::{Function, Kind, MISMATCH, ReadError, Record, split_tuple};
use super::value::Value;

pub(super) use syntax::{Form, forms};

/// What can stand as a value.
pub(super) const VALUE_EXPECTED: &str = "nil, a boolean, a number, a text or a vector of these";

/// The events of an EDN history.
pub(super) fn records(text: &str) -> Result<Vec<Record>, ReadError> {
    let mut records = Vec::new();
    for (line, form) in syntax::top_level(text)? {
        match &form {
            Form::Map(entries) => records.extend(record(line, entries)?),
            Form::Vector(_) | Form::Keyword(_) | Form::Value(_) | Form::Other(_) => {
                return Err(ReadError::new(line, "a map of an operation", form.shown()));
            }
        }
    }
    Ok(records)
}

/// One operation, or nothing if no client is behind it.
fn record(line: usize, entries: &[(Form, Form)]) -> Result<Option<Record>, ReadError> {
    let map = Map { line, entries };
    let process = match map.required("process")? {
        Form::Value(Value::Int(number)) if *number >= 0 => number.unsigned_abs(),
        Form::Keyword(_) | Form::Other(_) | Form::Value(Value::Text(_)) => return Ok(None),
        other => return Err(map.error("a :process number or keyword", other)),
    };
    let kind = map.named("type", Kind::EXPECTED, Kind::named)?;
    let function = map.named("f", Function::EXPECTED, Function::named)?;
    let key = map.key()?;
    Ok(Some(Record {
        line,
        process,
        kind,
        function,
        states_key: key.is_some(),
        key,
        value: map.client_value(kind)?,
        time_ns: map.number("time")?,
        index: map.number("index")?,
        is_mismatch: map.get("error").and_then(Form::name) == Some(MISMATCH),
    }))
}

/// The value of an operation, or how the form reads that cannot be one. What a
/// failed or unknown operation carries is of no consequence and may be
/// anything, an exception for instance.
pub(super) fn client_value(kind: Kind, form: &Form) -> Result<Value, String> {
    match kind {
        Kind::Invoke | Kind::Ok => form.to_value(),
        Kind::Fail | Kind::Info => Ok(Value::Nil),
    }
}

/// The entries of an operation's map.
struct Map<'a> {
    line: usize,
    entries: &'a [(Form, Form)],
}

impl<'a> Map<'a> {
    fn get(&self, name: &str) -> Option<&'a Form> {
        let is_named = |key: &Form| matches!(key, Form::Keyword(word) if word == name);
        let found = self.entries.iter().find(|(key, _)| is_named(key));
        found.map(|(_, form)| form)
    }

    fn required(&self, name: &str) -> Result<&'a Form, ReadError> {
        let found = self.get(name);
        found.ok_or_else(|| {
            let keys = self.entries.iter().map(|(key, _)| key.shown());
            let keys: Vec<String> = keys.collect();
            let found = format!("a map with {}", keys.join(" "));
            ReadError::new(self.line, format!(":{name} in the map"), found)
        })
    }

    fn named<T>(
        &self,
        key: &str,
        expected: &str,
        named: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ReadError> {
        let form = self.required(key)?;
        let found = form.name().and_then(named);
        found.ok_or_else(|| self.error(expected, form))
    }

    fn key(&self) -> Result<Option<Value>, ReadError> {
        let key = self.get("key").map(Form::to_value).transpose();
        key.map_err(|found| ReadError::new(self.line, VALUE_EXPECTED, found))
    }

    fn client_value(&self, kind: Kind) -> Result<Value, ReadError> {
        let value = self.get("value").map(|form| client_value(kind, form));
        let value = value.unwrap_or(Ok(Value::Nil));
        value.map_err(|found| ReadError::new(self.line, VALUE_EXPECTED, found))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, ReadError> {
        match self.get(name) {
            None => Ok(None),
            Some(Form::Value(Value::Nil)) => Ok(None),
            Some(Form::Value(Value::Int(number))) if *number >= 0 => {
                Ok(Some(number.unsigned_abs()))
            }
            Some(other) => Err(self.error(&format!("a whole number as :{name}"), other)),
        }
    }

    fn error(&self, expected: &str, found: &Form) -> ReadError {
        ReadError::new(self.line, expected, found.shown())
    }
}

/// Writes a history as EDN maps, one a line, with keys as
/// `jepsen.independent` has them; [`super::read()`] gives it back unchanged.
pub fn write(history: &History) -> String {
    let mut text = String::new();
    for (index, &event) in history.events().iter().enumerate() {
        write_event(&mut text, history, event, index);
    }
    text
}

fn write_event(text: &mut String, history: &History, event: Event, index: usize) {
    let operation = history.operation(event.operation);
    let (kind, error) = written_kind(event.edge, &operation.outcome);
    let value = written_value(event.edge, &operation.call, &operation.outcome);
    let function = operation.call.name();
    let is_ambiguous =
        Function::named(function).is_some_and(|function| split_tuple(function, &value).is_some());
    let (key, value) = match &operation.key {
        Some(key) if key.is_scalar() => (String::new(), Value::List(vec![key.clone(), value])),
        Some(key) => (format!(", :key {key}"), value),
        None if is_ambiguous => (", :key nil".to_owned(), value),
        None => (String::new(), value),
    };
    let error = error.map_or_else(String::new, |error| format!(", :error :{error}"));
    let written = writeln!(
        text,
        "{{:process {}, :type :{kind}, :f :{function}{key}, :value {value}{error}, \
         :time {}, :index {index}}}",
        operation.process,
        history.at_ns(event),
    );
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}
