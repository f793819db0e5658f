//! One panel: axes, grid, curves, and the names of the curves.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Point, Type, text_width};
use super::colour;
use super::{PlotArea, WIDTH, faults, thin};
use crate::bands::Band;
use crate::chart::{Axis, Chart, Line, Mark, Panel, Scale};
use crate::number::tick_label;

/// Space left of the plot area, for the labels of the vertical axis.
pub(crate) const LEFT: f64 = 64.0;

/// Space right of the plot area.
pub(crate) const RIGHT: f64 = 24.0;

const HEAD: f64 = 22.0;
const NAME_ROW: f64 = 18.0;
const TICK_LABELS: f64 = 20.0;
const AXIS_LABEL: f64 = 20.0;
const GAP: f64 = 12.0;
const SWATCH: f64 = 20.0;

/// The most lines of one panel.
const MOST_LINES: usize = 40;

/// Where a panel and its parts stand.
pub(crate) struct PanelFrame {
    top: f64,
    /// Whether the label of the horizontal axis is written; panels with the same axis share it.
    names_x: bool,
    names: Vec<Name>,
    pub(crate) area: PlotArea,
}

/// The name of a curve, or of all curves that share a colour.
struct Name {
    text: String,
    colour: usize,
    mark: Mark,
    at: Point,
}

impl PanelFrame {
    pub(crate) fn bottom(&self) -> f64 {
        let label = if self.names_x { AXIS_LABEL } else { 0.0 };
        self.area.top + self.area.height + TICK_LABELS + label + GAP
    }
}

/// Places the panels of a chart under each other.
///
/// `lanes` is the height kept free above the first plot area, for the faults.
pub(crate) fn frames(chart: &Chart, top: f64, lanes: f64) -> Vec<PanelFrame> {
    let height = match chart.panels.len() {
        0 | 1 => 300.0,
        2 => 210.0,
        _ => 160.0,
    };
    let mut next = top;
    let mut frames: Vec<PanelFrame> = Vec::new();
    for (index, panel) in chart.panels.iter().enumerate() {
        let below = chart.panels.get(index + 1);
        let (names, rows) = names(panel, next + HEAD);
        let lanes = if index == 0 { lanes } else { 0.0 };
        let frame = PanelFrame {
            top: next,
            names_x: below.is_none_or(|below| below.x.label != panel.x.label),
            names,
            area: PlotArea {
                left: LEFT,
                top: next + HEAD + rows as f64 * NAME_ROW + lanes,
                width: WIDTH - LEFT - RIGHT,
                height,
            },
        };
        next = frame.bottom();
        frames.push(frame);
    }
    frames
}

/// The names of a panel's curves in rows from `top`, and how many rows they take.
///
/// A single curve is named by the axis, and more curves than there are colours by one name.
fn names(panel: &Panel, top: f64) -> (Vec<Name>, usize) {
    let named: Vec<(String, usize, Mark)> = match panel.lines.as_slice() {
        [] => Vec::new(),
        [only] if only.label.is_empty() => Vec::new(),
        lines if lines.len() > colour::DISTINCT_LINES => {
            let shown = shown(lines).count();
            let which = match shown == lines.len() {
                true => format!("each of {shown} series"),
                false => format!("{shown} of {} series", lines.len()),
            };
            vec![(which, 0, lines[0].mark)]
        }
        lines => lines
            .iter()
            .enumerate()
            .map(|(index, line)| (line.label.clone(), index, line.mark))
            .collect(),
    };
    let mut placed = Vec::new();
    let (mut x, mut row) = (LEFT, 0);
    for (text, colour, mark) in named {
        let width = SWATCH + 6.0 + text_width(&text, Type::BODY) + 18.0;
        if x > LEFT && x + width > WIDTH - RIGHT + 18.0 {
            (x, row) = (LEFT, row + 1);
        }
        placed.push(Name {
            text,
            colour,
            mark,
            at: (x, top + (row as f64 + 0.5) * NAME_ROW - 3.0),
        });
        x += width;
    }
    let rows = if placed.is_empty() { 0 } else { row + 1 };
    (placed, rows)
}

/// Draws one panel into its frame.
pub(crate) fn draw(
    canvas: &Canvas<'_>,
    panel: &Panel,
    frame: &PanelFrame,
    bands: &[Band],
) -> Result<(), String> {
    let area = &frame.area;
    canvas.text(
        (LEFT, frame.top + HEAD / 2.0 - 1.0),
        &panel.y.label,
        Type::STRONG,
    )?;
    for name in &frame.names {
        draw_name(canvas, name)?;
    }
    if panel.over_time {
        faults::shade(canvas, bands, &panel.x, (area.top, area.top + area.height))?;
    }
    draw_vertical_axis(canvas, &panel.y, area)?;
    draw_horizontal_axis(canvas, &panel.x, frame)?;
    let many = panel.lines.len() > colour::DISTINCT_LINES;
    for (index, line) in shown(&panel.lines).enumerate() {
        let stroke = match many {
            true => Stroke {
                colour: colour::line(0),
                opacity: 0.4,
                width: 1.0,
            },
            false => Stroke {
                colour: colour::line(index),
                opacity: 1.0,
                width: 1.8,
            },
        };
        draw_line(canvas, line, &Projection { panel, area }, &stroke)?;
    }
    Ok(())
}

