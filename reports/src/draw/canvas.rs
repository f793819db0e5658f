//! The drawing library behind page pixels: everything here is asked for in pixels of the page
//! and drawn eight times as large.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};

use super::colour::{INK, MUTED, PAPER};
use crate::fonts;

/// Drawn units for each pixel of the page.
const UNITS: f64 = 8.0;

/// What the library divides font sizes by when it writes SVG.
const FONT_SIZE_DIVISOR: f64 = 1.24;

/// What the library's measure of a text must be multiplied by: it takes the size for the height
/// of the face from ascender to descender (1.164 em) and draws it as 1.24 em.
const MEASURED_WIDTH: f64 = 1.164 / FONT_SIZE_DIVISOR;

/// A point in pixels of the page, from the upper left corner.
pub(crate) type Point = (f64, f64);

/// How a text is set.
#[derive(Clone, Copy)]
pub(crate) struct Type {
    size: f64,
    style: FontStyle,
    colour: RGBColor,
    horizontal: HPos,
}

impl Type {
    pub(crate) const TITLE: Self = Self {
        size: 17.0,
        style: FontStyle::Bold,
        ..Self::BODY
    };
    pub(crate) const BODY: Self = Self {
        size: 12.0,
        style: FontStyle::Normal,
        colour: INK,
        horizontal: HPos::Left,
    };
    pub(crate) const STRONG: Self = Self {
        style: FontStyle::Bold,
        ..Self::BODY
    };
    pub(crate) const MUTED: Self = Self {
        colour: MUTED,
        ..Self::BODY
    };

    pub(crate) const SMALL: Self = Self {
        size: 9.5,
        colour: MUTED,
        ..Self::BODY
    };
    /// On a bar of the strongest colour.
    pub(crate) const ON_STRONG: Self = Self {
        colour: PAPER,
        ..Self::STRONG
    };

    pub(crate) const fn centred(self) -> Self {
        Self {
            horizontal: HPos::Center,
            ..self
        }
    }

    pub(crate) const fn right(self) -> Self {
        Self {
            horizontal: HPos::Right,
            ..self
        }
    }

    fn style(&self) -> TextStyle<'_> {
        let family = FontFamily::Name(fonts::FAMILY);
        let font = FontDesc::new(family, self.size * FONT_SIZE_DIVISOR * UNITS, self.style);
        TextStyle::from(font)
            .color(&self.colour)
            .pos(Pos::new(self.horizontal, VPos::Center))
    }
}

/// The width of a text on the page, in pixels.
pub(crate) fn text_width(text: &str, face: Type) -> f64 {
    fonts::register();
    let bounds = face.style().font.box_size(text);
    bounds.map_or(0.0, |(width, _)| f64::from(width) / UNITS * MEASURED_WIDTH)
}

/// The text, shortened with an ellipsis to at most `width` pixels.
pub(crate) fn fitted(text: &str, face: Type, width: f64) -> String {
    if text_width(text, face) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        kept.pop();
        let shortened: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if kept.is_empty() || text_width(&shortened, face) <= width {
            return shortened;
        }
    }
}

/// A white page of a size.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    pub(crate) fn new(svg: &'a mut String, width: f64, height: f64) -> Result<Self, String> {
        fonts::register();
        let size = ((width * UNITS) as u32, (height * UNITS) as u32);
        let area = SVGBackend::with_string(svg, size).into_drawing_area();
        area.fill(&PAPER).map_err(|error| error.to_string())?;
        Ok(Self { area })
    }

    pub(crate) fn finish(&self) -> Result<(), String> {
        self.area.present().map_err(|error| error.to_string())
    }

    /// Text whose middle height is at `at`; left edge, middle or right edge as its type says.
    pub(crate) fn text(&self, at: Point, text: &str, face: Type) -> Result<(), String> {
        let element = Text::new(text.to_owned(), units(at), face.style());
        self.area.draw(&element).map_err(|error| error.to_string())
    }

    pub(crate) fn path(
        &self,
        points: &[Point],
        colour: RGBColor,
        opacity: f64,
        width: f64,
    ) -> Result<(), String> {
        let points: Vec<_> = points.iter().copied().map(units).collect();
        let element = PathElement::new(points, stroke(colour, opacity, width));
        self.area.draw(&element).map_err(|error| error.to_string())
    }

    pub(crate) fn bar(
        &self,
        from: Point,
        to: Point,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), String> {
        let style = colour.mix(opacity).filled();
        let element = Rectangle::new([units(from), units(to)], style);
        self.area.draw(&element).map_err(|error| error.to_string())
    }

    pub(crate) fn dot(
        &self,
        at: Point,
        radius: f64,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), String> {
        let style = colour.mix(opacity).filled();
        let element = Circle::new(units(at), (radius * UNITS) as i32, style);
        self.area.draw(&element).map_err(|error| error.to_string())
    }

    pub(crate) fn cross(&self, at: Point, radius: f64, colour: RGBColor) -> Result<(), String> {
        let (x, y) = at;
        for slope in [-radius, radius] {
            self.path(
                &[(x - radius, y - slope), (x + radius, y + slope)],
                colour,
                1.0,
                1.6,
            )?;
        }
        Ok(())
    }
}

fn units((x, y): Point) -> (i32, i32) {
    ((x * UNITS).round() as i32, (y * UNITS).round() as i32)
}

fn stroke(colour: RGBColor, opacity: f64, width: f64) -> ShapeStyle {
    ShapeStyle {
        color: colour.mix(opacity),
        filled: false,
        stroke_width: (width * UNITS).round() as u32,
    }
}

/// The picture at the size of the page: the view box stays large, width and height shrink, and
/// fallbacks for the typeface and a title for screen readers are named.
pub(crate) fn at_page_size(svg: &str, title: &str) -> String {
    let (head, body) = svg.split_once(">\n").unwrap_or((svg, ""));
    let size = |name: &str| {
        let rest = head
            .split_once(&format!(" {name}=\""))
            .map(|(_, rest)| rest);
        let digits = rest.and_then(|rest| rest.split('"').next());
        digits
            .and_then(|digits| digits.parse::<f64>().ok())
            .unwrap_or(UNITS)
    };
    let (width, height) = (size("width"), size("height"));
    let body = body
        .replace(
            &format!("font-family=\"{}\"", fonts::FAMILY),
            &format!("font-family=\"{}\"", fonts::FAMILY_WITH_FALLBACKS),
        )
        .replace(" opacity=\"1\"", "");
    format!(
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         stroke-linejoin=\"round\" xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}</title>\n{body}",
        width / UNITS,
        height / UNITS,
        title.replace('&', "&amp;").replace('<', "&lt;"),
    )
}
