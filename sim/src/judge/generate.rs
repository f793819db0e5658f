//! Random histories that are linearizable by construction, for tests and
//! benches.
//!
//! Clients call a store that really exists: each operation takes effect at one
//! moment between its invocation and its return, operations that were given up
//! take effect later or never. Must not know the judge.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::history::{Call, History, OperationId, Outcome};
use super::model::Model;
use super::value::Value;

/// Mean virtual time between two events, in nanoseconds.
const EVENT_GAP_NS: u64 = 1_000_000;

/// What history to generate; the same settings give the same history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Names the random draws.
    pub seed: u64,
    /// Which calls occur.
    pub model: Model,
    /// How many operations; at least this many events follow.
    pub operations: usize,
    /// How many clients call at the same time, at least 1.
    pub clients: u64,
    /// How many keys; 0 is one register without a key.
    pub keys: u64,
    /// Written values are drawn from this many; 0 makes each one new.
    pub values: u64,
    /// Of 1000 operations, how many get no answer (one half of them takes effect).
    pub open_per_mille: u32,
    /// Of 1000 operations, how many fail for certain.
    pub failed_per_mille: u32,
}

impl Settings {
    /// The history that the bench figure `judge_20k_ops_ms` is measured on:
    /// 20,000 operations of 16 clients over 20 keys, as compare-and-swap
    /// registers, with one operation in a hundred never answered.
    pub fn bench_20k(seed: u64) -> Self {
        Self {
            seed,
            model: Model::CasRegister,
            operations: 20_000,
            clients: 16,
            keys: 20,
            values: 5,
            open_per_mille: 10,
            failed_per_mille: 10,
        }
    }
}

/// Generates a linearizable history.
pub fn generate(settings: &Settings) -> History {
    let mut world = World::new(settings);
    while world.history.operations().len() < settings.operations {
        world.advance(true);
    }
    while world.clients.iter().any(|client| client.is_busy()) {
        world.advance(false);
    }
    world.history
}

/// Where a client's operation stands.
enum Stage {
    Idle,
    Invoked(OperationId),
    Effected(OperationId, Outcome),
}

struct Client {
    process: u64,
    stage: Stage,
}

impl Client {
    fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }
}

struct World<'a> {
    settings: &'a Settings,
    rng: ChaCha8Rng,
    history: History,
    clients: Vec<Client>,
    store: BTreeMap<Option<Value>, Value>,
    /// Given up by their clients, and yet to take effect.
    orphans: Vec<OperationId>,
    next_process: u64,
    next_value: i64,
    now_ns: u64,
}

impl<'a> World<'a> {
    fn new(settings: &'a Settings) -> Self {
        let clients = settings.clients.max(1);
        Self {
            settings,
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
            history: History::new(),
            clients: (0..clients)
                .map(|process| Client {
                    process,
                    stage: Stage::Idle,
                })
                .collect(),
            store: BTreeMap::new(),
            orphans: Vec::new(),
            next_process: clients,
            next_value: 0,
            now_ns: 0,
        }
    }

    /// Lets one client, drawn at random, take its next step.
    fn advance(&mut self, may_invoke: bool) {
        self.now_ns += self.rng.random_range(1..2 * EVENT_GAP_NS);
        if !self.orphans.is_empty() && self.rng.random_ratio(1, 20) {
            let which = self.rng.random_range(0..self.orphans.len());
            let orphan = self.orphans.swap_remove(which);
            self.take_effect(orphan);
        }
        let which = self.rng.random_range(0..self.clients.len());
        let stage = std::mem::replace(&mut self.clients[which].stage, Stage::Idle);
        let stage = match stage {
            Stage::Idle if may_invoke => self.invoke(which),
            Stage::Idle => Stage::Idle,
            Stage::Invoked(id) => self.answer_or_not(which, id),
            Stage::Effected(id, outcome) => {
                self.complete(id, outcome);
                Stage::Idle
            }
        };
        self.clients[which].stage = stage;
    }

    fn invoke(&mut self, which: usize) -> Stage {
        let key = (self.settings.keys > 0).then(|| {
            let key = self.rng.random_range(0..self.settings.keys);
            Value::Text(format!("k{key}"))
        });
        let call = self.call();
        let process = self.clients[which].process;
        let invoked = self.history.invoke(process, key, call, self.now_ns);
        Stage::Invoked(invoked.expect("BUG: an idle client has nothing under way"))
    }

    fn call(&mut self) -> Call {
        let kinds = match self.settings.model {
            Model::Register => 2,
            Model::CasRegister => 3,
            Model::KeyValue => 4,
        };
        match self.rng.random_range(0..kinds) {
            0 => Call::Read,
            1 => Call::Write(self.value()),
            2 => Call::CompareAndSwap {
                expected: self.value(),
                new: self.value(),
            },
            _ => Call::Append(self.value()),
        }
    }

    /// A value to write; texts where appends would else make ever new lists.
    fn value(&mut self) -> Value {
        let number = match self.settings.values {
            0 => {
                self.next_value += 1;
                self.next_value
            }
            values => self.rng.random_range(0..values).cast_signed(),
        };
        match self.settings.model {
            Model::Register | Model::CasRegister => Value::Int(number),
            Model::KeyValue => Value::Text(format!("{number};")),
        }
    }

    /// The moment an operation takes effect, unless it meets a failure.
    fn answer_or_not(&mut self, which: usize, id: OperationId) -> Stage {
        let draw = self.rng.random_range(0..1000);
        let open_below = self.settings.open_per_mille;
        if draw < open_below {
            if self.rng.random_ratio(1, 2) {
                self.orphans.push(id);
            }
            self.complete(id, Outcome::Open);
            self.clients[which].process = self.next_process;
            self.next_process += 1;
            return Stage::Idle;
        }
        if draw < open_below + self.settings.failed_per_mille {
            self.complete(id, Outcome::Failed);
            return Stage::Idle;
        }
        let outcome = self.take_effect(id);
        Stage::Effected(id, outcome)
    }

    fn complete(&mut self, id: OperationId, outcome: Outcome) {
        let completed = self.history.complete(id, outcome, self.now_ns);
        completed.expect("BUG: the operation is under way and the outcome its own");
    }

    fn take_effect(&mut self, id: OperationId) -> Outcome {
        let operation = self.history.operation(id);
        let held = self.store.entry(operation.key.clone()).or_default();
        match &operation.call {
            Call::Read => Outcome::Read(held.clone()),
            Call::Write(value) => {
                *held = value.clone();
                Outcome::Done
            }
            Call::CompareAndSwap { expected, new } if expected == held => {
                *held = new.clone();
                Outcome::Done
            }
            Call::CompareAndSwap { .. } => Outcome::Refused,
            Call::Append(piece) => {
                *held = held.appended(piece);
                Outcome::Done
            }
        }
    }
}
