//! Scenario files: what they can say ([`spec`]), how they are read, checked and written back, and
//! the library of those shipped with the program ([`library`]).
//!
//! Start at [`Document::open`]. Every section is described once (`sections`, in the language of
//! `layer`); reader, canonical writer, [`json_schema`] and [`reference_page`] follow from it.
//!
//! This crate must not know how anything is run.

mod document;
mod layer;
pub mod library;
mod problem;
mod sections;
mod set;
pub mod spec;
mod tree;

pub use document::{Document, Folder, Options};
pub use layer::reader::{Files, NameKind};
pub use problem::{Problem, ScenarioErrors, Style};
pub use spec::Scenario;

/// The JSON Schema of scenario files, for editors.
pub fn json_schema() -> serde_json::Value {
    layer::schema::schema(&sections::root::doc())
}

/// The reference page of scenario files, in Markdown.
pub fn reference_page() -> String {
    layer::page::page(&sections::root::doc())
}

impl Scenario {
    /// The canonical file that says this: every key, defaults included. Reading it gives an equal
    /// scenario, as long as members come before clients and those of one organisation stand
    /// together, as they do in every scenario that was read.
    pub fn to_toml(&self) -> String {
        layer::out::document(&sections::root::entries(self))
    }
}
