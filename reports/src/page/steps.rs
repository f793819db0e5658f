//! The table of steps: how long each took over the whole run, and its share of the path.

use std::collections::BTreeMap;

use fedsim_record::RunRecord;
use maud::{Markup, html};

use crate::number::{count, measured};
use crate::statistics::quantile;

/// What the names of phases on the way begin with; other steps are whole paths.
const PHASE: &str = "phase/";

/// All durations of one step, in milliseconds, least first.
struct Step {
    name: String,
    sorted: Vec<f64>,
}

impl Step {
    fn sum(&self) -> f64 {
        self.sorted.iter().sum()
    }

    fn is_phase(&self) -> bool {
        self.name.starts_with(PHASE)
    }
}

/// In order of first appearance.
fn collected(record: &RunRecord) -> Vec<Step> {
    let mut places = BTreeMap::new();
    let mut steps: Vec<Step> = Vec::new();
    for row in &record.tables.steps {
        let place = *places.entry(row.step.as_str()).or_insert(steps.len());
        if place == steps.len() {
            steps.push(Step {
                name: row.step.clone(),
                sorted: Vec::new(),
            });
        }
        steps[place].sorted.push(row.duration_ms.as_f64());
    }
    for step in &mut steps {
        step.sorted.sort_by(f64::total_cmp);
    }
    steps
}

pub(super) fn steps(record: &RunRecord) -> Markup {
    let steps = collected(record);
    let phases = steps.iter().filter(|step| step.is_phase());
    let total: f64 = phases.map(Step::sum).sum();
    html! {
        @if !steps.is_empty() {
            section {
                h2 { "Where the time goes" }
                table.sortable {
                    thead {
                        tr {
                            th { "Step" } th.number { "Recorded" } th.number { "Median (ms)" }
                            th.number { "99th percentile (ms)" } th.number { "Longest (ms)" }
                            th.number { "Share of all phases" }
                        }
                    }
                    tbody { @for one in &steps { (row(one, total)) } }
                }
            }
        }
    }
}

fn row(step: &Step, total: f64) -> Markup {
    let at = |share| quantile(&step.sorted, share).unwrap_or_default();
    let share = 100.0 * step.sum() / total;
    html! {
        tr {
            td { code { (step.name) } }
            td.number { (count(step.sorted.len() as u64)) }
            @for value in [at(0.5), at(0.99), at(1.0)] {
                td.number data-value=(value) { (measured(value)) }
            }
            @if step.is_phase() && total > 0.0 {
                td.number data-value=(share) { (measured(share)) " %" }
            } @else {
                td {}
            }
        }
    }
}
