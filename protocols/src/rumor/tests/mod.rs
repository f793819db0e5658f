//! Claims about rumour spreading: one file a kind of input, then the laws of the papers over many
//! runs, then the mutants that these laws must catch, then arbitrary inputs.

mod laws;
mod messages;
mod mutants;
mod properties;
mod requests;
mod timers;

use std::sync::Arc;

use super::config::{Contacts, Loss, Mode, Rounds, RumorConfig};
use super::event::{RumorEvent, RumorRequest};
use super::message::{RumorCopy, RumorId};
use super::partners::Partners;
use super::rules::Rules;
use super::{AsPublished, Rumor};
use crate::identity::{KeyScheme, Keys};
use crate::outbox::{Outbox, Output, RequestId};
use crate::peer::PeerId;
use crate::protocol::{Context, Protocol};
use crate::random::{RunKey, Stream, StreamLabel};
use crate::tabletop::{Tabletop, secret_seed};
use crate::time::{LocalTime, SimDuration};

const PERIOD: SimDuration = SimDuration::from_millis(100);
const DELAY: SimDuration = SimDuration::from_millis(10);
/// The rumor of every test that needs but one: the first of peer 0.
const RUMOR: RumorId = RumorId {
    origin: PeerId(0),
    sequence: 0,
};

fn config(mode: Mode, rounds: Rounds, loss: Loss, contacts: Contacts) -> RumorConfig {
    RumorConfig {
        mode,
        period: PERIOD,
        rounds,
        loss,
        contacts,
        ..RumorConfig::default()
    }
}

fn copy(age: u32, hops: u32) -> RumorCopy {
    RumorCopy {
        rumor: RUMOR,
        payload: 7,
        size: 100,
        age,
        hops,
        phase: 0,
    }
}

/// One machine whose handlers are called by hand; two peers, and this one is peer 1.
struct Desk<R: Rules = AsPublished> {
    machine: Rumor<R>,
    rng: Stream,
    keys: Keys,
}

impl Desk {
    fn new(config: RumorConfig) -> Self {
        config.validate().expect("a legal configuration");
        let label = StreamLabel {
            purpose: "protocol",
            peer: 1,
            incarnation: 0,
        };
        Self {
            machine: Rumor::new(Arc::new(config), Partners::Everyone { peers: 2 }),
            rng: Stream::new(RunKey::from_seed(1), label),
            keys: Keys::new(KeyScheme::ideal([7; 32]), secret_seed(1, 1)),
        }
    }

    /// Holds the whole outbox of one input at `millis` against `expected`.
    #[track_caller]
    fn expect(
        &mut self,
        millis: i64,
        input: impl FnOnce(&mut Rumor, &mut Context<'_, Rumor>),
        expected: Vec<Output<Rumor>>,
    ) {
        let mut outbox = Outbox::new();
        let now = LocalTime::from_nanos(millis * 1_000_000);
        let (rng, keys) = (&mut self.rng, &mut self.keys);
        let mut ctx = Context::new(now, PeerId(1), rng, keys, &mut outbox);
        input(&mut self.machine, &mut ctx);
        assert_eq!(format!("{outbox:?}"), format!("{expected:?}"));
    }
}

/// A complete graph in which peer 0 starts one rumor at time zero, run for a number of rounds.
struct Epidemic<R: Rules> {
    table: Tabletop<Rumor<R>>,
    peers: u32,
}

impl<R: Rules> Epidemic<R> {
    fn run(seed: u64, peers: u32, rounds: u64, config: &Arc<RumorConfig>) -> Self {
        let mut epidemic = Self::begin(seed, peers, config);
        epidemic.table.run_for(config.period * rounds);
        epidemic
    }

    /// Runs until all know it.
    fn run_to_all(seed: u64, peers: u32, rounds: u64, config: &Arc<RumorConfig>) -> Self {
        let mut epidemic = Self::begin(seed, peers, config);
        for _ in 0..rounds {
            if epidemic.residue() == 0.0 {
                break;
            }
            epidemic.table.run_for(config.period);
        }
        epidemic
    }

