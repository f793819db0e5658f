//! Those who conspire: what they hold in common, and what they do with what comes in.
//!
//! Lives in one actor with all its members. Must not know of time beyond a member's clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedsim_protocols::{
    KeyScheme, Keys, LocalTime, Message, Outbox, Output, Payload, PeerId, Protocol, SimDuration,
    Stream,
};
use fedsim_scenarios::spec::Behaviour;

use super::forge::Forge;
use super::means::{KeyRing, Means};
use super::memory::{Memory, Seen};
use super::roles::{Conspiracy, Role, just_below};
use super::rounds::Rounds;
use super::tally::Misdeeds;

/// Which instance of which member acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) me: PeerId,
    pub(crate) is_twin: bool,
}

/// Which instance of a member hears a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    First,
    Twin,
    Both,
}

/// How long something is held where no timeout is known.
const SOME_TIME: SimDuration = SimDuration::from_millis(100);

/// Byzantine peers that share keys, memory and dice.
pub(crate) struct Cabal<P: Protocol> {
    pub(super) forge: Arc<dyn Forge<P>>,
    pub(super) roles: Arc<[Role]>,
    pub(super) ring: KeyRing,
    pub(super) memory: Memory<P::Message>,
    pub(super) dice: Stream,
    pub(super) halves: Vec<bool>,
    pub(super) others: Vec<PeerId>,
    pub(super) rounds: Rounds,
    lookahead: SimDuration,
    /// How many strikes hold a member in a role.
    on: BTreeMap<(PeerId, usize), u32>,
    misdeeds: Misdeeds,
    pub(super) sends: Vec<(PeerId, Payload<P::Message>)>,
}

/// What a cabal is made with.
pub(crate) struct Founding<P: Protocol> {
    pub(crate) forge: Arc<dyn Forge<P>>,
    pub(crate) scheme: KeyScheme,
    pub(crate) keys: Vec<(PeerId, Keys)>,
    /// The cabal's dice, and those that divide the others into halves.
    pub(crate) dice: [Stream; 2],
    /// All peers, and who of them are clients.
    pub(crate) peers: Vec<PeerId>,
    pub(crate) clients: Vec<PeerId>,
    pub(crate) lookahead: SimDuration,
}

impl<P: Protocol> Cabal<P> {
    pub(crate) fn new(conspiracy: &Conspiracy, founding: Founding<P>) -> Self {
        let [dice, mut division] = founding.dice;
        let ring = KeyRing::new(founding.scheme, founding.keys);
        let others = founding
            .peers
            .iter()
            .copied()
            .filter(|peer| !ring.holds(*peer));
        let others: Vec<PeerId> = others.collect();
        let mut divided: Vec<PeerId> = others.clone();
        divided.retain(|peer| !founding.clients.contains(peer));
        division.shuffle(&mut divided);
        let mut halves = vec![false; founding.peers.len()];
        let second = divided.len() - divided.len() / 2;
        divided[..second]
            .iter()
            .for_each(|peer| halves[peer.index()] = true);
        Self {
            forge: founding.forge,
            roles: Arc::clone(&conspiracy.roles),
            ring,
            memory: Memory::default(),
            dice,
            halves,
            others,
            rounds: Rounds::default(),
            lookahead: founding.lookahead,
            on: BTreeMap::new(),
            misdeeds: Misdeeds::new(conspiracy),
            sends: Vec::new(),
        }
    }

    /// A member takes up a role or lays it down; how soon it acts by itself, if it does.
    pub(crate) fn turn(&mut self, me: PeerId, role: usize, on: bool) -> Option<SimDuration> {
        let strikes = self.on.entry((me, role)).or_insert(0);
        if !on {
            *strikes = strikes.saturating_sub(1);
            return None;
        }
        *strikes += 1;
        if *strikes > 1 { None } else { self.pace(role) }
    }

    /// From one act of a role to the next, if it has any.
    pub(crate) fn pace(&self, role: usize) -> Option<SimDuration> {
        let acts = |what: &Behaviour| what.takes().contains(&"pace");
        let role = &self.roles[role];
        role.what.iter().any(acts).then(|| role.settings.pace())
    }

