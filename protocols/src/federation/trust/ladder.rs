//! From score to level: one step at a time, with the published thresholds.

use crate::federation::rules::Rules;
use crate::federation::terms::{Level, Share};
use crate::fold_enum;

/// Why a level changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The score and the interactions suffice for the next level.
    Earned,
    /// The score is too low for the level.
    Lost,
    /// Two threats in an hour, or a bad signature.
    Fell,
    /// First verified contact.
    Met,
    /// A human said so.
    Decreed,
}

fold_enum!(Move {
    0 = Earned {},
    1 = Lost {},
    2 = Fell {},
    3 = Met {},
    4 = Decreed {},
});

impl Move {
    /// The move's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Earned => "earned",
            Self::Lost => "lost",
            Self::Fell => "fell",
            Self::Met => "met",
            Self::Decreed => "decreed",
        }
    }
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Before.
    pub from: Level,
    /// After.
    pub to: Level,
    /// Why.
    pub why: Move,
}

crate::fold_struct!(Step { from, to, why });

/// What is looked at when a level is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) level: Level,
    pub(super) score: Share,
    pub(super) interactions: u64,
    /// No higher without a human.
    pub(super) ceiling: Level,
    pub(super) is_attested: bool,
    pub(super) is_approved: bool,
}

/// The score and the interactions from which on a level is earned.
const fn earned_at(level: Level) -> Option<(Share, u64)> {
    match level {
        Level::Untrusted | Level::Verified => None,
        Level::Attested => Some((Share::millionths(700_000), 50)),
        Level::Trusted => Some((Share::millionths(850_000), 500)),
        Level::Privileged => Some((Share::millionths(950_000), 5_000)),
    }
}

/// The score below which a level is lost.
const fn lost_below(level: Level) -> Share {
    match level {
        Level::Untrusted | Level::Verified => Share::ZERO,
        Level::Attested => Share::millionths(500_000),
        Level::Trusted => Share::millionths(650_000),
        Level::Privileged => Share::millionths(800_000),
    }
}

/// The step that a standing is due for, if any.
pub(super) fn step<R: Rules>(standing: &Standing) -> Option<Step> {
    let from = standing.level;
    if standing.score < lost_below(from) {
        let (to, why) = (from.lowered(), Move::Lost);
        return Some(Step { from, to, why });
    }
    let to = from.raised();
    let (score, interactions) = earned_at(to).filter(|_| from > Level::Untrusted)?;
    let is_vouched = to < Level::Privileged || (standing.is_attested && standing.is_approved);
    let is_earned = to > from
        && R::earns_level(
            standing.score >= score,
            standing.interactions >= interactions,
        )
        && R::human_agrees(is_vouched && to <= standing.ceiling);
    let why = Move::Earned;
    is_earned.then_some(Step { from, to, why })
}
