//! Stands between two others: takes the session that is begun with it for one with its target.

use fedsim_protocols::PeerId;
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::federation::terms::SessionId;
use fedsim_protocols::stack::{StackMessage, StackPeer};

use super::StackMeans;

fn session_of(message: &StackMessage) -> Option<SessionId> {
    match message {
        StackMessage::Packet { session, .. } | StackMessage::NoSession { session } => {
            Some(*session)
        }
        StackMessage::Plain { .. } => None,
    }
}

/// Passes a packet on to the target, or the target's answer back; true if the own machine must not
/// hear it.
pub(super) fn hear<R: Rules>(
    (from, message): (PeerId, &StackMessage),
    machine: &StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) -> bool {
    let Some(session) = session_of(message) else {
        return false;
    };
    let targets = means.targets();
    let Some(target) = targets.first().copied() else {
        return false;
    };
    if machine.has_session(from, session) {
        return false;
    }
    let to = match from == target {
        true => beginner(session, target, means),
        false => Some(target),
    };
    if let Some(to) = to {
        means.send(to, message.clone());
    }
    true
}

/// Who sent the acting member a packet of `session`, the target aside.
fn beginner<R: Rules>(
    session: SessionId,
    target: PeerId,
    means: &StackMeans<'_, R>,
) -> Option<PeerId> {
    let mut seen = means.memory.newest_first();
    let seen = seen.find(|seen| {
        let is_heard = seen.to == means.me && seen.from != target;
        is_heard && session_of(seen.payload) == Some(session)
    });
    seen.map(|seen| seen.from)
}
