//! The tables of the report page.

use std::collections::BTreeMap;

use fedsim_record::{Expectation, FaultRow, Holds, Invariant, RunRecord, Summary, Violation};
use maud::{Markup, html};

use crate::bands::when;
use crate::number::{count, measured, trim_zeros};
use crate::verdict::holds_sign;

/// The metrics that count what was decided.
const DECISIONS: [&str; 2] = ["batches_decided", "committed_entries"];

/// Faults that stand on the page without being asked for.
const FAULTS_OPEN: usize = 20;

/// Events that the page lists; the file has them all.
const EVENTS_SHOWN: usize = 200;

pub(super) fn invariants(summary: &Summary) -> Markup {
    html! {
        @if !summary.invariants.is_empty() {
            section {
                h2 { "Invariants" }
                table.sortable {
                    thead { tr { th { "Invariant" } th { "Finding" } th { "First violation" } } }
                    tbody { @for one in &summary.invariants { (invariant(one)) } }
                }
            }
        }
    }
}

fn invariant(invariant: &Invariant) -> Markup {
    html! {
        tr {
            td { code { (invariant.name) } }
            td class={ "state " (holds_class(invariant.holds)) } {
                (holds_sign(invariant.holds)) " " (invariant.holds.words())
            }
            td { @if let Some(violation) = &invariant.first_violation { (first_violation(violation)) } }
        }
    }
}

fn holds_class(holds: Holds) -> &'static str {
    match holds {
        Holds::Holds => "good",
        Holds::Violated => "bad",
        Holds::AssumptionBroken | Holds::NeverExercised => "open",
    }
}

fn first_violation(violation: &Violation) -> Markup {
    html! {
        p { (violation.message) }
        p.kind { "at " (trim_zeros(&violation.at_s.to_string())) " s, peers: " (violation.peers.join(", ")) }
        @if !violation.events.is_empty() {
            details {
                summary { "The " (violation.events.len()) " events that led to it" }
                pre { code { @for event in &violation.events { (event) "\n" } } }
            }
        }
    }
}

pub(crate) fn expectations(expectations: &[Expectation]) -> Markup {
    html! {
        @if !expectations.is_empty() {
            section {
                h2 { "Expectations" }
                table.sortable {
                    thead { tr { th { "Expectation" } th { "Met" } th { "Wanted" } th { "Got" } } }
                    tbody { @for one in expectations { (expectation(one)) } }
                }
            }
        }
    }
}

fn expectation(expectation: &Expectation) -> Markup {
    let (class, words) = match expectation.met {
        true => ("state good", "✓ met"),
        false => ("state bad", "✗ missed"),
    };
    html! {
        tr {
            td { code { (expectation.name) } }
            td class=(class) { (words) }
            td { (expectation.wanted) }
            td { (expectation.got) }
        }
    }
}

pub(super) fn notes(summary: &Summary) -> Markup {
    html! {
        @if !summary.notes.is_empty() {
            section {
                h2 { "Notes" }
                ul { @for note in &summary.notes { li { (note) } } }
            }
        }
    }
}

pub(super) fn faults(record: &RunRecord) -> Markup {
    let faults = &record.tables.faults;
    let table = html! {
        table.sortable {
            thead {
                tr {
                    th.number { "No." } th { "Fault" } th { "Kind" } th { "When" }
                    th { "Peers" } th.number { "Took effect" }
                }
            }
            tbody { @for row in faults { (fault(row)) } }
        }
    };
    html! {
        @if !faults.is_empty() {
            section #faults {
                h2 { "Faults" }
                @if faults.len() > FAULTS_OPEN {
                    details { summary { "All " (faults.len()) " faults" } (table) }
                } @else {
                    (table)
                }
            }
        }
    }
}

fn fault(row: &FaultRow) -> Markup {
    html! {
        tr {
            td.number { (row.number) }
            td { (row.label) }
            td { (row.kind) }
            td data-value=(row.from_s) { (when(row)) }
            td { (row.peers) }
            td.number data-value=(row.took_effect) {
                @if row.took_effect == 0 { span.bad { "never" } } @else { (count(row.took_effect)) }
            }
        }
    }
}

pub(super) fn metrics(summary: &Summary) -> Markup {
    html! {
        @if !summary.metrics.is_empty() {
            section {
                h2 { "Metrics" }
                table.sortable {
                    thead { tr { th { "Metric" } th.number { "Value" } } }
                    tbody {
                        @for (name, value) in &summary.metrics {
                            tr {
                                td { code { (name) } }
                                td.number data-value=(value) { (measured(*value)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Messages and bytes by kind over the whole run, and for each decision where anything decides.
pub(super) fn messages(record: &RunRecord) -> Markup {
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for row in &record.tables.messages {
        let (sent, bytes) = kinds.entry(&row.kind).or_default();
        *sent += row.sent;
        *bytes += row.bytes;
    }
    let metrics = &record.summary.metrics;
    let decisions = DECISIONS.iter().find_map(|name| metrics.get(*name));
    let decisions = decisions.copied().filter(|decisions| *decisions > 0.0);
    html! {
        @if !kinds.is_empty() {
            section {
                h2 { "Messages by kind" }
                table.sortable {
                    thead {
                        tr {
                            th { "Kind" } th.number { "Sent" } th.number { "Bytes" }
                            @if decisions.is_some() {
                                th.number { "Sent a decision" } th.number { "Bytes a decision" }
                            }
                        }
                    }
                    tbody {
                        @for (kind, (sent, bytes)) in &kinds {
                            tr {
                                td { code { (kind) } }
                                (number(*sent as f64)) (number(*bytes as f64))
                                @if let Some(decisions) = decisions {
                                    (number(*sent as f64 / decisions))
                                    (number(*bytes as f64 / decisions))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn number(value: f64) -> Markup {
    html! { td.number data-value=(value) { (measured(value)) } }
}

pub(super) fn events(record: &RunRecord) -> Markup {
    let events = &record.tables.events;
    let heading = match events.len() > EVENTS_SHOWN {
        true => format!("the first {EVENTS_SHOWN} of {}", count(events.len() as u64)),
        false => format!("all {}", events.len()),
    };
    html! {
        @if !events.is_empty() {
            section {
                h2 { "Events" }
                details {
                    summary { "Events of interest, " (heading) }
                    table.sortable {
                        thead { tr { th.number { "Time (s)" } th { "Peer" } th { "Event" } th { "Detail" } } }
                        tbody {
                            @for row in events.iter().take(EVENTS_SHOWN) {
                                tr {
                                    td.number { (row.at_s) }
                                    td { (row.nickname) }
                                    td { code { (row.event) } }
                                    td { (row.detail) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn peers(record: &RunRecord) -> Markup {
    let peers = &record.tables.peers;
    html! {
        @if !peers.is_empty() && peers.len() <= EVENTS_SHOWN {
            section {
                h2 { "Peers" }
                details {
                    summary { "All " (peers.len()) " peers" }
                    table.sortable {
                        thead {
                            tr {
                                th.number { "Slot" } th { "Nickname" } th { "Organisation" }
                                th { "Region" } th { "Identity" }
                            }
                        }
                        tbody {
                            @for row in peers {
                                tr {
                                    td.number { (row.peer) }
                                    td { (row.nickname) }
                                    td { (row.organisation) }
                                    td { (row.region) }
                                    td { code { (row.identity.get(..16).unwrap_or(&row.identity)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
