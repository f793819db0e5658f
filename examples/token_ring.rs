//! A protocol of one's own, in a page, under every fault the simulator has.
//!
//! Members of a ring pass one token; who holds it may work. A token that is not acknowledged goes
//! to the next but one; a token that nobody has seen for long is made anew, one generation higher.
//! Do two ever work at the same time? With crashes: no. With a partition: see.
//!
//! ```text
//! cargo run --release --example token_ring
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use fedsim_protocols::{
    Context, Durable, Event, Message, PeerId, Protocol, SimDuration, fold_enum,
};
use fedsim_scenarios::{Document, Folder, Options as Reading, Style};
use fedsim_sim::SimTime;
use fedsim_sim::engine::{self, Cast, Happened, Notice, Observer, Options, World};

/// How long a turn of work takes.
const WORK: SimDuration = SimDuration::from_millis(100);

/// What members send each other.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
enum Wire {
    /// Yours now.
    Token { generation: u64 },
    /// I have it.
    Ack { generation: u64 },
}

fold_enum!(Wire { 0 = Token { generation }, 1 = Ack { generation } });

impl Message for Wire {
    const KINDS: &'static [&'static str] = &["token", "ack"];

    fn kind(&self) -> usize {
        match self {
            Self::Token { .. } => 0,
            Self::Ack { .. } => 1,
        }
    }
}

/// What a member waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Timer {
    /// The work is done: pass the token on.
    Pass,
    /// No acknowledgement came: try the next but one.
    Skip,
    /// No token came for long: make a new one.
    Regenerate,
}

fold_enum!(Timer { 0 = Pass {}, 1 = Skip {}, 2 = Regenerate {} });

/// What a member tells.
#[derive(Clone, Debug)]
enum Told {
    /// Works under a token of this generation.
    Worked { generation: u64 },
    /// Made a token, as none came.
    Regenerated { generation: u64 },
    /// Threw an old token away.
    Discarded { generation: u64 },
}

fold_enum!(Told {
    0 = Worked { generation }, 1 = Regenerated { generation }, 2 = Discarded { generation },
});

impl Event for Told {
    fn name(&self) -> &'static str {
        match self {
            Self::Worked { .. } => "worked",
            Self::Regenerated { .. } => "token-regenerated",
            Self::Discarded { .. } => "token-discarded",
        }
    }
}

/// One member of the ring.
struct Member {
    size: u32,
    generation: u64,
    /// How far down the ring the token was offered last.
    reach: u32,
}

impl Member {
    fn work(&mut self, generation: u64, ctx: &mut Context<'_, Self>) {
        self.generation = generation;
        self.reach = 0;
        ctx.notify(Told::Worked { generation });
        ctx.set_timer(Timer::Pass, WORK);
        self.wait_for_token(ctx);
    }

    fn offer(&mut self, ctx: &mut Context<'_, Self>) {
        self.reach = self.reach % (self.size - 1) + 1;
        let to = PeerId((ctx.me().0 + self.reach) % self.size);
        let generation = self.generation;
        ctx.send(to, Wire::Token { generation });
        ctx.set_timer(Timer::Skip, SimDuration::from_millis(500));
    }

    /// Lower slots lose patience first, so that two seldom make a token at once.
    fn wait_for_token(&self, ctx: &mut Context<'_, Self>) {
        let patience = 6 + 2 * u64::from(ctx.me().0);
        ctx.set_timer(Timer::Regenerate, SimDuration::from_secs(patience));
    }
}

