//! Everything a person or a tool reads after a run: pictures, a page, a screen of text.
//!
//! Computed from the run record alone, so that a report can be made again from an old run
//! directory ([`render`]). Equal records give equal bytes. This crate must not know the engine.
//!
//! Start at `figures.rs` for what is drawn, `draw.rs` for how, `page.rs` for the HTML page.

#![deny(missing_docs)]

mod bands;
mod chart;
mod draw;
mod error;
mod figures;
mod fonts;
mod number;
mod png;
mod statistics;

pub use error::ReportError;
pub use png::svg_to_png;

use fedsim_record::RunRecord;

/// One picture of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// File name without its ending, for instance `detection-latency`.
    pub name: String,
    /// One sentence on how to read it.
    pub caption: String,
    /// The picture, as the text of an SVG file.
    pub svg: String,
}

/// Draws every picture that the record has rows for, in the order of the report.
///
/// # Errors
/// [`ReportError::Draw`], which is a fault of ours.
pub fn pictures(record: &RunRecord) -> Result<Vec<Picture>, ReportError> {
    let bands = bands::bands(record);
    figures::charts(record)
        .into_iter()
        .map(|chart| {
            let drawing = draw::draw(&chart, &bands)?;
            Ok(Picture {
                name: chart.name,
                caption: chart.caption,
                svg: drawing.svg,
            })
        })
        .collect()
}
