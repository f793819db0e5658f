//! A verdict in words, for the page and for the terminal.

use fedsim_record::{Holds, Summary, Verdict};

/// `✓`, `✗` or `?`.
pub(crate) fn verdict_sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✓",
        Verdict::Violated => "✗",
        Verdict::Unknown => "?",
    }
}

/// `✓` for what holds, `✗` for what is violated, `?` for what is not known.
pub(crate) fn holds_sign(holds: Holds) -> &'static str {
    match holds {
        Holds::Holds => "✓",
        Holds::Violated => "✗",
        Holds::AssumptionBroken | Holds::NeverExercised => "?",
    }
}

/// `2 hold, 1 violated, 1 never exercised`; `none checked` without invariants.
pub(crate) fn invariants_in_words(summary: &Summary) -> String {
    let parts = [
        (Holds::Violated, "violated"),
        (Holds::Holds, "hold"),
        (Holds::AssumptionBroken, "with broken assumptions"),
        (Holds::NeverExercised, "never exercised"),
    ];
    let counted = |(holds, words): (Holds, &str)| {
        let found = summary.invariants.iter().filter(|one| one.holds == holds);
        match found.count() {
            0 => None,
            1 if holds == Holds::Holds => Some("1 holds".to_owned()),
            count => Some(format!("{count} {words}")),
        }
    };
    let words: Vec<String> = parts.into_iter().filter_map(counted).collect();
    match words.is_empty() {
        true => "none checked".to_owned(),
        false => words.join(", "),
    }
}

/// `2 of 3 met`; `none stated` without expectations.
pub(crate) fn expectations_in_words(summary: &Summary) -> String {
    let met = summary.expectations.iter().filter(|one| one.met).count();
    match summary.expectations.len() {
        0 => "none stated".to_owned(),
        all => format!("{met} of {all} met"),
    }
}
