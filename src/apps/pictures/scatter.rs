//! Points in a frame, coloured by class or along the ramp, with the key to the colours beside it.

use std::path::Path;

use plotters::prelude::{Circle, Rectangle};
use plotters::style::Color;

use super::axes::{Axis, Frame, frame};
use super::palette::{ALERT, INK, MUTED, Rgb, class, ramp};
use super::plot::{Drawn, Sheet, colour, px, save_plot, width_of, write_text};
use crate::error::Result;

/// The frame is a square of this many pixels.
const SIDE: i32 = 620;
const TOP: i32 = 52;
const LEFT: i32 = 66;
const BELOW: i32 = 48;
const LETTERS: i32 = 14;

/// What the colours of the points say.
pub enum Colours {
    /// Nothing.
    One,
    /// A class each, and the names of the classes.
    Classes(Vec<usize>, Vec<String>),
    /// A place between 0 and 1 on the ramp each, and what its two ends mean.
    Ramp(Vec<f32>, [String; 2]),
}

/// A whole scatter plot.
pub struct Scatter {
    /// What is shown.
    pub title: String,
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
        let key = self.key_width();
        // 12 and 10 are the outer margins that a frame leaves on its left and below.
        let size = (12 + LEFT + SIDE + key, TOP + SIDE + BELOW + 10);
        save_plot(path, (size.0 as u32, size.1 as u32), |sheet| self.draw(sheet, key))
    }

    fn draw(&self, sheet: &Sheet, key: i32) -> Drawn {
        write_text(sheet, &self.title, 17, INK, (px(16), px(26)))?;
        let after = px(30) + width_of(&self.title, 17);
        write_text(sheet, &self.warning, 12, ALERT, (after, px(27)))?;
        let mut chart = frame(sheet, (TOP, key), (LEFT, BELOW), &self.x, &self.y)?;
        self.draw_points(&mut chart)?;
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

    fn colour(&self, index: usize) -> Rgb {
        match &self.colours {
            Colours::One => class(0),
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
            Colours::One => 24,
            Colours::Classes(_, names) => 18 + 20 + widest(names) + 20,
            Colours::Ramp(_, ends) => 18 + 28 + widest(ends) + 20,
        }
    }

    fn draw_key(&self, sheet: &Sheet, x: i32) -> Drawn {
        match &self.colours {
            Colours::One => Ok(()),
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
