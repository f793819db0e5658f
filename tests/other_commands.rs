//! The commands beside `run`.

use std::fs;

use crate::desk::{Desk, files, json};

#[test]
fn reports_are_made_again_from_the_record_alone() {
    // Without plots and page, which come back byte for byte; a folder of another kind is refused.
    let desk = Desk::new();
    desk.fedsim(&["run", "quick.toml", "--out", "run"]).exits(0);
    let before = files(&desk.path("run"));
    fs::remove_dir_all(desk.path("run/plots")).expect("removed");
    fs::remove_file(desk.path("run/report.html")).expect("removed");
    desk.fedsim(&["report", "run"]).exits(0);
    assert_eq!(before, files(&desk.path("run")));
    desk.fedsim(&["report", "."])
        .exits(2)
        .complains(&["summary.json"]);
    desk.fedsim(&["report", "absent"])
        .exits(2)
        .complains(&["absent"]);
}

#[test]
fn shipped_scenarios_are_listed_with_their_claims() {
    // A line a scenario, and each can be explained and checked by its name.
    let desk = Desk::new();
    let listed = desk.fedsim(&["list"]).exits(0).out;
    assert!(listed.lines().count() >= 10, "{listed}");
    for line in listed.lines() {
        let (name, claim) = line.split_once("  ").expect("a name and a claim");
        assert!(!claim.trim().is_empty(), "{line}");
        desk.fedsim(&["check", name]).exits(0);
    }
    let plan = desk.fedsim(&["explain", "gossip/one-crash"]).exits(0).out;
    assert!(plan.contains("peer-7"), "{plan}");
    assert_eq!(desk.content(), ["quick.toml"]);
}

#[test]
fn pages_for_editors_and_readers_are_printed() {
    // The schema is JSON, the reference names every section, the script names the program.
    let desk = Desk::new();
    let schema = json(&desk.fedsim(&["schema"]).exits(0).out);
    assert!(schema["properties"]["network"].is_object());
    let page = desk.fedsim(&["reference"]).exits(0).out;
    assert!(page.contains("swim") && page.contains("faults"));
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.fedsim(&["completions", shell]).exits(0).out;
        assert!(script.contains("fedsim"), "{shell}");
    }
    let version = desk.fedsim(&["--version"]).exits(0).out;
    assert!(
        version.starts_with("fedsim ") && version.contains('('),
        "{version}"
    );
}

#[test]
fn histories_are_judged_with_an_exit_code_of_their_own() {
    // A write that is read is linearizable; a read of what nobody wrote is not; text is no
    // history; and without any budget nothing is known.
    let desk = Desk::new();
    let event = |kind: &str, function: &str, value: &str| {
        format!("{{:process 0, :type :{kind}, :f :{function}, :value {value}}}\n")
    };
    let write = event("invoke", "write", "1") + &event("ok", "write", "1");
    let read = |value: &str| event("invoke", "read", "nil") + &event("ok", "read", value);
    desk.put("good.edn", &(write.clone() + &read("1")));
    desk.put("bad.edn", &(write + &read("2")));
    desk.put("text.edn", "once upon a time\n");
    let good = desk.fedsim(&[
        "judge", "good.edn", "--model", "register", "--format", "json",
    ]);
    assert_eq!(json(&good.exits(0).out)["verdict"], "linearizable");
    desk.fedsim(&["judge", "bad.edn", "--picture", "stuck.svg"])
        .exits(1);
    assert!(
        fs::read_to_string(desk.path("stuck.svg"))
            .expect("there")
            .contains("<svg")
    );
    desk.fedsim(&["judge", "text.edn"])
        .exits(2)
        .complains(&["line 1"]);
    desk.fedsim(&["judge", "absent.edn"])
        .exits(2)
        .complains(&["absent.edn"]);
    desk.fedsim(&["judge", "good.edn", "--steps", "0"]).exits(4);
    desk.fedsim(&["judge", "good.edn", "--model", "queue"])
        .exits(2)
        .complains(&["queue"]);
}
