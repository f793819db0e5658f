//! Small-scope mutants: one field of a message changed by a small step, signed anew by who sends it
//! (Winter et al., "Randomized testing of Byzantine fault tolerant algorithms", OOPSLA 2023).
//!
//! View and sequence number one up or down, the digest of another message, a certificate that is out
//! of date or lacks a vote. What others signed cannot be signed anew: there, a part is left out, or
//! something older stands in its place.

use fedsim_protocols::Signed;
use fedsim_protocols::pbft::message::{Batch, NewView, Request, StateReply, ViewChange};
use fedsim_protocols::pbft::{Digest, PbftMessage, Rules, Sequence, Timestamp, View};

use super::primary::place;
use super::{PbftMeans, false_digest, false_outcome};

/// One step up or down.
#[derive(Clone, Copy)]
struct Step {
    up: bool,
}

impl Step {
    fn of(self, number: u64) -> u64 {
        if self.up {
            number.saturating_add(1)
        } else {
            number.saturating_sub(1)
        }
    }

    fn view(self, view: View) -> View {
        View(self.of(view.0))
    }

    fn sequence(self, sequence: Sequence) -> Sequence {
        Sequence(self.of(sequence.0))
    }
}

/// The digest of another message that was seen.
fn another_digest<R: Rules>(than: Digest, means: &PbftMeans<'_, R>) -> Digest {
    let mut seen = means
        .memory
        .newest_first()
        .filter_map(|seen| place(seen.payload));
    seen.find(|it| it.2 != than)
        .map_or_else(false_digest, |it| it.2)
}

/// The batch seen under a digest.
fn batch_of<R: Rules>(digest: Digest, means: &PbftMeans<'_, R>) -> Option<Batch> {
    let mut seen = means.memory.newest_first();
    seen.find_map(|seen| match seen.payload {
        PbftMessage::PrePrepare { batch, .. } if batch.digest() == digest => Some(batch.clone()),
        _ => None,
    })
}

/// Something seen that another one could be in the place of, and is not the same.
fn another<R: Rules, T: Clone + PartialEq>(
    than: &T,
    means: &PbftMeans<'_, R>,
    lens: impl Fn(&PbftMessage) -> Option<&T>,
) -> Option<T> {
    let mut seen = means
        .memory
        .newest_first()
        .filter_map(|it| lens(it.payload).cloned());
    seen.find(|it| it != than)
}

/// Changes the view, sequence number or digest of a vote.
macro_rules! stepped_vote {
    ($signed:expr, $means:expr, $step:expr) => {{
        let mut content = $signed.content().clone();
        match $means.dice.below(3) {
            0 => content.view = $step.view(content.view),
            1 => content.sequence = $step.sequence(content.sequence),
            _ => content.digest = another_digest(content.digest, $means),
        }
        $means.sign(content)
    }};
}

pub(super) fn mutant<R: Rules>(
    message: &PbftMessage,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let step = Step {
        up: means.dice.below(2) == 1,
    };
    let mutant = match message {
        PbftMessage::PrePrepare { pre_prepare, batch } => {
            let pre_prepare = stepped_vote!(pre_prepare, means, step);
            // The batch of the other message goes with its digest, or does not.
            let whole = means.dice.below(2) == 1;
            let other = batch_of(pre_prepare.digest, means).filter(|_| whole);
            let batch = other.unwrap_or_else(|| batch.clone());
            PbftMessage::PrePrepare { pre_prepare, batch }
        }
        PbftMessage::Prepare { prepare } => PbftMessage::Prepare {
            prepare: stepped_vote!(prepare, means, step),
        },
        PbftMessage::Commit { commit } => PbftMessage::Commit {
            commit: stepped_vote!(commit, means, step),
        },
        PbftMessage::Checkpoint { checkpoint } => {
            let mut content = checkpoint.content().clone();
            match means.dice.below(2) {
                0 => content.sequence = step.sequence(content.sequence),
                _ => content.digest = another_digest(content.digest, means),
            }
            let checkpoint = means.sign(content);
            PbftMessage::Checkpoint { checkpoint }
        }
        PbftMessage::Request { request } => PbftMessage::Request {
            request: own_request(request, step, means)?,
        },
        PbftMessage::Forward { request } => PbftMessage::Forward {
            request: own_request(request, step, means)?,
        },
        PbftMessage::Reply { reply } => {
            let mut content = reply.content().clone();
            match means.dice.below(3) {
                0 => content.view = step.view(content.view),
                1 => content.timestamp = Timestamp(step.of(content.timestamp.0)),
                _ => content.outcome = false_outcome(),
            }
            let reply = means.sign(content);
            PbftMessage::Reply { reply }
        }
        other => return stepped_proof(other, step, means),
    };
    Some(mutant)
}

/// A client's own request with its timestamp stepped; in place of that of another, which cannot be
/// signed, a different one.
fn own_request<R: Rules>(
    request: &Signed<Request>,
    step: Step,
    means: &mut PbftMeans<'_, R>,
) -> Option<Signed<Request>> {
    let Some(owner) = means.ring.owner_of(&request.signer()) else {
        let mut seen = super::requests(means);
        return seen.find(|it| *it != request).cloned();
    };
    let mut content = request.content().clone();
    content.timestamp = Timestamp(step.of(content.timestamp.0));
    means.ring.sign(owner, content)
}

