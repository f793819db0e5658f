//! `[assume]` and `[expect]`: what may be taken for given, and what must come out.

use crate::layer::out::Entries;
use crate::layer::quantity::duration;
use crate::layer::reader::NameKind;
use crate::layer::scalar::{count, name, real};
use crate::layer::section::Part;
use crate::layer::shape::{List, TableDoc, list, maybe};
use crate::layer::{Lens, Out, Reader, Section, Shape, Type, World, at};
use crate::spec::{Assume, Bound, Expect, Expectation, PooledExpect};
use crate::tree::Node;

/// `[assume]`.
pub(crate) fn assume() -> Section<Assume> {
    Section::new(
        "What checkers may take for given. A run that breaks it is judged \"assumption broken\", \
         not violated.",
        Assume::default(),
    )
    .key(
        "faulty",
        maybe(count(0..=u32::MAX)),
        at!(faulty),
        "Byzantine members at most; the protocol's own bound if left out.",
    )
    .key(
        "delay",
        maybe(duration()),
        at!(delay),
        "One-way delay at most, once stable.",
    )
    .key(
        "stable_after",
        maybe(duration()),
        at!(stable_after),
        "From here on delays keep to the bound.",
    )
    .key(
        "drift_ppm",
        maybe(count(0..=1_000_000)),
        at!(drift_ppm),
        "Clocks drift at most so many parts per million.",
    )
    .key(
        "skew",
        maybe(duration()),
        at!(skew),
        "Clocks differ at most so much.",
    )
}

/// `[expect]`.
pub(crate) fn section() -> Section<Expect> {
    Section::new(
        "What must come out. Every further key is a metric and its bound: \
         `detection_latency_p99_ms = { at_most = 9000 }`.",
        Expect::default(),
    )
    .key(
        "holds",
        names(NameKind::Invariant),
        at!(holds),
        "Invariants that must hold besides those that always must.",
    )
    .key(
        "violates",
        names(NameKind::Invariant),
        at!(violates),
        "Invariants that must be violated for the run to meet its claim.",
    )
    .key(
        "tolerates",
        names(NameKind::Invariant),
        at!(tolerates),
        "Invariants that may be violated too, since what `violates` names can bring that about.",
    )
    .key(
        "assumption_broken",
        names(NameKind::Invariant),
        at!(assumption_broken),
        "Invariants that cannot be judged because the run breaks what they assume, as it claims.",
    )
    .key(
        "faults_take_effect",
        List(FAULT),
        at!(faults_take_effect),
        "Faults, by label, that must have taken effect; `\"*\"` stands for all.",
    )
    .key(
        "adversaries_take_effect",
        List(ADVERSARY),
        at!(adversaries_take_effect),
        "Adversaries, by label, each of whose behaviours must have taken effect; `\"*\"` stands for \
         all.",
    )
    .key(
        "pooled",
        pooled(),
        at!(pooled),
        "Bounds on statistics of metrics over the seeds.",
    )
    .part(Metrics {
        lens: at!(Expect => metrics),
        except: &[
            "holds",
            "violates",
            "tolerates",
            "assumption_broken",
            "faults_take_effect",
            "adversaries_take_effect",
            "pooled",
        ],
    })
}

fn pooled() -> Section<PooledExpect> {
    Section::new(
        "Metrics and bounds on their means over the seeds; with `runs` above 1.",
        PooledExpect::default(),
    )
    .key("median", bounds(), at!(median), "Bounds on medians.")
    .key("p95", bounds(), at!(p95), "Bounds on 95th percentiles.")
    .key("p99", bounds(), at!(p99), "Bounds on 99th percentiles.")
    .key("p999", bounds(), at!(p999), "Bounds on 99.9th percentiles.")
    .key("max", bounds(), at!(max), "Bounds on greatest values.")
    .part(Metrics {
        lens: at!(PooledExpect => mean),
        except: &["median", "p95", "p99", "p999", "max"],
    })
}

fn bounds() -> Section<Vec<Expectation>> {
    Section::new("Metrics and their bounds.", Vec::new()).part(Metrics {
        lens: at!(),
        except: &[],
    })
}

/// Names that somebody else will judge.
fn names(kind: NameKind) -> List<Mentioned> {
    list(Mentioned(kind))
}

struct Mentioned(NameKind);

impl Shape<String> for Mentioned {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let read = name().read(node, reader)?;
        reader.mention(self.0, &read, node.place);
        Some(read)
    }

    fn write(&self, value: &String, world: &World) -> Option<Out> {
        name().write(value, world)
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: "invariant",
            pattern: "",
        }
    }
}

/// The label of something that hurts, and how to find those there are.
struct Label {
    what: &'static str,
    plural: &'static str,
    described: &'static str,
    known: fn(&World) -> (&[String], bool),
}

const FAULT: Label = Label {
    what: "fault",
    plural: "faults",
    described: "fault label",
    known: |world| (&world.labels, world.faults_known),
};

