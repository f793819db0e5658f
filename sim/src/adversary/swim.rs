//! SWIM's messages and records in the hands of an adversary.
//!
//! Whatever changes somebody's view of a member is signed: of itself a member may say anything, of
//! others it may only repeat their own words or accuse them, by which they are called on to speak up.

use fedsim_protocols::swim::{
    Alive, Claim, ClaimKind, Incarnation, Swim, SwimMessage, SwimRules, Update,
};
use fedsim_protocols::{LocalTime, Message, PeerId, Signed, SimDuration};
use fedsim_scenarios::spec::Behaviour;

use super::forge::{Forge, Round, Twist};
use super::means::Means;
use super::sybils;

/// Knows SWIM.
pub(crate) struct SwimForge {
    /// How long a probe waits for its ack.
    pub(crate) patience: SimDuration,
    /// From one probe of a member to its next.
    pub(crate) period: SimDuration,
}

pub(super) type SwimMeans<'a, R> = Means<'a, Swim<R>>;

impl<R: SwimRules> Forge<Swim<R>> for SwimForge {
    /// Protocol periods, by the sender's clock.
    fn round(&self, message: &SwimMessage, at: LocalTime) -> Option<Round> {
        Some(Round::of_period(at, self.period, message.kind()))
    }

    fn patience(&self, _: PeerId) -> Option<SimDuration> {
        Some(self.patience)
    }

    fn is_evidence(&self, message: &SwimMessage) -> bool {
        updates(message).is_some_and(|updates| !updates.is_empty())
    }

    /// One half is told that all the news is otherwise: whoever lives is accused.
    fn contradict(
        &self,
        message: &SwimMessage,
        means: &mut SwimMeans<'_, R>,
    ) -> Option<SwimMessage> {
        let news = updates(message)?;
        let turned = news.iter().map(|update| match update {
            Update::Alive(record) if !means.ring.holds(record.address) => {
                accuse(record, ClaimKind::Suspect, means)
            }
            other => other.clone(),
        });
        let turned: Vec<Update> = turned.collect();
        (turned != news)
            .then(|| with_updates(message, turned))
            .flatten()
    }

    /// Knows nobody but itself.
    fn lie(&self, message: &SwimMessage, means: &mut SwimMeans<'_, R>) -> Option<SwimMessage> {
        let news = updates(message)?;
        let own = news
            .iter()
            .filter(|it| means.ring.holds(it.record().address));
        let own: Vec<Update> = own.cloned().collect();
        (own.len() < news.len())
            .then(|| with_updates(message, own))
            .flatten()
    }

    fn mutate(&self, message: &SwimMessage, means: &mut SwimMeans<'_, R>) -> Option<SwimMessage> {
        let up = means.dice.below(2) == 1;
        let step = |number: u32| {
            if up {
                number.wrapping_add(1)
            } else {
                number.wrapping_sub(1)
            }
        };
        let news = updates(message).unwrap_or_default();
        let place = means.dice.below(news.len() as u64 + 1) as usize;
        if let Some(update) = news.get(place) {
            let mut changed = news.to_vec();
            changed[place] = stepped(update, up, means);
            return with_updates(message, changed);
        }
        let mut changed = message.clone();
        match &mut changed {
            SwimMessage::Ping { sequence, .. }
            | SwimMessage::PingRequest { sequence, .. }
            | SwimMessage::Ack { sequence, .. }
            | SwimMessage::Nack { sequence, .. } => *sequence = step(*sequence),
            SwimMessage::Gossip { .. }
            | SwimMessage::PushPullRequest { .. }
            | SwimMessage::PushPullReply { .. }
            | SwimMessage::DeadNotice { .. } => return None,
        }
        Some(changed)
    }

