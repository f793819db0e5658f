//! The picture as an SVG file: one lane a process, one bar an operation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::history::History;
use super::super::stuck::Stuck;
use super::{Bar, Fate, Layout, held_in_words, shortened};

/// Most operations shown.
const OPERATIONS_MAX: usize = 20;
const COLUMN_PX: usize = 56;
const LANE_PX: usize = 40;
const BAR_PX: usize = 26;
const LEFT_PX: usize = 90;
const TOP_PX: usize = 76;
const CHAR_PX: usize = 7;

/// An SVG timeline of the end of the smallest stuck prefix. Bars run from
/// invocation to return; those of the longest linearization carry their place
/// in it, the operation that fits nowhere is red, those still under way fade
/// out to the right. Every bar tells its operation in full when pointed at.
pub fn svg(history: &History, stuck: &Stuck) -> String {
    let layout = Layout::new(history, stuck, OPERATIONS_MAX);
    let lanes = lanes(&layout);
    let width = LEFT_PX + (layout.columns.max(12) + 1) * COLUMN_PX;
    let height = TOP_PX + lanes.len() * LANE_PX + 34;
    let mut svg = String::new();
    put(
        &mut svg,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
             <style>.placed{{fill:#cfe3f7;stroke:#2f6ea8}}.stuck{{fill:#f8c9c4;stroke:#b3261e;\
             stroke-width:2}}.under-way{{fill:#eeeeee;stroke:#777777;stroke-dasharray:4 3}}\
             .lane{{stroke:#dddddd}}.order{{font-size:10px;fill:#2f6ea8}}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
        ),
    );
    put_heading(&mut svg, history, stuck, &layout);
    for (process, lane) in &lanes {
        put_lane(&mut svg, *process, *lane, width);
    }
    for bar in &layout.bars {
        put_bar(&mut svg, history, bar, lanes[&bar.process], layout.columns);
    }
    put_legend(&mut svg, height);
    svg.push_str("</svg>\n");
    svg
}

/// The lane of each process, by number.
fn lanes(layout: &Layout) -> BTreeMap<u64, usize> {
    let mut lanes: BTreeMap<u64, usize> = layout.bars.iter().map(|bar| (bar.process, 0)).collect();
    for (position, lane) in lanes.values_mut().enumerate() {
        *lane = position;
    }
    lanes
}

fn put_heading(svg: &mut String, history: &History, stuck: &Stuck, layout: &Layout) {
    let culprit = history.operation(stuck.ended_by);
    let key = stuck.key.as_ref();
    let of_key = key.map_or_else(String::new, |key| {
        format!(", key {}", shortened(&key.to_string(), 40))
    });
    let title = format!("Not linearizable{of_key}");
    let story = format!(
        "Process {} returned from {} at {} ns, but {}.",
        culprit.process,
        shortened(&culprit.to_string(), 60),
        culprit.returned_ns.unwrap_or(culprit.invoked_ns),
        held_in_words(stuck),
    );
    let extent = format!(
        "Stuck prefix of {} operations, {} in order, {} earlier ones not shown. \
         Columns are events, not time.",
        stuck.prefix.len(),
        stuck.linearized.len(),
        layout.hidden,
    );
    let (title, story, extent) = (escaped(&title), escaped(&story), escaped(&extent));
    put(
        svg,
        format_args!(
            "<title>{title}</title>\n\
             <text x=\"12\" y=\"22\" font-size=\"16\" font-weight=\"600\">{title}</text>\n\
             <text x=\"12\" y=\"42\">{story}</text>\n\
             <text x=\"12\" y=\"60\" fill=\"#555555\">{extent}</text>"
        ),
    );
}

fn put_lane(svg: &mut String, process: u64, lane: usize, width: usize) {
    let middle = lane_top(lane) + BAR_PX / 2;
    put(
        svg,
        format_args!(
            "<line class=\"lane\" x1=\"{LEFT_PX}\" y1=\"{middle}\" x2=\"{width}\" y2=\"{middle}\"/>\
             <text x=\"12\" y=\"{}\">process {process}</text>",
            middle + 4
        ),
    );
}

fn put_bar(svg: &mut String, history: &History, bar: &Bar, lane: usize, columns: usize) {
    let (left, top) = (LEFT_PX + bar.from * COLUMN_PX, lane_top(lane));
    let to = bar.to.unwrap_or(columns).max(bar.from + 1);
    let width = (to - bar.from) * COLUMN_PX - 3;
    let (class, order) = match bar.fate {
        Fate::Placed(place) => ("placed", format!("#{place}")),
        Fate::Stuck => ("stuck", "fits nowhere".to_owned()),
        Fate::UnderWay => ("under-way", String::new()),
    };
    let label = escaped(&shortened(&bar.label, width / CHAR_PX));
    let operation = history.operation(bar.id);
    let whole = format!(
        "operation {}, process {}: {} (invoked {} ns)",
        bar.id.0, bar.process, bar.label, operation.invoked_ns
    );
    let dashed = match bar.to {
        Some(_) => "",
        None => " stroke-dasharray=\"4 3\"",
    };
    put(
        svg,
        format_args!(
            "<g><title>{}</title><rect class=\"{class}\" x=\"{left}\" y=\"{top}\" \
             width=\"{width}\" height=\"{BAR_PX}\" rx=\"4\"{dashed}/>\
             <text x=\"{}\" y=\"{}\">{label}</text>\
             <text class=\"order\" x=\"{}\" y=\"{}\">{order}</text></g>",
            escaped(&whole),
            left + 4,
            top + 17,
            left + 2,
            top - 2,
        ),
    );
}

fn put_legend(svg: &mut String, height: usize) {
    put(
        svg,
        format_args!(
            "<text x=\"12\" y=\"{}\" fill=\"#555555\">blue: placed, #n is its place in the \
             order; red: fits nowhere; grey: still under way; dashed: no return</text>",
            height - 12
        ),
    );
}

fn lane_top(lane: usize) -> usize {
    TOP_PX + lane * LANE_PX + 8
}

/// Text as XML character data: markup escaped, characters XML forbids replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}

fn put(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = writeln!(svg, "{arguments}");
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}
