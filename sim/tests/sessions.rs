//! Sessions of a federation: the model of TLS and TLS itself make one run, and whoever leaves out one
//! of their checks is noticed.

use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Rules, Strict};
use fedsim_record::Holds;

use super::support::{Stage, holds, run, run_by, scenario, told, violated};

/// Short sessions on a bad network; mallory may call, and does more than that.
const STAGE: Stage = Stage {
    duration: "30s",
    network: "latency = { uniform = [\"10ms\", \"40ms\"] }\nloss = 0.02",
    federation: r#"
transport = "mutual"
session_lifetime = "4s"
session_lifetime_max = "10s"
heartbeat = "1s"
audit_every = "10s"
without = WITHOUT
MORE
"#,
    rest: r#"
[[federation.expose]]
by = "*"
to = ["acme-*", "mallory-*"]
capability = "send"
[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "3/s"
lifetime = "6s"
"#,
    ..Stage::USUAL
};

fn text(without: &str, more: &str, rest: &str) -> String {
    let text = STAGE.text().replace("WITHOUT", without);
    format!("{}\n{rest}", text.replace("MORE", more))
}

/// What is violated when peers keep the rules `R`, the audit aside.
fn broken<R: Rules>(text: &str) -> Vec<String> {
    let record = run_by::<R>(&scenario(text));
    let done = record.summary.metrics["actions_done"];
    assert!(done > 10.0, "{}", told(&record));
    let mut found = violated(&record);
    found.retain(|it| it != "audited");
    found
}

const IMPOSTOR: &str = r#"
[[adversaries]]
who = "mallory-1"
what = ["impersonate", "replay"]
target = "globex-*"
"#;

#[test]
fn tls_and_its_model_make_the_same_run() {
    // Losses, a crash, liars and lapsing sessions: every event at the same time, of the same size.
    let crash = "[[faults]]\nat = \"12s\"\nfor = \"3s\"\ncrash = \"globex-1\"";
    let rest = format!("{IMPOSTOR}\n{crash}");
    for transport in ["mutual", "server-only"] {
        let digests = ["modelled", "real"].map(|tls| {
            let text = text("[]", &format!("tls = \"{tls}\""), &rest);
            let record = run(&scenario(&text.replace("mutual", transport)));
            let mut metrics = record.summary.metrics.clone();
            assert!(metrics["sessions_opened"] > 8.0, "{}", told(&record));
            assert!(metrics["sessions_lost"] > 0.0, "{}", told(&record));
            // TLS signs for itself, and nobody counts it.
            metrics.retain(|name, _| !name.ends_with("_made") && !name.ends_with("_asked"));
            // Written out, since what was not measured equals nothing.
            (record.summary.digest, format!("{metrics:?}"))
        });
        assert_eq!(digests[0], digests[1], "{transport}");
    }
}

#[test]
fn nobody_acts_in_anothers_name_where_both_sides_prove_who_they_are() {
    // Envelopes need no signature for that, unless nobody asks in which session they came.
    let text = text(r#"["signature"]"#, "", IMPOSTOR);
    assert_eq!(broken::<Strict>(&text), [""; 0]);
    assert_eq!(broken::<mutants::SessionsUnchecked>(&text), ["as-asked"]);
    let one_sided = text.replace("mutual", "server-only");
    assert_eq!(broken::<Strict>(&one_sided), ["as-asked"]);
}

#[test]
fn every_door_lets_in_whom_its_own_owner_lets_in() {
    // One peer of two serves callers that prove nothing: an impostor is obeyed there and nowhere else.
    // Nor is that peer let in where proof is asked for, since it shows none itself.
    let software =
        |by: &str| format!("[[federation.software]]\nby = \"{by}\"\ntransport = \"server-only\"");
    let unsigned = r#"["signature"]"#;
    let open = text(unsigned, &software("globex-2"), IMPOSTOR);
    assert_eq!(broken::<Strict>(&open), ["as-asked"]);
    let elsewhere = open.replace("globex-*\"\n", "globex-1\"\n");
    assert_eq!(broken::<Strict>(&elsewhere), [""; 0]);
    let done = |by: &str| {
        let record = run(&scenario(&text("[]", &software(by), "")));
        record.summary.metrics["actions_done"]
    };
    assert!(done("acme-2") < 0.7 * done("globex-2"));
}

#[test]
fn a_relayed_handshake_is_noticed_by_who_looks_for_somebody_else() {
    let rest = r#"
[[workload.errands]]
by = "acme-1"
to = "mallory-1"
rate = "2/s"
lifetime = "6s"
[[adversaries]]
who = "mallory-1"
what = ["relay-handshake"]
target = "globex-1"
"#;
    let text = text(r#"["signature", "audience"]"#, "", rest);
    assert_eq!(broken::<Strict>(&text), [""; 0]);
    assert_eq!(broken::<mutants::AnyoneAnswers>(&text), ["as-asked"]);
}

#[test]
fn sessions_end_with_their_time_and_their_certificate() {
    // Those in use would live for ever if each renewal counted from the last.
    let plain = text("[]", "", "");
    assert_eq!(broken::<Strict>(&plain), [""; 0]);
    assert_eq!(broken::<mutants::SessionsEternal>(&plain), ["sessions-end"]);
    assert_eq!(broken::<mutants::RenewedForEver>(&plain), ["sessions-end"]);
    let ended = "[[federation.certificates]]\nof = \"acme-2\"\nuntil = \"8s\"";
    let ended = text("[]", ended, "");
    assert_eq!(broken::<Strict>(&ended), [""; 0]);
    let found = broken::<mutants::CertificatesUnchecked>(&ended);
    assert_eq!(found, ["sessions-end"]);
}

#[test]
fn a_fall_ends_sessions() {
    // Mallory falls by what its users send, and its sessions with it.
    let more = "trust_model = \"reference\"\nscreening = \"inbound\"\nwork_max = \"200ms\"";
    let rest = r#"
[[workload.errands]]
by = "mallory-1"
to = "globex-*"
rate = "4/s"
[[workload.errands]]
by = "mallory-1"
to = "globex-*"
rate = "1/s"
from = "4s"
injections = 1.0
"#;
    let text = text("[]", more, rest);
    let long = text.replace("\"4s\"\nsession", "\"40s\"\nsession");
    let text = long.replace("max = \"10s\"", "max = \"40s\"");
    let record = run(&scenario(&text));
    assert_eq!(holds(&record, "federation/demotion"), Some(Holds::Holds));
    let metrics = &record.summary.metrics;
    assert!(metrics["sessions_terminated"] > 0.0, "{}", told(&record));
    let found = broken::<mutants::SessionsOutliveFalls>(&text);
    assert!(found.contains(&"demotion".to_owned()), "{found:?}");
}

#[test]
fn a_revocation_binds_whoever_has_learnt_of_it() {
    // With sessions and without.
    let more = r#"
work_max = "200ms"
[[federation.operations]]
at = "5s"
revoke = "acme-2"
"#;
    let mutual = text("[]", more, "");
    for text in [mutual.replace("\"mutual\"", "\"none\""), mutual] {
        let record = run(&scenario(&text));
        assert_eq!(holds(&record, "federation/revocation"), Some(Holds::Holds));
        let learnt = record.summary.metrics["revocation_learnt"];
        assert_eq!(learnt, 4.0, "{}", told(&record));
    }
}
