//! Claims about PBFT, on a table of real machines: replicas in slots 0 to n-1, clients behind them.

mod adversary;
mod checkpoints;
mod clients;
mod counts;
mod mistakes;
mod random;
mod restarts;
mod rosters;
mod view_changes;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::event::Event;
use crate::identity::{KeyScheme, Keys};
use crate::outbox::RequestId;
use crate::peer::PeerId;
use crate::protocol::Message;
use crate::signed::{Signable, Signed};
use crate::tabletop::{Tabletop, secret_seed};
use crate::time::{LocalTime, SimDuration};

use super::*;

const SEED: u64 = 11;
const DELAY: SimDuration = SimDuration::from_millis(10);

/// The keys of the peer in a slot: what an adversary who is that peer holds.
fn keys(slot: u32) -> Keys {
    Keys::new(KeyScheme::ideal([7; 32]), secret_seed(SEED, slot))
}

fn sign<T: Signable>(slot: u32, content: T) -> Signed<T> {
    keys(slot).sign(content)
}

fn member(slot: u32) -> Member {
    Member {
        slot: PeerId(slot),
        key: keys(slot).public(),
    }
}

/// `n` replicas in the first slots and `clients` behind them; the first client administers.
fn roster(n: u32, clients: u32) -> Arc<Roster> {
    let of_clients = (n..n + clients).map(|slot| (PeerId(slot), keys(slot).public()));
    Arc::new(Roster::genesis(
        (0..n).map(member).collect(),
        of_clients.collect(),
        BTreeSet::from([PeerId(n)]),
    ))
}

/// Messages by kind.
type Counted = Rc<RefCell<BTreeMap<&'static str, u64>>>;

/// A group at a table.
struct Group<R: Rules = Paper> {
    n: u32,
    table: Tabletop<PbftPeer<R>>,
    roster: Arc<Roster>,
    config: Arc<PbftConfig>,
    requests: u64,
}

impl Group {
    fn new(n: u32, clients: u32, config: PbftConfig) -> Self {
        Self::with_rules(n, clients, config)
    }
}

impl<R: Rules> Group<R> {
    fn with_rules(n: u32, clients: u32, config: PbftConfig) -> Self {
        config.validate().expect("the settings of a test are valid");
        let (roster, config) = (roster(n, clients), Arc::new(config));
        let seat = |slot| {
            if slot < n {
                PbftPeer::replica(Arc::clone(&config), Arc::clone(&roster))
            } else {
                PbftPeer::client(Arc::clone(&config), Arc::clone(&roster))
            }
        };
        let machines = (0..n + clients).map(seat).collect();
        let mut table = Tabletop::new(SEED, DELAY, machines);
        table.start_all();
        Self {
            n,
            table,
            roster,
            config,
            requests: 0,
        }
    }

    /// Has client number `client` ask for `operation`.
    fn ask(&mut self, client: u32, operation: Operation) {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.table.request(PeerId(self.n + client), id, operation);
    }

    /// Has client 0 write `count` registers one after the other and waits until it is done.
    fn write_many(&mut self, count: u64) {
        for key in 0..count {
            self.ask(0, write(key, b"x"));
        }
        let wanted = self.table.replies.len() + count as usize;
        for _ in 0..count * 40 {
            if self.table.replies.len() >= wanted {
                break;
            }
            self.run_ms(10);
        }
        assert_eq!(self.table.replies.len(), wanted, "all writes are answered");
        self.run_ms(40);
    }

    fn run_ms(&mut self, millis: u64) {
        self.table.run_for(SimDuration::from_millis(millis));
    }

    fn replica(&self, slot: u32) -> &Pbft<R> {
        let machine = self.table.machine(PeerId(slot));
        machine.as_replica().expect("a replica sits in this slot")
    }

    /// Nobody hears from these slots.
    fn silence(&mut self, slots: impl IntoIterator<Item = u32>) {
        let slots: BTreeSet<u32> = slots.into_iter().collect();
        self.table
            .carry_if(move |from, _, _| !slots.contains(&from.0));
    }

