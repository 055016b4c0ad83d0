//! Points in a frame, coloured by class or along the ramp, with the key to the colours beside it.

use std::path::Path;

use plotters::prelude::{Circle, Rectangle};
use plotters::style::Color;

use super::axes::{Axis, Frame, frame};
use super::palette::{ALERT, INK, MUTED, PAPER, Rgb, class, ramp};
use super::plot::{Drawn, Sheet, colour, px, save_plot, width_of, write_text};
use crate::error::Result;

/// The frame is a square of this many pixels.
const SIDE: i32 = 620;
const TOP: i32 = 52;
const LEFT: i32 = 66;
const BELOW: i32 = 48;
const LETTERS: i32 = 14;
/// A class of fewer points has no name among them, which would hide them.
const FEWEST: usize = 8;
/// The letters of names among the points.
const NAMES: i32 = 17;

/// What the colours of the points say.
pub enum Colours {
    /// Nothing: all have this one.
    One(Rgb),
    /// A class each, and the names of the classes.
    Classes(Vec<usize>, Vec<String>),
    /// A place between 0 and 1 on the ramp each, and what its two ends mean.
    Ramp(Vec<f32>, [String; 2]),
}

/// A whole scatter plot.
pub struct Scatter {
    /// What is shown.
    pub title: String,
    /// What else is to be said; may be empty.
    pub note: String,
    /// What is wrong with the data; empty when nothing is.
    pub warning: String,
    /// Where the points are, in the coordinates of the axes.
    pub points: Vec<[f64; 2]>,
    /// One colour for each point.
    pub colours: Colours,
    /// Across.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
}

impl Scatter {
    /// Saves the plot as a PNG.
    pub fn save(&self, path: &Path) -> Result<()> {
        save_side_by_side(path, &[self])
    }

    /// Leaves out the points that lie outside of the axes; gives how many.
    pub fn crop(&mut self) -> usize {
        let inside = |&[x, y]: &[f64; 2]| {
            let within = |value: f64, (low, high): (f64, f64)| (low..=high).contains(&value);
            within(x, self.x.range) && within(y, self.y.range)
        };
        let kept: Vec<usize> = (0..self.points.len()).filter(|&i| inside(&self.points[i])).collect();
        match &mut self.colours {
            Colours::One(_) => {}
            Colours::Classes(of, _) => *of = kept.iter().map(|&i| of[i]).collect(),
            Colours::Ramp(of, _) => *of = kept.iter().map(|&i| of[i]).collect(),
        }
        let outside = self.points.len() - kept.len();
        self.points = kept.iter().map(|&i| self.points[i]).collect();
        outside
    }

    /// How wide the plot is with its key, in finished pixels; 12 is the outer margin that a frame leaves on its left.
    fn width(&self) -> i32 {
        12 + LEFT + SIDE + self.key_width()
    }

    fn draw(&self, sheet: &Sheet) -> Drawn {
        let key = self.key_width();
        write_text(sheet, &self.title, 17, INK, (px(16), px(26)))?;
        let mut after = px(30) + width_of(&self.title, 17);
        for (text, ink) in [(&self.note, MUTED), (&self.warning, ALERT)] {
            write_text(sheet, text, 12, ink, (after, px(27)))?;
            after += if text.is_empty() { 0 } else { width_of(text, 12) + px(14) };
        }
        let mut chart = frame(sheet, (TOP, key), (LEFT, BELOW), &self.x, &self.y)?;
        self.draw_points(&mut chart)?;
        self.draw_names(sheet)?;
        if self.points.is_empty() {
            let centre = (px(12 + LEFT + SIDE / 2 - 28), px(TOP + SIDE / 2));
            write_text(sheet, "no points", LETTERS, MUTED, centre)?;
        }
        self.draw_key(sheet, px(12 + LEFT + SIDE + 18))
    }

    fn draw_points(&self, chart: &mut Frame) -> Drawn {
        // The more there are, the smaller and the more transparent.
        let (size, opacity) = match self.points.len() {
            0..=300 => (px(4), 0.85),
            301..=3_000 => (px(3), 0.7),
            3_001..=15_000 => (px(2), 0.55),
            _ => (px(3) / 2, 0.4),
        };
        let dots = self
            .points
            .iter()
            .enumerate()
            .map(|(index, &[x, y])| Circle::new((x, y), size, colour(self.colour(index)).mix(opacity).filled()));
        chart.draw_series(dots)?;
        Ok(())
    }

