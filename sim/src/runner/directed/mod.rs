//! Directed runs: a story instead of weather, step by step over the same actors.
//!
//! ```text
//!   story ──▶ director ──▶ engine by hand ──▶ the checkers of the protocol, transcript ──▶ RunRecord
//! ```
//!
//! A protocol takes part through [`Directed`]: how its requests, states and messages are worded, and
//! what makes a claim about it true. Must not know how a story is written.

mod director;
mod onlooker;
mod pbft;
mod raft;
mod rumor;
mod swim;
mod transcript;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use fedsim_protocols::{PeerId, Protocol, RequestId};
use fedsim_record::{Attachment, Expectation, RunRecord};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::Role;
use fedsim_scenarios::spec::story::{Dialect, Step};

use super::perform::{Desk, conclude, engine_options};
use super::recorder::Recorder;
use super::watch::{Watch, WatchReport};
use super::{
    Difference, DifferingEvent, RunFailure, RunOptions, Verification, VerifiedRun, tables,
};
use crate::adversary::byzantine;
use crate::engine::{Cast, Observer, Options, Outcome, PeerPanic, Sequential, panic_message};
use crate::time::SimTime;
use director::Director;
use onlooker::{Again, Onlooker};

/// The file of a directed run that tells what each step brought about.
pub const TRANSCRIPT_FILE: &str = "transcript.txt";

/// The name of the expectation that a story comes to its end.
const STORY: &str = "story";

/// A message of the machines of a cast.
type MessageOf<C> = <<C as Cast>::Machine as Protocol>::Message;
/// A timer of the machines of a cast.
type TimerOf<C> = <<C as Cast>::Machine as Protocol>::Timer;
/// A request to the machines of a cast.
type RequestOf<C> = <<C as Cast>::Machine as Protocol>::Request;
/// A reply of the machines of a cast.
type ReplyOf<C> = <<C as Cast>::Machine as Protocol>::Reply;

/// A cast that can act out a story.
pub trait Directed: Cast {
    /// The words of its protocol.
    type Words: Dialect<Protocol: Protocol<Message = MessageOf<Self>, Timer = TimerOf<Self>>>;

    /// Invariants that a story can hold or break. Others promise something for when time has passed
    /// for everybody, and are not judged: in a story it passes for whom it is told to.
    const TIMELESS: &'static [&'static str];

    /// The request behind what a peer is asked.
    ///
    /// # Errors
    /// Why this peer cannot be asked that.
    fn asked(
        &self,
        ask: &<Self::Words as Dialect>::Ask,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<RequestOf<Self>, String>
    where
        Self: Sized;

    /// Whether a claim about a peer is true.
    ///
    /// # Errors
    /// What is true instead.
    fn judge(
        &self,
        claim: &<Self::Words as Dialect>::Claim,
        peer: PeerId,
        scene: &mut Scene<'_, Self>,
    ) -> Result<(), String>
    where
        Self: Sized;

    /// A machine's state in a few words, all that a reader follows a story by.
    fn state(&self, machine: &Self::Machine, names: &Names<'_>) -> String;

    /// What a message says beside its kind, in a few words.
    fn message(&self, message: &MessageOf<Self>, names: &Names<'_>) -> String;

    /// What a user is told.
    fn reply(&self, reply: &ReplyOf<Self>) -> String;

    /// What an event adds to what the state tells, if anything.
    fn remark(&self, event: &<Self::Machine as Protocol>::Event) -> Option<String>;
}

/// Nicknames by slot.
#[derive(Clone, Copy)]
pub struct Names<'a>(&'a Scenario);

impl Names<'_> {
    /// The nickname of a peer.
    pub fn of(&self, peer: PeerId) -> &str {
        &self.0.peers[peer.index()].nickname
    }

    /// All nicknames, by slot.
    pub fn all(&self) -> Arc<[String]> {
        let peers = self.0.peers.iter();
        peers.map(|peer| peer.nickname.clone()).collect()
    }

    /// All members, by slot.
    pub fn members(&self) -> Vec<PeerId> {
        let slots = (0..).map(PeerId).zip(&self.0.peers);
        let members = slots.filter(|(_, peer)| peer.role == Role::Member);
        members.map(|(slot, _)| slot).collect()
    }

    /// Nicknames with commas between them; `nobody` for none.
    pub fn list(&self, peers: &[PeerId]) -> String {
        let names: Vec<&str> = peers.iter().map(|peer| self.of(*peer)).collect();
        match names.is_empty() {
            true => "nobody".to_owned(),
            false => names.join(", "),
        }
    }
}

/// A request, and its answer once there is one.
pub(super) type Told<C> = (RequestId, Option<ReplyOf<C>>);

