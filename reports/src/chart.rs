//! A picture as data: panels with axes and lines or lanes, and the faults behind them.
//!
//! Figures build a [`Chart`] from the record; [`crate::draw`] turns it into SVG. This module
//! must know neither the record nor the drawing library.

/// Far more than an axis has room for; a guard against steps too small for floats.
const MOST_TICKS: usize = 100;

/// Below this a value on a logarithmic axis is noise: a trillionth of a millisecond.
const LEAST_ON_LOG_AXIS: f64 = 1e-12;

/// One picture: panels under each other.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// File name without ending; letters, digits and hyphens.
    pub(crate) name: String,
    pub(crate) title: String,
    /// One sentence that says how to read it, for the page.
    pub(crate) caption: String,
    pub(crate) panels: Vec<Panel>,
}

/// One part of a picture.
#[derive(Clone, Debug)]
pub(crate) enum Panel {
    Curves(Curves),
    Lanes(Lanes),
}

impl Panel {
    pub(crate) fn x(&self) -> &Axis {
        match self {
            Self::Curves(curves) => &curves.x,
            Self::Lanes(lanes) => &lanes.x,
        }
    }

    /// Whether `x` is the virtual time of the run, so that the fault bands belong behind it.
    pub(crate) fn is_over_time(&self) -> bool {
        match self {
            Self::Curves(curves) => curves.over_time,
            Self::Lanes(lanes) => lanes.over_time,
        }
    }
}

impl From<Curves> for Panel {
    fn from(curves: Curves) -> Self {
        Self::Curves(curves)
    }
}

/// One coordinate system.
#[derive(Clone, Debug)]
pub(crate) struct Curves {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
    /// See [`Panel::is_over_time`].
    pub(crate) over_time: bool,
}

/// Who was what and when: a lane each, from top to bottom.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) x: Axis,
    pub(crate) label: String,
    /// What one can be, by the place that pieces name.
    pub(crate) states: Vec<LaneState>,
    pub(crate) lanes: Vec<Lane>,
    /// See [`Panel::is_over_time`].
    pub(crate) over_time: bool,
}

/// A state by its name and how it looks.
#[derive(Clone, Debug)]
pub(crate) struct LaneState {
    pub(crate) label: String,
    pub(crate) tone: Tone,
}

/// How loud a state is drawn: by height and by colour, so that it reads without colours too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Who decides; carries the number of its pieces.
    Strong,
    /// Who wants something changed.
    Alert,
    /// Who asks whether to.
    Hint,
    /// The ordinary.
    Quiet,
    /// There, but doing nothing.
    Away,
    /// One of several of equal weight, by its colour's place.
    Distinct(usize),
}

/// One party.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) label: String,
    /// In order, not overlapping; nothing where it was absent.
    pub(crate) pieces: Vec<Piece>,
}

/// A span in one state.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// The place of its state.
    pub(crate) state: usize,
    /// Its number, written where there is room.
    pub(crate) text: String,
}

/// One axis: what it measures and how far it reaches.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What is measured, with its unit.
    pub(crate) label: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) scale: Scale,
}

/// How values are laid out along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Linear, and only whole numbers mean something.
    Whole,
    /// Both ends are above zero.
    Logarithmic,
}

/// One data series.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) mark: Mark,
}

/// How the points of a series are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Straight from point to point.
    Straight,
    /// A step function: a value holds until the next point.
    Steps,
    /// A dot for each point.
    Dots,
    /// A cross for each point.
    Crosses,
    /// A bar from the ground to each point, one whole number wide.
    Bars,
}

impl Axis {
    /// A linear axis from zero that holds every value, with a little air above.
    pub(crate) fn from_zero(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let top = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        Self {
            label: label.into(),
            from: 0.0,
            to: if top > 0.0 { top * 1.05 } else { 1.0 },
            scale: Scale::Linear,
        }
    }

    /// A linear axis that holds every value, from zero unless a value lies below.
    pub(crate) fn around(label: impl Into<String>, values: &[f64]) -> Self {
        let mut axis = Self::from_zero(label, values.iter().copied());
        let bottom = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .fold(0.0, f64::min);
        axis.from = bottom * 1.05;
        if bottom < 0.0 && !values.iter().any(|value| *value > 0.0) {
            axis.to = 0.0;
        }
        axis
    }

