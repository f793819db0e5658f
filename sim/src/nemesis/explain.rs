//! Says in plain words what a scenario will do before anything runs: who takes part, how the
//! network behaves, and when which fault strikes whom.
//!
//! Everything comes from the same code that a run uses, so what is said is what will happen. Must
//! not know how anything is run.

use std::fmt::Write;

use fedsim_protocols::{PeerId, Probability, RunKey, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{
    ClockSpec, CpuSpec, DiskSpec, Fault, Latency, LinkSpec, Partition, Role, Routing, Select,
    Topology, When,
};

use super::{FaultBand, Nemesis};
use crate::network::{Fabric, LatencyModel};
use crate::time::SimTime;

/// Names printed before "and so many more".
const NAMES: usize = 8;
/// Strikes printed for each fault.
const STRIKES: usize = 5;
/// Actions resolved ahead at most; what strikes every microsecond is not resolved to its end.
const ACTIONS: usize = 20_000;

/// The peers, the network and the plan of faults of `scenario` with the seed it states, for people.
pub fn explain(scenario: &Scenario) -> String {
    let key = RunKey::from_seed(scenario.seed);
    let fabric = Fabric::new(scenario, key);
    let mut text = Text {
        scenario,
        out: String::new(),
    };
    text.heading(&format!("{} (seed {})", scenario.name, scenario.seed));
    text.line(&scenario.claim);
    text.line(&format!(
        "Runs for {} of virtual time; statistics start after {}.",
        scenario.duration, scenario.warm_up
    ));
    text.peers();
    text.network(&fabric);
    text.machines();
    text.faults(fabric, key);
    text.out
}

struct Text<'a> {
    scenario: &'a Scenario,
    out: String,
}

