//! The invariants on what peers make of each other, against peers that make too much or too little
//! of it, and against those that judge rightly.

use super::support::{Stage, run_by, scenario, told, violated};
use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Rules, Strict};

/// Two honest organisations and a third, of one peer each.
const STAGE: Stage = Stage {
    organisations: &[("acme", 1), ("globex", 1), ("mallory", 1)],
    ..Stage::USUAL
};

/// What happens, how long, and what stands against it.
struct Case {
    duration: &'static str,
    settings: &'static str,
    more: &'static str,
}

impl Case {
    fn text_on(&self, stage: Stage) -> String {
        let stage = Stage {
            duration: self.duration,
            federation: self.settings,
            rest: self.more,
            ..stage
        };
        let exposed = "[federation]\naudit_every = \"1h\"\n\
                       expose = [{ by = \"*\", to = \"*\", capability = \"send\" }]\n";
        stage.text().replace("[federation]\n", exposed)
    }

    /// The invariants that peers violate who keep the rules `R`.
    fn violated_by<R: Rules>(&self) -> Vec<String> {
        let record = run_by::<R>(&scenario(&self.text_on(STAGE)));
        let done = record.summary.metrics["actions_sent"];
        assert!(done > 5.0, "{}", told(&record));
        violated(&record)
    }

    /// Peers that judge rightly violate nothing, those that keep the rules `R` violate `invariant`.
    fn catches<R: Rules>(&self, invariant: &str) {
        assert_eq!(self.violated_by::<Strict>(), [""; 0], "{}", self.more);
        let found = self.violated_by::<R>();
        let rules = std::any::type_name::<R>();
        assert!(found.iter().any(|it| it == invariant), "{rules}: {found:?}");
    }
}

/// Honest work, and somebody whose messages are badly signed now and then.
const FORGER: Case = Case {
    duration: "40s",
    settings: "trust_model = \"sound\"\ntrust_every = \"5s\"",
    more: r#"
[[workload.errands]]
by = "*"
to = "*"
rate = "2/s"
micro_usd = 10000
[[adversaries]]
who = "mallory-1"
what = ["corrupt", "impersonate"]
share = 0.3
at = "10s"
"#,
};

#[test]
fn who_is_caught_falls_and_nobody_else() {
    FORGER.catches::<mutants::NobodyFalls>("charged");
    FORGER.catches::<mutants::ClaimedSourceCharged>("charged");
}

#[test]
fn levels_are_earned_by_work_and_the_highest_is_given_by_a_human() {
    FORGER.catches::<mutants::LevelsUnearned>("earned");
    // By the reference formula every message counts: five thousand are there in half a minute.
    let busy = Case {
        duration: "36s",
        settings: "trust_model = \"reference\"\ntrust_every = \"5s\"\nlevel = \"trusted\"\n\
                   without = [\"audit\"]",
        more: r#"
[[workload.errands]]
by = "acme-1"
to = "globex-1"
rate = "80/s"
size = "16B"
"#,
    };
    let broken = busy.violated_by::<mutants::HumansUnasked>();
    assert_eq!(broken, ["audited", "earned"]);
}

#[test]
fn a_new_name_is_no_new_start() {
    // Of two strangers of one organisation the first is caught before the second shows itself.
    let case = Case {
        duration: "40s",
        settings: FORGER.settings,
        more: r#"
[[federation.trust]]
by = "*"
of = "mallory-2"
level = "untrusted"
[[workload.errands]]
by = "acme-1"
to = "globex-1"
rate = "1/s"
[[workload.errands]]
by = "mallory-2"
to = "globex-1"
kind = "ping"
rate = "1/s"
from = "20s"
[[adversaries]]
who = "mallory-1"
what = ["impersonate"]
"#,
    };
    let two = Stage {
        organisations: &[("acme", 1), ("globex", 1), ("mallory", 2)],
        ..STAGE
    };
    let charged = |record| violated(&record).contains(&"charged".to_owned());
    let scenario = scenario(&case.text_on(two));
    assert!(!charged(run_by::<Strict>(&scenario)));
    assert!(charged(run_by::<mutants::WhitewashingAllowed>(&scenario)));
}

#[test]
fn what_an_injection_asks_for_is_done_by_nobody_and_sent_by_nobody_who_screens() {
    let case = Case {
        duration: "20s",
        settings: "screening = \"inbound\"",
        more: r#"
[[workload.errands]]
by = "mallory-1"
to = "*"
rate = "2/s"
injections = 0.5
"#,
    };
    case.catches::<mutants::ContentUnscreened>("screened");
    let both = Case {
        settings: "screening = \"both\"",
        ..case
    };
    both.catches::<mutants::OutboundUnscreened>("screened");
}

const BREAKER: &str = "breaker = \"on\"\nresend_after = \"1s\"";

#[test]
fn who_costs_too_much_is_not_asked_on() {
    let dear = Case {
        duration: "20s",
        settings: BREAKER,
        more: r#"
[[workload.errands]]
by = "acme-1"
to = "globex-1"
rate = "2/s"
micro_usd = 1000000
"#,
    };
    dear.catches::<mutants::CostUnbounded>("breaker");
}

#[test]
fn who_fails_too_often_is_neither_asked_nor_served_for_a_while() {
    // Mallory asks others and answers nobody.
    let dead = Case {
        duration: "90s",
        settings: BREAKER,
        more: r#"
[[workload.errands]]
by = "*"
to = "*"
rate = "1/s"
lifetime = "5s"
[[adversaries]]
who = "mallory-1"
what = ["drop"]
kinds = ["receipt", "refusal"]
"#,
    };
    dead.catches::<mutants::FailuresUnbounded>("breaker");
    dead.catches::<mutants::NoCoolDown>("breaker");
    dead.catches::<mutants::BreakerUnasked>("breaker");
}

#[test]
fn who_was_out_of_reach_returns_and_who_misbehaved_does_not() {
    let cut = Case {
        duration: "34h",
        settings: BREAKER,
        more: r#"
[[workload.errands]]
by = "acme-1"
to = "globex-1"
rate = "1/4m"
arrivals = "steady"
lifetime = "5s"
[[faults]]
at = "1h"
for = "31h"
partition = { sides = [["acme-1"], ["globex-1", "mallory-1"]] }
"#,
    };
    cut.catches::<mutants::EvictedForEver>("breaker");
    let bad = Case {
        more: r#"
[[workload.errands]]
by = "acme-1"
to = "mallory-1"
rate = "1/4m"
arrivals = "steady"
lifetime = "5s"
[[adversaries]]
who = "mallory-1"
what = ["corrupt"]
kinds = ["receipt"]
"#,
        ..cut
    };
    bad.catches::<mutants::LiarsReturn>("breaker");
}
