//! JSON Schema (2020-12) from descriptions, so that editors complete and check scenario files.

use serde_json::{Map, Value, json};

use super::Out;
use super::shape::{Alternative, KeyDoc, TableDoc, Type};

/// The schema of a whole file.
pub(crate) fn schema(root: &TableDoc) -> Value {
    let mut definitions = Map::new();
    let mut schema = table(root, &mut definitions);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("fedsim scenario");
    schema["$defs"] = Value::Object(definitions);
    schema
}

fn of(kind: &Type, definitions: &mut Map<String, Value>) -> Value {
    match kind {
        Type::Text { what, pattern: "" } => json!({ "type": "string", "title": what }),
        Type::Text { what, pattern } => {
            json!({ "type": "string", "title": what, "pattern": pattern })
        }
        Type::Integer { min, max } => integer(*min, *max),
        Type::Number { min, max } => {
            json!({ "type": "number", "minimum": min, "maximum": max })
        }
        Type::Flag => json!({ "type": "boolean" }),
        Type::Words(words) => json!({ "oneOf": words.iter().map(word).collect::<Vec<_>>() }),
        Type::Tagged(cases) => tagged(cases, definitions),
        Type::Either(forms) => {
            let forms: Vec<Value> = forms.iter().map(|form| of(form, definitions)).collect();
            json!({ "anyOf": forms })
        }
        Type::Phrases(_) => json!({ "type": "string" }),
        Type::List(item) => json!({ "type": "array", "items": of(item, definitions) }),
        Type::Table(doc) => table(doc, definitions),
        Type::Map(value) => {
            json!({ "type": "object", "additionalProperties": of(value, definitions) })
        }
        Type::Named {
            name,
            about,
            of: kind,
        } => {
            let key = name.replace(' ', "-");
            if !definitions.contains_key(&key) {
                definitions.insert(key.clone(), Value::Null);
                let mut definition = of(kind, definitions);
                definition["description"] = json!(about);
                definitions.insert(key.clone(), definition);
            }
            json!({ "$ref": format!("#/$defs/{key}") })
        }
    }
}

/// Bounds beyond what JSON readers hold exactly are left out.
fn integer(min: i128, max: i128) -> Value {
    let mut schema = json!({ "type": "integer" });
    if let Ok(min) = i64::try_from(min) {
        schema["minimum"] = json!(min);
    }
    if let Ok(max) = i64::try_from(max) {
        schema["maximum"] = json!(max);
    }
    schema
}

fn word(word: &Alternative) -> Value {
    json!({ "const": word.name, "description": word.about })
}

fn tagged(cases: &[(Alternative, Type)], definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for (case, body) in cases {
        properties.insert(
            case.name.to_owned(),
            described(body, case.about, definitions),
        );
    }
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

fn described(kind: &Type, about: &str, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = of(kind, definitions);
    schema["description"] = json!(about);
    schema
}

fn table(doc: &TableDoc, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in &doc.keys {
        properties.insert(key.name.to_owned(), property(key, definitions));
    }
    let required: Vec<&str> = doc
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    let rest = match &doc.free {
        Some(kind) => of(kind, definitions),
        None => json!(false),
    };
    json!({
        "type": "object",
        "description": doc.about,
        "properties": properties,
        "required": required,
        "additionalProperties": rest,
    })
}

fn property(key: &KeyDoc, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = described(&key.kind, key.about, definitions);
    let is_table = matches!(key.kind, Type::Table(_) | Type::Map(_));
    if let Some(default) = key.default.as_ref().filter(|_| !is_table) {
        schema["default"] = literal(default);
    }
    schema
}

fn literal(value: &Out) -> Value {
    match value {
        Out::Text(text) | Out::Lines(text) => json!(text),
        Out::Integer(number) => match u64::try_from(*number) {
            Ok(number) => json!(number),
            Err(_) => json!(i64::try_from(*number).unwrap_or(i64::MIN)),
        },
        Out::Real(number) => json!(number),
        Out::Flag(flag) => json!(flag),
        Out::List(items) => Value::Array(items.iter().map(literal).collect()),
        Out::Inline(entries) | Out::Table(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), literal(value)));
            Value::Object(entries.collect())
        }
        Out::Tables(tables) => {
            let tables = tables
                .iter()
                .map(|table| literal(&Out::Inline(table.clone())));
            Value::Array(tables.collect())
        }
    }
}
