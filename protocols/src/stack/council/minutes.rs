//! The list of decisions as it stands in the register, and how far it was read.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold_struct;
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
    /// The bytes that are appended to the list: length, then content.
    pub fn entry(&self) -> Vec<u8> {
        let bytes = borsh::to_vec(self).expect("writing to memory does not fail");
        borsh::to_vec(&bytes).expect("writing to memory does not fail")
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
