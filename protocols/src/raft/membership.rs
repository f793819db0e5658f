//! Who votes, and how that changes while the cluster works (paper 6; dissertation 4). Must not know
//! elections.

use super::Ctx;
use super::apply::fail;
use super::command::{Outcome, Shared};
use super::config::MembershipMode;
use super::configuration::Configuration;
use super::event::RaftEvent;
use super::message::{EntryKind, RaftReply};
use super::rules::Rules;
use super::state::Raft;
use crate::outbox::RequestId;
use crate::peer::PeerId;
use crate::time::LocalTime;

/// A membership change under way at a leader.
///
/// ```text
/// CatchUp ── short round ─▶ Changing ── C_new committed ─▶ answered
///    └── too many rounds ─▶ given up
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Change {
    pub(super) request: RequestId,
    target: Configuration,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// The new voters learn the log in rounds; this one ends at `goal` (dissertation 4.2.1).
    CatchUp {
        round: u32,
        goal: u64,
        since: LocalTime,
    },
    /// The new configuration, or the joint one before it, stands in the log.
    Changing,
}

impl<R: Rules> Raft<R> {
    /// A configuration is in force from the moment it stands in the log (paper 6).
    pub(super) fn adopt_configuration(
        &mut self,
        index: u64,
        configuration: Shared<Configuration>,
        ctx: &mut Ctx<'_, R>,
    ) {
        self.configurations.push((index, configuration));
        self.enforce_configuration(ctx);
    }

    /// The log was cut before `from`: an earlier configuration is in force again.
    pub(super) fn abandon_configurations_from(&mut self, from: u64, ctx: &mut Ctx<'_, R>) {
        let before = self.configurations.len();
        let keep = self
            .configurations
            .partition_point(|(index, _)| *index < from);
        self.configurations.truncate(keep.max(1));
        if self.configurations.len() < before {
            self.enforce_configuration(ctx);
        }
    }

    pub(super) fn enforce_configuration(&mut self, ctx: &mut Ctx<'_, R>) {
        let (index, configuration) = (self.configuration_index(), self.configuration().clone());
        self.follow_members(self.log.last_index() + 1, ctx);
        ctx.notify(RaftEvent::ConfigurationChanged {
            index,
            configuration,
        });
        self.abort_transfer_to_non_voter(ctx);
    }

    /// The last committed configuration and all that may yet replace it.
    pub(super) fn possible_configurations(&self) -> impl Iterator<Item = &Shared<Configuration>> {
        let committed = self
            .configurations
            .partition_point(|(at, _)| *at <= self.commit);
        let possible = &self.configurations[committed.saturating_sub(1)..];
        possible.iter().map(|(_, configuration)| configuration)
    }

    /// A leader sends to everyone who may be a member, so that those who leave learn of it; only
    /// voters of the configuration in force count.
    pub(super) fn follow_members(&mut self, next_index: u64, ctx: &mut Ctx<'_, R>) {
        if self.leading.is_none() {
            return;
        }
        let everyone = self.possible_configurations();
        let mut members: Vec<PeerId> = everyone.flat_map(|one| one.members()).collect();
        members.sort_unstable();
        members.dedup();
        members.retain(|peer| *peer != self.me);
        let staying = self.configuration().members();
        let has_leavers = members.iter().any(|peer| !staying.contains(peer));
        if let Some(leading) = self.leading.as_mut() {
            leading.follow(&members, next_index, ctx.now());
            leading.has_leavers = has_leavers;
        }
    }

    /// The configuration as of `index`.
    pub(super) fn configuration_as_of(&self, index: u64) -> &Shared<Configuration> {
        let at = self.configurations.partition_point(|(at, _)| *at <= index);
        &self.configurations[at.saturating_sub(1)].1
    }

    fn may_change(&self) -> bool {
        let own_term = self.leading.as_ref().map(|leading| leading.term_start);
        let start = own_term.map(|start| match self.config.own_commit_before_change {
            true => start,
            false => 0,
        });
        start.is_some_and(|start| R::may_change(self.commit, self.configuration_index(), start))
    }

    /// An operator wants another membership.
    pub(super) fn on_change_membership(
        &mut self,
        request: RequestId,
        target: Configuration,
        ctx: &mut Ctx<'_, R>,
    ) {
        let Some(leading) = &self.leading else {
            return ctx.reply(request, fail("not-leader"));
        };
        if leading.change.is_some() || leading.transfer.is_some() || !self.may_change() {
            return ctx.reply(request, fail("change-pending"));
        }
        let next = self.next_configuration(&target);
        if next.is_err() {
            return ctx.reply(request, fail("illegal-change"));
        }
        let new_voters = self.new_voters(&target);
        let stage = if new_voters.is_empty() || self.config.catch_up_rounds == 0 {
            Stage::Changing
        } else {
            self.add_learners(&new_voters, ctx);
            Stage::CatchUp {
                round: 1,
                goal: self.log.last_index(),
                since: ctx.now(),
            }
        };
        let begins = stage == Stage::Changing;
        if let Some(leading) = self.leading.as_mut() {
            leading.change = Some(Change {
                request,
                target,
                stage,
            });
        }
        if begins {
            self.propose_target(ctx);
        } else {
            self.continue_change(ctx);
        }
    }