const ADVERSARY: Label = Label {
    what: "adversary",
    plural: "adversaries",
    described: "adversary label",
    known: |world| (&world.adversaries, world.adversaries_known),
};

impl Shape<String> for Label {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let everything = matches!(&node.value, crate::tree::Value::Text(text) if text == "*");
        let text = if everything {
            "*".to_owned()
        } else {
            name().read(node, reader)?
        };
        let (labels, is_known) = (self.known)(&reader.world);
        let labels = labels.to_vec();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        if labels.is_empty() && is_known {
            let message = format!("the scenario has no {}", self.plural);
            reader.refuse(node.place, message, "leave this out");
            return None;
        }
        if text != "*" && is_known && !labels.contains(&text.as_str()) {
            let message = format!("there is no {} `{text}`", self.what);
            reader.refuse_name(node.place, message, (&text, &labels));
            return None;
        }
        Some(text)
    }

    fn write(&self, value: &String, _: &World) -> Option<Out> {
        Some(Out::Text(value.clone()))
    }

    fn describe(&self) -> Type {
        Type::Text {
            what: self.described,
            pattern: "",
        }
    }
}

/// Keys that are metrics.
struct Metrics<T> {
    lens: Lens<T, Vec<Expectation>>,
    except: &'static [&'static str],
}

impl<T> Part<T> for Metrics<T> {
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn takes_rest(&self) -> bool {
        true
    }

    fn read(&self, table: &Node, into: &mut T, reader: &mut Reader<'_>) {
        let metrics = table
            .entries()
            .iter()
            .filter(|entry| !self.except.contains(&entry.key.as_str()));
        for entry in metrics {
            if !matches!(entry.node.value, crate::tree::Value::Table(_)) {
                let message = format!("unknown key `{}`", entry.key);
                reader.refuse_name(entry.place, message, (&entry.key, self.except));
                reader.refuse_kind(&entry.node, "a bound such as { at_most = 3 }");
                continue;
            }
            reader.mention(NameKind::Metric, &entry.key, entry.place);
            if let Some(bound) = BoundShape.read(&entry.node, reader) {
                let metric = entry.key.clone();
                (self.lens.get_mut)(into).push(Expectation { metric, bound });
            }
        }
    }

    fn write(&self, from: &T, world: &World, out: &mut Entries) {
        for expectation in (self.lens.get)(from) {
            if let Some(bound) = BoundShape.write(&expectation.bound, world) {
                out.push((expectation.metric.clone(), bound));
            }
        }
    }

    fn describe(&self, _: &T, doc: &mut TableDoc) {
        doc.free = Some(Box::new(BoundShape.describe()));
    }
}

#[derive(Clone, Debug, Default)]
struct Bounds {
    at_most: Option<f64>,
    at_least: Option<f64>,
    equals: Option<f64>,
}

struct BoundShape;

impl BoundShape {
    fn section() -> Section<Bounds> {
        let any = || maybe(real(-1e18..=1e18));
        Section::new("A bound on a metric.", Bounds::default())
            .in_braces()
            .key("at_most", any(), at!(at_most), "No more than this.")
            .key("at_least", any(), at!(at_least), "No less than this.")
            .key("equals", any(), at!(equals), "Exactly this.")
    }
}

impl Shape<Bound> for BoundShape {
    fn read(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Bound> {
        let before = reader.count();
        let bounds = Self::section().read(node, reader)?;
        if reader.count() > before {
            return None;
        }
        match (bounds.at_least, bounds.at_most, bounds.equals) {
            (Some(low), Some(high), None) if low <= high => Some(Bound::Between(low, high)),
            (Some(low), None, None) => Some(Bound::AtLeast(low)),
            (None, Some(high), None) => Some(Bound::AtMost(high)),
            (None, None, Some(exact)) => Some(Bound::Equals(exact)),
            (Some(low), Some(high), None) => {
                let message = format!("at_least {low} is above at_most {high}");
                reader.refuse(node.place, message, "nothing can meet this");
                None
            }
            (None, None, None) => {
                reader.refuse(node.place, "a bound that says nothing", "{ at_most = 3 }");
                None
            }
            (_, _, Some(_)) => {
                reader.refuse(
                    node.place,
                    "equals beside another bound",
                    "one or the other",
                );
                None
            }
        }
    }

    fn write(&self, value: &Bound, world: &World) -> Option<Out> {
        let mut bounds = Bounds::default();
        match *value {
            Bound::AtMost(high) => bounds.at_most = Some(high),
            Bound::AtLeast(low) => bounds.at_least = Some(low),
            Bound::Between(low, high) => {
                (bounds.at_least, bounds.at_most) = (Some(low), Some(high));
            }
            Bound::Equals(exact) => bounds.equals = Some(exact),
        }
        Self::section().write(&bounds, world)
    }

    fn describe(&self) -> Type {
        Self::section().describe().named(
            "bound",
            "What a metric must keep to: `{ at_most = 3 }`, `{ at_least = 0.99 }`, both, or \
             `{ equals = 0 }`. Both ends count as kept.",
        )
    }
}
