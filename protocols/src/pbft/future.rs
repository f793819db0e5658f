//! Signed messages that come too early: for a later view, window or epoch. Must not know why.

use std::collections::VecDeque;

use super::message::PbftMessage;
use super::numbers::ReplicaId;

/// Early messages by signer; each signer has its own bounded share, so that nobody can push out
/// another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Future {
    by_signer: Vec<VecDeque<PbftMessage>>,
    limit: usize,
    len: usize,
}

impl Future {
    /// Room for a group of `n` with a log window of `window`: pre-prepare, prepare and commit of
    /// each place.
    pub(super) fn new(n: usize, window: u64) -> Self {
        Self {
            by_signer: vec![VecDeque::new(); n],
            limit: usize::try_from(window.saturating_mul(3)).unwrap_or(usize::MAX),
            len: 0,
        }
    }

    /// Keeps a message that `signer` signed; its oldest one goes if its share is full.
    pub(super) fn keep(&mut self, signer: ReplicaId, message: PbftMessage) {
        if let Some(share) = self.by_signer.get_mut(signer.index()) {
            if share.len() >= self.limit {
                share.pop_front();
                self.len -= 1;
            }
            share.push_back(message);
            self.len += 1;
        }
    }

    /// Takes everything out, by signer.
    pub(super) fn take(&mut self) -> Vec<PbftMessage> {
        if self.len == 0 {
            return Vec::new();
        }
        self.len = 0;
        let shares = self.by_signer.iter_mut();
        shares.flat_map(|share| share.drain(..)).collect()
    }

    /// How many messages are kept.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}
