//! Claims about the judge: known histories, properties against a brute-force
//! checker, readers, and the picture.

mod brute;
mod literature;
mod properties;
mod readers;
mod telling;

use super::*;

/// A history from the essential part of `jepsen.util` lines.
fn history(lines: &[&str]) -> History {
    let text: String = lines
        .iter()
        .map(|line| format!("INFO  jepsen.util - {line}\n"))
        .collect();
    read(text.as_bytes()).expect("a well-formed history")
}

/// The judgement of the narrowest model within the default budget.
fn judged(history: &History) -> Judgement {
    judge(history, Model::fitting(history), Budget::default()).expect("the model fits")
}

fn verdict(lines: &[&str]) -> Verdict {
    judged(&history(lines)).verdict
}
