//! What a protocol tells the world outside: typed, named facts in the past tense.

use std::fmt::Debug;

use crate::fold::Fold;

/// A fact that a machine reports to checkers, triggers and reports; it never feeds back.
pub trait Event: Clone + Debug + Fold + Send + Sync + 'static {
    /// The fact's name in scenario files and tables: lower case with dashes, `leader-elected`.
    fn name(&self) -> &'static str;

    /// For a refused input, the constant reason; such events are counted by reason.
    fn rejected(&self) -> Option<&'static str> {
        None
    }

    /// The fact's particulars in one line for people.
    fn detail(&self) -> String {
        format!("{self:?}")
    }
}
