//! What each attack gets through: runs every attack on a federation with all layers, with each layer
//! left out, with each layer alone, and with the layers of each profile; writes `docs/layers.md` and
//! `docs/layers.csv`, and the short table into `README.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use fedsim_protocols::federation::envelope::Stage;
use fedsim_protocols::federation::transport::Mode;
use fedsim_protocols::stack::{Across, PrivacyGate, Screening};
use fedsim_record::{Holds, Summary};
use fedsim_scenarios::spec::{FederationSpec, Profile, ProtocolSpec, TransportSpec};
use fedsim_scenarios::{Document, Folder, Options as Reading, Scenario};
use fedsim_sim::runner::{self, RunOptions};

/// The federation that is attacked: mallory may send messages, and does more than that.
const STAGE: &str = r#"
name = "layers"
claim = "Each layer is there for something."
duration = "3s"
signatures = "ideal"
[[orgs]]
name = "acme"
peers = 2
[[orgs]]
name = "globex"
peers = 2
[[orgs]]
name = "mallory"
peers = 1
[network]
latency = { uniform = ["10ms", "30ms"] }
[federation]
profile = "full"
transport = "none"
work_min = "200ms"
work_max = "400ms"
audit_every = "1s"
trust_every = "1s"
resend_after = "500ms"
[[federation.expose]]
by = "globex-*"
to = ["acme-*", "mallory-*"]
capability = "send"
[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "4/s"
VALUE"#;

/// One way to do harm.
struct Attack {
    name: &'static str,
    /// What it is, in a sentence.
    about: &'static str,
    /// What mallory does, in the words of `[[adversaries]]`; nothing if he is not needed.
    adversary: &'static str,
    /// What else is so.
    change: fn(&mut FederationSpec),
    /// What else is said of the network.
    network: &'static str,
    /// What of the workload replaces or joins the usual one.
    workload: &'static str,
}

const NO_CHANGE: fn(&mut FederationSpec) = |_| {};

const fn by_mallory(name: &'static str, about: &'static str, adversary: &'static str) -> Attack {
    Attack {
        name,
        about,
        adversary,
        change: NO_CHANGE,
        network: "",
        workload: "",
    }
}

static ATTACKS: [Attack; 16] = [
    by_mallory(
        "impersonation",
        "asks in the name of another peer",
        r#"what = ["impersonate"]"#,
    ),
    by_mallory(
        "tampering",
        "changes what another asked for",
        r#"what = ["tamper"]"#,
    ),
    by_mallory(
        "replay",
        "sends again what it overheard, to whomever",
        "what = [\"replay\"]\nkinds = [\"action\"]",
    ),
    by_mallory(
        "unauthorised capability",
        "asks for what it was not let use",
        r#"what = ["overreach"]"#,
    ),
    by_mallory(
        "claim of privilege",
        "calls a privileged action by an ordinary capability",
        r#"what = ["privilege-claim"]"#,
    ),
    by_mallory(
        "self-made grant",
        "brings grants that it made itself",
        r#"what = ["self-made-grant"]"#,
    ),
    by_mallory(
        "expired action",
        "asks for what is over, or will be before it is done",
        r#"what = ["expired-action"]"#,
    ),
    by_mallory(
        "malformed envelope",
        "sends what is too large or valid for too long",
        r#"what = ["malformed-action"]"#,
    ),
    Attack {
        name: "revoked peer",
        about: "goes on after its organisation has revoked it",
        adversary: "",
        change: |spec| spec.revoked = vec![fedsim_protocols::PeerId(1)],
        network: "",
        workload: "",
    },
    Attack {
        name: "lost receipts",
        about: "none, but every fourth message is lost and sent again",
        adversary: "",
        change: NO_CHANGE,
        network: "loss = 0.25\n",
        workload: "",
    },
    Attack {
        name: "private data",
        about: "none, but agents say what others must not read",
        adversary: "",
        change: NO_CHANGE,
        network: "",
        workload: "canaries = 1.0\n",
    },
    Attack {
        name: "two proposals at once",
        about: "none, but two peers change shared state together",
        adversary: "",
        change: NO_CHANGE,
        network: "",
        workload: r#"
[[workload.errands]]
by = ["acme-1", "globex-1"]
to = "*"
kind = "merge"
rate = "8/s"
"#,
    },
    Attack {
        name: "prompt injection",
        about: "asks for something in words that are made to mislead whoever reads them",
        adversary: "",
        change: NO_CHANGE,
        network: "",
        workload: r#"
[[workload.errands]]
by = "mallory-1"
to = "globex-1"
rate = "6/s"
injections = 1.0
"#,
    },
    Attack {
        name: "repeated offence",
        about: "asks for something again and again in messages of which many are badly signed",
        adversary: "what = [\"corrupt\"]\nkinds = [\"action\"]\nshare = 0.4",
        change: NO_CHANGE,
        network: "",
        workload: r#"
[[workload.errands]]
by = "mallory-1"
to = "globex-1"
rate = "15/s"
"#,
    },
    Attack {
        name: "dear answers",
        about: "none, but each answer costs a dollar",
        adversary: "",
        change: NO_CHANGE,
        network: "",
        workload: "micro_usd = 1000000\n",
    },
    Attack {
        name: "rewritten log",
        about: "changes its own audit log once it was countersigned",
        adversary: r#"what = ["audit-tamper"]"#,
        change: NO_CHANGE,
        network: "",
        workload: r#"
[[workload.errands]]
by = "mallory-1"
to = "globex-1"
rate = "4/s"
"#,
    },
];

/// A guarantee that can be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Check(Stage),
    Gate,
    Council,
    Screening,
    Trust,
    Breaker,
    Sessions,
}

