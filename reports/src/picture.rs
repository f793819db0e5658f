//! The pictures of a report: charts drawn, with what a page needs to point at their values.

use fedsim_record::RunRecord;
use serde::Serialize;

use crate::bands::{Band, bands};
use crate::chart::{Axis, Chart, Panel, Scale};
use crate::draw::{PlotArea, draw};
use crate::error::ReportError;
use crate::figures;

/// One picture of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// File name without its ending, for instance `detection-latency`.
    pub name: String,
    /// One sentence on how to read it.
    pub caption: String,
    /// The picture, as the text of an SVG file.
    pub svg: String,
    pub(crate) panels: Vec<PanelOnPage>,
}

/// Where a panel stands and what its axes measure, for the script of the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PanelOnPage {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: AxisOnPage,
    /// The names of the lanes, from top to bottom, instead of a vertical axis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lanes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<AxisOnPage>,
    time: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AxisOnPage {
    label: String,
    from: f64,
    to: f64,
    log: bool,
}

/// Draws every picture that the record has rows for, in the order of the report.
///
/// # Errors
/// [`ReportError::Draw`], which is a fault of ours.
pub fn pictures(record: &RunRecord) -> Result<Vec<Picture>, ReportError> {
    drawn(figures::charts(record), &bands(record))
}

/// Draws charts with the same faults behind each.
pub(crate) fn drawn(charts: Vec<Chart>, bands: &[Band]) -> Result<Vec<Picture>, ReportError> {
    let picture = |chart: Chart| {
        let drawing = draw(&chart, bands)?;
        Ok(Picture {
            panels: panels(&chart, &drawing.areas),
            name: chart.name,
            caption: chart.caption,
            svg: drawing.svg,
        })
    };
    charts.into_iter().map(picture).collect()
}

fn panels(chart: &Chart, areas: &[PlotArea]) -> Vec<PanelOnPage> {
    let on_page = |axis: &Axis| AxisOnPage {
        label: axis.label.clone(),
        from: axis.from,
        to: axis.to,
        log: axis.scale == Scale::Logarithmic,
    };
    chart
        .panels
        .iter()
        .zip(areas)
        .map(|(panel, area)| PanelOnPage {
            left: area.left,
            top: area.top,
            width: area.width,
            height: area.height,
            x: on_page(panel.x()),
            lanes: match panel {
                Panel::Curves(_) => Vec::new(),
                Panel::Lanes(lanes) => lanes.lanes.iter().map(|it| it.label.clone()).collect(),
            },
            y: match panel {
                Panel::Curves(curves) => Some(on_page(&curves.y)),
                Panel::Lanes(_) => None,
            },
            time: panel.is_over_time(),
        })
        .collect()
}
