//! The messages of a federation in the hands of an adversary.
//!
//! What its peers decide travels in the words of Raft and PBFT: there, the forges of those protocols
//! do what they do, and this one takes their messages out of the carriage and puts them back. In a
//! two-tier federation whoever belongs to an organisation holds its key and speaks as its replica.
//! `actions` attacks what peers do for each other, `spending` what others pay for, `keys` who is who,
//! `council` what is put to the vote.

mod actions;
mod council;
mod keys;
mod relay;
mod spending;

use std::sync::Arc;

use fedsim_protocols::federation::envelope::EnvelopeConfig;
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::Digest;
use fedsim_protocols::pbft::PbftMessage;
use fedsim_protocols::raft::{Operation, RaftMessage, RaftPeer, Value};
use fedsim_protocols::stack::{
    Across, Elector, Federation, Load, Proposal, StackConfig, StackMessage, StackPeer,
};
use fedsim_protocols::{Keys, LocalTime, PeerId, SimDuration, Stream};
use fedsim_scenarios::spec::Behaviour;

use super::forge::{Forge, Round, Twist};
use super::means::{KeyRing, Means};
use super::memory::Inside;
use super::pbft::PbftForge;
use super::raft::{self, RaftForge};

type StackMeans<'a, R> = Means<'a, StackPeer<R>>;

/// Knows a federation: its councils, its envelopes, and who is who.
pub(crate) struct StackForge {
    raft: RaftForge,
    pbft: PbftForge,
    across: Across,
    federation: Arc<Federation>,
    /// The root key of each organisation: whoever lies in it holds it as well.
    roots: Vec<Keys>,
    envelope: EnvelopeConfig,
}

/// What is asked of the forge of an inner protocol.
#[derive(Clone, Copy)]
enum Change {
    Contradict,
    Lie,
    Mutate,
}

/// As what a peer speaks PBFT.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Client,
    Replica,
}

impl Part {
    fn of(message: &PbftMessage) -> Self {
        match message {
            PbftMessage::Request { .. } => Self::Client,
            _ => Self::Replica,
        }
    }
}

impl StackForge {
    /// Knows `federation`, whose peers are set as `config` says.
    pub(crate) fn new(
        federation: &Arc<Federation>,
        config: &StackConfig,
        roots: Vec<Keys>,
    ) -> Self {
        Self {
            raft: RaftForge {
                patience: config.raft.election_timeout_min,
                forgery: forged,
            },
            pbft: PbftForge {
                patience: config.pbft.view_timeout,
            },
            across: config.across,
            federation: Arc::clone(federation),
            roots,
            envelope: config.actions.envelope,
        }
    }

    fn change<R: Rules>(
        &self,
        change: Change,
        message: &StackMessage,
        means: &mut StackMeans<'_, R>,
    ) -> Option<StackMessage> {
        match load_of(message)? {
            Load::Raft { message } => self
                .with_raft(means, |forge, means| changed(change, forge, message, means))
                .map(|message| plain(Load::Raft { message })),
            Load::Pbft { message } => self
                .with_pbft(Part::of(message), means, |forge, means| {
                    changed(change, forge, message, means)
                })
                .map(|message| plain(Load::Pbft { message })),
            Load::Action { action } => match change {
                Change::Mutate => actions::mutant(action, means),
                Change::Contradict | Change::Lie => None,
            },
            Load::Notice { proposal } => {
                let proposal = forged_proposal(&proposal.content);
                Some(plain(Load::Notice { proposal }))
            }
            Load::Receipt { .. }
            | Load::Refusal { .. }
            | Load::OutcomeUnknown { .. }
            | Load::Head { .. }
            | Load::Identity { .. }
            | Load::Witness { .. }
            | Load::Bid { .. }
            | Load::Ruling { .. }
            | Load::Touch { .. } => None,
        }
    }

