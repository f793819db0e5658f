//! Time series without a figure of their own: one chart for each.

use fedsim_record::{RunRecord, SampleRow};

use super::{end_s, grouped, trust};
use crate::chart::{Axis, Chart, Curves, Line, Mark};

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let panels = grouped(&record.tables.samples, |row| panel_and_line(row).0);
    let panels = panels.into_iter();
    let panels = panels.filter(|(panel, _)| !trust::PANELS.contains(panel));
    let mut charts: Vec<Chart> = Vec::new();
    for (panel, rows) in panels {
        let name = file_name(panel);
        let taken = charts
            .iter()
            .filter(|chart| chart.title == panel || chart.name == name);
        let name = match taken.count() {
            0 => name,
            before => format!("{name}-{}", before + 1),
        };
        charts.push(chart(record, name, panel, &rows));
    }
    charts
}

/// `panel/line` apart; a name without a slash is a panel with one line.
pub(super) fn panel_and_line(row: &SampleRow) -> (&str, &str) {
    row.series.split_once('/').unwrap_or((&row.series, ""))
}

fn chart(record: &RunRecord, name: String, panel: &str, rows: &[&SampleRow]) -> Chart {
    let lines = grouped(rows, |row| panel_and_line(row).1)
        .into_iter()
        .map(|(label, rows)| Line {
            label: label.to_owned(),
            points: rows
                .into_iter()
                .map(|row| (row.at_s.as_f64(), row.value))
                .collect(),
            mark: Mark::Steps,
        })
        .collect();
    let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
    let unit = rows.first().map_or("", |row| row.unit.as_str());
    let label = match unit {
        "" => panel.to_owned(),
        unit => format!("{panel} ({unit})"),
    };
    let mut title = panel.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Chart {
        name,
        title,
        caption: format!("The recorded samples of {panel} over virtual time."),
        panels: vec![
            Curves {
                x: Axis::time(end_s(record)),
                y: Axis::around(label, &values),
                lines,
                over_time: true,
            }
            .into(),
        ],
    }
}

/// `samples-` and the name with everything but letters and digits as hyphens.
fn file_name(panel: &str) -> String {
    let plain: String = panel
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    format!("samples-{}", plain.trim_matches('-'))
}
