//! A whole federation drawn from a seed, as the text of a scenario.
//!
//! Every layer stands. No more liars sit in councils than the councils withstand; further attackers
//! keep to what peers ask of each other. Faults are over five seconds before the run is.

use std::fmt::Write as _;

use fedsim_protocols::{RunKey, Stream, StreamLabel, quorum};
use fedsim_scenarios::spec::Behaviour;

/// What each organisation is called.
const NAMES: [&str; 5] = ["acme", "globex", "initech", "umbrella", "mallory"];
/// Kinds of errand, and the ability that each needs unless it is decided.
const KINDS: [(&str, Option<&str>); 13] = [
    ("status", Some("status")),
    ("ping", Some("ping")),
    ("message", Some("send")),
    ("query", Some("query-redacted")),
    ("context-share", Some("share-context")),
    ("task", Some("collaborative-task")),
    ("memory-query", Some("full-memory")),
    ("trust-change", None),
    ("topology-change", None),
    ("roster-change", None),
    ("agent-spawn", None),
    ("hand-off", None),
    ("merge", None),
];
/// What an attacker can do by itself at any time.
const ACTIVE: [&str; 7] = [
    "impersonate",
    "tamper",
    "overreach",
    "privilege-claim",
    "self-made-grant",
    "expired-action",
    "malformed-action",
];

/// A federation as it is drawn.
pub(super) struct Drawn {
    dice: Stream,
    /// How many peers each organisation has.
    sizes: Vec<u64>,
    is_two_tier: bool,
    /// How many are in no council at the end.
    revoked: usize,
    text: String,
}

/// The scenario of a seed.
pub(super) fn federation(seed: u64) -> String {
    let mut dice = Stream::new(RunKey::from_seed(seed), StreamLabel::global("storm"));
    let count = dice.between(2, 5);
    let sizes = (0..count).map(|_| dice.between(1, 3)).collect();
    let is_two_tier = dice.below(2) == 0;
    let mut drawn = Drawn {
        dice,
        sizes,
        is_two_tier,
        revoked: 0,
        text: String::new(),
    };
    drawn.stage(seed);
    drawn.layers();
    drawn.exposures();
    drawn.operations();
    drawn.errands();
    drawn.faults();
    drawn.adversaries();
    drawn.text
}

impl Drawn {
    fn one_in(&mut self, number: u64) -> bool {
        self.dice.below(number) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.dice.below(of.len() as u64) as usize]
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn peers(&self) -> Vec<String> {
        let all = NAMES.iter().zip(&self.sizes);
        let names = all.flat_map(|(name, size)| (1..=*size).map(move |n| format!("{name}-{n}")));
        names.collect()
    }

    fn peer(&mut self) -> String {
        let peers = self.peers();
        peers[self.dice.below(peers.len() as u64) as usize].clone()
    }

    /// A peer, an organisation or everybody.
    fn some(&mut self) -> String {
        match self.dice.below(4) {
            0 => "*".to_owned(),
            1 => self.peer(),
            _ => self.organisation(),
        }
    }

    fn organisation(&mut self) -> String {
        let place = self.dice.below(self.sizes.len() as u64);
        format!("{}-*", NAMES[place as usize])
    }

    fn stage(&mut self, seed: u64) {
        self.add("name = \"test/storm\"\nclaim = \"nothing is amiss\"");
        self.add("duration = \"20s\"\nsignatures = \"ideal\"");
        self.add(&format!("seed = {seed}"));
        for (name, size) in NAMES.into_iter().zip(self.sizes.clone()) {
            self.add(&format!("[[orgs]]\nname = \"{name}\"\npeers = {size}"));
        }
        let (low, more) = (self.dice.between(5, 20), self.dice.between(0, 80));
        let (loss, duplicate) = (self.dice.below(5), self.dice.below(5));
        self.add("[network]");
        let high = low + more;
        self.add(&format!(
            "latency = {{ uniform = [\"{low}ms\", \"{high}ms\"] }}"
        ));
        self.add(&format!("loss = \"{loss}%\"\nduplicate = \"{duplicate}%\""));
        for peers in NAMES.into_iter().take(self.sizes.len()) {
            // Two honest clocks are ten seconds apart at most, as `skew` says.
            let offset = self.dice.between(0, 10_000) as i64 - 5_000;
            self.add(&format!(
                "[[network.clocks]]\npeers = \"{peers}-*\"\noffset = \"{offset}ms\""
            ));
        }
    }

