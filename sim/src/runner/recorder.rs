//! Records what every run has, whatever its protocol: events of interest, requests, who was up.
//!
//! Memory stays bounded on runs of any length: of each kind of event and of requests the first ones
//! are kept and the rest is counted. Must not know protocols.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::{Event, PeerId, Protocol, RequestId};
use fedsim_record::{EventRow, LatencyRow, Milliseconds, Outcome, Seconds};

use super::watch::Watch;
use crate::engine::{Happened, MessageTrace, Notice, Observer, TraceEntry, World};
use crate::time::SimTime;

/// Rows kept of one kind of event.
const EVENTS_KEPT: u64 = 500;
/// Rows kept of requests.
const REQUESTS_KEPT: u64 = 200_000;

/// One run's generic tables while it goes on, in front of the watch of its protocol.
pub(super) struct Recorder<W> {
    pub(super) watch: W,
    pub(super) events: Vec<EventRow>,
    pub(super) kinds: BTreeMap<&'static str, u64>,
    pub(super) latency: Vec<LatencyRow>,
    pub(super) ups: Ups,
    pub(super) requests: u64,
    /// Every message; none unless the engine tells of them.
    pub(super) messages: Vec<MessageTrace>,
    protocol: &'static str,
    pending: BTreeMap<RequestId, (SimTime, &'static str)>,
    /// Peers that do not keep to the protocol.
    byzantine: BTreeSet<PeerId>,
}

impl<W> Recorder<W> {
    pub(super) fn new(watch: W, protocol: &'static str, byzantine: BTreeSet<PeerId>) -> Self {
        Self {
            watch,
            events: Vec::new(),
            kinds: BTreeMap::new(),
            latency: Vec::new(),
            ups: Ups::default(),
            requests: 0,
            messages: Vec::new(),
            protocol,
            pending: BTreeMap::new(),
            byzantine,
        }
    }

    /// Kinds of event of which not all rows were kept: name and how many are missing.
    pub(super) fn left_out(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let missing = |count: u64| count.saturating_sub(EVENTS_KEPT);
        let kinds = self
            .kinds
            .iter()
            .map(move |(name, count)| (*name, missing(*count)));
        kinds.filter(|(_, missing)| *missing > 0)
    }

    /// Closes the requests that nobody answered.
    pub(super) fn close(&mut self, end: SimTime) {
        for (_, (at, operation)) in std::mem::take(&mut self.pending) {
            self.latency_row(at, None, end, operation, Outcome::Unanswered);
        }
        self.latency.sort_by_key(|row| row.invoked_s);
    }

    fn event_row(
        &mut self,
        at: SimTime,
        peer: PeerId,
        name: &'static str,
        detail: impl FnOnce() -> String,
    ) {
        let count = self.kinds.entry(name).or_insert(0);
        *count += 1;
        if *count <= EVENTS_KEPT {
            let protocol = self.protocol;
            self.events.push(EventRow {
                at_s: seconds(at),
                peer: Some(peer.0),
                nickname: String::new(),
                event: format!("{protocol}/{name}"),
                detail: detail(),
            });
        }
    }

    fn latency_row(
        &mut self,
        invoked: SimTime,
        returned: Option<SimTime>,
        until: SimTime,
        operation: &'static str,
        outcome: Outcome,
    ) {
        self.requests += 1;
        if self.requests <= REQUESTS_KEPT {
            let span = until.since(invoked);
            self.latency.push(LatencyRow {
                operation: format!("{}/{operation}", self.protocol),
                invoked_s: seconds(invoked),
                returned_s: returned.map(seconds),
                latency_ms: Milliseconds::from_nanos(span.as_nanos()),
                outcome,
            });
        }
    }

