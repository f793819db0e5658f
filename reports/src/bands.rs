//! The faults of a run as numbered bands for the plots, and their legend.
//!
//! Few faults keep the numbers of `faults.csv`; many are grouped by kind under letters, so that
//! badges and legend stay readable. Must not know how bands are drawn.

use fedsim_record::{FaultRow, RunRecord, Seconds};

use crate::number::trim_zeros;

/// The most faults that get a number each.
const NUMBERED: usize = 9;

/// One entry of the legend and the bands that belong to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Band {
    /// A fault's number, or the letter of a group.
    pub(crate) badge: String,
    pub(crate) label: String,
    /// When, whom, and whether it took effect.
    pub(crate) detail: String,
    /// Virtual seconds from and to, in order, not overlapping.
    pub(crate) spans: Vec<(f64, f64)>,
}

/// The bands of a run, in the order of their badges.
pub(crate) fn bands(record: &RunRecord) -> Vec<Band> {
    let end = record.summary.virtual_seconds.as_f64();
    let faults = &record.tables.faults;
    if faults.len() <= NUMBERED {
        return faults.iter().map(|fault| numbered(fault, end)).collect();
    }
    let mut kinds: Vec<&str> = Vec::new();
    for fault in faults {
        if !kinds.contains(&fault.kind.as_str()) {
            kinds.push(&fault.kind);
        }
    }
    let group = |(index, kind): (usize, &str)| {
        let members: Vec<&FaultRow> = faults.iter().filter(|fault| fault.kind == kind).collect();
        lettered(index, kind, &members, end)
    };
    kinds.into_iter().enumerate().map(group).collect()
}

fn numbered(fault: &FaultRow, end: f64) -> Band {
    let peers = match fault.peers.is_empty() {
        true => String::new(),
        false => format!(", {}", fault.peers),
    };
    let idle = match fault.took_effect {
        0 => ", never took effect",
        _ => "",
    };
    Band {
        badge: fault.number.to_string(),
        label: fault.label.clone(),
        detail: format!("{}{peers}{idle}", when(fault)),
        spans: vec![span(fault, end)],
    }
}

fn lettered(index: usize, kind: &str, members: &[&FaultRow], end: f64) -> Band {
    let idle = members
        .iter()
        .filter(|fault| fault.took_effect == 0)
        .count();
    let never = match idle {
        0 => String::new(),
        _ => format!(", {idle} of them never took effect"),
    };
    Band {
        badge: letters(index),
        label: format!("{kind} ({} times)", members.len()),
        detail: format!("{}{never}", between(members)),
        spans: union(members.iter().map(|fault| span(fault, end)).collect()),
    }
}

/// A, B, ... Z, AA, AB, ...
fn letters(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        more => letters(more - 1) + &letter.to_string(),
    }
}

/// When the first and the last of several faults began.
fn between(members: &[&FaultRow]) -> String {
    let starts = || members.iter().map(|fault| fault.from_s);
    match (starts().min(), starts().max()) {
        (Some(first), Some(last)) => format!("begun {} s to {} s", short(first), short(last)),
        (_, None) | (None, _) => String::new(),
    }
}

fn short(time: Seconds) -> String {
    trim_zeros(&format!("{:.3}", time.as_f64()))
}

fn span(fault: &FaultRow, end: f64) -> (f64, f64) {
    let to = fault.to_s.map_or(end, |to| to.as_f64());
    (fault.from_s.as_f64(), to)
}

/// When a fault stood, for people: `10 s to 20 s`, `from 10 s`, `at 10 s`.
pub(crate) fn when(fault: &FaultRow) -> String {
    let from = short(fault.from_s);
    match fault.to_s {
        None => format!("from {from} s"),
        Some(to) if to == fault.from_s => format!("at {from} s"),
        Some(to) => format!("{from} s to {} s", short(to)),
    }
}

/// The same times without overlaps, so that translucent bands do not add up.
fn union(mut spans: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<(f64, f64)> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_spans_become_one() {
        // Touching, nested and separate spans; the input order must not matter.
        let spans = vec![(5.0, 6.0), (1.0, 3.0), (2.0, 4.0), (4.0, 4.5)];
        assert_eq!(union(spans), [(1.0, 4.5), (5.0, 6.0)]);
    }

    #[test]
    fn letters_go_on_after_z() {
        // Groups beyond 26 kinds are unlikely, a wrong letter for them would still be a lie.
        assert_eq!([0, 25, 26, 52].map(letters), ["A", "Z", "AA", "BA"]);
    }
}
