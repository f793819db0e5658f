//! The decisions of the papers, one function each, so that a test can install a wrong one.
//!
//! Must not know the machine that asks.

use std::fmt::Debug;
use std::hash::Hash;

use super::config::Loss;
use crate::random::Stream;

/// The rules by which a [`Rumor`](super::Rumor) decides; the defaults are those of the papers.
///
/// Another implementation is a mutant: a checker that does not notice it checks nothing.
pub trait Rules: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Whether a rumor that came from another peer is spread on: whoever hears it becomes
    /// infective (Demers et al. 1987, section 1.4).
    fn spreads_what_it_received() -> bool {
        true
    }

    /// Whether a peer that loses interest still knows the rumor (Demers et al. 1987, section 1.4:
    /// a removed individual knows the rumor but does not spread it).
    fn remembers_without_interest() -> bool {
        true
    }

    /// Whether a peer acts in a round on what it learned in that same round. In the round model it
    /// does not: a rumor moves one hop a round.
    fn acts_on_news_of_this_round() -> bool {
        false
    }

    /// Whether a peer answers one more call in a round in which it answered `answered` already.
    /// Karp et al. 2000 count on an answer to every call; with one answer a round the end of
    /// push-pull takes logarithmically many rounds instead of doubly logarithmically many.
    fn answers_again(answered: u32) -> bool {
        let _ = answered;
        true
    }

    /// Whether interest is lost at the `counted`-th contact that counts, all in all or in a row
    /// (Demers et al. 1987, section 1.4).
    fn loses_interest(loss: Loss, counted: u32, rng: &mut Stream) -> bool {
        match loss {
            Loss::Never => false,
            Loss::Counter { k } | Loss::Consecutive { k } => counted >= k,
            Loss::Coin { k } => rng.below(u64::from(k.max(1))) == 0,
            Loss::MedianCounter { .. } => false,
        }
    }

    /// Whether a peer of whose `partners` in a round so many were as far or further goes on to the
    /// next phase: they must be more than the others (Karp et al. 2000, section 3, the median rule).
    fn is_behind(abreast: u32, partners: u32) -> bool {
        abreast > partners.saturating_sub(abreast)
    }
}

/// The rules of the papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AsPublished;

impl Rules for AsPublished {}