    /// A share of a whole, 0 to 100 percent.
    pub(crate) fn percent(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            from: 0.0,
            to: 100.0,
            scale: Scale::Linear,
        }
    }

    /// Whole numbers from 1 that hold every value, with room for the bars at both ends.
    pub(crate) fn counting(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        Self {
            from: 0.5,
            to: values.fold(6.0, f64::max) + 0.5,
            scale: Scale::Whole,
            label: label.into(),
        }
    }

    /// The virtual time of a run.
    pub(crate) fn time(end_s: f64) -> Self {
        Self {
            label: "virtual time (s)".to_owned(),
            from: 0.0,
            to: if end_s > 0.0 { end_s } else { 1.0 },
            scale: Scale::Linear,
        }
    }

    /// A logarithmic axis between the closest 1, 2 or 5 times a power of ten on either side of
    /// the values. Values at or below zero do not count, nor do those that are next to it.
    pub(crate) fn logarithmic(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let positive = values.filter(|value| value.is_finite() && *value > LEAST_ON_LOG_AXIS);
        let (least, greatest) = positive.fold((f64::INFINITY, 0.0), |(least, most), value| {
            (value.min(least), value.max(most))
        });
        let (from, to) = match least.is_finite() {
            true => (1.0 / round_step(1.0 / least), round_step(greatest)),
            false => (1.0, 10.0),
        };
        Self {
            label: label.into(),
            from,
            to: if to > from { to } else { from * 10.0 },
            scale: Scale::Logarithmic,
        }
    }

    /// Where on the axis a value stands: 0 at its start, 1 at its end, clamped to it.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear | Scale::Whole => (value - self.from) / (self.to - self.from),
            Scale::Logarithmic => {
                libm::log(value.max(self.from) / self.from) / libm::log(self.to / self.from)
            }
        };
        share.clamp(0.0, 1.0)
    }

    /// Values that deserve a tick, about `wanted` of them, on round numbers.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<f64> {
        match self.scale {
            Scale::Linear => self.linear_ticks(wanted, 0.0),
            Scale::Whole => self.linear_ticks(wanted, 1.0),
            Scale::Logarithmic => self.logarithmic_ticks(),
        }
    }

    fn linear_ticks(&self, wanted: usize, least: f64) -> Vec<f64> {
        let step = round_step((self.to - self.from) / wanted.max(1) as f64).max(least);
        let first = (self.from / step - 1e-9).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last)
            .take(MOST_TICKS)
            .map(|count| count as f64 * step)
            .collect()
    }

    /// 1, 2, 5 of each decade; the decades alone when there are more than three.
    fn logarithmic_ticks(&self) -> Vec<f64> {
        let first = libm::log10(self.from).floor() as i32;
        let last = libm::log10(self.to).ceil() as i32;
        let within: &[f64] = match last - first > 3 {
            true => &[1.0],
            false => &[1.0, 2.0, 5.0],
        };
        let inside = self.from * (1.0 - 1e-9)..=self.to * (1.0 + 1e-9);
        (first..=last)
            .flat_map(|decade| within.iter().map(move |digit| digit * 10_f64.powi(decade)))
            .filter(|tick| inside.contains(tick))
            .take(MOST_TICKS)
            .collect()
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(rough).floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        // Each case is one decade position of the step; the values are what a person would draw.
        let axis = |to| Axis {
            to,
            ..Axis::percent("x")
        };
        assert_eq!(axis(100.0).ticks(5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(axis(7.0).ticks(5), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(
            axis(60.0).ticks(8),
            [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
        );
    }

    #[test]
    fn logarithmic_axes_end_on_round_numbers_and_survive_zero() {
        // A latency of zero has no place on the axis but must not break it. 10 stands in the
        // middle between 2 and 50.
        let axis = Axis::logarithmic("x", [0.0, 3.0, 45.0].into_iter());
        let ends = [axis.from, axis.to].map(|end| (end * 1e6).round() / 1e6);
        assert_eq!(ends, [2.0, 50.0]);
        assert_eq!(axis.position(0.0), 0.0);
        assert!((axis.position(10.0) - 0.5).abs() < 1e-9);
        assert_eq!(axis.ticks(5).len(), 5);
        let empty = Axis::logarithmic("x", [0.0].into_iter());
        assert!(empty.from < empty.to);
    }

    #[test]
    fn an_axis_without_extent_still_has_one() {
        // All-zero series are common (no false positives); a zero width would divide by zero.
        assert_eq!(Axis::from_zero("x", [0.0, 0.0].into_iter()).to, 1.0);
        let below = Axis::around("x", &[-2.0, -1.0]);
        assert!(below.from < -2.0 && below.to == 0.0);
    }

    #[test]
    fn extreme_floats_end_in_few_ticks() {
        // Subnormal steps round to zero and huge ones to infinity; a loop over ticks must end.
        for extreme in [f64::MIN_POSITIVE / 1e10, 1e-300, 1e300, f64::MAX] {
            let linear = Axis::around("x", &[extreme, -extreme]);
            assert!(linear.ticks(9).len() <= MOST_TICKS);
            let logarithmic = Axis::logarithmic("x", [extreme, 1.0].into_iter());
            assert!(logarithmic.ticks(9).len() <= MOST_TICKS);
        }
    }
}
