//! Rumors in the hands of an adversary. Nothing in them is signed.

use fedsim_protocols::rumor::{Rules, Rumor, RumorCopy, RumorId, RumorMessage};
use fedsim_protocols::{LocalTime, Message, PeerId, SimDuration};
use fedsim_scenarios::spec::Behaviour;

use super::forge::{Forge, Round, Twist};
use super::means::Means;

/// Knows how rumors spread.
pub(crate) struct RumorForge {
    /// One round.
    pub(crate) round: SimDuration,
}

type RumorMeans<'a, R> = Means<'a, Rumor<R>>;

impl<R: Rules> Forge<Rumor<R>> for RumorForge {
    /// Rounds of gossip, by the sender's clock.
    fn round(&self, message: &RumorMessage, at: LocalTime) -> Option<Round> {
        Some(Round::of_period(at, self.round, message.kind()))
    }

    fn patience(&self, _: PeerId) -> Option<SimDuration> {
        Some(self.round)
    }

    fn contradict(
        &self,
        message: &RumorMessage,
        _: &mut RumorMeans<'_, R>,
    ) -> Option<RumorMessage> {
        with_copy(message, |copy| copy.payload ^= 1 << 40)
    }

    fn lie(&self, message: &RumorMessage, _: &mut RumorMeans<'_, R>) -> Option<RumorMessage> {
        match message {
            RumorMessage::Feedback {
                rumor,
                contact,
                needed,
            } => Some(RumorMessage::Feedback {
                rumor: *rumor,
                contact: *contact,
                needed: !needed,
            }),
            RumorMessage::Digest { .. } => Some(RumorMessage::Digest {
                known: Box::default(),
            }),
            other => with_copy(other, |copy| copy.age = 0),
        }
    }

    fn mutate(
        &self,
        message: &RumorMessage,
        means: &mut RumorMeans<'_, R>,
    ) -> Option<RumorMessage> {
        let up = means.dice.below(2) == 1;
        let step = |number: u32| {
            if up {
                number.saturating_add(1)
            } else {
                number.saturating_sub(1)
            }
        };
        match (message, means.dice.below(4)) {
            (
                RumorMessage::Feedback {
                    needed,
                    rumor,
                    contact,
                },
                _,
            ) => Some(RumorMessage::Feedback {
                rumor: RumorId {
                    sequence: step(rumor.sequence),
                    ..*rumor
                },
                contact: *contact,
                needed: *needed,
            }),
            (other, 0) => with_copy(other, |copy| copy.age = step(copy.age)),
            (other, 1) => with_copy(other, |copy| copy.hops = step(copy.hops)),
            (other, 2) => with_copy(other, |copy| {
                copy.rumor.sequence = step(copy.rumor.sequence)
            }),
            (other, _) => with_copy(other, |copy| copy.payload ^= 1),
        }
    }

    fn twist(
        &self,
        what: Behaviour,
        (to, message): (PeerId, &RumorMessage),
        _: &Rumor<R>,
        means: &mut RumorMeans<'_, R>,
    ) -> Twist<RumorMessage> {
        let others = copy_of(message).filter(|copy| !means.ring.holds(copy.rumor.origin));
        match (what, others) {
            (Behaviour::RefuseRelay, Some(_)) => Twist::Drop,
            (Behaviour::PoisonedRecords, Some(copy)) if is_aimed_at(copy, means) => {
                let poisoned = with_copy(message, |copy| copy.payload ^= 1 << 41);
                poisoned.map_or(Twist::Keep, Twist::Replace)
            }
            (Behaviour::Eclipse, _) if means.targets().contains(&to) => Twist::Drop,
            (Behaviour::Eclipse, Some(copy)) if is_aimed_at(copy, means) => Twist::Drop,
            _ => Twist::Keep,
        }
    }

    fn act(&self, what: Behaviour, _: &mut Rumor<R>, means: &mut RumorMeans<'_, R>) {
        if what == Behaviour::IdSuppression {
            suppress(means);
        }
    }
}

fn copy_of(message: &RumorMessage) -> Option<&RumorCopy> {
    match message {
        RumorMessage::Push { copy }
        | RumorMessage::PullAnswer { copy }
        | RumorMessage::Repair { copy } => Some(copy),
        RumorMessage::PullRequest
        | RumorMessage::Feedback { .. }
        | RumorMessage::Digest { .. }
        | RumorMessage::Wanted { .. } => None,
    }
}

/// The message with its copy changed; none if it carries none.
fn with_copy(message: &RumorMessage, change: impl FnOnce(&mut RumorCopy)) -> Option<RumorMessage> {
    let mut changed = message.clone();
    match &mut changed {
        RumorMessage::Push { copy }
        | RumorMessage::PullAnswer { copy }
        | RumorMessage::Repair { copy } => change(copy),
        RumorMessage::PullRequest
        | RumorMessage::Feedback { .. }
        | RumorMessage::Digest { .. }
        | RumorMessage::Wanted { .. } => return None,
    }
    Some(changed)
}

fn is_aimed_at<R: Rules>(copy: &RumorCopy, means: &RumorMeans<'_, R>) -> bool {
    let target = means.settings.target.as_ref();
    target.is_none_or(|target| target.contains(&copy.rumor.origin))
}

/// Tells everybody something under the names that the targets' next rumors will bear.
fn suppress<R: Rules>(means: &mut RumorMeans<'_, R>) {
    let everybody = means.others.to_vec();
    for origin in means.targets() {
        let copies = means
            .memory
            .newest_first()
            .filter_map(|seen| copy_of(seen.payload));
        let of_target =
            copies.filter(|copy| copy.rumor.origin == origin && copy.payload >> 42 == 0);
        let next = of_target
            .map(|copy| copy.rumor.sequence + 1)
            .max()
            .unwrap_or(0);
        for sequence in next..next.saturating_add(means.settings.amount()) {
            let copy = RumorCopy {
                rumor: RumorId { origin, sequence },
                payload: 1 << 42,
                size: 0,
                age: 1,
                hops: 1,
                phase: 1,
            };
            means.multicast(&everybody, RumorMessage::Push { copy });
        }
    }
}
