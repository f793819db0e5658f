//! Colours that people with any colour vision tell apart (Okabe and Ito 2008), and greys.

use plotters::style::RGBColor;

pub(crate) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
pub(crate) const MUTED: RGBColor = RGBColor(0x5b, 0x67, 0x70);
pub(crate) const FRAME: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
pub(crate) const GRID: RGBColor = RGBColor(0xe4, 0xe7, 0xeb);
pub(crate) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

const LINES: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x4b, 0x55, 0x63),
];

const BANDS: [RGBColor; 6] = [
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x79, 0x86, 0xcb),
];

/// The colours of lanes: who decides, wants, asks, the ordinary, the absent.
pub(crate) const STRONG: RGBColor = LINES[0];
pub(crate) const ALERT: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
pub(crate) const HINT: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
pub(crate) const QUIET: RGBColor = RGBColor(0xb8, 0xc4, 0xce);
pub(crate) const AWAY: RGBColor = RGBColor(0x7b, 0x87, 0x94);

/// How many lines one panel tells apart by colour.
pub(crate) const DISTINCT_LINES: usize = LINES.len();

/// The colour of a panel's line, by its place.
pub(crate) fn line(index: usize) -> RGBColor {
    LINES[index % LINES.len()]
}

/// The colour of a fault band, by its place.
pub(crate) fn band(index: usize) -> RGBColor {
    BANDS[index % BANDS.len()]
}
