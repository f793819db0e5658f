//! Where the time of an action goes: the session that it waits for, out to its effect, and
//! back with the receipt.
//!
//! Must not know whether what was done was allowed.

use std::collections::BTreeMap;

use fedsim_protocols::SimDuration;
use fedsim_protocols::federation::terms::ActionId;
use fedsim_record::{Milliseconds, StepRow};

use crate::checkers::{Survival, Thinned};
use crate::runner::{WatchReport, seconds};
use crate::time::SimTime;

/// Rows kept of each step.
const STEPS: usize = 10_000;

/// The stages of an action, in order.
const STAGES: [&str; 3] = [
    "phase/handshake",
    "phase/to-the-effect",
    "phase/receipt-back",
];

/// An action under way.
#[derive(Clone, Copy)]
struct UnderWay {
    sent: SimTime,
    left: Option<SimTime>,
    sealed: Option<SimTime>,
    executed: Option<SimTime>,
}

impl UnderWay {
    /// How long it waited for its session; nothing if there are none.
    fn handshake(&self) -> Option<SimDuration> {
        Some(self.sealed?.since(self.left?))
    }
}

/// Follows actions from peer to peer.
pub(super) struct Path {
    under_way: BTreeMap<ActionId, UnderWay>,
    stages: [Thinned<StepRow>; STAGES.len()],
    decisions: Thinned<StepRow>,
    /// Whole spans of actions that found a session open.
    hot: Survival,
    /// And of those that waited for one.
    cold: Survival,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            under_way: BTreeMap::new(),
            stages: std::array::from_fn(|_| Thinned::new(STEPS)),
            decisions: Thinned::new(STEPS),
            hot: Survival::default(),
            cold: Survival::default(),
        }
    }
}

impl Path {
    pub(super) const METRICS: &'static [&'static str] = &[
        "actions_hot",
        "actions_cold",
        "action_hot_p50_ms",
        "action_cold_p50_ms",
    ];

    pub(super) fn sent(&mut self, at: SimTime, action: ActionId) {
        let under_way = UnderWay {
            sent: at,
            left: None,
            sealed: None,
            executed: None,
        };
        self.under_way.insert(action, under_way);
    }

    pub(super) fn left(&mut self, at: SimTime, action: ActionId) {
        if let Some(under_way) = self.under_way.get_mut(&action) {
            under_way.left.get_or_insert(at);
        }
    }

    /// An action entered a session that is open.
    pub(super) fn sealed(&mut self, at: SimTime, action: ActionId) {
        if let Some(under_way) = self.under_way.get_mut(&action) {
            under_way.sealed.get_or_insert(at);
        }
    }

    pub(super) fn executed(&mut self, at: SimTime, action: ActionId) {
        if let Some(under_way) = self.under_way.get_mut(&action) {
            under_way.executed.get_or_insert(at);
        }
    }

    /// An action ended; only one that was done has a path.
    pub(super) fn ended(&mut self, at: SimTime, action: ActionId, is_done: bool) {
        let under_way = self.under_way.remove(&action).filter(|_| is_done);
        let Some((under_way, executed)) = under_way.and_then(|it| Some((it, it.executed?))) else {
            return;
        };
        let handshake = under_way
            .handshake()
            .filter(|wait| *wait <= executed.since(under_way.sent));
        if let Some(wait) = handshake {
            let whole = at.since(under_way.sent);
            match wait == SimDuration::ZERO {
                true => self.hot.complete(whole),
                false => self.cold.complete(whole),
            }
        }
        let wait = handshake.unwrap_or_default();
        let out = executed.since(under_way.sent + wait);
        let waited = handshake.filter(|wait| *wait > SimDuration::ZERO);
        let spans = [waited, Some(out), Some(at.since(executed))];
        for ((stage, name), span) in self.stages.iter_mut().zip(STAGES).zip(spans) {
            if let Some(span) = span {
                stage.push(|| step(name, at, span));
            }
        }
    }

    pub(super) fn decided(&mut self, at: SimTime, span: SimDuration) {
        self.decisions.push(|| step("decision", at, span));
    }

    /// How long actions took that found a session open, and those that did not; nothing without
    /// sessions.
    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        let spans = [
            std::mem::take(&mut self.hot),
            std::mem::take(&mut self.cold),
        ];
        let completed = spans.each_ref().map(Survival::completed);
        if completed == [0, 0] {
            return;
        }
        let halves = spans.map(|spans| spans.estimate().quantile_ms(0.5));
        for (name, count) in Self::METRICS.iter().zip(completed) {
            report.metric(name, count as f64);
        }
        for (name, half) in Self::METRICS[2..].iter().zip(halves) {
            report.metric(name, half);
        }
    }

    pub(super) fn take(&mut self) -> Vec<StepRow> {
        let mut steps = self.decisions.take();
        for stage in &mut self.stages {
            steps.append(&mut stage.take());
        }
        steps
    }
}

fn step(name: &str, at: SimTime, span: SimDuration) -> StepRow {
    StepRow {
        step: name.to_owned(),
        at_s: seconds(at),
        duration_ms: Milliseconds::from_nanos(span.as_nanos()),
    }
}
