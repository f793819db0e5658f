//! Charts as SVG text.
//!
//! Drawn on a canvas eight times as large as shown, because the drawing library rounds every
//! coordinate to a whole unit; curves are smooth that way. Must not know the record.
//!
//! ```text
//! title
//! y label   - line - line
//! [1]====  [2]====== faults, in lanes so that they never collide
//! |   plot           panels under each other, of curves or of lanes
//! x label
//! [1] what fault 1 is   [2] ...
//! ```

mod canvas;
mod colour;
mod curves;
mod faults;
mod lanes;
mod panel;
mod thin;

use canvas::{Canvas, Type};
use faults::{Bars, Legend};
use panel::PanelFrame;

use crate::bands::Band;
use crate::chart::{Chart, Panel};
use crate::error::ReportError;

/// Width of every picture, in pixels of the page.
pub(crate) const WIDTH: f64 = 960.0;

const TITLE_HEIGHT: f64 = 44.0;
const BOTTOM_MARGIN: f64 = 12.0;

/// Where the plot area of a panel stands in the picture, for pointing at values on the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlotArea {
    /// Left, top, width and height in pixels of the page.
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A drawn chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawing {
    pub(crate) svg: String,
    /// One for each panel.
    pub(crate) areas: Vec<PlotArea>,
}

/// Draws the chart, with the faults behind the panels that go over time.
pub(crate) fn draw(chart: &Chart, bands: &[Band]) -> Result<Drawing, ReportError> {
    let bands = match chart.panels.iter().any(Panel::is_over_time) {
        true => bands,
        false => &[],
    };
    let mut svg = String::new();
    let areas = draw_into(&mut svg, chart, bands).map_err(|reason| ReportError::Draw {
        figure: chart.name.clone(),
        reason,
    })?;
    Ok(Drawing {
        svg: canvas::at_page_size(&svg, &chart.title),
        areas,
    })
}

fn draw_into(svg: &mut String, chart: &Chart, bands: &[Band]) -> Result<Vec<PlotArea>, String> {
    let left = panel::left(chart);
    let bars = Bars::lay_out(chart, left, bands);
    let legend = Legend::lay_out(left, bands);
    let frames = panel::frames(chart, left, TITLE_HEIGHT, bars.height());
    let bottom = frames.last().map_or(TITLE_HEIGHT, PanelFrame::bottom);
    let height = bottom + legend.height() + BOTTOM_MARGIN;
    let canvas = Canvas::new(svg, WIDTH, height)?;
    canvas.text((left, 22.0), &chart.title, Type::TITLE)?;
    if let Some(first) = frames.first() {
        bars.draw(&canvas, first.area.top - bars.height())?;
    }
    for (panel, frame) in chart.panels.iter().zip(&frames) {
        panel::draw(&canvas, panel, frame, bands)?;
    }
    legend.draw(&canvas, bottom)?;
    canvas.finish()?;
    Ok(frames.into_iter().map(|frame| frame.area).collect())
}
