//! How well and how fast documents are sanitised and screened.
//!
//! Precision and recall per kind on a corpus of 10,000 documents that no rule was tuned on, what
//! screening refuses of injections of known and of other phrasing, and the throughput on one thread.

use std::sync::Arc;

use crate::common::figures::{Figures, Reach, Wanted};
use crate::common::{median, timed, turns};
use fedsim_protocols::federation::canary::Canaries;
use fedsim_protocols::federation::corpus::injections::{self, Phrasing};
use fedsim_protocols::federation::corpus::{Document, Evasion, held_out};
use fedsim_protocols::federation::injection::{Direction, Screen};
use fedsim_protocols::federation::sanitise::{Action, Finding, Kind, PairKey, Policy, Sanitiser};
use fedsim_protocols::federation::terms::Level;
use fedsim_protocols::{RunKey, Stream, StreamLabel};

const DOCUMENTS: usize = 10_000;

/// How often the corpus is scrubbed for one measurement of throughput.
const ROUNDS: usize = 10;

/// The seed of the held-out corpus; that of the gauntlet is another one.
const SEED: u64 = 20_261_126;

fn dice(purpose: &'static str) -> Stream {
    Stream::new(RunKey::from_seed(SEED), StreamLabel::global(purpose))
}

fn pair() -> PairKey {
    PairKey::new(&[3; 32], b"acme", b"globex")
}

/// What was found of one kind, or under one disguise.
#[derive(Clone, Copy, Default)]
struct Tally {
    planted: u32,
    found: u32,
    removed: u32,
    false_alarms: u32,
}

impl Tally {
    fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.planted.max(1))
    }

    fn precision(&self) -> f64 {
        f64::from(self.found) / f64::from((self.found + self.false_alarms).max(1))
    }

    fn add(&mut self, other: Self) {
        self.planted += other.planted;
        self.found += other.found;
        self.removed += other.removed;
        self.false_alarms += other.false_alarms;
    }

    fn print(&self, name: &str) {
        let removed = f64::from(self.removed) / f64::from(self.planted.max(1));
        println!(
            "{name:<16} {:>8} {:>10.4} {:>10.4} {:>10.4} {:>13}",
            self.planted,
            self.precision(),
            self.recall(),
            removed,
            self.false_alarms
        );
    }
}

fn overlaps(finding: &Finding, document: &Document, planted: usize) -> bool {
    document.planted[planted]
        .spans
        .iter()
        .any(|span| (finding.start as usize) < span.end && span.start < finding.end as usize)
}

/// Precision, recall and what was removed, per kind and per disguise.
fn quality(documents: &[Document]) -> Tally {
    let sanitiser: Sanitiser = Sanitiser::new(Arc::default(), Policy::uniform(Action::Redact));
    let mut kinds = [Tally::default(); Kind::ALL.len()];
    let mut evasions = [Tally::default(); Evasion::ALL.len()];
    for document in documents {
        let scrubbed = sanitiser.scrub(&document.text, Level::Untrusted, &pair());
        let text = scrubbed.text.unwrap_or_default();
        for (index, planted) in document.planted.iter().enumerate() {
            let is_it = |one: &Finding| one.kind == planted.kind && overlaps(one, document, index);
            let is_seen = !Canaries::new([planted.tell.as_str()])
                .seen_in(&text)
                .is_empty();
            let tally = Tally {
                planted: 1,
                found: u32::from(scrubbed.findings.iter().any(is_it)),
                removed: u32::from(!is_seen),
                false_alarms: 0,
            };
            kinds[planted.kind as usize].add(tally);
            evasions[planted.evasion as usize].add(tally);
        }
        for finding in &scrubbed.findings {
            let is_right = (0..document.planted.len()).any(|index| {
                document.planted[index].kind == finding.kind && overlaps(finding, document, index)
            });
            kinds[finding.kind as usize].false_alarms += u32::from(!is_right);
        }
    }
    println!(
        "{:<16} {:>8} {:>10} {:>10} {:>10} {:>13}",
        "", "planted", "precision", "recall", "removed", "false alarms"
    );
    Kind::ALL
        .iter()
        .zip(&kinds)
        .for_each(|(kind, tally)| tally.print(kind.name()));
    let mut all = Tally::default();
    kinds.iter().for_each(|tally| all.add(*tally));
    all.print("all");
    println!("\nby disguise (a finding that is no canary belongs to none)");
    let used = Evasion::ALL
        .iter()
        .zip(&evasions)
        .filter(|(_, tally)| tally.planted > 0);
    used.for_each(|(evasion, tally)| tally.print(evasion.name()));
    println!();
    all
}

/// What share of injections and of harmless documents is refused.
fn injection_quality() {
    let screen: Screen = Screen::new(Arc::default());
    let refused = |text: &str| screen.screen(text, Direction::Inbound).is_refused;
    let mut dice = dice("bench/injections");
    for (name, phrasing) in [("seen", Phrasing::Seen), ("unseen", Phrasing::Unseen)] {
        let attacks: Vec<_> = (0..5_000)
            .map(|_| injections::attack(phrasing, &mut dice))
            .collect();
        let count = attacks
            .iter()
            .filter(|attack| refused(&attack.text))
            .count();
        println!(
            "injections of {name} phrasing refused: {count} of {}",
            attacks.len()
        );
    }
    let harmless = (0..5_000)
        .filter(|_| refused(&injections::harmless(&mut dice)))
        .count();
    println!("harmless documents refused: {harmless} of 5000\n");
}

/// Megabytes of documents a second on one thread, everything done that is done before sending.
fn throughput(sanitiser: &Sanitiser, documents: &[Document]) -> f64 {
    let bytes: usize = documents.iter().map(|document| document.text.len()).sum();
    let (seconds, found) = timed(|| {
        let pair = pair();
        let scrub = |document: &Document| {
            let scrubbed = sanitiser.scrub(&document.text, Level::Attested, &pair);
            scrubbed.findings.len()
        };
        (0..ROUNDS)
            .map(|_| documents.iter().map(scrub).sum::<usize>())
            .sum::<usize>()
    });
    assert!(found > 0, "the corpus has something to find");
    (ROUNDS * bytes) as f64 / seconds / 1e6
}

/// Measures the figures whose name contains what was asked for.
pub(crate) fn main(wanted: Wanted<'_>, figures: &mut Figures) {
    let mut dice = dice("bench/held-out");
    let documents: Vec<Document> = (0..DOCUMENTS)
        .map(|_| held_out::document(&mut dice))
        .collect();
    if wanted.includes("pii_recall") || wanted.includes("pii_precision") {
        let all = quality(&documents);
        injection_quality();
        figures.add("pii_recall", all.recall(), Reach::AtLeast(0.85));
        figures.add("pii_precision", all.precision(), Reach::AtLeast(0.90));
    }
    if wanted.includes("pii_mb_per_s") {
        let sanitiser: Sanitiser = Sanitiser::new(Arc::default(), Policy::default());
        let rates = turns(|| throughput(&sanitiser, &documents));
        figures.add("pii_mb_per_s", median(rates), Reach::AtLeast(50.0));
    }
}
