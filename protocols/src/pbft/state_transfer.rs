//! Fetching a stable checkpoint's state from peers that may lie (TOCS'02 section 5.3).
//!
//! Departs from the paper, which walks a tree of partitions: a snapshot travels whole, with the
//! certificate of its digest, so that one answer of an honest peer suffices and a false one is
//! recognised at once. Peers are asked one after the other.

use std::sync::Arc;

use crate::signed::Signed;

use super::PbftTimer;
use super::checkpoint::{Checkpoints, StableCheckpoint};
use super::event::{PbftEvent, Reason};
use super::log::Log;
use super::message::{CheckpointCertificate, PbftMessage, StateReply, StateRequest};
use super::numbers::{ReplicaId, Sequence};
use super::replica::{Ctx, Pbft};
use super::roster::Roster;
use super::rules::Rules;
use super::state::{EpochLink, ReplicatedState, Snapshot};

/// A state transfer under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fetch {
    /// The checkpoint known to be stable; `None` if only the lack is known.
    pub(super) target: Option<Sequence>,
    /// How many peers were asked.
    pub(super) attempts: u16,
    /// The replica's own state is wrong or of no use: it goes in any case.
    pub(super) replace: bool,
}

impl<R: Rules> Pbft<R> {
    /// A checkpoint is stable that this replica has not reached: its batches may still be on
    /// their way, or they are gone.
    pub(super) fn expect_state(
        &mut self,
        certificate: CheckpointCertificate,
        ctx: &mut Ctx<'_, R>,
    ) {
        if certificate.sequence > self.log.high() {
            self.begin_fetch(Some(certificate), ctx);
            return;
        }
        let sequence = certificate.sequence;
        if self.fetch.is_none() {
            ctx.set_timer(PbftTimer::FetchState, self.config.fetch_after);
        }
        let fetch = self.fetch.get_or_insert(Fetch {
            target: None,
            attempts: 0,
            replace: false,
        });
        fetch.target = fetch.target.max(Some(sequence));
    }

    /// The group handed over to a roster unknown here: the link to it must be fetched.
    pub(super) fn expect_handover(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.fetch.is_none() {
            self.fetch = Some(Fetch {
                target: None,
                attempts: 0,
                replace: false,
            });
            ctx.set_timer(PbftTimer::FetchState, self.config.fetch_after);
        }
    }

    /// Asks for a state now.
    pub(super) fn begin_fetch(
        &mut self,
        certificate: Option<CheckpointCertificate>,
        ctx: &mut Ctx<'_, R>,
    ) {
        let target = certificate.map(|certificate| certificate.sequence);
        let replace = target.is_some_and(|target| self.executed_through(target));
        let attempts = self.fetch.as_ref().map_or(0, |fetch| fetch.attempts);
        let asking = attempts > 0;
        self.fetch = Some(Fetch {
            target,
            attempts,
            replace,
        });
        if !asking {
            self.ask_next_peer(ctx);
        }
    }

    /// The peer asked last did not answer, or the missing batches did not come.
    pub(super) fn on_fetch_timeout(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(fetch) = &self.fetch else {
            return;
        };
        let reached = fetch
            .target
            .is_some_and(|target| self.executed_through(target));
        if reached && !fetch.replace {
            self.fetch = None;
        } else {
            self.ask_next_peer(ctx);
        }
    }

    fn ask_next_peer(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(fetch) = &mut self.fetch else {
            return;
        };
        fetch.attempts = fetch.attempts.saturating_add(1);
        let executed = if fetch.replace {
            self.log.low()
        } else {
            self.executed
        };
        let request = ctx.sign(StateRequest {
            epoch: self.roster.epoch,
            executed,
            asker: ctx.me(),
            roster_only: false,
        });
        let peer = self.peer_to_ask();
        self.send_to(peer, PbftMessage::StateRequest { request }, ctx);
        ctx.set_timer(PbftTimer::FetchState, self.config.retransmit_interval);
    }

    /// The others in turn, beginning after oneself.
    fn peer_to_ask(&self) -> ReplicaId {
        let n = self.roster.n();
        let attempts = self.fetch.as_ref().map_or(1, |fetch| fetch.attempts);
        let place = match self.me {
            Some(me) => me.index() + 1 + usize::from(attempts - 1) % (n - 1).max(1),
            None => usize::from(attempts - 1),
        };
        ReplicaId((place % n) as u16)
    }

    /// Somebody lacks a state or a roster.
    pub(super) fn on_state_request(
        &mut self,
        request: &Signed<StateRequest>,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let key = request.signer();
        let slot_of = |replica| self.roster.member(replica).map(|member| member.slot);
        let replica_slot = self.roster.replica_of(&key).and_then(slot_of);
        // A member that was away does not know yet that another key of its own is in force.
        let holder = self.roster.holder_of(&key);
        let is_client = holder.is_some_and(|(slot, _)| slot == request.asker);
        if replica_slot != Some(request.asker) && !is_client {
            return Err(Reason::NotAMember);
        }
        if !R::signature_holds(ctx.verify(request)) {
            return Err(Reason::BadSignature);
        }
        if let Some(replica) = self.roster.replica_of(&key)
            && !self.may_serve(replica, ctx)
        {
            return Ok(());
        }
        let stable = &self.checkpoints.stable;
        let helps = stable.snapshot.sequence > request.executed && !request.roster_only;
        let links = self.links_since(request.epoch);
        if !helps && links.is_empty() {
            return Ok(());
        }
        let state = stable.certificate.as_ref().filter(|_| helps);
        let state = state.map(|proof| ((**proof).clone(), (*stable.snapshot).clone()));
        let reply = Box::new(StateReply { links, state });
        ctx.send(request.asker, PbftMessage::StateReply { reply });
        Ok(())
    }