const LAYERS: [Layer; 16] = [
    Layer::Check(Stage::Framing),
    Layer::Check(Stage::Schema),
    Layer::Check(Stage::Signature),
    Layer::Check(Stage::Audience),
    Layer::Check(Stage::Freshness),
    Layer::Check(Stage::Replay),
    Layer::Check(Stage::Revocation),
    Layer::Check(Stage::Authorisation),
    Layer::Check(Stage::Execution),
    Layer::Check(Stage::Audit),
    Layer::Gate,
    Layer::Council,
    Layer::Screening,
    Layer::Trust,
    Layer::Breaker,
    Layer::Sessions,
];

impl Layer {
    fn name(self) -> &'static str {
        match self {
            Self::Check(stage) => stage.name(),
            Self::Gate => "gate",
            Self::Council => "council",
            Self::Screening => "screening",
            Self::Trust => "trust",
            Self::Breaker => "breaker",
            Self::Sessions => "sessions",
        }
    }

    /// Leaves it out.
    fn drop_from(self, spec: &mut FederationSpec) {
        match self {
            Self::Check(stage) => spec.without.push(stage),
            Self::Gate => spec.gate = PrivacyGate::Off,
            Self::Council => spec.across = Across::Broadcast,
            Self::Screening => spec.screening = Screening::Off,
            Self::Trust => spec.trust_model = None,
            Self::Breaker => spec.breaker = false,
            Self::Sessions => spec.transport = TransportSpec::of_mode(Mode::None),
        }
    }
}

/// What an attack got through, by invariant.
type Broken = Vec<String>;

/// All runs of one attack.
struct Row {
    attack: &'static Attack,
    all: Broken,
    none: Broken,
    without: Vec<Broken>,
    alone: Vec<Broken>,
    profiles: Vec<Broken>,
}

fn scenario(attack: &Attack) -> Scenario {
    let network = format!("[network]\n{}", attack.network);
    let stage = STAGE.replace("[network]\n", &network);
    let (value, workload) = match attack.workload.contains("[[") {
        true => ("", attack.workload),
        false => (attack.workload, ""),
    };
    let mut text = format!("{}{workload}", stage.replace("VALUE", value));
    if !attack.adversary.is_empty() {
        let what = attack.adversary;
        let aim = match what.contains("audit-tamper") || what.contains("corrupt") {
            true => "",
            false => "pace = \"150ms\"\ntarget = \"globex-*\"",
        };
        let _ = write!(
            text,
            "\n[[adversaries]]\nwho = \"mallory-1\"\n{what}\n{aim}\n"
        );
    }
    let document = Document::read("layers.toml", &text, &Folder::new(""), &Reading::default());
    match document {
        Ok(document) => document.scenario,
        Err(errors) => panic!("BUG: {errors:?}"),
    }
}

