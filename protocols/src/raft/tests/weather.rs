//! A driver with bad weather: loss, duplicates, reordering, partitions, slow disks, crashes that
//! lose what was not synced. All dice come from one seed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::judge::Judge;
use crate::identity::{KeyScheme, Keys};
use crate::outbox::{Outbox, Output, PersistToken, RequestId, Write};
use crate::peer::PeerId;
use crate::protocol::{Context, Durable, Protocol, Stored};
use crate::raft::{
    Chosen, Configuration, Operation, Raft, RaftClient, RaftConfig, RaftEvent, RaftMessage,
    RaftPeer, RaftRecord, RaftReply, RaftRequest, RaftTimer,
};
use crate::random::{RunKey, Stream, StreamLabel};
use crate::tabletop::secret_seed;
use crate::time::{LocalTime, SimDuration};

/// Plays whatever rules its thread runs under.
type Machine = RaftPeer<Chosen>;

enum Due {
    Message(PeerId, PeerId, RaftMessage),
    Timer(PeerId, RaftTimer, u64),
    Synced(PeerId, u64),
    Restart(PeerId),
}

/// A write on its way to a disk, and the outputs that wait for it.
struct Sync {
    token: PersistToken,
    writes: Vec<Write<RaftRecord>>,
    held: Vec<(PeerId, RaftMessage)>,
}

struct Seat {
    machine: Machine,
    rng: Stream,
    keys: Keys,
    disk: Durable<RaftRecord>,
    syncs: VecDeque<Sync>,
    timers: BTreeMap<RaftTimer, u64>,
    down: bool,
    life: u64,
}

/// How bad the weather is.
#[derive(Clone, Copy)]
pub(super) struct Climate {
    /// Messages lost, of 1000.
    pub(super) loss: u64,
    /// Messages doubled, of 1000.
    pub(super) doubled: u64,
    /// Longest one-way delay in ms; the shortest is 10.
    pub(super) delay: u64,
    /// Longest sync in ms.
    pub(super) sync: u64,
}

pub(super) const FAIR: Climate = Climate {
    loss: 0,
    doubled: 0,
    delay: 30,
    sync: 2,
};

pub(super) struct Weather {
    seats: Vec<Seat>,
    servers: u32,
    config: Arc<RaftConfig>,
    voters: Configuration,
    due: BTreeMap<(u64, u64), Due>,
    now: u64,
    caused: u64,
    pub(super) dice: Stream,
    pub(super) climate: Climate,
    /// Which side of a partition each peer is on.
    pub(super) side: Vec<u8>,
    pub(super) judge: Judge,
    pub(super) replies: BTreeMap<u64, RaftReply>,
    /// What was acknowledged when a read was asked for, by client slot and serial.
    floors: BTreeMap<(u32, u64), u64>,
    asked: u64,
}

impl Weather {
    pub(super) fn new(
        seed: u64,
        config: RaftConfig,
        voters: &[u32],
        servers: u32,
        clients: u32,
    ) -> Self {
        let config = Arc::new(config);
        let key = RunKey::from_seed(seed);
        let voters = Configuration::of_voters(voters.iter().copied().map(PeerId));
        let seats = (0..servers + clients).map(|slot| Seat {
            machine: seat_machine(slot, servers, &config, &voters),
            rng: Stream::new(
                key,
                StreamLabel {
                    purpose: "protocol",
                    peer: slot,
                    incarnation: 0,
                },
            ),
            keys: Keys::new(KeyScheme::ideal([7; 32]), secret_seed(seed, slot)),
            disk: Durable::default(),
            syncs: VecDeque::new(),
            timers: BTreeMap::new(),
            down: false,
            life: 0,
        });
        let seats: Vec<_> = seats.collect();
        let mut weather = Self {
            side: vec![0; seats.len()],
            seats,
            servers,
            config,
            voters,
            due: BTreeMap::new(),
            now: 0,
            caused: 0,
            dice: Stream::new(key, StreamLabel::global("weather")),
            climate: FAIR,
            judge: Judge::default(),
            replies: BTreeMap::new(),
            floors: BTreeMap::new(),
            asked: 0,
        };
        for slot in 0..servers + clients {
            weather.input(PeerId(slot), |machine, ctx| machine.on_start(ctx));
        }
        weather
    }

