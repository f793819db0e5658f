//! Holds a run to its `[expect]`, and sums everything up in one verdict.
//!
//! | | exit code |
//! |---|---|
//! | passed: nothing violated but what `violates` and `tolerates` name, every expectation met | 0 |
//! | violated: an invariant that nobody expected to break did, or an expectation was missed | 1 |
//! | unknown: neither, but an assumption was broken | 4 |
//!
//! Bounds of `[expect.pooled]` are about many seeds and are not judged here.

use std::collections::BTreeMap;

use fedsim_record::{Expectation, Holds, Verdict};
use fedsim_scenarios::spec::{Bound, Expect};

use super::finding::Finding;
use crate::adversary::BehaviourTally;
use crate::nemesis::FaultTally;

/// What a run gave, as far as it can be expected.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// What the checkers found.
    pub findings: &'a [Finding],
    /// What was measured.
    pub metrics: &'a BTreeMap<String, f64>,
    /// What the faults did.
    pub tallies: &'a [FaultTally],
    /// What the adversaries did.
    pub behaviours: &'a [BehaviourTally],
}

/// Judges each line of `expect` in the order `holds`, `violates`, `assumption_broken`,
/// `faults_take_effect`, `adversaries_take_effect`, metrics.
pub fn judge(expect: &Expect, given: Given<'_>) -> Vec<Expectation> {
    let holds = expect
        .holds
        .iter()
        .map(|name| invariant(name, Holds::Holds, given.findings));
    let violates = expect
        .violates
        .iter()
        .map(|name| invariant(name, Holds::Violated, given.findings));
    let broken = expect.assumption_broken.iter();
    let broken = broken.map(|name| invariant(name, Holds::AssumptionBroken, given.findings));
    let effects = given.tallies.iter().filter(|tally| {
        let named = |label: &String| label == "*" || *label == tally.label;
        expect.faults_take_effect.iter().any(named)
    });
    let deeds = given.behaviours.iter().filter(|tally| {
        let named = |label: &String| label == "*" || *label == tally.adversary;
        expect.adversaries_take_effect.iter().any(named)
    });
    let metrics = expect
        .metrics
        .iter()
        .map(|wanted| metric(&wanted.metric, wanted.bound, given.metrics));
    holds
        .chain(violates)
        .chain(broken)
        .chain(effects.map(effect))
        .chain(deeds.map(deed))
        .chain(metrics)
        .collect()
}

/// The verdict on the run as a whole.
pub fn verdict(expect: &Expect, findings: &[Finding], judged: &[Expectation]) -> Verdict {
    let surprises = |finding: &&Finding| {
        let mut foreseen = expect.violates.iter().chain(&expect.tolerates);
        finding.holds == Holds::Violated && !foreseen.any(|it| it == finding.name)
    };
    if findings.iter().any(|finding| surprises(&finding)) || judged.iter().any(|line| !line.met) {
        return Verdict::Violated;
    }
    let unknown = |finding: &Finding| {
        finding.holds == Holds::AssumptionBroken
            && !expect.assumption_broken.iter().any(|it| it == finding.name)
    };
    match findings.iter().any(unknown) {
        true => Verdict::Unknown,
        false => Verdict::Passed,
    }
}

fn invariant(name: &str, wanted: Holds, findings: &[Finding]) -> Expectation {
    let found = findings.iter().find(|finding| finding.name == name);
    // An assumption broken is no answer: the verdict says so, not a missed expectation.
    let met = |holds: Holds| holds == wanted || holds == Holds::AssumptionBroken;
    Expectation {
        name: name.to_owned(),
        met: found.is_some_and(|finding| met(finding.holds)),
        wanted: wanted.words().to_owned(),
        got: found
            .map_or("not judged", |finding| finding.holds.words())
            .to_owned(),
    }
}

fn effect(tally: &FaultTally) -> Expectation {
    let met = tally.took_effect();
    let got = match met {
        true => format!("{} messages, {} peers touched", tally.messages, tally.peers),
        false => format!("no effect in {} strikes", tally.strikes),
    };
    Expectation {
        name: format!("faults_take_effect/{}", tally.label),
        met,
        wanted: "an effect".to_owned(),
        got,
    }
}

