//! Heads of audit logs, and the word by which an executor binds itself to one.
//!
//! Both stand in what peers send each other and in their logs. Must not know what a log holds.

use borsh::{BorshDeserialize, BorshSerialize};

use super::terms::{ActionId, Digest};
use crate::fold::{Fold, Folder};
use crate::fold_struct;
use crate::signed::Signable;

/// A place in a log that stands for everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Head {
    /// The number of the last record.
    pub number: u64,
    /// Its hash.
    pub hash: Digest,
}

impl Fold for Head {
    /// Leaves the hash out, which depends on signatures.
    fn fold(&self, into: &mut Folder) {
        into.u64(self.number);
    }
}

impl Signable for Head {
    const DOMAIN: &'static str = "fedsim/audit/v1/head";
}

/// An executor's word that its log holds the outcome of an action, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Acknowledgement {
    /// Which action.
    pub action: ActionId,
    /// The digest of the receipt.
    pub receipt: Digest,
    /// The head of the executor's log when the outcome was its last record.
    pub head: Head,
}

fold_struct!(Acknowledgement {
    action,
    receipt,
    head
});

impl Signable for Acknowledgement {
    const DOMAIN: &'static str = "fedsim/audit/v1/acknowledgement";
}
