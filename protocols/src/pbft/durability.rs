//! What a replica keeps on disk, and beginning again from it.
//!
//! Whatever a later vote could contradict is durable before it is sent: the view, the assignments
//! accepted, the prepared certificates. The disk is bounded: a place in the order has the numbered
//! slot of its remainder by L. Must not know the normal case.
//!
//! A replica whose disk lost some of this cannot know what it voted for. It stays silent, one of
//! the f, until a checkpoint is stable beyond everything that it may have voted on.

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::outbox::{PersistToken, Write};
use crate::protocol::{Durable, Stored};
use crate::signed::Signed;

use super::checkpoint::{Checkpoints, StableCheckpoint};
use super::event::{PbftEvent, Placement, Reason};
use super::log::Log;
use super::message::{Batch, CheckpointCertificate, PrePrepare, PreparedCertificate};
use super::numbers::{Epoch, Sequence, Timestamp, View};
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;
use super::state::{EpochLink, ReplicatedState, Snapshot};

/// Two copies of the view: losing both is losing the right to vote.
const VIEW_SLOTS: [u32; 2] = [0, 1];
const STABLE_SLOT: u32 = 2;
pub(super) const CLIENT_SLOT: u32 = 3;
const FIRST_ENTRY_SLOT: u32 = 16;

/// What PBFT peers keep on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum PbftRecord {
    /// Where the replica stands.
    View {
        /// In which epoch.
        epoch: Epoch,
        /// In which view.
        view: View,
        /// Whether it still waits for the view to begin.
        changing: bool,
    },
    /// The last stable checkpoint.
    Stable {
        /// The state.
        snapshot: Box<Snapshot>,
        /// The proof.
        certificate: Option<Box<CheckpointCertificate>>,
        /// How the roster came about.
        links: Vec<EpochLink>,
    },
    /// One place in the order.
    Entry {
        /// The assignment accepted last.
        assignment: Option<(Signed<PrePrepare>, Batch)>,
        /// The prepared certificate of the highest view.
        certificate: Option<Box<PreparedCertificate>>,
    },
    /// A client's timestamps below this one may be used up.
    Timestamps {
        /// The first one that is surely fresh.
        reserved: Timestamp,
    },
}

impl PbftRecord {
    fn sequence(&self) -> Option<Sequence> {
        match self {
            Self::Entry {
                assignment,
                certificate,
            } => {
                let certified = certificate.as_ref().map(|c| c.pre_prepare.sequence);
                let assigned = assignment.as_ref().map(|(signed, _)| signed.sequence);
                certified.max(assigned)
            }
            Self::View { .. } | Self::Stable { .. } | Self::Timestamps { .. } => None,
        }
    }
}

/// What a replica says of a place in the order once its disk has what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// As primary the assignment, where it does not travel inside a new-view; as backup its prepare.
    Assigned {
        /// Whether the primary sends the assignment.
        announce: bool,
    },
    /// Its commit.
    Prepared,
}

/// Something to be said when a write is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Unsaid {
    token: PersistToken,
    placement: Placement,
    step: Step,
}

impl<R: Rules> Pbft<R> {
    fn persist(&mut self, writes: Vec<Write<PbftRecord>>, ctx: &mut Ctx<'_, R>) -> PersistToken {
        let token = self.next_token();
        ctx.persist(token, writes);
        token
    }

    /// Keeps what is known of a place in the order, and takes `step` there once it is durable.
    ///
    /// A vote that counted before would be lost in a crash, and with it all that was done because
    /// of it; of q votes for what others then forget, one more than f may be missing.
    pub(super) fn keep_then(&mut self, placement: Placement, step: Step, ctx: &mut Ctx<'_, R>) {
        match self.persist_slot(placement.sequence, ctx) {
            Some(token) if R::waits_for_disk() => self.unsaid.push_back(Unsaid {
                token,
                placement,
                step,
            }),
            Some(_) | None => self.take_step(placement, step, ctx),
        }
    }

