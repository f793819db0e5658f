//! Our own notation of histories: one JSON object a line, one line an event.
//!
//! ```json
//! {"process":3,"type":"invoke","f":"cas","key":"x","value":[4,2],"time_ns":1500,"index":7}
//! {"process":3,"type":"fail","f":"cas","key":"x","value":[4,2],"error":"mismatch","time_ns":1900,"index":8}
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `process` | number of the client; it waits for each operation to end |
//! | `type` | `invoke`, `ok`, `fail` (did not happen) or `info` (nobody knows) |
//! | `f` | `read`, `write`, `cas` or `append`; `get` and `put` are read too |
//! | `key` | the register; left out if there is but one |
//! | `value` | argument, `[expected, new]` for `cas`; what an `ok` read returned |
//! | `error` | `mismatch` on a failed `cas` that met another value |
//! | `time_ns` | virtual time in nanoseconds; may be left out |
//! | `index` | position in the history; counts if every line has one |
//!
//! Values are null, booleans, integers, strings and arrays of these. Further
//! fields are skipped.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::history::{Call, Edge, Event, History, Outcome};
use super::read::{Function, Kind, MISMATCH, ReadError, Record};
use super::value::Value;

const VALUE_EXPECTED: &str = "null, a boolean, an integer, a string or an array of these";

#[derive(Deserialize, Serialize)]
struct Line<'a> {
    process: u64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(rename = "f", borrow)]
    function: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Json>,
    #[serde(default)]
    value: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
}

/// The events of a text of JSON lines.
pub(super) fn records(text: &str) -> Result<Vec<Record>, ReadError> {
    let numbered = (1..).zip(text.lines());
    let filled = numbered.filter(|(_, line)| !line.trim().is_empty());
    filled.map(|(number, line)| record(number, line)).collect()
}

fn record(line: usize, text: &str) -> Result<Record, ReadError> {
    let expected = "a JSON object with process, type, f and value";
    let parsed: Line<'_> = serde_json::from_str(text)
        .map_err(|error| ReadError::new(line, expected, format!("{error}: {text}")))?;
    let kind = Kind::named(&parsed.kind);
    let function = Function::named(&parsed.function);
    let value_of = |json: &Json| {
        let value = from_json(json);
        value.ok_or_else(|| ReadError::new(line, VALUE_EXPECTED, json))
    };
    Ok(Record {
        line,
        process: parsed.process,
        kind: kind.ok_or_else(|| ReadError::new(line, Kind::EXPECTED, &parsed.kind))?,
        function: function
            .ok_or_else(|| ReadError::new(line, Function::EXPECTED, &parsed.function))?,
        states_key: true,
        key: parsed.key.as_ref().map(value_of).transpose()?,
        value: value_of(&parsed.value)?,
        time_ns: parsed.time_ns,
        index: parsed.index,
        is_mismatch: parsed.error.is_some_and(|error| error == MISMATCH),
    })
}

/// Writes a history as JSON lines; [`super::read()`] gives it back unchanged.
pub fn write(history: &History) -> String {
    let mut text = String::new();
    for (index, &event) in (0..).zip(history.events()) {
        let line = line_of(history, event, index);
        let json = serde_json::to_string(&line);
        text.push_str(&json.expect("BUG: a line of scalars and arrays is JSON"));
        text.push('\n');
    }
    text
}

fn line_of(history: &History, event: Event, index: u64) -> Line<'static> {
    let operation = history.operation(event.operation);
    let (kind, error) = written_kind(event.edge, &operation.outcome);
    Line {
        process: operation.process,
        kind: Cow::Borrowed(kind),
        function: Cow::Borrowed(operation.call.name()),
        key: operation.key.as_ref().map(to_json),
        value: to_json(&written_value(
            event.edge,
            &operation.call,
            &operation.outcome,
        )),
        error: error.map(Json::from),
        time_ns: Some(history.at_ns(event)),
        index: Some(index),
    }
}

/// How an event is named in files, and the error that goes with it.
pub(super) fn written_kind(edge: Edge, outcome: &Outcome) -> (&'static str, Option<&'static str>) {
    match (edge, outcome) {
        (Edge::Invoked, _) => ("invoke", None),
        (Edge::Returned, Outcome::Read(_) | Outcome::Done) => ("ok", None),
        (Edge::Returned, Outcome::Refused) => ("fail", Some(MISMATCH)),
        (Edge::Returned, Outcome::Failed) => ("fail", None),
        (Edge::Returned, Outcome::Open) => ("info", None),
    }
}

/// The value that goes with an event in files.
pub(super) fn written_value(edge: Edge, call: &Call, outcome: &Outcome) -> Value {
    match (call, outcome) {
        (Call::Read, Outcome::Read(value)) if edge == Edge::Returned => value.clone(),
        (Call::Read, _) => Value::Nil,
        (Call::Write(value) | Call::Append(value), _) => value.clone(),
        (Call::CompareAndSwap { expected, new }, _) => {
            Value::List(vec![expected.clone(), new.clone()])
        }
    }
}

fn from_json(json: &Json) -> Option<Value> {
    match json {
        Json::Null => Some(Value::Nil),
        Json::Bool(truth) => Some(Value::Bool(*truth)),
        Json::Number(number) => number.as_i64().map(Value::Int),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Array(items) => {
            let items: Option<Vec<Value>> = items.iter().map(from_json).collect();
            items.map(Value::List)
        }
        Json::Object(_) => None,
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(to_json).collect(),
    }
}
