//! What is sent and what is lost: messages a second by kind, and drops by cause, over time.

use std::collections::BTreeMap;

use fedsim_record::{MessageRow, RunRecord, Seconds};

use super::{STEPS, end_s, grouped, level, seconds};
use crate::chart::{Axis, Chart, Curves, Line, Mark, Panel};

/// Kinds that get a curve of their own; the others are summed up.
const KINDS: usize = 6;

type Cause = (&'static str, fn(&MessageRow) -> u64);

const CAUSES: [Cause; 4] = [
    ("lost at random", |row| row.dropped_loss),
    ("cut", |row| row.dropped_cut),
    ("receiver down", |row| row.dropped_down),
    ("queue full", |row| row.dropped_queue),
];

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let rows = &record.tables.messages;
    if rows.is_empty() {
        return Vec::new();
    }
    let intervals = Intervals::of(rows);
    let mut panels = vec![panel(
        record,
        "messages sent (1/s)",
        by_kind(rows, &intervals),
    )];
    let drops: Vec<Line> = CAUSES
        .iter()
        .map(|(label, count)| intervals.line(label, rows.iter(), count))
        .filter(|line| line.points.iter().any(|point| point.1 > 0.0))
        .collect();
    if !drops.is_empty() {
        panels.push(panel(record, "messages dropped (1/s)", drops));
    }
    vec![Chart {
        name: "messages".to_owned(),
        title: "Messages by kind and fate".to_owned(),
        caption: "Messages that all peers together send in a second, by kind, and those that \
                  never arrived, by cause."
            .to_owned(),
        panels,
    }]
}

fn panel(record: &RunRecord, label: &str, lines: Vec<Line>) -> Panel {
    let values = lines
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.1);
    Curves {
        x: Axis::time(end_s(record)),
        y: Axis::from_zero(label, values),
        lines,
        over_time: true,
    }
    .into()
}

/// A line for each of the most frequent kinds, by name, and one for the rest.
fn by_kind(rows: &[MessageRow], intervals: &Intervals) -> Vec<Line> {
    let mut kinds = grouped(rows, |row| &row.kind);
    let total = |rows: &[&MessageRow]| rows.iter().map(|row| row.sent).sum::<u64>();
    kinds.sort_by(|a, b| total(&b.1).cmp(&total(&a.1)).then(a.0.cmp(b.0)));
    let rest = kinds.split_off(kinds.len().min(KINDS));
    kinds.sort_by(|a, b| a.0.cmp(b.0));
    let sent = |row: &MessageRow| row.sent;
    let mut lines: Vec<Line> = kinds
        .into_iter()
        .map(|(kind, rows)| intervals.line(kind, rows.into_iter(), sent))
        .collect();
    if !rest.is_empty() {
        let label = format!("{} other kinds", rest.len());
        let rows = rest.into_iter().flat_map(|(_, rows)| rows);
        lines.push(intervals.line(&label, rows, sent));
    }
    lines
}

/// The intervals that any row has, so that a kind without a row in one of them counts zero; where
/// there are more than a picture shows, neighbours are put together.
struct Intervals {
    spans: Vec<(Seconds, Seconds)>,
    /// The span of each interval, by its start.
    places: BTreeMap<Seconds, usize>,
}

impl Intervals {
    fn of(rows: &[MessageRow]) -> Self {
        let all: BTreeMap<Seconds, Seconds> =
            rows.iter().map(|row| (row.from_s, row.to_s)).collect();
        let together = all.len().div_ceil(STEPS).max(1);
        let starts = all.keys().enumerate();
        let places = starts.map(|(index, from)| (*from, index / together));
        let places = places.collect();
        let all: Vec<(Seconds, Seconds)> = all.into_iter().collect();
        let span = |several: &[(Seconds, Seconds)]| (several[0].0, several[several.len() - 1].1);
        Self {
            spans: all.chunks(together).map(span).collect(),
            places,
        }
    }

    fn line<'a>(
        &self,
        label: &str,
        rows: impl Iterator<Item = &'a MessageRow>,
        count: impl Fn(&MessageRow) -> u64,
    ) -> Line {
        let mut counts = vec![0; self.spans.len()];
        for row in rows {
            counts[self.places[&row.from_s]] += count(row);
        }
        let spans = self.spans.iter().zip(counts);
        let rates = spans.map(|(&(from, to), count)| (from, to, count as f64 / seconds(from, to)));
        Line {
            label: label.to_owned(),
            points: level(rates),
            mark: Mark::Steps,
        }
    }
}
