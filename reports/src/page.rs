//! The report page: one self-contained HTML file.
//!
//! Wall time and thread count stay out of it, so that two runs of one seed give equal bytes.

mod audit;
mod steps;
mod tables;

use fedsim_record::{RunRecord, Summary};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::number::{bytes, count, percent, trim_zeros};
use crate::picture::Picture;
use crate::verdict::{expectations_in_words, invariants_in_words, verdict_sign};

pub(crate) use tables::expectations;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page of a run with its pictures.
pub(crate) fn page(record: &RunRecord, pictures: &[Picture]) -> String {
    let summary = &record.summary;
    let title = format!("{} seed {}", summary.scenario, summary.seed);
    let body = html! {
        (head(summary))
        (tables::invariants(summary))
        (expectations(&summary.expectations))
        (tables::notes(summary))
        (figures(pictures))
        (steps::steps(record))
        (audit::audit(record))
        (tables::faults(record))
        (tables::metrics(summary))
        (tables::messages(record))
        (tables::events(record))
        (tables::peers(record))
        (scenario(record))
        (footer(record))
    };
    document(&title, &body)
}

/// A page of ours around its content.
pub(crate) fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                div #value {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn head(summary: &Summary) -> Markup {
    html! {
        header class=(summary.verdict.word()) {
            div.kind { "fedsim run report" }
            h1 { (summary.scenario) ", seed " (summary.seed) }
            p.claim { (summary.claim) }
            div.verdict {
                strong { (verdict_sign(summary.verdict)) " " (summary.verdict.word()) }
                "Invariants: " (invariants_in_words(summary)) ". Expectations: "
                (expectations_in_words(summary)) "."
            }
            (facts(summary))
            (replay_line(&summary.replay))
        }
    }
}

fn facts(summary: &Summary) -> Markup {
    let messages = &summary.messages;
    let virtual_time = trim_zeros(&format!("{:.3}", summary.virtual_seconds.as_f64()));
    html! {
        dl.facts {
            div { dt { "Virtual time" } dd { (virtual_time) " s" } }
            div { dt { "Events" } dd { (count(summary.events)) } }
            div { dt { "Messages sent" } dd { (count(messages.sent)) } }
            div { dt { "Delivered" } dd { (count(messages.delivered)) } }
            div {
                dt { "Dropped" }
                dd { (count(messages.dropped)) " " small { (percent(messages.dropped, messages.sent)) } }
            }
            div { dt { "Bytes sent" } dd { (bytes(messages.bytes)) } }
        }
    }
}

/// A command line with a button that copies it.
fn replay_line(command: &str) -> Markup {
    html! {
        div.replay {
            pre { code { (command) } }
            button type="button" data-copy=(command) { "Copy" }
        }
    }
}

/// All pictures, each with its caption and what the script needs to point at its values.
pub(crate) fn figures(pictures: &[Picture]) -> Markup {
    html! {
        @if !pictures.is_empty() {
            section {
                h2 { "Figures" }
                @for picture in pictures {
                    figure id=(picture.name) data-panels=(panels(picture)) {
                        (PreEscaped(&picture.svg))
                        figcaption { (picture.caption) }
                    }
                }
            }
        }
    }
}

fn panels(picture: &Picture) -> String {
    serde_json::to_string(&picture.panels).expect("BUG: a panel has no map")
}

fn scenario(record: &RunRecord) -> Markup {
    html! {
        section {
            h2 { "Scenario" }
            pre { code { (record.scenario) } }
        }
    }
}

fn footer(record: &RunRecord) -> Markup {
    let summary = &record.summary;
    html! {
        footer {
            p.wrap { "Run digest " code { (summary.digest) } }
            p {
                "fedsim " (summary.version) ", commit " (summary.commit) ". Beside this page: "
                @for file in files(record) {
                    a href=(file) { (file) } " "
                }
            }
        }
    }
}

/// The data files that stand beside the page.
fn files(record: &RunRecord) -> Vec<&'static str> {
    let fixed = [fedsim_record::SCENARIO_FILE, fedsim_record::SUMMARY_FILE];
    fixed.into_iter().chain(record.tables.files()).collect()
}
