//! A PBFT trace read by somebody who knows nothing but its description: votes stand behind steps.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_sim::runner;
use serde_json::Value as Json;

use super::support::{options, scenario};

const TEXT: &str = r#"
name = "test/trace"
claim = "a trace tells all"
duration = "12s"
[peers]
count = 4
[clients]
count = 2
[network]
latency = { uniform = ["10ms", "50ms"] }
duplicate = "1%"
[workload.requests]
loop = { closed = { in_flight = 1, think = "50ms" } }
[pbft]
"#;

fn traced(threads: usize) -> String {
    let options = runner::RunOptions {
        threads: Some(threads),
        trace: true,
        ..options()
    };
    let record = runner::run(&scenario(TEXT), &options).expect("the scenario can be run");
    let mut files = record.attachments.into_iter();
    let trace = files.find(|file| file.name == "pbft_trace.ndjson");
    trace.expect("a traced run of PBFT leaves its trace").text
}

/// What a step or a vote is about: epoch, view, sequence and digest.
fn place(line: &Json) -> String {
    let keys = ["epoch", "view", "sequence", "digest"];
    keys.map(|key| line[key].to_string()).join("/")
}

/// What one replica was told and did so far.
#[derive(Default)]
struct Replica {
    /// Signers of what it received, by kind and place.
    votes: BTreeMap<(String, String), BTreeSet<u64>>,
    /// Its own steps, by action and place.
    steps: BTreeSet<(String, String)>,
}

impl Replica {
    fn is_after(&self, step: &str, place: &str) -> bool {
        self.steps.contains(&(step.to_owned(), place.to_owned()))
    }

    /// Whether so many votes of a kind were received, its own aside.
    fn is_backed(&self, kind: &str, place: &str, votes: u64) -> bool {
        let key = (kind.to_owned(), place.to_owned());
        let received = self.votes.get(&key).map_or(0, BTreeSet::len) as u64;
        received + 1 >= votes
    }
}

/// Replays the lines and says which is the first that does not follow.
fn replay<'a>(lines: impl Iterator<Item = &'a Json>) -> Result<(), String> {
    let mut replicas: BTreeMap<String, Replica> = BTreeMap::new();
    let mut sent: BTreeMap<String, String> = BTreeMap::new();
    for line in lines {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let (action, place) = (text("action"), place(line));
        let replica = replicas.entry(text("replica")).or_default();
        let votes = line["detail"]["votes"].as_u64().unwrap_or_default();
        let content = format!("{} {} {place}", text("kind"), text("to"));
        let follows = match action.as_str() {
            "sent" => sent.insert(text("id"), content).is_none(),
            "received" => sent.get(&text("id")) == Some(&content),
            "prepared" => {
                replica.is_after("pre-prepared", &place)
                    && replica.is_backed("prepare", &place, votes)
            }
            "committed-local" => {
                replica.is_after("prepared", &place) && replica.is_backed("commit", &place, votes)
            }
            "executed" => replica.is_after("committed-local", &place),
            _ => true,
        };
        if !follows {
            return Err(format!("does not follow: {line}"));
        }
        if let (true, Some(signer)) = (action == "received", line["signer"].as_u64()) {
            let key = (text("kind"), place.clone());
            replica.votes.entry(key).or_default().insert(signer);
        }
        replica.steps.insert((action, place));
    }
    Ok(())
}

#[test]
fn a_trace_shows_the_votes_behind_every_step_and_a_line_that_is_missing_is_found() {
    // The replay counts signers of votes received with nothing but the keys of the description. It
    // must accept the trace as it is; without a step it must miss it at the next one, without a
    // send at its receipt, and without the votes of a kind at what they bring about.
    let text = traced(1);
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(replay(lines.iter()), Ok(()));
    let numbers = lines.iter().filter_map(|line| line["n"].as_u64());
    assert!(numbers.eq(1..=lines.len() as u64));
    for action in ["pre-prepared", "prepared", "committed-local", "sent"] {
        let first = lines.iter().position(|line| line["action"] == action);
        let first = first.expect("it happens in the run");
        let without = lines[..first].iter().chain(&lines[first + 1..]);
        assert!(replay(without).is_err(), "not missed: {}", lines[first]);
    }
    for kind in ["prepare", "commit"] {
        let is_vote = |line: &&Json| line["action"] == "received" && line["kind"] == kind;
        let first = lines.iter().find(is_vote).expect("votes are received");
        let same = |line: &&Json| {
            is_vote(line) && line["replica"] == first["replica"] && place(line) == place(first)
        };
        let without = lines.iter().filter(|line| !same(line));
        assert!(replay(without).is_err(), "no {kind} was missed");
    }
}

#[test]
fn a_trace_of_pbft_is_the_same_on_two_threads() {
    // The text is compared whole.
    assert_eq!(traced(1), traced(2));
}
