//! What the run record promises to those who write and read it.

mod directory;
mod read_errors;
mod round_trip;
mod runs;
mod sample;
