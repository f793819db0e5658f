//! How PBFT acts out a story.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{
    Operation, Outcome, Pbft, PbftEvent, PbftMessage, PbftPeer, Rules, Status,
};
use fedsim_scenarios::spec::PbftWords;
use fedsim_scenarios::spec::story::PbftClaim;

use super::{Directed, Names, Scene};
use crate::runner::PbftCast;

impl<R: Rules> Directed for PbftCast<R> {
    type Words = PbftWords;

    const TIMELESS: &'static [&'static str] = &[
        "pbft/agreement",
        "pbft/total-order",
        "pbft/validity",
        "pbft/integrity",
        "pbft/certificates",
        "pbft/checkpoints",
        "pbft/views",
        "pbft/client-validity",
        "pbft/linearizable",
        "pbft/bounded-memory",
    ];

    fn asked(
        &self,
        ask: &Operation,
        _: PeerId,
        _: &mut Scene<'_, Self>,
    ) -> Result<Operation, String> {
        Ok(ask.clone())
    }

    fn judge(
        &self,
        claim: &PbftClaim,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<(), String> {
        let who = scene.names.of(peer).to_owned();
        let judged = match claim {
            PbftClaim::Unanswered | PbftClaim::Answered | PbftClaim::Read(_) => {
                let told = scene.told[peer.index()].as_ref();
                answered(claim, told.and_then(|(_, reply)| reply.as_ref()))
            }
            PbftClaim::Primary(_)
            | PbftClaim::Active(_)
            | PbftClaim::View(_)
            | PbftClaim::Executed(_)
            | PbftClaim::Stable(_)
            | PbftClaim::Prepared(..)
            | PbftClaim::Committed(..)
            | PbftClaim::Holds(..) => {
                let claim = claim.clone();
                let seen = scene.table.look(peer, move |machine| {
                    let replica = machine.and_then(PbftPeer::as_replica);
                    replica.map(|replica| seen(&claim, replica))
                });
                seen.unwrap_or_else(|| Err("is no replica that runs".to_owned()))
            }
        };
        judged.map_err(|why| format!("{who} {why}"))
    }

    fn state(&self, machine: &PbftPeer<R>, _: &Names<'_>) -> String {
        match (machine.as_replica(), machine.as_client()) {
            (Some(replica), _) => replica_state(replica),
            (None, Some(client)) => format!("client, {} queued", client.queued()),
            (None, None) => String::new(),
        }
    }

    fn message(&self, message: &PbftMessage, _: &Names<'_>) -> String {
        if let Some(place) = message.placement() {
            let digest: String = place.digest.0[..2]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            return format!("view {}, {} is {digest}", place.view.0, place.sequence.0);
        }
        match message {
            PbftMessage::Checkpoint { checkpoint } => format!("at {}", checkpoint.sequence.0),
            PbftMessage::ViewChange { view_change } => format!(
                "view {}, stable {}, {} prepared",
                view_change.view.0,
                view_change.stable.0,
                view_change.prepared.len()
            ),
            PbftMessage::NewView { new_view } => format!(
                "view {}, {} batches again",
                new_view.view.0,
                new_view.pre_prepares.len()
            ),
            PbftMessage::Reply { reply } => outcome_words(&reply.outcome),
            PbftMessage::Request { .. }
            | PbftMessage::Forward { .. }
            | PbftMessage::PrePrepare { .. }
            | PbftMessage::Prepare { .. }
            | PbftMessage::Commit { .. }
            | PbftMessage::Status { .. }
            | PbftMessage::CommitProof { .. }
            | PbftMessage::CheckpointProof { .. }
            | PbftMessage::StateRequest { .. }
            | PbftMessage::StateReply { .. } => String::new(),
        }
    }

    fn reply(&self, reply: &Outcome) -> String {
        outcome_words(reply)
    }

    fn remark(&self, _: &PbftEvent) -> Option<String> {
        None
    }
}

