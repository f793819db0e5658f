//! Behavioural trust: what a peer did, turned into a score, and the score into a level.
//!
//! Two models, side by side. [`Model::Reference`] is the formula of ruflo's ADR-078 as shipped in
//! 3.38, holes included. [`Model::Sound`] is ours: the same thresholds over evidence that decays and
//! cannot be bought. Scores are integers in millionths; they are recomputed on a schedule by the
//! peer's own clock, and every component is exported. Must not know what a level is good for.
//!
//! | | reference | sound |
//! |---|---|---|
//! | score | 0.4 success + 0.2 uptime + 0.2 (1 - threat) + 0.2 integrity | integrity · (1 - threat) · (2/3 success + 1/3 uptime) |
//! | success | messages not badly signed | results that we asked for and checked, by value |
//! | threat | ten times the share of messages | a count that decays; not thinned by traffic |
//! | integrity | again messages not badly signed | bad signatures, decaying |
//! | silence | keeps 0.6 | drifts down as evidence decays |
//! | own messages | count as interactions | count for nothing |
//! | cheap interactions | count in full | count by value, so many an hour at most |
//! | after a fall | climbs again by itself | needs a human |
//! | a new name | starts afresh | waits for a human while its organisation has a fallen member |
//!
//! Moves, in both models: up at 0.70, 0.85, 0.95 with 50, 500, 5,000 interactions, the last with an
//! attestation and a human's yes; down below 0.50, 0.65, 0.80; one step an evaluation. Two threats in
//! an hour or one bad signature drop to level 0 at once, charged to the peer that the channel
//! authenticated, never to the one that a message names.
//!
//! Sources: the forgetting factor and the posterior mean are those of Jøsang and Ismail, "The beta
//! reputation system" (Bled 2002), with an unfavourable prior; the rest of the sound model is ours.

mod evaluator;
mod evidence;
mod ladder;
mod reference;
mod sound;

#[cfg(test)]
mod tests;

pub use evaluator::{Assessment, Components, Evaluator, Model, TrustConfig};
pub use evidence::Evidence;
pub use ladder::{Move, Step};
pub use reference::Tally;
pub use sound::{SoundConfig, Weights};
