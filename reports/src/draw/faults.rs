//! Fault bands: their shade behind the curves, their badges above, their legend below.

use super::WIDTH;
use super::canvas::{Canvas, Type, fitted, text_width};
use super::colour;
use super::panel::{LEFT, RIGHT};
use crate::bands::Band;
use crate::chart::{Axis, Chart};

const SHADE: f64 = 0.18;
const BADGE_HEIGHT: f64 = 15.0;
const LANE_HEIGHT: f64 = 18.0;
const LEGEND_ROW: f64 = 20.0;
const LEGEND_COLUMNS: usize = 2;

fn badge_width(text: &str) -> f64 {
    (text_width(text, Type::STRONG) + 8.0).max(BADGE_HEIGHT)
}

fn draw_badge(canvas: &Canvas<'_>, x: f64, y: f64, index: usize, text: &str) -> Result<(), String> {
    let half = badge_width(text) / 2.0;
    let (top, bottom) = (y - BADGE_HEIGHT / 2.0, y + BADGE_HEIGHT / 2.0);
    let colour = colour::band(index);
    canvas.bar((x - half, top), (x + half, bottom), colour::PAPER, 1.0)?;
    canvas.bar((x - half, top), (x + half, bottom), colour, 0.45)?;
    canvas.text((x, y), text, Type::STRONG.centred())
}

/// Shades the spans of every band between two heights of a panel.
pub(crate) fn shade(
    canvas: &Canvas<'_>,
    bands: &[Band],
    time: &Axis,
    (top, bottom): (f64, f64),
) -> Result<(), String> {
    let x = |value| LEFT + time.position(value) * (WIDTH - LEFT - RIGHT);
    for (index, band) in bands.iter().enumerate() {
        let colour = colour::band(index);
        for &(from, to) in &band.spans {
            if to > from {
                let right = x(to).max(x(from) + 1.0);
                canvas.bar((x(from), top), (right, bottom), colour, SHADE)?;
            }
            canvas.path(&[(x(from), top), (x(from), bottom)], colour, 0.8, 1.0)?;
        }
    }
    Ok(())
}

/// Badges above the first panel, in as many lanes as it takes for none to touch another.
pub(crate) struct BadgeLanes {
    /// Middle, lane, band.
    placed: Vec<(f64, usize, usize, String)>,
    lanes: usize,
}

impl BadgeLanes {
    pub(crate) fn lay_out(chart: &Chart, bands: &[Band]) -> Self {
        let time = chart.panels.iter().find(|panel| panel.over_time);
        let mut lanes = Self {
            placed: Vec::new(),
            lanes: 0,
        };
        let Some(time) = time.map(|panel| &panel.x) else {
            return lanes;
        };
        let mut wishes = Vec::new();
        for (index, band) in bands.iter().enumerate() {
            wishes.extend(badges_of(index, band, time));
        }
        wishes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut ends: Vec<f64> = Vec::new();
        for (middle, band, text) in wishes {
            let half = badge_width(&text) / 2.0 + 1.5;
            let free = ends.iter().position(|end| *end <= middle - half);
            let lane = free.unwrap_or(ends.len());
            match free {
                Some(lane) => ends[lane] = middle + half,
                None => ends.push(middle + half),
            }
            lanes.placed.push((middle, lane, band, text));
        }
        lanes.lanes = ends.len();
        lanes
    }

    pub(crate) fn height(&self) -> f64 {
        self.lanes as f64 * LANE_HEIGHT
    }

    pub(crate) fn draw(&self, canvas: &Canvas<'_>, top: f64) -> Result<(), String> {
        for (middle, lane, band, text) in &self.placed {
            let y = top + (*lane as f64 + 0.5) * LANE_HEIGHT - 4.0;
            draw_badge(canvas, *middle, y, *band, text)?;
        }
        Ok(())
    }
}

/// Where a band wants its badges: over the middle of each span, but not closer together than
/// they are wide.
fn badges_of(index: usize, band: &Band, time: &Axis) -> Vec<(f64, usize, String)> {
    let half = badge_width(&band.badge) / 2.0;
    let (left, right) = (LEFT + half, WIDTH - RIGHT - half);
    let mut badges: Vec<(f64, usize, String)> = Vec::new();
    for &(from, to) in &band.spans {
        let share = (time.position(from) + time.position(to)) / 2.0;
        let middle = (LEFT + share * (WIDTH - LEFT - RIGHT)).clamp(left, right);
        let crowded = badges
            .last()
            .is_some_and(|(last, ..)| middle - last < 2.0 * half + 6.0);
        if !crowded {
            badges.push((middle, index, band.badge.clone()));
        }
    }
    badges
}

/// What each badge stands for, in columns below the panels.
pub(crate) struct Legend<'a> {
    bands: &'a [Band],
}

impl<'a> Legend<'a> {
    pub(crate) fn lay_out(bands: &'a [Band]) -> Self {
        Self { bands }
    }

    fn rows(&self) -> usize {
        self.bands.len().div_ceil(LEGEND_COLUMNS)
    }

    pub(crate) fn height(&self) -> f64 {
        match self.rows() {
            0 => 0.0,
            rows => 8.0 + rows as f64 * LEGEND_ROW,
        }
    }

    pub(crate) fn draw(&self, canvas: &Canvas<'_>, top: f64) -> Result<(), String> {
        let column = (WIDTH - LEFT - RIGHT) / LEGEND_COLUMNS as f64;
        for (index, band) in self.bands.iter().enumerate() {
            let x = LEFT + (index / self.rows()) as f64 * column;
            let y = top + 8.0 + ((index % self.rows()) as f64 + 0.5) * LEGEND_ROW;
            let width = badge_width(&band.badge);
            draw_badge(canvas, x + width / 2.0, y, index, &band.badge)?;
            let left = x + width + 8.0;
            let room = column - width - 20.0;
            let label = fitted(&band.label, Type::BODY, room);
            canvas.text((left, y), &label, Type::BODY)?;
            let used = text_width(&label, Type::BODY) + 8.0;
            if room - used > 40.0 {
                let detail = fitted(&band.detail, Type::MUTED, room - used);
                canvas.text((left + used, y), &detail, Type::MUTED)?;
            }
        }
        Ok(())
    }
}
