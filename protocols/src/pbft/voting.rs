//! The votes of the normal case (section 4.2): what prepares and commits have in common.
//!
//! Must not know what enough votes bring about.

use crate::signed::{Signable, Signed};

use super::event::Reason;
use super::log::Slot;
use super::message::{Commit, PbftMessage, Prepare};
use super::numbers::{Digest, Epoch, ReplicaId, Sequence, View};
use super::ordering::Arrival;
use super::replica::{Ctx, Pbft};
use super::rules::{Rules, VoteKind};
use super::votes::Tally;

/// What every vote of the normal case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ballot {
    pub(super) epoch: Epoch,
    pub(super) view: View,
    pub(super) sequence: Sequence,
    pub(super) digest: Digest,
    pub(super) replica: ReplicaId,
}

/// A vote of the normal case.
pub(super) trait Vote: Signable + Clone {
    const KIND: VoteKind;

    /// A vote of this kind that says so.
    fn of(ballot: Ballot) -> Self;

    fn ballot(&self) -> Ballot;

    /// The message that carries it.
    fn message(vote: Signed<Self>) -> PbftMessage;

    /// Where such votes are counted.
    fn tally(slot: &mut Slot) -> &mut Tally<Signed<Self>>;

    /// Where the replica's own one is kept.
    fn own(slot: &mut Slot) -> &mut Option<Signed<Self>>;

    /// Whether a further vote of this kind can change nothing.
    fn is_settled(slot: &Slot) -> bool;
}

macro_rules! vote {
    ($name:ident { $field:ident }, $tally:ident, $own:ident, |$slot:ident| $settled:expr) => {
        impl Vote for $name {
            const KIND: VoteKind = VoteKind::$name;

            fn of(ballot: Ballot) -> Self {
                let Ballot {
                    epoch,
                    view,
                    sequence,
                    digest,
                    replica,
                } = ballot;
                Self {
                    epoch,
                    view,
                    sequence,
                    digest,
                    replica,
                }
            }

            fn ballot(&self) -> Ballot {
                Ballot {
                    epoch: self.epoch,
                    view: self.view,
                    sequence: self.sequence,
                    digest: self.digest,
                    replica: self.replica,
                }
            }

            fn message($field: Signed<Self>) -> PbftMessage {
                PbftMessage::$name { $field }
            }

            fn tally(slot: &mut Slot) -> &mut Tally<Signed<Self>> {
                &mut slot.$tally
            }

            fn own(slot: &mut Slot) -> &mut Option<Signed<Self>> {
                &mut slot.$own
            }

            fn is_settled($slot: &Slot) -> bool {
                $settled
            }
        }
    };
}
vote!(Prepare { prepare }, prepares, own_prepare, |slot| slot
    .prepared);
vote!(Commit { commit }, commits, own_commit, |slot| slot
    .committed
    .is_some());

impl<R: Rules> Pbft<R> {
    /// Votes in this view and tells all.
    pub(super) fn cast_vote<V: Vote>(
        &mut self,
        sequence: Sequence,
        digest: Digest,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (Some(replica), true) = (self.me, self.may_vote()) else {
            return;
        };
        let vote = ctx.sign(V::of(Ballot {
            epoch: self.roster.epoch,
            view: self.view,
            sequence,
            digest,
            replica,
        }));
        if let Some(slot) = self.log.slot(sequence) {
            *V::own(slot) = Some(vote.clone());
            V::tally(slot).add::<R>(replica, digest, vote.clone());
        }
        self.multicast(V::message(vote), ctx);
    }

    /// Counts another replica's vote; true if it is a new one for now.
    pub(super) fn count_vote<V: Vote>(
        &mut self,
        vote: &Signed<V>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<bool, Reason> {
        let Ballot {
            epoch,
            view,
            sequence,
            digest,
            replica,
        } = vote.content().ballot();
        let arrival = self.arrival(view, sequence)?;
        self.check_member(epoch, replica, vote)?;
        if V::KIND == VoteKind::Prepare
            && !R::counts_prepare_of(replica == self.roster.primary(view))
        {
            return Err(Reason::PrimaryPrepare);
        }
        match arrival {
            Arrival::Late => return Ok(false),
            Arrival::Early => {
                self.check_vote_signature(vote, ctx)?;
                self.future.keep(replica, V::message(vote.clone()));
                return Ok(false);
            }
            Arrival::Now => {}
        }
        // A vote that can change nothing need not be verified.
        if self.log.get(sequence).is_some_and(V::is_settled) {
            return Ok(false);
        }
        self.check_vote_signature(vote, ctx)?;
        let slot = self.log.slot(sequence).ok_or(Reason::OutsideWindow)?;
        if !V::tally(slot).add::<R>(replica, digest, vote.clone()) {
            return Err(Reason::DuplicateVote);
        }
        self.expect_progress(ctx);
        Ok(true)
    }

    /// Whether a vote was signed, under a domain that its kind allows.
    pub(super) fn check_vote_signature<V: Vote>(
        &self,
        vote: &Signed<V>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let signed = R::domains(V::KIND).iter().any(|domain| {
            if *domain == V::KIND {
                return ctx.verify(vote);
            }
            let ballot = vote.content().ballot();
            match domain {
                VoteKind::Prepare => ctx.verify(&moved(vote, Prepare::of(ballot))),
                VoteKind::Commit => ctx.verify(&moved(vote, Commit::of(ballot))),
            }
        });
        if R::signature_holds(signed) {
            Ok(())
        } else {
            Err(Reason::BadSignature)
        }
    }
}

/// Other content under the signature made for `vote`.
fn moved<T, U>(vote: &Signed<T>, content: U) -> Signed<U> {
    Signed::from_parts(content, vote.signer(), vote.signature())
}
