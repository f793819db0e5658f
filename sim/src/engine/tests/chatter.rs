//! A protocol that does a bit of everything at random, and an observer that writes it all down.

use borsh::{BorshDeserialize, BorshSerialize};
use fedsim_protocols::{
    Context, Durable, Event, Message, PeerId, PersistToken, Protocol, RequestId, SimDuration,
    Stored, Write, fold_enum, fold_struct,
};

use crate::engine::{Cast, Happened, MessageTrace, Notice, Observer, Passage, Workload, World};
use crate::time::SimTime;

#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub(super) struct Word {
    pub(super) hops: u32,
    pub(super) number: u64,
}
fold_struct!(Word { hops, number });

impl Message for Word {
    const KINDS: &'static [&'static str] = &["first", "passed-on"];

    fn kind(&self) -> usize {
        usize::from(self.hops > 0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Heard {
    Word { number: u64, from: PeerId },
    Kept { number: u64 },
    Remembered { words: u64 },
    Rang { timer: u8 },
}
fold_enum!(Heard {
    0 = Word { number, from },
    1 = Kept { number },
    2 = Remembered { words },
    3 = Rang { timer }
});

impl Event for Heard {
    fn name(&self) -> &'static str {
        match self {
            Self::Word { .. } => "word",
            Self::Kept { .. } => "kept",
            Self::Remembered { .. } => "remembered",
            Self::Rang { .. } => "rang",
        }
    }
}

/// Talks to random peers; keeps every third word it hears before it passes it on.
#[derive(Clone, Debug)]
pub(super) struct Chatter {
    peers: u64,
    kept: u64,
    waiting: Vec<u64>,
    panics_at: Option<u64>,
}

impl Chatter {
    fn pass_on(&self, word: &Word, ctx: &mut Context<'_, Self>) {
        let to = ctx.rng().below(self.peers) as u32;
        let word = Word {
            hops: word.hops + 1,
            number: word.number,
        };
        ctx.send(PeerId(to), word);
    }
}

impl Protocol for Chatter {
    type Message = Word;
    type Timer = u8;
    type Record = u64;
    type Event = Heard;
    type Request = u64;
    type Reply = u64;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        let first = ctx.rng().below(100_000_000);
        ctx.set_timer(0, SimDuration::from_nanos(first));
        ctx.set_timer(1, SimDuration::from_secs(1));
    }

    fn on_restart(&mut self, durable: Durable<u64>, ctx: &mut Context<'_, Self>) {
        let intact = |stored: &&Stored<u64>| matches!(stored, Stored::Intact(_));
        let words = durable.log.iter().filter(intact).count() as u64;
        self.kept = durable.log.len() as u64;
        ctx.notify(Heard::Remembered { words });
        self.on_start(ctx);
    }

    fn on_message(&mut self, from: PeerId, word: &Word, ctx: &mut Context<'_, Self>) {
        assert_ne!(Some(word.number), self.panics_at, "the forbidden word");
        let number = word.number;
        ctx.notify(Heard::Word { number, from });
        ctx.set_timer(1, SimDuration::from_millis(300));
        if number.is_multiple_of(3) {
            let index = self.kept;
            self.kept += 1;
            self.waiting.push(number);
            let record = number;
            ctx.persist(PersistToken(index), vec![Write::Append { index, record }]);
        }
        if word.hops < 6 {
            self.pass_on(word, ctx);
        }
    }

    fn on_timer(&mut self, timer: u8, ctx: &mut Context<'_, Self>) {
        ctx.notify(Heard::Rang { timer });
        if timer == 0 {
            let number = ctx.rng().below(1_000);
            let all = (0..self.peers as u32).map(PeerId);
            let two: Vec<PeerId> = all.skip(number as usize % 3).take(2).collect();
            ctx.multicast(two, Word { hops: 0, number });
            let next = ctx.rng().between(20_000_000, 200_000_000);
            ctx.set_timer(0, SimDuration::from_nanos(next));
        }
        if number_is_even(ctx) {
            ctx.cancel_timer(1);
        }
    }

    fn on_request(&mut self, id: RequestId, request: u64, ctx: &mut Context<'_, Self>) {
        self.pass_on(
            &Word {
                hops: 0,
                number: request,
            },
            ctx,
        );
        ctx.reply(id, request + 1);
    }

    fn on_persisted(&mut self, token: PersistToken, ctx: &mut Context<'_, Self>) {
        if !self.waiting.is_empty() {
            let number = self.waiting.remove(0);
            ctx.notify(Heard::Kept { number });
        }
        let _ = token;
    }
}

