//! Small-scope mutants: one field of a message changed by a small step, signed anew by who sends it
//! (Winter et al., "Randomized testing of Byzantine fault tolerant algorithms", OOPSLA 2023).
//!
//! View and sequence number one up or down, the digest of another message, a certificate that is out
//! of date or lacks a vote. What others signed cannot be signed anew: there, a part is left out.

use fedsim_protocols::Signed;
use fedsim_protocols::pbft::message::{Request, StateReply};
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
        PbftMessage::PrePrepare { pre_prepare, batch } => PbftMessage::PrePrepare {
            pre_prepare: stepped_vote!(pre_prepare, means, step),
            batch: batch.clone(),
        },
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

/// A client's own request with its timestamp stepped; that of another cannot be signed.
fn own_request<R: Rules>(
    request: &Signed<Request>,
    step: Step,
    means: &mut PbftMeans<'_, R>,
) -> Option<Signed<Request>> {
    let owner = means.ring.owner_of(&request.signer())?;
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
            let mut content = view_change.content().clone();
            match means.dice.below(4) {
                0 => content.view = step.view(content.view),
                1 => content.stable = step.sequence(content.stable),
                2 => drop(content.prepared.pop()),
                _ => drop(content.proof.pop()),
            }
            let view_change = means.sign(content);
            PbftMessage::ViewChange { view_change }
        }
        PbftMessage::NewView { new_view } => {
            let mut content = new_view.content().clone();
            match means.dice.below(3) {
                0 => content.view = step.view(content.view),
                1 => drop(content.view_changes.pop()),
                _ => drop(content.pre_prepares.pop()),
            }
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
            certificate.commits.pop();
            PbftMessage::CommitProof { certificate }
        }
        PbftMessage::CheckpointProof { certificate } => {
            let mut certificate = certificate.clone();
            certificate.sequence = step.sequence(certificate.sequence);
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
