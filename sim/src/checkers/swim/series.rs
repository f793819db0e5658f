//! What is sampled over time: agreement of views, and who knows of each crash and newcomer.

use fedsim_protocols::PeerId;
use fedsim_record::{ConvergenceRow, MembershipRow};

use super::group::{Census, Group};
use crate::runner::seconds;
use crate::time::SimTime;

/// Crashes and newcomers followed at most.
const FOLLOWED: usize = 48;

/// Something that all are to come to know.
struct Topic {
    subject: String,
    peer: PeerId,
    /// Whether it is that the peer is a member, rather than that it is not.
    is_listed: bool,
    done: bool,
}

/// The time series of one run.
#[derive(Default)]
pub(super) struct Series {
    pub(super) membership: Vec<MembershipRow>,
    pub(super) convergence: Vec<ConvergenceRow>,
    /// From when on every live member knew the key of every other.
    pub(super) keys_known_at: Option<SimTime>,
    topics: Vec<Topic>,
    followed: usize,
}

impl Series {
    /// Follows how the others come to know that `peer` is a member again, or no more.
    pub(super) fn follow(&mut self, at: SimTime, peer: PeerId, is_listed: bool, names: &[String]) {
        for topic in &mut self.topics {
            topic.done |= topic.peer == peer;
        }
        if self.followed == FOLLOWED {
            return;
        }
        self.followed += 1;
        let name = &names[peer.index()];
        let at_s = at.as_secs_f64();
        let subject = match is_listed {
            true => format!("{name} is a member since {at_s:.0} s"),
            false => format!("{name} is gone since {at_s:.0} s"),
        };
        self.convergence.push(ConvergenceRow {
            subject: subject.clone(),
            at_s: seconds(at),
            share: 0.0,
        });
        self.topics.push(Topic {
            subject,
            peer,
            is_listed,
            done: false,
        });
    }

    pub(super) fn sample(&mut self, now: SimTime, group: &Group, census: &Census) {
        let views = census.views.max(1) as f64;
        self.membership.push(MembershipRow {
            at_s: seconds(now),
            disagreement: group.disagreement(),
            alive_mean: census.alive as f64 / views,
            suspect_mean: census.suspect as f64 / views,
            dead_mean: census.dead as f64 / views,
            false_positives: census.wrongly_dead,
        });
        for topic in self.topics.iter_mut().filter(|topic| !topic.done) {
            let (listed, others) = group.listed_by(topic.peer);
            let knowing = if topic.is_listed {
                listed
            } else {
                others - listed
            };
            let share = knowing as f64 / others.max(1) as f64;
            topic.done = knowing == others;
            self.convergence.push(ConvergenceRow {
                subject: topic.subject.clone(),
                at_s: seconds(now),
                share,
            });
        }
        self.topics.retain(|topic| !topic.done);
        self.sample_keys(now, census);
    }

    /// The spread of keys, which newcomers set back.
    fn sample_keys(&mut self, now: SimTime, census: &Census) {
        let Some(share) = census.keys_known() else {
            return;
        };
        self.convergence.push(ConvergenceRow {
            subject: "the keys of all members".to_owned(),
            at_s: seconds(now),
            share,
        });
        if share == 1.0 && self.keys_known_at.is_none() {
            self.keys_known_at = Some(now);
        }
    }

    pub(super) fn disagreement_mean(&self) -> Option<f64> {
        let sum: f64 = self.membership.iter().map(|row| row.disagreement).sum();
        (!self.membership.is_empty()).then(|| sum / self.membership.len() as f64)
    }
}
