//! A Raft trace replayed line by line: each line's state follows from the line before and the event.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_sim::runner;
use serde_json::{Value as Json, json};

use super::support::{options, scenario};

/// Everything that moves a server's state: elections, a membership change, snapshots, crashes with
/// slow disks, a cut, loss and copies.
const TEXT: &str = r#"
name = "test/trace"
claim = "a trace tells all"
duration = "25s"
[peers]
count = 6
[[joins]]
peers = ["peer-6"]
at = "1s"
[clients]
count = 2
[network]
latency = { uniform = ["10ms", "60ms"] }
loss = "2%"
duplicate = "2%"
disk = { fsync_low = "2ms", fsync_high = "20ms" }
[workload.requests]
loop = { closed = { in_flight = 3, think = "20ms" } }
mix = { read = 1, write = 2, cas = 1, append = 0 }
keys = 5
[[faults]]
at = "4s"
for = "4s"
partition = { isolate = { last-to-report = "leader-elected" } }
[[faults]]
at = "10s"
request = { peers = { last-to-report = "leader-elected" }, request = "voters/peer-1/peer-2/peer-3/peer-6" }
[[faults]]
at = "13s"
for = "2s"
crash = "peer-1"
[[faults]]
at = "17s"
for = "1s"
crash = "peer-*"
[raft]
snapshot_every = 20
snapshot_keep = 5
"#;

fn traced(threads: usize) -> String {
    let options = runner::RunOptions {
        threads: Some(threads),
        trace: true,
        ..options()
    };
    let record = runner::run(&scenario(TEXT), &options).expect("the scenario can be run");
    let mut files = record.attachments.into_iter();
    let trace = files.find(|file| file.name == "raft_trace.ndjson");
    trace.expect("a traced run of Raft leaves its trace").text
}

fn lines(text: &str) -> Vec<Json> {
    let parse = |line| serde_json::from_str(line).expect("each line is JSON");
    text.lines().map(parse).collect()
}

const STATE: [&str; 7] = [
    "role",
    "term",
    "vote",
    "commit",
    "snapshot",
    "last",
    "configuration",
];

/// What one peer was seen to be, and what it announced and heard so far.
#[derive(Default)]
struct Peer {
    state: BTreeMap<&'static str, Json>,
    configurations: Vec<Json>,
    terms: BTreeSet<u64>,
}

/// Reads a trace as somebody would who knows nothing but its description.
#[derive(Default)]
struct Replay {
    peers: BTreeMap<String, Peer>,
    /// Messages under way or arrived, by id.
    sent: BTreeMap<String, Json>,
}

impl Replay {
    /// Takes the next line, or says what is wrong with it.
    fn take(&mut self, line: &Json) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {line}"));
        let name = line["peer"].as_str().unwrap_or_default();
        let event = line["event"].as_str().unwrap_or_default();
        let message = &line["message"];
        let peer = self.peers.entry(name.to_owned()).or_default();
        if event == "sent" {
            let id = message["id"].as_str().unwrap_or_default();
            if self.sent.insert(id.to_owned(), message.clone()).is_some() {
                return wrong("sent twice");
            }
        }
        if event == "received" {
            let id = message["id"].as_str().unwrap_or_default();
            if self.sent.get(id) != Some(message) || message["to"] != line["peer"] {
                return wrong("received, never sent");
            }
            peer.terms.extend(message["term"].as_u64());
        }
        if line.get("role").is_none() {
            return Ok(());
        }
        let said: BTreeMap<&str, Json> = STATE.map(|key| (key, line[key].clone())).into();
        if event == "restarted" || event == "recovered" {
            // Which configuration the disk kept is known from what the server had announced.
            let known = &peer.configurations;
            if !known.contains(&line["configuration"]) {
                return wrong("a configuration from nowhere");
            }
            peer.state
                .insert("configuration", line["configuration"].clone());
        }
        if peer.state.is_empty() {
            peer.state = beginning();
        }
        peer.follow(event, &line["detail"])
            .or_else(|what| wrong(&what))?;
        match peer.state == said {
            true => Ok(()),
            false => wrong(&format!("{:?} was expected", peer.state)),
        }
    }
}

fn beginning() -> BTreeMap<&'static str, Json> {
    let start = json!({
        "role": "follower", "term": 0, "vote": null, "commit": 0, "snapshot": 0, "last": 0,
        "configuration": {"voters": []},
    });
    STATE.map(|key| (key, start[key].clone())).into()
}

impl Peer {
    fn number(&self, key: &str) -> u64 {
        self.state[key].as_u64().unwrap_or_default()
    }

