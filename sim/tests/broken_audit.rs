//! The audit invariant against peers that keep their logs badly, and against those that keep them.

use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Rules, Strict};
use fedsim_record::Holds;

use super::support::{Stage, holds, run_by, scenario, told};

const AUDITED: &str = "federation/audited";

/// Slow disks, and work that takes longer than a crash needs: every boundary is hit.
const STAGE: Stage = Stage {
    duration: "40s",
    organisations: &[("acme", 2), ("globex", 2)],
    federation: r#"
skew = "1s"
work_max = "300ms"
audit_every = "5s"
"#,
    rest: r#"
[[federation.expose]]
by = "globex-*"
to = "acme-1"
capability = "send"
[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "15/s"
lifetime = "5s"
until = "20s"
[[faults]]
at = "0s"
disk = { peers = "*", fsync_low = "30ms", fsync_high = "40ms" }
[[faults]]
label = "power"
at = "9s"
for = "2s"
crash = ["acme-1", "globex-1", "globex-2"]
"#,
    ..Stage::USUAL
};

#[test]
fn logs_that_are_kept_as_they_should_be_hold_over_crashes() {
    // Crashes hit actions before and behind each record, and everybody says what it does not know.
    let record = run_by::<Strict>(&scenario(&STAGE.text()));
    assert_eq!(
        holds(&record, AUDITED),
        Some(Holds::Holds),
        "{}",
        told(&record)
    );
    let metrics = &record.summary.metrics;
    for name in [
        "audit_countersigned",
        "audit_records_lost",
        "audit_unknown_to_sender",
        "audit_unknown_to_executor",
    ] {
        assert!(metrics[name] > 0.0, "{name}: {}", told(&record));
    }
    assert_eq!(metrics["audit_attributed"], 0.0, "{}", told(&record));
    assert_eq!(metrics["audit_unattributed"], 0.0, "{}", told(&record));
}

fn convicts<R: Rules>() {
    convicts_where::<R>("");
}

/// What goes on beside the usual work is needed for the rule to matter.
fn convicts_where<R: Rules>(adversary: &str) {
    let text = format!("{}\n{adversary}", STAGE.text());
    let record = run_by::<Strict>(&scenario(&text));
    let found = holds(&record, AUDITED);
    assert_eq!(found, Some(Holds::Holds), "{}", told(&record));
    let record = run_by::<R>(&scenario(&text));
    let found = holds(&record, AUDITED);
    assert_eq!(found, Some(Holds::Violated), "{}", told(&record));
}

#[test]
fn a_log_kept_badly_is_noticed_whatever_is_wrong_with_it() {
    // One rule each: intent behind the effect, record behind the first byte, refusals left out, a
    // crash passed over, records that do not say what they follow.
    convicts::<mutants::IntentAfterEffect>();
    convicts::<mutants::RecordAfterSend>();
    convicts::<mutants::RefusalsUnrecorded>();
    convicts::<mutants::CrashUnmentioned>();
    convicts::<mutants::ChainCut>();
}

#[test]
fn what_others_sign_is_believed_by_no_log_unseen() {
    // One rule each: answers and heads that do not verify, heads that go back, and an auditor that
    // passes over what contradicts a signed head.
    let who = "[[adversaries]]\nwho = \"globex-1\"\n";
    convicts_where::<mutants::AnswersUnchecked>(&format!(
        "{who}what = [\"corrupt\"]\nkinds = [\"receipt\"]\nshare = 0.5\n"
    ));
    convicts_where::<mutants::HeadsUnchecked>(&format!(
        "{who}what = [\"corrupt\"]\nkinds = [\"head\"]\n"
    ));
    convicts_where::<mutants::LogsShrink>(&format!(
        "{who}what = [\"replay\"]\nkinds = [\"head\"]\npace = \"200ms\"\namount = 50\n"
    ));
    convicts_where::<mutants::ContradictionsIgnored>(&format!("{who}what = [\"audit-tamper\"]\n"));
}

#[test]
fn a_federation_without_logs_is_noticed() {
    let without = STAGE
        .text()
        .replace("audit_every = \"5s\"", "without = [\"audit\"]");
    let record = run_by::<Strict>(&scenario(&without));
    assert_eq!(
        holds(&record, AUDITED),
        Some(Holds::Violated),
        "{}",
        told(&record)
    );
    assert!(record.tables.audit.is_empty());
}

/// What verification found when one peer tampers: findings with a culprit, and without.
fn tampered(who: &str, how: &str) -> (f64, f64) {
    let to_the_end = STAGE.text().replace("until = \"20s\"\n", "");
    let record = run_by::<Strict>(&scenario(&format!(
        "{to_the_end}\n[[adversaries]]\nwho = \"{who}\"\nwhat = [\"audit-tamper\"]\n{how}\n"
    )));
    assert_eq!(
        holds(&record, AUDITED),
        Some(Holds::Holds),
        "{}",
        told(&record)
    );
    let metrics = &record.summary.metrics;
    assert!(metrics["adversary_deeds"] > 0.0, "{}", told(&record));
    assert_eq!(metrics["audit_honest_blamed"], 0.0, "{}", told(&record));
    (metrics["audit_attributed"], metrics["audit_unattributed"])
}

#[test]
fn tampering_before_a_head_names_its_culprit_and_tampering_behind_it_nobody() {
    // An executor signs a head with each answer, so only who sends has anything behind all heads.
    for how in ["tamper = \"alter\"", "tamper = \"remove\"\namount = 3"] {
        let (attributed, _) = tampered("globex-1", how);
        assert!(attributed > 0.0, "{how}");
    }
    let late = "stretch = \"latest\"\namount = 2\n";
    for how in ["alter", "remove"] {
        let found = tampered("acme-2", &format!("{late}tamper = \"{how}\""));
        assert!(found.0 == 0.0 && found.1 > 0.0, "{how}: {found:?}");
    }
}
