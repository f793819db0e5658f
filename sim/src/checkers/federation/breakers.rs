//! The states of circuit breakers over time.

use std::collections::BTreeMap;

use fedsim_protocols::{Identity, PeerId};
use fedsim_record::SampleRow;

use crate::checkers::Thinned;
use crate::runner::{WatchReport, seconds};
use crate::time::SimTime;

/// Points kept of all breakers.
const POINTS: usize = 10_000;
/// Breakers that have a line of their own, the first to move first.
const DRAWN: usize = 12;

/// Draws breakers.
pub(super) struct Breakers {
    peers: BTreeMap<Identity, PeerId>,
    names: Vec<String>,
    drawn: BTreeMap<(PeerId, PeerId), f64>,
    points: Thinned<SampleRow>,
}

/// How far up a state is drawn.
fn height(state: &str) -> f64 {
    match state {
        "active" => 0.0,
        "probing" => 0.5,
        "suspended" => 1.0,
        _ => 2.0,
    }
}

impl Breakers {
    /// Of the peers `names`.
    pub(super) fn new(peers: BTreeMap<Identity, PeerId>, names: Vec<String>) -> Self {
        Self {
            peers,
            names,
            drawn: BTreeMap::new(),
            points: Thinned::new(POINTS),
        }
    }

    fn point(&mut self, at: SimTime, (by, of): (PeerId, PeerId), value: f64) {
        let names = &self.names;
        self.points.push(|| SampleRow {
            series: format!("breakers/{} of {}", names[by.index()], names[of.index()]),
            unit: "0 active, 0.5 probing, 1 suspended, 2 evicted".to_owned(),
            at_s: seconds(at),
            value,
        });
    }

    /// The breaker that `by` has for another moved.
    pub(super) fn moved(&mut self, at: SimTime, by: PeerId, of: Identity, from: &str, to: &str) {
        let Some(of) = self.peers.get(&of).copied() else {
            return;
        };
        let pair = (by, of);
        if !self.drawn.contains_key(&pair) {
            if self.drawn.len() >= DRAWN {
                return;
            }
            self.point(SimTime::ZERO, pair, height("active"));
        }
        self.point(at, pair, height(from));
        self.point(at, pair, height(to));
        self.drawn.insert(pair, height(to));
    }

    pub(super) fn finish(&mut self, ended_at: SimTime, report: &mut WatchReport) {
        let last: Vec<_> = self.drawn.iter().map(|(pair, to)| (*pair, *to)).collect();
        for (pair, to) in last {
            self.point(ended_at, pair, to);
        }
        let mut rows = self.points.take();
        rows.sort_by(|a, b| a.series.cmp(&b.series));
        report.tables.samples.append(&mut rows);
    }
}
