//! The page of a comparison, and its pictures.

use maud::{Markup, html};

use super::text::{change, sign, times};
use super::{Cell, Comparison, Judged, Source};
use crate::ReportError;
use crate::chart::Chart;
use crate::figures::durations::{distribution_panel, in_words};
use crate::number::measured;
use crate::page::{document, figures};
use crate::picture::{Picture, drawn};
use crate::statistics::Observation;
use crate::verdict::verdict_sign;

/// Curves of one picture beside the baseline's: as many as there are colours.
const CURVES: usize = 6;

/// Latencies of every attack beside the baseline's, a picture or more a protocol.
pub(super) fn pictures(comparison: &Comparison) -> Result<Vec<Picture>, ReportError> {
    let charts = comparison
        .protocols
        .iter()
        .flat_map(|protocol| charts(comparison, protocol));
    drawn(charts.collect(), &[])
}

fn charts(comparison: &Comparison, protocol: &str) -> Vec<Chart> {
    let seen = |attack: &&String| {
        let cell = comparison.cell(attack, protocol);
        cell.is_some_and(|cell| !cell.latencies.is_empty())
    };
    let attacks: Vec<&String> = comparison.attacks.iter().filter(seen).collect();
    let (base, others): (Vec<&String>, Vec<&String>) = attacks
        .into_iter()
        .partition(|attack| **attack == comparison.baseline);
    let mut groups: Vec<Vec<&String>> = others.chunks(CURVES).map(<[_]>::to_vec).collect();
    if groups.is_empty() && !base.is_empty() {
        groups.push(Vec::new());
    }
    let chart = |(place, group): (usize, Vec<&String>)| {
        let attacks = base.iter().copied().chain(group);
        let sets: Vec<(String, Vec<Observation>)> = attacks
            .filter_map(|attack| {
                let cell = comparison.cell(attack, protocol)?;
                Some((attack.clone(), cell.latencies.clone()))
            })
            .collect();
        let words = sets
            .iter()
            .map(|(attack, all)| format!("{attack}: {}", in_words(all)));
        let words: Vec<String> = words.collect();
        let name = format!("decision-latency-{protocol}");
        Chart {
            name: match place {
                0 => name,
                more => format!("{name}-{}", more + 1),
            },
            title: format!("Decision latency of {protocol}"),
            caption: format!(
                "Time from a client's request to its answer, with and without each attack. {}.",
                words.join("; ")
            ),
            panels: vec![distribution_panel("latency", &sets)],
        }
    };
    groups.into_iter().enumerate().map(chart).collect()
}

pub(super) fn page(comparison: &Comparison, pictures: &[Picture]) -> String {
    let body = html! {
        header.compared {
            div.kind { "fedsim comparison" }
            h1 { "Attacks and protocols" }
            p.claim {
                (comparison.cells.iter().map(|cell| cell.runs).sum::<u64>()) " runs; every attack "
                "against " code { (comparison.baseline) } " of the same protocol."
            }
        }
        (matrix(comparison))
        (figures(pictures))
        (sources(&comparison.sources))
    };
    document("fedsim comparison", &body)
}

fn matrix(comparison: &Comparison) -> Markup {
    html! {
        section {
            h2 { "What each attack does to each protocol" }
            table.matrix {
                thead {
                    tr {
                        th { "Attack" }
                        @for protocol in &comparison.protocols { th { (protocol) } }
                    }
                }
                tbody {
                    @for attack in &comparison.attacks {
                        tr {
                            td { code { (attack) } }
                            @for protocol in &comparison.protocols {
                                (matrix_cell(comparison, comparison.cell(attack, protocol)))
                            }
                        }
                    }
                }
            }
            p.kind {
                "Safe: nothing happened that never may. Live: what must happen did in time. "
                "? means that no run says so. p50: median time from request to answer."
            }
        }
    }
}

fn matrix_cell(comparison: &Comparison, cell: Option<&Cell>) -> Markup {
    let Some(cell) = cell else {
        return html! { td.absent { "not run" } };
    };
    html! {
        td {
            p.state {
                span class=(class(cell.safe)) {
                    (sign(cell.safe)) @if cell.safe == Judged::Broken { " unsafe" } @else { " safe" }
                }
                " "
                span class=(class(cell.live)) {
                    (sign(cell.live)) @if cell.live == Judged::Broken { " not live" } @else { " live" }
                }
            }
            @if let (Some(p50), Some(rate)) = (cell.latency_p50_ms, cell.throughput_per_s) {
                p { "p50 " (measured(p50)) " ms, " (measured(rate)) " answers/s" }
            } @else if let Some(rate) = cell.throughput_per_s {
                p { "most requests unanswered, " (measured(rate)) " answers/s" }
            }
            (degradation(cell, &comparison.baseline))
            @for name in &cell.violated { p.bad { code { (name) } } }
            @if cell.runs > 1 { p.kind { (cell.runs) " runs" } }
        }
    }
}

fn degradation(cell: &Cell, baseline: &str) -> Markup {
    let is_baseline = cell.attack == baseline;
    html! {
        @if is_baseline {
            p.kind { "the baseline" }
        } @else if let Some(throughput) = cell.throughput_ratio {
            p.kind {
                @if let Some(latency) = cell.latency_ratio { "latency " (times(latency)) ", " }
                "answers " (change(throughput))
            }
        }
    }
}

fn class(judged: Judged) -> &'static str {
    match judged {
        Judged::Kept => "good",
        Judged::Broken => "bad",
        Judged::Unknown => "open",
    }
}

fn sources(sources: &[Source]) -> Markup {
    html! {
        section {
            h2 { "Runs" }
            table.sortable {
                thead {
                    tr {
                        th { "Attack" } th { "Protocol" } th { "Scenario" } th.number { "Runs" }
                        th { "Verdict" } th { "Claim" } th { "Directory" }
                    }
                }
                tbody {
                    @for source in sources {
                        tr {
                            td { (source.attack) }
                            td { (source.protocol) }
                            td { code { (source.scenario) } }
                            td.number { (source.runs) }
                            td { (verdict_sign(source.verdict)) " " (source.verdict.word()) }
                            td { (source.claim) }
                            td { code { (source.directory.display()) } }
                        }
                    }
                }
            }
        }
    }
}
