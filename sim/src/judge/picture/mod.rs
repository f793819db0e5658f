//! Why a history failed, to look at: [`svg()`] for a file, [`text()`] for a terminal.
//!
//! Both show the end of the smallest prefix that has no linearization: one
//! column an event (not to scale in time, so that overlaps stay visible), one
//! bar an operation. Must not know how the verdict came about.

mod svg;
mod text;

use std::collections::BTreeMap;

use super::history::{Edge, History, OperationId, Outcome};
use super::stuck::Stuck;

pub use svg::svg;
pub use text::text;

/// What became of an operation in the longest linearization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It stands at this place of the order, counted from one.
    Placed(usize),
    /// Its return ends the prefix, and it fits nowhere.
    Stuck,
    /// Still under way and not needed, or of no help.
    UnderWay,
}

/// One operation as a bar over columns.
#[derive(Debug)]
struct Bar {
    id: OperationId,
    fate: Fate,
    /// Column of the invocation; 0 also if it was before the first column.
    from: usize,
    /// Column of the return; `None` if it had not returned by the end.
    to: Option<usize>,
    process: u64,
    label: String,
}

/// The bars of a picture, by invocation.
#[derive(Debug)]
struct Layout {
    bars: Vec<Bar>,
    columns: usize,
    /// Earlier operations of the prefix that are not shown.
    hidden: usize,
}

impl Layout {
    /// Lays out at most `operations_max` operations, those nearest to the end.
    fn new(history: &History, stuck: &Stuck, operations_max: usize) -> Self {
        let fates = fates(stuck);
        let shown = shown_operations(history, stuck, &fates, operations_max);
        let columns = columns(history, stuck, &shown);
        let bars: Vec<Bar> = shown
            .iter()
            .map(|&id| bar(history, &fates, &columns, id))
            .collect();
        Self {
            hidden: stuck.prefix.len() - bars.len(),
            bars,
            columns: columns.len(),
        }
    }
}

fn fates(stuck: &Stuck) -> BTreeMap<OperationId, Fate> {
    let placed = stuck.linearized.iter().zip(1..);
    let mut fates: BTreeMap<OperationId, Fate> = placed
        .map(|((id, _), place)| (*id, Fate::Placed(place)))
        .collect();
    fates.insert(stuck.ended_by, Fate::Stuck);
    fates
}

fn fate_of(fates: &BTreeMap<OperationId, Fate>, id: OperationId) -> Fate {
    fates.get(&id).copied().unwrap_or(Fate::UnderWay)
}

/// The last operations of the order, the stuck one, and the latest of those
/// still under way, all by invocation.
fn shown_operations(
    history: &History,
    stuck: &Stuck,
    fates: &BTreeMap<OperationId, Fate>,
    operations_max: usize,
) -> Vec<OperationId> {
    let rank = |id: &OperationId| match fate_of(fates, *id) {
        Fate::Stuck => (1, 0),
        Fate::Placed(place) => (0, place),
        Fate::UnderWay => (0, stuck.linearized.len()),
    };
    let happened =
        |&index: &usize| history.operation(stuck.prefix[index]).outcome != Outcome::Failed;
    let mut order: Vec<usize> = (0..stuck.prefix.len()).filter(happened).collect();
    order.sort_by_key(|&index| std::cmp::Reverse((rank(&stuck.prefix[index]), index)));
    order.truncate(operations_max);
    order.sort_unstable();
    order.into_iter().map(|index| stuck.prefix[index]).collect()
}

/// The column of every event of the shown operations within the prefix.
fn columns(
    history: &History,
    stuck: &Stuck,
    shown: &[OperationId],
) -> BTreeMap<(OperationId, bool), usize> {
    let mut shown = shown.to_vec();
    shown.sort_unstable();
    let events = history.events()[..=stuck.ends_at].iter();
    events
        .filter(|event| shown.binary_search(&event.operation).is_ok())
        .enumerate()
        .map(|(column, event)| ((event.operation, event.edge == Edge::Returned), column))
        .collect()
}

fn bar(
    history: &History,
    fates: &BTreeMap<OperationId, Fate>,
    columns: &BTreeMap<(OperationId, bool), usize>,
    id: OperationId,
) -> Bar {
    let operation = history.operation(id);
    let returned = columns.get(&(id, true)).copied();
    let is_bounded = super::compile::is_definite(&operation.outcome);
    let label = match returned.is_some() && is_bounded {
        true => operation.to_string(),
        false => format!("{} ?", operation.call),
    };
    Bar {
        id,
        fate: fate_of(fates, id),
        from: columns.get(&(id, false)).copied().unwrap_or(0),
        to: returned.filter(|_| is_bounded),
        process: operation.process,
        label,
    }
}

/// At most `chars_max` characters of a text, an ellipsis for its middle: operations begin with what
/// is done, and values often differ at their ends alone.
fn shortened(text: &str, chars_max: usize) -> String {
    let length = text.chars().count();
    if length <= chars_max {
        return text.to_owned();
    }
    let kept = chars_max.saturating_sub(1);
    let tail = kept / 2;
    let head = text.chars().take(kept - tail);
    head.chain(['…'])
        .chain(text.chars().skip(length - tail))
        .collect()
}

/// The values the object may have held, in words.
fn held_in_words(stuck: &Stuck) -> String {
    const VALUES_MAX: usize = 4;
    let shown = stuck.held.iter().take(VALUES_MAX);
    let values: Vec<String> = shown
        .map(|value| shortened(&value.to_string(), 60))
        .collect();
    let others = match stuck.held.len() > VALUES_MAX {
        true => " or others",
        false => "",
    };
    format!("it may have held {}{others} then", values.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_text_keeps_both_ends() {
        // Padded values of one workload differ in their last characters; no bound may be exceeded.
        assert_eq!(shortened("write \"-----1.50\"", 9), "writ….50\"");
        assert_eq!(shortened("read", 4), "read");
        for most in 0..9 {
            assert!(shortened("write \"1\"", most).chars().count() <= most.max(1));
        }
    }
}
