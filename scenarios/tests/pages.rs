//! Schema and reference page follow from the code.

use std::path::Path;

use fedsim_scenarios::{json_schema, reference_page};
use serde_json::Value;

/// Set to anything, it makes the tests write the pages instead of comparing them.
const REWRITE: &str = "FEDSIM_REWRITE";

#[test]
fn the_reference_page_is_what_the_code_says() {
    // Whoever changes a key or a default changes the page in the same commit, or this fails.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenario-reference.md");
    let page = reference_page();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &page).expect("writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/scenario-reference.md is out of date: run the tests with {REWRITE}=1"
    );
}

/// Whether a value keeps to a schema, as far as our schemas go.
fn keeps_to(value: &toml::Value, schema: &Value, root: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        return keeps_to(value, &root["$defs"][name], root);
    }
    for forms in ["anyOf", "oneOf"] {
        if let Some(forms) = schema[forms].as_array() {
            return forms.iter().any(|form| keeps_to(value, form, root));
        }
    }
    if let Some(word) = schema["const"].as_str() {
        return value.as_str() == Some(word);
    }
    match (schema["type"].as_str(), value) {
        (Some("string"), toml::Value::String(_)) | (Some("boolean"), toml::Value::Boolean(_)) => {
            true
        }
        (Some("integer"), toml::Value::Integer(number)) => {
            schema["minimum"].as_i64().is_none_or(|min| *number >= min)
                && schema["maximum"].as_i64().is_none_or(|max| *number <= max)
        }
        (Some("number"), toml::Value::Integer(_) | toml::Value::Float(_)) => true,
        (Some("array"), toml::Value::Array(items)) => items
            .iter()
            .all(|item| keeps_to(item, &schema["items"], root)),
        (Some("object"), toml::Value::Table(table)) => {
            table
                .iter()
                .all(|(key, value)| match schema["properties"].get(key) {
                    Some(property) => keeps_to(value, property, root),
                    None => {
                        let rest = &schema["additionalProperties"];
                        rest.is_object() && keeps_to(value, rest, root)
                    }
                })
        }
        _ => false,
    }
}

#[test]
fn every_shipped_scenario_keeps_to_the_schema_and_a_typo_does_not() {
    // An editor that underlines what the program accepts would be worse than none.
    let schema = json_schema();
    for entry in fedsim_scenarios::library::list() {
        let table: toml::Table = entry.text.parse().expect("TOML");
        let value = toml::Value::Table(table.clone());
        assert!(keeps_to(&value, &schema, &schema), "{}", entry.name);
        let mut typo = table;
        typo.insert("durration".to_owned(), toml::Value::Boolean(true));
        assert!(!keeps_to(&toml::Value::Table(typo), &schema, &schema));
    }
}

#[test]
fn every_key_of_the_schema_is_described() {
    fn walk(schema: &Value, path: &str) {
        if let Some(properties) = schema["properties"].as_object() {
            for (key, property) in properties {
                let described = property["description"].as_str().unwrap_or("");
                assert!(described.ends_with('.'), "{path}.{key}: {described:?}");
                walk(property, &format!("{path}.{key}"));
            }
        }
    }
    walk(&json_schema(), "");
}