    fn record<P: Protocol>(&mut self, notice: &Notice<P>)
    where
        W: Watch<P>,
    {
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(event) => {
                if self.watch.is_of_interest(event) {
                    self.event_row(at, peer, event.name(), || event.detail());
                }
            }
            Happened::Invoked(id, request) => {
                let operation = self.watch.operation(request);
                self.pending.insert(*id, (at, operation));
            }
            Happened::Replied(id, reply) => {
                if let Some((invoked, operation)) = self.pending.remove(id) {
                    let outcome = self.watch.answer(reply);
                    self.latency_row(invoked, Some(at), at, operation, outcome);
                }
            }
            Happened::Started => self.ups.change(at, 1),
            Happened::Crashed => {
                self.ups.change(at, -1);
                self.event_row(at, peer, "crashed", String::new);
            }
            Happened::Restarted => {
                self.ups.change(at, 1);
                self.event_row(at, peer, "restarted", String::new);
            }
            Happened::Paused => self.event_row(at, peer, "paused", String::new),
            Happened::Resumed => self.event_row(at, peer, "resumed", String::new),
            Happened::Sent(_) | Happened::Received(_) => {}
        }
    }
}

/// Whether a notice is of a peer's life or of a message's, not of what the peer says.
pub(super) fn is_of_life<P: Protocol>(what: &Happened<P>) -> bool {
    !matches!(
        what,
        Happened::Event(_) | Happened::Invoked(..) | Happened::Replied(..)
    )
}

impl<P: Protocol, W: Watch<P>> Observer<P> for Recorder<W> {
    fn notice(&mut self, notice: &Notice<P>, world: &World<'_>) {
        if self.byzantine.contains(&notice.peer) {
            // Latencies and events are those of the others.
            if is_of_life(&notice.what) {
                self.record(notice);
            }
            return self.watch.byzantine(notice, world);
        }
        self.record(notice);
        self.watch.notice(notice, world);
    }

    fn weather_changed(&mut self, now: SimTime, world: &World<'_>) {
        self.watch.weather_changed(now, world);
    }

    fn sample(&mut self, now: SimTime, world: &World<'_>) {
        self.watch.sample(now, world);
    }

    fn is_satisfied(&self) -> bool {
        self.watch.is_satisfied()
    }

    fn trace(&mut self, entry: &TraceEntry) {
        self.watch.trace(entry);
    }

    fn message(&mut self, message: &MessageTrace) {
        self.messages.push(*message);
    }
}

/// How many peers were up when.
#[derive(Clone, Debug, Default)]
pub(super) struct Ups {
    /// From this moment on, so many.
    changes: Vec<(SimTime, i64)>,
}

impl Ups {
    fn change(&mut self, at: SimTime, by: i64) {
        let now = self.changes.last().map_or(0, |last| last.1) + by;
        match self.changes.last_mut().filter(|last| last.0 == at) {
            Some(last) => last.1 = now,
            None => self.changes.push((at, now)),
        }
    }

    /// Peer-seconds between two moments.
    pub(super) fn peer_seconds(&self, from: SimTime, to: SimTime) -> f64 {
        let next = self.changes.iter().skip(1).map(|change| change.0);
        let spans = self.changes.iter().zip(next.chain([SimTime::NEVER]));
        spans
            .map(|(&(begin, up), end)| {
                let span = end.min(to).since(begin.max(from));
                span.as_secs_f64() * up as f64
            })
            .sum()
    }
}

/// A moment as tables write it.
pub(crate) fn seconds(at: SimTime) -> Seconds {
    Seconds::from_nanos(at.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_seconds_count_who_was_up_within_the_span() {
        // Two peers from 1 s, one from 3 s on: between 2 s and 5 s that is 2 + 1 + 1.
        let second = |at: u64| SimTime::from_nanos(at * 1_000_000_000);
        let mut ups = Ups::default();
        ups.change(second(1), 1);
        ups.change(second(1), 1);
        ups.change(second(3), -1);
        assert_eq!(ups.peer_seconds(second(2), second(5)), 4.0);
    }
}
