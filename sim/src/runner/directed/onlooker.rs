//! Who watches a story: an observer that may be asked what a checker says so far.

use fedsim_protocols::Protocol;

use crate::checkers::Finding;
use crate::engine::{MessageTrace, Notice, Observer, World};
use crate::runner::recorder::Recorder;
use crate::runner::watch::Watch;
use crate::time::SimTime;

/// What an onlooker says of an invariant.
pub(super) enum Word {
    /// This, so far.
    Said(Finding),
    /// Nobody judges it in the course of a run.
    Unjudged,
    /// It judges nothing: claims about invariants pass, as they did when they were judged.
    NotAsked,
}

/// Somebody who watches a story.
pub(super) trait Onlooker<P: Protocol>: Observer<P> {
    /// What a checker says of its invariant by `now`.
    fn word(&mut self, invariant: &str, now: SimTime) -> Word;
}

impl<P: Protocol, W: Watch<P>> Onlooker<P> for Recorder<W> {
    fn word(&mut self, invariant: &str, now: SimTime) -> Word {
        let said = self.watch.finding(invariant, now);
        said.map_or(Word::Unjudged, Word::Said)
    }
}

/// Watches a story that is told again.
pub(super) struct Again<'a, P: Protocol>(pub(super) &'a mut dyn Observer<P>);

impl<P: Protocol> Observer<P> for Again<'_, P> {
    fn notice(&mut self, notice: &Notice<P>, world: &World<'_>) {
        self.0.notice(notice, world);
    }

    fn weather_changed(&mut self, now: SimTime, world: &World<'_>) {
        self.0.weather_changed(now, world);
    }

    fn sample(&mut self, now: SimTime, world: &World<'_>) {
        self.0.sample(now, world);
    }

    fn message(&mut self, message: &MessageTrace) {
        self.0.message(message);
    }
}

impl<P: Protocol> Onlooker<P> for Again<'_, P> {
    fn word(&mut self, _: &str, _: SimTime) -> Word {
        Word::NotAsked
    }
}
