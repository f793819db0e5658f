//! `--set path=value`: overrides, put into the tree before anything is read.
//!
//! A path that no section knows is found by the reader, which then points into the argument.

use crate::layer::reader::Finding;
use crate::tree::{self, Entry, Node, Place, Value};

/// One override.
pub(crate) struct Setting {
    path: Vec<Step>,
    value: Node,
}

struct Step {
    text: String,
    place: Place,
}

fn refusal(place: Place, message: String, label: &str) -> Vec<Finding> {
    vec![Finding {
        place,
        message,
        label: label.to_owned(),
        help: None,
    }]
}

impl Setting {
    /// Reads an argument. What is not TOML is text, so that durations need no quotes.
    pub(crate) fn parse(argument: &str, source: usize) -> Result<Self, Vec<Finding>> {
        let whole = Place {
            source,
            start: 0,
            end: argument.len(),
        };
        let Some((path, value)) = argument.split_once('=') else {
            let message = format!("`{argument}` sets nothing");
            return Err(refusal(
                whole,
                message,
                "write path=value, as in network.loss=0.05",
            ));
        };
        let mut steps = Vec::new();
        let mut start = 0;
        for raw in path.split('.') {
            let place = Place {
                source,
                start,
                end: start + raw.len(),
            };
            start = place.end + 1;
            let text = raw.trim().to_owned();
            if text.is_empty() {
                return Err(refusal(
                    whole,
                    "a key is empty".to_owned(),
                    "write path=value",
                ));
            }
            steps.push(Step { text, place });
        }
        let value = value_of(value, source, path.len() + 1)?;
        Ok(Self { path: steps, value })
    }
}

fn value_of(text: &str, source: usize, offset: usize) -> Result<Node, Vec<Finding>> {
    let trimmed = text.trim();
    let start = offset + text.len() - text.trim_start().len();
    match tree::parse_value(trimmed, source, start) {
        Ok(node) => Ok(node),
        Err(malformed) if trimmed.starts_with(['[', '{', '"', '\'']) => {
            Err(malformed.into_iter().map(Finding::from).collect())
        }
        Err(_) => Ok(Node {
            place: Place {
                source,
                start,
                end: start + trimmed.len(),
            },
            value: Value::Text(trimmed.to_owned()),
        }),
    }
}

/// Puts a value into the tree; tables on the way come into being.
pub(crate) fn apply(root: &mut Node, setting: Setting) -> Result<(), Vec<Finding>> {
    let mut node = root;
    for step in &setting.path {
        node = enter(node, step)?;
    }
    *node = setting.value;
    Ok(())
}

fn enter<'a>(node: &'a mut Node, step: &Step) -> Result<&'a mut Node, Vec<Finding>> {
    let kind = node.kind();
    match &mut node.value {
        Value::Table(entries) => Ok(entry(entries, step)),
        Value::List(items) => {
            let length = items.len();
            let index = step
                .text
                .parse::<usize>()
                .ok()
                .filter(|&index| index < length);
            index.and_then(|index| items.get_mut(index)).ok_or_else(|| {
                let message = format!("`{}` is none of {length} entries", step.text);
                let label = match length {
                    0 => "there are none".to_owned(),
                    _ => format!("0 to {}", length - 1),
                };
                refusal(step.place, message, &label)
            })
        }
        Value::Text(_) | Value::Integer(_) | Value::Real(_) | Value::Flag(_) | Value::Date => {
            let message = format!("what stands before `{}` is {kind}", step.text);
            Err(refusal(
                step.place,
                message,
                "only tables and lists have keys",
            ))
        }
    }
}

fn entry<'a>(entries: &'a mut Vec<Entry>, step: &Step) -> &'a mut Node {
    let position = entries.iter().position(|entry| entry.key == step.text);
    let position = position.unwrap_or_else(|| {
        entries.push(Entry {
            key: step.text.clone(),
            place: step.place,
            node: Node {
                place: step.place,
                value: Value::Table(Vec::new()),
            },
        });
        entries.len() - 1
    });
    &mut entries[position].node
}
