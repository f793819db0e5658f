//! What is seen of a peer, at first hand. There is no hearsay: nobody's rating of another counts.

use crate::federation::terms::Money;
use crate::fold_enum;

/// One observation of a peer, made on a channel that it authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// It delivered what we asked for, and we checked it.
    Served {
        /// What that was worth to us.
        value: Money,
    },
    /// It was reached and did not deliver, or delivered badly.
    Failed {
        /// What it was to be worth.
        value: Money,
    },
    /// It answered a heartbeat.
    Alive,
    /// It did not.
    Silent,
    /// We sent it a message.
    Sent,
    /// It sent us a message, well signed.
    Received,
    /// A message of its was found to be a threat.
    Threat,
    /// A message on its channel was badly signed.
    BadSignature,
}

fold_enum!(Evidence {
    0 = Served { value },
    1 = Failed { value },
    2 = Alive {},
    3 = Silent {},
    4 = Sent {},
    5 = Received {},
    6 = Threat {},
    7 = BadSignature {},
});