    /// Runs until nobody who knows it is interested any more, and no copy is under way.
    fn run_to_rest(seed: u64, peers: u32, rounds: u64, config: &Arc<RumorConfig>) -> Self {
        let mut epidemic = Self::begin(seed, peers, config);
        for _ in 0..rounds {
            let before = epidemic.copies();
            epidemic.table.run_for(config.period);
            // A copy is under way for a tenth of a period.
            if epidemic.copies() == before && !epidemic.is_any_interested() {
                break;
            }
        }
        epidemic
    }

    fn begin(seed: u64, peers: u32, config: &Arc<RumorConfig>) -> Self {
        let machine = || Rumor::with_rules(Arc::clone(config), Partners::Everyone { peers });
        let machines = (0..peers).map(|_| machine()).collect();
        let mut table = Tabletop::new(seed, DELAY, machines);
        table.start_all();
        let start = RumorRequest::Start {
            payload: 7,
            size: 0,
        };
        table.request(PeerId(0), RequestId(0), start);
        Self { table, peers }
    }

    /// Whether more peers have learnt it than have lost interest in it.
    fn is_any_interested(&self) -> bool {
        let (mut learned, mut lost) = (0, 0);
        for (_, _, event) in &self.table.events {
            match event {
                RumorEvent::Learned { .. } => learned += 1,
                RumorEvent::InterestLost { .. } => lost += 1,
                RumorEvent::Recovered { .. } | RumorEvent::Rejected { .. } => {}
            }
        }
        learned != lost
    }

    /// The share of peers that do not know the rumor.
    fn residue(&self) -> f64 {
        let ignorant = (0..self.peers).filter(|peer| !self.knows(*peer)).count();
        ignorant as f64 / f64::from(self.peers)
    }

    fn knows(&self, peer: u32) -> bool {
        self.table.machine(PeerId(peer)).knows(RUMOR)
    }

    /// The round in which the last peer learned it, or none if some never did.
    fn rounds_to_all(&self) -> Option<u32> {
        let learned = self
            .table
            .events
            .iter()
            .filter_map(|(_, _, event)| match event {
                RumorEvent::Learned { learned } => Some(learned.round),
                RumorEvent::Recovered { .. }
                | RumorEvent::InterestLost { .. }
                | RumorEvent::Rejected { .. } => None,
            });
        learned.max().filter(|_| self.residue() == 0.0)
    }

    /// Copies handed over, by the number of peers: the traffic m of Demers et al.
    fn traffic(&self) -> f64 {
        self.copies() as f64 / f64::from(self.peers)
    }

    fn copies(&self) -> u64 {
        self.sent("push") + self.sent("pull-answer")
    }

    fn sent(&self, kind: &str) -> u64 {
        self.table.sent.get(kind).copied().unwrap_or(0)
    }
}

/// Rounds until everybody knows, averaged over `runs` epidemics in which interest is never lost.
fn mean_rounds<R: Rules>(mode: Mode, peers: u32, runs: u64) -> f64 {
    let config = config(mode, Rounds::Synchronous, Loss::Never, Contacts::Blind);
    let config = Arc::new(config);
    let rounds = (0..runs).map(|seed| {
        let epidemic = Epidemic::<R>::run_to_all(seed, peers, 40, &config);
        f64::from(epidemic.rounds_to_all().unwrap_or(40))
    });
    rounds.sum::<f64>() / runs as f64
}

/// Residue and traffic, averaged over `runs` epidemics that have come to rest.
fn residue_and_traffic<R: Rules>(config: RumorConfig, peers: u32, runs: u64) -> (f64, f64) {
    let config = Arc::new(config);
    let (mut residue, mut traffic) = (0.0, 0.0);
    for seed in 0..runs {
        let epidemic = Epidemic::<R>::run_to_rest(seed, peers, 45, &config);
        residue += epidemic.residue() / runs as f64;
        traffic += epidemic.traffic() / runs as f64;
    }
    (residue, traffic)
}
