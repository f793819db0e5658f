//! What became of the audit logs: which hold, how far, and who changed what.

use fedsim_record::{AuditRow, RunRecord};
use maud::{Markup, html};

use crate::number::count;

/// Logs that stand on the page without being asked for.
const LOGS_OPEN: usize = 20;

pub(super) fn audit(record: &RunRecord) -> Markup {
    let rows = &record.tables.audit;
    let table = html! {
        table.sortable {
            thead {
                tr {
                    th { "Log of" } th.number { "Records" } th.number { "Proven to" }
                    th.number { "Pending" } th { "Finding" } th { "Culprit" }
                }
            }
            tbody { @for row in rows { (log(row)) } }
        }
    };
    html! {
        @if !rows.is_empty() {
            section #audit {
                h2 { "Audit" }
                p { (verdict(rows)) }
                @if rows.len() > LOGS_OPEN {
                    details { summary { "All " (rows.len()) " rows" } (table) }
                } @else {
                    (table)
                }
            }
        }
    }
}

/// The whole in a sentence.
fn verdict(rows: &[AuditRow]) -> String {
    let wrong: Vec<&AuditRow> = rows.iter().filter(|row| !row.problem.is_empty()).collect();
    let mut culprits: Vec<&str> = wrong.iter().map(|row| row.culprit.as_str()).collect();
    culprits.retain(|culprit| !culprit.is_empty());
    let attributed = culprits.len();
    culprits.dedup();
    match (wrong.len(), culprits.is_empty()) {
        (0, _) => "All logs hold: each chain is whole, agrees with every head that its owner \
                   signed, and says of every action how it ended."
            .to_owned(),
        (found, true) => format!("{found} findings, none of which can be attributed."),
        (found, false) => format!(
            "{found} findings, {attributed} of them proven to be the doing of {}.",
            culprits.join(", ")
        ),
    }
}

fn log(row: &AuditRow) -> Markup {
    let (class, sign) = match (row.problem.is_empty(), row.culprit.is_empty()) {
        (true, _) => ("state good", "✓ holds"),
        (false, false) => ("state bad", "✗"),
        (false, true) => ("state open", "?"),
    };
    html! {
        tr {
            td { (row.peer) }
            td.number data-value=(row.records) { (count(row.records)) }
            td.number data-value=(row.proven_to) { (count(row.proven_to)) }
            td.number data-value=(row.pending) { (count(row.pending)) }
            td class=(class) { (sign) " " (row.problem) }
            td {
                @if !row.culprit.is_empty() { (row.culprit) }
                @else if !row.problem.is_empty() { "unattributable" }
            }
        }
    }
}