impl Protocol for Member {
    type Message = Wire;
    type Timer = Timer;
    type Record = ();
    type Event = Told;
    type Request = ();
    type Reply = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        match ctx.me() {
            PeerId(0) => self.work(1, ctx),
            PeerId(_) => self.wait_for_token(ctx),
        }
    }

    fn on_restart(&mut self, _: Durable<()>, ctx: &mut Context<'_, Self>) {
        self.wait_for_token(ctx);
    }

    fn on_message(&mut self, from: PeerId, message: &Wire, ctx: &mut Context<'_, Self>) {
        match *message {
            Wire::Token { generation } => {
                ctx.send(from, Wire::Ack { generation });
                match generation < self.generation {
                    true => ctx.notify(Told::Discarded { generation }),
                    false => self.work(generation, ctx),
                }
            }
            Wire::Ack { generation } if generation == self.generation => {
                ctx.cancel_timer(Timer::Skip);
            }
            Wire::Ack { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<'_, Self>) {
        match timer {
            Timer::Pass | Timer::Skip => self.offer(ctx),
            Timer::Regenerate => {
                let generation = self.generation + 1;
                ctx.notify(Told::Regenerated { generation });
                self.work(generation, ctx);
            }
        }
    }
}

/// Builds the members of a run.
struct Ring {
    size: u32,
}

impl Cast for Ring {
    type Machine = Member;

    fn machine(&self, _: PeerId) -> Member {
        Member {
            size: self.size,
            generation: 0,
            reach: 0,
        }
    }

    fn protocol(&self) -> &'static str {
        "token-ring"
    }
}

/// Watches for work of one member while another is at work.
#[derive(Default)]
struct Checker {
    at_work: Option<(PeerId, SimTime)>,
    worked: u64,
    violations: u64,
    story: Vec<String>,
}

impl Checker {
    fn on_work(&mut self, at: SimTime, peer: PeerId) {
        self.worked += 1;
        let before = self.at_work.replace((peer, at + WORK));
        if let Some((other, until)) = before
            && other != peer
            && at < until
        {
            self.violations += 1;
            if self.violations == 1 {
                self.story.push(format!(
                    "{at}: {peer} works, and {other} does until {until}"
                ));
            }
        }
    }
}

impl Observer<Member> for Checker {
    fn notice(&mut self, notice: &Notice<Member>, _: &World<'_>) {
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(Told::Worked { .. }) => self.on_work(at, peer),
            Happened::Event(told @ (Told::Regenerated { .. } | Told::Discarded { .. })) => {
                self.story.push(format!("{at}: {peer}: {told:?}"));
            }
            Happened::Crashed => self.story.push(format!("{at}: {peer} crashed")),
            Happened::Restarted => self.story.push(format!("{at}: {peer} restarted")),
            Happened::Started
            | Happened::Paused
            | Happened::Resumed
            | Happened::Invoked(..)
            | Happened::Replied(..)
            | Happened::Sent(_)
            | Happened::Received(_) => {}
        }
    }
}

const CRASH: &str = r#"
name = "token-ring/crash"
claim = "Two members crash and come back: the ring goes on, and no two ever work at once"
seed = 1
duration = "60s"
[peers]
count = 5
[network]
latency = { uniform = ["10ms", "50ms"] }
[[faults]]
at = "10s"
crash = ["peer-2", "peer-3"]
for = "20s"
"#;

const PARTITION: &str = r#"
name = "token-ring/partition"
claim = "A partition leaves two tokens: passing a token is no mutual exclusion"
seed = 1
duration = "60s"
[peers]
count = 5
[network]
latency = { uniform = ["10ms", "50ms"] }
[[faults]]
at = "10s"
partition = { sides = [["peer-1", "peer-2"], ["peer-3", "peer-4", "peer-5"]] }
for = "20s"
"#;

/// Runs a scenario and says what happened; how often somebody worked while another did.
fn play(text: &str) -> Result<u64, String> {
    let reading = Reading {
        own_protocol: true,
        ..Reading::default()
    };
    let document = Document::read("example", text, &Folder::new("."), &reading)
        .map_err(|errors| errors.render(Style::Plain))?;
    let scenario = document.scenario;
    let ring = Arc::new(Ring {
        size: scenario.peers.len() as u32,
    });
    let mut checker = Checker::default();
    let outcome = engine::run(&scenario, &ring, &Options::default(), &mut checker)
        .map_err(|panic| panic.to_string())?;
    println!("{}: {}", scenario.name, scenario.claim);
    checker.story.iter().for_each(|line| println!("  {line}"));
    println!(
        "  {} turns of work, {} while another was at work, {} events",
        checker.worked, checker.violations, outcome.counters.events
    );
    Ok(checker.violations)
}

fn main() -> ExitCode {
    match (play(CRASH), play(PARTITION)) {
        (Ok(0), Ok(1..)) => ExitCode::SUCCESS,
        (Ok(_), Ok(_)) => {
            eprintln!("the claims above do not hold");
            ExitCode::FAILURE
        }
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