impl Text<'_> {
    fn heading(&mut self, words: &str) {
        let gap = if self.out.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.out, "{gap}{words}");
    }

    /// One paragraph, wrapped to a terminal of 80 columns.
    fn line(&mut self, words: &str) {
        self.wrapped("  ", "  ", words);
    }

    /// One entry of a list.
    fn entry(&mut self, words: &str) {
        self.wrapped("  - ", "    ", words);
    }

    fn wrapped(&mut self, first: &str, later: &str, words: &str) {
        let mut line = first.to_owned();
        let mut fresh = true;
        for word in words.split_whitespace() {
            if !fresh && line.chars().count() + 1 + word.chars().count() > 79 {
                let _ = writeln!(self.out, "{line}");
                line = later.to_owned();
                fresh = true;
            }
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
            fresh = false;
        }
        let _ = writeln!(self.out, "{line}");
    }

    fn peers(&mut self) {
        self.heading("Peers");
        let of = |role| {
            let slots = (0..).map(PeerId).zip(&self.scenario.peers);
            slots
                .filter(|(_, peer)| peer.role == role)
                .map(|(slot, _)| slot)
                .collect::<Vec<_>>()
        };
        let (members, clients) = (of(Role::Member), of(Role::Client));
        self.line(&format!(
            "{}: {}.",
            count(members.len(), "member"),
            self.names(&members)
        ));
        if !clients.is_empty() {
            self.line(&format!(
                "{}: {}.",
                count(clients.len(), "client"),
                self.names(&clients)
            ));
        }
        for (what, tally) in [
            ("organisation", self.tally(|peer| &peer.organisation)),
            ("region", self.tally(|peer| &peer.region)),
        ] {
            if !tally.is_empty() {
                let listed = tally
                    .iter()
                    .take(NAMES)
                    .map(|(name, peers)| format!("{name} ({peers})"));
                let listed: Vec<String> = listed.collect();
                let more = more(tally.len());
                self.line(&format!(
                    "{}: {}{more}.",
                    count(tally.len(), what),
                    listed.join(", ")
                ));
            }
        }
        let late = self
            .scenario
            .peers
            .iter()
            .filter(|peer| !peer.starts_at.is_zero())
            .count();
        if late > 0 {
            let last = self.scenario.peers.iter().map(|peer| peer.starts_at).max();
            let last = last.unwrap_or_default();
            self.line(&format!(
                "{} later than the rest, the last at {last}.",
                starts(late)
            ));
        }
    }

    fn tally(
        &self,
        name: impl Fn(&fedsim_scenarios::spec::PeerSpec) -> &String,
    ) -> Vec<(String, usize)> {
        let mut tally: Vec<(String, usize)> = Vec::new();
        for peer in self
            .scenario
            .peers
            .iter()
            .filter(|peer| !name(peer).is_empty())
        {
            match tally.iter_mut().find(|(known, _)| known == name(peer)) {
                Some((_, peers)) => *peers += 1,
                None => tally.push((name(peer).clone(), 1)),
            }
        }
        tally
    }

    fn names(&self, peers: &[PeerId]) -> String {
        let name = |peer: &PeerId| {
            let spec = self.scenario.peers.get(peer.index());
            spec.map_or_else(|| peer.to_string(), |spec| spec.nickname.clone())
        };
        let listed: Vec<String> = peers.iter().take(NAMES).map(name).collect();
        match listed.is_empty() {
            true => "nobody".to_owned(),
            false => format!("{}{}", listed.join(", "), more(peers.len())),
        }
    }

    fn network(&mut self, fabric: &Fabric) {
        let network = &self.scenario.network;
        self.heading("Network");
        self.line(&topology(self.scenario, fabric));
        self.entry(&format!("usual link: {}", link(&network.link)));
        if let Some(lan) = &network.lan {
            self.entry(&format!("inside an organisation: {}", link(lan)));
        }
        if let Some(regions) = &network.regions {
            for (from, row) in regions.regions.iter().zip(&regions.latency) {
                for (to, latency) in regions.regions.iter().zip(row) {
                    self.entry(&format!("{from} to {to}: {}", latency_words(latency)));
                }
            }
        }
        for over in &network.links {
            let (from, to) = (self.names(&over.from), self.names(&over.to));
            self.entry(&format!("from {from} to {to}: {}", link(&over.link)));
        }
        self.line(&format!(
            "No message is ever faster than {}, faults included.",
            fabric.lookahead()
        ));
    }

    fn machines(&mut self) {
        let network = &self.scenario.network;
        self.heading("Clocks, processors and disks");
        self.entry(&format!(
            "clocks: {}",
            clock(network.clock, network.clock_spread)
        ));
        for over in &network.clocks {
            let words = clock(over.spec, ClockSpec::default());
            self.entry(&format!("clocks of {}: {words}", self.names(&over.peers)));
        }
        self.entry(&format!("processors: {}", processor(&network.cpu)));
        for over in &network.cpus {
            let words = processor(&over.spec);
            self.entry(&format!(
                "processors of {}: {words}",
                self.names(&over.peers)
            ));
        }
        self.entry(&format!("disks: {}", disk(&network.disk)));
        for over in &network.disks {
            self.entry(&format!(
                "disks of {}: {}",
                self.names(&over.peers),
                disk(&over.spec)
            ));
        }
    }

    fn faults(&mut self, fabric: Fabric, key: RunKey) {
        self.heading("Faults");
        if self.scenario.faults.is_empty() {
            self.line("None.");
            return;
        }
        let (bands, complete) = foresee(self.scenario, fabric, key);
        for (number, spec) in (1..).zip(&self.scenario.faults) {
            let heal = spec
                .heal_by
                .map(|heal| format!(" Healed for good at {heal}."));
            let lasts = match spec.lasts {
                Some(lasts) => format!(", for {lasts}"),
                None if !super::lasts(&spec.fault) => String::new(),
                None if spec.heal_by.is_some() => ", until healed".to_owned(),
                None => ", to the end of the run".to_owned(),
            };
            let what = format!("{}{lasts}", self.what(&spec.fault));
            let (label, when) = (&spec.label, self.when(&spec.when));
            self.wrapped(
                &format!("  {number}. "),
                "     ",
                &format!("{label}: {when}, {what}.{}", heal.unwrap_or_default()),
            );
            let own: Vec<&FaultBand> = bands.iter().filter(|band| band.fault == number).collect();
            self.strikes(&own, complete);
        }
    }

    fn strikes(&mut self, bands: &[&FaultBand], complete: bool) {
        for band in bands.iter().take(STRIKES) {
            let until = match band.to {
                Some(to) if to == band.from => String::new(),
                Some(to) => format!(" to {to}"),
                None => " to the end".to_owned(),
            };
            let whom = match band.peers.is_empty() {
                true => "whom, shows only in the run".to_owned(),
                false => self.names(&band.peers),
            };
            self.wrapped(
                "       ",
                "         ",
                &format!("{}{until}: {whom}", band.from),
            );
        }
        if bands.len() > STRIKES {
            let about = if complete { "" } else { "at least " };
            let rest = bands.len() - STRIKES;
            self.wrapped("       ", "       ", &format!("and {about}{rest} more"));
        }
    }

    fn when(&self, when: &When) -> String {
        match when {
            When::At(at) => format!("at {at}"),
            When::Every {
                period,
                from,
                until,
            } => format!("every {period} from {from} until {until}"),
            When::Random { mean, from, until } => {
                format!("at random, every {mean} on average, from {from} until {until}")
            }
            When::On {
                event,
                peers,
                nth,
                times,
                delay,
            } => {
                let whose = match peers.is_empty() {
                    true => String::new(),
                    false => format!(" of {}", self.names(peers)),
                };
                let later = match delay.is_zero() {
                    true => String::new(),
                    false => format!(" and {delay} more"),
                };
                let which = occurrences(*nth, *times);
                format!("one shortest message delay{later} after {which} \"{event}\"{whose}")
            }
            When::AfterOperations { count, times: 1 } => {
                format!("once {count} requests have been answered")
            }
            When::AfterOperations { count, times } => {
                format!(
                    "whenever another {count} requests have been answered, {times} times at most"
                )
            }
        }
    }

    fn what(&self, fault: &Fault) -> String {
        match fault {
            Fault::Partition(cut) => self.partition(cut),
            Fault::Flapping { cut, down, up } => {
                let cut = self.partition(cut);
                format!("{cut}; in turn cut for {down} and whole for {up}")
            }
            Fault::Crash(peers) => {
                format!("{} crash, losing what was not on disk", self.whom(peers))
            }
            Fault::Wipe(peers) => format!("{} crash and lose their disks", self.whom(peers)),
            Fault::Pause(peers) => format!("{} stop handling anything", self.whom(peers)),
            Fault::ClockJump { peers, by_nanos } => {
                let by = SimDuration::from_nanos(by_nanos.unsigned_abs());
                let way = if *by_nanos < 0 { "back" } else { "forward" };
                format!("clocks of {} jump {way} by {by}", self.whom(peers))
            }
            Fault::LatencyStorm {
                peers,
                factor_milli,
                plus,
            } => {
                let whom = self.whom(peers);
                let factor = thousandths(*factor_milli);
                format!("messages from and to {whom} take {factor} times as long, plus {plus}")
            }
            Fault::LossStorm { peers, loss } => {
                let whom = self.whom(peers);
                format!(
                    "{} of the messages from and to {whom} are lost",
                    percent(*loss)
                )
            }
            Fault::Links { peers, link: by } => {
                format!(
                    "links from and to {} become: {}",
                    self.whom(peers),
                    link(by)
                )
            }
            Fault::Slow { peers, per_input } => {
                format!(
                    "{} take {per_input} longer for everything they handle",
                    self.whom(peers)
                )
            }
            Fault::RegionOutage(region) => format!("region {region} loses all its links"),
            Fault::Disk { peers, disk: spec } => {
                format!("disks of {} become: {}", self.whom(peers), disk(spec))
            }
            Fault::Request { peers, request } => {
                format!("{} are asked to \"{request}\"", self.whom(peers))
            }
        }
    }

    fn partition(&self, partition: &Partition) -> String {
        match partition {
            Partition::Halves => "members are cut into two random halves".to_owned(),
            Partition::Sides(sides) => {
                let sides: Vec<String> = sides.iter().map(|side| self.names(side)).collect();
                format!("links are cut between {}", sides.join(" | "))
            }
            Partition::Bridge { over } => {
                let over = self.whom(over);
                format!("members are cut into two random halves that meet only at {over}")
            }
            Partition::MajorityRing => {
                "every member keeps links to a majority only, no two to the same".to_owned()
            }
            Partition::OneWay { from, to } => {
                let (from, to) = (self.whom(from), self.whom(to));
                format!("messages from {from} to {to} are cut, the way back stands")
            }
            Partition::Isolate(peers) => format!("{} lose all links", self.whom(peers)),
            Partition::Chain => "members keep links to the next in order only".to_owned(),
            Partition::StarAround(centre) => {
                format!("members keep links with {} only", self.whom(centre))
            }
        }
    }

    fn whom(&self, select: &Select) -> String {
        match select {
            Select::Peers(peers) => self.names(peers),
            Select::Random { count: some, of } => {
                format!(
                    "{} drawn from {}",
                    count(*some as usize, "peer"),
                    self.names(of)
                )
            }
            Select::LastToReport(event) => format!("whoever last reported \"{event}\""),
            Select::Trigger => "the peer whose event it was".to_owned(),
            Select::Region(region) => format!("all peers of region {region}"),
            Select::Organisation(name) => format!("all peers of {name}"),
        }
    }
}

