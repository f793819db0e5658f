//! Carries out a story step by step and tells what each step brings about.
//!
//! Every peer has a time of its own. Checkers and tables need one for all: that of the story, which
//! is never behind any peer's and goes on by a millisecond with every step. Must not know protocols.

use std::collections::BTreeSet;
use std::sync::Arc;

use fedsim_protocols::{Event, Message, PeerId, Protocol, SimDuration};
use fedsim_record::Holds;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::story::{Claim, Deed, Dialect, Fate, Links, Many, Step, Turn, Which};

use super::onlooker::{Onlooker, Word};
use super::transcript::{Transcript, about};
use super::{Directed, MessageOf, Names, Played, Scene, Told};
use crate::engine::{Happened, Held, Notice, Options, RunControl, Sequential, World};
use crate::nemesis::Control;
use crate::time::SimTime;

/// By how much the story's time goes on with each step at least.
const STEP: SimDuration = SimDuration::from_millis(1);
/// Messages that one step delivers at most; more go round in circles.
const DELIVERIES: usize = 100_000;
/// Messages listed where none fits.
const LISTED: usize = 6;

/// Whoever carries out a story.
pub(super) struct Director<'a, C: Directed> {
    scenario: &'a Scenario,
    /// The same, for actors, which outlive no borrow.
    shared: Arc<Scenario>,
    names: Names<'a>,
    cast: &'a Arc<C>,
    table: Sequential<C>,
    onlooker: &'a mut dyn Onlooker<C::Machine>,
    control: Arc<RunControl>,
    clock: SimTime,
    up: Vec<bool>,
    holds: Vec<Which>,
    told: Vec<Option<Told<C>>>,
    /// The state of each peer as told last.
    states: Vec<String>,
    /// Peers that something happened to in this step.
    touched: BTreeSet<PeerId>,
    /// The number of the newest message that was told of.
    seen: u64,
    transcript: Transcript,
    steps: usize,
    failure: Option<String>,
}

impl<'a, C: Directed> Director<'a, C> {
    pub(super) fn new(
        scenario: &'a Scenario,
        cast: &'a Arc<C>,
        options: &Options,
        onlooker: &'a mut dyn Onlooker<C::Machine>,
    ) -> Self {
        let peers = scenario.peers.len();
        Self {
            scenario,
            shared: Arc::new(scenario.clone()),
            names: Names(scenario),
            cast,
            table: Sequential::with_options(scenario, cast, options),
            onlooker,
            control: Arc::clone(&options.control),
            clock: SimTime::ZERO,
            up: vec![false; peers],
            holds: Vec::new(),
            told: vec![None; peers],
            states: vec![String::new(); peers],
            touched: BTreeSet::new(),
            seen: 0,
            transcript: Transcript::default(),
            steps: 0,
            failure: None,
        }
    }

    /// Carries out step after step until one fails; false if the run was cancelled.
    pub(super) fn act(&mut self, steps: &[Step<C::Words>]) -> bool {
        for step in steps {
            if self.control.is_cancelled() {
                return false;
            }
            self.control.set_done(self.clock);
            self.transcript.step(&step.text);
            let done = self.carry_out(&step.deed);
            self.take_in();
            self.tell_states();
            if let Err(why) = done.and_then(|()| self.within_the_run()) {
                self.transcript.line(format!("but {why}"));
                self.failure = Some(why);
                break;
            }
            self.steps += 1;
            self.pass_step();
        }
        true
    }

    pub(super) fn current(&self) -> (SimTime, PeerId) {
        self.table.current()
    }

    pub(super) fn finish(mut self) -> Played {
        for message in self.table.take_messages() {
            self.onlooker.message(&message);
        }
        Played {
            outcome: self.table.outcome(self.clock),
            transcript: self.transcript.into_text(),
            steps: self.steps,
            failure: self.failure,
        }
    }

    fn carry_out(&mut self, deed: &Deed<C::Words>) -> Result<(), String> {
        match deed {
            // The cast gave it to the machines when it built them.
            Deed::Given { .. } => Ok(()),
            Deed::Start(peers) => self.each(peers, |this, peer| {
                this.table.start(peer);
                Ok(())
            }),
            Deed::Tick { peers, by } => self.each(peers, |this, peer| {
                this.table.tick(peer, *by);
                Ok(())
            }),
            Deed::Expire { peers, timer } => {
                self.each(peers, |this, peer| this.expire(peer, *timer))
            }
            Deed::Sync(peers) => self.each(peers, |this, peer| match this.table.sync(peer) {
                true => Ok(()),
                false => Err(format!("{} has nothing to write", this.names.of(peer))),
            }),
            Deed::Carry { fate, which } => self.carry(*fate, which),
            Deed::Cut(links) => self.change(links, Sequential::cut),
            Deed::Connect(links) => self.change(links, Sequential::connect),
            Deed::Life { peers, turn } => self.each(peers, |this, peer| {
                this.table.order(peer, order(*turn));
                Ok(())
            }),
            Deed::Ask { peers, ask } => self.each(peers, |this, peer| this.ask(peer, ask)),
            Deed::Assert(claim) => self.judge(claim),
        }
    }