    /// Lends the forge of Raft what an adversary has, as a member of its own council.
    fn with_raft<R: Rules, T>(
        &self,
        means: &mut StackMeans<'_, R>,
        deed: impl FnOnce(&RaftForge, &mut Means<'_, RaftPeer>) -> T,
    ) -> T {
        let own = self.federation.organisation_of(means.me);
        let own = own.map_or(&[][..], |own| &self.federation.organisations[own]);
        let is_colleague = |peer: &PeerId| self.across == Across::Raft || own.contains(peer);
        let others: Vec<PeerId> = means.others.iter().copied().filter(is_colleague).collect();
        let mut sends = Vec::new();
        let done = deed(
            &self.raft,
            &mut Means {
                me: means.me,
                now: means.now,
                settings: means.settings,
                others: &others,
                halves: means.halves,
                ring: &mut *means.ring,
                memory: &Inside {
                    all: means.memory,
                    lens: raft_of,
                    slot: &|peer| peer,
                },
                dice: &mut *means.dice,
                sends: &mut sends,
            },
        );
        for (to, payload) in sends {
            let message = RaftMessage::clone(&payload);
            means.send(to, plain(Load::Raft { message }));
        }
        done
    }

    /// Lends the forge of PBFT what an adversary has: as a replica, or as the client that sends
    /// requests.
    fn with_pbft<R: Rules, T>(
        &self,
        part: Part,
        means: &mut StackMeans<'_, R>,
        deed: impl FnOnce(&PbftForge, &mut Means<'_, Elector<R>>) -> T,
    ) -> T {
        let speaks_for_all = self.across == Across::TwoTier && part == Part::Replica;
        let slot = |peer| match speaks_for_all {
            true => self.slot_of(peer),
            false => peer,
        };
        let mut seals = speaks_for_all.then(|| self.seals(means.ring));
        let halves = speaks_for_all.then(|| self.halves(means.others));
        let mut others: Vec<PeerId> = means.others.iter().map(|peer| slot(*peer)).collect();
        others.dedup();
        others.retain(|peer| seals.as_ref().is_none_or(|seals| !seals.holds(*peer)));
        let mut sends = Vec::new();
        let done = deed(
            &self.pbft,
            &mut Means {
                me: slot(means.me),
                now: means.now,
                settings: means.settings,
                others: &others,
                halves: halves.as_deref().unwrap_or(means.halves),
                ring: seals.as_mut().unwrap_or(&mut *means.ring),
                memory: &Inside {
                    all: means.memory,
                    lens: pbft_of,
                    slot: &slot,
                },
                dice: &mut *means.dice,
                sends: &mut sends,
            },
        );
        for (to, payload) in sends {
            let load = || Load::Pbft {
                message: PbftMessage::clone(&payload),
            };
            match self.peers_at(to).filter(|_| speaks_for_all) {
                Some(peers) => peers.iter().for_each(|to| means.send(*to, plain(load()))),
                None => means.send(to, plain(load())),
            }
        }
        done
    }

    /// The slot under which a peer's organisation is a replica.
    fn slot_of(&self, peer: PeerId) -> PeerId {
        let organisation = self.federation.organisation_of(peer);
        organisation.map_or(peer, |number| self.federation.organisations[number][0])
    }

    fn peers_at(&self, slot: PeerId) -> Option<&[PeerId]> {
        let mut all = self.federation.organisations.iter();
        let peers = all.find(|peers| peers[0] == slot);
        peers.map(Vec::as_slice)
    }

    /// The keys of the organisations that the owners of `ring` belong to.
    fn seals(&self, ring: &KeyRing) -> KeyRing {
        let numbers = ring
            .owners()
            .filter_map(|peer| self.federation.organisation_of(peer));
        let keys = numbers.map(|number| {
            let slot = self.federation.organisations[number][0];
            (slot, self.federation.organisation_keys[number].clone())
        });
        ring.of_others(keys.collect())
    }

    /// Every second organisation without a liar belongs to the half that is told something else.
    fn halves(&self, others: &[PeerId]) -> Vec<bool> {
        let organisations = &self.federation.organisations;
        let mut halves = vec![false; organisations.iter().map(Vec::len).sum()];
        let honest = organisations
            .iter()
            .filter(|peers| peers.iter().all(|peer| others.contains(peer)));
        for peer in honest.skip(1).step_by(2).flatten() {
            halves[peer.index()] = true;
        }
        halves
    }
}

impl<R: Rules> Forge<StackPeer<R>> for StackForge {
    fn leads(&self, message: &StackMessage) -> bool {
        let Some(load) = load_of(message) else {
            return false;
        };
        match load {
            Load::Raft { message } => Forge::<RaftPeer>::leads(&self.raft, message),
            Load::Pbft { message } => Forge::<Elector<R>>::leads(&self.pbft, message),
            Load::Action { .. }
            | Load::Receipt { .. }
            | Load::Refusal { .. }
            | Load::Notice { .. }
            | Load::OutcomeUnknown { .. }
            | Load::Head { .. }
            | Load::Identity { .. }
            | Load::Witness { .. }
            | Load::Bid { .. }
            | Load::Ruling { .. }
            | Load::Touch { .. } => false,
        }
    }

    /// The rounds of the councils; actions belong to none.
    fn round(&self, message: &StackMessage, at: LocalTime) -> Option<Round> {
        let raft = |it| Forge::<RaftPeer>::round(&self.raft, it, at);
        let pbft = |it| Forge::<Elector<R>>::round(&self.pbft, it, at);
        let of_raft = raft_of(message).and_then(raft);
        of_raft.or_else(|| pbft_of(message).and_then(pbft))
    }

    fn patience(&self, _: PeerId) -> Option<SimDuration> {
        Some(match self.across {
            Across::Raft => self.raft.patience,
            Across::Flat | Across::TwoTier | Across::Broadcast => self.pbft.patience,
        })
    }

    fn is_evidence(&self, message: &StackMessage) -> bool {
        let Some(load) = load_of(message) else {
            return false;
        };
        match load {
            Load::Pbft { message } => Forge::<Elector<R>>::is_evidence(&self.pbft, message),
            Load::Action { .. } => true,
            Load::Raft { .. }
            | Load::Receipt { .. }
            | Load::Refusal { .. }
            | Load::Notice { .. }
            | Load::OutcomeUnknown { .. }
            | Load::Head { .. }
            | Load::Identity { .. }
            | Load::Witness { .. }
            | Load::Bid { .. }
            | Load::Ruling { .. }
            | Load::Touch { .. } => false,
        }
    }

    fn contradict(
        &self,
        message: &StackMessage,
        means: &mut StackMeans<'_, R>,
    ) -> Option<StackMessage> {
        self.change(Change::Contradict, message, means)
    }

    fn lie(&self, message: &StackMessage, means: &mut StackMeans<'_, R>) -> Option<StackMessage> {
        self.change(Change::Lie, message, means)
    }

    fn mutate(
        &self,
        message: &StackMessage,
        means: &mut StackMeans<'_, R>,
    ) -> Option<StackMessage> {
        self.change(Change::Mutate, message, means)
    }

    fn twist(
        &self,
        what: Behaviour,
        (to, message): (PeerId, &StackMessage),
        machine: &StackPeer<R>,
        means: &mut StackMeans<'_, R>,
    ) -> Twist<StackMessage> {
        match load_of(message) {
            Some(Load::Raft { message }) if is_of(what, "raft") => {
                let server = machine.server();
                let twist = self.with_raft(means, |forge, means| {
                    forge.twist(what, (to, message), server, means)
                });
                carried(twist, |message| Load::Raft { message })
            }
            Some(Load::Pbft { message }) if is_of(what, "pbft") => {
                let part = Part::of(message);
                let speaker = match part {
                    Part::Client => machine.client(),
                    Part::Replica => machine.replica(),
                };
                let Some(speaker) = speaker else {
                    return Twist::Keep;
                };
                let twist = self.with_pbft(part, means, |forge, means| {
                    forge.twist(what, (to, message), speaker, means)
                });
                carried(twist, |message| Load::Pbft { message })
            }
            _ => spending::twist(what, message, means),
        }
    }

    fn hear(
        &self,
        what: Behaviour,
        (from, message): (PeerId, &StackMessage),
        machine: &StackPeer<R>,
        means: &mut StackMeans<'_, R>,
    ) -> bool {
        if what == Behaviour::RelayHandshake {
            return relay::hear((from, message), machine, means);
        }
        match load_of(message) {
            Some(Load::Raft { message }) if is_of(what, "raft") => {
                let server = machine.server();
                self.with_raft(means, |forge, means| {
                    forge.hear(what, (from, message), server, means)
                })
            }
            _ => false,
        }
    }

    fn hold(&self, machine: &mut StackPeer<R>) {
        machine.hold();
    }

    fn take_heard(&self, machine: &mut StackPeer<R>) -> Option<(PeerId, StackMessage)> {
        machine.take_heard()
    }

    fn seal(
        &self,
        machine: &mut StackPeer<R>,
        (to, message): (PeerId, &StackMessage),
        at: (LocalTime, &mut Stream),
    ) -> Option<Vec<StackMessage>> {
        machine.sealed(to, load_of(message)?, at)
    }

    fn act(&self, what: Behaviour, machine: &mut StackPeer<R>, means: &mut StackMeans<'_, R>) {
        if is_of(what, "raft") {
            let server = machine.server();
            self.with_raft(means, |forge, means| forge.strike(what, server, means));
        }
        if let Some(replica) = machine.replica().filter(|_| is_of(what, "pbft")) {
            self.with_pbft(Part::Replica, means, |forge, means| {
                forge.strike(what, replica, means);
            });
        }
        match what {
            Behaviour::DelegationRing => spending::handed_back(self, machine, means),
            Behaviour::NameSquatting => keys::squat(self, machine, means),
            Behaviour::PoisonedKeys => keys::poison(self, machine, means),
            Behaviour::TwoHeirs => keys::contest(machine, means),
            Behaviour::InventedPeers => keys::crowd(self, machine, means),
            Behaviour::BorrowedNames => council::propose_for_another(machine, means),
            _ => actions::act(self, what, machine, means),
        }
    }
}

fn changed<P: fedsim_protocols::Protocol>(
    change: Change,
    forge: &impl Forge<P>,
    message: &P::Message,
    means: &mut Means<'_, P>,
) -> Option<P::Message> {
    match change {
        Change::Contradict => forge.contradict(message, means),
        Change::Lie => forge.lie(message, means),
        Change::Mutate => forge.mutate(message, means),
    }
}

fn carried<M>(twist: Twist<M>, load: fn(M) -> Load) -> Twist<StackMessage> {
    match twist {
        Twist::Keep => Twist::Keep,
        Twist::Drop => Twist::Drop,
        Twist::Hold => Twist::Hold,
        Twist::Replace(message) => Twist::Replace(plain(load(message))),
    }
}

fn is_of(what: Behaviour, protocol: &str) -> bool {
    what.protocols().contains(&protocol)
}

fn plain(load: Load) -> StackMessage {
    let load = Box::new(load);
    StackMessage::Plain { load }
}

/// What a message says to whoever reads it on its way; in a session nobody does.
fn load_of(message: &StackMessage) -> Option<&Load> {
    match message {
        StackMessage::Plain { load } => Some(load),
        StackMessage::Packet { .. } | StackMessage::NoSession { .. } => None,
    }
}

fn raft_of(message: &StackMessage) -> Option<&RaftMessage> {
    match load_of(message)? {
        Load::Raft { message } => Some(message),
        _ => None,
    }
}

fn pbft_of(message: &StackMessage) -> Option<&PbftMessage> {
    match load_of(message)? {
        Load::Pbft { message } => Some(message),
        _ => None,
    }
}

/// Another operation than the one that was asked for; a list of decisions still reads as one.
fn forged(operation: &Operation) -> Operation {
    match operation {
        Operation::Append { key, value } => Operation::Append {
            key: *key,
            value: Value::from(forged_proposal(value.as_bytes()).entry().as_slice()),
        },
        other => raft::forged(other),
    }
}

/// What nobody proposed, told apart by what stood in its place.
fn forged_proposal(instead_of: &[u8]) -> Proposal {
    let Digest(digest) = Digest::of(&instead_of.to_vec());
    let [a, b, c, d, ..] = digest;
    Proposal {
        proposer: PeerId(0),
        number: 1 << 40 | u64::from(u32::from_le_bytes([a, b, c, d])),
        content: b"forged".to_vec(),
    }
}
