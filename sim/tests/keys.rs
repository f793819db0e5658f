//! What becomes of keys within a run: whoever lets an old one go on, or believes what others say of
//! one, is noticed.

use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Rules, Strict};
use fedsim_record::{Holds, RunRecord};

use super::support::{Stage, holds, run_by, scenario, told};

/// Work takes long enough that some is under way whenever something is learnt.
const STAGE: Stage = Stage {
    duration: "12s",
    federation: r#"
checkpoint_interval = 20
transport = "none"
work_max = "200ms"
"#,
    rest: r#"
[[federation.operations]]
at = "4s"
OPERATION
[[federation.expose]]
by = "*"
to = ["acme-*", "globex-*"]
capability = "send"
[[workload.errands]]
by = ["acme-1", "globex-*"]
to = ["acme-*", "globex-*"]
rate = "3/s"
until = "9s"
"#,
    ..Stage::USUAL
};

/// A federation in which something is done about keys, and somebody may lie.
fn run<R: Rules>(operation: &str, adversary: &str) -> RunRecord {
    let text = STAGE.text().replace("OPERATION", operation);
    run_by::<R>(&scenario(&format!("{text}\n{adversary}")))
}

fn has<R: Rules>(operation: &str, adversary: &str, invariant: &str, wanted: Holds) {
    let record = run::<R>(operation, adversary);
    let found = holds(&record, &format!("federation/{invariant}"));
    assert_eq!(found, Some(wanted), "{invariant}: {}", told(&record));
}

/// Mallory, who does this every so often.
fn mallory(what: &str, pace: &str) -> String {
    format!("[[adversaries]]\nwho = \"mallory-1\"\nwhat = [\"{what}\"]\npace = \"{pace}\"\n")
}

const ROTATE: &str = r#"rotate = "acme-1""#;

const THIEF: &str = r#"
[[adversaries]]
who = "acme-2"
what = ["stolen-key"]
target = "globex-*"
pace = "20ms"
"#;

#[test]
fn an_old_key_is_good_for_nothing_once_its_heir_is_known() {
    let rotate = r#"rotate = "acme-2""#;
    has::<Strict>(rotate, THIEF, "succession", Holds::Holds);
    has::<mutants::BarredAct>(rotate, THIEF, "succession", Holds::Violated);
}

#[test]
fn a_revoked_key_is_good_for_nothing_once_that_is_known() {
    let revoke = r#"revoke = "acme-2""#;
    has::<Strict>(revoke, THIEF, "revocation", Holds::Holds);
    has::<mutants::BarredAct>(revoke, THIEF, "revocation", Holds::Violated);
    has::<mutants::RevocationsIgnored>(revoke, THIEF, "revocation", Holds::Violated);
}

#[test]
fn a_key_that_names_two_heirs_has_none() {
    let contest = mallory("two-heirs", "2s");
    has::<Strict>(ROTATE, &contest, "true-keys", Holds::Holds);
    has::<mutants::DisputesIgnored>(ROTATE, &contest, "true-keys", Holds::Violated);
}

#[test]
fn strangers_find_no_room_without_end() {
    let crowd = mallory("invented-peers", "500ms") + "amount = 100";
    has::<Strict>(ROTATE, &crowd, "strangers", Holds::Holds);
    has::<mutants::StrangersUnbounded>(ROTATE, &crowd, "strangers", Holds::Violated);
}

#[test]
fn a_council_hears_nobody_in_the_name_of_another() {
    let borrowed = mallory("borrowed-names", "500ms");
    let rotate = r#"rotate = "acme-1"
[[workload.errands]]
by = "globex-1"
to = "acme-*"
kind = "merge"
rate = "1/s"
"#;
    has::<Strict>(rotate, &borrowed, "proposed-only", Holds::Holds);
    has::<mutants::NamesBorrowed>(rotate, &borrowed, "proposed-only", Holds::Violated);
}