fn seen<R: Rules>(claim: &PbftClaim, replica: &Pbft<R>) -> Result<(), String> {
    let same = |what: &str, wanted: u64, is: u64| match wanted == is {
        true => Ok(()),
        false => Err(format!("{what} {is}")),
    };
    let stands = |wanted: bool, is: bool, yes: String, no: String| match (wanted == is, is) {
        (true, _) => Ok(()),
        (false, true) => Err(yes),
        (false, false) => Err(no),
    };
    match claim {
        PbftClaim::Primary(wanted) => {
            let (yes, no) = ("is the primary".to_owned(), "is a backup".to_owned());
            stands(*wanted, replica.is_primary(), yes, no)
        }
        PbftClaim::Active(wanted) => {
            let (yes, no) = ("is active".to_owned(), "is changing views".to_owned());
            stands(*wanted, replica.status() == Status::Active, yes, no)
        }
        PbftClaim::View(view) => same("is in view", *view, replica.view().0),
        PbftClaim::Executed(sequence) => {
            same("executed up to", *sequence, replica.last_executed().0)
        }
        PbftClaim::Stable(sequence) => {
            let stable = replica.low_watermark().0;
            same("has its stable checkpoint at", *sequence, stable)
        }
        PbftClaim::Prepared(sequence, wanted) => {
            let is = replica.prepared().any(|(at, _)| at.0 == *sequence);
            let word = |not: &str| format!("has{not} prepared {sequence}");
            stands(*wanted, is, word(""), word(" not"))
        }
        PbftClaim::Committed(sequence, wanted) => {
            let is = replica.committed().any(|(at, _)| at.0 == *sequence);
            let word = |not: &str| format!("has{not} committed {sequence}");
            stands(*wanted, is, word(""), word(" not"))
        }
        PbftClaim::Holds(key, wanted) => {
            let is = replica.state().store.get(*key);
            let is = is.map(|value| text(value));
            let words = is.as_deref().unwrap_or("nothing");
            match is == *wanted {
                true => Ok(()),
                false => Err(format!("holds {words} in register {key}")),
            }
        }
        PbftClaim::Unanswered | PbftClaim::Answered | PbftClaim::Read(_) => {
            unreachable!("BUG: judged by what was told")
        }
    }
}

fn answered(claim: &PbftClaim, told: Option<&Outcome>) -> Result<(), String> {
    let is_so = match (claim, told) {
        (PbftClaim::Unanswered, told) => told.is_none(),
        (PbftClaim::Read(wanted), Some(Outcome::Value { value })) => {
            value.as_ref().map(|value| text(value)) == *wanted
        }
        (PbftClaim::Answered, Some(outcome)) => {
            !matches!(outcome, Outcome::Value { .. } | Outcome::Refused {})
        }
        (_, _) => false,
    };
    match is_so {
        true => Ok(()),
        false => Err(format!(
            "was answered {}",
            told.map_or_else(|| "nothing".to_owned(), outcome_words)
        )),
    }
}

fn replica_state<R: Rules>(replica: &Pbft<R>) -> String {
    let role = match (replica.number(), replica.is_primary()) {
        (None, _) => "outside the group",
        (Some(_), true) => "primary",
        (Some(_), false) => "backup",
    };
    let mut words = format!("{role}, view {}", replica.view().0);
    if replica.status() == Status::Changing {
        words += " asked for";
    }
    let list = |numbers: Vec<u64>| {
        let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
        words.join(" ")
    };
    let prepared: Vec<u64> = replica.prepared().map(|(at, _)| at.0).collect();
    if !prepared.is_empty() {
        words += &format!(", prepared {}", list(prepared));
    }
    let committed: Vec<u64> = replica.committed().map(|(at, _)| at.0).collect();
    if !committed.is_empty() {
        words += &format!(", committed {}", list(committed));
    }
    let (executed, stable) = (replica.last_executed().0, replica.low_watermark().0);
    format!("{words}, executed {executed}, stable {stable}")
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Value { value: None } => "nothing is there".to_owned(),
        Outcome::Value { value: Some(value) } => text(value),
        Outcome::Written {} => "written".to_owned(),
        Outcome::Swapped { swapped: true, .. } => "swapped".to_owned(),
        Outcome::Swapped { swapped: false, .. } => "not swapped".to_owned(),
        Outcome::Appended { .. } => "appended".to_owned(),
        Outcome::Entered { .. } => "entered".to_owned(),
        Outcome::Reconfigured {} => "reconfigured".to_owned(),
        Outcome::Refused {} => "refused".to_owned(),
    }
}