/// Every strike that is known before the run, and whether all are.
fn foresee(scenario: &Scenario, mut fabric: Fabric, key: RunKey) -> (Vec<FaultBand>, bool) {
    let mut nemesis = Nemesis::new(scenario, &fabric, key);
    let end = SimTime::from(scenario.duration);
    let mut orders = Vec::new();
    for _ in 0..ACTIONS {
        match nemesis.next_at().filter(|&at| at < end) {
            Some(at) => nemesis.act(at, &mut fabric, &mut orders),
            None => return (nemesis.bands(), true),
        }
        orders.clear();
    }
    (nemesis.bands(), false)
}

fn topology(scenario: &Scenario, fabric: &Fabric) -> String {
    let name = match &scenario.topology {
        Topology::Complete => return "Everybody is linked with everybody.".to_owned(),
        Topology::Ring => "Members form a ring".to_owned(),
        Topology::Line => "Members form a line".to_owned(),
        Topology::Star { .. } => "Members form a star".to_owned(),
        Topology::RandomRegular { .. } => "Members form a random regular graph".to_owned(),
        Topology::SmallWorld { rewire, .. } => {
            format!(
                "Members form a small world ({} of the edges rewired)",
                percent(*rewire)
            )
        }
        Topology::ScaleFree { .. } => "Members form a scale-free graph".to_owned(),
        Topology::Gateways { per_organisation } => format!(
            "Organisations are linked through {} each",
            count(*per_organisation as usize, "gateway")
        ),
        Topology::Edges(_) => "Members are linked as the file says".to_owned(),
    };
    let figures = fabric.layout().figures();
    let (least, mean, most) = figures.degree;
    let degree = match least == most {
        true => format!("{least} neighbours each"),
        false => format!("{least} to {most} neighbours, {mean:.1} on average"),
    };
    let far = match figures.diameter {
        Some(hops) => format!(
            "{} at most from one to another",
            count(hops as usize, "hop")
        ),
        None => "and NOT everybody can be reached from everybody".to_owned(),
    };
    let routing = match scenario.routing {
        Routing::Neighbours => "Only neighbours reach each other.",
        Routing::Shortest => "Others are reached over the fewest hops, whose delays add up.",
    };
    format!("{name}: {degree}, {far}. {routing}")
}