    /// Does something to one peer after the other.
    fn each(
        &mut self,
        peers: &[PeerId],
        mut deed: impl FnMut(&mut Self, PeerId) -> Result<(), String>,
    ) -> Result<(), String> {
        for peer in peers {
            self.touched.insert(*peer);
            deed(self, *peer)?;
            self.take_in();
        }
        Ok(())
    }

    fn expire(&mut self, peer: PeerId, timer: Option<&'static str>) -> Result<(), String> {
        let mut set = self.table.timers(peer);
        set.sort_by_key(|(timer, at)| (*at, *timer));
        let name = |timer: &_| <C::Words as Dialect>::timer(timer);
        let next = set
            .iter()
            .find(|(set, _)| timer.is_none_or(|wanted| wanted == name(set)));
        let Some((next, at)) = next.copied() else {
            let names: Vec<&str> = set.iter().map(|(timer, _)| name(timer)).collect();
            let set = match names.is_empty() {
                true => "none".to_owned(),
                false => names.join(", "),
            };
            let what = timer.unwrap_or("any");
            let who = self.names.of(peer);
            return Err(format!("{who} has not set {what} timer; set: {set}"));
        };
        self.table.expire_timer(peer, next);
        let (who, timer) = (self.names.of(peer), name(&next));
        let line = format!("{who} at {}: {timer} fires", millis(at));
        self.transcript.line(line);
        Ok(())
    }

    fn ask(&mut self, peer: PeerId, ask: &<C::Words as Dialect>::Ask) -> Result<(), String> {
        let (cast, told) = (Arc::clone(self.cast), self.told.clone());
        let mut scene = Scene {
            table: &mut self.table,
            told: &told,
            names: self.names,
        };
        let request = cast.asked(ask, peer, &mut scene)?;
        self.table.ask(peer, request);
        Ok(())
    }

