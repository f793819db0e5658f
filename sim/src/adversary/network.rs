//! A network that takes sides: it picks the delay of every message when it is sent, from all that it
//! had overheard by then.
//!
//! It keeps to partial synchrony (Dwork, Lynch and Stockmeyer 1988): what is sent after the global
//! stabilisation time arrives within the bound, what is sent before arrives within the bound after
//! it; nothing is lost and nothing is faster than the lookahead. What it overhears it knows one
//! lookahead after it was sent. Must not know messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fedsim_protocols::{PeerId, Probability, RunKey, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::Behaviour;

use super::forge::Round;
use super::roles::Role;
use crate::network::{DrawKey, Purpose};
use crate::time::SimTime;

/// One thing that the network does.
#[derive(Clone, Copy, Debug)]
struct Scheme {
    role: usize,
    /// Which of the role's behaviours it is.
    place: usize,
    what: Behaviour,
    /// How often it changes sides.
    pace: SimDuration,
    /// Which share of rounds it touches.
    share: Probability,
}

/// What the network may do in a run.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    delay: SimDuration,
    stable_after: SimTime,
    does: Vec<Scheme>,
}

impl Bounds {
    pub(super) fn new(scenario: &Scenario, roles: &[Role]) -> Option<Self> {
        let does = roles.iter().enumerate().flat_map(|(role, played)| {
            let what = played.what.iter().enumerate();
            let of_network = what.filter(|(_, what)| what.is_of_network());
            of_network.map(move |(place, what)| Scheme {
                role,
                place,
                what: *what,
                pace: played.settings.pace(),
                share: played.settings.share(),
            })
        });
        let does: Vec<_> = does.collect();
        (!does.is_empty()).then(|| Self {
            delay: scenario.assume.delay.unwrap_or_default(),
            stable_after: SimTime::from(scenario.assume.stable_after.unwrap_or_default()),
            does,
        })
    }

    /// Whether it has to look into messages, for who leads or which round it is.
    pub(crate) fn looks_inside(&self) -> bool {
        let looks = [Behaviour::AimAtLeader, Behaviour::CutRounds];
        self.does.iter().any(|it| looks.contains(&it.what))
    }
}

/// Decides on delays. Cloning shares the counts.
#[derive(Clone, Debug)]
pub(crate) struct Schemer {
    bounds: Bounds,
    key: DrawKey,
    lookahead: SimDuration,
    on: Vec<u32>,
    /// Whom it overheard leading, and since when.
    leaders: Vec<(SimTime, PeerId)>,
    counts: Arc<[AtomicU64]>,
}

impl Schemer {
    pub(crate) fn new(bounds: &Bounds, key: RunKey, lookahead: SimDuration) -> Self {
        Self {
            key: DrawKey::new(key, "adversary/network"),
            lookahead,
            on: vec![0; bounds.does.len()],
            leaders: Vec::new(),
            counts: bounds.does.iter().map(|_| AtomicU64::new(0)).collect(),
            bounds: bounds.clone(),
        }
    }

    /// A role begins or ends.
    pub(crate) fn turn(&mut self, role: usize, on: bool) {
        for (strikes, does) in self.on.iter_mut().zip(&self.bounds.does) {
            if does.role == role {
                *strikes = if on {
                    *strikes + 1
                } else {
                    strikes.saturating_sub(1)
                };
            }
        }
    }

    /// Somebody sent what only a leader sends; to be told in order. Whether that is news.
    pub(crate) fn is_news(&self, peer: PeerId) -> bool {
        self.leaders.last().is_none_or(|last| last.1 != peer)
    }

    pub(crate) fn note_leader(&mut self, at: SimTime, peer: PeerId) {
        self.leaders.push((at, peer));
    }

    /// How many messages each behaviour set a delay for: role, place, count.
    pub(crate) fn deeds(&self) -> impl Iterator<Item = (usize, usize, u64)> + '_ {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let does = self.bounds.does.iter().zip(counts);
        does.map(|(does, count)| (does.role, does.place, count))
    }

    /// When the `nth` message from one to the other, sent at `sent` in some round, arrives; none if
    /// the link may decide.
    pub(crate) fn arrival(
        &self,
        (from, to): (PeerId, PeerId),
        sent: SimTime,
        nth: u32,
        round: impl FnOnce() -> Option<Round>,
    ) -> Option<SimTime> {
        let place = self.on.iter().position(|strikes| *strikes > 0)?;
        let Scheme {
            what, pace, share, ..
        } = self.bounds.does[place];
        if what == Behaviour::CutRounds && !self.cuts((from, to), round()?, share) {
            return None;
        }
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        let (soonest, latest) = (sent + self.lookahead, self.latest(sent));
        let far = |is_far: bool| if is_far { latest } else { soonest };
        Some(match what {
            Behaviour::RandomDelays => {
                let luck = self.key.message(from, to, sent, nth);
                let span = latest.since(soonest).as_nanos();
                soonest + SimDuration::from_nanos(luck.up_to(Purpose::Latency, span))
            }
            Behaviour::AimAtLeader => {
                let leader = self.leader_at(sent);
                far(leader == Some(from) || leader == Some(to))
            }
            Behaviour::SplitDelays => {
                let turn = sent.as_nanos() / pace.as_nanos().max(1);
                let side = |peer| self.key.own(peer, turn).bits(Purpose::Loss, 0) & 1;
                far(side(from) != side(to))
            }
            Behaviour::NewestFirst => {
                let bound = self.bounds.delay.as_nanos().max(2);
                let offset = sent.as_nanos() % (bound / 2).max(1);
                let turned = sent + SimDuration::from_nanos(bound - 2 * offset);
                turned.max(soonest)
            }
            _ => latest,
        })
    }

    /// Whether a round is one of those that are cut, and the cut is between these two.
    fn cuts(&self, (from, to): (PeerId, PeerId), round: Round, share: Probability) -> bool {
        let phase = PeerId(round.phase as u32);
        let view = self.key.own(phase, round.view).bits(Purpose::Loss, 0);
        let luck = view.wrapping_add(round.place);
        let side = |peer| self.key.own(peer, luck).bits(Purpose::Loss, 1) & 1;
        let drawn = self.key.own(phase, luck);
        drawn.chance(Purpose::Latency, 0, share) && side(from) != side(to)
    }

    fn latest(&self, sent: SimTime) -> SimTime {
        let from = sent.max(self.bounds.stable_after);
        (from + self.bounds.delay).max(sent + self.lookahead)
    }

    /// Whom it takes for the leader, by what was sent a lookahead ago.
    fn leader_at(&self, sent: SimTime) -> Option<PeerId> {
        let horizon = sent - self.lookahead;
        let mut known = self.leaders.iter().rev();
        known.find(|(at, _)| *at <= horizon).map(|(_, peer)| *peer)
    }
}
