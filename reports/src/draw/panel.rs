//! One panel: where it stands, its axes and grid, the names of its curves or states.

use super::canvas::{Canvas, Point, Type, text_width};
use super::colour;
use super::faults::TimeAxis;
use super::{PlotArea, WIDTH, curves, faults, lanes};
use crate::bands::Band;
use crate::chart::{Axis, Chart, Curves, Mark, Panel, Scale, Tone};
use crate::number::tick_label;

/// Space left of the plot area at least, for the labels of the vertical axis.
const LEFT: f64 = 64.0;

/// Space right of the plot area.
pub(crate) const RIGHT: f64 = 24.0;

const HEAD: f64 = 22.0;
const NAME_ROW: f64 = 18.0;
const TICK_LABELS: f64 = 20.0;
const AXIS_LABEL: f64 = 20.0;
const GAP: f64 = 12.0;
const SWATCH: f64 = 20.0;

/// Height of a plot area that holds nothing but bars.
const BARS_HEIGHT: f64 = 160.0;

/// Where a panel and its parts stand.
pub(crate) struct PanelFrame {
    top: f64,
    /// Whether the label of the horizontal axis is written; panels with the same axis share it.
    names_x: bool,
    names: Vec<Name>,
    pub(crate) area: PlotArea,
}

/// The name of a curve, of all curves that share a colour, or of a state.
struct Name {
    text: String,
    swatch: Swatch,
    at: Point,
}

/// What stands before a name.
#[derive(Clone, Copy)]
enum Swatch {
    /// A mark in the colour of a curve's place.
    Curve(usize, Mark),
    State(Tone),
}

impl PanelFrame {
    pub(crate) fn bottom(&self) -> f64 {
        let label = if self.names_x { AXIS_LABEL } else { 0.0 };
        self.area.top + self.area.height + TICK_LABELS + label + GAP
    }
}

/// Where the plot areas of a chart begin: behind the longest name of a lane, if it has lanes.
pub(crate) fn left(chart: &Chart) -> f64 {
    let of = |panel: &Panel| match panel {
        Panel::Curves(_) => LEFT,
        Panel::Lanes(lanes) => lanes::left(lanes),
    };
    chart.panels.iter().map(of).fold(LEFT, f64::max)
}

/// Places the panels of a chart under each other, their plot areas from `left` on.
///
/// `bars` is the height kept free above the first plot area, for the faults.
pub(crate) fn frames(chart: &Chart, left: f64, top: f64, bars: f64) -> Vec<PanelFrame> {
    let height = match chart.panels.len() {
        0 | 1 => 300.0,
        2 => 210.0,
        _ => 160.0,
    };
    let mut next = top;
    let mut frames: Vec<PanelFrame> = Vec::new();
    for (index, panel) in chart.panels.iter().enumerate() {
        let below = chart.panels.get(index + 1);
        let (names, rows) = place(names(panel), (left, next + HEAD));
        let bars = if index == 0 { bars } else { 0.0 };
        let frame = PanelFrame {
            top: next,
            names_x: below.is_none_or(|below| below.x().label != panel.x().label),
            names,
            area: PlotArea {
                left,
                top: next + HEAD + rows as f64 * NAME_ROW + bars,
                width: WIDTH - left - RIGHT,
                height: match panel {
                    Panel::Curves(curves) if is_of_bars(curves) => BARS_HEIGHT,
                    Panel::Curves(_) => height,
                    Panel::Lanes(lanes) => lanes::height(lanes),
                },
            },
        };
        next = frame.bottom();
        frames.push(frame);
    }
    frames
}

fn is_of_bars(curves: &Curves) -> bool {
    curves.lines.iter().all(|line| line.mark == Mark::Bars)
}

/// The names of a panel's states, or of its curves.
fn names(panel: &Panel) -> Vec<(String, Swatch)> {
    match panel {
        Panel::Curves(curves) => curve_names(curves),
        Panel::Lanes(lanes) => {
            let states = lanes.states.iter();
            let named = states.map(|state| (state.label.clone(), Swatch::State(state.tone)));
            named.collect()
        }
    }
}

/// A single curve is named by the axis, and more curves than there are colours by one name.
fn curve_names(curves: &Curves) -> Vec<(String, Swatch)> {
    match curves.lines.as_slice() {
        [] => Vec::new(),
        [only] if only.label.is_empty() => Vec::new(),
        lines if lines.len() > colour::DISTINCT_LINES => {
            let shown = curves::shown(lines).count();
            let which = match shown == lines.len() {
                true => format!("each of {shown} series"),
                false => format!("{shown} of {} series", lines.len()),
            };
            vec![(which, Swatch::Curve(0, lines[0].mark))]
        }
        lines => lines
            .iter()
            .enumerate()
            .map(|(index, line)| (line.label.clone(), Swatch::Curve(index, line.mark)))
            .collect(),
    }
}

/// Places names in rows, and says how many rows they take.
fn place(named: Vec<(String, Swatch)>, (left, top): Point) -> (Vec<Name>, usize) {
    let mut placed = Vec::new();
    let (mut x, mut row) = (left, 0);
    for (text, swatch) in named {
        let width = SWATCH + 6.0 + text_width(&text, Type::BODY) + 18.0;
        if x > left && x + width > WIDTH - RIGHT + 18.0 {
            (x, row) = (left, row + 1);
        }
        placed.push(Name {
            text,
            swatch,
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
    let label = match panel {
        Panel::Curves(curves) => &curves.y.label,
        Panel::Lanes(lanes) => &lanes.label,
    };
    let head = (area.left, frame.top + HEAD / 2.0 - 1.0);
    canvas.text(head, label, Type::STRONG)?;
    for name in &frame.names {
        draw_name(canvas, name)?;
    }
    if panel.is_over_time() {
        let time = TimeAxis {
            axis: panel.x(),
            left: area.left,
        };
        faults::shade(canvas, bands, &time, (area.top, area.top + area.height))?;
    }
    match panel {
        Panel::Curves(curves) => {
            draw_vertical_axis(canvas, &curves.y, area)?;
            draw_horizontal_axis(canvas, &curves.x, frame)?;
            curves::draw(canvas, curves, area)
        }
        Panel::Lanes(lanes) => {
            lanes::draw(canvas, lanes, area)?;
            draw_horizontal_axis(canvas, &lanes.x, frame)
        }
    }
}

fn draw_name(canvas: &Canvas<'_>, name: &Name) -> Result<(), String> {
    let (x, y) = name.at;
    match name.swatch {
        Swatch::Curve(place, mark) => {
            let colour = colour::line(place);
            let middle = x + SWATCH / 2.0;
            match mark {
                Mark::Straight | Mark::Steps => {
                    canvas.path(&[(x, y), (x + SWATCH, y)], colour, 1.0, 2.4)?;
                }
                Mark::Dots => canvas.dot((middle, y), 3.0, colour, 1.0)?,
                Mark::Crosses => canvas.cross((middle, y), 3.5, colour)?,
                Mark::Bars => {
                    let (low, high) = ((middle - 5.0, y - 5.0), (middle + 5.0, y + 5.0));
                    canvas.bar(low, high, colour, 1.0)?;
                }
            }
        }
        Swatch::State(tone) => lanes::draw_swatch(canvas, (x, y), SWATCH, tone)?,
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
        (Scale::Linear | Scale::Whole, [first, second, ..]) => second - first,
        (Scale::Linear | Scale::Whole | Scale::Logarithmic, _) => tick,
    };
    tick_label(tick, step)
}