/// The lines that are drawn: all of them, or some spread evenly over too many.
fn shown(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines
        .iter()
        .step_by(lines.len().div_ceil(MOST_LINES).max(1))
}

fn draw_name(canvas: &Canvas<'_>, name: &Name) -> Result<(), String> {
    let (x, y) = name.at;
    let colour = colour::line(name.colour);
    match name.mark {
        Mark::Straight | Mark::Steps => {
            canvas.path(&[(x, y), (x + SWATCH, y)], colour, 1.0, 2.4)?;
        }
        Mark::Dots => canvas.dot((x + SWATCH / 2.0, y), 3.0, colour, 1.0)?,
        Mark::Crosses => canvas.cross((x + SWATCH / 2.0, y), 3.5, colour)?,
    }
    canvas.text((x + SWATCH + 6.0, y), &name.text, Type::BODY)
}

fn draw_vertical_axis(canvas: &Canvas<'_>, axis: &Axis, area: &PlotArea) -> Result<(), String> {
    let ticks = axis.ticks((area.height / 36.0) as usize);
    let right = area.left + area.width;
    for &tick in &ticks {
        let y = area.top + (1.0 - axis.position(tick)) * area.height;
        canvas.path(&[(area.left, y), (right, y)], colour::GRID, 1.0, 1.0)?;
        let label = axis_label(axis, tick, &ticks);
        canvas.text((area.left - 8.0, y), &label, Type::MUTED.right())?;
    }
    Ok(())
}

fn draw_horizontal_axis(
    canvas: &Canvas<'_>,
    axis: &Axis,
    frame: &PanelFrame,
) -> Result<(), String> {
    let area = &frame.area;
    let (left, bottom) = (area.left, area.top + area.height);
    let right = left + area.width;
    canvas.path(&[(left, bottom), (right, bottom)], colour::FRAME, 1.0, 1.2)?;
    let ticks = axis.ticks(9);
    let mut taken = 0.0;
    for &tick in &ticks {
        let x = left + axis.position(tick) * area.width;
        canvas.path(&[(x, bottom), (x, bottom + 5.0)], colour::FRAME, 1.0, 1.2)?;
        let label = axis_label(axis, tick, &ticks);
        let half = text_width(&label, Type::MUTED) / 2.0;
        if x - half >= taken {
            canvas.text((x, bottom + 14.0), &label, Type::MUTED.centred())?;
            taken = x + half + 6.0;
        }
    }
    match frame.names_x {
        true => canvas.text(
            ((left + right) / 2.0, bottom + TICK_LABELS + 12.0),
            &axis.label,
            Type::BODY.centred(),
        ),
        false => Ok(()),
    }
}

fn axis_label(axis: &Axis, tick: f64, ticks: &[f64]) -> String {
    let step = match (axis.scale, ticks) {
        (Scale::Linear, [first, second, ..]) => second - first,
        (Scale::Linear | Scale::Logarithmic, _) => tick,
    };
    tick_label(tick, step)
}

/// From values to points of the page.
struct Projection<'a> {
    panel: &'a Panel,
    area: &'a PlotArea,
}

impl Projection<'_> {
    fn point(&self, (x, y): (f64, f64)) -> Point {
        (
            self.area.left + self.panel.x.position(x) * self.area.width,
            self.area.top + (1.0 - self.panel.y.position(y)) * self.area.height,
        )
    }

    /// The points of a line; not a number breaks it off, so that gaps stay gaps.
    fn stretches(&self, line: &Line) -> Vec<Vec<Point>> {
        line.points
            .split(|(x, y)| !x.is_finite() || !y.is_finite())
            .filter(|stretch| !stretch.is_empty())
            .map(|stretch| stretch.iter().map(|&value| self.point(value)).collect())
            .collect()
    }
}

struct Stroke {
    colour: RGBColor,
    opacity: f64,
    width: f64,
}

fn draw_line(
    canvas: &Canvas<'_>,
    line: &Line,
    projection: &Projection<'_>,
    &Stroke {
        colour,
        opacity,
        width,
    }: &Stroke,
) -> Result<(), String> {
    for stretch in projection.stretches(line) {
        match (line.mark, stretch.as_slice()) {
            (Mark::Straight | Mark::Steps, [only]) => canvas.dot(*only, 2.5, colour, opacity)?,
            (Mark::Straight, _) => canvas.path(&thin::line(&stretch), colour, opacity, width)?,
            (Mark::Steps, _) => {
                canvas.path(&thin::line(&steps(&stretch)), colour, opacity, width)?;
            }
            (Mark::Dots, _) => {
                for point in thin::cloud(&stretch) {
                    canvas.dot(point, 1.6, colour, opacity * 0.6)?;
                }
            }
            (Mark::Crosses, _) => {
                for point in thin::cloud(&stretch) {
                    canvas.cross(point, 3.0, colour)?;
                }
            }
        }
    }
    Ok(())
}

/// The corners of a step function: each value holds until the next point.
fn steps(points: &[Point]) -> Vec<Point> {
    let mut corners = Vec::with_capacity(points.len() * 2);
    for pair in points.windows(2) {
        corners.extend([pair[0], (pair[1].0, pair[0].1)]);
    }
    corners.extend(points.last());
    corners
}
