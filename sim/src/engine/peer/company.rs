//! Several peers in one actor: the members of a cabal, and the second instances of twins.
//!
//! What happens to them is merged in one order, that of their keys, ties by place in the company, so
//! that what one learns the others know when it is their turn. Must not know what they conspire for.

use fedsim_protocols::{Folder, PeerId, Protocol};

use super::{Peer, Stage, count_at};
use crate::adversary::Side;
use crate::engine::agenda::Key;
use crate::engine::cell::{Cell, Post, Step, Window};
use crate::engine::envelope::Envelope;
use crate::time::SimTime;

/// The others in a seat.
pub(crate) struct Company<P: Protocol> {
    others: Vec<Peer<P>>,
    /// Scratch of each one's steps, the first one's first.
    steps: Vec<Step>,
}

impl<P: Protocol> Company<P> {
    pub(crate) fn new(others: Vec<Peer<P>>) -> Self {
        let steps = (0..=others.len()).map(|_| Step::default()).collect();
        Self { others, steps }
    }

    /// The running hash of all in the seat.
    pub(super) fn fold(&self, first: &Peer<P>) -> u128 {
        let mut fold = Folder::new();
        let others = self.others.iter().map(|peer| peer.fold.finish());
        for hash in std::iter::once(first.fold.finish()).chain(others) {
            fold.pair(hash as u64, (hash >> 64) as u64);
        }
        fold.finish()
    }

    /// Carries out a window for all in the seat.
    pub(super) fn run(
        &mut self,
        first: &mut Peer<P>,
        window: Window,
        post: &Post<P>,
        cell: &mut Cell<P>,
        stage: &dyn Stage<P>,
    ) {
        self.steps.iter_mut().for_each(Step::begin);
        for place in 0..=self.others.len() {
            self.with(place, first, cell, |peer, cell| {
                for control in post.orders.get(&peer.id()).into_iter().flatten() {
                    peer.obey(post.start, control, cell, stage);
                }
            });
        }
        let mine = window.first as usize..window.behind as usize;
        let mut arrivals = post.arrivals[mine].iter().peekable();
        let mut instant = (SimTime::ZERO, 0);
        loop {
            let task = self.first_task(first).filter(|it| it.0.at < post.end);
            match (arrivals.peek(), task) {
                (None, None) => break,
                (Some(arrival), task)
                    if task.is_none_or(|it| arrival.is_before(it.0, &post.due)) =>
                {
                    self.arrive(first, post.due.get(arrival.index), cell);
                    arrivals.next();
                }
                (_, Some((_, place))) => self.with(place, first, cell, |peer, cell| {
                    if let Some((key, task)) = peer.agenda.pop() {
                        count_at(key.at, &mut instant);
                        peer.perform(key, task, cell, stage);
                    }
                }),
                (Some(_), None) => unreachable!("BUG: a delivery without a task goes first"),
            }
        }
        cell.wake = self.first_task(first).map(|it| it.0.at);
    }

    /// Where in the company the instances of a peer are.
    fn places(&self, first: &Peer<P>, id: PeerId) -> Vec<usize> {
        let all = std::iter::once(first).chain(&self.others).enumerate();
        all.filter(|(_, peer)| peer.id() == id)
            .map(|(place, _)| place)
            .collect()
    }

    fn first_task(&self, first: &Peer<P>) -> Option<(Key, usize)> {
        let all = std::iter::once(first).chain(&self.others).enumerate();
        let tasks = all.filter_map(|(place, peer)| Some((peer.agenda.first()?, place)));
        tasks.min()
    }

    /// A message arrives: to be overheard, or for one or both instances of a member.
    fn arrive(&mut self, first: &mut Peer<P>, envelope: &Envelope<P::Message>, cell: &mut Cell<P>) {
        let Some(cabal) = first.cabal().cloned() else {
            return;
        };
        let homes = cell.homes.as_ref();
        if let Some(to) = homes.and_then(|homes| homes.overheard(envelope.to)) {
            let mut cabal = cabal.borrow_mut();
            return cabal.overhear(envelope.from, to, &envelope.payload);
        }
        let side = cabal.borrow().side(envelope.to, envelope.from);
        for place in self.places(first, envelope.to) {
            self.with(place, first, cell, |peer, cell| {
                let is_twin = peer.part().is_twin;
                let hears = match side {
                    Side::Both => true,
                    Side::First => !is_twin,
                    Side::Twin => is_twin,
                };
                if hears {
                    peer.arrive(envelope, cell);
                }
            });
        }
    }

    /// Lends one of the company the cell, with the scratch of his own steps in it.
    fn with(
        &mut self,
        place: usize,
        first: &mut Peer<P>,
        cell: &mut Cell<P>,
        deed: impl FnOnce(&mut Peer<P>, &mut Cell<P>),
    ) {
        std::mem::swap(&mut cell.step, &mut self.steps[place]);
        match place {
            0 => deed(first, cell),
            other => deed(&mut self.others[other - 1], cell),
        }
        std::mem::swap(&mut cell.step, &mut self.steps[place]);
    }
}
