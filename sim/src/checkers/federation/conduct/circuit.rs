//! Who failed whom how often and for how much, and whether that was acted on.
//!
//! Counts anew, from how each request ended, what a breaker with the usual numbers counts: more
//! than 5 USD in 24 h, or more than half failures of at least 10 in 1 h, and nobody is asked or
//! served for 30 min. What is within the jitter of cool-downs or the drift of clocks is let pass.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fedsim_protocols::federation::breaker::BreakerConfig;
use fedsim_protocols::federation::terms::Money;
use fedsim_protocols::stack::{ActionsConfig, Ending};
use fedsim_protocols::{PeerId, SimDuration};

use crate::checkers::{Finding, Ledger};
use crate::time::SimTime;

/// A peer that costs too much or fails too often is neither asked nor served for a while, one that
/// misbehaved for a day never again, and one that was only out of reach comes back.
pub(crate) const BREAKER: &str = "federation/breaker";

/// The shortest cool-down that jitter allows.
const COOL_DOWN: SimDuration = SimDuration::from_secs(27 * 60);
/// What was taken on before a breaker opened may still begin for so long.
const IN_HAND: SimDuration = SimDuration::from_secs(2);
/// Who is suspended so long is evicted by now.
const EVICTED: SimDuration = SimDuration::from_secs(24 * 3_600 + 1_800);
/// Nobody who was only out of reach waits longer than this for a probe: the cool-down in which it is
/// evicted, two hours, their jitter, and something to say.
const PROBED: SimDuration = SimDuration::from_secs(3 * 3_600);
/// An hour and a day, less what clocks may drift.
const OUTCOME_WINDOW: SimDuration = SimDuration::from_secs(3_564);
const COST_WINDOW: SimDuration = SimDuration::from_secs(85_536);

/// Who asks, and whom.
type Pair = (PeerId, PeerId);

#[derive(Clone, Copy)]
struct Sample {
    at: SimTime,
    cost: Money,
    /// Whether it failed; nothing once a return has forgotten it.
    failed: Option<bool>,
}

/// What one peer has seen of another.
#[derive(Default)]
struct Circuit {
    samples: VecDeque<Sample>,
    /// Since when nobody may be asked.
    open: Option<SimTime>,
    /// Since when no request was answered well, and whether one was answered badly.
    outage: Option<(SimTime, bool)>,
    is_probing: bool,
    asked: Option<SimTime>,
}

impl Circuit {
    fn cost(&self, at: SimTime) -> Money {
        let recent = self.samples.iter();
        let recent = recent.filter(|sample| at.since(sample.at) < COST_WINDOW);
        recent.map(|sample| sample.cost).sum()
    }

    fn is_failing(&self, at: SimTime, config: &BreakerConfig) -> bool {
        let recent = self.samples.iter();
        let recent = recent.filter(|sample| at.since(sample.at) < OUTCOME_WINDOW);
        let outcomes: Vec<bool> = recent.filter_map(|sample| sample.failed).collect();
        let failed = outcomes.iter().filter(|failed| **failed).count();
        outcomes.len() >= config.samples_min && 2 * failed > outcomes.len()
    }

    fn note(&mut self, at: SimTime, cost: Money, failed: bool) {
        let failed = Some(failed);
        self.samples.push_back(Sample { at, cost, failed });
        while let Some(first) = self.samples.front()
            && at.since(first.at) > COST_WINDOW
        {
            self.samples.pop_front();
        }
    }

    /// Whether it has been open since before `ago`, and must still be.
    fn is_shut(&self, at: SimTime, ago: SimDuration) -> bool {
        self.open
            .is_some_and(|since| (ago..COOL_DOWN).contains(&at.since(since)))
    }
}

pub(super) struct Circuits {
    config: BreakerConfig,
    /// The peers that have breakers.
    guarded: BTreeSet<PeerId>,
    circuits: BTreeMap<Pair, Circuit>,
    ledger: Ledger,
}