    pub(super) fn server(&self, slot: u32) -> &Raft<Chosen> {
        self.seats[slot as usize]
            .machine
            .as_server()
            .expect("a server")
    }

    pub(super) fn client(&self, slot: u32) -> &RaftClient {
        self.seats[slot as usize]
            .machine
            .as_client()
            .expect("a client")
    }

    pub(super) fn is_down(&self, slot: u32) -> bool {
        self.seats[slot as usize].down
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Puts a request to a peer; its number finds the reply.
    pub(super) fn ask(&mut self, slot: u32, request: RaftRequest) -> u64 {
        self.asked += 1;
        let id = self.asked;
        if !self.seats[slot as usize].down {
            self.input(PeerId(slot), |machine, ctx| {
                machine.on_request(RequestId(id), request, ctx);
            });
        }
        id
    }

    /// A client's `serial`-th operation; for reads, what they must at least see is noted.
    pub(super) fn operate(&mut self, slot: u32, serial: u64, operation: Operation) -> u64 {
        self.floors.insert((slot, serial), self.judge.acknowledged);
        self.ask(slot, RaftRequest::Operate { operation })
    }

    /// The peer loses its memory and what was not synced, and is back after `ms`.
    pub(super) fn crash(&mut self, slot: u32, ms: u64) {
        let seat = &mut self.seats[slot as usize];
        if seat.down {
            return;
        }
        seat.down = true;
        seat.life += 1;
        seat.syncs.clear();
        seat.timers.clear();
        self.later(ms, Due::Restart(PeerId(slot)));
    }

    /// Corrupts one record of a crashed peer's log.
    pub(super) fn damage(&mut self, slot: u32) {
        let seat = &mut self.seats[slot as usize];
        if seat.down && !seat.disk.log.is_empty() {
            let at = self.dice.below(seat.disk.log.len() as u64);
            seat.disk.log[at as usize] = Stored::Damaged;
        }
    }

    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > end || self.judge.violation.is_some() {
                break;
            }
            let ((at, _), due) = entry.remove_entry();
            self.now = at;
            self.happen(due);
        }
        self.now = end;
    }

    fn later(&mut self, ms: u64, due: Due) {
        self.caused += 1;
        self.due.insert((self.now + ms, self.caused), due);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Message(from, to, message) => {
                let cut = self.side[from.index()] != self.side[to.index()];
                if !cut && !self.seats[to.index()].down {
                    self.input(to, |machine, ctx| machine.on_message(from, &message, ctx));
                }
            }
            Due::Timer(at, timer, cause) => {
                let timers = &mut self.seats[at.index()].timers;
                if timers.get(&timer) == Some(&cause) {
                    timers.remove(&timer);
                    self.input(at, |machine, ctx| machine.on_timer(timer, ctx));
                }
            }
            Due::Synced(at, life) => self.synced(at, life),
            Due::Restart(at) => self.restart(at),
        }
    }

    fn synced(&mut self, at: PeerId, life: u64) {
        let seat = &mut self.seats[at.index()];
        if seat.life != life {
            return;
        }
        let Some(sync) = seat.syncs.pop_front() else {
            return;
        };
        sync.writes
            .into_iter()
            .for_each(|write| seat.disk.apply(write));
        for (to, message) in sync.held {
            self.send(at, to, message);
        }
        self.input(at, |machine, ctx| machine.on_persisted(sync.token, ctx));
    }

    fn restart(&mut self, at: PeerId) {
        let machine = seat_machine(at.0, self.servers, &self.config, &self.voters);
        let seat = &mut self.seats[at.index()];
        seat.machine = machine;
        seat.down = false;
        let durable = seat.disk.clone();
        self.input(at, |machine, ctx| machine.on_restart(durable, ctx));
    }

    fn input(
        &mut self,
        peer: PeerId,
        handler: impl FnOnce(&mut Machine, &mut Context<'_, Machine>),
    ) {
        let mut outbox = Outbox::new();
        let now = LocalTime::default() + SimDuration::from_millis(self.now);
        let seat = &mut self.seats[peer.index()];
        let mut ctx = Context::new(now, peer, &mut seat.rng, &mut seat.keys, &mut outbox);
        handler(&mut seat.machine, &mut ctx);
        let mut waits = false;
        for output in outbox.drain() {
            self.carry_out(peer, output, &mut waits);
        }
    }

    fn carry_out(&mut self, peer: PeerId, output: Output<Machine>, waits: &mut bool) {
        match output {
            Output::Send { to, payload } => {
                let held = self.seats[peer.index()].syncs.back_mut().filter(|_| *waits);
                match held {
                    Some(sync) => sync.held.push((to, (*payload).clone())),
                    None => self.send(peer, to, (*payload).clone()),
                }
            }
            Output::SetTimer { timer, after } => {
                self.later(
                    after.as_nanos() / 1_000_000,
                    Due::Timer(peer, timer, self.caused + 1),
                );
                let cause = self.caused;
                self.seats[peer.index()].timers.insert(timer, cause);
            }
            Output::CancelTimer { timer } => {
                self.seats[peer.index()].timers.remove(&timer);
            }
            Output::Persist { token, writes } => {
                *waits = true;
                let seat = &mut self.seats[peer.index()];
                let held = Vec::new();
                seat.syncs.push_back(Sync {
                    token,
                    writes,
                    held,
                });
                let life = seat.life;
                let ms = self.dice.below(self.climate.sync + 1);
                self.later(ms, Due::Synced(peer, life));
            }
            Output::Reply { request, reply } => {
                self.replies.insert(request.0, reply);
            }
            Output::Notify(event) => self.hear(peer, &event),
        }
    }

    fn hear(&mut self, peer: PeerId, event: &RaftEvent) {
        self.judge.hear(peer, event);
        if let RaftEvent::ReadServed {
            index,
            client,
            serial,
        } = event
        {
            let asker = self.seats.iter().position(|seat| {
                seat.machine.as_client().and_then(RaftClient::session) == Some(*client)
            });
            let floor = asker.and_then(|slot| self.floors.get(&(slot as u32, *serial)));
            if floor.is_some_and(|floor| index < floor) {
                let blame = format!("stale-read: {client}/{serial} at {index} below {floor:?}");
                self.judge.violation.get_or_insert(blame);
            }
        }
    }

    fn send(&mut self, from: PeerId, to: PeerId, message: RaftMessage) {
        if self.dice.below(1_000) < self.climate.doubled {
            self.fly(from, to, message.clone());
        }
        if self.dice.below(1_000) >= self.climate.loss {
            self.fly(from, to, message);
        }
    }

    fn fly(&mut self, from: PeerId, to: PeerId, message: RaftMessage) {
        let ms = self.dice.between(10, self.climate.delay);
        self.later(ms, Due::Message(from, to, message));
    }
}

fn seat_machine(
    slot: u32,
    servers: u32,
    config: &Arc<RaftConfig>,
    voters: &Configuration,
) -> Machine {
    let config = Arc::clone(config);
    if slot < servers {
        let knows = if voters.is_voter(PeerId(slot)) {
            voters.clone()
        } else {
            Configuration::default()
        };
        Raft::new(PeerId(slot), config, knows).into()
    } else {
        RaftClient::new(config, (0..servers).map(PeerId).collect()).into()
    }
}
