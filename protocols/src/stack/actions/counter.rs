//! What an audience must remember of the envelopes it took, in numbered slots of its disk.
//!
//! A slot holds one envelope that was seen and the intent that came of it, and is written again
//! with the receipt. Slots go round; an entry whose action has expired is overwritten in time.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::envelope::{Intent, Seen};
use crate::federation::terms::ActionId;
use crate::identity::Identity;
use crate::outbox::Write;
use crate::protocol::{Durable, Stored};
use crate::stack::StackRecord;
use crate::stack::lodger::Owner;

/// Slots of the disk that are used in turn.
const SLOTS: u32 = 1 << 18;

/// What the disk keeps of one envelope.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ActionRecord {
    /// That it was seen.
    pub seen: Option<Seen>,
    /// What was about to be done, with the receipt once it was.
    pub intent: Option<Intent>,
}

/// Which slot keeps which action.
#[derive(Debug, Default)]
pub(super) struct Slots {
    next: u32,
    taken: BTreeMap<(Identity, ActionId), (u32, Option<Seen>)>,
}

impl Slots {
    /// Goes on behind the slots that a disk has in use.
    pub(super) fn after(durable: &Durable<StackRecord>) -> Self {
        let own = Owner::Stack.slot(0)..Owner::Stack.slot(SLOTS);
        let last = durable.slots.range(own).next_back();
        Self {
            next: last.map_or(0, |(slot, _)| slot + 1),
            taken: BTreeMap::new(),
        }
    }

    /// The write that keeps an envelope for the first time.
    pub(super) fn keep(
        &mut self,
        name: (Identity, ActionId),
        record: ActionRecord,
    ) -> Write<StackRecord> {
        let slot = self.next % SLOTS;
        self.next += 1;
        self.taken.insert(name, (slot, record.seen));
        put(slot, record)
    }

    /// The write that adds the receipt to what is kept.
    pub(super) fn complete(&mut self, intent: Intent) -> Option<Write<StackRecord>> {
        let (slot, seen) = self.taken.remove(&(intent.source, intent.action))?;
        let record = ActionRecord {
            seen,
            intent: Some(intent),
        };
        Some(put(slot, record))
    }
}

fn put(slot: u32, record: ActionRecord) -> Write<StackRecord> {
    Write::Put {
        slot: Owner::Stack.slot(slot),
        record: StackRecord::Action { record },
    }
}

/// What a disk remembers of envelopes, and whether none of it was lost.
pub(super) fn remembered(durable: &Durable<StackRecord>) -> (Vec<ActionRecord>, bool) {
    let slots = durable
        .slots
        .range(Owner::Stack.slot(0)..Owner::Stack.slot(SLOTS));
    let mut records = Vec::new();
    let mut is_complete = true;
    for (_, stored) in slots {
        match stored {
            Stored::Intact(StackRecord::Action { record }) => records.push(record.clone()),
            Stored::Intact(_) | Stored::Damaged => is_complete = false,
        }
    }
    (records, is_complete)
}
