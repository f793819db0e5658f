//! How SWIM acts out a story.

use std::sync::Arc;

use fedsim_protocols::PeerId;
use fedsim_protocols::swim::{
    ClaimKind, Status, Swim, SwimEvent, SwimMessage, SwimReply, SwimRequest, SwimRules, Update,
};
use fedsim_scenarios::spec::SwimWords;
use fedsim_scenarios::spec::story::{Belief, SwimAsk, SwimClaim};

use super::{Directed, Names, Scene};
use crate::runner::SwimCast;

impl<R: SwimRules> Directed for SwimCast<R> {
    type Words = SwimWords;

    const TIMELESS: &'static [&'static str] = &["swim/ownership", "swim/keys"];

    fn asked(
        &self,
        ask: &SwimAsk,
        _: PeerId,
        _: &mut Scene<'_, Self>,
    ) -> Result<SwimRequest, String> {
        Ok(match ask {
            SwimAsk::Leave => SwimRequest::Leave,
            SwimAsk::Join(through) => SwimRequest::Join {
                seeds: vec![*through],
            },
        })
    }

    fn judge(
        &self,
        claim: &SwimClaim,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<(), String> {
        let claim = *claim;
        let names: Arc<[String]> = scene.names.all();
        let who = scene.names.of(peer).to_owned();
        let judged = scene.table.look(peer, move |machine| {
            machine.map(|machine| match claim {
                SwimClaim::Believes {
                    of,
                    belief,
                    incarnation,
                } => {
                    let (is, at) = believed(machine, of);
                    let fits = is == belief && incarnation.is_none_or(|wanted| Some(wanted) == at);
                    match fits {
                        true => Ok(()),
                        false => {
                            let of = &names[of.index()];
                            Err(format!("takes {of} for {}", belief_words(is, at)))
                        }
                    }
                }
                SwimClaim::Health(wanted) => {
                    let is = u64::from(machine.health_score());
                    same("has the health score", wanted, is)
                }
                SwimClaim::Live(wanted) => {
                    let is = u64::from(machine.live_members());
                    same("counts as live members", wanted, is)
                }
            })
        });
        let judged = judged.unwrap_or_else(|| Err("does not run".to_owned()));
        judged.map_err(|why| format!("{who} {why}"))
    }

    fn state(&self, machine: &Swim<R>, names: &Names<'_>) -> String {
        let mut words = format!("in a group of {}", machine.live_members());
        for (record, status) in machine.members() {
            let (who, at) = (names.of(record.address), record.incarnation);
            match status {
                Status::Alive => {}
                Status::Suspect => words += &format!(", suspects {who} at {at}"),
                Status::Dead => words += &format!(", takes {who} for dead at {at}"),
                Status::Left => words += &format!(", knows that {who} left at {at}"),
            }
        }
        match machine.health_score() {
            0 => words,
            score => format!("{words}, health {score}"),
        }
    }

    fn message(&self, message: &SwimMessage, names: &Names<'_>) -> String {
        match message {
            SwimMessage::Ping { updates, .. }
            | SwimMessage::Ack { updates, .. }
            | SwimMessage::Nack { updates, .. }
            | SwimMessage::Gossip { updates } => news(updates, names),
            SwimMessage::PingRequest {
                address, updates, ..
            } => {
                let (target, news) = (names.of(*address), news(updates, names));
                match news.is_empty() {
                    true => format!("ping {target}"),
                    false => format!("ping {target}; {news}"),
                }
            }
            SwimMessage::PushPullRequest { state } | SwimMessage::PushPullReply { state } => {
                news(state, names)
            }
            SwimMessage::DeadNotice { claim } => {
                format!("dead at {}", claim.subject.incarnation)
            }
        }
    }

    fn reply(&self, reply: &SwimReply) -> String {
        match reply {
            SwimReply::Left => "left".to_owned(),
            SwimReply::Joined { members } => format!("joined, {members} members"),
            SwimReply::Refused => "refused".to_owned(),
        }
    }

    fn remark(&self, event: &SwimEvent) -> Option<String> {
        match event {
            SwimEvent::SuspicionRefuted { incarnation } => {
                Some(format!("speaks up for itself at {incarnation}"))
            }
            SwimEvent::Rejoined { incarnation } => Some(format!("rejoins at {incarnation}")),
            SwimEvent::ProbeStarted { .. }
            | SwimEvent::MemberLearned { .. }
            | SwimEvent::MemberRefreshed { .. }
            | SwimEvent::MemberMoved { .. }
            | SwimEvent::MemberSuspected { .. }
            | SwimEvent::MemberRefuted { .. }
            | SwimEvent::MemberDied { .. }
            | SwimEvent::MemberLeft { .. }
            | SwimEvent::MemberRevived { .. }
            | SwimEvent::Announced { .. }
            | SwimEvent::Joined { .. }
            | SwimEvent::Left
            | SwimEvent::HealthChanged { .. }
            | SwimEvent::Rejected { .. } => None,
        }
    }
}

fn same(what: &str, wanted: u64, is: u64) -> Result<(), String> {
    match wanted == is {
        true => Ok(()),
        false => Err(format!("{what} {is}")),
    }
}

/// What a member believes of the peer in a slot, and at which incarnation.
fn believed<R: SwimRules>(machine: &Swim<R>, of: PeerId) -> (Belief, Option<u64>) {
    let mut members = machine.members();
    let found = members.find(|(record, _)| record.address == of);
    let Some((record, status)) = found else {
        return (Belief::Unknown, None);
    };
    let belief = match status {
        Status::Alive => Belief::Alive,
        Status::Suspect => Belief::Suspect,
        Status::Dead => Belief::Dead,
        Status::Left => Belief::Left,
    };
    (belief, Some(record.incarnation.0))
}

fn belief_words(belief: Belief, at: Option<u64>) -> String {
    let word = match belief {
        Belief::Alive => "alive",
        Belief::Suspect => "suspect",
        Belief::Dead => "dead",
        Belief::Left => "left",
        Belief::Unknown => "unknown",
    };
    let at = at.map(|at| format!(" at {}", fedsim_protocols::swim::Incarnation(at)));
    format!("{word}{}", at.unwrap_or_default())
}

/// The news that a message carries.
fn news(updates: &[Update], names: &Names<'_>) -> String {
    let word = |update: &Update| {
        let record = update.record();
        let (who, at) = (names.of(record.address), record.incarnation);
        let says = match update {
            Update::Alive(record) if record.leaving => "left",
            Update::Alive(_) => "alive",
            Update::Claim(claim) => match claim.kind {
                ClaimKind::Suspect => "suspect",
                ClaimKind::Dead => "dead",
            },
        };
        format!("{who} {says} at {at}")
    };
    let words: Vec<String> = updates.iter().map(word).collect();
    words.join(", ")
}
