//! What was committed, by index: the one log that all servers must agree on.

use fedsim_protocols::raft::{Configuration, Shared};

/// One committed entry.
#[derive(Clone, Copy, Debug)]
struct Slot {
    term: u64,
    chain: u64,
}

/// Commits of one term's leader: they reach up to `last`.
#[derive(Clone, Copy, Debug)]
struct Reign {
    term: u64,
    last: u64,
}

/// The committed log as the first server to commit each entry told it.
#[derive(Clone, Debug, Default)]
pub(super) struct Committed {
    slots: Vec<Slot>,
    /// By the term in which, not of which, entries were committed; ascending in both.
    reigns: Vec<Reign>,
    /// Configurations in logs that are not committed yet: index, chain, configuration.
    proposed: Vec<(u64, u64, Shared<Configuration>)>,
    /// Committed configurations by index, at first the one that servers began with.
    configurations: Vec<(u64, Shared<Configuration>)>,
}

impl Committed {
    /// The last committed index.
    pub(super) fn last(&self) -> u64 {
        self.slots.len() as u64
    }

    pub(super) fn chain(&self, index: u64) -> Option<u64> {
        match index {
            0 => Some(0),
            _ => self.slots.get(index as usize - 1).map(|slot| slot.chain),
        }
    }

    /// The term of the entry at `index`.
    pub(super) fn term(&self, index: u64) -> Option<u64> {
        match index {
            0 => Some(0),
            _ => self.slots.get(index as usize - 1).map(|slot| slot.term),
        }
    }

    /// The last index that was committed in a term before `term`.
    pub(super) fn last_before(&self, term: u64) -> u64 {
        let earlier = self.reigns.partition_point(|reign| reign.term < term);
        let last = earlier.checked_sub(1).map(|place| self.reigns[place].last);
        last.unwrap_or(0)
    }

    /// The configuration committed last, at first the initial one.
    pub(super) fn configuration(&self) -> Option<&Shared<Configuration>> {
        self.configurations.last().map(|(_, latest)| latest)
    }

    /// Configurations that stand in some log and are not committed: whoever holds one counts by it
    /// at once (paper 6).
    pub(super) fn proposed(&self) -> impl Iterator<Item = &Configuration> {
        self.proposed
            .iter()
            .map(|(_, _, configuration)| &**configuration)
    }

    /// The configuration as of `index`, which is committed, unless it is still the initial one.
    pub(super) fn configuration_as_of(&self, index: u64) -> Option<&(u64, Shared<Configuration>)> {
        let upto = self.configurations.partition_point(|(at, _)| *at <= index);
        let latest = upto.checked_sub(1).map(|place| &self.configurations[place]);
        latest.filter(|(at, _)| *at > 0)
    }

    /// A server began with this configuration.
    pub(super) fn begin_with(&mut self, configuration: &Shared<Configuration>) {
        if self.configurations.is_empty() && !configuration.voters.is_empty() {
            self.configurations.push((0, configuration.clone()));
        }
    }

    /// A configuration stands in some log at `index`, with all before it as `chain` says.
    pub(super) fn propose(
        &mut self,
        index: u64,
        chain: u64,
        configuration: &Shared<Configuration>,
    ) {
        let is_new = |(at, other, _): &(u64, u64, _)| (*at, *other) != (index, chain);
        if index > self.last() && self.proposed.iter().all(is_new) {
            self.proposed.push((index, chain, configuration.clone()));
        }
    }

    /// Commits the next entry, in the term `reign`.
    pub(super) fn push(&mut self, term: u64, chain: u64, reign: u64) {
        self.slots.push(Slot { term, chain });
        let last = self.last();
        match self.reigns.last_mut() {
            Some(latest) if latest.term >= reign => latest.last = last,
            Some(_) | None => self.reigns.push(Reign { term: reign, last }),
        }
        if let Some(place) = self
            .proposed
            .iter()
            .position(|(index, other, _)| (*index, *other) == (last, chain))
        {
            let configuration = self.proposed[place].2.clone();
            self.configurations.push((last, configuration));
            self.proposed.retain(|(index, ..)| *index > last);
        }
    }
}
