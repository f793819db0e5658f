//! How rumor spreading acts out a story.

use fedsim_protocols::PeerId;
use fedsim_protocols::rumor::{Rules, Rumor, RumorEvent, RumorMessage, RumorReply, RumorRequest};
use fedsim_scenarios::spec::RumorWords;
use fedsim_scenarios::spec::story::{RumorAsk, RumorClaim};

use super::{Directed, Names, Scene};
use crate::runner::RumorCast;

impl<R: Rules> Directed for RumorCast<R> {
    type Words = RumorWords;

    const TIMELESS: &'static [&'static str] =
        &["rumor/origin", "rumor/memory", "rumor/one-hop-a-round"];

    fn asked(
        &self,
        ask: &RumorAsk,
        _: PeerId,
        _: &mut Scene<'_, Self>,
    ) -> Result<RumorRequest, String> {
        let RumorAsk::Spread(payload) = *ask;
        Ok(RumorRequest::Start { payload, size: 0 })
    }

    fn judge(
        &self,
        claim: &RumorClaim,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<(), String> {
        let (RumorClaim::Knows(content)
        | RumorClaim::Ignores(content)
        | RumorClaim::Spreads(content)) = *claim;
        let known = scene.table.look(peer, move |machine| {
            let mut rumors = machine.into_iter().flat_map(Rumor::rumors);
            rumors.find(|rumor| rumor.payload == content)
        });
        let who = scene.names.of(peer);
        match (claim, known) {
            (RumorClaim::Knows(_), Some(_)) | (RumorClaim::Ignores(_), None) => Ok(()),
            (RumorClaim::Spreads(_), Some(rumor)) if rumor.is_spread => Ok(()),
            (_, None) => Err(format!("{who} does not know {content}")),
            (RumorClaim::Spreads(_), Some(_)) => {
                Err(format!("{who} has lost interest in {content}"))
            }
            (_, Some(_)) => Err(format!("{who} knows {content}")),
        }
    }

    fn state(&self, machine: &Rumor<R>, _: &Names<'_>) -> String {
        let word = |rumor: fedsim_protocols::rumor::KnownRumor| match rumor.is_spread {
            true => format!("{} and spreads it", rumor.payload),
            false => format!("{} and keeps it", rumor.payload),
        };
        let words: Vec<String> = machine.rumors().map(word).collect();
        match words.is_empty() {
            true => "one who knows nothing".to_owned(),
            false => format!("one who knows {}", words.join(", ")),
        }
    }

    fn message(&self, message: &RumorMessage, _: &Names<'_>) -> String {
        match message {
            RumorMessage::Push { copy }
            | RumorMessage::PullAnswer { copy }
            | RumorMessage::Repair { copy } => format!("{}, age {}", copy.payload, copy.age),
            RumorMessage::PullRequest => String::new(),
            RumorMessage::Feedback { needed, .. } => {
                let word = if *needed { "needed" } else { "known" };
                word.to_owned()
            }
            RumorMessage::Digest { known } => format!("{} rumors", known.len()),
            RumorMessage::Wanted { missing } => format!("{} rumors", missing.len()),
        }
    }

    fn reply(&self, reply: &RumorReply) -> String {
        match reply {
            RumorReply::Started { rumor } => format!("started {rumor}"),
            RumorReply::Refused => "refused".to_owned(),
        }
    }

    fn remark(&self, _: &RumorEvent) -> Option<String> {
        None
    }
}
