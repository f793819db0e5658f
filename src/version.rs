//! Which program this is.

/// Version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Source commit from which it was built, or `unknown`.
pub(crate) const COMMIT: &str = env!("FEDSIM_COMMIT");

/// Both, as `--version` says it.
pub(crate) const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("FEDSIM_COMMIT"), ")");
