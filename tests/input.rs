//! Bad input: one clear message, exit 2, nothing written.

use std::fs;

use crate::desk::{Desk, QUICK};

#[test]
fn a_mistake_in_a_scenario_is_shown_with_its_place_and_what_is_right() {
    // Each kind of bad input: exit 2, a message that names the line and the cure, nothing written.
    let cases: [(&str, &str, &[&str]); 8] = [
        ("claim =", "clam =", &["broken.toml:3", "clam", "claim"]),
        ("seed = 3", "seed = \"three\"", &["broken.toml:4", "seed"]),
        ("\"20s\"", "\"20\"", &["broken.toml:5", "20"]),
        (
            "[\"10ms\", \"50ms\"]",
            "[\"50ms\", \"10ms\"]",
            &["broken.toml:11"],
        ),
        (
            "[swim]",
            "loss = -0.1\n[swim]",
            &["broken.toml:13:8", "-0.1", "must be from 0 to 1"],
        ),
        ("false_positives", "false_positive", &["false_positives"]),
        ("[swim]", "[swim", &["broken.toml:13"]),
        (
            "[expect]",
            "[[faults]]\nat = \"5s\"\ncrash = \"peer-99\"\n[expect]",
            &["broken.toml", "peer-99"],
        ),
    ];
    for (right, wrong, parts) in cases {
        let desk = Desk::new();
        desk.put("broken.toml", &QUICK.replacen(right, wrong, 1));
        desk.fedsim(&["run", "broken.toml"])
            .exits(2)
            .complains(parts);
        desk.fedsim(&["check", "broken.toml"])
            .exits(2)
            .complains(parts);
        assert_eq!(desk.content(), ["broken.toml", "quick.toml"]);
    }
}

#[test]
fn what_cannot_be_run_is_refused_by_check_as_by_run_and_leaves_no_folder() {
    // Two protocols, a member where a client is wanted, and more members than views are kept of:
    // all parse.
    let swim = "[swim]\n";
    for (right, wrong, part) in [
        (swim, "[swim]\n[rumor]\n", "exactly one protocol"),
        (
            swim,
            "[pbft]\nadministrators = \"peer-1\"\n",
            "administrators of [pbft] are clients",
        ),
        ("count = 6", "count = 12001", "at most 12000 members"),
    ] {
        let desk = Desk::new();
        let text = QUICK.replacen(right, wrong, 1);
        let (text, _) = text.split_once("[expect]").expect("the last table");
        desk.put("odd.toml", text);
        let [run, check] =
            ["run", "check"].map(|command| desk.fedsim(&[command, "odd.toml"]).exits(2));
        assert_eq!(run.err.trim_end(), check.err.trim_end());
        run.complains(&["odd.toml", part]);
        assert_eq!(desk.content(), ["odd.toml", "quick.toml"]);
        desk.fedsim(&["run", "odd.toml", "--out", "deep/er/run"])
            .exits(2);
        assert!(!desk.path("deep").exists());
    }
}

#[test]
fn several_mistakes_are_told_together() {
    // Whoever corrects one at a time would need a run for each.
    let desk = Desk::new();
    let text = QUICK
        .replace("count = 6", "count = -6")
        .replace("[swim]", "[swimm]");
    desk.put("broken.toml", &text);
    let said = desk.fedsim(&["run", "broken.toml"]).exits(2);
    said.complains(&[
        "broken.toml:8:9",
        "broken.toml:13:2",
        "did you mean `swim`?",
    ]);
}

#[test]
fn files_that_are_no_scenario_are_refused() {
    // Empty, binary, a folder, absent, and a misspelt name of a shipped scenario.
    let desk = Desk::new();
    desk.put("empty.toml", "");
    fs::write(desk.path("binary.toml"), [0xff, 0xfe, 0x00]).expect("a file");
    fs::create_dir(desk.path("folder.toml")).expect("a folder");
    desk.fedsim(&["run", "empty.toml"])
        .exits(2)
        .complains(&["empty"]);
    desk.fedsim(&["run", "binary.toml"])
        .exits(2)
        .complains(&["UTF-8"]);
    desk.fedsim(&["run", "folder.toml"])
        .exits(2)
        .complains(&["folder.toml"]);
    desk.fedsim(&["run", "absent.toml"])
        .exits(2)
        .complains(&["absent.toml"]);
    desk.fedsim(&["run", "gossip/one-crahs"])
        .exits(2)
        .complains(&["gossip/one-crash"]);
    assert!(!desk.path("runs").exists());
}

#[test]
fn overrides_are_checked_like_the_file() {
    // A misspelt override that was ignored would be an experiment that nobody made.
    let desk = Desk::new();
    for (set, part) in [
        ("network.los=0.1", "loss"),
        ("network.loss=2", "2"),
        ("nonsense", "path=value"),
    ] {
        desk.fedsim(&["run", "quick.toml", "--set", set])
            .exits(2)
            .complains(&["--set", part]);
    }
    assert_eq!(desk.content(), ["quick.toml"]);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    // No range, an empty range, no thread at all, two ways to say which seeds, no such command.
    let desk = Desk::new();
    for arguments in [
        &["run", "quick.toml", "--seeds", "5"][..],
        &["run", "quick.toml", "--seeds", "5..5"],
        &["run", "quick.toml", "--seeds", "9..=8"],
        &["run", "quick.toml", "--threads", "0"],
        &["run", "quick.toml", "--jobs", "0", "--seeds", "1..3"],
        &["run", "quick.toml", "--seed", "1", "--seeds", "1..3"],
        &["run", "quick.toml", "--seed", "-1"],
        &["run"],
        &["check"],
        &["rnu"],
    ] {
        let said = desk.fedsim(arguments).exits(2);
        assert!(said.err.contains("error:"), "{arguments:?}: {}", said.err);
    }
    assert_eq!(desk.content(), ["quick.toml"]);
}

#[test]
fn what_is_not_ours_stays() {
    // A folder with a file in it, an empty folder, a file, and a place below a file: nobody's
    // data may be lost, and it is said before anything is run.
    let desk = Desk::new();
    fs::create_dir(desk.path("mine")).expect("a folder");
    desk.put("mine/thesis.txt", "years");
    fs::create_dir(desk.path("bare")).expect("a folder");
    desk.put("file", "text");
    for out in ["mine", "bare", "file", "file/below", "quick.toml"] {
        let said = desk.fedsim(&["run", "quick.toml", "--out", out]).exits(2);
        said.complains(&[out]);
    }
    assert_eq!(
        fs::read_to_string(desk.path("mine/thesis.txt")).expect("there"),
        "years"
    );
    assert_eq!(desk.content(), ["bare", "file", "mine", "quick.toml"]);
}
