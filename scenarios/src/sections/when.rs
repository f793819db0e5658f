//! When a fault strikes.

use fedsim_protocols::{PeerId, SimDuration};

use super::select::Event;
use crate::layer::choice::only;
use crate::layer::names::Peers;
use crate::layer::quantity::{duration, positive_duration};
use crate::layer::scalar::count;
use crate::layer::shape::maybe;
use crate::layer::{Reader, Section, Tagged, at, choice};
use crate::spec::When;
use crate::tree::Node;

/// What the keys of a fault say of its times, before they are put together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    kind: Kind,
    from: Option<SimDuration>,
    until: Option<SimDuration>,
    peers: Option<Vec<PeerId>>,
    nth: Option<u32>,
    times: Option<u32>,
    delay: Option<SimDuration>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    At(SimDuration),
    Every(SimDuration),
    Random(SimDuration),
    On(String),
    AfterOperations(u64),
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            kind: Kind::At(SimDuration::ZERO),
            from: None,
            until: None,
            peers: None,
            nth: None,
            times: None,
            delay: None,
        }
    }
}

/// The keys that say when; one of them must.
pub(crate) fn section() -> Section<Draft> {
    keys(true)
}

/// The keys that say when; from the beginning if none does.
pub(crate) fn optional() -> Section<Draft> {
    keys(false)
}

fn keys(required: bool) -> Section<Draft> {
    Section::new("When a fault strikes.", Draft::default())
        .part(choice(
            "when it strikes",
            kinds(),
            at!(Draft => kind),
            required,
        ))
        .key(
            "from",
            maybe(duration()),
            at!(from),
            "With `every` and `random`: no strike before. The beginning if left out.",
        )
        .key(
            "until",
            maybe(duration()),
            at!(until),
            "With `every` and `random`: no strike at or after. The end of the run if left out.",
        )
        .key(
            "reported_by",
            maybe(Peers),
            at!(peers),
            "With `on`: only events of these peers count. Everybody's if left out.",
        )
        .key(
            "nth",
            maybe(count(1..=u32::MAX)),
            at!(nth),
            "With `on`: the first occurrence that counts. 1 if left out.",
        )
        .key(
            "times",
            maybe(count(1..=u32::MAX)),
            at!(times),
            "With `on` and `after_operations`: how often it strikes. Once if left out.",
        )
        .key(
            "delay",
            maybe(duration()),
            at!(delay),
            "With `on`: how much later, beyond the shortest latency. Zero if left out.",
        )
        .check(check)
}

fn kinds() -> Tagged<Kind> {
    Tagged::new()
        .case(
            "at",
            duration(),
            Kind::At,
            only!(Kind::At(time) => *time),
            "Once, so long after the beginning.",
        )
        .case(
            "every",
            positive_duration(),
            Kind::Every,
            only!(Kind::Every(period) => *period),
            "Again and again, with this period, first at `from`.",
        )
        .case(
            "random",
            positive_duration(),
            Kind::Random,
            only!(Kind::Random(mean) => *mean),
            "As a Poisson process with this mean span between strikes.",
        )
        .case(
            "on",
            Event,
            Kind::On,
            only!(Kind::On(event) => event.clone()),
            "When an event of this name happens, such as `\"leader-elected\"`.",
        )
        .case(
            "after_operations",
            count(1..=u64::MAX),
            Kind::AfterOperations,
            only!(Kind::AfterOperations(count) => *count),
            "When so many requests have been answered in the run.",
        )
}

fn check(draft: &Draft, node: &Node, reader: &mut Reader<'_>) {
    let (allowed, kind): (&[&str], &str) = match draft.kind {
        Kind::At(_) => (&[], "at"),
        Kind::Every(_) => (&["from", "until"], "every"),
        Kind::Random(_) => (&["from", "until"], "random"),
        Kind::On(_) => (&["reported_by", "nth", "times", "delay"], "on"),
        Kind::AfterOperations(_) => (&["times"], "after_operations"),
    };
    for key in ["from", "until", "reported_by", "nth", "times", "delay"] {
        if let Some(entry) = node.entry(key)
            && !allowed.contains(&key)
        {
            let message = format!("`{key}` says nothing beside `{kind}`");
            let right = if allowed.is_empty() {
                format!("`{kind}` stands alone")
            } else {
                format!("`{kind}` takes {}", allowed.join(", "))
            };
            reader.refuse(entry.place, message, right);
        }
    }
    check_times(draft, node, reader);
}