fn deed(tally: &BehaviourTally) -> Expectation {
    Expectation {
        name: format!(
            "adversaries_take_effect/{}/{}",
            tally.adversary, tally.behaviour
        ),
        met: tally.deeds > 0,
        wanted: "an effect".to_owned(),
        got: format!("{} deeds", tally.deeds),
    }
}

fn metric(name: &str, bound: Bound, metrics: &BTreeMap<String, f64>) -> Expectation {
    let value = metrics.get(name).copied();
    Expectation {
        name: name.to_owned(),
        met: value.is_some_and(|value| keeps(bound, value)),
        wanted: words(bound),
        got: value.map_or_else(|| "no value".to_owned(), |value| format!("{value}")),
    }
}

/// Whether a value keeps to a bound; the ends belong to it.
pub fn keeps(bound: Bound, value: f64) -> bool {
    match bound {
        Bound::AtMost(most) => value <= most,
        Bound::AtLeast(least) => value >= least,
        Bound::Between(least, most) => (least..=most).contains(&value),
        Bound::Equals(exactly) => value == exactly,
    }
}

/// A bound in the words of reports.
pub fn words(bound: Bound) -> String {
    match bound {
        Bound::AtMost(most) => format!("<= {most}"),
        Bound::AtLeast(least) => format!(">= {least}"),
        Bound::Between(least, most) => format!("{least} to {most}"),
        Bound::Equals(exactly) => format!("= {exactly}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::Ledger;
    use crate::time::SimTime;

    fn found(holds: Holds) -> Finding {
        let mut ledger = Ledger::new("test/invariant");
        match holds {
            Holds::Holds => ledger.exercise(),
            Holds::Violated => ledger.breach(SimTime::ZERO, &[], String::new),
            Holds::AssumptionBroken => ledger.leave_assumptions(String::new),
            Holds::NeverExercised => {}
        }
        ledger.finding()
    }

    fn outcome(expect: &Expect, holds: Holds) -> Verdict {
        let findings = [found(holds)];
        let given = Given {
            findings: &findings,
            metrics: &BTreeMap::new(),
            tallies: &[],
            behaviours: &[],
        };
        verdict(expect, &findings, &judge(expect, given))
    }

    #[test]
    fn every_finding_meets_every_wish_as_the_table_says() {
        // The whole table of five wishes and four findings; a wrong cell is a wrong exit code.
        let nothing = Expect::default();
        let name = || vec!["test/invariant".to_owned()];
        let holds = Expect {
            holds: name(),
            ..Expect::default()
        };
        let violates = Expect {
            violates: name(),
            ..Expect::default()
        };
        let broken = Expect {
            assumption_broken: name(),
            ..Expect::default()
        };
        let tolerates = Expect {
            tolerates: name(),
            ..Expect::default()
        };
        let (passed, violated, unknown) = (Verdict::Passed, Verdict::Violated, Verdict::Unknown);
        for (finding, wanted) in [
            (Holds::Holds, [passed, passed, violated, violated, passed]),
            (
                Holds::Violated,
                [violated, violated, passed, violated, passed],
            ),
            (
                Holds::AssumptionBroken,
                [unknown, unknown, unknown, passed, unknown],
            ),
            (
                Holds::NeverExercised,
                [passed, violated, violated, violated, passed],
            ),
        ] {
            let got = [&nothing, &holds, &violates, &broken, &tolerates]
                .map(|expect| outcome(expect, finding));
            assert_eq!(got, wanted, "{}", finding.words());
        }
    }

    #[test]
    fn a_metric_without_a_value_misses_every_bound() {
        // "Never converged" must not pass as "converged in time".
        let line = metric(
            "membership_converged_s",
            Bound::AtMost(1e9),
            &BTreeMap::new(),
        );
        assert!(!line.met);
        assert_eq!(line.got, "no value");
    }
}
