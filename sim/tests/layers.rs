//! Every layer that is left out is missed, through the engine, by the invariant that it is there for.

use crate::support::{Stage, run, scenario, told, violated};

/// A federation in which mallory may send messages, and does more than that.
const STAGE: Stage = Stage {
    duration: "6s",
    network: r#"latency = { constant = "10ms" }"#,
    federation: r#"
across = "broadcast"
work_min = "200ms"
work_max = "400ms"
without = [WITHOUT]
SETTING
"#,
    rest: r#"
[[federation.expose]]
by = "globex-*"
to = ["acme-*", "mallory-*"]
capability = "send"
[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "2/s"
canaries = 0.5
[[adversaries]]
who = "mallory-1"
what = [WHAT]
KINDS
target = "globex-*"
pace = "200ms"
"#,
    ..Stage::USUAL
};

/// What is violated when mallory does `what` and some layers are left out.
fn broken(what: &str, without: &str, setting: &str) -> Vec<String> {
    let kinds = match what {
        "\"replay\"" => "kinds = [\"action\"]",
        _ => "",
    };
    let text = STAGE
        .text()
        .replace("WHAT", what)
        .replace("KINDS", kinds)
        .replace("WITHOUT", without)
        .replace("SETTING", setting);
    let record = run(&scenario(&text));
    let done = record.summary.metrics["actions_done"];
    assert!(done > 5.0, "{}", told(&record));
    // What is done in another's name is on no log of that other: the audit notices that as well.
    let mut found = violated(&record);
    found.retain(|it| it != "audited");
    found
}

const ALL: &str = r#""impersonate", "tamper", "overreach", "privilege-claim", "self-made-grant",
    "expired-action", "malformed-action", "replay""#;

#[test]
fn a_layer_that_is_left_out_is_missed_by_its_invariant() {
    // With every layer nothing gets through; each attack gets through where its layer is missing.
    assert_eq!(broken(ALL, "", ""), [""; 0]);
    let cases = [
        (r#""impersonate""#, r#""signature""#, "as-asked"),
        (r#""tamper""#, r#""signature""#, "as-asked"),
        (r#""replay""#, r#""audience""#, "as-asked"),
        (r#""overreach""#, r#""authorisation""#, "authorised-only"),
        (
            r#""privilege-claim""#,
            r#""authorisation""#,
            "authorised-only",
        ),
        (
            r#""self-made-grant""#,
            r#""authorisation""#,
            "authorised-only",
        ),
        (r#""expired-action""#, r#""freshness""#, "not-after-expiry"),
        (r#""malformed-action""#, r#""schema""#, "well-formed"),
        (r#""malformed-action""#, r#""framing""#, "well-formed"),
        (r#""replay""#, r#""replay", "execution""#, "executed-once"),
    ];
    for (what, without, invariant) in cases {
        assert_eq!(
            broken(what, without, ""),
            [invariant],
            "{what} without {without}"
        );
    }
}

#[test]
fn private_data_leaves_where_no_gate_stands() {
    // No adversary is needed: what users say is read by others.
    assert_eq!(
        broken(r#""impersonate""#, "", "gate = \"off\""),
        ["no-leak"]
    );
}

#[test]
fn a_revoked_peer_is_served_where_nobody_asks_about_it() {
    // Two checks know of a revocation; with one of them it is still refused.
    let revoked = "revoked = \"acme-1\"";
    let served = r#""revocation", "authorisation""#;
    assert_eq!(
        broken(r#""impersonate""#, served, revoked),
        ["authorised-only"]
    );
    assert_eq!(
        broken(r#""impersonate""#, r#""revocation""#, revoked),
        [""; 0]
    );
}