    fn layers(&mut self) {
        let across = if self.is_two_tier { "two-tier" } else { "flat" };
        let trust = self.pick(&["sound", "sound", "reference"]);
        let level = self.pick(&["verified", "attested", "trusted", "privileged"]);
        let content = self.pick(&["full", "keyed-hash"]);
        let work = self.dice.between(0, 800);
        let resend = self.dice.between(500, 2_000);
        let screening = self.pick(&["inbound", "both"]);
        self.add("[federation]\nprofile = \"full\"\nskew = \"10s\"\ncheckpoint_interval = 20");
        self.add(&format!("across = \"{across}\"\ntrust_model = \"{trust}\""));
        self.add(&format!(
            "level = \"{level}\"\naudit_content = \"{content}\""
        ));
        self.add(&format!(
            "work_max = \"{work}ms\"\nresend_after = \"{resend}ms\""
        ));
        self.add(&format!("screening = \"{screening}\""));
        self.add("trust_every = \"2s\"\naudit_every = \"4s\"");
        if self.one_in(2) {
            let lifetime = self.dice.between(2, 8);
            self.add(&format!(
                "session_lifetime = \"{lifetime}s\"\nheartbeat = \"1s\""
            ));
            self.add("session_lifetime_max = \"12s\"");
        }
        if self.one_in(2) {
            self.add("renew_leases = true");
        }
        let has_company = self.sizes.iter().sum::<u64>() > 2;
        if has_company && self.one_in(4) {
            let who = self.peer();
            self.revoked += 1;
            self.add(&format!("revoked = \"{who}\""));
        }
    }

    fn exposures(&mut self) {
        for _ in 0..self.dice.between(0, 2) {
            let (by, of) = (self.some(), self.some());
            let level = self.pick(&["untrusted", "attested", "privileged"]);
            self.add(&format!(
                "[[federation.trust]]\nby = \"{by}\"\nof = \"{of}\"\nlevel = \"{level}\""
            ));
        }
        for _ in 0..self.dice.between(2, 6) {
            let (by, to) = (self.some(), self.some());
            let (_, capability) = self.pick(&KINDS[..7]);
            let depth = self.dice.below(3);
            self.exposure((&by, &to), capability.unwrap_or("send"), depth);
        }
        self.exposure(("*", "*"), "review", 2);
        for _ in 0..self.dice.between(1, 2) {
            let by = self.organisation();
            let money = self.dice.between(100, 2_000) * 1_000;
            let hops = self.dice.between(0, 4);
            self.add(&format!(
                "[[federation.budgets]]\nby = \"{by}\"\nmicro_usd = {money}\nhops = {hops}"
            ));
        }
        for _ in 0..self.dice.between(0, 2) {
            let (by, to) = (self.organisation(), self.organisation());
            let (parts, percent) = (self.dice.between(1, 3), self.dice.between(20, 100));
            self.add(&format!(
                "[[federation.delegate]]\nby = \"{by}\"\nto = \"{to}\"\ncapability = \"review\""
            ));
            self.add(&format!("parts = {parts}\npercent = {percent}"));
        }
    }

    fn exposure(&mut self, (by, to): (&str, &str), capability: &str, depth: u64) {
        self.add("[[federation.expose]]");
        self.add(&format!("by = \"{by}\"\nto = \"{to}\""));
        self.add(&format!("capability = \"{capability}\"\ndepth = {depth}"));
    }

    fn errands(&mut self) {
        for _ in 0..self.dice.between(3, 6) {
            let (kind, _) = self.pick(&KINDS);
            self.errand(kind, "");
        }
        self.errand("message", "canaries = 0.4");
        self.errand("merge", "");
        self.errand("hand-off", "resource = 1");
        if self.one_in(2) {
            let claim = self.pick(&["hand-over", "release"]);
            self.errand("hand-off", &format!("resource = 1\nclaim = \"{claim}\""));
        }
        let (money, hops) = (self.dice.between(10, 300) * 1_000, self.dice.below(4));
        let review = format!("capability = \"review\"\nmicro_usd = {money}\nhand_on = {hops}");
        self.errand("task", &review);
        if self.one_in(2) {
            self.errand("message", "injections = 0.3");
        }
    }

