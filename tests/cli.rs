//! The built program as a user meets it: exit codes, messages, files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A small run that meets its claim in a blink.
const QUICK: &str = r#"# Nothing hurts, and nobody is accused.
name = "quick"
claim = "Six members keep each other for alive"
seed = 3
duration = "20s"

[peers]
count = 6

[network]
latency = { uniform = ["10ms", "50ms"] }

[swim]

[expect]
false_positives = { equals = 0 }
"#;

/// An empty folder with `quick.toml`, in which the program runs.
struct Desk(TempDir);

/// What the program said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.put("quick.toml", QUICK);
        desk
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn fedsim(&self, arguments: &[&str]) -> Said {
        let mut program = Command::new(env!("CARGO_BIN_EXE_fedsim"));
        let output = program.args(arguments).current_dir(self.0.path()).output();
        Said::from(output.expect("the program starts"))
    }

    /// What lies here, hidden files included.
    fn content(&self) -> Vec<String> {
        names(self.0.path())
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Said {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn complains(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in:\n{}", self.err);
        }
        self
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("readable").file_name();
        name.to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Every file below a folder with its bytes, but for the summary, which holds real time.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if name != "summary.json" {
            files.push((name, fs::read(&path).expect("readable")));
        }
    }
    files
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

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
        ("[swim]", "loss = -0.1\n[swim]", &["broken.toml:12", "-0.1"]),
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
fn several_mistakes_are_told_together() {
    // Whoever corrects one at a time would need a run for each.
    let desk = Desk::new();
    let text = QUICK
        .replace("count = 6", "count = -6")
        .replace("[swim]", "[swimm]");
    desk.put("broken.toml", &text);
    let said = desk.fedsim(&["run", "broken.toml"]).exits(2);
    said.complains(&["-6", "swimm", "2 errors"]);
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

#[test]
fn a_run_leaves_a_whole_directory_and_is_replaced_by_the_next() {
    // All that the contract names is there, nothing hidden is left over, and a second run takes
    // the place of the first.
    let desk = Desk::new();
    for _ in 0..2 {
        let said = desk.fedsim(&["run", "quick.toml"]).exits(0);
        assert!(
            said.out.contains("runs/quick-3/report.html"),
            "{}",
            said.out
        );
        assert!(said.out.lines().count() <= 24, "{}", said.out);
        assert!(
            said.out.lines().all(|line| line.chars().count() <= 80),
            "{}",
            said.out
        );
        assert!(
            !said.out.contains('\u{1b}') && said.err.is_empty(),
            "{}",
            said.err
        );
    }
    let left = names(&desk.path("runs/quick-3"));
    for file in [
        "scenario.toml",
        "summary.json",
        "report.html",
        "plots",
        "messages.csv",
    ] {
        assert!(left.iter().any(|name| name == file), "{file} in {left:?}");
    }
    assert_eq!(names(&desk.path("runs")), ["latest", "quick-3"]);
}

#[test]
fn equal_seeds_give_equal_files_on_any_number_of_threads() {
    // Digest and every byte but those of the summary, which holds real time; and another seed
    // gives another digest, so that the comparison can fail.
    let desk = Desk::new();
    let run = |out: &str, seed: &str, threads: &str| {
        let arguments = [
            "run",
            "quick.toml",
            "--seed",
            seed,
            "--threads",
            threads,
            "--out",
            out,
            "--format",
            "json",
        ];
        json(&desk.fedsim(&arguments).exits(0).out)["digest"].clone()
    };
    let (one, two, other) = (
        run("one", "3", "1"),
        run("two", "3", "2"),
        run("other", "4", "1"),
    );
    assert_eq!(one, two);
    assert_ne!(one, other);
    let (one, two) = (files(&desk.path("one")), files(&desk.path("two")));
    assert!(one.len() > 5);
    assert_eq!(one, two);
}

#[test]
fn what_ran_runs_again() {
    // `scenario.toml` holds overrides and seed, so that it alone gives the same digest.
    let desk = Desk::new();
    let first = [
        "run",
        "quick.toml",
        "--seed",
        "9",
        "--set",
        "network.loss=0.05",
    ];
    let digest = |arguments: &[&str]| {
        let arguments = [arguments, &["--format", "json"]].concat();
        json(&desk.fedsim(&arguments).exits(0).out)["digest"].clone()
    };
    let first = digest(&first);
    fs::copy(
        desk.path("runs/quick-9/scenario.toml"),
        desk.path("again.toml"),
    )
    .expect("copied");
    assert_eq!(first, digest(&["run", "again.toml"]));
    assert_ne!(first, digest(&["run", "quick.toml", "--seed", "9"]));
}

#[test]
fn the_json_of_a_run_has_the_keys_of_the_contract() {
    // Scripts read these; the file in the run directory is the same text.
    let desk = Desk::new();
    let said = desk
        .fedsim(&["run", "quick.toml", "--format", "json"])
        .exits(0);
    let object = json(&said.out);
    for key in [
        "version",
        "commit",
        "scenario",
        "seed",
        "threads",
        "digest",
        "virtual_seconds",
        "wall_seconds",
        "events",
        "messages",
        "invariants",
        "expectations",
        "metrics",
    ] {
        assert!(!object[key].is_null(), "{key}");
    }
    for key in ["sent", "delivered", "dropped", "bytes"] {
        assert!(object["messages"][key].is_u64(), "{key}");
    }
    assert_eq!(object["expectations"][0]["met"], true);
    assert!(object["wall_seconds"].as_f64() > Some(0.0));
    assert_eq!(object["seed"], 3);
    let kept = fs::read_to_string(desk.path("runs/quick-3/summary.json")).expect("there");
    assert_eq!(kept, said.out);
}

#[test]
fn a_missed_expectation_exits_with_one() {
    // The directory is written all the same: it is what one looks at then.
    let desk = Desk::new();
    let set = "expect.false_positives={ at_least = 1 }";
    let said = desk.fedsim(&["run", "quick.toml", "--set", set]).exits(1);
    assert!(said.out.contains("false_positives"), "{}", said.out);
    assert!(desk.path("runs/quick-3/report.html").exists());
}

#[test]
fn verification_says_that_it_was_made() {
    let desk = Desk::new();
    let said = desk
        .fedsim(&["run", "quick.toml", "--verify", "--format", "json"])
        .exits(0);
    let notes = json(&said.out)["notes"].to_string();
    assert!(notes.contains("verified"), "{notes}");
}

#[test]
fn many_seeds_leave_a_row_each_in_order() {
    // Rows by seed whichever run ended first, equal bytes whatever the number of jobs.
    let desk = Desk::new();
    let run = |out: &str, jobs: &str| {
        let arguments = [
            "run",
            "quick.toml",
            "--seeds",
            "1..=6",
            "--jobs",
            jobs,
            "--out",
            out,
            "--format",
            "json",
        ];
        json(&desk.fedsim(&arguments).exits(0).out)
    };
    let (one, three) = (run("one", "1"), run("three", "3"));
    assert_eq!(one, three);
    assert_eq!((&one["seeds"], &one["passed"]), (&6.into(), &6.into()));
    assert_eq!(one["failed"], serde_json::json!([]));
    assert!(one["metrics"].is_object());
    let rows = fs::read_to_string(desk.path("one/runs.csv")).expect("there");
    let seeds: Vec<&str> = rows
        .lines()
        .map(|row| row.split(',').next().unwrap_or(""))
        .collect();
    assert_eq!(seeds, ["seed", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(files(&desk.path("one")), files(&desk.path("three")));
}

#[test]
fn failing_seeds_come_with_the_line_that_replays_them() {
    // The line itself is run: it must fail in the same way.
    let desk = Desk::new();
    let set = "expect.false_positives={ at_least = 1 }";
    let arguments = [
        "run",
        "quick.toml",
        "--set",
        set,
        "--seeds",
        "4..6",
        "--format",
        "json",
    ];
    let object = json(&desk.fedsim(&arguments).exits(1).out);
    assert_eq!(object["failed"], serde_json::json!([4, 5]));
    let replay = object["failures"][0]["replay"].as_str().expect("a line");
    assert_eq!(
        replay,
        format!("fedsim run quick.toml --seed 4 --set '{set}'")
    );
    desk.fedsim(&["run", "quick.toml", "--seed", "4", "--set", set])
        .exits(1);
}

#[test]
fn a_scenario_of_several_runs_is_judged_over_its_seeds() {
    // `runs = 3` runs seeds 3 to 5; the bound on the mean decides, one way and the other.
    let desk = Desk::new();
    let pooled = |bound: &str| {
        let bound = format!("\n[expect.pooled]\nfalse_positives = {bound}\n");
        desk.put(
            "pooled.toml",
            &(QUICK.replace("seed = 3", "seed = 3\nruns = 3") + &bound),
        );
        desk.fedsim(&["run", "pooled.toml", "--format", "json"])
    };
    let met = json(&pooled("{ at_most = 0 }").exits(0).out);
    assert_eq!(
        (&met["seeds"], &met["expectations"][0]["met"]),
        (&3.into(), &true.into())
    );
    let missed = json(&pooled("{ at_least = 1 }").exits(1).out);
    assert_eq!(missed["expectations"][0]["met"], false);
}

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

/// Starts the program, sends it Ctrl-C as soon as `begun` exists, and hears what it says.
#[cfg(unix)]
fn interrupted(desk: &Desk, arguments: &[&str], begun: impl Fn() -> bool) -> Said {
    use std::process::Stdio;

    let mut program = Command::new(env!("CARGO_BIN_EXE_fedsim"));
    program.args(arguments).current_dir(desk.0.path());
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

#[cfg(unix)]
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

#[cfg(unix)]
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
