//! SVG pictures as pixels, for places that show no SVG.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use crate::error::ReportError;
use crate::fonts;

/// Turns one of our SVG pictures into a PNG file, `scale` pixels for each SVG pixel (2 for
/// sharp screens). Text is set in the embedded typeface; equal input gives equal bytes.
///
/// # Errors
/// [`ReportError::NotAPicture`] if the text is no SVG, or comes to no pixel at this scale.
pub fn svg_to_png(svg: &str, scale: f32) -> Result<Vec<u8>, ReportError> {
    let refused = |reason: String| ReportError::NotAPicture(reason);
    let options = usvg::Options {
        font_family: fonts::FAMILY.to_owned(),
        fontdb: Arc::new(fonts::database()),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| refused(error.to_string()))?;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(scale)
        .ok_or_else(|| refused(format!("no pixel is left at scale {scale}")))?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).ok_or_else(|| refused("too large".to_owned()))?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    pixels
        .encode_png()
        .map_err(|error| refused(error.to_string()))
}
