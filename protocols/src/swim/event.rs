//! What a SWIM member reports.
//!
//! **The view can be rebuilt from the events alone.** A member's view maps every other member to a
//! status and an incarnation. It starts empty or, with [`Bootstrap::Full`](super::Bootstrap), as
//! the roster (everyone else Alive at [`Incarnation::FIRST`]) at [`SwimEvent::Joined`]. From then on
//! each change of one entry reports exactly one of the `Member...` events, which carries the
//! subject's slot and the incarnation after the change, and nothing else reports one:
//!
//! | event | before | after |
//! |---|---|---|
//! | `member-learned` | not known | Alive |
//! | `member-refreshed` | Alive, lower incarnation | Alive |
//! | `member-moved` | anything at slot `from` | Alive at slot `subject` |
//! | `member-suspected` | Alive | Suspect |
//! | `member-refuted` | Suspect | Alive |
//! | `member-died` | not known, or anything that the rule for Dead lets it end | Dead |
//! | `member-left` | not known, or anything of that incarnation or below | Left |
//! | `member-revived` | Dead or Left | Alive |
//!
//! A member's own entry is not part of its view; `announced` tells each incarnation that it has
//! signed and may have sent. Since nobody else can sign for it, every incarnation that appears in
//! another's event stands in the roster or was announced before by its owner.

use crate::event::Event;
use crate::fold_enum;
use crate::identity::Identity;
use crate::peer::PeerId;

use super::message::Incarnation;

/// Why an input was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// An Alive record is not signed by the key that it speaks for, or badly.
    UnownedAlive,
    /// A claim's own signature does not hold.
    UnsignedClaim,
    /// A claim comes from somebody whom the receiver does not list, or not yet.
    UnknownAccuser,
    /// A claim speaks of an incarnation that the accused never signed.
    UnownedSubject,
    /// Another address at an incarnation that is already known at one.
    AddressConflict,
    /// An ack or nack for a probe that is over; honest members are late, too.
    LateAnswer,
    /// An ack or nack for the probe under way, from somebody who was not asked.
    AnswerFromStranger,
    /// A ping for another identity than the one at this address.
    WrongTarget,
    /// More pings for others under way than one member will do.
    TooManyRelays,
    /// The member cannot speak up again: all incarnations are used.
    IncarnationsExhausted,
    /// The record on disk is damaged; the member starts over and learns its incarnation of others.
    DamagedRecord,
    /// A request that does not fit the member's stage.
    UntimelyRequest,
}

impl Refusal {
    /// The constant reason under which refusals are counted.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::UnownedAlive => "unowned-alive",
            Self::UnsignedClaim => "unsigned-claim",
            Self::UnknownAccuser => "unknown-accuser",
            Self::UnownedSubject => "unowned-subject",
            Self::AddressConflict => "address-conflict",
            Self::LateAnswer => "late-answer",
            Self::AnswerFromStranger => "answer-from-stranger",
            Self::WrongTarget => "wrong-target",
            Self::TooManyRelays => "too-many-relays",
            Self::IncarnationsExhausted => "incarnations-exhausted",
            Self::DamagedRecord => "damaged-record",
            Self::UntimelyRequest => "untimely-request",
        }
    }
}

fold_enum!(Refusal {
    0 = UnownedAlive {},
    1 = UnsignedClaim {},
    2 = UnknownAccuser {},
    3 = UnownedSubject {},
    4 = AddressConflict {},
    5 = LateAnswer {},
    6 = AnswerFromStranger {},
    7 = WrongTarget {},
    8 = TooManyRelays {},
    9 = IncarnationsExhausted {},
    10 = DamagedRecord {},
    11 = UntimelyRequest {},
});