    /// A state: adopted if the proof holds, else the next peer is asked.
    pub(super) fn on_state_reply(
        &mut self,
        reply: &StateReply,
        ctx: &mut Ctx<'_, R>,
    ) -> Result<(), Reason> {
        let Some(fetch) = &self.fetch else {
            return Err(Reason::UnexpectedReply);
        };
        let Some((certificate, snapshot)) = &reply.state else {
            return Err(Reason::UnexpectedReply);
        };
        let floor = if fetch.replace {
            self.log.low()
        } else {
            self.executed
        };
        let proven = self.proves_state(reply, certificate, snapshot, ctx);
        if !proven {
            self.ask_next_peer(ctx);
            return Err(Reason::BadState);
        }
        if certificate.sequence > floor {
            self.install(reply, certificate, snapshot, ctx);
        }
        Ok(())
    }

    fn proves_state(
        &self,
        reply: &StateReply,
        certificate: &CheckpointCertificate,
        snapshot: &Snapshot,
        ctx: &mut Ctx<'_, R>,
    ) -> bool {
        let digest = snapshot.parts().digest();
        if !R::state_matches(digest, certificate.digest) {
            return false;
        }
        let Some(rosters) = self.rosters_of(&reply.links, ctx) else {
            return false;
        };
        let own = std::iter::once(&*self.roster);
        let signers = own
            .chain(rosters)
            .find(|roster| roster.epoch == certificate.epoch);
        snapshot.sequence == certificate.sequence
            && signers.is_some_and(|roster| self.proves_checkpoint(certificate, roster, ctx))
    }

    /// The rosters that the links prove, one after the other; `None` if one proves nothing.
    fn rosters_of<'a>(
        &self,
        links: &'a [EpochLink],
        ctx: &mut Ctx<'_, R>,
    ) -> Option<Vec<&'a Roster>> {
        let mut rosters: Vec<&Roster> = Vec::new();
        for link in links {
            let known = rosters.last().copied().unwrap_or(&self.roster);
            if !proves_link(link, known) || !self.proves_checkpoint(&link.certificate, known, ctx) {
                return None;
            }
            rosters.push(&link.roster);
        }
        Some(rosters)
    }

    /// Adopts a proven state in place of the replica's own.
    fn install(
        &mut self,
        reply: &StateReply,
        certificate: &CheckpointCertificate,
        snapshot: &Snapshot,
        ctx: &mut Ctx<'_, R>,
    ) {
        let (from, sequence) = (self.executed, certificate.sequence);
        let stable = StableCheckpoint {
            snapshot: Arc::new(snapshot.clone()),
            digest: certificate.digest,
            certificate: Some(Arc::new(certificate.clone())),
        };
        self.fetch = None;
        ctx.cancel_timer(PbftTimer::FetchState);
        self.tentative = None;
        self.state = ReplicatedState::restore(snapshot);
        self.executed = sequence;
        self.forget_executed();
        ctx.notify(PbftEvent::StateTransferred {
            from,
            sequence,
            digest: certificate.digest,
        });
        if self.state.roster.epoch > self.roster.epoch {
            self.links.extend(reply.links.iter().cloned());
            self.complete_links(&stable);
            self.checkpoints = Checkpoints::from_stable(stable, self.state.roster.n());
            self.speak_again(sequence);
            self.adopt_roster(Arc::clone(&self.state.roster), ctx);
            self.persist_stable(ctx);
            self.persist_view(ctx);
            self.keep_learning(ctx);
            return;
        }
        self.checkpoints.own.clear();
        if sequence > self.log.high() {
            self.log = Log::new(sequence, self.config.window);
        }
        self.make_stable(stable, ctx);
        self.answer_waiting_reads(ctx);
        self.execute_ready(ctx);
        self.watch_requests(ctx);
        self.keep_learning(ctx);
    }

    /// Outside the group a replica follows the checkpoints until a roster names it.
    fn keep_learning(&mut self, ctx: &mut Ctx<'_, R>) {
        if self.me.is_none() {
            self.expect_handover(ctx);
        }
    }

    /// The handover checkpoint is its own link where the sender did not list it.
    fn complete_links(&mut self, stable: &StableCheckpoint) {
        let last = self.links.last().map(|link| link.roster.epoch);
        if last < Some(stable.snapshot.roster.epoch)
            && let Some(certificate) = &stable.certificate
        {
            self.links.push(EpochLink {
                certificate: (**certificate).clone(),
                parts: stable.snapshot.parts(),
                roster: stable.snapshot.roster.clone(),
            });
        }
    }

    /// Requests that the adopted state reflects wait no longer.
    fn forget_executed(&mut self) {
        for (client, cached) in &*self.state.replies {
            self.waiting.remove_up_to(*client, cached.timestamp);
        }
    }
}

/// Whether the digests of a link fit each other and its roster follows `known`.
pub(super) fn proves_link(link: &EpochLink, known: &Roster) -> bool {
    link.parts.digest() == link.certificate.digest
        && link.parts.roster == super::numbers::Digest::of(&link.roster)
        && link.parts.sequence == link.certificate.sequence
        && link.roster.epoch == known.epoch.next()
        && link.roster.membership.is_valid()
}