    fn new_voters(&self, target: &Configuration) -> Vec<PeerId> {
        let voters = target.voters.iter().copied();
        voters
            .filter(|peer| !self.configuration().is_voter(*peer))
            .collect()
    }

    /// What to append on the way to `target`.
    fn next_configuration(
        &self,
        target: &Configuration,
    ) -> Result<Configuration, super::configuration::ChangeError> {
        match self.config.membership {
            MembershipMode::Joint => self.configuration().enter_joint(target),
            MembershipMode::SingleServer => self.configuration().change_one(target),
        }
    }

    fn add_learners(&mut self, peers: &[PeerId], ctx: &mut Ctx<'_, R>) {
        let now = self.configuration();
        if peers.iter().all(|peer| now.is_learner(*peer)) {
            return;
        }
        let learners = now.learners.iter().chain(peers).copied();
        let wider = Configuration::new(now.voters.iter().copied(), learners);
        self.propose_configuration(wider, ctx);
    }

    fn propose_configuration(&mut self, configuration: Configuration, ctx: &mut Ctx<'_, R>) {
        let configuration = Shared::new(configuration);
        self.propose(EntryKind::Configuration { configuration }, None, ctx);
    }

    fn propose_target(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(change) = self.leading.as_mut().and_then(|l| l.change.as_mut()) else {
            return;
        };
        change.stage = Stage::Changing;
        let target = change.target.clone();
        match self.next_configuration(&target) {
            Ok(next) => self.propose_configuration(next, ctx),
            Err(_) => self.abort_change("illegal-change", ctx),
        }
    }

    /// Takes the next step that commitment or a follower's progress has made possible.
    pub(super) fn continue_change(&mut self, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = &self.leading else {
            return;
        };
        let stage = leading.change.as_ref().map(|change| change.stage.clone());
        let settled = self.commit >= self.configuration_index();
        if settled && let Ok(next) = self.configuration().leave_joint() {
            // A new leader that finds C_old,new committed commits an entry of its own first.
            if self.may_change() {
                self.propose_configuration(next, ctx);
            }
            return;
        }
        match stage {
            Some(Stage::CatchUp { round, goal, since }) => {
                self.continue_catch_up(round, goal, since, ctx);
            }
            Some(Stage::Changing) if settled => self.finish_change(ctx),
            Some(Stage::Changing) | None => {}
        }
        if settled {
            self.dismiss_leavers(ctx);
        }
    }

    /// C_new is committed: whom it leaves out is told once more, and then no longer followed. A
    /// leader among them goes (paper 6).
    fn dismiss_leavers(&mut self, ctx: &mut Ctx<'_, R>) {
        let leaves = !self.configuration().is_voter(self.me);
        let has_leavers = self.leading.as_ref().is_some_and(|l| l.has_leavers);
        if leaves || has_leavers {
            self.begin_round(ctx);
            self.follow_members(self.log.last_index() + 1, ctx);
        }
        if leaves && self.leading.is_some() {
            self.become_follower(self.term, None, ctx);
        }
    }

    fn continue_catch_up(&mut self, round: u32, goal: u64, since: LocalTime, ctx: &mut Ctx<'_, R>) {
        let Some(leading) = self.leading.as_ref() else {
            return;
        };
        let Some(change) = leading.change.as_ref() else {
            return;
        };
        let has_goal = |peer: &PeerId| leading.of(*peer).is_some_and(|p| p.match_index >= goal);
        if !self.new_voters(&change.target).iter().all(has_goal) || !self.may_change() {
            return;
        }
        let took = ctx.now().since(since);
        if R::has_caught_up(took, self.config.election_timeout_min) {
            return self.propose_target(ctx);
        }
        if round >= self.config.catch_up_rounds {
            return self.abort_change("catch-up-too-slow", ctx);
        }
        let stage = Stage::CatchUp {
            round: round + 1,
            goal: self.log.last_index(),
            since: ctx.now(),
        };
        if let Some(change) = self.leading.as_mut().and_then(|l| l.change.as_mut()) {
            change.stage = stage;
        }
    }

    /// A new voter that does not answer at all must not hold the change for ever.
    pub(super) fn abort_slow_change(&mut self, ctx: &mut Ctx<'_, R>) {
        let change = self.leading.as_ref().and_then(|l| l.change.as_ref());
        if let Some(Stage::CatchUp { since, .. }) = change.map(|change| &change.stage) {
            let rounds = u64::from(self.config.catch_up_rounds);
            if ctx.now().since(*since) > self.config.election_timeout_max * rounds {
                self.abort_change("catch-up-too-slow", ctx);
            }
        }
    }

    /// Gives the change up; peers that were added to learn stay learners.
    fn abort_change(&mut self, reason: &'static str, ctx: &mut Ctx<'_, R>) {
        if let Some(change) = self.leading.as_mut().and_then(|l| l.change.take()) {
            ctx.notify(RaftEvent::ChangeAborted { term: self.term });
            ctx.reply(change.request, fail(reason));
        }
    }

    fn finish_change(&mut self, ctx: &mut Ctx<'_, R>) {
        if let Some(change) = self.leading.as_mut().and_then(|l| l.change.take()) {
            let outcome = Outcome::Accomplished;
            ctx.reply(change.request, RaftReply::Ok { outcome });
        }
    }
}
