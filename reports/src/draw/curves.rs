//! The curves of one panel: lines, steps, clouds and bars.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Point};
use super::{PlotArea, colour, thin};
use crate::chart::{Curves, Line, Mark};

/// The most lines of one panel.
const MOST_LINES: usize = 40;

/// Half the width of a bar, in whole numbers of its axis.
const HALF_BAR: f64 = 0.25;

/// Draws every curve into the area.
pub(crate) fn draw(canvas: &Canvas<'_>, curves: &Curves, area: &PlotArea) -> Result<(), String> {
    let many = curves.lines.len() > colour::DISTINCT_LINES;
    for (index, line) in shown(&curves.lines).enumerate() {
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
        draw_line(canvas, line, &Projection { curves, area }, &stroke)?;
    }
    Ok(())
}

/// The lines that are drawn: all of them, or some spread evenly over too many.
pub(crate) fn shown(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines
        .iter()
        .step_by(lines.len().div_ceil(MOST_LINES).max(1))
}

/// From values to points of the page.
struct Projection<'a> {
    curves: &'a Curves,
    area: &'a PlotArea,
}

impl Projection<'_> {
    fn point(&self, (x, y): (f64, f64)) -> Point {
        (
            self.area.left + self.curves.x.position(x) * self.area.width,
            self.area.top + (1.0 - self.curves.y.position(y)) * self.area.height,
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
    if line.mark == Mark::Bars {
        return draw_bars(canvas, line, projection, colour);
    }
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
            (Mark::Bars, _) => unreachable!("BUG: bars are no points"),
        }
    }
    Ok(())
}

fn draw_bars(
    canvas: &Canvas<'_>,
    line: &Line,
    projection: &Projection<'_>,
    colour: RGBColor,
) -> Result<(), String> {
    for &(x, y) in &line.points {
        let (low, high) = ((x - HALF_BAR, 0.0), (x + HALF_BAR, y));
        canvas.bar(projection.point(low), projection.point(high), colour, 1.0)?;
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
