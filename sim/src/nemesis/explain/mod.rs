//! Says in plain words what a scenario will do before anything runs: who takes part, how the
//! network behaves, and when which fault strikes whom.
//!
//! Everything comes from the same code that a run uses, so what is said is what will happen. Must
//! not know how anything is run.

mod adversaries;
mod words;

use std::fmt::Write;

use fedsim_protocols::{PeerId, RunKey, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{ClockSpec, Fault, Partition, PeerSpec, Role, Select, Story, When};

use super::{FaultBand, Nemesis};
use crate::network::Fabric;
use crate::time::SimTime;
use words::{
    clock, count, disk, latency_words, link, more, occurrences, percent, processor, starts,
    thousandths, topology,
};

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
    match &scenario.story {
        None => text.line(&format!(
            "Runs for {} of virtual time; statistics start after {}.",
            scenario.duration, scenario.warm_up
        )),
        Some(_) => text.line("Goes step by step: nothing happens but what its story says."),
    }
    text.peers();
    match &scenario.story {
        None => text.network(&fabric),
        Some(story) => text.story(story),
    }
    text.machines();
    if scenario.story.is_none() {
        text.faults(fabric.clone(), key);
    }
    text.adversaries(fabric, key);
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

    fn story(&mut self, story: &Story) {
        self.heading("Story");
        for (number, line) in (1..).zip(story.lines()) {
            self.wrapped(&format!("  {number:>3}  "), "       ", line);
        }
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

    fn tally(&self, name: impl Fn(&PeerSpec) -> &String) -> Vec<(String, usize)> {
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

    /// As [`Text::names`], shorter where they are all members.
    fn group(&self, peers: &[PeerId]) -> String {
        let is_member = |peer: &&PeerId| {
            let spec = self.scenario.peers.get(peer.index());
            spec.is_some_and(|spec| spec.role == Role::Member)
        };
        let all = self
            .scenario
            .peers
            .iter()
            .filter(|peer| peer.role == Role::Member);
        match peers.len() > 1 && peers.iter().filter(is_member).count() == peers.len() {
            true if all.count() == peers.len() => "all members".to_owned(),
            true | false => self.names(peers),
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
            let (from, to) = (self.group(&over.from), self.group(&over.to));
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
        let lookahead = fabric.lookahead();
        let (bands, complete) = foresee(self.scenario, fabric, key);
        for (number, spec) in (1..).zip(&self.scenario.faults) {
            let heal = spec
                .heal_by
                .map(|heal| format!(" Healed for good at {heal}."));
            let lasts = match spec.lasts {
                Some(_) | None if !super::lasts(&spec.fault) => String::new(),
                Some(lasts) => format!(", for {lasts}"),
                None if spec.heal_by.is_some() => ", until healed".to_owned(),
                None => ", to the end of the run".to_owned(),
            };
            let what = format!("{}{lasts}", self.what(&spec.fault));
            let (label, when) = (&spec.label, self.when(&spec.when, lookahead));
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
                true => "whom it hits shows only in the run".to_owned(),
                false => self.group(&band.peers),
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

    fn when(&self, when: &When, lookahead: SimDuration) -> String {
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
                let (after, which) = (lookahead + *delay, occurrences(*nth, *times));
                format!("{after} after {which} \"{event}\"{whose}")
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
                format!("crash {} (what is not on disk is lost)", self.whom(peers))
            }
            Fault::Wipe(peers) => format!("crash {} and wipe their disks", self.whom(peers)),
            Fault::Pause(peers) => format!("pause {}", self.whom(peers)),
            Fault::ClockJump { peers, by_nanos } => {
                let by = SimDuration::from_nanos(by_nanos.unsigned_abs());
                let way = if *by_nanos < 0 { "back" } else { "forward" };
                format!("set clocks {way} by {by}: {}", self.whom(peers))
            }
            Fault::LatencyStorm {
                peers,
                factor_milli,
                plus,
            } => {
                let whom = self.whom(peers);
                let factor = thousandths(*factor_milli);
                format!("slow messages to {factor} times as long plus {plus}, from and to {whom}")
            }
            Fault::LossStorm { peers, loss } => {
                let whom = self.whom(peers);
                format!("lose {} of all messages from and to {whom}", percent(*loss))
            }
            Fault::Links { peers, link: by } => {
                format!(
                    "replace the links from and to {} by: {}",
                    self.whom(peers),
                    link(by)
                )
            }
            Fault::Slow { peers, per_input } => {
                format!(
                    "add {per_input} to everything handled by {}",
                    self.whom(peers)
                )
            }
            Fault::RegionOutage(region) => format!("cut all links of region {region}"),
            Fault::Disk { peers, disk: spec } => {
                format!(
                    "let the disks of {} behave otherwise: {}",
                    self.whom(peers),
                    disk(spec)
                )
            }
            Fault::Request { peers, request } => {
                format!("ask for \"{request}\": {}", self.whom(peers))
            }
            Fault::Turn { peers, .. } => format!("turn {}", self.names(peers)),
        }
    }

    fn partition(&self, partition: &Partition) -> String {
        match partition {
            Partition::Halves => "cut the members into two random halves".to_owned(),
            Partition::Sides(sides) => {
                let sides: Vec<String> = sides.iter().map(|side| self.names(side)).collect();
                format!("cut the links between these sides: {}", sides.join(" | "))
            }
            Partition::Bridge { over } => {
                let over = self.whom(over);
                format!("cut the members into two random halves that meet only at {over}")
            }
            Partition::MajorityRing => {
                "leave every member links to a majority only, no two to the same".to_owned()
            }
            Partition::OneWay { from, to } => {
                let (from, to) = (self.whom(from), self.whom(to));
                format!("cut messages from {from} to {to}, not the way back")
            }
            Partition::Isolate(peers) => format!("cut all links of {}", self.whom(peers)),
            Partition::Chain => "leave members links to the next in order only".to_owned(),
            Partition::StarAround(centre) => {
                format!("leave members links with {} only", self.whom(centre))
            }
        }
    }

    fn whom(&self, select: &Select) -> String {
        match select {
            Select::Peers(peers) => self.group(peers),
            Select::Random { count: some, of } => {
                format!(
                    "{} drawn from {}",
                    count(*some as usize, "peer"),
                    self.group(of)
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
