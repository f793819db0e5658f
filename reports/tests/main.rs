//! What the reports promise: pictures that draw, pages that repeat, summaries that fit a screen.

mod compare;
mod pictures;
mod reference;
mod report;
mod sample;
mod seeds;
