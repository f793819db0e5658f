//! Lanes: who was what and when, a bar for each piece.
//!
//! States differ in height as well as in colour. Lanes become lower the more there are; where they
//! are too low for the numbers of their pieces, or many pieces are too narrow, the numbers stand
//! above all lanes.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Point, Type, fitted, text_width};
use super::panel::RIGHT;
use super::{PlotArea, WIDTH, colour};
use crate::chart::{Lane, Lanes, Piece, Tone};

/// Names are shortened to this.
const NAME_MAX: f64 = 150.0;

/// Lanes at least this high hold numbers and names of full size.
const READABLE: f64 = 14.0;

/// Room above the lanes, for numbers that find none inside.
const RULER: f64 = 16.0;

/// A piece is at least so wide, or flickering would not be seen.
const WIDTH_MIN: f64 = 1.4;

/// The height of one lane.
fn pitch(lanes: &Lanes) -> f64 {
    match lanes.lanes.len() {
        0..=8 => 26.0,
        9..=16 => 20.0,
        17..=32 => 14.0,
        _ => 10.0,
    }
}

/// The room kept above the lanes for numbers; 0 if they stand inside.
///
/// The width of the plot area is not known yet where heights are laid out; half of its pieces must
/// fit into the narrowest there is.
fn ruler(lanes: &Lanes) -> f64 {
    let numbered: Vec<&Piece> = strong(lanes).collect();
    let narrowest = WIDTH - RIGHT - NAME_MAX - 18.0;
    let room =
        |piece: &Piece| (lanes.x.position(piece.to) - lanes.x.position(piece.from)) * narrowest;
    let fits = |piece: &&&Piece| room(piece) >= number_width(&piece.text);
    let fitting = numbered.iter().filter(fits).count();
    match pitch(lanes) < READABLE || fitting * 2 < numbered.len() {
        true if !numbered.is_empty() => RULER,
        true | false => 0.0,
    }
}

/// The pieces that carry numbers.
fn strong(lanes: &Lanes) -> impl Iterator<Item = &Piece> {
    let pieces = lanes.lanes.iter().flat_map(|lane| &lane.pieces);
    pieces.filter(|piece| lanes.states[piece.state].tone == Tone::Strong && !piece.text.is_empty())
}

fn number_width(text: &str) -> f64 {
    text_width(text, Type::ON_STRONG) + 6.0
}

/// How high all lanes are together.
pub(crate) fn height(lanes: &Lanes) -> f64 {
    lanes.lanes.len().max(1) as f64 * pitch(lanes) + ruler(lanes)
}

/// The room that the names take on the left.
pub(crate) fn left(lanes: &Lanes) -> f64 {
    let face = name_face(lanes);
    let widths = lanes.lanes.iter().map(|lane| text_width(&lane.label, face));
    widths.fold(0.0, f64::max).min(NAME_MAX) + 18.0
}

fn name_face(lanes: &Lanes) -> Type {
    match pitch(lanes) < READABLE {
        true => Type::SMALL,
        false => Type::BODY,
    }
}

/// Colour, and share of the lane's height.
fn look(tone: Tone) -> (RGBColor, f64) {
    match tone {
        Tone::Strong => (colour::STRONG, 0.84),
        Tone::Alert => (colour::ALERT, 0.6),
        Tone::Hint => (colour::HINT, 0.42),
        Tone::Quiet => (colour::QUIET, 0.24),
        Tone::Away => (colour::AWAY, 0.24),
        Tone::Distinct(place) => (colour::line(place), 0.6),
    }
}

/// What stands before a state's name in the legend.
pub(crate) fn draw_swatch(
    canvas: &Canvas<'_>,
    (x, y): Point,
    width: f64,
    tone: Tone,
) -> Result<(), String> {
    let (colour, share) = look(tone);
    let half = 7.0 * share;
    canvas.bar((x, y - half), (x + width, y + half), colour, 1.0)
}

/// Draws every lane into the area.
pub(crate) fn draw(canvas: &Canvas<'_>, lanes: &Lanes, area: &PlotArea) -> Result<(), String> {
    let pitch = pitch(lanes);
    let ruler = ruler(lanes);
    let (top, has_numbers) = (area.top + ruler, ruler == 0.0);
    for (index, lane) in lanes.lanes.iter().enumerate() {
        let middle = top + (index as f64 + 0.5) * pitch;
        let line = [(area.left, middle), (area.left + area.width, middle)];
        canvas.path(&line, colour::GRID, 1.0, 1.0)?;
        let face = name_face(lanes).right();
        let name = fitted(&lane.label, face, NAME_MAX);
        canvas.text((area.left - 8.0, middle), &name, face)?;
        let row = Row {
            area,
            middle,
            pitch,
            has_numbers,
        };
        draw_lane(canvas, lanes, lane, &row)?;
    }
    match has_numbers {
        true => Ok(()),
        false => draw_ruler(canvas, lanes, area),
    }
}

/// Where a lane stands.
struct Row<'a> {
    area: &'a PlotArea,
    middle: f64,
    pitch: f64,
    /// Whether its pieces carry their numbers inside.
    has_numbers: bool,
}

/// Where a piece begins and ends on the page.
fn extent(lanes: &Lanes, piece: &Piece, area: &PlotArea) -> (f64, f64) {
    let x = |value| area.left + lanes.x.position(value) * area.width;
    (x(piece.from), x(piece.to))
}

/// The pieces of a lane; of those of one state that fall on the same spot, one.
fn draw_lane(canvas: &Canvas<'_>, lanes: &Lanes, lane: &Lane, row: &Row<'_>) -> Result<(), String> {
    let mut drawn = vec![f64::NEG_INFINITY; lanes.states.len()];
    for piece in &lane.pieces {
        let tone = lanes.states[piece.state].tone;
        let (from, to) = extent(lanes, piece, row.area);
        let to = match tone {
            Tone::Quiet | Tone::Away => to,
            Tone::Strong | Tone::Alert | Tone::Hint | Tone::Distinct(_) => to.max(from + WIDTH_MIN),
        };
        if to <= drawn[piece.state] + 0.25 {
            continue;
        }
        drawn[piece.state] = to;
        let (colour, share) = look(tone);
        let half = row.pitch * share / 2.0;
        canvas.bar(
            (from, row.middle - half),
            (to, row.middle + half),
            colour,
            1.0,
        )?;
        let is_wide = to - from >= number_width(&piece.text);
        if row.has_numbers && is_wide && tone == Tone::Strong {
            let at = ((from + to) / 2.0, row.middle);
            canvas.text(at, &piece.text, Type::ON_STRONG.centred())?;
        }
    }
    Ok(())
}

/// The numbers of who decides, in order of time, above all lanes, as far as there is room.
fn draw_ruler(canvas: &Canvas<'_>, lanes: &Lanes, area: &PlotArea) -> Result<(), String> {
    let mut strong: Vec<&Piece> = strong(lanes).collect();
    strong.sort_by(|a, b| a.from.total_cmp(&b.from));
    let mut taken = area.left - 8.0;
    let mut last = "";
    for piece in strong {
        let (from, _) = extent(lanes, piece, area);
        let width = text_width(&piece.text, Type::SMALL);
        if piece.text != last && from >= taken {
            canvas.path(
                &[(from, area.top + RULER - 4.0), (from, area.top + RULER)],
                colour::STRONG,
                1.0,
                1.4,
            )?;
            let at = (from, area.top + RULER / 2.0 - 2.0);
            canvas.text(at, &piece.text, Type::SMALL)?;
            taken = from + width + 6.0;
            last = &piece.text;
        }
    }
    Ok(())
}
