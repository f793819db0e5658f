//! Which actions had their effect, so that none has it twice.
//!
//! ```text
//!  (unknown) ──intent, durable──▶ begun ──effect, receipt──▶ done
//! ```
//!
//! A restart that finds an intent without a receipt does not know whether the effect happened; it
//! does not try again, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{ActionId, Digest};
use crate::identity::Identity;
use crate::time::{LocalTime, SimDuration};

use super::action::{Action, Answer, Receipt};

/// What was about to be done, and the receipt once it was. Durable before the effect.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Intent {
    /// Whose action.
    pub source: Identity,
    /// Which action; it tells when this may be forgotten.
    pub action: ActionId,
    /// What it was, by [`Action::digest`].
    pub digest: Digest,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// What is known of an action that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it may have its effect now.
    New(Intent),
    /// It is being done, or a crash hid whether it was.
    Begun,
    /// It was done.
    Done(Answer),
    /// Another action has its id.
    Conflict,
}

/// The actions that one peer did or is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executions<R: Rules = Strict> {
    skew: SimDuration,
    intents: BTreeMap<(Identity, ActionId), Intent>,
    by_expiry: BTreeSet<(ActionId, Identity)>,
    rules: PhantomData<R>,
}

impl<R: Rules> Executions<R> {
    /// Remembers actions until `skew` after their expiry.
    pub fn new(skew: SimDuration) -> Self {
        Self {
            skew,
            intents: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            rules: PhantomData,
        }
    }

    /// Takes up again what was durable before a restart; the last word on an action counts.
    pub fn restore(&mut self, intents: impl IntoIterator<Item = Intent>) {
        intents.into_iter().for_each(|intent| self.remember(intent));
    }

    /// Begins an action unless it was begun before.
    pub fn begin(&mut self, action: &Action, now: LocalTime) -> Known {
        self.forget(now);
        let digest = action.digest();
        let known = self.intents.get(&(action.source, action.id));
        if let Some(known) = known.filter(|_| !R::executes(true)) {
            return match &known.answer {
                _ if known.digest != digest => Known::Conflict,
                Some(answer) => Known::Done(answer.clone()),
                None => Known::Begun,
            };
        }
        let intent = Intent {
            source: action.source,
            action: action.id,
            digest,
            answer: None,
        };
        self.remember(intent.clone());
        Known::New(intent)
    }

    /// Notes the answer to an action that had its effect; the intent as it should be durable now.
    pub fn finish(&mut self, answer: Answer) -> Option<Intent> {
        let Receipt { source, action, .. } = answer.receipt;
        let intent = self.intents.get_mut(&(source, action))?;
        intent.answer = Some(answer);
        Some(intent.clone())
    }

    fn remember(&mut self, intent: Intent) {
        self.by_expiry.insert((intent.action, intent.source));
        self.intents.insert((intent.source, intent.action), intent);
    }

    fn forget(&mut self, now: LocalTime) {
        let skew = self.skew;
        let gone: Vec<_> = self
            .by_expiry
            .iter()
            .take_while(|(action, _)| action.expires_at() + skew < now)
            .copied()
            .collect();
        for (action, source) in gone {
            self.by_expiry.remove(&(action, source));
            self.intents.remove(&(source, action));
        }
    }

    /// The actions begun of which no receipt is known, oldest expiry first.
    pub fn in_doubt(&self) -> impl Iterator<Item = &Intent> {
        let intents = self.intents.values();
        intents.filter(|intent| intent.answer.is_none())
    }

    /// How many actions are remembered.
    pub fn len(&self) -> usize {
        self.intents.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.intents.is_empty()
    }
}