/// Messages that prove something, ask for something, or bring it.
fn stepped_proof<R: Rules>(
    message: &PbftMessage,
    step: Step,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let mutant = match message {
        PbftMessage::ViewChange { view_change } => {
            let content = stepped_wish(view_change, step, means);
            let view_change = means.sign(content);
            PbftMessage::ViewChange { view_change }
        }
        PbftMessage::NewView { new_view } => {
            let content = stepped_new_view(new_view, step, means);
            let new_view = means.sign(content);
            PbftMessage::NewView { new_view }
        }
        PbftMessage::Status { status } => {
            let mut content = status.content().clone();
            match means.dice.below(3) {
                0 => content.view = step.view(content.view),
                1 => content.stable = step.sequence(content.stable),
                _ => content.executed = step.sequence(content.executed),
            }
            let status = means.sign(content);
            PbftMessage::Status { status }
        }
        PbftMessage::StateRequest { request } => {
            let mut content = request.content().clone();
            content.executed = step.sequence(content.executed);
            let request = means.sign(content);
            PbftMessage::StateRequest { request }
        }
        PbftMessage::CommitProof { certificate } => {
            let mut certificate = certificate.clone();
            let other = another(&certificate.batch, means, |it| match it {
                PbftMessage::PrePrepare { batch, .. } => Some(batch),
                _ => None,
            });
            match (means.dice.below(2), other) {
                (0, Some(batch)) => certificate.batch = batch,
                _ => drop(certificate.commits.pop()),
            }
            PbftMessage::CommitProof { certificate }
        }
        PbftMessage::CheckpointProof { certificate } => {
            let mut certificate = certificate.clone();
            match means.dice.below(3) {
                0 => certificate.sequence = step.sequence(certificate.sequence),
                1 => certificate.digest = another_digest(certificate.digest, means),
                _ => drop(certificate.votes.pop()),
            }
            PbftMessage::CheckpointProof { certificate }
        }
        PbftMessage::StateReply { reply } => PbftMessage::StateReply {
            reply: stepped_state(reply, step, means)?,
        },
        PbftMessage::Request { .. }
        | PbftMessage::Forward { .. }
        | PbftMessage::PrePrepare { .. }
        | PbftMessage::Prepare { .. }
        | PbftMessage::Commit { .. }
        | PbftMessage::Reply { .. }
        | PbftMessage::Checkpoint { .. } => return None,
    };
    Some(mutant)
}

/// A wish for a view next to it, or with certificates that are fewer, missing a vote, or those of an
/// older wish.
fn stepped_wish<R: Rules>(
    wish: &Signed<ViewChange>,
    step: Step,
    means: &mut PbftMeans<'_, R>,
) -> ViewChange {
    let mut content = wish.content().clone();
    let older = another(wish, means, |it| match it {
        PbftMessage::ViewChange { view_change } => Some(view_change),
        _ => None,
    });
    match (means.dice.below(6), older) {
        (0, _) => content.view = step.view(content.view),
        (1, _) => content.stable = step.sequence(content.stable),
        (2, _) => drop(content.prepared.pop()),
        (3, _) => drop(content.proof.pop()),
        (4, Some(older)) => content.prepared = older.content().prepared.clone(),
        _ => {
            let last = content.prepared.last_mut();
            drop(last.and_then(|certificate| certificate.prepares.pop()));
        }
    }
    content
}

/// The begin of a view next to it, or one that rests on fewer or older wishes, or reissues less or
/// something else.
fn stepped_new_view<R: Rules>(
    new_view: &NewView,
    step: Step,
    means: &mut PbftMeans<'_, R>,
) -> NewView {
    let mut content = new_view.clone();
    let older = content.view_changes.last().and_then(|wish| {
        another(wish, means, |it| match it {
            PbftMessage::ViewChange { view_change } => Some(view_change),
            _ => None,
        })
    });
    match (means.dice.below(5), older) {
        (0, _) => content.view = step.view(content.view),
        (1, _) => drop(content.view_changes.pop()),
        (2, Some(older)) => {
            content.view_changes.pop();
            content.view_changes.push(older);
        }
        (3, _) if !content.pre_prepares.is_empty() => {
            let place = means.dice.below(content.pre_prepares.len() as u64) as usize;
            let mut assignment = content.pre_prepares[place].content().clone();
            assignment.digest = another_digest(assignment.digest, means);
            content.pre_prepares[place] = means.sign(assignment);
        }
        _ => drop(content.pre_prepares.pop()),
    }
    content
}

/// A state for another place, or with a proof that lacks a vote.
fn stepped_state<R: Rules>(
    reply: &StateReply,
    step: Step,
    means: &mut PbftMeans<'_, R>,
) -> Option<Box<StateReply>> {
    let mut reply = Box::new(reply.clone());
    let (certificate, snapshot) = reply.state.as_mut()?;
    match means.dice.below(2) {
        0 => snapshot.sequence = step.sequence(snapshot.sequence),
        _ => drop(certificate.votes.pop()),
    }
    Some(reply)
}

/// The reply with another result.
pub(super) fn false_reply<R: Rules>(
    message: &PbftMessage,
    means: &mut PbftMeans<'_, R>,
) -> Option<PbftMessage> {
    let PbftMessage::Reply { reply } = message else {
        return None;
    };
    let mut content = reply.content().clone();
    content.outcome = false_outcome();
    let reply = means.sign(content);
    Some(PbftMessage::Reply { reply })
}
