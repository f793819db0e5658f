//! Scenario files from the outside: what is read, what is refused, what is written back.

mod errors;
mod fuzz;
mod overrides;
mod pages;
mod round_trip;
mod shipped;
mod support;
