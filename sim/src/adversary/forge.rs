//! What an adversary must know of a protocol to attack it.

use fedsim_protocols::{LocalTime, PeerId, Protocol, SimDuration, Stream};
use fedsim_scenarios::spec::Behaviour;

use super::means::Means;

/// What an attack makes of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Twist<M> {
    /// It goes as it is.
    Keep,
    /// It does not go.
    Drop,
    /// It is held back: as long as the adversary's `by` says.
    Hold,
    /// Another one goes in its place.
    Replace(M),
}

/// One round of a protocol: its messages of one kind about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round {
    /// Which view or term; 0 where the protocol has none.
    pub view: u64,
    /// Which sequence number, log index, request or period.
    pub place: u64,
    /// Which kind of message, by index.
    pub phase: usize,
}

impl Round {
    /// The one that `at` is in, where rounds are spans of a clock.
    pub(super) fn of_period(at: LocalTime, span: SimDuration, phase: usize) -> Self {
        let place = at.as_nanos().max(0) as u64 / span.as_nanos().max(1);
        let view = 0;
        Self { view, place, phase }
    }
}

/// One protocol's messages in the hands of an adversary. Whatever it makes is signed, where it is
/// signed at all, with keys of the cabal.
pub trait Forge<P: Protocol>: Send + Sync {
    /// Whether only a leader or primary sends such a message.
    fn leads(&self, message: &P::Message) -> bool {
        let _ = message;
        false
    }

    /// The round that a message sent at `at` belongs to; none if it belongs to no round.
    fn round(&self, message: &P::Message, at: LocalTime) -> Option<Round> {
        let _ = (message, at);
        None
    }

    /// How long others wait for a peer before they do something about it.
    fn patience(&self, peer: PeerId) -> Option<SimDuration> {
        let _ = peer;
        None
    }

    /// Whether a message is worth remembering long: it proves something.
    fn is_evidence(&self, message: &P::Message) -> bool {
        let _ = message;
        false
    }

    /// A message in the same place that says something else; it must be the same for all receivers.
    fn contradict(&self, message: &P::Message, means: &mut Means<'_, P>) -> Option<P::Message> {
        let _ = (message, means);
        None
    }

    /// The message with a state that is not the sender's.
    fn lie(&self, message: &P::Message, means: &mut Means<'_, P>) -> Option<P::Message> {
        let _ = (message, means);
        None
    }

    /// The message with one field changed by a small step, signed anew.
    fn mutate(&self, message: &P::Message, means: &mut Means<'_, P>) -> Option<P::Message> {
        let _ = (message, means);
        None
    }

    /// What an attack makes of a message that `machine` sends; also other messages, by way of `means`.
    fn twist(
        &self,
        what: Behaviour,
        (to, message): (PeerId, &P::Message),
        machine: &P,
        means: &mut Means<'_, P>,
    ) -> Twist<P::Message> {
        let _ = (what, to, message, machine, means);
        Twist::Keep
    }

    /// An attack hears a message before its machine does; true if the machine must not hear it.
    fn hear(
        &self,
        what: Behaviour,
        heard: (PeerId, &P::Message),
        machine: &P,
        means: &mut Means<'_, P>,
    ) -> bool {
        let _ = (what, heard, machine, means);
        false
    }

    /// Has a machine leave to the cabal what goes in its sessions.
    fn hold(&self, machine: &mut P) {
        let _ = machine;
    }

    /// What `machine` heard in a session and was not yet given, from whom.
    fn take_heard(&self, machine: &mut P) -> Option<(PeerId, P::Message)> {
        let _ = machine;
        None
    }

    /// What carries a message to a peer in a session of `machine`'s; none if it goes as it is.
    fn seal(
        &self,
        machine: &mut P,
        message: (PeerId, &P::Message),
        at: (LocalTime, &mut Stream),
    ) -> Option<Vec<P::Message>> {
        let _ = (machine, message, at);
        None
    }

    /// What an attack does by itself, once a pace.
    fn act(&self, what: Behaviour, machine: &mut P, means: &mut Means<'_, P>) {
        let _ = (what, machine, means);
    }
}

/// Knows nothing of a protocol: its adversaries do what can be done to any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl<P: Protocol> Forge<P> for Plain {}