/// A fact about one member's membership, by its own account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SwimEvent {
    /// A ping of one's own was sent; only with `report_probes`.
    ProbeStarted {
        /// Who is probed.
        subject: PeerId,
        /// The probe's number.
        sequence: u32,
    },
    /// A member not known before is alive.
    MemberLearned {
        /// Its slot.
        subject: PeerId,
        /// Its identity.
        identity: Identity,
        /// At which incarnation.
        incarnation: Incarnation,
    },
    /// A member believed alive spoke up with a higher incarnation.
    MemberRefreshed {
        /// Its slot.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
    },
    /// A member spoke up with a higher incarnation from another slot; it is alive there.
    MemberMoved {
        /// Where it was.
        from: PeerId,
        /// Where it is.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
    },
    /// A member is under suspicion.
    MemberSuspected {
        /// Its slot.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
        /// Whether one's own probe failed, rather than somebody else's.
        by_own_probe: bool,
    },
    /// A suspect spoke up with a higher incarnation.
    MemberRefuted {
        /// Its slot.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
    },
    /// A member is dead.
    MemberDied {
        /// Its slot.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
        /// Whether a suspicion of one's own ran out, rather than somebody else's.
        by_own_timeout: bool,
    },
    /// A member said farewell.
    MemberLeft {
        /// Its slot.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
    },
    /// A member that was dead or had left is alive again.
    MemberRevived {
        /// Its slot.
        subject: PeerId,
        /// At which incarnation.
        incarnation: Incarnation,
    },
    /// One's own record of this incarnation is signed and durable; others may hear of it from now.
    Announced {
        /// The incarnation.
        incarnation: Incarnation,
    },
    /// One heard oneself accused and will speak up with this incarnation once it is durable.
    SuspicionRefuted {
        /// The incarnation to come.
        incarnation: Incarnation,
    },
    /// One heard oneself declared dead for good and will rejoin under this new generation.
    Rejoined {
        /// The incarnation to come.
        incarnation: Incarnation,
    },
    /// A seed answered, or there was none to ask, or the roster was given.
    Joined {
        /// Live members then known, oneself included.
        members: u32,
    },
    /// One's own farewell is sent out.
    Left,
    /// The local health score changed; 0 is healthy.
    HealthChanged {
        /// The new score.
        score: u32,
    },
    /// An input was refused.
    Rejected {
        /// Why.
        refusal: Refusal,
    },
}

fold_enum!(SwimEvent {
    0 = ProbeStarted { subject, sequence },
    1 = MemberLearned { subject, identity, incarnation },
    2 = MemberRefreshed { subject, incarnation },
    3 = MemberMoved { from, subject, incarnation },
    4 = MemberSuspected { subject, incarnation, by_own_probe },
    5 = MemberRefuted { subject, incarnation },
    6 = MemberDied { subject, incarnation, by_own_timeout },
    7 = MemberLeft { subject, incarnation },
    8 = MemberRevived { subject, incarnation },
    9 = Announced { incarnation },
    10 = SuspicionRefuted { incarnation },
    11 = Rejoined { incarnation },
    12 = Joined { members },
    13 = Left {},
    14 = HealthChanged { score },
    15 = Rejected { refusal },
});

impl Event for SwimEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::ProbeStarted { .. } => "probe-started",
            Self::MemberLearned { .. } => "member-learned",
            Self::MemberRefreshed { .. } => "member-refreshed",
            Self::MemberMoved { .. } => "member-moved",
            Self::MemberSuspected { .. } => "member-suspected",
            Self::MemberRefuted { .. } => "member-refuted",
            Self::MemberDied { .. } => "member-died",
            Self::MemberLeft { .. } => "member-left",
            Self::MemberRevived { .. } => "member-revived",
            Self::Announced { .. } => "announced",
            Self::SuspicionRefuted { .. } => "suspicion-refuted",
            Self::Rejoined { .. } => "rejoined",
            Self::Joined { .. } => "joined",
            Self::Left => "left",
            Self::HealthChanged { .. } => "health-changed",
            Self::Rejected { .. } => "rejected",
        }
    }

    fn rejected(&self) -> Option<&'static str> {
        match self {
            Self::Rejected { refusal } => Some(refusal.reason()),
            Self::ProbeStarted { .. }
            | Self::MemberLearned { .. }
            | Self::MemberRefreshed { .. }
            | Self::MemberMoved { .. }
            | Self::MemberSuspected { .. }
            | Self::MemberRefuted { .. }
            | Self::MemberDied { .. }
            | Self::MemberLeft { .. }
            | Self::MemberRevived { .. }
            | Self::Announced { .. }
            | Self::SuspicionRefuted { .. }
            | Self::Rejoined { .. }
            | Self::Joined { .. }
            | Self::Left
            | Self::HealthChanged { .. } => None,
        }
    }
}
