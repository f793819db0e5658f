//! Runs a scenario again, and on other numbers of threads, and finds the first difference.
//!
//! Equal runs are compared by digest alone. Where digests differ, the runs are traced with one
//! running hash a span of time, the first span that differs is divided again until it is short, and
//! only its events are kept: memory is bounded however long a run is. Must not know protocols.

use std::ops::Range;
use std::sync::Arc;

use fedsim_protocols::{Folder, PeerId, Protocol};
use fedsim_scenarios::Scenario;

use super::perform::engine_options;
use super::{
    Difference, DifferingEvent, RunFailure, RunOptions, Verification, VerifiedRun, tables,
};
use crate::engine::{self, Cast, Class, Notice, Observer, Options, TraceEntry, World};
use crate::time::SimTime;

/// Spans into which a stretch of time is divided.
const SPANS: u64 = 1_024;
/// A span this short, in nanoseconds, is not divided further.
const SHORT: u64 = 10_000_000;
/// Events kept of the shortest span that differs.
const EVENTS_KEPT: usize = 1_000_000;

/// Runs `scenario` with a cast of one's own on one thread twice and on two threads, and compares.
///
/// # Errors
/// [`RunFailure`]: a panic of a machine, or cancellation.
pub fn verify_cast<C: Cast>(
    scenario: &Scenario,
    cast: &Arc<C>,
    options: &RunOptions,
) -> Result<Verification, RunFailure> {
    let options = engine_options(scenario, options);
    let lab = Lab {
        scenario,
        cast,
        options,
    };
    let mut runs = Vec::new();
    for threads in lab.thread_counts() {
        let digest = lab.digest(threads)?;
        runs.push(VerifiedRun { threads, digest });
    }
    let first = &runs[0];
    let other = runs.iter().find(|run| run.digest != first.digest);
    let difference = match other {
        None => None,
        Some(other) => Some(lab.difference([first.threads, other.threads])?),
    };
    Ok(Verification { runs, difference })
}

struct Lab<'a, C> {
    scenario: &'a Scenario,
    cast: &'a Arc<C>,
    options: Options,
}

impl<C: Cast> Lab<'_, C> {
    /// The run itself, the same again, and both numbers of threads.
    fn thread_counts(&self) -> Vec<usize> {
        let asked = self.options.threads;
        let mut counts = vec![asked, asked];
        counts.extend(
            [1, 2]
                .into_iter()
                .filter(|&count| count != asked && count <= self.scenario.peers.len().max(1)),
        );
        counts
    }

    fn digest(&self, threads: usize) -> Result<String, RunFailure> {
        let outcome = self.run(threads, None, &mut ())?;
        Ok(tables::hex(&outcome.digest))
    }

    fn run(
        &self,
        threads: usize,
        trace: Option<Range<SimTime>>,
        observer: &mut dyn Observer<C::Machine>,
    ) -> Result<engine::Outcome, RunFailure> {
        let options = Options {
            threads,
            trace,
            ..self.options.clone()
        };
        let outcome = engine::run(self.scenario, self.cast, &options, observer)?;
        match outcome.cancelled {
            true => Err(RunFailure::Cancelled),
            false => Ok(outcome),
        }
    }

    fn difference(&self, threads: [usize; 2]) -> Result<Difference, RunFailure> {
        let whole = SimTime::ZERO..SimTime::from(self.scenario.duration);
        let mut stretch = Some(whole);
        while let Some(range) = stretch.clone() {
            if range.end.since(range.start).as_nanos() <= SHORT {
                break;
            }
            stretch = self.first_differing_span(threads, range)?;
        }
        let event = match stretch {
            None => None,
            Some(range) => self.first_differing_event(threads, range)?,
        };
        Ok(Difference { threads, event })
    }

    fn first_differing_span(
        &self,
        threads: [usize; 2],
        range: Range<SimTime>,
    ) -> Result<Option<Range<SimTime>>, RunFailure> {
        let mut hashes = [Hashes::new(&range), Hashes::new(&range)];
        for (count, hashes) in threads.into_iter().zip(&mut hashes) {
            self.run(count, Some(range.clone()), hashes)?;
        }
        let [one, other] = &hashes;
        let mut spans = one.spans.iter().zip(&other.spans);
        let differs = spans.position(|(one, other)| one.finish() != other.finish());
        Ok(differs.map(|index| one.span(index as u64, range.end)))
    }

    fn first_differing_event(
        &self,
        threads: [usize; 2],
        range: Range<SimTime>,
    ) -> Result<Option<DifferingEvent>, RunFailure> {
        let mut kept = [Kept::default(), Kept::default()];
        for (count, kept) in threads.into_iter().zip(&mut kept) {
            self.run(count, Some(range.clone()), kept)?;
        }
        let [Kept(one), Kept(other)] = kept;
        let longest = one.len().max(other.len());
        let differs = (0..longest).find(|&index| one.get(index) != other.get(index));
        Ok(differs.and_then(|index| self.tell(one.get(index), other.get(index))))
    }

    fn tell(&self, one: Option<&TraceEntry>, other: Option<&TraceEntry>) -> Option<DifferingEvent> {
        let earlier = [one, other]
            .into_iter()
            .flatten()
            .min_by_key(|it| (it.at, it.peer))?;
        let nickname = |peer: PeerId| self.scenario.peers[peer.index()].nickname.clone();
        let text = |entry: &TraceEntry| {
            let TraceEntry { at, peer, text, .. } = entry;
            format!("{:.9} s at {}: {text}", at.as_secs_f64(), nickname(*peer))
        };
        Some(DifferingEvent {
            at: earlier.at,
            peer: nickname(earlier.peer),
            class: match earlier.class {
                Class::Control => "control",
                Class::Timer => "timer",
                Class::Delivery => "delivery",
            },
            from: nickname(earlier.from),
            texts: [one.map(text), other.map(text)],
        })
    }
}

/// One running hash for each span of a stretch of time.
struct Hashes {
    start: SimTime,
    width: u64,
    spans: Vec<Folder>,
}

impl Hashes {
    fn new(range: &Range<SimTime>) -> Self {
        let length = range.end.since(range.start).as_nanos();
        Self {
            start: range.start,
            width: length.div_ceil(SPANS).max(1),
            spans: vec![Folder::new(); SPANS as usize],
        }
    }

    fn span(&self, index: u64, end: SimTime) -> Range<SimTime> {
        let at = |index: u64| SimTime::from_nanos(self.start.as_nanos() + index * self.width);
        at(index)..at(index + 1).min(end)
    }
}

impl<P: Protocol> Observer<P> for Hashes {
    fn notice(&mut self, _: &Notice<P>, _: &World<'_>) {}

    fn trace(&mut self, entry: &TraceEntry) {
        let index = entry.at.since(self.start).as_nanos() / self.width;
        if let Some(span) = self.spans.get_mut(index as usize) {
            span.pair(entry.at.as_nanos(), u64::from(entry.peer.0));
            span.pair(entry.fold as u64, (entry.fold >> 64) as u64);
        }
    }
}

/// The events of a short span.
#[derive(Default)]
struct Kept(Vec<TraceEntry>);

impl<P: Protocol> Observer<P> for Kept {
    fn notice(&mut self, _: &Notice<P>, _: &World<'_>) {}

    fn trace(&mut self, entry: &TraceEntry) {
        if self.0.len() < EVENTS_KEPT {
            self.0.push(entry.clone());
        }
    }
}
