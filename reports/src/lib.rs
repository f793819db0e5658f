//! Everything a person or a tool reads after a run: pictures, a page, a screen of text.
//!
//! Computed from the run record alone, so that a report can be made again from an old run
//! directory ([`render`]). Equal records give equal bytes. This crate must not know the engine.
//!
//! Start at `figures.rs` for what is drawn, `draw.rs` for how, `page.rs` for the HTML page.

#![deny(missing_docs)]

mod bands;
mod chart;
mod compare;
mod directory;
mod draw;
mod error;
mod figures;
mod fonts;
mod number;
mod page;
mod picture;
mod seeds;
mod statistics;
mod text;
mod verdict;

pub use compare::{
    COMPARE_SCHEMA, Cell, Comparison, Judged, Source, SourceError, compare, comparison_text,
    write_comparison,
};
pub use directory::{PAGE, PLOTS, render, write_report};
pub use error::ReportError;
pub use figures::comparison;
pub use picture::{Picture, pictures};
pub use seeds::{
    Found, Pooled, SEEDS_SCHEMA, SeedFailure, SeedsDirectory, SeedsSummary, pooled, seeds_text,
};
pub use text::text_summary;
