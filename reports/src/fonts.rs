//! The typeface of every picture, inside the binary: no font of the machine is ever asked for.

use std::sync::Once;

use plotters::style::{FontStyle, register_font};

/// The family name under which the face is drawn and found again.
pub(crate) const FAMILY: &str = "DejaVu Sans";

/// What browsers use in its place when they do not have it: faces of the same widths first.
pub(crate) const FAMILY_WITH_FALLBACKS: &str = "DejaVu Sans, Verdana, sans-serif";

static REGULAR: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");
static BOLD: &[u8] = include_bytes!("../assets/DejaVuSans-Bold-subset.ttf");

/// Makes the face known to the drawing library, once in a process.
pub(crate) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)] {
            let registered = register_font(FAMILY, style, bytes);
            assert!(registered.is_ok(), "BUG: the embedded font cannot be read");
        }
    });
}