    /// Counts what is carried, by kind, while nobody hears from these slots.
    fn count_without(&mut self, slots: impl IntoIterator<Item = u32>) -> Counted {
        let slots: BTreeSet<u32> = slots.into_iter().collect();
        let counted = Counted::default();
        let counter = Rc::clone(&counted);
        self.table.carry_if(move |from, _, message| {
            let speaks = !slots.contains(&from.0);
            if speaks {
                let kind = PbftMessage::KINDS[message.kind()];
                *counter.borrow_mut().entry(kind).or_default() += 1;
            }
            speaks
        });
        counted
    }

    /// A switch that, while on, cuts these slots off in both directions.
    fn cut_off(&mut self, slots: impl IntoIterator<Item = u32>) -> Rc<Cell<bool>> {
        let slots: BTreeSet<u32> = slots.into_iter().collect();
        let cut = Rc::new(Cell::new(true));
        let switch = Rc::clone(&cut);
        self.table.carry_if(move |from, to, _| {
            !switch.get() || (!slots.contains(&from.0) && !slots.contains(&to.0))
        });
        cut
    }

    fn hand(&mut self, from: u32, to: u32, message: PbftMessage) {
        self.table.hand(PeerId(from), PeerId(to), &message);
        self.run_ms(0);
    }

    /// How many messages of this kind were sent.
    fn sent(&self, kind: &str) -> u64 {
        self.table.sent.get(kind).copied().unwrap_or(0)
    }

    /// Messages sent since the last call, without those of no kind.
    fn take_sent(&mut self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.table.sent)
    }

    fn events(&self) -> impl Iterator<Item = (PeerId, PbftEvent)> + '_ {
        self.table
            .events
            .iter()
            .map(|(_, peer, event)| (*peer, event.clone()))
    }

    fn count(&self, wanted: impl Fn(&PbftEvent) -> bool) -> usize {
        self.events().filter(|(_, event)| wanted(event)).count()
    }

    fn rejections(&self, slot: u32) -> Vec<Reason> {
        let of_slot = self.events().filter(|(peer, _)| peer.0 == slot);
        of_slot
            .filter_map(|(_, event)| match event {
                PbftEvent::Rejected { reason } => Some(reason),
                _ => None,
            })
            .collect()
    }

    /// The executions of one replica in their order: place, digest, client, timestamp.
    fn executions(&self, slot: u32) -> Vec<(Sequence, Digest, PeerId, Timestamp)> {
        let of_slot = self.events().filter(|(peer, _)| peer.0 == slot);
        of_slot
            .filter_map(|(_, event)| match event {
                PbftEvent::Executed { execution, .. } => {
                    let Placement {
                        sequence, digest, ..
                    } = execution.placement;
                    Some((sequence, digest, execution.client, execution.timestamp))
                }
                _ => None,
            })
            .collect()
    }

    /// Agreement: no two replicas executed different batches at one place.
    fn disagreement(&self) -> Option<Sequence> {
        let mut at: BTreeMap<Sequence, Digest> = BTreeMap::new();
        (0..self.n)
            .flat_map(|slot| self.executions(slot))
            .find(|(sequence, digest, ..)| *at.entry(*sequence).or_insert(*digest) != *digest)
            .map(|(sequence, ..)| sequence)
    }

    fn views(&self) -> Vec<u64> {
        (0..self.n)
            .map(|slot| self.replica(slot).view().0)
            .collect()
    }
}

fn write(key: u64, value: &[u8]) -> Operation {
    Operation::Write {
        key,
        value: value.to_vec(),
    }
}

fn read(key: u64) -> Operation {
    Operation::Read { key }
}

/// The settings of tests whose checkpoints should come soon.
fn short_window() -> PbftConfig {
    PbftConfig {
        checkpoint_interval: 4,
        window: 8,
        pipeline: 8,
        ..PbftConfig::default()
    }
}