fn link(link: &LinkSpec) -> String {
    let mut parts = vec![latency_words(&link.latency)];
    parts.push(match link.loss.is_zero() {
        true => "no loss".to_owned(),
        false => format!("{} lost", percent(link.loss)),
    });
    if !link.duplicate.is_zero() {
        parts.push(format!("{} arrive twice", percent(link.duplicate)));
    }
    if let Some(reorder) = link.reorder {
        parts.push(format!(
            "{} held back by up to {}",
            percent(reorder.chance),
            reorder.by
        ));
    }
    if link.in_order {
        parts.push("in order".to_owned());
    }
    parts.push(link.bandwidth.map_or_else(
        || "unlimited bandwidth".to_owned(),
        |bandwidth| {
            let (rate, queue) = (bandwidth.bytes_per_second, bandwidth.queue_bytes);
            format!("{rate} bytes a second with room for {queue} waiting")
        },
    ));
    parts.join(", ")
}

fn latency_words(latency: &Latency) -> String {
    let shape = match latency {
        Latency::Constant(always) => return format!("always {} one way", rounded(*always)),
        Latency::Uniform { .. } => "uniform",
        Latency::Normal { .. } => "normal",
        Latency::LogNormal { .. } => "log-normal",
        Latency::Pareto { .. } => "Pareto",
        Latency::Empirical { .. } => "measured",
    };
    let figures = LatencyModel::new(latency).figures();
    let mean = figures.mean.map_or("no finite mean".to_owned(), |mean| {
        format!("{} on average", rounded(mean))
    });
    format!(
        "{mean} one way, half within {}, 99% within {}, at least {} ({shape})",
        rounded(figures.median),
        rounded(figures.p99),
        rounded(latency.min())
    )
}

