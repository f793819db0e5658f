//! `[[faults]]`: what hurts.

use fedsim_protocols::{Probability, SimDuration};

use super::physical::{LinkLikeNetwork, disk};
use super::select::{Whom, partition};
use super::when;
use crate::layer::choice::only;
use crate::layer::names::region;
use crate::layer::quantity::{Chance, duration, positive_duration, signed_duration};
use crate::layer::reader::NameKind;
use crate::layer::scalar::{name, number};
use crate::layer::section::Section;
use crate::layer::shape::{maybe, tables};
use crate::layer::{Out, Reader, Shape, Tagged, Type, World, at, choice};
use crate::spec::{DiskSpec, Fault, FaultSpec, LinkSpec, Partition, Select};
use crate::tree::Node;

#[derive(Clone, Debug, PartialEq)]
struct Draft {
    label: String,
    when: when::Draft,
    lasts: Option<SimDuration>,
    heal_by: Option<SimDuration>,
    fault: Fault,
}

/// `[[faults]]`.
pub(crate) struct Faults;

impl Shape<Vec<FaultSpec>> for Faults {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<FaultSpec>> {
        let drafts = tables(section()).read(node, reader)?;
        let end = reader.world.duration.unwrap_or(SimDuration::MAX);
        let mut faults: Vec<FaultSpec> = Vec::new();
        for (number, draft) in (1..).zip(drafts) {
            let label = match draft.label.as_str() {
                "" => format!("{}-{number}", draft.fault.kind()),
                label => label.to_owned(),
            };
            if faults.iter().any(|fault| fault.label == label) {
                let message = format!("two faults are called `{label}`");
                reader.refuse(node.place, message, "labels must differ");
            }
            faults.push(FaultSpec {
                label,
                when: draft.when.when(end),
                lasts: draft.lasts,
                heal_by: draft.heal_by,
                fault: draft.fault,
            });
        }
        reader.world.labels = faults.iter().map(|fault| fault.label.clone()).collect();
        Some(faults)
    }

    fn write(&self, value: &Vec<FaultSpec>, world: &World) -> Option<Out> {
        let draft = |fault: &FaultSpec| Draft {
            label: fault.label.clone(),
            when: when::Draft::of(&fault.when),
            lasts: fault.lasts,
            heal_by: fault.heal_by,
            fault: fault.fault.clone(),
        };
        tables(section()).write(&value.iter().map(draft).collect(), world)
    }

    fn describe(&self) -> Type {
        tables(section()).describe()
    }
}

fn section() -> Section<Draft> {
    let base = Draft {
        label: String::new(),
        when: when::Draft::default(),
        lasts: None,
        heal_by: None,
        fault: Fault::Partition(Partition::Halves),
    };
    Section::new("One thing that hurts: when, for how long, and what.", base)
        .key(
            "label",
            name(),
            at!(label),
            "Its name in reports; kind and number if left out, such as `crash-1`.",
        )
        .embed(when::section(), at!(when))
        .key(
            "for",
            maybe(positive_duration()),
            at!(lasts),
            "How long each strike lasts; to the end of the run if left out. Crashed peers restart \
             at its end.",
        )
        .key(
            "heal_by",
            maybe(duration()),
            at!(heal_by),
            "Healed for good at this time, whatever was still going on.",
        )
        .part(choice(
            "what it does",
            cuts_and_stops(more()),
            at!(Draft => fault),
            true,
        ))
        .check(check)
}

fn check(draft: &Draft, node: &Node, reader: &mut Reader<'_>) {
    when::check_heal(draft.heal_by, &draft.when, node, reader);
    let lasting = !matches!(draft.fault, Fault::ClockJump { .. } | Fault::Request { .. });
    for key in ["for", "heal_by"] {
        if let Some(entry) = node.entry(key)
            && !lasting
        {
            let message = format!("`{}` does not last", draft.fault.kind());
            reader.refuse(entry.place, message, "leave this out");
        }
    }
}

/// Pairs of targets and something about them.
fn on<V: Clone + 'static>(about: &'static str, base: V) -> Section<(Select, V)> {
    let nobody = Select::Peers(Vec::new());
    Section::new(about, (nobody, base)).required("peers", Whom, at!(0), "Whom it hits.")
}

fn cuts_and_stops(others: Tagged<Fault>) -> Tagged<Fault> {
    others
        .case(
            "partition",
            partition(),
            Fault::Partition,
            only!(Fault::Partition(cut) => cut.clone()),
            "Cuts links. Judged when a message is sent and again when it arrives.",
        )
        .case(
            "flapping",
            flapping(),
            |(cut, down, up)| Fault::Flapping { cut, down, up },
            only!(Fault::Flapping { cut, down, up } => (cut.clone(), *down, *up)),
            "Cuts and heals links in turn.",
        )
        .case(
            "crash",
            Whom,
            Fault::Crash,
            only!(Fault::Crash(whom) => whom.clone()),
            "Stops peers; what was not durable is lost. They restart at the end, or never.",
        )
        .case(
            "wipe",
            Whom,
            Fault::Wipe,
            only!(Fault::Wipe(whom) => whom.clone()),
            "Stops peers and wipes their disks. They start anew at the end, or never.",
        )
        .case(
            "pause",
            Whom,
            Fault::Pause,
            only!(Fault::Pause(whom) => whom.clone()),
            "Peers stop handling anything, keep their state, and go on at the end.",
        )
        .case(
            "region-outage",
            region(),
            Fault::RegionOutage,
            only!(Fault::RegionOutage(region) => region.clone()),
            "A region loses all links, to the outside and within.",
        )
}

