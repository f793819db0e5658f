//! The picture for a terminal: one row an operation.

use std::fmt::Write as _;

use super::super::history::History;
use super::super::stuck::Stuck;
use super::super::{Judgement, Verdict};
use super::{Bar, Fate, Layout, held_in_words, shortened};

/// Most operations shown.
const OPERATIONS_MAX: usize = 24;

/// Up to this many columns each is two characters wide, beyond it one.
const WIDE_COLUMNS_MAX: usize = 24;

/// Longest label before it is cut, in characters.
const LABEL_CHARS_MAX: usize = 32;

/// A judgement in words: the verdict, what it rests on, and on failure the
/// picture of the smallest stuck prefix. Ends with a line break.
pub fn text(history: &History, judgement: &Judgement) -> String {
    let mut text = String::new();
    let keys = judgement.keys.len();
    line(
        &mut text,
        format_args!(
            "{}: {} operations, {keys} {}, model {}, {} steps",
            judgement.verdict,
            history.operations().len(),
            if keys == 1 { "key" } else { "keys" },
            judgement.model,
            judgement.steps(),
        ),
    );
    for key in &judgement.keys {
        if let (Verdict::Unknown, Some(name)) = (key.verdict, &key.key) {
            line(&mut text, format_args!("key {name}: the budget ran out"));
        }
    }
    if let Some(stuck) = &judgement.stuck {
        write_stuck(&mut text, history, stuck);
    }
    text
}

fn write_stuck(text: &mut String, history: &History, stuck: &Stuck) {
    let layout = Layout::new(history, stuck, OPERATIONS_MAX);
    if let Some(key) = &stuck.key {
        line(text, format_args!("key {key}"));
    }
    let culprit = history.operation(stuck.ended_by);
    line(
        text,
        format_args!(
            "stuck: process {} returned from {} at {} ns, but {}",
            culprit.process,
            shortened(&culprit.to_string(), 60),
            culprit.returned_ns.unwrap_or(culprit.invoked_ns),
            held_in_words(stuck),
        ),
    );
    let quality = match stuck.is_minimal {
        true => "smallest stuck prefix",
        false => "stuck prefix (the budget ran out before a smaller one was excluded)",
    };
    line(
        text,
        format_args!(
            "{quality}: {} operations, {} of them in order",
            stuck.prefix.len(),
            stuck.linearized.len(),
        ),
    );
    write_bars(text, &layout);
}

fn write_bars(text: &mut String, layout: &Layout) {
    if layout.hidden > 0 {
        line(
            text,
            format_args!("({} earlier operations not shown)", layout.hidden),
        );
    }
    let labels = layout.bars.iter().map(|bar| bar.label.chars().count());
    let label_chars = labels.max().unwrap_or(0).clamp(9, LABEL_CHARS_MAX);
    line(
        text,
        format_args!("{:>7}  {:>7}  operation", "order", "process"),
    );
    for bar in &layout.bars {
        let place = match bar.fate {
            Fate::Placed(place) => place.to_string(),
            Fate::Stuck => "stuck".to_owned(),
            Fate::UnderWay => "-".to_owned(),
        };
        let label = shortened(&bar.label, label_chars);
        line(
            text,
            format_args!(
                "{place:>7}  {:>7}  {label:<label_chars$}  {}",
                bar.process,
                drawn(bar, layout.columns),
            ),
        );
    }
}

/// `[===]` from invocation to return, `[===>` if it did not return.
fn drawn(bar: &Bar, columns: usize) -> String {
    let to = bar.to.unwrap_or(columns.saturating_sub(1));
    let wide = if columns <= WIDE_COLUMNS_MAX { 2 } else { 1 };
    let inner = wide * to.saturating_sub(bar.from).max(1) - 1;
    let fill = if bar.fate == Fate::Stuck { "#" } else { "=" };
    let end = if bar.to.is_some() { "]" } else { ">" };
    format!(
        "{}[{}{end}",
        " ".repeat(wide * bar.from),
        fill.repeat(inner)
    )
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = writeln!(text, "{arguments}");
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}
