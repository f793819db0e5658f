//! What an adversary has to work with: keys, dice, memory, and whom he is up against.
//!
//! Nobody can sign for a peer whose secret he does not hold. A [`KeyRing`] is made with the keys of
//! a cabal's members and gives none of them away; a fresh key belongs to nobody else; [`Signed`]
//! content put together by hand carries a signature that no honest peer accepts.
//!
//! The secret of a key cannot be had from it:
//! ```compile_fail
//! use fedsim_protocols::{KeyScheme, Keys, SecretSeed};
//! let keys = Keys::new(KeyScheme::ed25519(), SecretSeed([1; 32]));
//! let seed = keys.seed;
//! ```
//! nor can the run's key, from which all secrets follow, from a stream of dice:
//! ```compile_fail
//! use fedsim_protocols::{RunKey, Stream, StreamLabel};
//! let dice = Stream::new(RunKey::from_seed(1), StreamLabel::global("adversary"));
//! let key = dice.key;
//! ```
//! nor a ring with somebody else's keys:
//! ```compile_fail
//! use fedsim_protocols::{KeyScheme, Keys, PeerId, SecretSeed};
//! let keys = Keys::new(KeyScheme::ed25519(), SecretSeed([1; 32]));
//! let ring = fedsim_sim::adversary::KeyRing::new(KeyScheme::ed25519(), vec![(PeerId(1), keys)]);
//! ```

use fedsim_protocols::{
    KeyScheme, Keys, LocalTime, Payload, PeerId, Protocol, PublicKey, SecretSeed, Signable, Signed,
    Stream,
};
use fedsim_scenarios::spec::adversaries::BehaviourSettings;
use rand::Rng;

use super::memory::Recall;

/// The keys of a cabal: those of its members.
pub struct KeyRing {
    scheme: KeyScheme,
    keys: Vec<(PeerId, Keys)>,
    /// Keys that belong to no peer, and the member who speaks for each.
    made_up: Vec<(PeerId, Keys)>,
}

impl KeyRing {
    pub(crate) fn new(scheme: KeyScheme, keys: Vec<(PeerId, Keys)>) -> Self {
        let made_up = Vec::new();
        Self {
            scheme,
            keys,
            made_up,
        }
    }

    /// The peers for whom it signs.
    pub fn owners(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.keys.iter().map(|(peer, _)| *peer)
    }

    /// Whether it signs for this peer.
    pub fn holds(&self, peer: PeerId) -> bool {
        self.owners().any(|owner| owner == peer)
    }

    /// The public key of a member.
    pub fn public(&self, peer: PeerId) -> Option<PublicKey> {
        let keys = self.keys.iter().find(|(owner, _)| *owner == peer)?;
        Some(keys.1.public())
    }

    /// The member whose public key this is.
    pub fn owner_of(&self, key: &PublicKey) -> Option<PeerId> {
        let keys = self.keys.iter().find(|(_, keys)| keys.public() == *key)?;
        Some(keys.0)
    }

    /// `content` signed as `peer`; none if that is no member.
    pub fn sign<T: Signable>(&mut self, peer: PeerId, content: T) -> Option<Signed<T>> {
        let keys = self.keys.iter_mut().find(|(owner, _)| *owner == peer)?;
        Some(keys.1.sign(content))
    }

    /// A ring of other keys, which whoever owns this one holds as well.
    pub(super) fn of_others(&self, mut keys: Vec<(PeerId, Keys)>) -> Self {
        keys.sort_by_key(|(owner, _)| *owner);
        keys.dedup_by_key(|(owner, _)| *owner);
        Self::new(self.scheme.clone(), keys)
    }

    /// Keys that belong to nobody.
    pub fn invent(&self, dice: &mut Stream) -> Keys {
        let mut secret = [0; 32];
        dice.fill_bytes(&mut secret);
        Keys::new(self.scheme.clone(), SecretSeed(secret))
    }

    /// Keeps keys that were made up, for a member to speak for.
    pub(super) fn keep(&mut self, member: PeerId, keys: Keys) {
        self.made_up.push((member, keys));
    }

    /// The made-up keys that a member speaks for.
    pub(super) fn made_up(&mut self, member: PeerId) -> impl Iterator<Item = &mut Keys> {
        let all = self.made_up.iter_mut();
        all.filter(move |(owner, _)| *owner == member)
            .map(|(_, keys)| keys)
    }

    /// Whether a key was made up and kept.
    pub(super) fn is_made_up(&self, key: &PublicKey) -> bool {
        self.made_up.iter().any(|(_, keys)| keys.public() == *key)
    }
}

/// What a [`Forge`](super::Forge) is lent for one deed.
pub struct Means<'a, P: Protocol> {
    /// The member that acts.
    pub me: PeerId,
    /// What its clock says.
    pub now: LocalTime,
    /// How it is to act.
    pub settings: &'a BehaviourSettings,
    /// Everybody outside the cabal, clients included.
    pub others: &'a [PeerId],
    /// By slot: whether a peer belongs to the half that is told something else.
    pub halves: &'a [bool],
    /// The cabal's keys.
    pub ring: &'a mut KeyRing,
    /// All that the cabal sent, got and overheard, as far back as it remembers.
    pub memory: &'a dyn Recall<P::Message>,
    /// The cabal's dice.
    pub dice: &'a mut Stream,
    pub(super) sends: &'a mut Vec<(PeerId, Payload<P::Message>)>,
}

impl<P: Protocol> Means<'_, P> {
    /// Whom this is aimed at: the targets named, else everybody outside the cabal.
    pub fn targets(&self) -> Vec<PeerId> {
        let named = self.settings.target.as_deref();
        named.unwrap_or(self.others).to_vec()
    }

    /// Whether a peer is in the half that is told something else.
    pub fn is_in_second_half(&self, peer: PeerId) -> bool {
        self.halves.get(peer.index()).copied().unwrap_or(false)
    }

    /// Sends a message as the acting member; nothing stands between it and the network.
    pub fn send(&mut self, to: PeerId, message: P::Message) {
        self.sends.push((to, Payload::Inline(message)));
    }

    /// Sends one message to several peers.
    pub fn multicast(&mut self, to: &[PeerId], message: P::Message) {
        let shared = Payload::shared(message);
        self.sends.extend(to.iter().map(|to| (*to, shared.clone())));
    }

    /// Signs as the acting member.
    pub fn sign<T: Signable>(&mut self, content: T) -> Signed<T> {
        let me = self.me;
        self.ring
            .sign(me, content)
            .expect("BUG: a member is not on its own ring")
    }
}
