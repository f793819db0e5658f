//! Exchange of full state: on join, and now and then with a random member, so that what gossip has
//! missed is made up for and healed partitions merge.

use crate::peer::PeerId;
use crate::protocol::Context;
use crate::random::Stream;
use crate::time::SimDuration;

use super::config::SwimConfig;
use super::members::Place;
use super::message::{SwimMessage, Update};
use super::news::Source;
use super::rules::{Status, SwimRules};
use super::{Swim, SwimTimer};

/// Draws of a partner before a round is given up, in a table of hardly anyone but who has left.
const MAX_DRAWS: u32 = 32;

/// The time between two exchanges in a group of `members` (memberlist `pushPullScale`): constant
/// to 32 members, then times `ceil(log2 n - log2 32) + 1`. Zero if there are none.
pub fn push_pull_interval(config: &SwimConfig, members: u32) -> SimDuration {
    let doublings = match members {
        0..=32 => 0,
        // ceil(log2 n) for n above 1.
        _ => (members - 1).ilog2() + 1 - 5,
    };
    let factor = match config.push_pull_scaling {
        true => u64::from(doublings) + 1,
        false => 1,
    };
    config.push_pull_interval * factor
}

impl<R: SwimRules> Swim<R> {
    /// All that is known.
    pub(super) fn full_state(&self) -> Box<[Update]> {
        let mut state = Vec::with_capacity(self.members.len());
        state.extend(self.members.iter().map(|(_, member)| member.update()));
        state.into()
    }

    pub(super) fn set_push_pull_timer(&self, ctx: &mut Context<'_, Self>) {
        let interval = push_pull_interval(&self.config, self.members.live());
        if !interval.is_zero() {
            ctx.set_timer(SwimTimer::PushPull, interval);
        }
    }

    pub(super) fn on_push_pull_due(&mut self, ctx: &mut Context<'_, Self>) {
        self.set_push_pull_timer(ctx);
        if let Some(partner) = self.draw_partner(ctx.rng()) {
            let to = self.members.get(partner).record.address;
            let state = self.full_state();
            ctx.send(to, SwimMessage::PushPullRequest { state });
        }
    }

    fn draw_partner(&mut self, dice: &mut Stream) -> Option<Place> {
        if !self.config.push_pull_to_dead {
            return self.draw_live(1, &[], dice).pop();
        }
        let len = self.members.len() as u64;
        let mut draws = (0..MAX_DRAWS).map(|_| Place(dice.below(len) as u32));
        draws.find(|&place| place != self.place && self.members.get(place).status != Status::Left)
    }

    /// Answers with what was known before, since the asker knows what he sent.
    pub(super) fn on_push_pull_request(
        &mut self,
        from: PeerId,
        state: &[Update],
        ctx: &mut Context<'_, Self>,
    ) {
        let reply = self.full_state();
        ctx.send(from, SwimMessage::PushPullReply { state: reply });
        self.merge(state, ctx);
    }

    pub(super) fn on_push_pull_reply(&mut self, state: &[Update], ctx: &mut Context<'_, Self>) {
        self.merge(state, ctx);
        self.on_join_answered(ctx);
    }

    /// Hears members before claims, and a claim once its accuser is known, so that the order of the
    /// sender's table does not make strangers of them.
    fn merge(&mut self, state: &[Update], ctx: &mut Context<'_, Self>) {
        if !R::merges_full_state() {
            return;
        }
        let told = (0..).map(Place).zip(state);
        let news = told.filter(|(place, update)| !self.holds(*place, update));
        let mut waiting: Vec<&Update> = news.map(|(_, update)| update).collect();
        loop {
            let (ready, rest): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|update| self.knows_speaker(update));
            let is_last = ready.is_empty();
            for update in if is_last { &rest } else { &ready } {
                self.hear(update, Source::FullState, ctx);
            }
            if is_last {
                return;
            }
            waiting = rest;
        }
    }

    /// Whether an update is what stands at `place` already, as most do between members that started
    /// from one roster, and hearing it again changes nothing.
    fn holds(&self, place: Place, update: &Update) -> bool {
        let Update::Alive(record) = update else {
            return false;
        };
        let known = (place.0 as usize) < self.members.len();
        known && {
            let held = self.members.get(place);
            let view = held.view();
            view.status == Status::Alive && held.record == *record && !self.overrides(view, view)
        }
    }

    fn knows_speaker(&self, update: &Update) -> bool {
        match update {
            Update::Alive(_) => true,
            Update::Claim(claim) => self.members.find(&claim.signer()).is_some(),
        }
    }
}
