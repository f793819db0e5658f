//! Dissemination: which news ride on the next message, and gossip beside the pings.
//!
//! One update a member is queued at most, the newest; what was sent least goes first, the newer of
//! equals before the older (memberlist `TransmitLimitedQueue`), and none is sent more often than
//! the limit. Must not know what the news say.

use std::collections::VecDeque;

use crate::protocol::Context;
use crate::random::Stream;

use super::members::{Members, Place};
use super::message::{SwimMessage, Update};
use super::rules::{Status, SwimRules};
use super::{Swim, SwimTimer};

/// Queued updates, by how often each was sent.
///
/// An entry counts only while the member still carries its stamp; a newer update of the member
/// makes it stale, and it is dropped when its turn comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct UpdateQueue {
    by_times_sent: Vec<VecDeque<(Place, u32)>>,
    last_stamp: u32,
}

impl UpdateQueue {
    /// Queues what is now held of a member in place of what was queued of it.
    pub(super) fn push(&mut self, place: Place, members: &mut Members) {
        self.last_stamp = self.last_stamp.checked_add(1).unwrap_or(1);
        members.edit(place).queued = self.last_stamp;
        self.put(0, (place, self.last_stamp));
    }

    fn put(&mut self, times_sent: usize, entry: (Place, u32)) {
        if self.by_times_sent.len() <= times_sent {
            self.by_times_sent.resize(times_sent + 1, VecDeque::new());
        }
        self.by_times_sent[times_sent].push_back(entry);
    }

    /// Takes up to `count` updates for one message and counts them as sent once more. What is
    /// queued of `first` counts as sent but is left out: the caller has put it in front.
    pub(super) fn take(
        &mut self,
        count: usize,
        limit: u32,
        first: Option<Place>,
        members: &mut Members,
    ) -> Vec<Update> {
        let mut taken = Vec::new();
        let mut sent = Vec::new();
        for times_sent in 0..self.by_times_sent.len() {
            while taken.len() < count {
                let Some((place, stamp)) = self.by_times_sent[times_sent].pop_back() else {
                    break;
                };
                let member = members.get(place);
                if member.queued != stamp {
                    continue;
                }
                if times_sent as u32 >= limit {
                    members.edit(place).queued = 0;
                    continue;
                }
                if first != Some(place) {
                    taken.push(member.update());
                }
                sent.push((times_sent + 1, (place, stamp)));
            }
        }
        for (times_sent, entry) in sent.into_iter().rev() {
            if times_sent as u32 >= limit {
                members.edit(entry.0).queued = 0;
            } else {
                self.put(times_sent, entry);
            }
        }
        taken
    }

    /// Whether nothing waits, stale entries aside.
    pub(super) fn is_empty(&self) -> bool {
        self.by_times_sent.iter().all(VecDeque::is_empty)
    }

    pub(super) fn clear(&mut self) {
        self.by_times_sent.clear();
    }
}

impl<R: SwimRules> Swim<R> {
    /// Queues what is now held of a member, and sees to it that gossip goes out.
    pub(super) fn spread(&mut self, place: Place, ctx: &mut Context<'_, Self>) {
        self.queue.push(place, &mut self.members);
        if self.gossips() && !self.gossip_due {
            self.gossip_due = true;
            ctx.set_timer(SwimTimer::Gossip, self.config.gossip_interval);
        }
    }

    /// Whether news are sent beside the pings at all.
    pub(super) fn gossips(&self) -> bool {
        !self.config.gossip_interval.is_zero() && self.config.gossip_fanout > 0
    }

    /// The news for one message to `to`; its own suspicion comes first (Lifeguard's buddy).
    pub(super) fn news_for(&mut self, to: Option<Place>) -> Box<[Update]> {
        let count = self.config.piggyback_limit as usize;
        let limit = R::transmission_limit(self.config.retransmit_multiplier, self.members.live());
        let suspect = to.filter(|&place| {
            self.config.buddy && self.members.get(place).status == Status::Suspect
        });
        let Some(suspect) = suspect else {
            let taken = self.queue.take(count, limit, None, &mut self.members);
            return taken.into();
        };
        let warning = self.members.get(suspect).update();
        let members = &mut self.members;
        let rest = self.queue.take(count - 1, limit, Some(suspect), members);
        std::iter::once(warning).chain(rest).collect()
    }

    /// A round of gossip: to live members, and to the recently dead, so that who is wrongly dead
    /// hears of it (memberlist `gossip`).
    pub(super) fn on_gossip(&mut self, ctx: &mut Context<'_, Self>) {
        self.gossip_due = false;
        self.forget_the_long_dead(ctx);
        let targets = self.gossip_targets(ctx.rng());
        let somebody = !targets.is_empty();
        for place in targets {
            let updates = self.news_for(None);
            if updates.is_empty() {
                break;
            }
            let to = self.members.get(place).record.address;
            ctx.send(to, SwimMessage::Gossip { updates });
        }
        // With nobody to tell, the next member to be learned starts the rounds again.
        if somebody && !self.queue.is_empty() {
            self.gossip_due = true;
            ctx.set_timer(SwimTimer::Gossip, self.config.gossip_interval);
        }
    }

    fn forget_the_long_dead(&mut self, ctx: &Context<'_, Self>) {
        let span = self.config.gossip_to_dead;
        let is_over = |since| ctx.now().since(since) >= span;
        while self
            .recently_dead
            .front()
            .is_some_and(|dead| is_over(dead.0))
        {
            self.recently_dead.pop_front();
        }
    }

    /// Up to `gossip_fanout` different members, each as likely as another.
    fn gossip_targets(&mut self, dice: &mut Stream) -> Vec<Place> {
        let wanted = self.config.gossip_fanout as usize;
        let (live, dead) = (self.probe_list.len(), self.recently_dead.len());
        let mut targets = self.draw_live(wanted, &[], dice);
        // Each of the `dead` takes the place of a live one with the chance that a fair draw from
        // both together would give it.
        for slot in 0..wanted.min(live + dead) {
            let draw = dice.below((live + dead) as u64) as usize;
            let Some(&(_, place)) = draw
                .checked_sub(live)
                .and_then(|i| self.recently_dead.get(i))
            else {
                continue;
            };
            let is_dead = self.members.get(place).status == Status::Dead;
            if !is_dead || targets.contains(&place) {
                continue;
            }
            match targets.get_mut(slot) {
                Some(target) => *target = place,
                None => targets.push(place),
            }
        }
        targets
    }
}
