//! Plots, tables and pages computed from a run record.