    /// The name of each class where the middle of its points is, on a rim of paper that sets it off from them.
    fn draw_names(&self, sheet: &Sheet) -> Drawn {
        let Colours::Classes(of, names) = &self.colours else { return Ok(()) };
        if names.len() < 2 || !self.y.name.starts_with(|c: char| c.is_alphabetic()) {
            return Ok(());
        }
        let share = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low);
        for (class, name) in names.iter().enumerate() {
            let middle = [0, 1].map(|axis| {
                let own = self.points.iter().zip(of).filter(|(_, of)| **of == class).map(|(point, _)| point[axis]);
                median(own.collect()).filter(|_| of.iter().filter(|of| **of == class).count() >= FEWEST)
            });
            let [Some(x), Some(y)] = middle else { continue };
            let across = (f64::from(px(12 + LEFT)) + f64::from(px(SIDE)) * share(x, self.x.range)) as i32;
            let down = (f64::from(px(TOP)) + f64::from(px(SIDE)) * (1.0 - share(y, self.y.range))) as i32;
            let at = (across - width_of(name, NAMES) / 2, down);
            for (dx, dy) in [(-1, -1), (-1, 1), (1, -1), (1, 1), (0, -2), (0, 2), (-2, 0), (2, 0)] {
                write_text(sheet, name, NAMES, PAPER, (at.0 + px(dx), at.1 + px(dy)))?;
            }
            write_text(sheet, name, NAMES, INK, at)?;
        }
        Ok(())
    }

    fn colour(&self, index: usize) -> Rgb {
        match &self.colours {
            &Colours::One(ink) => ink,
            Colours::Classes(of, _) => class(of[index]),
            Colours::Ramp(of, _) => ramp(of[index]),
        }
    }

    /// Room for the key on the right, in finished pixels.
    fn key_width(&self) -> i32 {
        let widest = |names: &[String]| {
            let widths = names.iter().map(|name| width_of(name, LETTERS) / px(1));
            widths.max().unwrap_or(0)
        };
        match &self.colours {
            Colours::One(_) => 24,
            Colours::Classes(_, names) => 18 + 20 + widest(names) + 20,
            Colours::Ramp(_, ends) => 18 + 28 + widest(ends) + 20,
        }
    }

    fn draw_key(&self, sheet: &Sheet, x: i32) -> Drawn {
        match &self.colours {
            Colours::One(_) => Ok(()),
            Colours::Classes(_, names) => names.iter().enumerate().try_for_each(|(index, name)| {
                let y = px(TOP + 12 + 26 * index as i32);
                let dot = Circle::new((x + px(6), y), px(6), colour(class(index)).filled());
                sheet.draw(&dot)?;
                write_text(sheet, name, LETTERS, INK, (x + px(20), y))
            }),
            Colours::Ramp(_, [low, high]) => {
                let (top, height) = (px(TOP), px(SIDE));
                for row in 0..height {
                    let shade = colour(ramp(1.0 - row as f32 / height as f32));
                    let line = [(x, top + row), (x + px(18), top + row + 1)];
                    sheet.draw(&Rectangle::new(line, shade.filled()))?;
                }
                let end = |text: &str, y| write_text(sheet, text, LETTERS, INK, (x + px(26), y));
                end(high, top + px(7))?;
                end(low, top + height - px(7))
            }
        }
    }
}

/// The middle one of some values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Saves plots beside each other as one PNG.
pub fn save_side_by_side(path: &Path, plots: &[&Scatter]) -> Result<()> {
    let width: i32 = plots.iter().map(|plot| plot.width()).sum();
    // 10 is the outer margin that a frame leaves below.
    let size = (width as u32, (TOP + SIDE + BELOW + 10) as u32);
    save_plot(path, size, |sheet| {
        let mut rest = sheet.clone();
        for plot in plots {
            let (own, others) = rest.split_horizontally(px(plot.width()));
            plot.draw(&own)?;
            rest = others;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_outside_go_with_their_colours() {
        let axis = || Axis::new("", (0.0, 1.0), 2);
        let points = vec![[0.5, 0.5], [2.0, 0.5], [0.5, -1.0], [1.0, 0.0]];
        let plot = |colours| Scatter {
            title: String::new(),
            note: String::new(),
            warning: String::new(),
            points: points.clone(),
            colours,
            x: axis(),
            y: axis(),
        };
        let mut classes = plot(Colours::Classes(vec![0, 1, 2, 3], vec![]));
        assert_eq!((classes.crop(), &classes.points), (2, &vec![[0.5, 0.5], [1.0, 0.0]]));
        assert!(matches!(&classes.colours, Colours::Classes(of, _) if *of == [0, 3]));
        assert_eq!(classes.crop(), 0);
        let mut shades = plot(Colours::Ramp(vec![0.0, 0.1, 0.2, 0.3], [const { String::new() }; 2]));
        shades.crop();
        assert!(matches!(&shades.colours, Colours::Ramp(of, _) if *of == [0.0, 0.3]));
    }
}