    /// Writes up to `token` are durable.
    pub(super) fn on_persisted(&mut self, token: PersistToken, ctx: &mut Ctx<'_, R>) {
        if self.view_under_way.is_some_and(|view| view <= token) {
            self.view_under_way = None;
        }
        while let Some(first) = self.unsaid.front().filter(|it| it.token <= token) {
            let (placement, step) = (first.placement, first.step);
            self.unsaid.pop_front();
            self.take_step(placement, step, ctx);
        }
    }

    /// Whether the disk has the view that this replica is in, or asks for.
    pub(super) fn is_view_kept(&self) -> bool {
        self.view_under_way.is_none() || !R::waits_for_disk()
    }

    fn persist_slot(&mut self, sequence: Sequence, ctx: &mut Ctx<'_, R>) -> Option<PersistToken> {
        if !self.config.durable {
            return None;
        }
        let slot = self.log.get(sequence)?;
        let record = PbftRecord::Entry {
            assignment: slot.assignment.clone(),
            certificate: slot.certificate.as_deref().cloned().map(Box::new),
        };
        let place = (sequence.0 % self.config.window) as u32;
        let slot = FIRST_ENTRY_SLOT.saturating_add(place);
        Some(self.persist(vec![Write::Put { slot, record }], ctx))
    }

    /// Keeps the view.
    pub(super) fn persist_view(&mut self, ctx: &mut Ctx<'_, R>) {
        if !self.config.durable {
            return;
        }
        let record = PbftRecord::View {
            epoch: self.roster.epoch,
            view: self.view,
            changing: self.status == Status::Changing,
        };
        let writes = VIEW_SLOTS.map(|slot| Write::Put {
            slot,
            record: record.clone(),
        });
        self.view_under_way = Some(self.persist(writes.into(), ctx));
    }

    /// Keeps the stable checkpoint.
    pub(super) fn persist_stable(&mut self, ctx: &mut Ctx<'_, R>) {
        if !self.config.durable {
            return;
        }
        let stable = &self.checkpoints.stable;
        let certificate = stable.certificate.as_deref().cloned().map(Box::new);
        let record = PbftRecord::Stable {
            snapshot: Box::new((*stable.snapshot).clone()),
            certificate,
            links: self.links.clone(),
        };
        let slot = STABLE_SLOT;
        self.persist(vec![Write::Put { slot, record }], ctx);
    }

    /// Begins again with what survived on disk.
    pub(super) fn on_restart(&mut self, durable: Durable<PbftRecord>, ctx: &mut Ctx<'_, R>) {
        let (intact, damaged) = sort_out(durable);
        self.take_seat(ctx);
        if let Some(PbftRecord::Stable {
            snapshot,
            certificate,
            links,
        }) = intact.get(&STABLE_SLOT)
        {
            self.restore_stable(snapshot, certificate.as_deref(), links, ctx);
        }
        self.be_silent_after(&intact, &damaged, ctx);
        if R::remembers_votes() {
            self.restore_view(&intact);
            self.restore_entries(&intact, ctx);
        }
        self.resume(ctx);
    }

    fn restore_stable(
        &mut self,
        snapshot: &Snapshot,
        certificate: Option<&CheckpointCertificate>,
        links: &[EpochLink],
        ctx: &mut Ctx<'_, R>,
    ) {
        let stable = StableCheckpoint {
            digest: snapshot.parts().digest(),
            snapshot: Arc::new(snapshot.clone()),
            certificate: certificate.cloned().map(Arc::new),
        };
        self.state = ReplicatedState::restore(snapshot);
        self.executed = snapshot.sequence;
        self.assigned = snapshot.sequence;
        self.roster = Arc::clone(&self.state.roster);
        let n = self.roster.n();
        self.take_seat(ctx);
        self.links = links.to_vec();
        self.checkpoints = Checkpoints::from_stable(stable, n);
        self.log = Log::new(snapshot.sequence, self.config.window);
        self.view_changes = vec![None; n];
        self.helped = vec![None; n];
        self.served = vec![None; n];
        self.future = super::future::Future::new(n, self.config.window);
    }

