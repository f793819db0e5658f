//! How fast the engine is, against a bare loop over one `BinaryHeap` that passes the same tokens.
//!
//! The engine runs with everything on that a real run has: run digest, network draws, counters,
//! messages of 64 bytes through the real trait and outbox. Each row takes turns between the two and
//! prints medians.

use std::sync::Arc;

use crate::common::figures::{Figures, Reach, Wanted};
use crate::common::tokens::{Tokens, bare_heap};
use crate::common::{median, scenario, timed, turns};
use fedsim_protocols::SimDuration;
use fedsim_sim::engine::{Options, run};

/// One size of the token game.
struct Row {
    tokens: Tokens,
    /// Events to pass, about.
    events: u64,
    figure: &'static str,
    reach: f64,
    two_threads: Option<(&'static str, f64)>,
}

const LOW_NANOS: u64 = 10_000_000;
const HIGH_NANOS: u64 = 100_000_000;

fn rows() -> [Row; 4] {
    let row = |peers, in_flight, events, figure, reach| Row {
        tokens: Tokens { peers, in_flight },
        events,
        figure,
        reach,
        two_threads: None,
    };
    [
        row(4, 8, 3_000_000, "engine_vs_heap_4_8", 0.35),
        row(1_000, 5_000, 4_000_000, "engine_vs_heap_1k_5k", 0.45),
        Row {
            two_threads: Some(("engine_2_threads", 1.6)),
            ..row(1_000, 100_000, 8_000_000, "engine_vs_heap_1k_100k", 1.3)
        },
        row(100_000, 1_000_000, 6_000_000, "engine_vs_heap_100k_1m", 2.5),
    ]
}

/// Millions of events a second of the engine.
fn engine_rate(tokens: &Arc<Tokens>, span: u64, threads: usize) -> f64 {
    let scenario = scenario(tokens.peers, SimDuration::from_nanos(span));
    let options = Options {
        threads,
        ..Options::default()
    };
    let (seconds, outcome) = timed(|| run(&scenario, tokens, &options, &mut ()));
    let outcome = outcome.expect("passing tokens does not panic");
    outcome.counters.events as f64 / seconds / 1e6
}

/// Millions of events a second in one turn.
struct Turn {
    heap: f64,
    one: f64,
    /// Of the engine on two threads, if that is measured.
    two: f64,
}

fn measure(row: Row, figures: &mut Figures) {
    let span = row.events * (LOW_NANOS + HIGH_NANOS) / 2 / u64::from(row.tokens.in_flight);
    let tokens = Arc::new(row.tokens);
    let all = turns(|| {
        let (seconds, events) = timed(|| bare_heap(&tokens, LOW_NANOS, HIGH_NANOS, span));
        let two = row.two_threads.map(|_| engine_rate(&tokens, span, 2));
        Turn {
            heap: events as f64 / seconds / 1e6,
            one: engine_rate(&tokens, span, 1),
            two: two.unwrap_or_default(),
        }
    });
    let middle = |figure: fn(&Turn) -> f64| median(all.iter().map(figure).collect());
    println!(
        "{} peers, {} in flight: heap {:.2} M events/s, engine {:.2} M events/s",
        tokens.peers,
        tokens.in_flight,
        middle(|it| it.heap),
        middle(|it| it.one)
    );
    let ratio = middle(|it| it.one / it.heap);
    figures.add(row.figure, ratio, Reach::AtLeast(row.reach));
    if let Some((figure, reach)) = row.two_threads {
        figures.add(figure, middle(|it| it.two / it.one), Reach::AtLeast(reach));
    }
}

/// Measures the figures whose name contains what was asked for.
pub(crate) fn main(wanted: Wanted<'_>, figures: &mut Figures) {
    let rows = rows().into_iter();
    for row in rows.filter(|row| wanted.includes(row.figure)) {
        measure(row, figures);
    }
}
