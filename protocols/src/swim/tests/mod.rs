//! Tests of the SWIM machine, one file per kind of input.