    /// Decides whether this replica still knows what it voted for.
    fn be_silent_after(&mut self, intact: &Records, damaged: &[u32], ctx: &mut Ctx<'_, R>) {
        for _ in damaged {
            let reason = Reason::DamagedRecord;
            ctx.notify(PbftEvent::Rejected { reason });
        }
        let view_lost = VIEW_SLOTS.iter().all(|slot| damaged.contains(slot));
        if view_lost || !self.config.durable {
            self.silent_until = Some(Sequence(u64::MAX));
        } else if damaged.iter().any(|slot| !VIEW_SLOTS.contains(slot)) {
            let known = intact.values().filter_map(PbftRecord::sequence).max();
            let highest = known.unwrap_or_default().max(self.executed);
            self.silent_until = Some(highest.plus(self.config.window));
        }
    }

    fn restore_view(&mut self, intact: &Records) {
        let views = VIEW_SLOTS.iter().filter_map(|slot| intact.get(slot));
        for record in views {
            if let PbftRecord::View {
                epoch,
                view,
                changing,
            } = record
                && *epoch == self.roster.epoch
                && *view >= self.view
            {
                self.view = *view;
                self.status = if *changing {
                    Status::Changing
                } else {
                    Status::Active
                };
            }
        }
    }

    fn restore_entries(&mut self, intact: &Records, ctx: &mut Ctx<'_, R>) {
        for record in intact.values() {
            if let PbftRecord::Entry {
                assignment,
                certificate,
            } = record
            {
                self.restore_certificate(certificate.as_deref());
                if let Some((pre_prepare, batch)) = assignment {
                    self.restore_assignment(pre_prepare, batch, ctx);
                }
            }
        }
    }

    fn restore_certificate(&mut self, certificate: Option<&PreparedCertificate>) {
        if let Some(certificate) = certificate
            && certificate.pre_prepare.epoch == self.roster.epoch
            && self.is_in_window(certificate.pre_prepare.sequence)
            && let Some(slot) = self.log.slot(certificate.pre_prepare.sequence)
        {
            slot.certificate = Some(Arc::new(certificate.clone()));
        }
    }

    fn restore_assignment(
        &mut self,
        pre_prepare: &Signed<PrePrepare>,
        batch: &Batch,
        ctx: &mut Ctx<'_, R>,
    ) {
        let current = pre_prepare.epoch == self.roster.epoch && pre_prepare.view == self.view;
        let placed = self.is_in_window(pre_prepare.sequence);
        if !current || !placed || self.status == Status::Changing {
            return;
        }
        let (sequence, digest) = (pre_prepare.sequence, pre_prepare.digest);
        let view = self.view;
        let Some(slot) = self.log.slot(sequence) else {
            return;
        };
        slot.assignment = Some((pre_prepare.clone(), batch.clone()));
        let certificate = slot.certificate.as_ref();
        slot.prepared = certificate.is_some_and(|held| held.pre_prepare.view == view);
        slot.is_assignment_kept = true;
        slot.is_certificate_kept = slot.prepared;
        let prepared = slot.prepared;
        self.assigned = self.assigned.max(sequence);
        self.note_outstanding(sequence, batch);
        self.restore_votes(sequence, digest, prepared, ctx);
    }

    /// Has everything that stands at or below this checkpoint been said and settled?
    pub(super) fn speak_again(&mut self, stable: Sequence) {
        if self.silent_until.is_some_and(|until| stable >= until) {
            self.silent_until = None;
        }
    }

    /// Takes part again: asks for what happened meanwhile.
    fn resume(&mut self, ctx: &mut Ctx<'_, R>) {
        self.begin_judging(ctx);
        self.arm_retransmission(ctx);
        match self.status {
            Status::Changing => self.send_view_change(ctx),
            Status::Active => self.send_status(ctx),
        }
        if self.me.is_none() || self.silent_until.is_some() {
            self.begin_fetch(None, ctx);
        }
        self.watch_requests(ctx);
    }
}

/// The readable records by their slots.
type Records = std::collections::BTreeMap<u32, PbftRecord>;

fn sort_out(durable: Durable<PbftRecord>) -> (Records, Vec<u32>) {
    let mut intact = Records::new();
    let mut damaged = Vec::new();
    for (slot, stored) in durable.slots {
        match stored {
            Stored::Intact(record) => {
                intact.insert(slot, record);
            }
            Stored::Damaged => damaged.push(slot),
        }
    }
    (intact, damaged)
}
