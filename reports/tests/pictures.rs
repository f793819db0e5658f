//! Pictures: which are drawn, how they read, and what can never break them.

use std::fs;
use std::path::Path;

use fedsim_record::{RunRecord, Tables};
use fedsim_reports::{pictures, write_report};

use crate::sample::{election_every, record, under_churn};

/// Set to a directory to look at the pages of the sample runs there.
const LOOK: &str = "FEDSIM_PICTURES";

fn show(prefix: &str, record: &RunRecord) {
    let Some(directory) = std::env::var_os(LOOK) else {
        return;
    };
    let run = Path::new(&directory).join(prefix);
    fs::create_dir_all(&run).unwrap();
    write_report(record, &run).unwrap();
}

fn picture(record: &RunRecord, name: &str) -> String {
    let drawn = pictures(record).unwrap();
    let picture = drawn.into_iter().find(|picture| picture.name == name);
    picture.unwrap().svg
}

#[test]
fn every_subject_with_rows_has_its_picture() {
    // The sample has rows in every plotted table; the list is the whole offer, in order.
    let drawn = pictures(&record()).unwrap();
    let names: Vec<_> = drawn.iter().map(|picture| picture.name.as_str()).collect();
    let expected = [
        "timeline-leadership",
        "election-downtime",
        "terms-per-election",
        "commit-latency",
        "commit-latency-over-time",
        "decision-latency",
        "decision-latency-over-time",
        "phase-latency",
        "critical-path",
        "convergence",
        "detection-latency",
        "membership",
        "request-latency",
        "request-latency-over-time",
        "load",
        "messages",
        "samples-local-health",
        "samples-clock-offset",
        "samples-queue-length",
    ];
    assert_eq!(names, expected);
    show("plain", &record());
    show("churn", &under_churn());
}

#[test]
fn a_subject_without_rows_has_no_picture() {
    // Faults alone are no subject: a run that measured nothing draws nothing.
    let mut bare = record();
    bare.tables = Tables {
        faults: bare.tables.faults,
        ..Tables::default()
    };
    assert_eq!(pictures(&bare).unwrap(), []);
}

