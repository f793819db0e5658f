//! Beginning a view (section 4.4): what its primary must reissue, and every backup's own check.

use std::collections::BTreeMap;

use crate::signed::Signed;

use super::event::{PbftEvent, Reason};
use super::message::{Batch, NewView, PbftMessage, PrePrepare, ViewChange};
use super::numbers::{Digest, Sequence, View};
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;
use super::votes::Tally;

/// What follows from a set of view-changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reissue {
    /// min-s: the highest stable checkpoint of the set.
    pub min: Sequence,
    /// max-s: the highest sequence number prepared in the set; at least min-s.
    pub max: Sequence,
    /// What goes to each sequence number between them, the null request where nothing prepared.
    pub batches: BTreeMap<Sequence, Batch>,
}

/// min-s, max-s and the batches between them (section 4.4, "O").
///
/// Of several certificates for one sequence number that of the highest view wins: a batch that
/// committed anywhere prepared in that view at an honest member of every quorum.
pub fn reissue<'a, R: Rules>(
    view_changes: impl Iterator<Item = &'a ViewChange> + Clone,
) -> Reissue {
    let stable = view_changes.clone().map(|view_change| view_change.stable);
    let min = stable.max().unwrap_or_default();
    let mut best: BTreeMap<Sequence, (View, &Batch)> = BTreeMap::new();
    for certificate in view_changes.flat_map(|view_change| &view_change.prepared) {
        let (sequence, view) = (
            certificate.pre_prepare.sequence,
            certificate.pre_prepare.view,
        );
        let wins = |held: &(View, &Batch)| R::supersedes(view, held.0);
        if sequence > min && best.get(&sequence).is_none_or(wins) {
            best.insert(sequence, (view, &certificate.batch));
        }
    }
    let max = best.keys().next_back().copied().unwrap_or(min);
    let places = (min.next().0..=max.0).map(Sequence);
    let batches = places.map(|sequence| {
        let batch = best.get(&sequence).map(|(_, batch)| (*batch).clone());
        (sequence, batch.unwrap_or_else(Batch::null))
    });
    Reissue {
        min,
        max,
        batches: batches.collect(),
    }
}

impl<R: Rules> Pbft<R> {
    /// The new primary begins its view once a quorum asked for exactly this one.
    pub(super) fn begin_view(&mut self, ctx: &mut Ctx<'_, R>) {
        let view = self.view;
        let held = self.view_changes.iter().flatten();
        let view_changes: Vec<_> = held.filter(|held| held.view == view).cloned().collect();
        if !R::is_quorum(view_changes.len(), &self.roster) {
            return;
        }
        let reissue = reissue::<R>(view_changes.iter().map(Signed::content));
        let assignments: Vec<(Signed<PrePrepare>, Batch)> = reissue
            .batches
            .iter()
            .map(|(sequence, batch)| {
                let pre_prepare = self.reissued(*sequence, batch.digest());
                (ctx.sign(pre_prepare), batch.clone())
            })
            .collect();
        let new_view = ctx.sign(NewView {
            epoch: self.roster.epoch,
            view,
            view_changes,
            pre_prepares: assignments
                .iter()
                .map(|(signed, _)| signed.clone())
                .collect(),
        });
        self.announce_primary(ctx);
        self.enter_view(new_view.clone(), assignments, &reissue, ctx);
        self.multicast(PbftMessage::NewView { new_view }, ctx);
        self.propose(ctx);
    }

    fn reissued(&self, sequence: Sequence, digest: Digest) -> PrePrepare {
        PrePrepare {
            epoch: self.roster.epoch,
            view: self.view,
            sequence,
            digest,
        }
    }

    /// A new-view: accepted if the backup comes to the same pre-prepares (section 4.4).
    pub(super) fn on_new_view(
        &mut self,
        new_view: &Signed<NewView>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let entered = self.status == Status::Active && new_view.view == self.view;
        if new_view.view < self.view || entered {
            return Err(Reason::OldView);
        }
        let primary = self.roster.primary(new_view.view);
        match self.check_signer(new_view.epoch, primary, new_view, ctx) {
            Ok(()) => {}
            Err(Reason::NotAMember) => return Err(Reason::NotThePrimary),
            Err(reason) => return Err(reason),
        }
        self.check_view_change_set(new_view, ctx)?;
        let reissue = reissue::<R>(new_view.view_changes.iter().map(Signed::content));
        if !R::new_view_holds(self.follows(new_view, &reissue, ctx)) {
            return Err(Reason::BadNewView);
        }
        for view_change in &new_view.view_changes {
            self.learn_checkpoint(view_change, ctx);
        }
        if new_view.epoch != self.roster.epoch || new_view.view < self.view {
            return Ok(());
        }
        self.leave_for(new_view.view, ctx);
        let assignments = matched(new_view, &reissue);
        self.enter_view(new_view.clone(), assignments, &reissue, ctx);
        Ok(())
    }

