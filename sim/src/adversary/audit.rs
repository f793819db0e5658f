//! A peer that changes its own audit log before it hands it over.
//!
//! It can make its chain whole again and sign a new end, for the log and the key are its own; what
//! it cannot change is what others hold of it: heads that third parties countersigned, and its
//! answers, each of which signs a head. Must not know how logs are verified.

use fedsim_protocols::Keys;
use fedsim_protocols::federation::audit::{Content, Entry, KeptLog, KeptRecord, Stage};
use fedsim_protocols::federation::terms::{Digest, Level};
use fedsim_scenarios::spec::adversaries::{BehaviourSettings, Stretch, Tamper};

/// Changes a log as its owner; how many records it touched.
///
/// What lies before a countersigned head is closed anew, as well as its owner can do it. What lies
/// behind every head keeps the old end: with a new one nobody could see that it was changed.
pub(crate) fn tamper(log: &mut KeptLog, settings: &BehaviourSettings, keys: &mut Keys) -> u64 {
    let stretch = settings.stretch.unwrap_or_default();
    let places = places(log, stretch, settings.amount() as usize);
    let Some(first) = places.first().copied() else {
        return 0;
    };
    match (settings.tamper.unwrap_or_default(), stretch) {
        (Tamper::Alter, _) => places
            .iter()
            .for_each(|place| alter(&mut log.records[*place])),
        (Tamper::Remove, Stretch::Countersigned) => {
            places.iter().rev().for_each(|place| {
                log.records.remove(*place);
            });
        }
        (Tamper::Remove, Stretch::Latest) => log.records.truncate(first),
    }
    relink(&mut log.records, first);
    if stretch == Stretch::Countersigned
        && let (Some(closing), Some(last)) = (&mut log.closing, log.records.last())
    {
        closing.head = keys.sign(last.record.head());
    }
    places.len() as u64
}

/// Where the last `amount` records of actions stand within a stretch.
fn places(log: &KeptLog, stretch: Stretch, amount: usize) -> Vec<usize> {
    let countersigned = log
        .records
        .iter()
        .filter_map(|kept| match &kept.record.entry {
            Entry::Countersigned { witness } => Some(witness.head.number),
            Entry::Action { .. } | Entry::Witnessed { .. } | Entry::KeyChanged { .. } => None,
        });
    let countersigned = countersigned.max().unwrap_or(0);
    let answered = log.records.iter().filter(|kept| is_answer(kept));
    let answered = answered.map(|kept| kept.record.number).max().unwrap_or(0);
    let is_within = |number: u64| match stretch {
        Stretch::Countersigned => number <= countersigned,
        Stretch::Latest => number > countersigned.max(answered),
    };
    let all = log.records.iter().enumerate();
    let all = all.filter(|(_, kept)| matches!(kept.record.entry, Entry::Action { .. }));
    let within = all.filter(|(_, kept)| is_within(kept.record.number));
    let mut places: Vec<usize> = within.map(|(place, _)| place).collect();
    places.drain(..places.len().saturating_sub(amount));
    places
}

/// Whether the record's head was signed to somebody else with an answer.
fn is_answer(kept: &KeptRecord) -> bool {
    match &kept.record.entry {
        Entry::Action { step } => matches!(step.stage, Stage::Executed { .. }),
        Entry::Witnessed { .. } | Entry::Countersigned { .. } | Entry::KeyChanged { .. } => false,
    }
}

/// Makes a record of something else: other words, of another level.
fn alter(kept: &mut KeptRecord) {
    if let Entry::Action { step } = &mut kept.record.entry {
        step.level = match step.level {
            Level::Privileged => Level::Untrusted,
            Level::Untrusted | Level::Verified | Level::Attested | Level::Trusted => {
                Level::Privileged
            }
        };
        step.content = Content::Full {
            text: "nothing of note".to_owned(),
        };
    }
}

/// Numbers and chains the records from `first` on anew.
fn relink(records: &mut [KeptRecord], first: usize) {
    let mut last = match first.checked_sub(1) {
        Some(before) => records[before].record.head().hash,
        None => Digest([0; 32]),
    };
    for (place, kept) in records.iter_mut().enumerate().skip(first) {
        kept.record.number = place as u64 + 1;
        kept.record.previous = last;
        last = kept.record.hash();
    }
}