    fn twist(
        &self,
        what: Behaviour,
        (to, message): (PeerId, &SwimMessage),
        _: &Swim<R>,
        means: &mut SwimMeans<'_, R>,
    ) -> Twist<SwimMessage> {
        let is_target = means.targets().contains(&to);
        let changed = match what {
            Behaviour::Eclipse if is_target => return Twist::Drop,
            Behaviour::Eclipse => {
                let targets = means.targets();
                keep_only(message, |update| {
                    !targets.contains(&update.record().address)
                })
            }
            Behaviour::RefuseRelay => {
                keep_only(message, |update| means.ring.holds(update.record().address))
            }
            Behaviour::PoisonedRecords => poisoned(message, means),
            Behaviour::LiveSybil => keep_only(message, |update| !sybils::accuses(update, means)),
            _ => None,
        };
        changed.map_or(Twist::Keep, Twist::Replace)
    }

    /// Answers in the place of an eclipsed member, so that nobody notices what becomes of it, or of
    /// members that do not exist.
    fn hear(
        &self,
        what: Behaviour,
        (from, message): (PeerId, &SwimMessage),
        _: &Swim<R>,
        means: &mut SwimMeans<'_, R>,
    ) -> bool {
        if what == Behaviour::LiveSybil {
            sybils::refute(updates(message).unwrap_or_default(), means);
            return sybils::answer((from, message), means);
        }
        match message {
            SwimMessage::PingRequest {
                sequence, address, ..
            } if what == Behaviour::Eclipse && means.targets().contains(address) => {
                let updates = Box::default();
                let sequence = *sequence;
                means.send(from, SwimMessage::Ack { sequence, updates });
                true
            }
            _ => false,
        }
    }

    fn act(&self, what: Behaviour, machine: &mut Swim<R>, means: &mut SwimMeans<'_, R>) {
        let news = match what {
            Behaviour::FalseSuspicion => false_suspicions(machine, means),
            Behaviour::IncarnationInflation => inflated(machine, means),
            Behaviour::Resurrection => resurrections(machine, means),
            Behaviour::Sybil => sybils::invented(means),
            Behaviour::LiveSybil => sybils::introduced(means),
            _ => return,
        };
        if !news.is_empty() {
            let everybody = means.others.to_vec();
            let updates = news.into();
            means.multicast(&everybody, SwimMessage::Gossip { updates });
        }
    }
}

/// The news that a message carries.
fn updates(message: &SwimMessage) -> Option<&[Update]> {
    match message {
        SwimMessage::Ping { updates, .. }
        | SwimMessage::PingRequest { updates, .. }
        | SwimMessage::Ack { updates, .. }
        | SwimMessage::Nack { updates, .. }
        | SwimMessage::Gossip { updates }
        | SwimMessage::PushPullRequest { state: updates }
        | SwimMessage::PushPullReply { state: updates } => Some(updates),
        SwimMessage::DeadNotice { .. } => None,
    }
}

fn with_updates(message: &SwimMessage, news: Vec<Update>) -> Option<SwimMessage> {
    let mut changed = message.clone();
    match &mut changed {
        SwimMessage::Ping { updates, .. }
        | SwimMessage::PingRequest { updates, .. }
        | SwimMessage::Ack { updates, .. }
        | SwimMessage::Nack { updates, .. }
        | SwimMessage::Gossip { updates }
        | SwimMessage::PushPullRequest { state: updates }
        | SwimMessage::PushPullReply { state: updates } => *updates = news.into(),
        SwimMessage::DeadNotice { .. } => return None,
    }
    Some(changed)
}

fn keep_only(message: &SwimMessage, keeps: impl Fn(&Update) -> bool) -> Option<SwimMessage> {
    let news = updates(message)?;
    let kept: Vec<Update> = news
        .iter()
        .filter(|update| keeps(update))
        .cloned()
        .collect();
    (kept.len() < news.len())
        .then(|| with_updates(message, kept))
        .flatten()
}

/// An accusation of one's own, which anybody may make who has the other's record.
fn accuse<R: SwimRules>(
    record: &Signed<Alive>,
    kind: ClaimKind,
    means: &mut SwimMeans<'_, R>,
) -> Update {
    let subject = record.clone();
    Update::Claim(means.sign(Claim { kind, subject }))
}