    /// Whether a member plays a role now.
    pub(crate) fn is_on(&self, me: PeerId, role: usize) -> bool {
        self.on.get(&(me, role)).is_some_and(|strikes| *strikes > 0)
    }

    /// What a member does now: role and place in it.
    pub(super) fn does(&self, me: PeerId) -> Vec<(usize, usize, Behaviour)> {
        let roles = (0..self.roles.len()).filter(|role| self.is_on(me, *role));
        let places = |role: usize| {
            let what = self.roles[role].what.iter().enumerate();
            what.map(move |(place, what)| (role, place, *what))
        };
        roles.flat_map(places).collect()
    }

    pub(super) fn does_at_all(&self, me: PeerId, what: Behaviour) -> Option<(usize, usize)> {
        let does = self.does(me).into_iter();
        does.filter(|it| it.2 == what).map(|it| (it.0, it.1)).next()
    }

    /// What a forge may use for a member in a role.
    pub(super) fn lend<R>(
        &mut self,
        (me, now, role): (PeerId, LocalTime, usize),
        deed: impl FnOnce(&dyn Forge<P>, &mut Means<'_, P>) -> R,
    ) -> R {
        let forge = Arc::clone(&self.forge);
        let roles = Arc::clone(&self.roles);
        let mut means = Means {
            me,
            now,
            settings: &roles[role].settings,
            others: &self.others,
            halves: &self.halves,
            ring: &mut self.ring,
            memory: &self.memory,
            dice: &mut self.dice,
            sends: &mut self.sends,
        };
        deed(&*forge, &mut means)
    }

    pub(super) fn note(&mut self, role: usize, place: usize, deeds: u64) {
        self.misdeeds.note(role, place, deeds);
    }

    pub(super) fn note_garbage(&mut self) {
        self.misdeeds.garbage += 1;
    }

    /// What was done so far; counted from nothing again.
    pub(crate) fn take_misdeeds(&mut self) -> Misdeeds {
        std::mem::take(&mut self.misdeeds)
    }

    /// How long a role holds what it delays.
    pub(super) fn span(&self, me: PeerId, role: usize) -> SimDuration {
        let patience = || self.forge.patience(me);
        let by = self.roles[role].settings.by;
        by.or_else(|| patience().map(|span| just_below(span, self.lookahead)))
            .unwrap_or(SOME_TIME)
    }

    pub(super) fn remember(&mut self, from: PeerId, to: PeerId, payload: Payload<P::Message>) {
        let is_evidence = self.forge.is_evidence(&payload);
        self.memory.note(Seen { from, to, payload }, is_evidence);
    }

    /// Others said something to each other, one lookahead ago.
    pub(crate) fn overhear(&mut self, from: PeerId, to: PeerId, payload: &Payload<P::Message>) {
        self.remember(from, to, payload.clone());
    }

    /// Which instance of a member hears what `from` sends.
    pub(crate) fn side(&self, me: PeerId, from: PeerId) -> Side {
        match self.does_at_all(me, Behaviour::Twins) {
            None => Side::Both,
            Some((role, _)) if self.is_on_twin_side(role, from) => Side::Twin,
            Some(_) => Side::First,
        }
    }

    pub(super) fn is_on_twin_side(&self, role: usize, peer: PeerId) -> bool {
        match &self.roles[role].settings.target {
            Some(target) => target.contains(&peer),
            None => self.halves.get(peer.index()).copied().unwrap_or(false),
        }
    }

    /// Whether a member handles nothing at all any more.
    pub(crate) fn is_gone(&mut self, me: PeerId) -> bool {
        let gone = self.does_at_all(me, Behaviour::CrashStop);
        if let Some((role, place)) = gone {
            self.note(role, place, 1);
        }
        gone.is_some()
    }

    /// A message comes in; true if the member's machine must not hear it.
    pub(crate) fn hear(
        &mut self,
        (part, now): (Part, LocalTime),
        (from, message): (PeerId, &P::Message),
        machine: &P,
        outbox: &mut Outbox<P>,
    ) -> bool {
        if !part.is_twin {
            self.remember(from, part.me, Payload::Inline(message.clone()));
        }
        if self.ring.holds(from) || part.is_twin {
            return false;
        }
        let mut is_kept = false;
        for (role, place, what) in self.does(part.me) {
            let keeps = match what {
                Behaviour::Omit => self.touches((now, role), what, from, message),
                _ => {
                    let heard = (from, message);
                    self.lend((part.me, now, role), |forge, means| {
                        forge.hear(what, heard, machine, means)
                    })
                }
            };
            let deeds = self.sends.len() as u64 + u64::from(keeps);
            self.note(role, place, deeds);
            self.utter(part.me, outbox);
            is_kept |= keeps;
        }
        is_kept
    }

    /// Takes charge of what goes in a member's sessions.
    pub(crate) fn hold(&self, machine: &mut P) {
        self.forge.hold(machine);
    }

    /// What a member heard in a session and was not yet given, from whom.
    pub(crate) fn take_heard(&self, machine: &mut P) -> Option<(PeerId, P::Message)> {
        self.forge.take_heard(machine)
    }

    /// Puts what a member says into its sessions, where it goes in any.
    pub(crate) fn seal(&mut self, now: LocalTime, machine: &mut P, outbox: &mut Outbox<P>) {
        for output in std::mem::take(outbox.outputs_mut()) {
            let Output::Send { to, payload } = output else {
                outbox.push(output);
                continue;
            };
            let at = (now, &mut self.dice);
            let Some(sealed) = self.forge.seal(machine, (to, &payload), at) else {
                outbox.push(Output::Send { to, payload });
                continue;
            };
            for message in sealed {
                let payload = Payload::Inline(message);
                outbox.push(Output::Send { to, payload });
            }
        }
    }

    /// A role's turn to act by itself.
    pub(crate) fn act(
        &mut self,
        (me, now): (PeerId, LocalTime),
        role: usize,
        machine: &mut P,
        outbox: &mut Outbox<P>,
    ) {
        for (place, what) in self.roles[role].what.clone().into_iter().enumerate() {
            match what {
                Behaviour::Replay => self.replay(role),
                Behaviour::Flood => self.flood(me, role),
                _ => self.lend((me, now, role), |forge, means| {
                    forge.act(what, &mut *machine, means)
                }),
            }
            self.note(role, place, self.sends.len() as u64);
            self.utter(me, outbox);
        }
    }

    /// Puts what was made up into the outbox.
    fn utter(&mut self, me: PeerId, outbox: &mut Outbox<P>) {
        for (to, payload) in std::mem::take(&mut self.sends) {
            self.remember(me, to, payload.clone());
            outbox.push(Output::Send { to, payload });
        }
    }

    fn replay(&mut self, role: usize) {
        let settings = self.roles[role].settings.clone();
        for _ in 0..settings.amount() {
            let Some(last) = (self.memory.len() as u64).checked_sub(1) else {
                return;
            };
            let place = self.dice.between(0, last) as usize;
            let Some(seen) = self.memory.nth(place).cloned() else {
                return;
            };
            let targets = settings.target.as_ref().unwrap_or(&self.others);
            let to = targets[self.dice.below(targets.len() as u64) as usize];
            if is_of_kinds::<P>(settings.kinds.as_deref(), &seen.payload) {
                self.sends.push((to, seen.payload));
            }
        }
    }

    fn flood(&mut self, me: PeerId, role: usize) {
        let settings = &self.roles[role].settings;
        let kinds = settings.kinds.as_deref();
        let mut own = self.memory.newest_first().filter(|seen| seen.from == me);
        let Some(seen) = own.find(|seen| is_of_kinds::<P>(kinds, &seen.payload)) else {
            return;
        };
        for to in settings.target.as_ref().unwrap_or(&self.others) {
            let copies = (0..settings.amount()).map(|_| (*to, seen.payload.clone()));
            self.sends.extend(copies);
        }
    }
}

/// Whether a message is of one of some kinds.
pub(super) fn is_of_kinds<P: Protocol>(kinds: Option<&[String]>, message: &P::Message) -> bool {
    let name = <P::Message as Message>::KINDS[message.kind()];
    kinds.is_none_or(|kinds| kinds.iter().any(|kind| kind == name))
}
