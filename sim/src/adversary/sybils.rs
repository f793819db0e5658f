//! SWIM members that do not exist, each with a key of its own, reached at the liar's own address.

use std::sync::Arc;

use fedsim_protocols::swim::{Alive, Incarnation, Nickname, SwimMessage, SwimRules, Update};
use fedsim_protocols::{Keys, PeerId, PublicKey};

use super::swim::SwimMeans;

/// A new one, its keys and what it says of itself.
fn invent<R: SwimRules>(means: &mut SwimMeans<'_, R>) -> (Keys, Update) {
    let mut keys = means.ring.invent(means.dice);
    let name = format!("sybil-{}", means.dice.below(1 << 32));
    let record = Alive {
        key: keys.public(),
        address: means.me,
        nickname: Nickname(Arc::from(name)),
        incarnation: Incarnation::FIRST,
        leaving: false,
    };
    let update = Update::Alive(keys.sign(record));
    (keys, update)
}

/// As many new ones as the settings say, of whom nobody will hear again.
pub(super) fn invented<R: SwimRules>(means: &mut SwimMeans<'_, R>) -> Vec<Update> {
    let count = means.settings.amount();
    (0..count).map(|_| invent(means).1).collect()
}

/// Those that are still wanting, to be spoken for from now on.
pub(super) fn introduced<R: SwimRules>(means: &mut SwimMeans<'_, R>) -> Vec<Update> {
    let me = means.me;
    let known = means.ring.made_up(me).count();
    let wanting = (means.settings.amount() as usize).saturating_sub(known);
    let introduced = (0..wanting).map(|_| {
        let (keys, update) = invent(means);
        means.ring.keep(me, keys);
        update
    });
    introduced.collect()
}

/// Whether news speaks against a member that the cabal made up.
pub(super) fn accuses<R: SwimRules>(update: &Update, means: &SwimMeans<'_, R>) -> bool {
    matches!(update, Update::Claim(claim) if means.ring.is_made_up(&claim.subject.key))
}

/// Answers a ping for a member that does not exist; false if it was for another one.
pub(super) fn answer<R: SwimRules>(
    (from, message): (PeerId, &SwimMessage),
    means: &mut SwimMeans<'_, R>,
) -> bool {
    let (sequence, target) = match message {
        SwimMessage::Ping {
            sequence, target, ..
        }
        | SwimMessage::PingRequest {
            sequence, target, ..
        } => (*sequence, target),
        SwimMessage::Ack { .. }
        | SwimMessage::Nack { .. }
        | SwimMessage::Gossip { .. }
        | SwimMessage::PushPullRequest { .. }
        | SwimMessage::PushPullReply { .. }
        | SwimMessage::DeadNotice { .. } => return false,
    };
    if !means.ring.is_made_up(target) {
        return false;
    }
    let updates = Box::default();
    means.send(from, SwimMessage::Ack { sequence, updates });
    true
}

/// Has every member of whom `news` says that it is dead, or may be, say that it is not: once for each
/// of its incarnations that is accused.
pub(super) fn refute<R: SwimRules>(news: &[Update], means: &mut SwimMeans<'_, R>) {
    let me = means.me;
    let mut refutations = Vec::new();
    for update in news {
        if !accuses(update, means) {
            continue;
        }
        let accused = update.record();
        let Some(next) = accused.incarnation.next() else {
            continue;
        };
        if has_said(&accused.key, next, means) {
            continue;
        }
        let mut mine = means.ring.made_up(me);
        if let Some(keys) = mine.find(|keys| keys.public() == accused.key) {
            let record = Alive {
                incarnation: next,
                ..accused.content().clone()
            };
            refutations.push(Update::Alive(keys.sign(record)));
        }
    }
    if !refutations.is_empty() {
        let (everybody, updates) = (means.others.to_vec(), refutations.into());
        means.multicast(&everybody, SwimMessage::Gossip { updates });
    }
}

/// Whether a made-up member was heard at an incarnation, or a later one.
fn has_said<R: SwimRules>(
    key: &PublicKey,
    incarnation: Incarnation,
    means: &SwimMeans<'_, R>,
) -> bool {
    let mut told = means
        .memory
        .newest_first()
        .filter_map(|seen| match seen.payload {
            SwimMessage::Gossip { updates } if seen.from == means.me => Some(updates),
            _ => None,
        });
    told.any(|updates| {
        let mut records = updates.iter().map(Update::record);
        records.any(|record| record.key == *key && record.incarnation >= incarnation)
    })
}