#[test]
fn curves_keep_eighths_of_a_pixel() {
    // The page size is an eighth of the view box; with whole pixels a slow curve would climb in
    // stairs. The convergence curve passes more heights than the panel has pixels only if
    // fractions survive.
    let svg = picture(&record(), "convergence");
    assert!(
        svg.starts_with("<svg width=\"960\" height=\""),
        "{}",
        &svg[..80]
    );
    assert!(svg.contains("viewBox=\"0 0 7680 "));
    let longest = svg
        .split("points=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .max_by_key(|points| points.len())
        .unwrap();
    let on_eighths = |point: &str| {
        let (_, y) = point.split_once(',').unwrap();
        y.parse::<i32>().unwrap() % 8 != 0
    };
    assert!(longest.split_whitespace().any(on_eighths));
}

#[test]
fn every_fault_is_named_beside_its_number() {
    // Six faults, few enough for numbers of their own; each label is a text of the legend.
    let svg = picture(&record(), "load");
    for fault in &record().tables.faults {
        assert!(
            svg.contains(&fault.label),
            "{} is not in the legend",
            fault.label
        );
    }
    assert!(svg.contains("never took effect"));
}

#[test]
fn many_faults_are_grouped_by_kind() {
    // Sixty legend rows would bury the plot; the two kinds have a letter and a count each.
    let svg = picture(&under_churn(), "load");
    assert!(svg.contains("crash (51 times)"), "no group of crashes");
    assert!(svg.contains("pause (9 times)"), "no group of pauses");
}

#[test]
fn long_series_are_thinned_to_what_a_picture_shows() {
    // 200,000 samples are some 5 MB as written; the picture may not grow with the run.
    let mut long = record();
    let template = long.tables.samples[1].clone();
    long.tables.samples = (0..200_000_u32)
        .map(|index| fedsim_record::SampleRow {
            at_s: fedsim_record::Seconds::from_nanos(u64::from(index) * 300_000),
            value: f64::from(index % 97),
            ..template.clone()
        })
        .collect();
    let svg = picture(&long, "samples-clock-offset");
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
}

#[test]
fn a_thousand_series_do_not_drown_the_picture() {
    // Each line would be kilobytes; the legend must then say that not all are shown.
    let mut wide = record();
    wide.tables.convergence = (0..100_000_u32)
        .map(|index| fedsim_record::ConvergenceRow {
            subject: format!("key of peer {}", index % 1000),
            at_s: fedsim_record::Seconds::from_nanos(u64::from(index / 1000) * 600_000_000),
            share: f64::from(index / 1000) / 100.0,
        })
        .collect();
    let svg = picture(&wide, "convergence");
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
    assert!(svg.contains("40 of 1000 series"));
}

#[test]
fn odd_values_are_drawn_or_left_out_but_never_break_a_picture() {
    // No numbers, infinite ones, a run of no length, names with markup: each has broken a
    // plotting script somewhere.
    let mut odd = record();
    odd.summary.virtual_seconds = fedsim_record::Seconds::default();
    for (index, value) in [f64::NAN, f64::INFINITY, -1.0, 0.0].into_iter().enumerate() {
        odd.tables.samples[index].value = value;
        odd.tables.samples[index].series = "<b>&\u{1f980}".to_owned();
    }
    odd.tables.convergence.truncate(1);
    odd.tables.latency.truncate(1);
    odd.tables.detection.retain(|row| row.censored);
    for picture in pictures(&odd).unwrap() {
        let name = &picture.name;
        let svg = roxmltree::Document::parse(&picture.svg).expect(name);
        let attributes = svg.descendants().flat_map(|node| node.attributes());
        for attribute in attributes {
            let value = attribute.value();
            assert!(
                !value.contains("NaN") && !value.contains("inf"),
                "{name}: {value}"
            );
        }
    }
}

/// The texts of a picture that equal one of `wanted`, with their heights in pixels of the page.
fn heights(svg: &str, wanted: &[String]) -> Vec<f64> {
    let texts = svg.split("<text ").skip(1);
    let found = texts.filter_map(|text| {
        let said = text.split_once(">\n")?.1.split_once('\n')?.0.trim();
        let y = text.split_once(" y=\"").or(text.split_once("y=\""))?.1;
        let y: f64 = y.split('"').next()?.parse().ok()?;
        wanted.iter().any(|name| name == said).then_some(y / 8.0)
    });
    found.collect()
}

#[test]
fn lanes_are_readable_from_three_peers_to_sixty_four() {
    // Every peer is named once, no name stands on another, and the picture is not higher than wide.
    for (peers, apart) in [(3, 20.0), (64, 9.5)] {
        let mut run = record();
        run.tables.timeline = election_every(0.9, peers);
        let names: Vec<String> = (1..=peers).map(|peer| format!("acme-{peer}")).collect();
        let svg = picture(&run, "timeline-leadership");
        let heights = heights(&svg, &names);
        assert_eq!(heights.len(), names.len());
        let closest = heights.windows(2).map(|two| two[1] - two[0]);
        assert!(
            closest.fold(f64::INFINITY, f64::min) >= apart,
            "{heights:?}"
        );
        let height: f64 = svg.split('"').nth(3).unwrap().parse().unwrap();
        assert!(height < 960.0, "higher than wide: {height}");
        show(&format!("lanes-{peers}"), &run);
    }
}

#[test]
fn a_leader_carries_its_term_and_whoever_is_down_has_no_bar() {
    // Five terms of ten seconds fit into their bars; without the pieces in which servers are down
    // nothing may change, and without those in which they follow something must.
    let run = record();
    let svg = picture(&run, "timeline-leadership");
    let terms: Vec<String> = (1..=5).map(|term| term.to_string()).collect();
    let is_white = |text: &str| text.split('>').next().unwrap().contains("#FFFFFF");
    let white = svg.split("<text ").skip(1).filter(|text| is_white(text));
    let said: Vec<&str> = white
        .filter_map(|text| text.split_once(">\n")?.1.split_once('\n').map(|it| it.0))
        .collect();
    assert_eq!(said, terms);
    let without = |state: &str| {
        let mut run = record();
        run.tables.timeline.retain(|row| row.state != state);
        picture(&run, "timeline-leadership")
    };
    assert_eq!(without("down"), svg);
    assert_ne!(without("follower"), svg);
}

#[test]
fn reigns_too_short_for_their_terms_are_numbered_above_the_lanes() {
    // Three hundred reigns of a fifth of a second: no term has room in its bar, and those above
    // must not stand on each other.
    let mut run = record();
    run.tables.timeline = election_every(0.2, 5);
    let svg = picture(&run, "timeline-leadership");
    assert!(!svg.contains("fill=\"#FFFFFF\" font"), "a number in a bar");
    let terms: Vec<String> = (1..400).map(|term| term.to_string()).collect();
    let mut rows: std::collections::BTreeMap<i64, usize> = std::collections::BTreeMap::new();
    for y in heights(&svg, &terms) {
        *rows.entry((y * 8.0) as i64).or_default() += 1;
    }
    let above = rows.into_values().max().unwrap_or(0);
    assert!((10..100).contains(&above), "{above} terms above the lanes");
}
