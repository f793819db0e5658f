//! Directed runs: what stories bring about, word for word, and how they fail.

use std::path::{Path, PathBuf};

use fedsim_record::{RunRecord, Verdict};
use fedsim_scenarios::library;
use fedsim_sim::runner::{self, TRANSCRIPT_FILE};

use super::support::{options, run, scenario, shipped, told};

/// The environment variable with which transcripts are written rather than compared.
const REWRITE: &str = "FEDSIM_REWRITE";

fn transcript(record: &RunRecord) -> &str {
    let mut files = record.attachments.iter();
    let found = files.find(|file| file.name == TRANSCRIPT_FILE);
    &found.expect("a story leaves a transcript").text
}

fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    folder.join(format!("{}.txt", name.replace('/', "-")))
}

#[test]
fn every_shipped_story_keeps_its_transcript() {
    // Each state, message and answer is written out, so a change of behaviour anywhere in these
    // schedules shows as a line that differs. Rewrite with FEDSIM_REWRITE=1 and read the diff.
    let mut stories = 0;
    for entry in library::list() {
        let scenario = shipped(&entry.name, &[]);
        if scenario.story.is_none() {
            continue;
        }
        stories += 1;
        let record = run(&scenario);
        let (told, path) = (transcript(&record), kept(&entry.name));
        if std::env::var_os(REWRITE).is_some() {
            std::fs::write(&path, told).expect("it can be written");
        }
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(told, before, "{}: see {}", entry.name, path.display());
    }
    assert!(stories >= 15, "{stories} stories");
}

#[test]
fn a_story_is_the_same_whenever_it_is_told() {
    // Digest and transcript of two runs are compared inside; both must agree for every story.
    for entry in library::list() {
        let scenario = shipped(&entry.name, &[]);
        if scenario.story.is_some() {
            let verification = runner::verify(&scenario, &options()).expect("it can be run");
            assert!(verification.holds(), "{}", entry.name);
            assert_eq!(verification.difference, None, "{}", entry.name);
        }
    }
}

/// A story about three servers of Raft without features beyond figure 2.
fn raft(story: &str) -> RunRecord {
    run(&scenario(&format!(
        "name = \"test\"\nclaim = \"A test.\"\nstory = \"\"\"\n{story}\"\"\"\n\
         [peers]\nnames = [\"s1\", \"s2\", \"s3\"]\n\
         [raft]\npre_vote = false\nleader_stickiness = false\ncheck_quorum = false\n"
    )))
}

#[test]
fn a_claim_that_is_not_so_ends_the_story_and_the_run_has_missed_its_claim() {
    // The step is named, what is true instead is said, and nothing that stands behind it happens.
    let record = raft("start all\nexpire s1 election\nassert s1 is leader\ncrash s1\n");
    assert_eq!(
        record.summary.verdict,
        Verdict::Violated,
        "{}",
        told(&record)
    );
    let line = &record.summary.expectations[0];
    assert_eq!(line.name, "story");
    assert_eq!(
        line.got,
        "step 3, `assert s1 is leader`: the role of s1 is candidate in term 1"
    );
    assert!(!transcript(&record).contains("crash"));
}

#[test]
fn a_step_that_cannot_be_done_ends_the_story_and_says_what_waits() {
    // Delivering what nobody sent would otherwise pass for having delivered it.
    let record = raft("start all\nexpire s1 election\ndeliver heartbeat from s1 to s2\n");
    let got = &record.summary.expectations[0].got;
    assert!(
        got.ends_with(
            "no such message waits; waiting: request-vote from s1 to s2, request-vote from s1 to s3"
        ),
        "{got}"
    );
    let record = raft("start all\nexpire s1 heartbeat\n");
    let got = &record.summary.expectations[0].got;
    assert!(
        got.ends_with("s1 has not set heartbeat timer; set: election"),
        "{got}"
    );
}

#[test]
fn votes_go_to_candidates_whose_logs_are_up_to_date() {
    // The table of etcd's paper tests: the voter's log, the candidate's, and the verdict. The
    // candidate stands in term 4 with a log whose last entry is the one of the table.
    let cases = [
        ("[1]", "[1]", true),
        ("[1]", "[1, 1]", true),
        ("[1, 1]", "[1]", false),
        ("[1]", "[2]", true),
        ("[1]", "[1, 2]", true),
        ("[1, 1]", "[2]", true),
        ("[2]", "[1]", false),
        ("[2]", "[1, 1]", false),
        ("[2, 2]", "[1]", false),
    ];
    for (voter, candidate, granted) in cases {
        let vote = if granted { "s1" } else { "nobody" };
        let record = raft(&format!(
            "given s1 term 3, log {candidate}\ngiven s2 term 3, log {voter}\nstart s1, s2\n\
             expire s1 election\ndeliver request-vote from s1 to s2\n\
             assert s2 term = 4\nassert s2 vote = {vote}\n"
        ));
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
    }
}

