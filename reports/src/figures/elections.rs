//! How long nobody led, and how many terms it took until somebody did.

use std::collections::BTreeMap;

use fedsim_record::{ElectionRow, RunRecord};

use super::durations::{distribution_panel, in_words};
use crate::chart::{Axis, Chart, Curves, Line, Mark, Scale};
use crate::statistics::Observation;

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let rows = &record.tables.elections;
    downtime(rows).into_iter().chain(terms(rows)).collect()
}

fn downtime(rows: &[ElectionRow]) -> Option<Chart> {
    let observed = |row: &ElectionRow| {
        row.downtime_ms.map(|downtime| Observation {
            value: downtime.as_f64(),
            censored: row.censored,
        })
    };
    let observations: Vec<Observation> = rows.iter().filter_map(observed).collect();
    (!observations.is_empty()).then(|| Chart {
        name: "election-downtime".to_owned(),
        title: "Election downtime".to_owned(),
        caption: format!(
            "Time from the loss of a leader, or of its quorum, to the majority of the next: {}.",
            in_words(&observations)
        ),
        panels: vec![distribution_panel(
            "time without a leader",
            &[(String::new(), observations)],
        )],
    })
}

fn terms(rows: &[ElectionRow]) -> Option<Chart> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for terms in rows.iter().filter_map(|row| row.terms) {
        *counts.entry(terms).or_default() += 1;
    }
    let elections: u64 = counts.values().sum();
    let points: Vec<(f64, f64)> = counts
        .iter()
        .map(|(terms, count)| (*terms as f64, *count as f64))
        .collect();
    (elections > 0).then(|| Chart {
        name: "terms-per-election".to_owned(),
        title: "Terms per election".to_owned(),
        caption: format!(
            "Terms that went by from one leader to the next, in {elections} elections; more than \
             one are split votes and candidates that nobody could elect."
        ),
        panels: vec![
            Curves {
                x: Axis::counting("terms", points.iter().map(|point| point.0)),
                y: Axis {
                    scale: Scale::Whole,
                    ..Axis::from_zero("elections", points.iter().map(|point| point.1))
                },
                lines: vec![Line {
                    label: String::new(),
                    points,
                    mark: Mark::Bars,
                }],
                over_time: false,
            }
            .into(),
        ],
    })
}
