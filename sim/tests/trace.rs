//! A trace has every message, and says of each what the counts say of all.

use fedsim_record::{RunRecord, TraceRow};
use fedsim_sim::runner;

use super::support::{options, scenario};

/// Loss, copies, a crash and a cut, all while messages are under way.
const TEXT: &str = "name = \"test\"\nclaim = \"nothing is left out\"\nduration = \"20s\"\n\
    [peers]\ncount = 20\n\
    [network]\nlatency = { uniform = [\"10ms\", \"400ms\"] }\nloss = 0.05\nduplicate = 0.03\n\
    [swim]\nbootstrap = \"full\"\n\
    [[faults]]\nlabel = \"crash\"\nat = \"5s\"\ncrash = \"peer-2\"\n\
    [[faults]]\nlabel = \"cut\"\nat = \"8s\"\nfor = \"3s\"\npartition = \"halves\"\n";

fn traced(threads: usize, trace: bool) -> RunRecord {
    let options = runner::RunOptions {
        threads: Some(threads),
        trace,
        ..options()
    };
    runner::run(&scenario(TEXT), &options).expect("the scenario can be run")
}

fn count(rows: &[TraceRow], fate: &str) -> u64 {
    rows.iter().filter(|row| row.fate == fate).count() as u64
}

#[test]
fn a_trace_agrees_with_the_counts_message_by_message() {
    // Counts and trace are kept apart in the engine; each fate is compared, so a message that is
    // missing, doubled or told wrongly shows in at least one of the sums.
    let record = traced(1, true);
    let rows = &record.tables.trace;
    let messages = &record.tables.messages;
    let sum = |of: fn(&fedsim_record::MessageRow) -> u64| messages.iter().map(of).sum::<u64>();
    let fates = [
        ("delivered", sum(|row| row.delivered)),
        ("loss", sum(|row| row.dropped_loss)),
        ("cut", sum(|row| row.dropped_cut)),
        ("down", sum(|row| row.dropped_down)),
    ];
    for (fate, counted) in fates {
        assert!(counted > 0, "no {fate} in the run: nothing would be proved");
        assert_eq!(count(rows, fate), counted, "{fate}");
    }
    let arrived: u64 = fates.iter().map(|(_, counted)| counted).sum();
    let entered = record.summary.messages.sent + sum(|row| row.duplicated);
    assert_eq!(rows.len() as u64, entered);
    assert_eq!(count(rows, "in flight"), entered - arrived);
    let bytes = |row: &TraceRow| u64::from(row.bytes);
    assert!(rows.iter().map(bytes).sum::<u64>() > record.summary.messages.bytes);
    assert!(rows.is_sorted_by_key(|row| row.sent_s));
    let is_timed = |row: &TraceRow| match row.arrived_s {
        Some(at) => row.fate == "delivered" && at > row.sent_s,
        None => row.fate != "delivered",
    };
    assert!(rows.iter().all(is_timed));
}

#[test]
fn a_trace_is_the_same_on_two_threads_and_changes_nothing() {
    // Rows are compared in order; the digest covers all events of the run without a trace.
    let [one, two, none] = [(1, true), (2, true), (1, false)].map(|(n, trace)| traced(n, trace));
    assert_eq!(one.tables.trace, two.tables.trace);
    assert!(none.tables.trace.is_empty());
    assert_eq!(one.summary.digest, two.summary.digest);
    assert_eq!(one.summary.digest, none.summary.digest);
}