    fn errand(&mut self, kind: &str, more: &str) {
        let (by, to) = (self.some(), self.some());
        let pace = self.dice.between(1, 4);
        let lifetime = self.dice.between(2, 12);
        self.add("[[workload.errands]]");
        self.add(&format!(
            "kind = \"{kind}\"\nby = \"{by}\"\nto = [\"{to}\", \"*-1\"]"
        ));
        self.add(&format!(
            "rate = \"1/{pace}s\"\nlifetime = \"{lifetime}s\"\n{more}"
        ));
    }

    /// Members take up other keys, or are revoked.
    fn operations(&mut self) {
        for _ in 0..self.dice.below(3) {
            let (at, who) = (self.dice.between(1, 12), self.peer());
            let what = self.pick(&["rotate", "rotate", "revoke"]);
            self.revoked += usize::from(what == "revoke");
            self.add(&format!(
                "[[federation.operations]]\nat = \"{at}s\"\n{what} = \"{who}\""
            ));
        }
    }

    fn faults(&mut self) {
        for _ in 0..self.dice.between(0, 3) {
            let (at, lasts) = (self.dice.between(1, 8), self.dice.between(500, 6_000));
            let (who, far) = (self.peer(), self.dice.between(0, 2_000) as i64 - 1_000);
            let what = match self.dice.below(8) {
                0 => "partition = \"halves\"".to_owned(),
                1 => format!("crash = \"{who}\""),
                2 => format!("crash = \"{}\"", self.organisation()),
                3 => format!("pause = \"{who}\""),
                4 => format!("partition = {{ isolate = \"{who}\" }}"),
                5 => format!("loss-storm = {{ peers = \"{who}\", loss = \"40%\" }}"),
                6 => format!("slow = {{ peers = \"{who}\", per_input = \"20ms\" }}"),
                _ => format!("clock-jump = {{ peers = \"{who}\", by = \"{far}ms\" }}"),
            };
            self.add(&format!("[[faults]]\nat = \"{at}s\"\n{what}"));
            if !what.starts_with("clock-jump") {
                self.add(&format!("for = \"{lasts}ms\""));
            }
        }
    }

    /// Attackers: those who may lie in councils, and those who only act.
    fn adversaries(&mut self) {
        let mut seats = self.peers();
        self.dice.shuffle(&mut seats);
        let withstood = self.withstood(&seats);
        let count = self.dice.between(1, 3).min(seats.len() as u64 - 1);
        for (number, seat) in seats.into_iter().take(count as usize).enumerate() {
            let lies = number < withstood && !self.one_in(4);
            let mut what = vec![self.pick(&ACTIVE)];
            for _ in 0..self.dice.between(1, 3) {
                what.push(self.behaviour(lies));
            }
            what.sort_unstable();
            what.dedup();
            self.adversary(&seat, &what);
        }
    }

    /// How many of the first of `seats` may lie in councils.
    fn withstood(&self, seats: &[String]) -> usize {
        if !self.is_two_tier {
            return quorum::max_faulty(seats.len().saturating_sub(self.revoked).max(1));
        }
        let of = |seat: &String| seat.split('-').next().map(str::to_owned);
        let mut lying: Vec<Option<String>> = Vec::new();
        let fits = |seat: &&String| {
            lying.push(of(seat));
            lying.sort();
            lying.dedup();
            lying.len() <= quorum::max_faulty(self.sizes.len())
        };
        seats.iter().take_while(fits).count()
    }

    fn behaviour(&mut self, lies: bool) -> &'static str {
        let fits = |it: &&Behaviour| {
            let own = it.protocols();
            !it.is_of_network() && it.fits(&["federation"]) && (lies || own == ["federation"])
        };
        let fitting: Vec<&str> = Behaviour::ALL
            .iter()
            .filter(fits)
            .map(|it| it.name())
            .collect();
        self.pick(&fitting)
    }

    fn adversary(&mut self, who: &str, what: &[&str]) {
        let at = self.dice.between(0, 8_000);
        let pace = self.dice.between(200, 1_000);
        let what = what.join("\", \"");
        self.add(&format!(
            "[[adversaries]]\nwho = \"{who}\"\nwhat = [\"{what}\"]"
        ));
        self.add(&format!("at = \"{at}ms\"\npace = \"{pace}ms\""));
        // A crash-stop is for good.
        if self.one_in(3) && !what.contains("crash-stop") {
            let lasts = self.dice.between(2, 10);
            let _ = writeln!(self.text, "for = \"{lasts}s\"");
        }
    }
}