#[test]
fn nobody_is_believed_about_keys_of_others() {
    let poison = mallory("poisoned-keys", "100ms");
    has::<Strict>(ROTATE, &poison, "true-keys", Holds::Holds);
    has::<mutants::RecordsUnsigned>(ROTATE, &poison, "true-keys", Holds::Violated);
    has::<mutants::RootsUnchecked>(ROTATE, &poison, "true-keys", Holds::Violated);
    has::<mutants::AnyoneRevokes>(ROTATE, &poison, "true-keys", Holds::Violated);
    has::<mutants::HeirsUnasked>(ROTATE, &poison, "true-keys", Holds::Violated);
}

#[test]
fn nobody_loses_a_seat_in_the_council_by_what_others_say() {
    let poison = mallory("poisoned-keys", "100ms");
    has::<Strict>(ROTATE, &poison, "seats", Holds::Holds);
    has::<mutants::SeatsForTheTaking>(ROTATE, &poison, "seats", Holds::Violated);
    has::<mutants::RecordsUnsigned>(ROTATE, &poison, "seats", Holds::Violated);
}

#[test]
fn the_council_follows_what_becomes_of_keys() {
    // A peer takes up two keys, one after the other, and another is revoked: all others seat each of
    // them no more, flat as two-tier, and proposals go on being decided.
    let proposals = r#"
[[workload.errands]]
by = ["acme-1", "globex-1"]
to = "*"
rate = "1/s"
kind = "merge"
until = "25s"
"#;
    let operations = r#"rotate = "acme-1"
[[federation.operations]]
at = "9s"
rotate = "acme-1"
[[federation.operations]]
at = "14s"
revoke = "globex-2"
"#;
    for across in ["flat", "two-tier"] {
        let text = STAGE.text().replace("OPERATION", operations);
        let text = text.replace("\"12s\"", "\"30s\"");
        let text = text.replace(
            "transport =",
            &format!("across = \"{across}\"\ntransport ="),
        );
        let record = run_by::<Strict>(&scenario(&format!("{text}\n{proposals}")));
        let metrics = &record.summary.metrics;
        let of = |name: &str| metrics[name];
        let replicas = if across == "flat" { 5.0 } else { 3.0 };
        assert_eq!(of("council_epochs"), 3.0, "{}", told(&record));
        assert_eq!(of("seats_followed"), 3.0 * replicas, "{}", told(&record));
        assert_eq!(of("decisions"), of("proposals"), "{}", told(&record));
        assert_eq!(holds(&record, "federation/seats"), Some(Holds::Holds));
        assert_eq!(holds(&record, "federation/quorum"), Some(Holds::Holds));
    }
}

#[test]
fn work_goes_on_across_a_change_of_keys() {
    // With sessions and without; a crash comes right behind it, and another change after that.
    let again = r#"rotate = "acme-1"
[[federation.operations]]
at = "8s"
rotate = "acme-1"
"#;
    let crash = "[[faults]]\nat = \"6s\"\nfor = \"1s\"\ncrash = \"acme-1\"";
    for transport in ["none", "mutual"] {
        let text = STAGE.text().replace("OPERATION", again);
        let text = text.replace("\"none\"", &format!("\"{transport}\""));
        let record = run_by::<Strict>(&scenario(&format!("{text}\n{crash}")));
        for name in [
            "succession",
            "true-keys",
            "as-asked",
            "executed-once",
            "audited",
        ] {
            let found = holds(&record, &format!("federation/{name}"));
            assert_ne!(found, Some(Holds::Violated), "{name}: {}", told(&record));
        }
        let metrics = &record.summary.metrics;
        assert_eq!(metrics["succession_learnt"], 8.0, "{}", told(&record));
        assert_eq!(metrics["done_under_old_key"], 0.0, "{}", told(&record));
        assert_eq!(metrics["actions_refused"], 0.0, "{}", told(&record));
        assert_eq!(metrics["council_epochs"], 2.0, "{}", told(&record));
    }
}
