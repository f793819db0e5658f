//! Giving up on a primary (section 4.4): timers, view-changes and what they must prove.
//!
//! ```text
//!   Active(v) --request timeout, f+1 ahead, slow primary--> Changing(v')    v' > v
//!   Changing(v) --new-view timeout, f+1 ahead--> Changing(v')               v' > v
//!   Active(v), Changing(v) --valid new-view of v'--> Active(v')             v' > v, or v' = v
//! ```

use crate::signed::Signed;
use crate::time::SimDuration;

use super::PbftTimer;
use super::event::{PbftEvent, Reason, ViewChangeCause};
use super::message::{CheckpointCertificate, PbftMessage, PreparedCertificate, ViewChange};
use super::numbers::{Sequence, View};
use super::replica::{Ctx, Pbft, Status};
use super::rules::Rules;
use super::votes::Tally;

impl<R: Rules> Pbft<R> {
    /// How long the replica waits now: doubled by every view change without progress (4.5.2).
    pub(super) fn timeout(&self) -> SimDuration {
        let config = &self.config;
        R::timeout(config.view_timeout, config.max_timeout, self.consecutive)
    }

    /// The view timer: a request was not executed, or a new view did not begin, in time.
    pub(super) fn on_view_timeout(&mut self, ctx: &mut Ctx<'_, R>) {
        let cause = match self.status {
            Status::Active => ViewChangeCause::RequestTimeout,
            Status::Changing => ViewChangeCause::NewViewTimeout,
        };
        let outstanding = self.timed.is_some();
        if self.status == Status::Changing || outstanding {
            self.start_view_change(self.view.next(), cause, ctx);
        }
    }

    /// Leaves the view and asks for `view` with all that is prepared here.
    pub(super) fn start_view_change(
        &mut self,
        view: View,
        cause: ViewChangeCause,
        ctx: &mut Ctx<'_, R>,
    ) {
        if !self.may_vote() || view <= self.view {
            return;
        }
        self.end_view(ctx);
        if self.status == Status::Changing || !self.progressed_since_change() {
            self.consecutive = self.consecutive.saturating_add(1);
        }
        self.status = Status::Changing;
        self.view = view;
        self.persist_view(ctx);
        let epoch = self.roster.epoch;
        ctx.notify(PbftEvent::ViewChangeStarted { epoch, view, cause });
        self.send_view_change(ctx);
        self.arm_retransmission(ctx);
        self.replay_future(ctx);
    }

    /// Whether the view now left was of use, or the first: then timeouts begin anew.
    fn progressed_since_change(&self) -> bool {
        self.progressed || self.new_view.is_none()
    }

    fn end_view(&mut self, ctx: &mut Ctx<'_, R>) {
        self.roll_back(ctx);
        self.answer_waiting_reads(ctx);
        self.timed = None;
        self.awaiting_new_view = false;
        ctx.cancel_timer(PbftTimer::ViewChange);
        self.pace_end_view();
    }

    /// Signs and sends what the replica knows, and counts it for itself.
    pub(super) fn send_view_change(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(replica) = self.me.filter(|_| self.may_vote()) else {
            return;
        };
        let view_change = ctx.sign(ViewChange {
            epoch: self.roster.epoch,
            view: self.view,
            stable: self.log.low(),
            proof: self.stable_proof(),
            prepared: self.prepared_certificates(),
            replica,
        });
        self.keep_view_change(&view_change);
        self.multicast(PbftMessage::ViewChange { view_change }, ctx);
        self.check_view_changes(ctx);
    }