fn number_is_even(ctx: &mut Context<'_, Chatter>) -> bool {
    ctx.rng().below(2) == 0
}

/// Everybody chats.
pub(super) struct Chat {
    pub(super) peers: u64,
    pub(super) panics_at: Option<u64>,
}

impl Cast for Chat {
    type Machine = Chatter;

    fn machine(&self, _: PeerId) -> Chatter {
        Chatter {
            peers: self.peers,
            kept: 0,
            waiting: Vec::new(),
            panics_at: self.panics_at,
        }
    }

    fn protocol(&self) -> &'static str {
        "chatter"
    }

    fn request(&self, name: &str) -> Option<u64> {
        name.parse().ok()
    }

    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<Chatter>>> {
        (peer.0 == 0).then(|| Box::new(Asker) as Box<dyn Workload<Chatter>>)
    }
}

/// Asks, waits for the answer, thinks, asks again.
struct Asker;

impl Workload<Chatter> for Asker {
    fn first(&mut self, _: &mut fedsim_protocols::Stream) -> Option<SimTime> {
        Some(SimTime::from_nanos(5_000_000))
    }

    fn arrive(
        &mut self,
        _: SimTime,
        _: RequestId,
        dice: &mut fedsim_protocols::Stream,
    ) -> (u64, Option<SimTime>) {
        (dice.below(50), None)
    }

    fn answered(
        &mut self,
        now: SimTime,
        _: RequestId,
        _: &u64,
        dice: &mut fedsim_protocols::Stream,
    ) -> Option<SimTime> {
        Some(now + SimDuration::from_nanos(dice.between(1_000_000, 90_000_000)))
    }
}

/// Writes down what it is told, and stops the run when it has heard `until` words.
#[derive(Default)]
pub(super) struct Diary {
    pub(super) lines: Vec<(SimTime, PeerId, String)>,
    pub(super) until: Option<usize>,
    pub(super) samples: usize,
    pub(super) messages: Vec<MessageTrace>,
    /// Sends and receipts as told: when, by whom, number, with whom.
    pub(super) sent: Vec<(SimTime, PeerId, u64, PeerId)>,
    pub(super) received: Vec<(SimTime, PeerId, u64, PeerId)>,
}

impl Diary {
    /// When a peer reported what is written as `text`.
    pub(super) fn times(&self, text: &str) -> Vec<SimTime> {
        let lines = self.lines.iter().filter(|line| line.2.contains(text));
        lines.map(|line| line.0).collect()
    }
}

impl<P: Protocol> Observer<P> for Diary {
    fn notice(&mut self, notice: &Notice<P>, _: &World<'_>) {
        let text = match &notice.what {
            Happened::Event(event) => format!("{event:?}"),
            Happened::Invoked(id, request) => format!("invoked {} {request:?}", id.0),
            Happened::Replied(id, reply) => format!("replied {} {reply:?}", id.0),
            Happened::Started => "started".to_owned(),
            Happened::Crashed => "crashed".to_owned(),
            Happened::Restarted => "restarted".to_owned(),
            Happened::Paused => "paused".to_owned(),
            Happened::Resumed => "resumed".to_owned(),
            Happened::Sent(passage) => {
                self.sent.extend(passages(notice, passage));
                return;
            }
            Happened::Received(passage) => {
                self.received.extend(passages(notice, passage));
                return;
            }
        };
        self.lines.push((notice.at, notice.peer, text));
    }

    fn sample(&mut self, _: SimTime, _: &World<'_>) {
        self.samples += 1;
    }

    fn message(&mut self, message: &MessageTrace) {
        self.messages.push(*message);
    }

    fn is_satisfied(&self) -> bool {
        self.until.is_some_and(|until| self.lines.len() >= until)
    }
}

/// One row for each message that the network makes of a passage.
fn passages<P: Protocol>(
    notice: &Notice<P>,
    passage: &Passage<P::Message>,
) -> impl Iterator<Item = (SimTime, PeerId, u64, PeerId)> {
    let (at, peer, with) = (notice.at, notice.peer, passage.with);
    let numbers = passage.seq..passage.seq + passage.copies;
    numbers.map(move |seq| (at, peer, seq, with))
}
