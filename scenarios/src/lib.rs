//! Scenario files: parsing, validation, canonical writing, schema and the shipped library.
