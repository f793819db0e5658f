//! Wrong rules, each caught by a law: a law that lets its mutant pass would prove nothing.

use super::laws::{
    everybody_learns_once, feedback_obeys_its_law, median_counter_is_doubly_logarithmic,
    push_leaves_e_to_minus_traffic, push_pull_takes_the_published_rounds,
    push_takes_the_published_rounds, rounds_are_those_of_the_bare_model,
    simulations_give_the_published_tables,
};
use super::*;

macro_rules! mutant {
    ($(#[$doc:meta])* $name:ident { $($rule:item)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        struct $name;
        impl Rules for $name { $($rule)* }
    };
}

mutant!(
    /// Marks a rumor as seen before it is queued, and then does not queue what was seen.
    ForwardsNothing {
        fn spreads_what_it_received() -> bool {
            false
        }
    }
);

mutant!(
    /// Drops the rumor from its table with the interest in it.
    Forgets {
        fn remembers_without_interest() -> bool {
            false
        }
    }
);

mutant!(
    /// Never loses interest.
    InfiniteInterest {
        fn loses_interest(_loss: Loss, _counted: u32, _rng: &mut Stream) -> bool {
            false
        }
    }
);

mutant!(
    /// Counts one contact too many.
    CountsOneMore {
        fn loses_interest(loss: Loss, counted: u32, rng: &mut Stream) -> bool {
            match loss {
                Loss::Never => false,
                Loss::Counter { k } | Loss::Consecutive { k } => counted > k,
                Loss::Coin { k } => rng.below(u64::from(k) + 1) == 0,
                Loss::MedianCounter { .. } => false,
            }
        }
    }
);

mutant!(
    /// Passes on within a round what it learned in it.
    ActsOnNews {
        fn acts_on_news_of_this_round() -> bool {
            true
        }
    }
);

mutant!(
    /// Answers one call a round, the modelling trap of push-pull.
    AnswersOnce {
        fn answers_again(answered: u32) -> bool {
            answered == 0
        }
    }
);

mutant!(
    /// Goes on to the next phase after every round, whoever was met.
    CountsRounds {
        fn is_behind(_abreast: u32, _partners: u32) -> bool {
            true
        }
    }
);

mutant!(
    /// Stays in the first phase for ever.
    StaysBehind {
        fn is_behind(_abreast: u32, _partners: u32) -> bool {
            false
        }
    }
);

#[test]
fn a_median_that_is_none_is_caught_by_residue_or_traffic() {
    assert!(!median_counter_is_doubly_logarithmic::<CountsRounds>());
    assert!(!median_counter_is_doubly_logarithmic::<StaysBehind>());
}

#[test]
fn a_peer_that_forwards_nothing_is_caught_by_the_rounds_of_push() {
    assert!(!push_takes_the_published_rounds::<ForwardsNothing>());
    assert!(!everybody_learns_once::<ForwardsNothing>());
}

#[test]
fn a_peer_that_forgets_is_caught_by_what_it_reports_and_by_the_residue() {
    assert!(!everybody_learns_once::<Forgets>());
    assert!(!push_leaves_e_to_minus_traffic::<Forgets>());
}

#[test]
fn infinite_interest_is_caught_by_the_residue() {
    assert!(!feedback_obeys_its_law::<InfiniteInterest>());
    assert!(!push_leaves_e_to_minus_traffic::<InfiniteInterest>());
}

#[test]
fn one_contact_too_many_is_caught_by_feedback_and_by_the_tables() {
    assert!(!simulations_give_the_published_tables::<CountsOneMore>());
    assert!(!feedback_obeys_its_law::<CountsOneMore>());
}

#[test]
fn acting_on_news_is_caught_by_the_bare_model() {
    assert!(!rounds_are_those_of_the_bare_model::<ActsOnNews>());
}

#[test]
fn answering_once_a_round_is_caught_by_the_rounds_of_push_pull() {
    assert!(!push_pull_takes_the_published_rounds::<AnswersOnce>());
}
