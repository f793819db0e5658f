//! What the adversaries of a run really did. Must not know how.

use super::roles::Conspiracy;

/// What one behaviour of one adversary did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BehaviourTally {
    /// The adversary's label.
    pub adversary: String,
    /// The behaviour's name.
    pub behaviour: &'static str,
    /// How often it did something: messages that it kept back, held, changed or made up.
    pub deeds: u64,
}

/// Counts of deeds, by entry and place of the behaviour in it; and of garbage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misdeeds {
    /// By entry, then by behaviour.
    counts: Vec<Vec<u64>>,
    /// Messages whose bytes were corrupted so that they said nothing any more.
    pub garbage: u64,
}

impl Misdeeds {
    pub(crate) fn new(conspiracy: &Conspiracy) -> Self {
        let counts = conspiracy.roles.iter().map(|role| vec![0; role.what.len()]);
        Self {
            counts: counts.collect(),
            garbage: 0,
        }
    }

    pub(crate) fn note(&mut self, role: usize, behaviour: usize, deeds: u64) {
        self.counts[role][behaviour] += deeds;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let pairs = self.counts.iter_mut().zip(&other.counts);
        for (mine, theirs) in pairs.flat_map(|(mine, theirs)| mine.iter_mut().zip(theirs)) {
            *mine += theirs;
        }
        self.garbage += other.garbage;
    }

    /// What each behaviour did, in file order.
    pub(crate) fn tallies(&self, conspiracy: &Conspiracy) -> Vec<BehaviourTally> {
        let roles = conspiracy.roles.iter().zip(&self.counts);
        let tally = |(role, counts): (&super::roles::Role, &Vec<u64>)| {
            let what = role.what.iter().zip(counts);
            let one = |(what, deeds): (&fedsim_scenarios::spec::Behaviour, &u64)| BehaviourTally {
                adversary: role.label.clone(),
                behaviour: what.name(),
                deeds: *deeds,
            };
            what.map(one).collect::<Vec<_>>()
        };
        roles.flat_map(tally).collect()
    }
}