    fn change(
        &mut self,
        links: &Links,
        change: fn(&mut Sequential<C>, PeerId, PeerId),
    ) -> Result<(), String> {
        let everybody = (0..self.up.len() as u32).map(PeerId);
        let others: Vec<PeerId> = match &links.to {
            Some(peers) => peers.clone(),
            None => everybody
                .filter(|peer| !links.from.contains(peer))
                .collect(),
        };
        for from in &links.from {
            for to in others.iter().filter(|to| *to != from) {
                change(&mut self.table, *from, *to);
                if links.both_ways {
                    change(&mut self.table, *to, *from);
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, claim: &Claim<C::Words>) -> Result<(), String> {
        match claim {
            Claim::Of { peers, claim } => {
                let (cast, told) = (Arc::clone(self.cast), self.told.clone());
                let mut scene = Scene {
                    table: &mut self.table,
                    told: &told,
                    names: self.names,
                };
                let each = peers
                    .iter()
                    .map(|peer| cast.judge(claim, *peer, &mut scene));
                each.collect()
            }
            Claim::Up { peers, up } => {
                let wrong = peers.iter().find(|peer| self.up[peer.index()] != *up);
                let is = |up: bool| if up { "up" } else { "down" };
                wrong.map_or(Ok(()), |peer| {
                    Err(format!("{} is {}", self.names.of(*peer), is(!up)))
                })
            }
            Claim::Waiting { which, count } => {
                let waiting = self.table.held().iter();
                let found = waiting.filter(|held| fits(which, held)).count() as u64;
                match found == *count {
                    true => Ok(()),
                    false => Err(format!("{found} wait; {}", self.waiting())),
                }
            }
            Claim::Invariant { name, holds } => {
                let wanted = if *holds {
                    Holds::Holds
                } else {
                    Holds::Violated
                };
                match self.onlooker.word(name, self.clock) {
                    Word::NotAsked => Ok(()),
                    Word::Unjudged => Err(format!("nobody judges {name} in the course of a run")),
                    Word::Said(found) if found.holds == wanted => Ok(()),
                    Word::Said(found) => Err(match &found.first {
                        Some(first) => format!("it is violated: {}", first.message),
                        None => found.holds.words().to_owned(),
                    }),
                }
            }
        }
    }

    fn carry(&mut self, fate: Fate, which: &Which) -> Result<(), String> {
        match fate {
            Fate::Hold => {
                self.holds.push(without_number(which));
                Ok(())
            }
            Fate::Release => {
                let (before, which) = (self.holds.len(), without_number(which));
                self.holds.retain(|held| *held != which);
                match self.holds.len() < before {
                    true => Ok(()),
                    false => Err("no step held just these messages".to_owned()),
                }
            }
            Fate::Deliver | Fate::Drop | Fate::Duplicate => self.carry_now(fate, which),
        }
    }

    fn carry_now(&mut self, fate: Fate, which: &Which) -> Result<(), String> {
        if which.many != Many::All {
            let one = self.pick(which, 0).ok_or_else(|| self.nothing(which))?;
            self.let_befall(fate, one);
            return Ok(());
        }
        let mut after = 0;
        for _ in 0..DELIVERIES {
            let Some(next) = self.pick(which, after) else {
                return Ok(());
            };
            self.let_befall(fate, next);
            if fate == Fate::Duplicate {
                after = next;
            }
        }
        Err(format!(
            "messages do not come to rest after {DELIVERIES} deliveries"
        ))
    }

    /// The number of the message that is meant, among those behind `after`.
    fn pick(&self, which: &Which, after: u64) -> Option<u64> {
        let free = |held: &&Held<MessageOf<C>>| !self.holds.iter().any(|rule| fits(rule, held));
        let mut fitting = self.table.held().iter().filter(free);
        let meant = |held: &&Held<MessageOf<C>>| held.number > after && fits(which, held);
        let found = match which.many {
            Many::Next | Many::All => fitting.find(meant),
            Many::Last => fitting.rfind(meant),
        };
        found.map(|held| held.number)
    }

    fn let_befall(&mut self, fate: Fate, number: u64) {
        let held = self.table.held().iter().find(|held| held.number == number);
        let Some(held) = held.cloned() else { return };
        let gone = !self.up[held.to.index()] || !self.table.fabric().connects(held.from, held.to);
        let verb = match fate {
            Fate::Drop => "does not get",
            Fate::Duplicate => "gets a copy of",
            _ if gone => "cannot get",
            _ => "gets",
        };
        let (from, to) = (self.names.of(held.from), self.names.of(held.to));
        let (verb, from) = (format!("{to} {verb}"), format!("from {from}"));
        self.transcript.line(about(
            &verb,
            kind::<C>(&held.payload),
            &from,
            &self.cast.message(&held.payload, &self.names),
        ));
        self.touched.insert(held.to);
        match fate {
            Fate::Drop => {
                self.table.discard(number);
            }
            Fate::Duplicate => self.table.deliver_copy(held),
            Fate::Deliver | Fate::Hold | Fate::Release => {
                self.table.deliver(number);
            }
        }
        self.take_in();
    }

    fn nothing(&self, which: &Which) -> String {
        let mut waiting = self.table.held().iter();
        match waiting.any(|held| fits(which, held)) {
            true => format!("such messages are held; {}", self.waiting()),
            false => format!("no such message waits; {}", self.waiting()),
        }
    }

    fn waiting(&self) -> String {
        let held = self.table.held();
        let word = |held: &Held<MessageOf<C>>| {
            let (from, to) = (self.names.of(held.from), self.names.of(held.to));
            format!("{} from {from} to {to}", kind::<C>(&held.payload))
        };
        let mut words: Vec<String> = held.iter().take(LISTED).map(word).collect();
        match held.len() {
            0 => return "nothing waits".to_owned(),
            all if all > LISTED => words.push(format!("{} more", all - LISTED)),
            _ => {}
        }
        format!("waiting: {}", words.join(", "))
    }

    /// Tells observers and readers what happened since the last time.
    fn take_in(&mut self) {
        for lost in self.table.take_lost() {
            self.tell_sent(&lost, "sends in vain");
        }
        let newest = self
            .table
            .held()
            .last()
            .map_or(self.seen, |held| held.number);
        let fresh = self
            .table
            .held()
            .iter()
            .filter(|held| held.number > self.seen);
        let fresh: Vec<_> = fresh.cloned().collect();
        self.seen = self.seen.max(newest);
        for held in &fresh {
            self.tell_sent(held, "sends");
        }
        for notice in self.table.take_notices() {
            self.hear(notice);
        }
    }

    fn tell_sent(&mut self, held: &Held<MessageOf<C>>, verb: &str) {
        let (from, to) = (self.names.of(held.from), self.names.of(held.to));
        let (verb, to) = (format!("{from} {verb}"), format!("to {to}"));
        let says = self.cast.message(&held.payload, &self.names);
        let line = about(&verb, kind::<C>(&held.payload), &to, &says);
        self.transcript.line(line);
    }

    fn hear(&mut self, mut notice: Notice<C::Machine>) {
        self.clock = self.clock.max(notice.at);
        notice.at = self.clock;
        let peer = notice.peer;
        self.touched.insert(peer);
        let who = self.names.of(peer);
        match &notice.what {
            Happened::Started | Happened::Restarted => self.up[peer.index()] = true,
            Happened::Crashed => self.up[peer.index()] = false,
            Happened::Invoked(id, _) => self.told[peer.index()] = Some((*id, None)),
            Happened::Replied(id, reply) => {
                let last = self.told[peer.index()].as_mut();
                if let Some((_, answer)) = last.filter(|(asked, _)| asked == id) {
                    *answer = Some(reply.clone());
                }
                let line = format!("{who} answers: {}", self.cast.reply(reply));
                self.transcript.line(line);
            }
            Happened::Event(event) => {
                let refused = event.rejected().map(|why| format!("refuses: {why}"));
                if let Some(remark) = refused.or_else(|| self.cast.remark(event)) {
                    self.transcript.line(format!("{who} {remark}"));
                }
            }
            Happened::Paused | Happened::Resumed | Happened::Sent(_) | Happened::Received(_) => {}
        }
        let fabric = self.table.fabric();
        let world = World {
            fabric: &fabric,
            up: &self.up,
        };
        self.onlooker.notice(&notice, &world);
    }

    fn tell_states(&mut self) {
        for peer in std::mem::take(&mut self.touched) {
            let (cast, scenario) = (Arc::clone(self.cast), Arc::clone(&self.shared));
            let state = match self.up[peer.index()] {
                false => "down".to_owned(),
                true => self.table.look(peer, move |machine| {
                    let words = |machine| cast.state(machine, &Names(&scenario));
                    machine.map_or_else(String::new, words)
                }),
            };
            let was = &self.states[peer.index()];
            let never_ran = was.is_empty() && !self.up[peer.index()];
            if state != *was && !never_ran {
                let line = format!("{} is {state}", self.names.of(peer));
                self.transcript.line(line);
                self.states[peer.index()] = state;
            }
        }
    }

    /// No peer's time may go beyond the run's.
    fn within_the_run(&self) -> Result<(), String> {
        let end = SimTime::from(self.scenario.duration);
        let peers = (0..self.up.len() as u32).map(PeerId);
        let mut late = peers.filter(|peer| self.table.now(*peer) > end);
        late.next().map_or(Ok(()), |peer| {
            let who = self.names.of(peer);
            Err(format!(
                "the time of {who} is past the run's duration, {}",
                self.scenario.duration
            ))
        })
    }

    /// The story's time goes on: a change of weather, for checkers that wait for calm.
    fn pass_step(&mut self) {
        self.clock = self.clock + STEP;
        let fabric = self.table.fabric();
        let world = World {
            fabric: &fabric,
            up: &self.up,
        };
        self.onlooker.weather_changed(self.clock, &world);
        self.onlooker.sample(self.clock, &world);
    }
}

fn order(turn: Turn) -> Control {
    match turn {
        Turn::Crash => Control::Crash,
        Turn::Wipe => Control::Wipe,
        Turn::Restart => Control::Restart,
        Turn::Pause => Control::Pause,
        Turn::Resume => Control::Resume,
    }
}

fn without_number(which: &Which) -> Which {
    Which {
        many: Many::All,
        ..which.clone()
    }
}

fn fits<M: Message>(which: &Which, held: &Held<M>) -> bool {
    let is_among = |peers: &Option<Vec<PeerId>>, peer| {
        peers.as_ref().is_none_or(|peers| peers.contains(&peer))
    };
    which.kind.is_none_or(|kind| kind == held.payload.kind())
        && is_among(&which.from, held.from)
        && is_among(&which.to, held.to)
}

fn kind<C: Directed>(message: &MessageOf<C>) -> &'static str {
    <<C::Machine as Protocol>::Message as Message>::KINDS[message.kind()]
}

/// A moment as a story tells it: to the microsecond.
fn millis(at: SimTime) -> String {
    let micros = at.as_nanos() / 1_000;
    SimDuration::from_nanos(micros * 1_000).to_string()
}