/// Checks a guaranteed end against the run and the first strike.
pub(crate) fn check_heal(
    heal_by: Option<SimDuration>,
    when: &Draft,
    node: &Node,
    reader: &mut Reader<'_>,
) {
    let end = reader.world.duration.unwrap_or(SimDuration::MAX);
    if let Some(heal_by) = heal_by
        && heal_by > end
    {
        let message = format!("healed by {heal_by}, past the end of the run");
        reader.refuse(
            node.place_of("heal_by"),
            message,
            format!("must be at most {end}"),
        );
    }
    if let (Some(heal_by), Some(earliest)) = (heal_by, when.earliest())
        && heal_by <= earliest
    {
        let message = format!("healed by {heal_by}, before it strikes");
        let right = format!("must be after {earliest}");
        reader.refuse(node.place_of("heal_by"), message, right);
    }
}

fn check_times(draft: &Draft, node: &Node, reader: &mut Reader<'_>) {
    if let Kind::At(time) = draft.kind {
        reader.must_be_within_run(time, node.place_of("at"), "a fault");
    }
    if let Some(from) = draft.from {
        reader.must_be_within_run(from, node.place_of("from"), "a first strike");
    }
    if let Some(end) = reader.world.duration {
        let (from, until) = (draft.from.unwrap_or_default(), draft.until.unwrap_or(end));
        if until > end {
            let message = format!("until {until} is past the end of the run");
            reader.refuse(
                node.place_of("until"),
                message,
                format!("must be at most {end}"),
            );
        } else if until <= from {
            let message = format!("until {until} is not after from {from}");
            reader.refuse(
                node.place_of("until"),
                message,
                "no time is left for a strike",
            );
        }
    }
}

impl Draft {
    /// No strike is earlier; none where that depends on the run.
    fn earliest(&self) -> Option<SimDuration> {
        match self.kind {
            Kind::At(time) => Some(time),
            Kind::Every(_) | Kind::Random(_) => Some(self.from.unwrap_or_default()),
            Kind::On(_) | Kind::AfterOperations(_) => None,
        }
    }

    /// What the keys say together, in a run that ends at `end`.
    pub(crate) fn when(self, end: SimDuration) -> When {
        let from = self.from.unwrap_or_default();
        let until = self.until.unwrap_or(end);
        match self.kind {
            Kind::At(time) => When::At(time),
            Kind::Every(period) => When::Every {
                period,
                from,
                until,
            },
            Kind::Random(mean) => When::Random { mean, from, until },
            Kind::On(event) => When::On {
                event,
                peers: self.peers.unwrap_or_default(),
                nth: self.nth.unwrap_or(1),
                times: self.times.unwrap_or(1),
                delay: self.delay.unwrap_or_default(),
            },
            Kind::AfterOperations(count) => When::AfterOperations {
                count,
                times: self.times.unwrap_or(1),
            },
        }
    }

    /// The keys that say this.
    pub(crate) fn of(when: &When) -> Self {
        let blank = Self::default();
        match when.clone() {
            When::At(time) => Self {
                kind: Kind::At(time),
                ..blank
            },
            When::Every {
                period,
                from,
                until,
            } => Self {
                kind: Kind::Every(period),
                from: Some(from),
                until: Some(until),
                ..blank
            },
            When::Random { mean, from, until } => Self {
                kind: Kind::Random(mean),
                from: Some(from),
                until: Some(until),
                ..blank
            },
            When::On {
                event,
                peers,
                nth,
                times,
                delay,
            } => Self {
                kind: Kind::On(event),
                peers: Some(peers).filter(|peers| !peers.is_empty()),
                nth: Some(nth),
                times: Some(times),
                delay: Some(delay),
                ..blank
            },
            When::AfterOperations { count, times } => Self {
                kind: Kind::AfterOperations(count),
                times: Some(times),
                ..blank
            },
        }
    }
}
