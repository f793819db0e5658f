//! The terminal, if there is one: colours, widths, and text that goes out.
//!
//! Colours appear on a terminal alone and never under `NO_COLOR`; the terminal library decides.
//! Must not know what is said.

use std::io::{self, ErrorKind, Write};

use console::{Style, Term};
use fedsim_scenarios::Style as ErrorStyle;

use crate::failure::Failure;

/// How errors in scenarios are drawn.
pub(crate) fn error_style() -> ErrorStyle {
    match console::colors_enabled_stderr() {
        true => ErrorStyle::Terminal,
        false => ErrorStyle::Plain,
    }
}

/// Writes to standard output. A reader that has gone away (`fedsim list | head -1`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::bad_input(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a remark to standard error; if that fails there is nobody left to tell.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// The columns of standard output; none where it is no terminal.
pub(crate) fn columns() -> Option<usize> {
    let terminal = Term::stdout();
    terminal
        .is_term()
        .then(|| usize::from(terminal.size().1).max(40))
}

/// The text with its verdict signs in colour, where there is colour.
pub(crate) fn with_coloured_signs(text: &str) -> String {
    let colour = |sign: &str, style: Style| style.bold().apply_to(sign).to_string();
    let mut coloured = text.to_owned();
    for (sign, style) in [
        ("✓", Style::new().green()),
        ("✗", Style::new().red()),
        ("? UNKNOWN", Style::new().yellow()),
    ] {
        coloured = coloured.replace(sign, &colour(sign, style));
    }
    coloured
}
