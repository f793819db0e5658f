//! Where the time of an action goes: out to its effect, and back with the receipt.
//!
//! Must not know whether what was done was allowed.

use std::collections::BTreeMap;

use fedsim_protocols::SimDuration;
use fedsim_protocols::federation::terms::ActionId;
use fedsim_record::{Milliseconds, StepRow};

use crate::checkers::Thinned;
use crate::runner::seconds;
use crate::time::SimTime;

/// Rows kept of each step.
const STEPS: usize = 10_000;

/// The stages of an action, in order.
const STAGES: [&str; 2] = ["phase/to-the-effect", "phase/receipt-back"];

/// An action under way.
struct UnderWay {
    sent: SimTime,
    executed: Option<SimTime>,
}

/// Follows actions from peer to peer.
pub(super) struct Path {
    under_way: BTreeMap<ActionId, UnderWay>,
    stages: [Thinned<StepRow>; STAGES.len()],
    decisions: Thinned<StepRow>,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            under_way: BTreeMap::new(),
            stages: std::array::from_fn(|_| Thinned::new(STEPS)),
            decisions: Thinned::new(STEPS),
        }
    }
}

impl Path {
    pub(super) fn sent(&mut self, at: SimTime, action: ActionId) {
        let executed = None;
        let under_way = UnderWay { sent: at, executed };
        self.under_way.insert(action, under_way);
    }

    pub(super) fn executed(&mut self, at: SimTime, action: ActionId) {
        if let Some(under_way) = self.under_way.get_mut(&action) {
            under_way.executed.get_or_insert(at);
        }
    }

    /// An action ended; only one that was done has a path.
    pub(super) fn ended(&mut self, at: SimTime, action: ActionId, is_done: bool) {
        let under_way = self.under_way.remove(&action).filter(|_| is_done);
        let Some((sent, executed)) = under_way.and_then(|it| Some((it.sent, it.executed?))) else {
            return;
        };
        let spans = [executed.since(sent), at.since(executed)];
        for ((stage, name), span) in self.stages.iter_mut().zip(STAGES).zip(spans) {
            stage.push(|| step(name, at, span));
        }
    }

    pub(super) fn decided(&mut self, at: SimTime, span: SimDuration) {
        self.decisions.push(|| step("decision", at, span));
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
