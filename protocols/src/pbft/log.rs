//! The message log between the watermarks: one slot a sequence number. Must not know any rule.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::signed::Signed;

use super::event::Placement;
use super::message::{Batch, Commit, CommitCertificate, PrePrepare, Prepare, PreparedCertificate};
use super::numbers::Sequence;
use super::votes::Tally;

/// What a replica knows of one sequence number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    /// The assignment accepted in this view.
    pub(super) assignment: Option<(Signed<PrePrepare>, Batch)>,
    /// The prepares of this view.
    pub(super) prepares: Tally<Signed<Prepare>>,
    /// The commits of this view, until there are enough.
    pub(super) commits: Tally<Signed<Commit>>,
    /// The replica's own prepare of this view.
    pub(super) own_prepare: Option<Signed<Prepare>>,
    /// The replica's own commit of this view.
    pub(super) own_commit: Option<Signed<Commit>>,
    /// Whether it prepared in this view.
    pub(super) prepared: bool,
    /// Whether the disk has this view's assignment.
    pub(super) is_assignment_kept: bool,
    /// Whether the disk has this view's prepared certificate.
    pub(super) is_certificate_kept: bool,
    /// The prepared certificate of the highest view; survives views.
    pub(super) certificate: Option<Arc<PreparedCertificate>>,
    /// What committed; survives views.
    pub(super) committed: Option<(Placement, Arc<CommitCertificate>)>,
}

impl Slot {
    /// Forgets what counted in the old view only.
    fn end_view(&mut self) {
        let certificate = self.certificate.take();
        let committed = self.committed.take();
        *self = Self {
            certificate,
            committed,
            ..Self::default()
        };
    }

    fn votes(&self) -> usize {
        let committed = self.committed.as_ref();
        let commits = committed.map_or(0, |(_, proof)| proof.commits.len());
        let certificate = self.certificate.as_ref();
        let prepares = certificate.map_or(0, |proof| proof.prepares.len());
        self.prepares.kept() + self.commits.kept() + prepares + commits
    }
}

/// Far above any window: a guard against absurd numbers.
const MOST_SLOTS: usize = 1 << 20;

/// The slots above the low watermark.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Log {
    low: Sequence,
    window: u64,
    slots: VecDeque<Slot>,
}

impl Log {
    /// An empty log above `low` for `window` slots.
    pub(super) fn new(low: Sequence, window: u64) -> Self {
        Self {
            low,
            window,
            slots: VecDeque::new(),
        }
    }

    /// h: everything at or below it is stable and gone.
    pub(super) fn low(&self) -> Sequence {
        self.low
    }

    /// H = h + L.
    pub(super) fn high(&self) -> Sequence {
        self.low.plus(self.window)
    }

    fn position(&self, sequence: Sequence) -> Option<usize> {
        let above = sequence.0.checked_sub(self.low.0)?.checked_sub(1)?;
        usize::try_from(above).ok()
    }

    /// The slot, if anything is known.
    #[inline]
    pub(super) fn get(&self, sequence: Sequence) -> Option<&Slot> {
        self.slots.get(self.position(sequence)?)
    }

    /// The slot, made if need be. Whether it lies in the window is the caller's business; numbers
    /// beyond all windows have no slot.
    #[inline]
    pub(super) fn slot(&mut self, sequence: Sequence) -> Option<&mut Slot> {
        let position = self.position(sequence)?;
        if position >= MOST_SLOTS {
            return None;
        }
        if position >= self.slots.len() {
            self.slots.resize_with(position + 1, Slot::default);
        }
        self.slots.get_mut(position)
    }

    /// The slots known, by rising sequence number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Sequence, &Slot)> {
        self.above(self.low)
    }

    /// The slots known above `sequence`, by rising sequence number.
    pub(super) fn above(&self, sequence: Sequence) -> impl Iterator<Item = (Sequence, &Slot)> {
        let skipped = sequence.0.saturating_sub(self.low.0);
        let start = usize::try_from(skipped).unwrap_or(usize::MAX);
        let start = start.min(self.slots.len());
        let first = self.low.plus(start as u64 + 1);
        (first.0..).map(Sequence).zip(self.slots.range(start..))
    }

    /// Forgets everything at or below `low` (section 4.3).
    pub(super) fn advance(&mut self, low: Sequence) {
        let gone = (low.0.saturating_sub(self.low.0) as usize).min(self.slots.len());
        self.slots.drain(..gone);
        self.low = self.low.max(low);
    }

    /// Forgets what counted in the old view only.
    pub(super) fn end_view(&mut self) {
        self.slots.iter_mut().for_each(Slot::end_view);
    }

    /// How many slots are kept.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many votes are kept.
    pub(super) fn votes(&self) -> usize {
        self.slots.iter().map(Slot::votes).sum()
    }
}
