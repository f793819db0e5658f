//! The list of decisions as it stands in the store, and how far it was read.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::rules::Rules;
use crate::fold_struct;
use crate::pbft::Entry;
use crate::peer::PeerId;

/// One thing that is put to a council.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// Who proposes it.
    pub proposer: PeerId,
    /// Which of its proposals; never used twice by one proposer.
    pub number: u64,
    /// What is proposed, in the words of whoever applies it.
    pub content: Vec<u8>,
}

fold_struct!(Proposal {
    proposer,
    number,
    content
});

impl Proposal {
    /// The proposal in bytes.
    pub fn bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// What is appended to a register that holds the list: length, then bytes.
    pub fn entry(&self) -> Vec<u8> {
        borsh::to_vec(&self.bytes()).expect("writing to memory does not fail")
    }
}

/// How far a member has read the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Minutes {
    read: usize,
}

impl Minutes {
    /// What `list` holds behind what was read before; entries that make no sense are passed over.
    pub(super) fn news(&mut self, list: &[u8]) -> Vec<Proposal> {
        let mut found = Vec::new();
        let mut rest = list.get(self.read..).unwrap_or_default();
        while let Ok(entry) = Vec::<u8>::deserialize(&mut rest) {
            self.read = list.len() - rest.len();
            found.extend(Proposal::try_from_slice(&entry));
        }
        found
    }

    /// The same where every entry bears its author: what somebody put in another's name is passed
    /// over as well.
    pub(super) fn news_by_authors<R: Rules>(&mut self, list: &[Entry]) -> Vec<Proposal> {
        let news = list.get(self.read..).unwrap_or_default();
        self.read = list.len();
        let read = |entry: &Entry| {
            let proposal = Proposal::try_from_slice(&entry.value).ok()?;
            let is_own = proposal.proposer == entry.author;
            R::may_propose(is_own).then_some(proposal)
        };
        news.iter().filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::testing::needed;

    needed!(nobody_speaks_for_another: passes_over_borrowed_names, NamesBorrowed);

    fn passes_over_borrowed_names<R: Rules>() -> bool {
        // Of three entries one is junk and one names somebody else than its author.
        let proposal = |proposer| Proposal {
            proposer: PeerId(proposer),
            number: 1,
            content: Vec::new(),
        };
        let by = |author, value| Entry {
            author: PeerId(author),
            value,
        };
        let list = [
            by(3, vec![9]),
            by(3, proposal(3).bytes()),
            by(3, proposal(4).bytes()),
        ];
        let mut minutes = Minutes::default();
        minutes.news_by_authors::<R>(&list) == [proposal(3)]
            && minutes.news_by_authors::<R>(&list).is_empty()
    }

    #[test]
    fn each_entry_is_read_once_and_in_order() {
        // Reading in two goes gives what was appended, no more and no less, junk passed over.
        let proposal = |number| Proposal {
            proposer: PeerId(3),
            number,
            content: vec![number as u8; 3],
        };
        let mut list = proposal(1).entry();
        let mut minutes = Minutes::default();
        assert_eq!(minutes.news(&list), [proposal(1)]);
        list.extend(borsh::to_vec(&vec![9_u8]).unwrap());
        list.extend(proposal(2).entry());
        assert_eq!(minutes.news(&list), [proposal(2)]);
        assert_eq!(minutes.news(&list), []);
    }
}
