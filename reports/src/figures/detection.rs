//! How long a crash stays unnoticed: distribution of detection latency.

use std::collections::BTreeMap;

use fedsim_record::{DetectionRow, RunRecord, Seconds};

use super::durations::{distribution_panel, in_words};
use crate::chart::Chart;
use crate::statistics::Observation;

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let rows = &record.tables.detection;
    if rows.is_empty() {
        return Vec::new();
    }
    let every: Vec<Observation> = rows.iter().map(detected).collect();
    let first = first_of_each_crash(rows);
    let caption = format!(
        "Time from a crash to its detection, by each observer and by the first of each crash; \
         each observer: {}; first: {}.",
        in_words(&every),
        in_words(&first),
    );
    let mut sets = vec![
        ("dead, each observer".to_owned(), every),
        ("dead, first observer of each crash".to_owned(), first),
    ];
    if rows.iter().any(|row| row.suspected_s.is_some()) {
        let suspected = rows.iter().map(suspected).collect();
        sets.push(("suspected, each observer".to_owned(), suspected));
    }
    vec![Chart {
        name: "detection-latency".to_owned(),
        title: "Detection latency".to_owned(),
        caption,
        panels: vec![distribution_panel("time since the crash", &sets)],
    }]
}

fn detected(row: &DetectionRow) -> Observation {
    Observation {
        value: row.latency_ms.as_f64(),
        censored: row.censored,
    }
}

/// Until suspicion; who never suspected is censored where his observation ended.
fn suspected(row: &DetectionRow) -> Observation {
    match row.suspected_s {
        Some(at) => Observation {
            value: milliseconds_between(row.crash_s, at),
            censored: false,
        },
        None => Observation {
            value: row.latency_ms.as_f64(),
            censored: true,
        },
    }
}

fn milliseconds_between(from: Seconds, to: Seconds) -> f64 {
    to.as_nanos().saturating_sub(from.as_nanos()) as f64 / 1e6
}

/// The earliest detection of each crash; if nobody detected it, the longest observation.
fn first_of_each_crash(rows: &[DetectionRow]) -> Vec<Observation> {
    let mut crashes: BTreeMap<(Seconds, &str), Vec<Observation>> = BTreeMap::new();
    for row in rows {
        let crash = crashes.entry((row.crash_s, &row.victim)).or_default();
        crash.push(detected(row));
    }
    crashes.values().filter_map(|seen| first(seen)).collect()
}

fn first(seen: &[Observation]) -> Option<Observation> {
    let by_value = |a: &&Observation, b: &&Observation| a.value.total_cmp(&b.value);
    let earliest = seen.iter().filter(|one| !one.censored).min_by(by_value);
    earliest.or_else(|| seen.iter().max_by(by_value)).copied()
}