    /// C: votes for the stable checkpoint; none where the epoch began with it.
    fn stable_proof(&self) -> Vec<Signed<super::message::Checkpoint>> {
        let certificate = self.checkpoints.stable.certificate.as_ref();
        match certificate {
            Some(certificate) if certificate.epoch == self.roster.epoch => {
                certificate.votes.clone()
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// P: the certificate of the highest view for each sequence number above the checkpoint.
    fn prepared_certificates(&self) -> Vec<PreparedCertificate> {
        let slots = self.log.iter();
        slots
            .filter_map(|(_, slot)| slot.certificate.as_deref().cloned())
            .collect()
    }

    /// The checkpoint with which this epoch began; all its members hold it.
    pub(super) fn epoch_base(&self) -> Sequence {
        let last = self.links.last();
        last.map_or(Sequence::default(), |link| link.certificate.sequence)
    }

    /// A view-change (section 4.4).
    pub(super) fn on_view_change(
        &mut self,
        view_change: &Signed<ViewChange>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        self.check_signer(view_change.epoch, view_change.replica, view_change, ctx)?;
        let held = self.view_changes.get(view_change.replica.index());
        let held = held.and_then(Option::as_ref);
        if held == Some(view_change) {
            return Ok(());
        }
        let newest = held.map_or(View::default(), |held| held.view);
        if view_change.view < self.view || view_change.view < newest {
            return Err(Reason::OldView);
        }
        if view_change.view == newest {
            return Err(Reason::DuplicateVote);
        }
        self.check_view_change(view_change, ctx)?;
        self.keep_view_change(view_change);
        self.learn_checkpoint(view_change, ctx);
        self.join_others(ctx);
        self.check_view_changes(ctx);
        Ok(())
    }

    fn keep_view_change(&mut self, view_change: &Signed<ViewChange>) {
        let place = self.view_changes.get_mut(view_change.replica.index());
        if let Some(place) = place {
            *place = Some(view_change.clone());
        }
    }

    /// Whether a view-change proves its checkpoint and its prepared batches.
    pub(super) fn check_view_change(
        &self,
        view_change: &ViewChange,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        if !R::certificate_holds(self.proves_stable(view_change, ctx)) {
            return Err(Reason::BadCheckpointProof);
        }
        let mut above = view_change.stable;
        for certificate in &view_change.prepared {
            let sequence = certificate.pre_prepare.sequence;
            let rising = sequence > above;
            above = sequence;
            let placed = R::is_in_window(sequence, view_change.stable, self.config.window);
            let earlier = R::is_earlier_view(certificate.pre_prepare.view, view_change.view);
            let proven = rising && placed && self.proves_prepared(certificate, ctx);
            if !earlier || !R::certificate_holds(proven) {
                return Err(Reason::BadPreparedCertificate);
            }
        }
        Ok(())
    }

    fn proves_stable(&self, view_change: &ViewChange, ctx: &mut Ctx<'_, R>) -> bool {
        match self.checkpoint_of(view_change) {
            Some(certificate) => self.proves_checkpoint(&certificate, &self.roster, ctx),
            None => view_change.stable == self.epoch_base(),
        }
    }

    /// The certificate in a view-change; `None` if it claims the checkpoint of its epoch's start.
    fn checkpoint_of(&self, view_change: &ViewChange) -> Option<CheckpointCertificate> {
        let first = view_change.proof.first()?;
        Some(CheckpointCertificate {
            epoch: view_change.epoch,
            sequence: view_change.stable,
            digest: first.digest,
            votes: view_change.proof.clone(),
        })
    }

    /// Whether a certificate holds the primary's assignment and q-1 matching prepares of different
    /// backups.
    fn proves_prepared(&self, certificate: &PreparedCertificate, ctx: &mut Ctx<'_, R>) -> bool {
        let PreparedCertificate {
            pre_prepare,
            batch,
            prepares,
        } = certificate;
        let primary = self.roster.primary(pre_prepare.view);
        let assigned = self
            .check_signer(pre_prepare.epoch, primary, pre_prepare, ctx)
            .is_ok();
        if !assigned || !R::batch_matches(batch.digest(), pre_prepare.digest) {
            return false;
        }
        let mut tally = Tally::default();
        for prepare in prepares {
            let same = prepare.view == pre_prepare.view
                && prepare.sequence == pre_prepare.sequence
                && R::digest_matches(prepare.digest, pre_prepare.digest);
            let backup = R::counts_prepare_of(prepare.replica == primary);
            let signed = self.check_signer(prepare.epoch, prepare.replica, prepare, ctx);
            if !same || !backup || signed.is_err() {
                return false;
            }
            if !tally.add::<R>(prepare.replica, pre_prepare.digest, ()) {
                return false;
            }
        }
        R::is_prepared(tally.count::<R>(pre_prepare.digest), &self.roster)
    }

    /// A view-change proves its checkpoint to whoever lacks it.
    pub(super) fn learn_checkpoint(&mut self, view_change: &ViewChange, ctx: &mut Ctx<'_, R>) {
        if view_change.stable > self.log.low()
            && let Some(certificate) = self.checkpoint_of(view_change)
        {
            self.on_proven(certificate, ctx);
        }
    }

    /// f+1 others in later views: at least one of them is honest, so this one goes along (4.5.2).
    fn join_others(&mut self, ctx: &mut Ctx<'_, R>) {
        let me = self.me;
        let others = self.view_changes.iter().flatten();
        let ahead: Vec<View> = others
            .filter(|other| Some(other.replica) != me && other.view > self.view)
            .map(|other| other.view)
            .collect();
        if R::joins(ahead.len(), &self.roster)
            && let Some(view) = R::view_to_join(&ahead)
        {
            self.start_view_change(view, ViewChangeCause::Joined, ctx);
        }
    }

    /// A quorum asked for the view: its primary begins it, the others give it a time limit (4.5.2).
    pub(super) fn check_view_changes(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.status == Status::Active {
            return;
        }
        let held = self.view_changes.iter().flatten();
        let asked = held.filter(|held| held.view >= self.view).count();
        if !self.awaiting_new_view && R::awaits_new_view(asked, &self.roster) {
            self.awaiting_new_view = true;
            ctx.set_timer(PbftTimer::ViewChange, self.timeout());
        }
        if self.is_primary() && self.may_vote() {
            self.begin_view(ctx);
        }
    }
}