/// Runs an attack on a federation of which `set` changes the layers.
fn broken(attack: &Attack, set: impl Fn(&mut FederationSpec)) -> Broken {
    let mut scenario = scenario(attack);
    let Some(ProtocolSpec::Federation(mut spec)) = scenario.protocols.pop() else {
        panic!("BUG: the stage is a federation");
    };
    (attack.change)(&mut spec);
    set(&mut spec);
    scenario.protocols = vec![ProtocolSpec::Federation(spec)];
    let options = RunOptions {
        threads: Some(1),
        ..RunOptions::default()
    };
    let record = runner::run(&scenario, &options).expect("the stage can be run");
    got_through(attack, &record.summary)
}

/// The invariants that an attack violated, and what it did to those who judge and keep books.
fn got_through(attack: &Attack, summary: &Summary) -> Broken {
    let metric = |name: &str| summary.metrics.get(name).copied().unwrap_or_default();
    let is_violated = |name: &str| {
        let mut found = summary.invariants.iter();
        found.any(|it| it.name == name && it.holds == Holds::Violated)
    };
    let harms = [
        (
            "served-on",
            attack.name == "repeated offence" && metric("attacker_actions_begun") > 6.0,
        ),
        ("overspent", metric("breaker_overruns") > 0.0),
        (
            "unaccounted",
            attack.name == "rewritten log"
                && (is_violated("federation/audited") || metric("audit_attributed") == 0.0),
        ),
    ];
    // The audit stops no attack: it tells of them afterwards.
    let found = summary
        .invariants
        .iter()
        .filter(|it| it.name != "federation/audited");
    let found = found.filter(|it| it.holds == Holds::Violated);
    let found = found.map(|it| it.name.replace("federation/", ""));
    let harms = harms.iter().filter(|(_, is_so)| *is_so);
    found
        .chain(harms.map(|(name, _)| (*name).to_owned()))
        .collect()
}

fn run(attack: &'static Attack) -> Row {
    let without = |layer: Layer| broken(attack, move |spec| layer.drop_from(spec));
    let alone = |layer: Option<Layer>| {
        broken(attack, move |spec| {
            let others = LAYERS.into_iter().filter(|it| Some(*it) != layer);
            others.for_each(|other| other.drop_from(spec));
            if layer == Some(Layer::Sessions) {
                spec.transport = TransportSpec::of_mode(Mode::Mutual);
            }
        })
    };
    let with = |profile: Profile| {
        broken(attack, move |spec| {
            let preset = profile.preset();
            spec.without = preset.without;
            spec.gate = preset.gate;
            spec.across = preset.across;
            spec.trust_model = preset.trust_model;
            spec.breaker = preset.breaker;
            spec.screening = preset.screening;
            spec.transport = preset.transport;
        })
    };
    Row {
        attack,
        all: broken(attack, |_| {}),
        none: alone(None),
        without: LAYERS.into_iter().map(without).collect(),
        alone: LAYERS.into_iter().map(|it| alone(Some(it))).collect(),
        profiles: Profile::ALL.into_iter().map(with).collect(),
    }
}

fn cell(broken: &Broken) -> String {
    match broken.is_empty() {
        true => "–".to_owned(),
        false => broken.join(", "),
    }
}

/// The layers for which something of `runs` is so.
fn layers(runs: &[Broken], is_so: impl Fn(&Broken) -> bool) -> String {
    let pairs = LAYERS.iter().zip(runs);
    let names: Vec<&str> = pairs
        .filter(|(_, broken)| is_so(broken))
        .map(|(layer, _)| layer.name())
        .collect();
    match names.is_empty() {
        true => "–".to_owned(),
        false => names.join(", "),
    }
}

/// The argument on one page: a line an attack.
fn short(rows: &[Row]) -> String {
    let mut text = "| attack | breaks, with no layer | gets through all | gets through without | \
                    stopped by one alone |"
        .to_owned();
    for profile in Profile::ALL {
        let _ = write!(text, " {} |", profile.name());
    }
    text.push_str("\n|---|---|---|---|---|");
    text.push_str(&"---|".repeat(Profile::ALL.len()));
    text.push('\n');
    for row in rows {
        let _ = write!(
            text,
            "| {} | {} | {} | {} | {} |",
            row.attack.name,
            cell(&row.none),
            if row.all.is_empty() { "no" } else { "yes" },
            layers(&row.without, |broken| !broken.is_empty()),
            layers(&row.alone, Vec::is_empty),
        );
        for broken in &row.profiles {
            let mark = if broken.is_empty() {
                "stopped"
            } else {
                "through"
            };
            let _ = write!(text, " {mark} |");
        }
        text.push('\n');
    }
    text
}

