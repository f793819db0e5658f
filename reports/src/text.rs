//! The summary of a run for a terminal: at most 80 columns and 22 lines, so that it and the
//! lines around it fit a screen.

use fedsim_record::{Expectation, Holds, Invariant, RunRecord, Summary, Verdict};

use crate::number::{bytes, count, measured, percent, trim_zeros};
use crate::verdict::{expectations_in_words, holds_sign, invariants_in_words, verdict_sign};

const COLUMNS: usize = 80;
const LINES: usize = 22;
const NAME_COLUMN: usize = 30;

/// A summary of the run that fits an 80 by 24 screen, each line with a line end.
///
/// What failed comes first and is shown before what passed; where room ends, a line says how
/// much is left out.
pub fn text_summary(record: &RunRecord) -> String {
    let summary = &record.summary;
    let head = head(summary);
    let tail = tail(summary);
    let room = LINES - head.len() - tail.len();
    let lines = head.into_iter().chain(body(summary, room)).chain(tail);
    lines.map(|line| cut(&line, COLUMNS) + "\n").collect()
}

fn head(summary: &Summary) -> Vec<String> {
    let name = format!("{}  seed {}", summary.scenario, summary.seed);
    let verdict = format!(
        "{} {}",
        verdict_sign(summary.verdict),
        summary.verdict.word().to_uppercase()
    );
    let gap = COLUMNS.saturating_sub(verdict.chars().count() + 1);
    let messages = &summary.messages;
    vec![
        format!("{:gap$} {verdict}", cut(&name, gap)),
        summary.claim.clone(),
        String::new(),
        format!(
            "time      {} s virtual in {} s on {}, {} events",
            trim_zeros(&format!("{:.3}", summary.virtual_seconds.as_f64())),
            measured(summary.wall_seconds),
            threads(summary.threads),
            count(summary.events),
        ),
        format!(
            "messages  {} sent, {} delivered, {} dropped ({}), {}",
            count(messages.sent),
            count(messages.delivered),
            count(messages.dropped),
            percent(messages.dropped, messages.sent),
            bytes(messages.bytes),
        ),
    ]
}

fn threads(threads: usize) -> String {
    match threads {
        1 => "1 thread".to_owned(),
        more => format!("{more} threads"),
    }
}

fn tail(summary: &Summary) -> Vec<String> {
    let note = match summary.notes.as_slice() {
        [] => None,
        [only] => Some(format!("note      {only}")),
        [first, rest @ ..] => Some(format!("notes     {first} (and {} more)", rest.len())),
    };
    let digest = format!("digest    {}", summary.digest);
    let replay = format!("replay    {}", summary.replay);
    note.into_iter().chain([digest, replay]).collect()
}

/// Invariants, expectations and metrics, in the room that is left for them.
fn body(summary: &Summary, room: usize) -> Vec<String> {
    let mut lines = vec![format!("invariants    {}", invariants_in_words(summary))];
    let mut invariants: Vec<&Invariant> = summary.invariants.iter().collect();
    invariants.sort_by_key(|one| urgency(one.holds));
    let unsound = invariants.iter().filter(|one| one.holds != Holds::Holds);
    lines.extend(shortened(unsound.map(|one| invariant(one)).collect(), 5));

    lines.push(format!("expectations  {}", expectations_in_words(summary)));
    let mut expectations: Vec<&Expectation> = summary.expectations.iter().collect();
    expectations.sort_by_key(|one| one.met);
    let expectations = expectations.into_iter().map(expectation).collect();
    lines.extend(shortened(expectations, 5));

    if !summary.metrics.is_empty() && lines.len() + 2 <= room {
        lines.push("metrics".to_owned());
        let left = room - lines.len();
        lines.extend(shortened(metrics(summary), left));
    }
    lines
}

fn urgency(holds: Holds) -> u8 {
    match holds {
        Holds::Violated => 0,
        Holds::AssumptionBroken => 1,
        Holds::NeverExercised => 2,
        Holds::Holds => 3,
    }
}

fn invariant(invariant: &Invariant) -> String {
    let found = match &invariant.first_violation {
        None => invariant.holds.words().to_owned(),
        Some(violation) => {
            let at = trim_zeros(&format!("{:.3}", violation.at_s.as_f64()));
            format!("at {at} s: {}", violation.message)
        }
    };
    row(holds_sign(invariant.holds), &invariant.name, &found)
}

pub(crate) fn expectation(expectation: &Expectation) -> String {
    let sign = verdict_sign(match expectation.met {
        true => Verdict::Passed,
        false => Verdict::Violated,
    });
    let found = format!("wanted {}, got {}", expectation.wanted, expectation.got);
    row(sign, &expectation.name, &found)
}

fn row(sign: &str, name: &str, found: &str) -> String {
    format!("  {sign} {:NAME_COLUMN$} {found}", cut(name, NAME_COLUMN))
}

/// Metrics by name, two in a line.
fn metrics(summary: &Summary) -> Vec<String> {
    let cells: Vec<String> = summary
        .metrics
        .iter()
        .map(|(name, value)| {
            let value = measured(*value);
            let width = 37_usize.saturating_sub(value.chars().count() + 1);
            format!("{:width$} {value}", cut(name, width))
        })
        .collect();
    cells
        .chunks(2)
        .map(|pair| format!("  {}", pair.join("   ")).trim_end().to_owned())
        .collect()
}

/// At most `most` lines; what is left out is counted in the last.
fn shortened(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most && most > 0 {
        let left_out = lines.len() - (most - 1);
        lines.truncate(most - 1);
        lines.push(format!("    … {left_out} more lines in the report"));
    }
    lines.truncate(most);
    lines
}

/// The text with ordinary blanks, and with an ellipsis if it is longer than `width`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    let plain = text.replace(['\u{a0}', '\n'], " ");
    if plain.chars().count() <= width {
        return plain;
    }
    let kept: String = plain.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}
