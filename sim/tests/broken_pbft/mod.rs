//! PBFT with one mistake each falls to an adversary that PBFT as published withstands.
//!
//! `docs/mutations.md` names, for each mistake, the rule that it breaks, the attack, and the first
//! seed whose run convicts it. Rewritten with `FEDSIM_REWRITE=1`, which looks for that seed among
//! the first of all; otherwise the seed of the page must convict again, and the row must be the same.

/// The attacks.
mod attacks;
/// Which attack convicts which mistake.
mod catalogue;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedsim_protocols::pbft::mutants::NAMES;
use fedsim_protocols::pbft::{Chosen, Paper, Rules};
use fedsim_record::{Holds, Summary};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_sim::checkers::pbft::PbftWatch;
use fedsim_sim::runner::{PbftCast, run_cast};

use super::support::options;
use attacks::Attack;
use catalogue::{CASES, Case, UNREACHED};

/// Set to anything, it makes the test write the page instead of comparing it.
const REWRITE: &str = "FEDSIM_REWRITE";

/// Seeds that are tried for each mistake before it counts as one that survives.
const MOST_SEEDS: u64 = 40;

/// A group with rules `R` under attack.
fn judged<R: Rules>(scenario: &Scenario) -> Summary {
    let [ProtocolSpec::Pbft(spec)] = scenario.protocols.as_slice() else {
        panic!("an attack is on PBFT");
    };
    let cast = Arc::new(PbftCast::<Chosen>::new(scenario, spec));
    let watch = PbftWatch::new(scenario, spec);
    let record = Chosen::run_under::<R, _>(|| run_cast(scenario, &cast, watch, &options()));
    record.expect("the scenario can be run").summary
}

/// The names of the invariants that did not hold.
fn violated(summary: &Summary) -> Vec<String> {
    let broken = summary.invariants.iter();
    let broken = broken.filter(|it| it.holds == Holds::Violated);
    broken.map(|it| it.name.clone()).collect()
}

/// Seeds at which the paper's rules withstood an attack, so that none is run twice.
#[derive(Default)]
struct Innocents(BTreeSet<(String, u64)>);

impl Innocents {
    /// PBFT as published keeps every promise under this attack.
    fn hold(&mut self, attack: &Attack, seed: u64) {
        if !self.0.insert((attack.text(), seed)) {
            return;
        }
        let summary = judged::<Paper>(&attack.scenario(seed));
        let broken = violated(&summary);
        assert!(broken.is_empty(), "{}, {seed}: {broken:?}", attack.name);
        // An attack that does nothing would say that the paper withstands it.
        let deeds = summary.metrics.get("adversary_deeds");
        assert!(deeds.is_some_and(|it| *it > 0.0), "{}", attack.name);
    }
}

/// The row of a case, if one of `seeds` convicts the mistake; the paper withstands all up to it.
fn row(case: &Case, seeds: impl Iterator<Item = u64>, innocents: &mut Innocents) -> Option<String> {
    for seed in seeds {
        innocents.hold(&case.attack, seed);
        let broken = violated(&(case.judged)(&case.attack.scenario(seed)));
        if broken.iter().any(|name| name == case.wanted) {
            let Case {
                mistake,
                rule,
                section,
                attack,
                wanted,
                ..
            } = case;
            let (name, n) = (attack.name, attack.replicas);
            return Some(format!(
                "| `{mistake}` | {rule} | {section} | {name} | {n} | `{wanted}` | {seed} |"
            ));
        }
    }
    None
}

/// The seed that a row of the page names for a case.
fn written_seed(page: &str, case: &Case) -> Option<u64> {
    let start = format!("| `{}` |", case.mistake);
    let place = format!("| {} | {} |", case.attack.name, case.attack.replicas);
    let mut rows = page.lines().filter(|line| line.starts_with(&start));
    let row = rows.find(|line| line.contains(&place))?;
    row.trim_end_matches(" |").rsplit(' ').next()?.parse().ok()
}

const HEAD: &str = "# Which mistakes the attacks convict

PBFT with one mistake each (`protocols/src/pbft/mutants.rs`), in whole runs. Each mistake is convicted
by the invariant named, in the run of the first seed, counted from 1, that does; with the paper's rules
no invariant is violated in that run or in any before it. Sections are of Castro and Liskov, OSDI 1999,
and of their article in TOCS 2002. Made by

```sh
FEDSIM_REWRITE=1 cargo test --release -p fedsim-sim --test runs broken_pbft
```

| mistake | rule that it breaks | section | attack | n | convicted by | seeds to detection |
|---|---|---|---|---:|---|---:|
";

const TAIL: &str = "
The others are convicted by the tests of the machine alone (`protocols/src/pbft/tests/mistakes.rs`), and
some by storms without liars (`sim/src/checkers/pbft/tests.rs`):

| mistake | why it is not above |
|---|---|
";

fn page(rows: &[String]) -> String {
    let unreached = UNREACHED.iter();
    let unreached = unreached.map(|(mistake, why)| format!("| `{mistake}` | {why} |"));
    let unreached: Vec<String> = unreached.collect();
    format!(
        "{HEAD}{}\n{TAIL}{}\n",
        rows.join("\n"),
        unreached.join("\n")
    )
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mutations.md")
}

#[test]
fn every_mistake_falls_to_an_attack_that_the_paper_withstands() {
    // The same scenario and seed with and without the mistake: what is violated is the mistake's.
    let rewrites = std::env::var_os(REWRITE).is_some();
    let written = std::fs::read_to_string(path()).unwrap_or_default();
    let mut innocents = Innocents::default();
    let (mut rows, mut survivors) = (Vec::new(), Vec::new());
    for case in CASES {
        let seeds = match written_seed(&written, case).filter(|_| !rewrites) {
            Some(seed) => seed..=seed,
            None => 1..=MOST_SEEDS,
        };
        match row(case, seeds, &mut innocents) {
            Some(row) => rows.push(row),
            None => survivors.push((case.mistake, case.attack.name)),
        }
    }
    assert!(survivors.is_empty(), "{survivors:?}");
    let page = page(&rows);
    if rewrites {
        std::fs::write(path(), &page).expect("writable");
    } else {
        assert!(
            page == written,
            "docs/mutations.md is out of date: run the tests with {REWRITE}=1"
        );
    }
}

#[test]
fn every_mistake_is_convicted_or_excused() {
    let convicted = CASES.iter().map(|case| case.mistake);
    let excused = UNREACHED.iter().map(|(mistake, _)| *mistake);
    let known: Vec<&str> = convicted.chain(excused).collect();
    let missed: Vec<&&str> = NAMES.iter().filter(|name| !known.contains(name)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
