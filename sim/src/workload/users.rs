//! The users at one client of a replicated store, whatever protocol replicates it.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::{Protocol, RequestId, Stream};
use fedsim_scenarios::spec::RequestLoad;

use super::{Keys, Kind, Rhythm};
use crate::engine::Workload;
use crate::judge::{Call, Outcome, Value};
use crate::time::SimTime;

/// A protocol that replicates registers under numbered keys.
pub trait StoreProtocol: Protocol {
    /// The request for a call on the register under `key`.
    fn request(key: u64, call: &Call) -> Self::Request;

    /// The call behind a request; none if it is about something else than a register.
    fn call(request: &Self::Request) -> Option<(u64, Call)>;

    /// What a reply means to whoever called.
    fn outcome(reply: &Self::Reply) -> Outcome;
}

/// The users at one client. Every value that they write is their own, so that a history tells who
/// read what from whom.
pub struct Users {
    rhythm: Rhythm,
    keys: Arc<Keys>,
    value_bytes: usize,
    client: u64,
    asked: u64,
    open: BTreeMap<RequestId, (u64, Call)>,
    /// What they saw last under each key: what compare-and-swap expects.
    known: BTreeMap<u64, Value>,
}

impl Users {
    /// The users at client number `client`, from 0, of `clients` that share `load` and `keys`.
    pub fn new(load: &RequestLoad, keys: &Arc<Keys>, client: u64, clients: u64) -> Self {
        Self {
            rhythm: Rhythm::new(load, client, clients),
            keys: Arc::clone(keys),
            value_bytes: load.value_bytes as usize,
            client,
            asked: 0,
            open: BTreeMap::new(),
            known: BTreeMap::new(),
        }
    }

    /// A value of the wanted size that nobody else writes; longer if it must be.
    fn value(&self) -> Value {
        let text = format!("{}.{};", self.client, self.asked);
        let padding = self.value_bytes.saturating_sub(text.len());
        Value::Text(format!("{}{text}", "-".repeat(padding)))
    }

    fn call(&mut self, dice: &mut Stream) -> (u64, Call) {
        self.asked += 1;
        let (key, value) = (self.keys.key(dice), self.value());
        let call = match self.keys.kind(dice) {
            Kind::Read => Call::Read,
            Kind::Write => Call::Write(value),
            Kind::CompareAndSwap => Call::CompareAndSwap {
                expected: self.known.get(&key).cloned().unwrap_or(Value::Nil),
                new: value,
            },
            Kind::Append => Call::Append(value),
        };
        (key, call)
    }

    fn learn(&mut self, key: u64, call: Call, outcome: Outcome) {
        let known = match (call, outcome) {
            (Call::Read, Outcome::Read(value)) if value != Value::Nil => value,
            (Call::Write(value) | Call::CompareAndSwap { new: value, .. }, Outcome::Done) => value,
            (
                Call::Read | Call::Write(_) | Call::CompareAndSwap { .. } | Call::Append(_),
                Outcome::Read(_)
                | Outcome::Done
                | Outcome::Refused
                | Outcome::Failed
                | Outcome::Open,
            ) => return,
        };
        self.known.insert(key, known);
    }
}

impl<P: StoreProtocol> Workload<P> for Users {
    fn first(&mut self, _: &mut Stream) -> Option<SimTime> {
        self.open.clear();
        self.rhythm.first()
    }

    fn arrive(
        &mut self,
        now: SimTime,
        id: RequestId,
        dice: &mut Stream,
    ) -> (P::Request, Option<SimTime>) {
        let (key, call) = self.call(dice);
        let request = P::request(key, &call);
        self.open.insert(id, (key, call));
        let next = self.rhythm.arrived(now, dice);
        (request, next)
    }

    fn answered(
        &mut self,
        now: SimTime,
        id: RequestId,
        reply: &P::Reply,
        _: &mut Stream,
    ) -> Option<SimTime> {
        let (key, call) = self.open.remove(&id)?;
        self.learn(key, call, P::outcome(reply));
        self.rhythm.answered(now)
    }
}
