//! The attacks, and the small federation that they are made on.
//!
//! Must not know which layers stand.

use std::fmt::Write as _;

use fedsim_protocols::PeerId;
use fedsim_scenarios::spec::FederationSpec;
use fedsim_scenarios::{Document, Folder, Options as Reading, Scenario};

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
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// What it is, in a sentence.
    pub(super) about: &'static str,
    /// What mallory does, in the words of `[[adversaries]]`; nothing if he is not needed.
    adversary: &'static str,
    /// What else is so.
    pub(super) change: fn(&mut FederationSpec),
    /// What else is said of the network.
    network: &'static str,
    /// What of the workload replaces or joins the usual one.
    pub(super) workload: &'static str,
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

pub(super) static ATTACKS: [Attack; 17] = [
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
        change: |spec| spec.revoked = vec![PeerId(1)],
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
        about: "asks for something again and again, by turns in its own name and in another's",
        adversary: r#"what = ["impersonate"]"#,
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
        name: "copied budget",
        about: "has others paid, again and again, from the account that paid it once",
        adversary: "what = [\"budget-copying\"]\namount = 3",
        change: NO_CHANGE,
        network: "",
        workload: r#"
[[federation.budgets]]
by = "acme-*"
micro_usd = 1000000
[[federation.expose]]
by = "mallory-*"
to = "acme-*"
capability = "send"
[[workload.errands]]
by = "acme-1"
to = "mallory-1"
rate = "8/s"
micro_usd = 50000
"#,
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

/// The scenario of an attack, before any layer is changed.
pub(super) fn scenario(attack: &Attack) -> Scenario {
    let network = format!("[network]\n{}", attack.network);
    let stage = STAGE.replace("[network]\n", &network);
    let (value, workload) = match attack.workload.contains("[[") {
        true => ("", attack.workload),
        false => (attack.workload, ""),
    };
    let mut text = format!("{}{workload}", stage.replace("VALUE", value));
    if !attack.adversary.is_empty() {
        let what = attack.adversary;
        let aim = match what.contains("audit-tamper") {
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
