//! In which rounds of a protocol a role acts, against whom, and with which luck.
//!
//! After ByzzFuzz (Winter et al., "Randomized testing of Byzantine fault tolerant algorithms",
//! OOPSLA 2023): a fault is drawn for a round, not for a message, and whoever is drawn to suffer it
//! suffers the same. All of a cabal act on one draw. Must not know messages.

use std::collections::{BTreeMap, VecDeque};

use fedsim_protocols::{PeerId, RunKey, Stream, StreamLabel};
use fedsim_scenarios::spec::adversaries::BehaviourSettings;
use rand::Rng;

use super::forge::Round;

/// Rounds that are remembered; what comes of one that was forgotten is drawn anew.
const REMEMBERED: usize = 4_096;

/// What a role does in a round.
#[derive(Clone, Debug)]
struct Plan {
    against: Vec<PeerId>,
    luck: u64,
}

/// The rounds that were drawn, by role.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounds {
    plans: BTreeMap<(usize, Round), Option<Plan>>,
    oldest: VecDeque<(usize, Round)>,
    /// How many rounds each role acted in.
    spent: BTreeMap<usize, u32>,
}

impl Rounds {
    /// Whether a role acts in a round against `peer`, who is one of `others`; drawn when the round is
    /// first heard of.
    pub(super) fn touches(
        &mut self,
        (role, round): (usize, Round),
        peer: PeerId,
        others: &[PeerId],
        settings: &BehaviourSettings,
        dice: &mut Stream,
    ) -> bool {
        let key = (role, round);
        if !self.plans.contains_key(&key) {
            let plan = self.draw(role, others, settings, dice);
            self.note(key, plan);
        }
        let plan = self.plans.get(&key).and_then(Option::as_ref);
        plan.is_some_and(|plan| plan.against.contains(&peer))
    }

    /// Dice for a change in a round, the same for everybody who gets it; none if nothing was drawn.
    pub(super) fn dice(&self, role: usize, round: Round) -> Option<Stream> {
        let plan = self.plans.get(&(role, round))?.as_ref()?;
        let label = StreamLabel::global("adversary/round");
        Some(Stream::new(RunKey::from_seed(plan.luck), label))
    }

    fn draw(
        &mut self,
        role: usize,
        others: &[PeerId],
        settings: &BehaviourSettings,
        dice: &mut Stream,
    ) -> Option<Plan> {
        let spent = self.spent.entry(role).or_insert(0);
        let is_left = settings.rounds.is_none_or(|most| *spent < most);
        if others.is_empty() || !is_left || !dice.chance(settings.share()) {
            return None;
        }
        *spent += 1;
        let mut against = others.to_vec();
        dice.shuffle(&mut against);
        let all = against.len() as u64;
        let drawn = settings
            .receivers
            .map_or_else(|| dice.between(1, all), u64::from);
        against.truncate(drawn as usize);
        let luck = dice.next_u64();
        Some(Plan { against, luck })
    }

    fn note(&mut self, key: (usize, Round), plan: Option<Plan>) {
        self.plans.insert(key, plan);
        self.oldest.push_back(key);
        if self.oldest.len() > REMEMBERED
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.plans.remove(&oldest);
        }
    }
}