/// What a claim may look at.
pub struct Scene<'a, C: Directed> {
    /// The peers.
    pub table: &'a mut Sequential<C>,
    /// The last request at each peer, and its answer once there is one.
    pub told: &'a [Option<Told<C>>],
    /// Who is who.
    pub names: Names<'a>,
}

/// What came of a story.
struct Played {
    outcome: Outcome,
    transcript: String,
    /// How many steps were done.
    steps: usize,
    /// Why the next one was not.
    failure: Option<String>,
}

/// Acts out `steps` of `scenario`, watched by `watch`, and judges them.
pub(crate) fn run_story<C: Directed, W: Watch<C::Machine>>(
    scenario: &Scenario,
    steps: &[Step<C::Words>],
    cast: &Arc<C>,
    mut watch: W,
    options: &RunOptions,
) -> Result<RunRecord, RunFailure> {
    let mut engine_options = engine_options(scenario, options);
    engine_options.messages = options.trace || scenario.report.trace;
    engine_options.threads = 1;
    if engine_options.messages {
        watch.write_trace();
    }
    let mut recorder = Recorder::new(watch, cast.protocol(), byzantine(scenario));
    let played = play(scenario, steps, cast, &engine_options, &mut recorder)?;
    let tell = |observer: &mut dyn Observer<C::Machine>| {
        let quiet = Options {
            messages: false,
            ..engine_options.clone()
        };
        let mut again = Again(observer);
        play(scenario, steps, cast, &quiet, &mut again).map(|played| played.outcome)
    };
    let desk = Desk {
        scenario,
        cast,
        options,
        threads: 1,
        outcome: played.outcome.clone(),
    };
    let further = |report: &mut WatchReport| {
        let is_timeless = |name: &str| C::TIMELESS.contains(&name);
        report.findings.retain(|finding| is_timeless(finding.name));
        report.expectations.push(expectation(steps, &played));
        report.attachments.push(Attachment {
            name: TRANSCRIPT_FILE.to_owned(),
            text: played.transcript.clone(),
        });
    };
    conclude(&desk, recorder, further, tell)
}

fn expectation<D: Dialect>(steps: &[Step<D>], played: &Played) -> Expectation {
    let got = match &played.failure {
        None => format!("{} steps", played.steps),
        Some(why) => {
            let (number, text) = (played.steps + 1, &steps[played.steps].text);
            format!("step {number}, `{text}`: {why}")
        }
    };
    Expectation {
        name: STORY.to_owned(),
        met: played.failure.is_none(),
        wanted: format!("{} steps", steps.len()),
        got,
    }
}

/// Acts out a story twice and compares digests and transcripts.
pub(super) fn verify_story<C: Directed>(
    scenario: &Scenario,
    steps: &[Step<C::Words>],
    cast: &Arc<C>,
    options: &RunOptions,
) -> Result<Verification, RunFailure> {
    let options = engine_options(scenario, options);
    let one = play(scenario, steps, cast, &options, &mut Again(&mut ()))?;
    let other = play(scenario, steps, cast, &options, &mut Again(&mut ()))?;
    let run = |played: &Played| VerifiedRun {
        threads: 1,
        digest: tables::hex(&played.outcome.digest),
    };
    let mut lines = one.transcript.lines().zip(other.transcript.lines());
    let differs = lines.find(|(one, other)| one != other);
    let event = differs.map(|(first, second)| DifferingEvent {
        at: SimTime::ZERO,
        peer: STORY.to_owned(),
        class: "step",
        from: STORY.to_owned(),
        texts: [Some(first.to_owned()), Some(second.to_owned())],
    });
    let runs = vec![run(&one), run(&other)];
    let same = event.is_none() && runs[0].digest == runs[1].digest;
    Ok(Verification {
        runs,
        difference: (!same).then_some(Difference {
            threads: [1, 1],
            event,
        }),
    })
}

/// Acts out a story; a panic of a machine ends it.
fn play<C: Directed>(
    scenario: &Scenario,
    steps: &[Step<C::Words>],
    cast: &Arc<C>,
    options: &Options,
    onlooker: &mut dyn Onlooker<C::Machine>,
) -> Result<Played, RunFailure> {
    let director = RefCell::new(Director::new(scenario, cast, options, onlooker));
    let acted = catch_unwind(AssertUnwindSafe(|| director.borrow_mut().act(steps)));
    let director = director.into_inner();
    match acted {
        Ok(true) => Ok(director.finish()),
        Ok(false) => Err(RunFailure::Cancelled),
        Err(cause) => {
            let (at, peer) = director.current();
            let message = panic_message(&*cause);
            Err(PeerPanic { at, peer, message }.into())
        }
    }
}
