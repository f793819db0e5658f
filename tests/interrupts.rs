//! Ctrl-C: nothing half-written, and what was finished is kept.

use std::fs;
use std::process::Command;

use crate::desk::{Desk, Said};

/// Starts the program, sends it Ctrl-C as soon as `begun` exists, and hears what it says.
fn interrupted(desk: &Desk, arguments: &[&str], begun: impl Fn() -> bool) -> Said {
    use std::process::Stdio;

    let mut program = Command::new(env!("CARGO_BIN_EXE_fedsim"));
    program.args(arguments).current_dir(desk.folder());
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the program starts");
    while !begun() {
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended before it could be interrupted");
        std::thread::yield_now();
    }
    let mut kill = Command::new("kill");
    let sent = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    Said::from(child.wait_with_output().expect("a child"))
}

#[test]
fn ctrl_c_during_a_run_leaves_nothing() {
    // A run of a virtual year cannot end by itself; its hidden directory shows that it has begun.
    let desk = Desk::new();
    let begun = || desk.content().iter().any(|name| name.starts_with(".out"));
    let long = [
        "run",
        "quick.toml",
        "--set",
        "duration=9000h",
        "--out",
        "out",
    ];
    let said = interrupted(&desk, &long, begun).exits(130);
    said.complains(&["interrupted", "nothing was written"]);
    assert_eq!(desk.content(), ["quick.toml"]);
}

#[test]
fn ctrl_c_during_many_seeds_keeps_what_was_finished() {
    // A hundred thousand runs cannot end in time; rows of the first in the hidden directory show
    // that some did.
    let desk = Desk::new();
    let begun = || {
        let hidden = desk
            .content()
            .into_iter()
            .find(|name| name.starts_with(".out"));
        hidden.is_some_and(|name| desk.path(&name).join("messages.csv").exists())
    };
    let many = ["run", "quick.toml", "--seeds", "0..100000", "--out", "out"];
    let said = interrupted(&desk, &many, begun).exits(130);
    let said = said.complains(&["of 100000 seeds were finished", "is in out"]);
    let rows = fs::read_to_string(desk.path("out/runs.csv")).expect("there");
    let finished = rows.lines().count() - 1;
    assert!((1..100_000).contains(&finished));
    assert!(
        said.err.contains(&format!("{finished} of 100000")),
        "{}",
        said.err
    );
    assert_eq!(desk.content(), ["out", "quick.toml"]);
}
