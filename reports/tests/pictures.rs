use std::fs;
use std::path::Path;

use fedsim_record::{RunRecord, Tables};
use fedsim_reports::{pictures, svg_to_png};

use crate::sample::{record, under_churn};

/// Set to a directory to look at the pictures of the sample runs there.
const LOOK: &str = "FEDSIM_PICTURES";

fn show(prefix: &str, record: &RunRecord) {
    let Ok(directory) = std::env::var(LOOK) else {
        return;
    };
    for picture in pictures(record).unwrap() {
        let path = Path::new(&directory).join(format!("{prefix}-{}.png", picture.name));
        fs::write(path, svg_to_png(&picture.svg, 1.0).unwrap()).unwrap();
    }
}

#[test]
fn every_subject_with_rows_has_its_picture() {
    // The sample has rows in every plotted table; the list is the whole offer, in order.
    let drawn = pictures(&record()).unwrap();
    let names: Vec<_> = drawn.iter().map(|picture| picture.name.as_str()).collect();
    let expected = [
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
