//! What each attack gets through: runs every attack on a federation with all layers, with each layer
//! left out, with each layer alone, and with the layers of each profile; writes `docs/layers.md` and
//! `docs/layers.csv`, and the short table into `README.md`.

/// The attacks.
mod attacks;
/// The page that is written.
mod page;

use std::path::Path;
use std::{fs, io};

use fedsim_protocols::federation::envelope::Stage;
use fedsim_protocols::federation::transport::Mode;
use fedsim_protocols::stack::{Across, PrivacyGate, Screening};
use fedsim_record::{Holds, Summary};
use fedsim_scenarios::spec::{FederationSpec, Profile, ProtocolSpec, TransportSpec};
use fedsim_sim::runner::{self, RunOptions};

use attacks::{ATTACKS, Attack, scenario};
use page::{between_marks, lines, page, short};

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

const LAYERS: [Layer; 17] = [
    Layer::Check(Stage::Framing),
    Layer::Check(Stage::Schema),
    Layer::Check(Stage::Signature),
    Layer::Check(Stage::Audience),
    Layer::Check(Stage::Freshness),
    Layer::Check(Stage::Replay),
    Layer::Check(Stage::Revocation),
    Layer::Check(Stage::Authorisation),
    Layer::Check(Stage::Budget),
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

/// Private data under one gate.
struct Leaks {
    gate: &'static str,
    planted: f64,
    leaked: f64,
}

/// All runs of one attack.
struct Row {
    attack: &'static Attack,
    all: Broken,
    none: Broken,
    without: Vec<Broken>,
    alone: Vec<Broken>,
    profiles: Vec<Broken>,
}

/// Runs an attack on a federation of which `set` changes the layers.
fn summary(attack: &Attack, set: impl Fn(&mut FederationSpec)) -> Summary {
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
    record.summary
}

/// What an attack gets through such a federation.
fn broken(attack: &Attack, set: impl Fn(&mut FederationSpec)) -> Broken {
    got_through(attack, &summary(attack, set))
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

/// What leaves when private data is looked for before it is sent, afterwards, or never.
fn leaks(attack: &Attack) -> Vec<Leaks> {
    let gates = [
        ("before it is sent", PrivacyGate::BeforeSend),
        ("afterwards", PrivacyGate::AfterSend),
        ("never", PrivacyGate::Off),
    ];
    let leaks = gates.map(|(name, gate)| {
        let metrics = summary(attack, |spec| spec.gate = gate).metrics;
        let metric = |name: &str| metrics.get(name).copied().unwrap_or_default();
        Leaks {
            gate: name,
            planted: metric("canaries_planted"),
            leaked: metric("canaries_leaked"),
        }
    });
    leaks.into()
}

/// Writes `docs/layers.md`, `docs/layers.csv` and the table of `README.md`.
pub(crate) fn write(root: &Path) -> io::Result<()> {
    let attacks: Vec<&'static Attack> = ATTACKS.iter().collect();
    let rows = crate::on_all_threads(&attacks, |attack| run(attack));
    let private = attacks.iter().find(|it| it.name == "private data");
    let leaks = leaks(private.expect("BUG: no attack on private data"));
    fs::write(root.join("docs/layers.md"), page(&rows, &leaks))?;
    lines(&rows, &root.join("docs/layers.csv"))?;
    let readme = root.join("README.md");
    let text = fs::read_to_string(&readme)?;
    if let Some(text) = between_marks(&text, &short(&rows)) {
        fs::write(readme, text)?;
    }
    Ok(())
}
