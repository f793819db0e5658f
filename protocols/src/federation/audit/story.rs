//! The story of one action, told from all logs.
//!
//! Must not know whether logs are true.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::record::{ActionRecord, Content, Entry, Record, Stage};
use super::{Hex, KeptLog, KeptRecord};
use crate::identity::Identity;

/// Longest piece of content that is shown, in characters.
const SHOWN: usize = 96;

/// What every log says of the action whose id begins with these hex digits, in order of true time
/// where it is known. `None` if no log knows such an action.
pub fn story(logs: &[KeptLog], id: &str) -> Option<String> {
    let names: BTreeMap<Identity, &str> = logs
        .iter()
        .map(|log| (log.key.identity(), log.peer.as_str()))
        .collect();
    let mut told: Vec<(&str, &KeptRecord, &ActionRecord)> = Vec::new();
    for log in logs {
        for kept in &log.records {
            if let Entry::Action { step } = &kept.record.entry
                && Hex(&step.action.0).to_string().starts_with(id)
            {
                told.push((&log.peer, kept, step));
            }
        }
    }
    told.sort_by_key(|(peer, kept, _)| {
        let local = u64::try_from(kept.record.at.as_nanos()).unwrap_or(0);
        (kept.virtual_ns.unwrap_or(local), *peer, kept.record.number)
    });
    let mut story = String::new();
    let mut last = None;
    for (peer, kept, step) in told {
        if last != Some(step.action) {
            let (kind, capability) = (step.kind.name(), &step.capability);
            let id = Hex(&step.action.0);
            let _ = writeln!(story, "action {id}: {kind}, capability {capability}");
            last = Some(step.action);
        }
        let other = names.get(&step.other).map(|name| (*name).to_owned());
        let other = other.unwrap_or_else(|| format!("{:?}", step.other));
        tell(&mut story, peer, &other, kept, step);
    }
    (!story.is_empty()).then_some(story)
}

fn tell(story: &mut String, peer: &str, other: &str, kept: &KeptRecord, step: &ActionRecord) {
    let Record { number, at, .. } = kept.record;
    let seconds = |nanos: i128| {
        let millis = nanos.div_euclid(1_000_000);
        format!(
            "{}.{:03} s",
            millis.div_euclid(1_000),
            millis.rem_euclid(1_000)
        )
    };
    let time = match kept.virtual_ns {
        Some(time) => seconds(i128::from(time)),
        None => format!("{} by its clock", seconds(i128::from(at.as_nanos()))),
    };
    let level = step.level.number();
    let what = match &step.stage {
        Stage::Sent => format!("sends to {other} (level {level})"),
        Stage::Intent => format!("will do it for {other} (level {level})"),
        Stage::Executed { receipt } => format!("did it, receipt {}", Hex(&receipt.0[..4])),
        Stage::Refused { reason } => format!("refuses {other} (level {level}): {reason}"),
        Stage::Answered { acknowledgement } => {
            let place = acknowledgement.head.number;
            format!("has the word of {other}: done, in its record {place}")
        }
        Stage::OutcomeUnknown => "does not know the outcome".to_owned(),
        Stage::CopyRefused { reason } => format!("refuses a copy of {other}: {reason}"),
    };
    let _ = writeln!(story, "  {time:>12}  {peer}, record {number}: {what}");
    if matches!(step.stage, Stage::Sent | Stage::Refused { .. }) {
        let content = match &step.content {
            Content::Full { text } => format!("\"{}\"", shortened(text)),
            Content::KeyedHash { hash } => format!("keyed hash {}", Hex(&hash.0[..8])),
            Content::AsBegun => "as before".to_owned(),
        };
        let _ = writeln!(story, "{:16}content {content}", "");
        if let Some(budget) = &step.budget {
            let (hops, tokens, money) = (budget.hops_max, budget.tokens_max, budget.money_max);
            let _ = writeln!(
                story,
                "{:16}budget {hops} hops, {tokens} tokens, {money}",
                ""
            );
        }
    }
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown.replace(['\n', '\r'], " ")
}