    /// V: a quorum of valid view-changes for exactly this view, by different members.
    fn check_view_change_set(
        &self,
        new_view: &NewView,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let mut tally = Tally::default();
        for view_change in &new_view.view_changes {
            let signed =
                self.check_signer(view_change.epoch, view_change.replica, view_change, ctx);
            if signed.is_err() || view_change.view != new_view.view {
                return Err(Reason::BadViewChangeSet);
            }
            self.check_view_change(view_change, ctx)
                .map_err(|_| Reason::BadViewChangeSet)?;
            if !tally.add::<R>(view_change.replica, Digest::default(), ()) {
                return Err(Reason::BadViewChangeSet);
            }
        }
        if R::is_quorum(tally.count::<R>(Digest::default()), &self.roster) {
            Ok(())
        } else {
            Err(Reason::BadViewChangeSet)
        }
    }

    /// Whether O is exactly what follows from V, signed by the primary.
    fn follows(&self, new_view: &NewView, reissue: &Reissue, ctx: &mut Ctx<'_, R>) -> bool {
        let primary = self.roster.primary(new_view.view);
        new_view.pre_prepares.len() == reissue.batches.len()
            && new_view.pre_prepares.iter().zip(&reissue.batches).all(
                |(pre_prepare, (sequence, batch))| {
                    pre_prepare.view == new_view.view
                        && pre_prepare.sequence == *sequence
                        && pre_prepare.digest == batch.digest()
                        && self
                            .check_signer(pre_prepare.epoch, primary, pre_prepare, ctx)
                            .is_ok()
                },
            )
    }

    /// Leaves the present view for one that others began without this replica.
    fn leave_for(&mut self, view: View, ctx: &mut Ctx<'_, R>) {
        if view > self.view {
            self.roll_back(ctx);
            self.answer_waiting_reads(ctx);
            self.pace_end_view();
        }
        self.timed = None;
        self.status = Status::Changing;
        self.view = view;
    }

    /// Enters the view of a valid new-view and takes up what it reissues.
    fn enter_view(
        &mut self,
        new_view: Signed<NewView>,
        assignments: Vec<(Signed<PrePrepare>, Batch)>,
        reissue: &Reissue,
        ctx: &mut Ctx<'_, R>,
    ) {
        let view = new_view.view;
        self.new_view = Some(new_view);
        self.awaiting_new_view = false;
        self.log.end_view();
        self.waiting.restart();
        self.progressed = false;
        self.reconfiguring = None;
        self.assigned = reissue.max.max(self.log.low());
        if R::takes_part_while_fetching() || reissue.min <= self.executed {
            self.status = Status::Active;
        }
        ctx.cancel_timer(super::PbftTimer::ViewChange);
        self.persist_view(ctx);
        ctx.notify(PbftEvent::NewViewEntered {
            epoch: self.roster.epoch,
            view,
            primary: self.roster.primary(view),
            reissued: reissue.batches.len() as u64,
        });
        self.pace_begin_view(ctx);
        for (pre_prepare, batch) in assignments {
            if self.is_in_window(pre_prepare.sequence) {
                self.accept_assignment(pre_prepare, batch, false, ctx);
            }
        }
        self.watch_requests(ctx);
        self.replay_future(ctx);
    }
}

/// The pre-prepares of a new-view with the batches they name, found in its view-changes.
fn matched(new_view: &NewView, reissue: &Reissue) -> Vec<(Signed<PrePrepare>, Batch)> {
    let batch_of = |pre_prepare: &PrePrepare| {
        let recomputed = reissue.batches.get(&pre_prepare.sequence);
        let recomputed = recomputed.filter(|batch| batch.digest() == pre_prepare.digest);
        recomputed.cloned().or_else(|| {
            let changes = new_view.view_changes.iter();
            let mut batches = changes.flat_map(|change| &change.prepared);
            let found = batches.find(|held| held.batch.digest() == pre_prepare.digest);
            found.map(|certificate| certificate.batch.clone())
        })
    };
    let assignments = new_view.pre_prepares.iter();
    assignments
        .filter_map(|pre_prepare| {
            let null = Some(Batch::null()).filter(|null| null.digest() == pre_prepare.digest);
            Some((pre_prepare.clone(), batch_of(pre_prepare).or(null)?))
        })
        .collect()
}
