//! What executors say to the keepers of the accounts that pay them, and what they are told.
//!
//! ```text
//!   executor                              keeper
//!   reserve ─ the signed action ────────▶ sets aside what it may cost
//!   hand on ─ part of it ───────────────▶ an account for somebody further on
//!   commit ── what it did cost ─────────▶ charges it
//!           ◀──────────────────── ruling  yes or no, and nothing of what is left
//! ```

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::envelope::Action;
use crate::federation::terms::{Account, ActionId, Amount, Budget};
use crate::signed::Signed;
use crate::{fold_enum, fold_struct};

/// What an executor wants of a keeper. Said again until there is a ruling; twice is once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Bid {
    /// Set aside what this may cost.
    Reserve {
        /// What the executor was asked for.
        action: Signed<Action>,
    },
    /// Open an account with part of that.
    HandOn {
        /// The account that it comes from.
        account: Account,
        /// The action that it was set aside for.
        action: ActionId,
        /// The account for an action of the executor's own.
        child: Budget,
    },
    /// Charge this.
    Commit {
        /// The account.
        account: Account,
        /// The action that was done.
        action: ActionId,
        /// What it cost.
        actual: Amount,
    },
}

fold_enum!(Bid {
    0 = Reserve { action },
    1 = HandOn { account, action, child },
    2 = Commit { account, action, actual },
});

/// Which of the steps a bid is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum BidStep {
    /// Something is set aside.
    Reserve,
    /// Something is handed on.
    HandOn,
    /// Something is charged.
    Commit,
}

fold_enum!(BidStep {
    0 = Reserve {},
    1 = HandOn {},
    2 = Commit {},
});

/// What names a bid for both sides.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct BidName {
    /// Which step.
    pub step: BidStep,
    /// The action that it is about; the one further on where something is handed on.
    pub about: ActionId,
}

fold_struct!(BidName { step, about });

impl Bid {
    /// What names it.
    pub fn name(&self) -> BidName {
        let (step, about) = match self {
            Self::Reserve { action } => (BidStep::Reserve, action.id),
            Self::HandOn { child, .. } => (BidStep::HandOn, ActionId(child.account.0)),
            Self::Commit { action, .. } => (BidStep::Commit, *action),
        };
        BidName { step, about }
    }
}
