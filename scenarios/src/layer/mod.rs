//! A small language in which every section of a scenario file is described once: its keys, their
//! types, ranges, defaults and meaning. Reader, writer, JSON Schema and reference page all follow
//! from that one description.
//!
//! Start at [`section`]. Must not know any particular section.

pub(crate) mod choice;
pub(crate) mod names;
pub(crate) mod out;
pub(crate) mod page;
pub(crate) mod quantity;
pub(crate) mod reader;
pub(crate) mod scalar;
pub(crate) mod schema;
pub(crate) mod section;
pub(crate) mod shape;

pub(crate) use choice::{Tagged, choice};
pub(crate) use out::Out;
pub(crate) use reader::{Reader, World};
pub(crate) use section::{Lens, Section, at};
pub(crate) use shape::{Shape, Type};