/// Somebody's record with other content, under his signature if `means` had it and under that of the
/// acting member otherwise.
fn resigned<R: SwimRules>(record: Alive, means: &mut SwimMeans<'_, R>) -> Update {
    let owner = means.ring.owner_of(&record.key);
    let signer = owner.unwrap_or(means.me);
    let signed = means.ring.sign(signer, record);
    Update::Alive(signed.expect("BUG: a member is not on its own ring"))
}

fn stepped<R: SwimRules>(update: &Update, up: bool, means: &mut SwimMeans<'_, R>) -> Update {
    match update {
        Update::Alive(record) => {
            let number = record.incarnation.0;
            let stepped = if up {
                number.saturating_add(1)
            } else {
                number.saturating_sub(1)
            };
            let incarnation = Incarnation(stepped);
            resigned(
                Alive {
                    incarnation,
                    ..record.content().clone()
                },
                means,
            )
        }
        Update::Claim(claim) => {
            let kind = match claim.kind {
                ClaimKind::Suspect => ClaimKind::Dead,
                ClaimKind::Dead => ClaimKind::Suspect,
            };
            accuse(&claim.subject.clone(), kind, means)
        }
    }
}

/// The same news, with other people's records altered and their signatures left on.
fn poisoned<R: SwimRules>(message: &SwimMessage, means: &SwimMeans<'_, R>) -> Option<SwimMessage> {
    let news = updates(message)?;
    let alter = |update: &Update| match update {
        Update::Alive(record) if !means.ring.holds(record.address) => {
            let altered = Alive {
                address: means.me,
                ..record.content().clone()
            };
            Update::Alive(Signed::from_parts(
                altered,
                record.signer(),
                record.signature(),
            ))
        }
        other => other.clone(),
    };
    let altered: Vec<Update> = news.iter().map(alter).collect();
    (altered != news)
        .then(|| with_updates(message, altered))
        .flatten()
}

/// The latest records of the targets that the own machine holds.
fn records<R: SwimRules>(machine: &Swim<R>, means: &SwimMeans<'_, R>) -> Vec<Signed<Alive>> {
    let targets = means.targets();
    let known = machine.members().map(|(record, _)| record);
    let of_targets = known.filter(|record| targets.contains(&record.address));
    of_targets
        .filter(|record| !means.ring.holds(record.address))
        .cloned()
        .collect()
}

fn false_suspicions<R: SwimRules>(machine: &Swim<R>, means: &mut SwimMeans<'_, R>) -> Vec<Update> {
    let mut news = Vec::new();
    for record in records(machine, means) {
        news.push(accuse(&record, ClaimKind::Suspect, means));
        news.push(accuse(&record, ClaimKind::Dead, means));
    }
    news
}

/// The highest incarnation there is: the own one, signed, and those of others, which are not.
fn inflated<R: SwimRules>(machine: &Swim<R>, means: &mut SwimMeans<'_, R>) -> Vec<Update> {
    let me = means.me;
    let own = machine
        .members()
        .map(|(record, _)| record)
        .find(|record| record.address == me);
    let own = own.cloned();
    let all = own.into_iter().chain(records(machine, means));
    let all: Vec<Alive> = all.map(|record| record.content().clone()).collect();
    let highest = |record: Alive| Alive {
        incarnation: Incarnation(u64::MAX),
        ..record
    };
    all.into_iter()
        .map(|record| resigned(highest(record), means))
        .collect()
}

/// Old records of the targets, as they signed them, and newer ones that they did not.
fn resurrections<R: SwimRules>(machine: &Swim<R>, means: &mut SwimMeans<'_, R>) -> Vec<Update> {
    let mut news = Vec::new();
    for record in records(machine, means) {
        let next = record.incarnation.next_generation();
        let incarnation = next.unwrap_or(record.incarnation);
        let newer = Alive {
            incarnation,
            ..record.content().clone()
        };
        news.push(Update::Alive(record));
        news.push(resigned(newer, means));
    }
    news
}