    /// Does to the state what the event says.
    fn follow(&mut self, event: &str, detail: &Json) -> Result<(), String> {
        let value = |key: &str| detail[key].as_u64().unwrap_or_default();
        let check = |holds: bool, what: &str| match holds {
            true => Ok(()),
            false => Err(what.to_owned()),
        };
        match event {
            "became-follower" | "became-pre-candidate" | "became-candidate" | "leader-elected" => {
                self.change_role(event, value("term"))?;
            }
            "voted" if value("term") == self.number("term") => {
                self.state.insert("vote", detail["candidate"].clone());
            }
            "appended" => {
                check(
                    value("index") == self.number("last") + 1,
                    "a gap in the log",
                )?;
                self.state.insert("last", detail["index"].clone());
            }
            "truncated" => {
                check(value("from") <= self.number("last"), "nothing to cut")?;
                self.state.insert("last", json!(value("from") - 1));
            }
            "committed" => {
                check(
                    value("first") == self.number("commit") + 1,
                    "a gap in what is committed",
                )?;
                check(
                    value("index") <= self.number("last"),
                    "committed before it was there",
                )?;
                self.state.insert("commit", detail["index"].clone());
            }
            "snapshot-taken" => {
                self.state.insert("snapshot", detail["index"].clone());
            }
            "snapshot-installed" => {
                self.state.insert("snapshot", detail["index"].clone());
                let commit = self.number("commit").max(value("index"));
                self.state.insert("commit", json!(commit));
                self.state.insert("last", detail["last"].clone());
            }
            "configuration-changed" => {
                self.configurations.push(detail["configuration"].clone());
                self.state
                    .insert("configuration", detail["configuration"].clone());
            }
            "crashed" => {
                self.state.insert("role", json!("down"));
            }
            "restarted" => {
                check(self.state["role"] == "down", "restarted without a crash")?;
                self.state.insert("role", json!("follower"));
            }
            "recovered" => {
                for key in ["term", "vote", "snapshot"] {
                    self.state.insert(
                        STATE[STATE.iter().position(|it| *it == key).unwrap()],
                        detail[key].clone(),
                    );
                }
                self.state.insert("commit", detail["snapshot"].clone());
                self.state.insert("last", detail["snapshot"].clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// A server enters the next term by itself as a candidate, any other because somebody said so.
    fn change_role(&mut self, event: &str, term: u64) -> Result<(), String> {
        let before = self.number("term");
        let role = match event {
            "became-follower" => "follower",
            "became-pre-candidate" => "pre-candidate",
            "became-candidate" => "candidate",
            _ => "leader",
        };
        let by_itself = if event == "became-candidate" {
            before + 1
        } else {
            before
        };
        if term != by_itself && !self.terms.contains(&term) {
            return Err("a term from nowhere".to_owned());
        }
        if term != before {
            self.state.insert("vote", Json::Null);
        }
        self.state.insert("term", json!(term));
        self.state.insert("role", json!(role));
        Ok(())
    }
}

/// Replays the lines and says which is the first that does not follow.
fn replay<'a>(lines: impl Iterator<Item = &'a Json>) -> Result<(), String> {
    let mut replay = Replay::default();
    lines.into_iter().try_for_each(|line| replay.take(line))
}

#[test]
fn a_trace_explains_every_change_and_a_line_that_is_missing_is_found() {
    // The replay knows the rules of the description and no code of ours. It must accept the trace
    // as it is, and refuse it without any one line that changed a state or sent what arrived; that
    // is tried with lines of every event there is, their numbers left aside.
    let lines = lines(&traced(1));
    assert_eq!(replay(lines.iter()), Ok(()));
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line["n"].as_u64()).collect();
    assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<u64>>());
    let events = [
        "became-pre-candidate",
        "became-candidate",
        "leader-elected",
        "voted",
        "appended",
        "truncated",
        "committed",
        "snapshot-taken",
        "snapshot-installed",
        "configuration-changed",
        "crashed",
        "restarted",
        "recovered",
        "sent",
    ];
    for event in events {
        let places = (0..lines.len()).filter(|&place| lines[place]["event"] == event);
        let telling: Vec<usize> = places.filter(|&place| tells(&lines, place)).collect();
        assert!(
            !telling.is_empty(),
            "no {event} in the run: nothing would be proved"
        );
        for &place in telling.iter().step_by(telling.len().div_ceil(3)) {
            let others = lines.iter().enumerate();
            let others = others.filter(|(other, _)| *other != place);
            let found = replay(others.map(|(_, line)| line));
            assert!(found.is_err(), "not missed: {}", lines[place]);
        }
    }
}

/// Whether a line changes its peer's state, for all to see, or sends what is received.
fn tells(lines: &[Json], place: usize) -> bool {
    let line = &lines[place];
    if line["event"] == "sent" {
        let is_receipt = |other: &Json| {
            other["event"] == "received" && other["message"]["id"] == line["message"]["id"]
        };
        return lines[place..].iter().any(is_receipt);
    }
    let of_peer = |other: &&Json| other["peer"] == line["peer"];
    let state = |line: &Json| STATE.map(|key| line[key].clone());
    let before = lines[..place].iter().rev().find(of_peer);
    let has_changed = before.is_some_and(|before| state(before) != state(line));
    has_changed && lines[place + 1..].iter().any(|other| of_peer(&other))
}

#[test]
fn a_trace_is_the_same_on_two_threads_and_none_is_left_unasked() {
    // The text is compared whole: order, states and messages.
    assert_eq!(traced(1), traced(2));
    let record = runner::run(&scenario(TEXT), &options()).expect("the scenario can be run");
    assert!(
        record
            .attachments
            .iter()
            .all(|file| file.name != "raft_trace.ndjson")
    );
}