#[test]
fn a_voter_gives_one_vote_a_term_and_the_same_one_again() {
    // The vote table: to a voter that has voted, the same candidate may come again, another not.
    for (before, vote) in [("", "s1"), (", vote s1", "s1"), (", vote s3", "s3")] {
        let record = raft(&format!(
            "given s1 term 2\ngiven s2 term 3{before}\nstart s1, s2\n\
             expire s1 election\nduplicate request-vote from s1 to s2\nassert s2 vote = {vote}\n\
             deliver request-vote from s1 to s2\nassert s2 vote = {vote}\n"
        ));
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
    }
}

#[test]
fn a_follower_agrees_only_behind_an_entry_that_it_has() {
    // The consistency check: a leader whose log is longer by some entries finds the follower one
    // refusal away; one whose log it equals finds it at once. The follower's commit index stays
    // what the leader can vouch for.
    let cases = [("[1, 2]", 0), ("[1, 2, 2]", 1), ("[1, 2, 2, 2]", 1)];
    for (leader, refusals) in cases {
        let record = raft(&format!(
            "given s1, s3 term 2, log {leader}, commit 1\ngiven s2 term 2, log [1, 2], commit 1\n\
             start all\nexpire s1 election\ndeliver all request-vote\ndeliver all vote-reply\n\
             assert s1 is leader in term 3\ndeliver append-entries from s1 to s2\n\
             assert waiting append-refused from s2 = {refusals}\nassert s2 commit = 1\n\
             deliver all\nassert s1 commit is held by a quorum\n"
        ));
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
    }
}

#[test]
fn what_conflicts_goes_with_all_behind_it_and_what_agrees_stays() {
    // The conflict table: which of the follower's entries survive a leader of term 4.
    let cases = [
        ("[1, 2]", "[1, 2, 3]", "[1, 2, 3, 4]"),
        ("[1, 2]", "[1, 3, 3]", "[1, 3, 3, 4]"),
        ("[1, 2]", "[3]", "[3, 4]"),
        ("[1, 2, 2, 2]", "[1, 3]", "[1, 3, 4]"),
    ];
    for (follower, leader, after) in cases {
        let record = raft(&format!(
            "given s1, s3 term 3, log {leader}\ngiven s2 term 3, log {follower}\nstart all\n\
             expire s1 election\ndeliver all request-vote\ndeliver all vote-reply\ndeliver all\n\
             assert all log = {after}\n"
        ));
        assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
    }
}

#[test]
fn held_messages_wait_until_they_are_released_and_cut_ones_are_lost() {
    // A hold keeps a message from "all"; a cut loses what is delivered meanwhile and what is sent.
    let record = raft(
        "start all\nexpire s1 election\nhold to s3\ndeliver all\n\
         assert s1 is leader in term 1\nassert waiting request-vote to s3 = 1\n\
         release to s3\ncut s1 to s3\ndeliver all to s3\n\
         assert s3 term = 0\nask s1 to write 1 = red\nassert waiting to s3 = 0\n\
         connect s1 with s3\nexpire s1 heartbeat\ndeliver all\nassert s3 term = 1\n",
    );
    assert_eq!(record.summary.verdict, Verdict::Passed, "{}", told(&record));
}

#[test]
fn a_restarted_server_knows_what_its_disk_kept_and_no_more() {
    // Given state is on disk; the commit index is not, so it must be learnt again.
    let record = raft(
        "given all term 2, log [1, 2], commit 2\nstart all\ncrash s2\nrestart s2\n\
         assert s2 log = [1, 2]\nassert s2 term = 2\nassert s2 commit = 0\nwipe s3\nrestart s3\n\
         assert s3 log = []\nassert s3 term = 0\n",
    );
    let expectations = &record.summary.expectations;
    assert!(expectations[0].met, "{}", told(&record));
}

#[test]
fn a_story_cannot_go_beyond_the_duration_of_its_run() {
    // Tables and pictures end there; the default is a minute.
    let record = raft("start all\ntick s1 by 2m\n");
    let got = &record.summary.expectations[0].got;
    assert!(got.contains("past the run's duration"), "{got}");
}
