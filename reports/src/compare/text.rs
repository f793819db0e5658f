//! A comparison for a terminal: a block a protocol, a line an attack.

use super::{Cell, Comparison, Judged};
use crate::number::measured;
use crate::text::cut;

const NAME: usize = 26;

/// The comparison in at most 80 columns.
pub fn comparison_text(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    for protocol in &comparison.protocols {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let heads = [
            "runs",
            "safe",
            "live",
            "p50 ms",
            "answers/s",
            "p50",
            "answers",
        ];
        lines.push(line(protocol, heads.map(str::to_owned)));
        for attack in &comparison.attacks {
            if let Some(cell) = comparison.cell(attack, protocol) {
                lines.push(row(cell, &comparison.baseline));
                lines.extend(violated(cell));
            }
        }
    }
    lines.push(String::new());
    lines.push(format!(
        "p50 and answers on the right: against `{}` of the same protocol",
        comparison.baseline
    ));
    lines.into_iter().map(|line| line + "\n").collect()
}

fn row(cell: &Cell, baseline: &str) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), measured);
    let is_baseline = cell.attack == baseline;
    let relative = |ratio: Option<f64>, words: fn(f64) -> String| match (is_baseline, ratio) {
        (false, Some(ratio)) => words(ratio),
        (true, _) | (false, None) => "–".to_owned(),
    };
    let cells = [
        cell.runs.to_string(),
        sign(cell.safe).to_owned(),
        sign(cell.live).to_owned(),
        number(cell.latency_p50_ms),
        number(cell.throughput_per_s),
        relative(cell.latency_ratio, times),
        relative(cell.throughput_ratio, change),
    ];
    line(&format!("  {}", cell.attack), cells)
}

fn line(name: &str, cells: [String; 7]) -> String {
    let widths = [5, 5, 5, 9, 11, 9, 9];
    let cells = cells.iter().zip(widths).map(|(cell, width)| {
        let plain = cell.replace('\u{a0}', " ");
        format!("{plain:>width$}")
    });
    let cells: String = cells.collect();
    format!("{:NAME$}{cells}", cut(name, NAME))
        .trim_end()
        .to_owned()
}

fn violated(cell: &Cell) -> Option<String> {
    let names = cell.violated.join(", ");
    (!names.is_empty()).then(|| cut(&format!("    violated: {names}"), 80))
}

pub(super) fn sign(judged: Judged) -> &'static str {
    match judged {
        Judged::Kept => "✓",
        Judged::Broken => "✗",
        Judged::Unknown => "?",
    }
}

/// `×1.80`.
pub(super) fn times(ratio: f64) -> String {
    format!("×{ratio:.2}")
}

/// `-35 %`, `+2 %`.
pub(super) fn change(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    match percent.abs() < 0.5 {
        true => "±0 %".to_owned(),
        false => format!("{percent:+.0} %"),
    }
}