impl Circuits {
    pub(super) fn new(actions: &BTreeMap<PeerId, ActionsConfig>) -> Self {
        let guarded = actions.iter();
        let guarded = guarded.filter(|(_, config)| config.conduct.breaker.is_some());
        Self {
            config: BreakerConfig::default(),
            guarded: guarded.map(|(peer, _)| *peer).collect(),
            circuits: BTreeMap::new(),
            ledger: Ledger::new(BREAKER),
        }
    }

    fn breach(&mut self, at: SimTime, (by, of): Pair, what: &str) {
        if self.guarded.contains(&by) {
            self.ledger.breach(at, &[by, of], || what.to_owned());
        }
    }

    /// `by` asks `of`; whether it should not have.
    pub(super) fn sent(&mut self, at: SimTime, pair: Pair) -> bool {
        let circuit = self.circuits.entry(pair).or_default();
        let is_dear = circuit.cost(at) > self.config.cost_max;
        let is_shut = circuit.is_shut(at, SimDuration::ZERO);
        let is_lost = circuit
            .outage
            .is_some_and(|(since, misbehaved)| misbehaved && at.since(since) > EVICTED);
        circuit.asked = Some(at);
        if circuit.open.is_some() && !is_shut {
            circuit.open = None;
            circuit.is_probing = true;
        }
        let wrong = match (is_dear, is_shut, is_lost) {
            (true, _, _) => "asked a peer that had cost too much",
            (_, true, _) => "asked a peer that had failed too often",
            (_, _, true) => "asked a peer that had misbehaved for a day",
            (false, false, false) => return false,
        };
        self.breach(at, pair, wrong);
        true
    }

    /// `by` begins work for `of`.
    pub(super) fn served(&mut self, at: SimTime, pair: Pair) {
        let circuit = self.circuits.get(&pair);
        if circuit.is_some_and(|circuit| circuit.is_shut(at, IN_HAND)) {
            self.breach(at, pair, "served a peer whose breaker was open");
        }
    }

    /// What `by` had asked `of` for came to an end.
    pub(super) fn ended(&mut self, at: SimTime, pair: Pair, ending: Ending, value: Money) {
        let (cost, failed) = match ending {
            Ending::Done => (value, false),
            Ending::Refused(_) => (Money(0), false),
            Ending::Unknown => (Money(0), true),
        };
        self.note(at, pair, cost, (failed, false));
    }

    /// `of` answered `by` with what proves nothing.
    pub(super) fn answered_badly(&mut self, at: SimTime, pair: Pair) {
        self.note(at, pair, Money(0), (true, true));
    }

    fn note(&mut self, at: SimTime, pair: Pair, cost: Money, (failed, badly): (bool, bool)) {
        let circuit = self.circuits.entry(pair).or_default();
        circuit.note(at, cost, failed);
        if let Some((_, misbehaved)) = &mut circuit.outage {
            *misbehaved |= badly;
        }
        if circuit.is_probing {
            circuit.is_probing = false;
            match failed {
                true => circuit.open = Some(at),
                false => {
                    circuit.outage = None;
                    circuit.samples.iter_mut().for_each(|it| it.failed = None);
                }
            }
        } else if circuit.open.is_none() {
            let is_dear = circuit.cost(at) > self.config.cost_max;
            if is_dear || circuit.is_failing(at, &self.config) {
                circuit.open = Some(at);
                circuit.outage = (!is_dear).then_some((at, badly));
                if self.guarded.contains(&pair.0) {
                    self.ledger.exercise();
                }
            }
        }
    }

    /// `by` did not ask `of`, although nothing in what was to be said kept it from that.
    pub(super) fn withheld(&mut self, at: SimTime, pair: Pair) {
        let Some(circuit) = self.circuits.get(&pair) else {
            return;
        };
        let may_return = circuit.outage.is_some_and(|(_, misbehaved)| !misbehaved);
        let is_forgotten = circuit.asked.is_some_and(|asked| at.since(asked) > PROBED);
        if may_return && is_forgotten {
            self.breach(at, pair, "never again asked a peer that was out of reach");
        }
    }

    pub(super) fn restarted(&mut self, by: PeerId) {
        self.circuits.retain(|(who, _), _| *who != by);
    }

    pub(super) fn finding(&self) -> Finding {
        self.ledger.clone().finding()
    }
}
