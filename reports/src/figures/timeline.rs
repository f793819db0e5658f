//! Who was what and when: a lane for each peer.

use fedsim_record::{RunRecord, TimelineRow};

use super::{end_s, grouped};
use crate::chart::{Axis, Chart, Lane, LaneState, Lanes, Panel, Piece, Tone};

/// Lanes of one picture at most.
const LANES: usize = 128;

/// What is drawn as a gap.
const DOWN: &str = "down";

/// A timeline as people call it.
struct Known {
    name: &'static str,
    title: &'static str,
    /// What the numbers are.
    number: &'static str,
    caption: &'static str,
}

const KNOWN: [Known; 2] = [
    Known {
        name: "leadership",
        title: "Leadership",
        number: "term",
        caption: "Who led, and who stood for election; a leader carries its term. A lane is \
                  empty while its server is down.",
    },
    Known {
        name: "views",
        title: "Views",
        number: "view",
        caption: "In which view each replica was; the primary carries its number. A lane is \
                  empty while its replica is down.",
    },
];

/// How known states look; any other gets a colour of its own.
const TONES: [(&str, Tone); 8] = [
    ("leader", Tone::Strong),
    ("primary", Tone::Strong),
    ("candidate", Tone::Alert),
    ("view-changing", Tone::Alert),
    ("pre-candidate", Tone::Hint),
    ("follower", Tone::Quiet),
    ("backup", Tone::Quiet),
    ("paused", Tone::Away),
];

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let timelines = grouped(&record.tables.timeline, |row| &row.timeline);
    let charts = timelines.into_iter();
    charts
        .map(|(name, rows)| chart(record, name, &rows))
        .collect()
}

fn chart(record: &RunRecord, name: &str, rows: &[&TimelineRow]) -> Chart {
    let known = KNOWN.iter().find(|known| known.name == name);
    let states = states(rows);
    let (lanes, peers) = lanes(rows, &states);
    let number = known.map_or("number", |known| known.number);
    let shown = match lanes.len() == peers {
        true => String::new(),
        false => format!("; the {} of {peers} peers that changed most", lanes.len()),
    };
    Chart {
        name: format!("timeline-{name}"),
        title: known.map_or(name, |known| known.title).to_owned(),
        caption: known
            .map_or("What each peer was, over time.", |known| known.caption)
            .to_owned(),
        panels: vec![Panel::Lanes(Lanes {
            x: Axis::time(end_s(record)),
            label: format!("state of each peer, with its {number}{shown}"),
            states,
            lanes,
            over_time: true,
        })],
    }
}

/// The states that occur, loudest first.
fn states(rows: &[&TimelineRow]) -> Vec<LaneState> {
    let occurs = |state: &str| rows.iter().any(|row| row.state == state);
    let known = TONES.iter().filter(|(state, _)| occurs(state));
    let mut states: Vec<LaneState> = known
        .map(|(state, tone)| LaneState {
            label: (*state).to_owned(),
            tone: *tone,
        })
        .collect();
    for row in rows {
        if row.state != DOWN && states.iter().all(|state| state.label != row.state) {
            states.push(LaneState {
                label: row.state.clone(),
                tone: Tone::Distinct(states.len()),
            });
        }
    }
    states
}

/// The lanes that are drawn, by slot, and how many peers there are.
fn lanes(rows: &[&TimelineRow], states: &[LaneState]) -> (Vec<Lane>, usize) {
    let mut peers: Vec<(u32, Vec<&TimelineRow>)> = Vec::new();
    for &row in rows {
        match peers.last_mut() {
            Some((peer, pieces)) if *peer == row.peer => pieces.push(row),
            Some(_) | None => peers.push((row.peer, vec![row])),
        }
    }
    let count = peers.len();
    peers.sort_by_key(|(_, pieces)| std::cmp::Reverse(pieces.len()));
    peers.truncate(LANES);
    peers.sort_by_key(|(peer, _)| *peer);
    let lane = |(_, pieces): (u32, Vec<&TimelineRow>)| Lane {
        label: pieces[0].nickname.clone(),
        pieces: pieces.iter().filter_map(|row| piece(row, states)).collect(),
    };
    (peers.into_iter().map(lane).collect(), count)
}

fn piece(row: &TimelineRow, states: &[LaneState]) -> Option<Piece> {
    Some(Piece {
        from: row.from_s.as_f64(),
        to: row.to_s.as_f64(),
        state: states.iter().position(|state| state.label == row.state)?,
        text: row
            .number
            .map(|number| number.to_string())
            .unwrap_or_default(),
    })
}