/// The whole matrix: what each run broke.
fn long(title: &str, heads: &[&str], rows: &[Row], of: fn(&Row) -> &Vec<Broken>) -> String {
    let mut text = format!("\n## {title}\n\n| attack | {} |\n", heads.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(heads.len()));
    for row in rows {
        let cells: Vec<String> = of(row).iter().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", row.attack.name, cells.join(" | "));
    }
    text
}

const HEAD: &str = "# What each layer is for

Every attack on a small federation with all layers, with each of them left out, with each of them
alone, and with the layers of each profile (`[federation] profile`). Made by

```sh
cargo run --release --example pages -- layers
```

What got through is told by the invariants that were violated, each judged from the scenario's own
grants and from what its users asked for, never from what a layer says. `as-asked`: something was done
in the name of a peer that did not ask for it so; `authorised-only`: nothing allowed it;
`executed-once`: it was done twice; `not-after-expiry`: it was done too late; `well-formed`: by an
envelope out of bounds; `no-leak`: private data left; `one-order`: two peers applied changes of shared
state in different order; `screened`: somebody did what an injection asks for; `served-on`: a peer
whose messages are badly signed was served more than six times; `overspent`: others were asked who had
cost more than the breaker allows; `unaccounted`: what was changed in an audit log was not found, or
not whose doing it was. `gate` is sanitisation before sending; `council` decides what changes shared
state; `screening` refuses prompt injections. `sessions` are mutual TLS; they stand only where they
are named, and in the profiles that have them, since whoever cannot read or speak at all shows nothing
of what the other layers do.

";

const BEGIN: &str = "<!-- layers: written by `--example pages` -->\n";
const END: &str = "<!-- end of layers -->\n";

/// Puts `table` between the marks of a page.
fn between_marks(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn page(rows: &[Row]) -> String {
    let names: Vec<&str> = LAYERS.iter().map(|layer| layer.name()).collect();
    let profiles = Profile::ALL.map(Profile::name);
    let mut page = format!("{HEAD}{BEGIN}{}{END}\nThe attacks:\n\n", short(rows));
    for row in rows {
        let _ = writeln!(page, "- *{}*: {}.", row.attack.name, row.attack.about);
    }
    page.push_str(&long("One layer left out", &names, rows, |row| {
        &row.without
    }));
    page.push_str(&long("One layer alone", &names, rows, |row| &row.alone));
    page.push_str(&long("Profiles", &profiles, rows, |row| &row.profiles));
    page
}

/// One line a run.
fn lines(rows: &[Row], path: &Path) -> csv::Result<()> {
    let mut csv = csv::Writer::from_path(path)?;
    csv.write_record(["attack", "layers", "which", "violated"])?;
    for row in rows {
        let mut write = |layers: &str, which: &str, broken: &Broken| {
            csv.write_record([row.attack.name, layers, which, &broken.join(" ")])
        };
        write("all", "", &row.all)?;
        write("none", "", &row.none)?;
        for (layer, broken) in LAYERS.iter().zip(&row.without) {
            write("without", layer.name(), broken)?;
        }
        for (layer, broken) in LAYERS.iter().zip(&row.alone) {
            write("alone", layer.name(), broken)?;
        }
        for (profile, broken) in Profile::ALL.iter().zip(&row.profiles) {
            write("profile", profile.name(), broken)?;
        }
    }
    csv.flush()?;
    Ok(())
}

/// Writes `docs/layers.md`, `docs/layers.csv` and the table of `README.md`.
pub(crate) fn write(root: &Path) -> io::Result<()> {
    let attacks: Vec<&'static Attack> = ATTACKS.iter().collect();
    let rows = crate::on_all_threads(&attacks, |attack| run(attack));
    fs::write(root.join("docs/layers.md"), page(&rows))?;
    lines(&rows, &root.join("docs/layers.csv"))?;
    let readme = root.join("README.md");
    let text = fs::read_to_string(&readme)?;
    if let Some(text) = between_marks(&text, &short(&rows)) {
        fs::write(readme, text)?;
    }
    Ok(())
}
