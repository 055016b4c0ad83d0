//! Curves over epochs in a frame: gaps where a value is not finite, a cut where one leaves the frame.

use plotters::prelude::{Circle, PathElement};
use plotters::style::Color;

use super::axes::{Axis, frame, padded};
use super::palette::{ALERT, INK, MUTED, Rgb};
use super::plot::{Drawn, Sheet, colour, px, width_of, write_text};

/// Up to so many epochs each has a dot, and beyond so many the line is finer.
const DOTS: usize = 40;
const FINER_ABOVE: usize = 200;

/// One curve: its name, its colour, and a value for each epoch, in order.
pub struct Curve {
    /// What it shows.
    pub name: String,
    /// Its colour.
    pub ink: Rgb,
    /// Epoch and value; a value may be anything.
    pub points: Vec<(f64, f64)>,
}

/// Draws a title, the key to the curves beside it, and the curves in a frame of their own with some `ticks` upwards, of values
/// in a unit.
pub fn panel(sheet: &Sheet, (title, unit): (&str, &str), curves: &[Curve], ticks: usize) -> Drawn {
    let middle = px(22);
    write_text(sheet, title, 17, INK, (px(16), middle))?;
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let wrong = points().filter(|point| !point.1.is_finite()).count();
    if wrong > 0 {
        let note = format!("{wrong} of {} not finite", points().count());
        write_text(sheet, &note, 12, ALERT, (px(28) + width_of(title, 17), middle))?;
    }
    key(sheet, curves, middle)?;

    let (first, last) = points().fold((f64::INFINITY, 0.0_f64), |(a, b), p| (a.min(p.0), b.max(p.0)));
    let span = match last - first {
        span if span > 0.0 => (first - span * 0.02, last + span * 0.02),
        0.0 => (first - 0.75, first + 0.75),
        _ => (0.0, 1.0),
    };
    let (low, high) = bulk(points().map(|point| point.1));
    let x = Axis::whole("epoch", span, 8);
    let y = Axis::new(unit, (low, high), ticks);
    let mut chart = frame(sheet, (46, 18), (64, 46), &x, &y)?;
    for curve in curves {
        let ink = colour(curve.ink);
        let dots = curve.points.len() <= DOTS;
        let width = if curve.points.len() <= FINER_ABOVE { px(2) } else { px(4) / 3 };
        for piece in visible(&curve.points, low, high) {
            // Straight pieces with round joints: a noisy curve turns too sharply for any other joint.
            let pieces = piece.windows(2).map(|pair| PathElement::new(pair.to_vec(), ink.stroke_width(width as u32)));
            chart.draw_series(pieces)?;
            let joints = piece.iter().map(|&at| Circle::new(at, width / 2, ink.filled()));
            chart.draw_series(joints)?;
            // Where the curve meets the frame there is no epoch, and no dot. A lone value has nothing else to be seen by.
            let own = |at: &&(f64, f64)| piece.len() == 1 || (dots && curve.points.contains(at));
            chart.draw_series(piece.iter().filter(own).map(|&at| Circle::new(at, px(3), ink.filled())))?;
        }
    }
    if points().next().is_none() {
        let (width, height) = sheet.dim_in_pixel();
        let centre = (width as i32 / 2 - px(30), height as i32 / 2);
        write_text(sheet, "no epochs yet", 14, MUTED, centre)?;
    }
    Ok(())
}

/// The names of the curves with their last finite values, in one line that ends at the right edge: above the frame, where
/// no curve can run into it.
fn key(sheet: &Sheet, curves: &[Curve], middle: i32) -> Drawn {
    let mut right = sheet.dim_in_pixel().0 as i32 - px(18);
    for curve in curves.iter().rev() {
        let last = curve.points.iter().rev().find(|point| point.1.is_finite());
        let text = last.map_or_else(
            || curve.name.clone(),
            |point| format!("{} {}", curve.name, significant(point.1)).trim_start().to_owned(),
        );
        let left = right - width_of(&text, 13);
        write_text(sheet, &text, 13, INK, (left, middle))?;
        let line = [(left - px(22), middle), (left - px(6), middle)];
        sheet.draw(&PathElement::new(line, colour(curve.ink).stroke_width(px(3) as u32)))?;
        right = left - px(40);
    }
    Ok(())
}

