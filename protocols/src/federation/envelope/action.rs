//! What is signed, what answers it, and how it stands on the wire.
//!
//! ```text
//!  "FED1" · length of the rest, 4 bytes, little endian · borsh of Signed<Action>
//! ```

use borsh::{BorshDeserialize, BorshSerialize};

use crate::federation::grant::Grant;
use crate::federation::head::Acknowledgement;
use crate::federation::terms::{
    ActionId, ActionKind, Budget, Capability, Digest, Nonce, SessionId,
};
use crate::fold_struct;
use crate::identity::Identity;
use crate::signed::{Signable, Signed};
use crate::time::LocalTime;

use super::refusal::Refusal;

/// The version of the envelope that this code speaks.
pub const PROTOCOL_VERSION: u16 = 1;

const MAGIC: [u8; 4] = *b"FED1";
const HEADER: usize = 8;

/// Everything that one peer asks of another, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Action {
    /// [`PROTOCOL_VERSION`].
    pub version: u16,
    /// Which action.
    pub id: ActionId,
    /// Who asks: the signer.
    pub source: Identity,
    /// Who is asked, and nobody else.
    pub audience: Identity,
    /// In which session.
    pub session: SessionId,
    /// What kind of action.
    pub kind: ActionKind,
    /// Which ability of the audience it uses.
    pub capability: Capability,
    /// What goes with it, as it was sanitised.
    pub payload: Vec<u8>,
    /// Of this sending alone.
    pub nonce: Nonce,
    /// When it was first sent, by the source's clock.
    pub issued_at: LocalTime,
    /// Until when it may have an effect, by the source's clock.
    pub expires_at: LocalTime,
    /// How many peers handed it on since its originator.
    pub hops: u8,
    /// Who pays, and how much at most.
    pub budget: Budget,
    /// By whose permission, from the first issuer to the source. Empty: by the audience's own.
    pub grants: Vec<Signed<Grant>>,
    /// What the audience may show whoever it hands this on to: one link behind `grants`.
    pub onward: Option<Signed<Grant>>,
}

fold_struct!(Action {
    version,
    id,
    source,
    audience,
    session,
    kind,
    capability,
    payload,
    nonce,
    issued_at,
    expires_at,
    hops,
    budget,
    grants,
    onward,
});

impl Signable for Action {
    const DOMAIN: &'static str = "fedsim/federation/v1/action";
}

impl Action {
    /// The same action for another sending, after an answer that did not come.
    pub fn again(&self, session: SessionId, nonce: Nonce) -> Self {
        Self {
            session,
            nonce,
            ..self.clone()
        }
    }

    /// What the action is, whatever envelope it comes in.
    pub fn digest(&self) -> Digest {
        let none = self.again(SessionId([0; 16]), Nonce([0; 16]));
        Digest::of(&none)
    }

    /// Whether its fields can be true together.
    pub(super) fn is_well_formed(&self) -> bool {
        self.version == PROTOCOL_VERSION
            && self.id.expires_at() == self.expires_at
            && self.issued_at < self.expires_at
            && self.budget.is_valid()
    }
}

/// That an action had its effect. Signed for by way of an [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// Which action.
    pub action: ActionId,
    /// Of whom.
    pub source: Identity,
    /// What it was, by [`Action::digest`].
    pub digest: Digest,
    /// The digest of what came out.
    pub outcome: Digest,
    /// When, by the executor's clock.
    pub at: LocalTime,
}

fold_struct!(Receipt {
    action,
    source,
    digest,
    outcome,
    at
});

/// A receipt with its executor's signed word: that it is the receipt, and where its log says so.
///
/// One signature makes the receipt good and binds the executor to its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Answer {
    /// What was done.
    pub receipt: Receipt,
    /// Who says so.
    pub word: Signed<Acknowledgement>,
}

fold_struct!(Answer { receipt, word });

impl Answer {
    /// Whether the word is about this receipt; whose word it is, and whether signed, is another
    /// matter.
    pub fn is_consistent(&self) -> bool {
        self.word.action == self.receipt.action && self.word.receipt == Digest::of(&self.receipt)
    }
}

/// The bytes of one envelope on the wire.
pub fn frame(action: &Signed<Action>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512 + action.payload.len());
    bytes.extend(MAGIC);
    bytes.extend([0; 4]);
    borsh::to_writer(&mut bytes, action).expect("writing to memory does not fail");
    let length = u32::try_from(bytes.len() - HEADER).expect("BUG: an envelope of 4 GiB");
    bytes[MAGIC.len()..HEADER].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// How many bytes [`frame`] makes.
pub fn framed_len(action: &Signed<Action>) -> usize {
    HEADER + borsh::object_length(action).expect("counting bytes does not fail")
}

/// What is inside a frame that is whole and not more.
pub(super) fn unframe(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or(Refusal::BadFrame)?;
    let length = u32::try_from(body.len()).map_err(|_| Refusal::BadFrame)?;
    let is_framed = header[..MAGIC.len()] == MAGIC && header[MAGIC.len()..] == length.to_le_bytes();
    is_framed.then_some(body).ok_or(Refusal::BadFrame)
}

/// The one value that these bytes mean.
pub(super) fn decode(body: &[u8]) -> Result<Signed<Action>, Refusal> {
    borsh::from_slice(body).map_err(|_| Refusal::BadSchema)
}
