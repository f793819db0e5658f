//! What one peer has to do by itself: its timers, and work that waits for disk or processor.
//!
//! Order is (time, class, sender, sequence number), the same key that orders deliveries, so that a
//! peer merges both by comparing keys. Must not know what the items bring about.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use fedsim_protocols::{Payload, PeerId, PersistToken, Protocol, RequestId};

use super::envelope::Envelope;
use crate::time::SimTime;

/// What comes first among things that happen to a peer at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Crashes, restarts and other orders of the nemesis.
    Control,
    /// Timers and completions.
    Timer,
    /// Messages.
    Delivery,
}

/// The total order of what happens at one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) at: SimTime,
    pub(crate) class: Class,
    pub(crate) from: PeerId,
    pub(crate) seq: u64,
}

/// Messages that wait for disk or processor before they enter the network.
pub(crate) type Sends<P> = Vec<(PeerId, Payload<<P as Protocol>::Message>)>;

/// Something that a peer does by itself.
pub(crate) enum Task<P: Protocol> {
    /// A timer may be due; the table of timers decides.
    Timer(P::Timer),
    /// A batch is durable.
    Persisted(PersistToken),
    /// Messages enter the network.
    Release(Box<Sends<P>>),
    /// A message to oneself arrives.
    Own(Box<Envelope<P::Message>>),
    /// A reply is given.
    Reply(Box<(RequestId, P::Reply)>),
    /// The processor is free for the next input.
    Processor,
    /// The workload puts its next request.
    Arrival,
    /// The peer starts for the first time.
    Start,
    /// A Byzantine peer acts by itself: in which role, since which beginning of it.
    Plot(u32, u32),
}

struct Item<P: Protocol> {
    key: Key,
    task: Task<P>,
}

impl<P: Protocol> PartialEq for Item<P> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<P: Protocol> Eq for Item<P> {}
impl<P: Protocol> PartialOrd for Item<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<P: Protocol> Ord for Item<P> {
    /// Reversed: the heap gives the earliest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// A timer that is set: when it fires, and which heap item carries it.
struct Set {
    due: Key,
    carrier: u64,
}

/// The tasks of one peer by key, and its timers by name.
pub(crate) struct Agenda<P: Protocol> {
    heap: BinaryHeap<Item<P>>,
    timers: BTreeMap<P::Timer, Set>,
}

impl<P: Protocol> Default for Agenda<P> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            timers: BTreeMap::new(),
        }
    }
}

impl<P: Protocol> Agenda<P> {
    /// The key of the first task; a timer that was set anew may show an earlier one.
    #[inline]
    pub(crate) fn first(&self) -> Option<Key> {
        self.heap.peek().map(|item| item.key)
    }

    pub(crate) fn add(&mut self, key: Key, task: Task<P>) {
        self.heap.push(Item { key, task });
    }

    /// Sets a timer; what it was set to before is forgotten.
    ///
    /// A timer that is put off keeps its heap item, which moves when it comes up: a heartbeat that
    /// puts off an election timer a thousand times leaves one item, not a thousand.
    pub(crate) fn set_timer(&mut self, due: Key, timer: P::Timer) {
        if let Some(set) = self.timers.get_mut(&timer)
            && set.due.at <= due.at
        {
            set.due = due;
            return;
        }
        let carrier = due.seq;
        self.timers.insert(timer, Set { due, carrier });
        self.add(due, Task::Timer(timer));
    }

    pub(crate) fn cancel_timer(&mut self, timer: P::Timer) {
        self.timers.remove(&timer);
    }

    /// What a crash leaves: a start that is still to come.
    pub(crate) fn forget_all_but_start(&mut self) {
        self.heap.retain(|item| matches!(item.task, Task::Start));
        self.timers.clear();
    }

    /// The timers that are set, with their times.
    pub(crate) fn timers(&self) -> impl Iterator<Item = (P::Timer, SimTime)> {
        self.timers.iter().map(|(timer, set)| (*timer, set.due.at))
    }

    /// Takes the first task, or `None` if it was a timer that is not due after all.
    pub(crate) fn pop(&mut self) -> Option<(Key, Task<P>)> {
        let Item { key, task } = self.heap.pop()?;
        match task {
            Task::Timer(timer) => self
                .take_due(key, timer)
                .then_some((key, Task::Timer(timer))),
            task => Some((key, task)),
        }
    }

    /// Whether the item with `key` is when `timer` fires; moves the item if it was put off.
    fn take_due(&mut self, key: Key, timer: P::Timer) -> bool {
        let Some(set) = self.timers.get_mut(&timer) else {
            return false;
        };
        if set.due == key {
            self.timers.remove(&timer);
            return true;
        }
        if set.carrier == key.seq {
            set.carrier = set.due.seq;
            let key = set.due;
            let task = Task::Timer(timer);
            self.heap.push(Item { key, task });
        }
        false
    }
}