fn flapping() -> Section<(Partition, SimDuration, SimDuration)> {
    let base = (Partition::Halves, SimDuration::ZERO, SimDuration::ZERO);
    Section::new("Links that come and go.", base)
        .required("cut", partition(), at!(0), "What is cut.")
        .required("down", positive_duration(), at!(1), "Length of a cut.")
        .required("up", positive_duration(), at!(2), "Time between cuts.")
}

fn more() -> Tagged<Fault> {
    storms(Tagged::new())
        .case(
            "clock-jump",
            on("A clock set.", 0_i64).required(
                "by",
                signed_duration(),
                at!(1),
                "Forward, or back if negative.",
            ),
            |(peers, by_nanos)| Fault::ClockJump { peers, by_nanos },
            only!(Fault::ClockJump { peers, by_nanos } => (peers.clone(), *by_nanos)),
            "Sets clocks forward or back, once.",
        )
        .case(
            "slow",
            on("Peers that are slow.", SimDuration::ZERO).required(
                "per_input",
                positive_duration(),
                at!(1),
                "Time added to every input handled.",
            ),
            |(peers, per_input)| Fault::Slow { peers, per_input },
            only!(Fault::Slow { peers, per_input } => (peers.clone(), *per_input)),
            "Slow, not dead.",
        )
        .case(
            "disk",
            on("Disks that behave otherwise.", DiskSpec::default()).embed(disk(), at!(1)),
            |(peers, disk)| Fault::Disk { peers, disk },
            only!(Fault::Disk { peers, disk } => (peers.clone(), *disk)),
            "Disks behave otherwise.",
        )
        .case(
            "request",
            on("A request to peers.", String::new()).required("request", Request, at!(1), "Which."),
            |(peers, request)| Fault::Request { peers, request },
            only!(Fault::Request { peers, request } => (peers.clone(), request.clone())),
            "Puts a request of the protocol to peers, such as `\"leave\"`.",
        )
}

fn storms(others: Tagged<Fault>) -> Tagged<Fault> {
    others
        .case(
            "latency-storm",
            on("Slower links.", (1_000, SimDuration::ZERO))
                .key(
                    "factor",
                    Factor,
                    at!(1.0),
                    "Multiplies latencies; at least 1.",
                )
                .key("plus", duration(), at!(1.1), "Added after that."),
            |(peers, (factor_milli, plus))| Fault::LatencyStorm {
                peers,
                factor_milli,
                plus,
            },
            only!(Fault::LatencyStorm {
                    peers,
                    factor_milli,
                    plus,
                } => (peers.clone(), (*factor_milli, *plus))),
            "Longer latencies on links that touch the target.",
        )
        .case(
            "loss-storm",
            on("Lossy links.", Probability::ZERO).required(
                "loss",
                Chance,
                at!(1),
                "Share lost on top of the link's own loss.",
            ),
            |(peers, loss)| Fault::LossStorm { peers, loss },
            only!(Fault::LossStorm { peers, loss } => (peers.clone(), *loss)),
            "More loss on links that touch the target.",
        )
        .case(
            "links",
            on("Other links.", LinkSpec::default()).required(
                "like",
                LinkLikeNetwork,
                at!(1),
                "How they behave; keys that say nothing are those of `[network]`.",
            ),
            |(peers, link)| Fault::Links { peers, link },
            only!(Fault::Links { peers, link } => (peers.clone(), link.clone())),
            "Replaces the links that touch the target. Not faster than the fastest of `[network]`.",
        )
}

/// A factor in thousandths.
struct Factor;

impl Shape<u64> for Factor {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<u64> {
        match number(node) {
            Some(factor) if (1.0..=1e6).contains(&factor) => Some((factor * 1_000.0 + 0.5) as u64),
            Some(_) => {
                reader.refuse(
                    node.place,
                    "this factor is out of range",
                    "from 1 to 1000000",
                );
                None
            }
            None => {
                reader.refuse_kind(node, "a number");
                None
            }
        }
    }

    fn write(&self, value: &u64, _: &World) -> Option<Out> {
        Some(Out::Real(*value as f64 / 1_000.0))
    }

    fn describe(&self) -> Type {
        Type::Number { min: 1.0, max: 1e6 }
    }
}

/// The name of a request, judged by whoever knows them.
struct Request;

impl Shape<String> for Request {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let request = name().read(node, reader)?;
        reader.mention(NameKind::Request, &request, node.place);
        Some(request)
    }

    fn write(&self, value: &String, world: &World) -> Option<Out> {
        name().write(value, world)
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: "request",
            pattern: "",
        }
    }
}

/// A latency of a `links` fault that would be faster than the network's fastest.
pub(crate) fn refuse_faster_links(
    faults: &[FaultSpec],
    shortest: SimDuration,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    for fault in faults {
        if let Fault::Links { link, .. } = &fault.fault
            && link.latency.min() < shortest
        {
            let message = format!("`{}` makes links faster than any of [network]", fault.label);
            reader.refuse(
                node.place,
                message,
                format!("shortest latency at least {shortest}"),
            );
        }
    }
}
