//! What a message says of itself: for traces, aimed faults and adversaries. Must not judge it.

use crate::identity::PublicKey;

use super::event::Placement;
use super::message::PbftMessage;
use super::numbers::Epoch;

impl PbftMessage {
    /// The roster epoch for which it was signed.
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::PrePrepare { pre_prepare, .. } => Some(pre_prepare.epoch),
            Self::Prepare { prepare } => Some(prepare.epoch),
            Self::Commit { commit } => Some(commit.epoch),
            Self::Checkpoint { checkpoint } => Some(checkpoint.epoch),
            Self::ViewChange { view_change } => Some(view_change.epoch),
            Self::NewView { new_view } => Some(new_view.epoch),
            Self::Status { status } => Some(status.epoch),
            Self::Reply { reply } => Some(reply.epoch),
            Self::Request { .. }
            | Self::Forward { .. }
            | Self::CommitProof { .. }
            | Self::CheckpointProof { .. }
            | Self::StateRequest { .. }
            | Self::StateReply { .. } => None,
        }
    }

    /// Who is said to have signed it; `None` for what proves itself.
    pub fn signer(&self) -> Option<PublicKey> {
        match self {
            Self::Request { request } | Self::Forward { request } => Some(request.signer()),
            Self::PrePrepare { pre_prepare, .. } => Some(pre_prepare.signer()),
            Self::Prepare { prepare } => Some(prepare.signer()),
            Self::Commit { commit } => Some(commit.signer()),
            Self::Reply { reply } => Some(reply.signer()),
            Self::Checkpoint { checkpoint } => Some(checkpoint.signer()),
            Self::ViewChange { view_change } => Some(view_change.signer()),
            Self::NewView { new_view } => Some(new_view.signer()),
            Self::Status { status } => Some(status.signer()),
            Self::StateRequest { request } => Some(request.signer()),
            Self::CommitProof { .. } | Self::CheckpointProof { .. } | Self::StateReply { .. } => {
                None
            }
        }
    }

    /// The place in the order of which it speaks: of a vote, an assignment or a commit proof.
    pub fn placement(&self) -> Option<Placement> {
        macro_rules! placement {
            ($content:expr) => {
                Some(Placement {
                    epoch: $content.epoch,
                    view: $content.view,
                    sequence: $content.sequence,
                    digest: $content.digest,
                })
            };
        }
        match self {
            Self::PrePrepare { pre_prepare, .. } => placement!(pre_prepare),
            Self::Prepare { prepare } => placement!(prepare),
            Self::Commit { commit } => placement!(commit),
            Self::CommitProof { certificate } => {
                let commit = certificate.commits.first()?;
                placement!(commit)
            }
            Self::Request { .. }
            | Self::Forward { .. }
            | Self::Reply { .. }
            | Self::Checkpoint { .. }
            | Self::ViewChange { .. }
            | Self::NewView { .. }
            | Self::Status { .. }
            | Self::CheckpointProof { .. }
            | Self::StateRequest { .. }
            | Self::StateReply { .. } => None,
        }
    }
}
