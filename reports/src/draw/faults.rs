//! Fault bands: their shade behind the curves, their bars above, their legend below.

use super::WIDTH;
use super::canvas::{Canvas, Point, Type, fitted, text_width};
use super::colour;
use super::panel::RIGHT;
use crate::bands::Band;
use crate::chart::{Axis, Chart};

const SHADE: f64 = 0.14;
const BAR_HEIGHT: f64 = 6.0;
const BADGE_HEIGHT: f64 = 15.0;
const LANE_HEIGHT: f64 = 18.0;
const LEGEND_ROW: f64 = 20.0;
const LEGEND_COLUMNS: usize = 2;

fn badge_width(text: &str) -> f64 {
    (text_width(text, Type::STRONG) + 8.0).max(BADGE_HEIGHT)
}

fn draw_badge(canvas: &Canvas<'_>, (x, y): Point, index: usize, text: &str) -> Result<(), String> {
    let half = badge_width(text) / 2.0;
    let (top, bottom) = (y - BADGE_HEIGHT / 2.0, y + BADGE_HEIGHT / 2.0);
    let colour = colour::band(index);
    canvas.bar((x - half, top), (x + half, bottom), colour::PAPER, 1.0)?;
    canvas.bar((x - half, top), (x + half, bottom), colour, 0.55)?;
    canvas.text((x, y), text, Type::STRONG.centred())
}

/// Shades the spans of every band between two heights of a panel.
///
/// A span that covers most of the run, or lasts to its end, tells little about any moment, so it
/// is shaded less; several of them would otherwise add up to darkness.
pub(crate) fn shade(
    canvas: &Canvas<'_>,
    bands: &[Band],
    time: &TimeAxis<'_>,
    (top, bottom): (f64, f64),
) -> Result<(), String> {
    for (index, band) in bands.iter().enumerate() {
        let colour = colour::band(index);
        for &(from, to) in &band.spans {
            let (left, right) = (time.x(from), time.x(to));
            if to > from {
                let long = right - left > time.width() / 2.0;
                let opacity = match long || to >= time.axis.to {
                    true => SHADE / 3.0,
                    false => SHADE,
                };
                canvas.bar(
                    (left, top),
                    (right.max(left + 1.0), bottom),
                    colour,
                    opacity,
                )?;
            }
            canvas.path(&[(left, top), (left, bottom)], colour, 0.7, 0.8)?;
        }
    }
    Ok(())
}

/// The axis of virtual time and where it begins on the page.
#[derive(Clone, Copy)]
pub(crate) struct TimeAxis<'a> {
    pub(crate) axis: &'a Axis,
    pub(crate) left: f64,
}

impl TimeAxis<'_> {
    fn width(&self) -> f64 {
        WIDTH - self.left - RIGHT
    }

    fn x(&self, value: f64) -> f64 {
        self.left + self.axis.position(value) * self.width()
    }
}

/// The faults as bars over the first panel, each with its badge at its start, in as many lanes
/// as it takes for none to touch another.
pub(crate) struct Bars<'a> {
    bands: &'a [Band],
    time: Option<TimeAxis<'a>>,
    /// The lane of each band.
    lanes: Vec<usize>,
}

impl<'a> Bars<'a> {
    /// Lays them out over plot areas that begin at `left`.
    pub(crate) fn lay_out(chart: &'a Chart, left: f64, bands: &'a [Band]) -> Self {
        let time = chart.panels.iter().find(|panel| panel.is_over_time());
        let time = time.map(|panel| TimeAxis {
            axis: panel.x(),
            left,
        });
        let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut lanes = Vec::new();
        for (band, time) in bands.iter().zip(time.into_iter().cycle()) {
            let wanted: Vec<(f64, f64)> = band
                .spans
                .iter()
                .map(|span| extent(band, *span, &time))
                .collect();
            let free = taken.iter().position(|lane| are_apart(lane, &wanted));
            let lane = free.unwrap_or(taken.len());
            if free.is_none() {
                taken.push(Vec::new());
            }
            taken[lane].extend(wanted);
            lanes.push(lane);
        }
        Self { bands, time, lanes }
    }

    pub(crate) fn height(&self) -> f64 {
        match self.lanes.iter().max() {
            Some(last) => (last + 1) as f64 * LANE_HEIGHT + 4.0,
            None => 0.0,
        }
    }

    pub(crate) fn draw(&self, canvas: &Canvas<'_>, top: f64) -> Result<(), String> {
        let Some(time) = self.time else {
            return Ok(());
        };
        for (index, (band, lane)) in self.bands.iter().zip(&self.lanes).enumerate() {
            let y = top + (*lane as f64 + 0.5) * LANE_HEIGHT;
            draw_spans(canvas, (index, band), &time, y)?;
        }
        Ok(())
    }
}

/// Bars of a band at one height, and badges where there is room between them.
fn draw_spans(
    canvas: &Canvas<'_>,
    (index, band): (usize, &Band),
    time: &TimeAxis<'_>,
    y: f64,
) -> Result<(), String> {
    for &(from, to) in &band.spans {
        let (left, right) = (time.x(from), time.x(to));
        let (top, bottom) = (y - BAR_HEIGHT / 2.0, y + BAR_HEIGHT / 2.0);
        canvas.bar(
            (left, top),
            (right.max(left + 1.0), bottom),
            colour::band(index),
            0.55,
        )?;
    }
    let mut badge_end = f64::NEG_INFINITY;
    for &span in &band.spans {
        let half = badge_width(&band.badge) / 2.0;
        let middle = extent(band, span, time).0 + half + 1.0;
        if middle - half >= badge_end + 4.0 {
            draw_badge(canvas, (middle, y), index, &band.badge)?;
            badge_end = middle + half;
        }
    }
    Ok(())
}

/// What a span takes of its lane: its bar, and the badge that stands at its start.
fn extent(band: &Band, (from, to): (f64, f64), time: &TimeAxis<'_>) -> (f64, f64) {
    let badge = badge_width(&band.badge) + 2.0;
    let left = time.x(from).min(WIDTH - RIGHT - badge);
    (left - 1.0, time.x(to).max(left + badge) + 1.0)
}

fn are_apart(taken: &[(f64, f64)], wanted: &[(f64, f64)]) -> bool {
    wanted
        .iter()
        .all(|new| taken.iter().all(|old| new.1 <= old.0 || old.1 <= new.0))
}

/// What each badge stands for, in columns below the panels.
pub(crate) struct Legend<'a> {
    bands: &'a [Band],
    left: f64,
}

impl<'a> Legend<'a> {
    pub(crate) fn lay_out(left: f64, bands: &'a [Band]) -> Self {
        Self { bands, left }
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
        let column = (WIDTH - self.left - RIGHT) / LEGEND_COLUMNS as f64;
        for (index, band) in self.bands.iter().enumerate() {
            let x = self.left + (index / self.rows()) as f64 * column;
            let y = top + 8.0 + ((index % self.rows()) as f64 + 0.5) * LEGEND_ROW;
            let width = badge_width(&band.badge);
            draw_badge(canvas, (x + width / 2.0, y), index, &band.badge)?;
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
