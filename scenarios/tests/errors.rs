//! What is refused, where the caret stands, and what is said.

use fedsim_scenarios::{Document, NameKind, Options, Style};

use crate::support::{Desk, HEAD, body, good, problems, read_with};

/// A body with one mistake: where the caret must stand, and what the message must say.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("[network]\nlos = 0.1\n", "los", "unknown key `los`"),
    ("[network]\nloss = -0.1\n", "-0.1", "no probability"),
    ("[network]\nloss = \"120%\"\n", "\"120%\"", "no probability"),
    ("[network]\nloss = true\n", "true", "expected a probability"),
    (
        "[network]\nlatency = { uniform = [\"100ms\", \"10ms\"] }\n",
        "[\"100ms\", \"10ms\"]",
        "longer than the longest",
    ),
    (
        "[network]\nlatency = { constant = \"0ms\" }\n",
        "\"0ms\"",
        "out of range",
    ),
    (
        "[network]\nlatency = { unifrom = 1 }\n",
        "unifrom",
        "unknown alternative",
    ),
    (
        "[network]\nlatency = \"10ms\"\n",
        "\"10ms\"",
        "unknown alternative",
    ),
    (
        "[network]\nlatency = { normal = { mean = \"10ms\", deviation = \"1ms\", min = \"20ms\" } }\n",
        "\"20ms\"",
        "above the middle",
    ),
    (
        "[[faults]]\nat = \"1s\"\ncrash = \"acme-9\"\n",
        "\"acme-9\"",
        "no peer `acme-9`",
    ),
    (
        "[rumor]\nmode = \"push\"\nloss = { median-counter = 2 }\n",
        "{ median-counter = 2 }",
        "a median is taken over partners",
    ),
    (
        "[[federation.software]]\nby = \"acme-1\"\n",
        "[[federation.software]]",
        "everybody's",
    ),
    (
        "[federation]\nrevoked = \"*\"\n",
        "\"*\"",
        "everybody is revoked",
    ),
    (
        "[federation]\n[[workload.errands]]\nby = \"*\"\nto = \"*\"\nkind = \"hand-off\"\n\
         claim = \"release\"\n",
        "\"release\"",
        "about a resource",
    ),
    (
        "[[faults]]\nat = \"61s\"\ncrash = \"acme-1\"\n",
        "\"61s\"",
        "past the end",
    ),
    (
        "[[faults]]\nat = \"1s\"\nfor = \"0s\"\ncrash = \"acme-1\"\n",
        "\"0s\"",
        "out of range",
    ),
    (
        "[[faults]]\nat = \"1s\"\nheal_by = \"2m\"\ncrash = \"acme-1\"\n",
        "\"2m\"",
        "past the end",
    ),
    (
        "[[faults]]\nat = \"1s\"\nregion-outage = \"us\"\n",
        "\"us\"",
        "region `us`",
    ),
    (
        "[[faults]]\nat = \"1s\"\npause = { organisation = \"acmee\" }\n",
        "\"acmee\"",
        "organisation `acmee`",
    ),
    (
        "[[faults]]\nat = \"1s\"\nnth = 2\ncrash = \"acme-1\"\n",
        "nth",
        "says nothing beside `at`",
    ),
    (
        "[[faults]]\nat = \"1s\"\ncrash = \"acme-1\"\npause = \"acme-2\"\n",
        "pause",
        "both `crash` and `pause`",
    ),
    (
        "[[faults]]\nat = \"1s\"\n",
        "[[faults]]",
        "nothing says what it does",
    ),
    (
        "[[faults]]\nat = \"1s\"\ncrash = { random = 9, of = \"acme-*\" }\n",
        "9",
        "more than there are",
    ),
    (
        "[topology]\nshape = { random-regular = { degree = 3 } }\n",
        "",
        "no such graph",
    ),
    (
        "[expect]\nx_ms = { at_most = \"3\" }\n",
        "\"3\"",
        "expected a number",
    ),
    ("[expect]\nx_ms = {}\n", "{}", "a bound that says nothing"),
    (
        "[expect]\nfaults_take_effect = [\"*\"]\n",
        "\"*\"",
        "has no faults",
    ),
    (
        "[[faults]]\nat = \"5s\"\nheal_by = \"5s\"\ncrash = \"acme-1\"\n",
        "\"5s\"",
        "before it strikes",
    ),
    (
        "[clients]\ncount = 1\n[workload.requests]\nuntil = \"2m\"\n",
        "\"2m\"",
        "past the end",
    ),
    ("[sweep]\n", "sweep", "reserved"),
    (
        "[[adversaries]]\nwho = \"acme-9\"\nwhat = [\"silent\"]\n",
        "\"acme-9\"",
        "no peer `acme-9`",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\nwhat = [\"silnet\"]\n",
        "\"silnet\"",
        "unknown behaviour `silnet`",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\nwhat = []\n",
        "[]",
        "does nothing",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\nwhat = [\"silent\"]\npace = \"1s\"\n",
        "pace",
        "says nothing beside silent",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\nwhat = [\"aim-at-leader\"]\n",
        "[\"aim-at-leader\"]",
        "done by the network",
    ),
    (
        "[assume]\ndelay = \"1s\"\n[[adversaries]]\nwho = \"network\"\nwhat = [\"silent\"]\n",
        "[\"silent\"]",
        "done by a peer",
    ),
    (
        "[[adversaries]]\nwho = \"network\"\nwhat = [\"random-delays\"]\n",
        "[[adversaries]]",
        "knows no bound",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\nwhat = [\"double-vote\"]\n",
        "[[adversaries]]",
        "needs another protocol",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\nwhat = [\"drop\"]\nkinds = [\"pong\"]\n",
        "[[adversaries]]",
        "no message of the protocol is a `pong`",
    ),
    (
        "[[adversaries]]\nwho = \"acme-1\"\ncabal = \"a\"\nwhat = [\"silent\"]\n\
         [[adversaries]]\nwho = \"acme-*\"\ncabal = \"b\"\nwhat = [\"flood\"]\n",
        "[[adversaries]]",
        "is in cabal `a` and in `b`",
    ),
    (
        "[[adversaries]]\nwho = { count = 9, of = \"acme-*\" }\nwhat = [\"silent\"]\n",
        "9",
        "more than there are",
    ),
    (
        "[expect]\nadversaries_take_effect = [\"*\"]\n",
        "\"*\"",
        "has no adversaries",
    ),
    ("[workload.requests]\n", "", "no clients"),
    (
        "[swim.org.acne]\nproxies = 1\n",
        "acne",
        "no organisation `acne`",
    ),
    (
        "[network.regions]\nnames = [\"us\"]\nlatency = [[\"1ms\"]]\n",
        "[\"us\"]",
        "live in `eu`",
    ),
    (
        "[network.regions]\nrtt = \"x.csv\"\n",
        "\"x.csv\"",
        "cannot read `x.csv`",
    ),
];

#[test]
fn each_mistake_is_shown_where_it_is_and_alone() {
    // One mistake, one message: a second one would send the reader after a ghost.
    for (text, excerpt, message) in MISTAKES {
        let found = problems(text);
        let [(at, said)] = found.as_slice() else {
            panic!("{text}: {found:?}");
        };
        assert!(said.contains(message), "{text}: {said}");
        assert!(at.contains(excerpt), "{text}: caret at {at:?}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_reported_together_in_its_order() {
    let text = "name = \"t\"\nclaim = \"c\"\nduration = \"10 parsecs\"\nwarmup = \"1s\"\n\
        [peers]\ncount = -3\n[network]\nlos = 1\nloss = 2\n";
    let errors = read_with(text, &[]).expect_err("wrong");
    let lines: Vec<_> = errors.problems().iter().filter_map(|p| p.line()).collect();
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    assert_eq!(lines, sorted);
    let all = errors.render(Style::Plain);
    for wanted in [
        "parsecs",
        "did you mean `warm_up`?",
        "-3 is out of range",
        "`loss`?",
    ] {
        assert!(all.contains(wanted), "{wanted} is missing:\n{all}");
    }
    assert!(!all.contains('\u{1b}'), "colours in plain text");
    assert!(errors.render(Style::Terminal).contains('\u{1b}'));
}

#[test]
fn a_population_that_cannot_be_is_refused() {
    let cases = [
        ("peers = { count = 0 }", "zero peers"),
        ("", "nobody takes part"),
        (
            "peers = { count = 2 }\norgs = [{ name = \"a\", peers = 1 }]",
            "both [peers] and [[orgs]]",
        ),
        (
            "orgs = [{ name = \"a\", peers = 1 }, { name = \"a\", peers = 1 }]",
            "is there twice",
        ),
        (
            "peers = { names = [\"a\", \"a\"] }",
            "two peers are called `a`",
        ),
        (
            "orgs = [{ name = \"a\", peers = 999999 }, { name = \"b\", peers = 2 }]",
            "1000001 peers are too many",
        ),
        ("peers = { names = [\"trigger\"] }", "called `trigger`"),
        (
            "peers = { count = 2, prefix = \"client\" }\nclients = { count = 1 }",
            "two peers",
        ),
    ];
    for (peers, message) in cases {
        let text =
            format!("name = \"t\"\nclaim = \"c\"\nduration = \"9s\"\nswim = {{}}\n{peers}\n");
        let errors = read_with(&text, &[]).expect_err(peers);
        let all = errors.render(Style::Plain);
        assert!(all.contains(message), "{peers}:\n{all}");
    }
}

#[test]
fn warm_up_must_leave_something_and_a_protocol_must_be_named() {
    let text =
        "name = \"t\"\nclaim = \"c\"\nduration = \"9s\"\nwarm_up = \"9s\"\npeers = { count = 2 }\n";
    let all = read_with(text, &[])
        .expect_err("wrong")
        .render(Style::Plain);
    assert!(all.contains("warm_up, 9s, leaves nothing"), "{all}");
    assert!(all.contains("no protocol to run"), "{all}");
    let options = Options {
        own_protocol: true,
        ..Options::default()
    };
    let text = text.replace("warm_up = \"9s\"", "");
    assert!(Document::read("t", &text, &Desk(&[]), &options).is_ok());
}

#[test]
fn names_that_only_others_know_are_checked_with_the_nearest() {
    let text = format!("{HEAD}[expect]\nfalse_positive = {{ equals = 0 }}\n");
    let document = read_with(&text, &[]).expect("right so far");
    let errors = document
        .check_metrics(&["false_positives"])
        .expect_err("unknown");
    assert_eq!(errors.problems()[0].excerpt(), "false_positive");
    assert_eq!(
        errors.problems()[0].help_text(),
        Some("did you mean `false_positives`?")
    );
    assert!(document.check_metrics(&["false_positive"]).is_ok());
    assert!(document.check_names(NameKind::Event, &[]).is_ok());
}

#[test]
fn files_that_are_no_text_are_refused_with_their_name() {
    let folder = std::env::temp_dir().join(format!("fedsim-scenarios-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("writable");
    let cases: [(&str, &[u8], &str); 3] = [
        ("empty.toml", b" \n", "is empty"),
        (
            "latin1.toml",
            b"name = \"x\"\n# \xe9\n",
            "is not UTF-8 text: line 2",
        ),
        ("missing.toml", b"", "cannot read"),
    ];
    for (name, bytes, message) in cases {
        let path = folder.join(name);
        if name != "missing.toml" {
            std::fs::write(&path, bytes).expect("writable");
        }
        let path = path.to_str().expect("UTF-8");
        let all = Document::open(path, &Options::default())
            .expect_err(name)
            .render(Style::Plain);
        assert!(all.contains(message) && all.contains(name), "{all}");
    }
    std::fs::remove_dir_all(&folder).expect("ours");
}

#[test]
fn what_is_right_reads_as_it_says() {
    let scenario = good(
        "[clients]\ncount = 2\n[network]\nrtt = { constant = \"30ms\" }\n\
         bandwidth = { rate = \"10Mbit/s\" }\n[network.lan]\nloss = \"5%\"\n\
         [workload.requests]\nloop = { open = { rate = \"20/s\" } }\n\
         [[faults]]\non = \"leader-elected\"\nfor = \"5s\"\npartition = { isolate = \"trigger\" }\n",
    );
    let link = &scenario.network.link;
    assert_eq!(link.latency.min().to_string(), "15ms");
    assert_eq!(link.bandwidth.map(|b| b.bytes_per_second), Some(1_250_000));
    let lan = scenario.network.lan.as_ref().expect("stated");
    assert_eq!(
        lan.latency, link.latency,
        "keys that say nothing are those of [network]"
    );
    assert_eq!(lan.loss.as_f64(), scenario_loss());
    assert_eq!(scenario.faults[0].label, "partition-1");
    assert!(
        crate::support::again(&scenario) == scenario,
        "{}",
        scenario.to_toml()
    );
    assert!(body("[[joins]]\npeers = \"acme-2\"\nat = \"3s\"\n").is_ok());
}

fn scenario_loss() -> f64 {
    let chance = fedsim_protocols::Probability::from_f64(0.05);
    chance.expect("in range").as_f64()
}

/// A story with one mistake: where the caret must stand, what is said, and the nearest spelling.
const SLIPS: &[(&str, &str, &str, Option<&str>)] = &[
    ("strat all", "strat", "`strat` does not fit", Some("start")),
    (
        "start acme-9",
        "acme-9",
        "`acme-9` does not fit",
        Some("acme-1"),
    ),
    ("start", "", "ends too early", None),
    (
        "start all\nexpire acme-1 elction",
        "elction",
        "`elction`",
        Some("election"),
    ),
    (
        "deliver apend-entries",
        "apend-entries",
        "`apend-entries`",
        Some("append-entries"),
    ),
    (
        "deliver next heartbeat form acme-1",
        "form",
        "`form`",
        Some("from"),
    ),
    (
        "start all\nassert acme-1 trem = 2",
        "trem",
        "`trem`",
        Some("term"),
    ),
    ("start all\nassert acme-1 log = [1, x]", "x", "`x`", None),
    ("start all\ntick acme-1 by soon", "soon", "`soon`", None),
    (
        "start all\nstart acme-1",
        "start acme-1",
        "has started already",
        None,
    ),
    (
        "start all\nrestart acme-1",
        "restart acme-1",
        "is not down",
        None,
    ),
    ("crash acme-1", "crash acme-1", "does not run", None),
    ("start all extra", "extra", "`extra` does not fit", None),
    (
        "start all\nask acme-1 to write 1 = \\\"x\\\"",
        "",
        "this is no word",
        None,
    ),
    ("# nothing", "", "an empty story", None),
];

#[test]
fn a_slip_in_a_story_is_shown_at_its_word_with_the_nearest_spelling() {
    // The caret must cut exactly the word out of the file, whatever line of the string it stands in.
    for (story, excerpt, says, nearest) in SLIPS {
        let text = format!(
            "name = \"a\"\nclaim = \"A claim.\"\nstory = \"\"\"\n{story}\n\"\"\"\n\
             [peers]\nnames = [\"acme-1\", \"acme-2\"]\n[raft]\n"
        );
        let errors = read_with(&text, &[]).expect_err(story);
        let [problem] = errors.problems() else {
            panic!("{story}: {}", errors.render(Style::Plain));
        };
        assert!(problem.message().contains(says), "{story}: {problem:?}");
        if !excerpt.is_empty() {
            assert_eq!(problem.excerpt(), *excerpt, "{story}");
        }
        if let Some(nearest) = nearest {
            let help = problem.help_text().unwrap_or_default();
            assert_eq!(help, format!("did you mean `{nearest}`?"), "{story}");
        }
    }
}

#[test]
fn a_story_stands_alone_against_faults_and_joins_and_needs_one_protocol() {
    // What happens is what the story says; anything that happens by itself contradicts it.
    let text = |rest: &str| {
        format!(
            "name = \"a\"\nclaim = \"A claim.\"\nstory = \"start all\"\n\
             [peers]\ncount = 2\n{rest}"
        )
    };
    let cases = [
        (
            "[raft]\n[[faults]]\nat = \"1s\"\ncrash = \"peer-1\"\n",
            "`faults` beside a story",
        ),
        (
            "[[joins]]\npeers = \"peer-2\"\nat = \"1s\"\n[raft]\n",
            "`joins` beside a story",
        ),
        ("[raft]\n[rumor]\n", "a story is about one protocol"),
    ];
    for (rest, says) in cases {
        let errors = read_with(&text(rest), &[]).expect_err(rest);
        let mut found = errors.problems().iter();
        let is_said = found.any(|it| it.message().contains(says));
        assert!(is_said, "{rest}: {}", errors.render(Style::Plain));
    }
}
