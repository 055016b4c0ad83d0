//! Axes: round numbers along them, their labels, and the frame they make.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::{BitMapBackend, Cartesian2d, ChartBuilder, ChartContext, Color, LabelAreaPosition};
use plotters::style::TRANSPARENT;

use super::palette::{AXIS, INK, MUTED, RULE};
use super::plot::{Drawn, Sheet, colour, letters, lower, px};

/// A frame with its coordinates, ready for curves and points.
pub type Frame<'a, 'b> = ChartContext<'a, BitMapBackend<'b>, Cartesian2d<Axis, Axis>>;

/// One axis: what it shows, and where it is labelled.
#[derive(Clone)]
pub struct Axis {
    /// The name and the unit.
    pub name: String,
    /// The first and the last value.
    pub range: (f64, f64),
    /// Where the ticks are, and what they say.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis from `low` to `high` with about `count` round numbers along it.
    pub fn new(name: impl Into<String>, (low, high): (f64, f64), count: usize) -> Axis {
        let step = round_step((high - low) / count.max(1) as f64);
        Axis::with_step(name, (low, high), step)
    }

    /// An axis of whole numbers, such as epochs.
    pub fn whole(name: impl Into<String>, (low, high): (f64, f64), count: usize) -> Axis {
        let step = round_step((high - low) / count.max(1) as f64).max(1.0);
        Axis::with_step(name, (low, high), step)
    }

    fn with_step(name: impl Into<String>, range: (f64, f64), step: f64) -> Axis {
        let (first, last) = ((range.0 / step).ceil(), (range.1 / step).floor());
        // The count is bounded by the choice of the step; the guard is for ranges at the edge of what a float can tell apart.
        let count = if (0.0..=50.0).contains(&(last - first)) { (last - first) as usize + 1 } else { 0 };
        let ticks = (0..count).map(|i| (first + i as f64) * step).map(|value| (value, number(value, step))).collect();
        Axis { name: name.into(), range, ticks }
    }
}

/// Places values evenly along the axis.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.range.0) / (self.range.1 - self.range.0);
        (f64::from(first) + f64::from(last - first) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Asked a second time for finer lines between the ticks: there are none.
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

/// Says at each tick what belongs there.
impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.0 == *value);
        tick.map_or_else(String::new, |tick| tick.1.clone())
    }
}

/// The smallest of 1, 2, 5 · 10^k that is not below `least`.
fn round_step(least: f64) -> f64 {
    let magnitude = 10f64.powf(least.log10().floor());
    let found = [1.0, 2.0, 5.0].map(|digit| digit * magnitude);
    found.into_iter().find(|step| *step >= least * 0.999).unwrap_or(10.0 * magnitude)
}

/// A tick's number, with just the decimals that the step needs.
fn number(value: f64, step: f64) -> String {
    // Rounding takes the sign off zero and the noise off sums.
    let value = (value / step).round() * step + 0.0;
    if value != 0.0 && !(1e-4..1e6).contains(&step.max(value.abs() / 10.0)) {
        // As many digits as tell neighbours apart.
        let digits = (value.abs().log10().floor() - step.log10().floor()).clamp(0.0, 12.0) as usize;
        let text = format!("{value:.digits$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if digits > 0 { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        return format!("{mantissa}e{exponent}");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// A range that shows all `values` with a little room; one value alone is put in the middle.
pub fn padded(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    // Anything tighter than this is the last digits of one and the same number.
    let room =
        if high - low > 1e-9 * high.abs().max(low.abs()) { (high - low) * 0.06 } else { (high.abs() * 0.05).max(0.5) };
    // Beyond this, differences of coordinates would overflow.
    ((low - room).max(-1e300), (high + room).min(1e300))
}

/// Draws the frame: the grid, the axes with their names and numbers. `margins` are top and right, `labels` the room for
/// the numbers left and below, all in finished pixels.
pub fn frame<'a, 'b>(
    sheet: &'a Sheet<'b>,
    margins: (i32, i32),
    labels: (i32, i32),
    x: &Axis,
    y: &Axis,
) -> Drawn<Frame<'a, 'b>> {
    let mut chart = ChartBuilder::on(sheet)
        .margin_top(px(margins.0))
        .margin_right(px(margins.1))
        .margin_left(px(12))
        .margin_bottom(px(10))
        .set_label_area_size(LabelAreaPosition::Left, px(labels.0))
        .set_label_area_size(LabelAreaPosition::Bottom, px(labels.1))
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .x_desc(x.name.as_str())
        .y_desc(y.name.as_str())
        .axis_desc_style(letters(14, INK))
        .label_style(letters(13, MUTED))
        .y_label_offset(lower(13))
        .axis_style(colour(AXIS))
        .bold_line_style(colour(RULE).stroke_width(px(1) as u32))
        .light_line_style(TRANSPARENT)
        .set_all_tick_mark_size(px(4))
        .draw()?;
    Ok(chart)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(words(&Axis::new("", (-0.3, 1.1), 5)), ["0.0", "0.5", "1.0"]);
        assert_eq!(words(&Axis::new("", (95.0, 130.0), 4)), ["100", "110", "120", "130"]);
        assert_eq!(words(&Axis::new("", (0.0, 0.04), 4)), ["0.00", "0.01", "0.02", "0.03", "0.04"]);
        assert_eq!(words(&Axis::whole("", (0.5, 3.5), 8)), ["1", "2", "3"]);
        assert_eq!(words(&Axis::new("", (-2e30, 2e30), 2)), ["-2e30", "0", "2e30"]);
        // A narrow range far from 0: no two ticks say the same.
        let narrow = Axis::new("", (4.852e8, 4.856e8), 4);
        assert_eq!(words(&narrow), ["4.852e8", "4.853e8", "4.854e8", "4.855e8", "4.856e8"]);
    }

    #[test]
    fn any_range_gives_a_modest_number_of_ticks() {
        for range in [(0.0, 1e-300), (1e15, 1e15 + 1.0), (-1e300, 1e300), (3.0, 3.0), (0.0, 1e-9)] {
            assert!(Axis::new("", range, 6).ticks.len() <= 20, "{range:?}");
        }
    }

    #[test]
    fn ranges_have_room_and_never_collapse() {
        assert_eq!(padded([].into_iter()), (0.0, 1.0));
        assert_eq!(padded([f64::NAN].into_iter()), (0.0, 1.0));
        assert_eq!(padded([0.0, 0.0].into_iter()), (-0.5, 0.5));
        let (low, high) = padded([100.0, 200.0, f64::INFINITY].into_iter());
        assert!(low < 100.0 && low > 90.0 && high > 200.0 && high < 210.0);
        let (low, high) = padded([f64::MAX, f64::MIN].into_iter());
        assert!((high - low).is_finite());
    }
}