fn clock(clock: ClockSpec, spread: ClockSpec) -> String {
    if clock == ClockSpec::default() && spread == ClockSpec::default() {
        return "exact".to_owned();
    }
    let offset = signed(clock.offset_nanos, "ahead", "behind");
    let drift = match clock.drift_ppm {
        0 => "at true speed".to_owned(),
        fast @ 1.. => format!("{fast} parts per million fast"),
        slow => format!("{} parts per million slow", slow.unsigned_abs()),
    };
    let around = match spread == ClockSpec::default() {
        true => String::new(),
        false => format!(
            "; each differs by up to {} and {} parts per million from that",
            SimDuration::from_nanos(spread.offset_nanos.unsigned_abs()),
            spread.drift_ppm.unsigned_abs()
        ),
    };
    format!("{offset}, {drift}{around}")
}

fn signed(nanos: i64, positive: &str, negative: &str) -> String {
    let span = SimDuration::from_nanos(nanos.unsigned_abs());
    match nanos {
        0 => "on time at the start".to_owned(),
        1.. => format!("{span} {positive} at the start"),
        _ => format!("{span} {negative} at the start"),
    }
}

fn processor(cpu: &CpuSpec) -> String {
    let costs = [
        (cpu.per_message, "a message handled"),
        (cpu.per_kib, "a KiB of it"),
        (cpu.per_send, "a message sent"),
        (cpu.per_signature, "a signature made"),
        (cpu.per_verification, "a signature checked"),
    ];
    let words: Vec<String> = costs
        .iter()
        .filter(|(span, _)| !span.is_zero())
        .map(|(span, what)| format!("{span} {what}"))
        .collect();
    match words.is_empty() {
        true => "take no time".to_owned(),
        false => words.join(", "),
    }
}

fn disk(disk: &DiskSpec) -> String {
    let delay = match (disk.fsync_low, disk.fsync_high) {
        (low, high) if high.is_zero() && low.is_zero() => "writes are safe at once".to_owned(),
        (low, high) if low >= high => format!("writes are safe after {low}"),
        (low, high) => format!("writes are safe after {low} to {high}"),
    };
    let mut parts = vec![delay];
    if !disk.torn.is_zero() {
        parts.push(format!(
            "a crash tears the oldest unsafe one with {}",
            percent(disk.torn)
        ));
    }
    if !disk.corrupt.is_zero() {
        parts.push(format!(
            "{} of the records are found damaged at a restart",
            percent(disk.corrupt)
        ));
    }
    parts.join(", ")
}

fn occurrences(nth: u32, times: u32) -> String {
    match (nth, times) {
        (1, 1) => "the first".to_owned(),
        (nth, 1) => format!("number {nth} of"),
        (1, times) => format!("each of the first {times}"),
        (nth, u32::MAX) => format!("each from number {nth} on of"),
        (nth, times) => format!("each of {times} from number {nth} on of"),
    }
}

fn percent(share: Probability) -> String {
    let hundredths = format!("{:.4}", share.as_f64() * 100.0);
    format!(
        "{}%",
        hundredths.trim_end_matches('0').trim_end_matches('.')
    )
}

fn thousandths(milli: u64) -> String {
    let exact = format!("{}.{:03}", milli / 1_000, milli % 1_000);
    exact.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The span with about three digits.
fn rounded(span: SimDuration) -> String {
    let nanos = span.as_nanos();
    let unit = 10_u64.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(2));
    SimDuration::from_nanos((nanos / unit).saturating_mul(unit)).to_string()
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn starts(number: usize) -> String {
    let verb = if number == 1 { "starts" } else { "start" };
    format!("{} {verb}", count(number, "peer"))
}

fn more(all: usize) -> String {
    match all.saturating_sub(NAMES) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    }
}
