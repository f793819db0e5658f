//! What each peer is from when to when, as spans.

use fedsim_protocols::PeerId;
use fedsim_record::{Seconds, TimelineRow};

use crate::time::SimTime;

/// Spans kept of a run; those that begin later are counted.
const SPANS: usize = 50_000;

/// One timeline while the run goes on. Memory stays bounded.
pub(crate) struct Timeline {
    name: &'static str,
    open: Vec<Option<Span>>,
    spans: Vec<(PeerId, Span, SimTime)>,
    left_out: u64,
}

/// A state that has not ended.
#[derive(Clone, Copy)]
struct Span {
    from: SimTime,
    state: &'static str,
    number: Option<u64>,
}

impl Timeline {
    /// A timeline of so many peers, none of which is anything yet.
    pub(crate) fn new(name: &'static str, peers: usize) -> Self {
        Self {
            name,
            open: vec![None; peers],
            spans: Vec::new(),
            left_out: 0,
        }
    }

    /// From `at` on `peer` is `state`, in the term or view `number`.
    pub(crate) fn set(
        &mut self,
        at: SimTime,
        peer: PeerId,
        state: &'static str,
        number: Option<u64>,
    ) {
        let place = &mut self.open[peer.index()];
        if place.is_some_and(|open| (open.state, open.number) == (state, number)) {
            return;
        }
        let next = Span {
            from: at,
            state,
            number,
        };
        if let Some(ended) = place.replace(next) {
            self.keep(peer, ended, at);
        }
    }

    fn keep(&mut self, peer: PeerId, span: Span, to: SimTime) {
        if to <= span.from {
            return;
        }
        match self.spans.len() < SPANS {
            true => self.spans.push((peer, span, to)),
            false => self.left_out += 1,
        }
    }

    /// The rows of the run, which ended at `end`; a remark if some were left out.
    pub(crate) fn finish(
        &mut self,
        end: SimTime,
        names: &[String],
    ) -> (Vec<TimelineRow>, Option<String>) {
        for (slot, open) in (0..).zip(std::mem::take(&mut self.open)) {
            if let Some(span) = open {
                self.keep(PeerId(slot), span, end);
            }
        }
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_by_key(|(peer, span, _)| (*peer, span.from));
        let rows = spans.iter().map(|(peer, span, to)| TimelineRow {
            timeline: self.name.to_owned(),
            peer: peer.0,
            nickname: names[peer.index()].clone(),
            from_s: Seconds::from_nanos(span.from.as_nanos()),
            to_s: Seconds::from_nanos(to.as_nanos()),
            state: span.state.to_owned(),
            number: span.number,
        });
        let note = (self.left_out > 0).then(|| {
            let (left_out, name) = (self.left_out, self.name);
            format!("{left_out} more spans of {name} are not in the table of timelines")
        });
        (rows.collect(), note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64) -> SimTime {
        SimTime::from_nanos(at * 1_000_000_000)
    }

    #[test]
    fn spans_follow_each_other_without_gap_and_end_with_the_run() {
        // Peer 1 is told the same twice, which ends nothing, and two things at once, of which the
        // first lasted no time; peer 0 never is anything.
        let mut timeline = Timeline::new("leadership", 2);
        timeline.set(second(1), PeerId(1), "follower", Some(0));
        timeline.set(second(2), PeerId(1), "follower", Some(0));
        timeline.set(second(3), PeerId(1), "candidate", Some(1));
        timeline.set(second(3), PeerId(1), "leader", Some(1));
        let names = ["a", "b"].map(str::to_owned);
        let (rows, note) = timeline.finish(second(9), &names);
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let times = [row.from_s, row.to_s].map(|at| at.as_nanos() / 1_000_000_000);
                (row.nickname.as_str(), row.state.as_str(), row.number, times)
            })
            .collect();
        let expected = [
            ("b", "follower", Some(0), [1, 3]),
            ("b", "leader", Some(1), [3, 9]),
        ];
        assert_eq!((told.as_slice(), note), (expected.as_slice(), None));
    }

    #[test]
    fn a_restless_peer_does_not_fill_the_memory() {
        // Twice as many changes as are kept: the rest is counted, none is lost without a word.
        let mut timeline = Timeline::new("leadership", 1);
        for at in 0..=2 * SPANS as u64 {
            let state = if at % 2 == 0 { "follower" } else { "candidate" };
            timeline.set(second(at), PeerId(0), state, None);
        }
        let (rows, note) = timeline.finish(second(u64::from(u32::MAX)), &["a".to_owned()]);
        assert_eq!(rows.len(), SPANS);
        assert!(note.unwrap().starts_with(&format!("{} more", SPANS + 1)));
    }
}