/// The range of the axis: all values, except that a few far from the bulk may not stretch it.
pub fn bulk(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    if values.is_empty() {
        return padded([].into_iter());
    }
    let (low, high) = (at(0.05), at(0.95));
    // With few values, only what is far off may be cut; with many, also the steep beginning.
    let reach = if values.len() <= 60 { 3.0 } else { 0.5 } * (high - low);
    let fence = |value: f64| value.clamp(low - reach, high + reach);
    // A bulk of equal values has no width to measure by.
    if reach > 0.0 && reach.is_finite() {
        padded([fence(values[0]), fence(values[values.len() - 1])].into_iter())
    } else {
        padded(values.into_iter())
    }
}

/// Cuts a curve where a value is not finite, and where it leaves the frame.
pub fn visible(points: &[(f64, f64)], low: f64, high: f64) -> Vec<Vec<(f64, f64)>> {
    let inside = |y: f64| (low..=high).contains(&y);
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut open = false;
    for (index, &point) in points.iter().enumerate() {
        let before = index.checked_sub(1).map(|i| points[i]).filter(|p| p.1.is_finite());
        if !point.1.is_finite() {
            open = false;
            continue;
        }
        let crossing = |edge: f64, from: (f64, f64)| {
            let share = (edge - from.1) / (point.1 - from.1);
            (from.0 + (point.0 - from.0) * share, edge)
        };
        // Where the way from the last point enters and leaves the frame.
        let (enters, leaves) = match before {
            Some(from) if !(from.1.max(point.1) < low || from.1.min(point.1) > high) => {
                let edge = |y: f64| if y > high { high } else { low };
                let enters = (!inside(from.1)).then(|| crossing(edge(from.1), from));
                let leaves = (!inside(point.1)).then(|| crossing(edge(point.1), from));
                (enters, leaves)
            }
            _ => (None, None),
        };
        if let Some(entry) = enters {
            pieces.push(vec![entry]);
            open = true;
        }
        if inside(point.1) && !open {
            pieces.push(Vec::new());
            open = true;
        }
        if let (true, Some(piece)) = (open, pieces.last_mut()) {
            piece.extend(if inside(point.1) { Some(point) } else { leaves });
        }
        open &= inside(point.1);
    }
    pieces
}

/// Four significant digits or so.
fn significant(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{value:.2e}"),
        size if size < 10.0 => format!("{value:.3}"),
        size if size < 1000.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_early_values_do_not_squeeze_the_rest() {
        let (low, high) = bulk((1..=1000).map(|epoch| 100.0 + 400.0 / f64::from(epoch)));
        assert!(low > 98.0 && high < 115.0, "{low} {high}");
        // With few values all of them are shown.
        let (low, high) = bulk([127.3, 115.8, 112.2, 109.6, 108.5, 107.7].into_iter());
        assert!(low < 107.7 && high > 127.3, "{low} {high}");
    }

    #[test]
    fn curves_are_cut_at_the_frame_and_at_gaps() {
        let curve = [(1.0, 20.0), (2.0, 0.0), (3.0, f64::NAN), (4.0, 5.0), (5.0, -10.0), (6.0, 30.0)];
        let pieces = visible(&curve, -5.0, 10.0);
        assert_eq!(pieces[0], [(1.5, 10.0), (2.0, 0.0)]);
        assert_eq!(pieces[1][0], (4.0, 5.0));
        assert!((pieces[1][1].0 - (4.0 + 2.0 / 3.0)).abs() < 1e-12 && pieces[1][1].1 == -5.0);
        // From below the frame to above it, straight through.
        assert_eq!(pieces[2], [(5.125, -5.0), (5.5, 10.0)]);
        assert_eq!(pieces.len(), 3);
    }
}
