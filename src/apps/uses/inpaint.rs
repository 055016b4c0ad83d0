//! Holes of pictures, filled with what a trained model expects of them, or with several things that may be there.

use std::path::Path;

use serde::Serialize;

use super::filling::{Filling, Tally};
use super::mask::{Holes, Mask};
use super::parts::first_parts;
use super::write::{ending, write_file, write_npy};
use crate::apps::Saved;
use crate::apps::pictures::{Paint, save_stacks};
use crate::data::{PictureFolder, Shape};
use crate::error::{Error, Result};

/// Pictures that are filled at once.
const ROWS: usize = 64;
/// The most pictures side by side on a sheet.
const ACROSS: usize = 10;
/// Pictures on a sheet, where nobody says how many.
const SHOWN: usize = 10;

/// How pictures are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureFilling {
    /// How codes are drawn.
    pub filling: Filling,
    /// How often each is filled, every time by a code of its own; 0 for once, with the mean over codes.
    pub draws: usize,
    /// How many pictures, from the first on; all, or of a sheet as many as it shows well, where nobody says.
    pub count: Option<usize>,
}

/// What was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Inpainted {
    /// Pictures that were filled.
    pub rows: usize,
    /// Values of them that were missing.
    pub values: usize,
    /// How their codes did.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Pictures that were filled, `[rows, features]` each.
#[derive(Default)]
struct Sheet {
    given: Vec<f32>,
    /// For each draw, or once.
    filled: Vec<Vec<f32>>,
    originals: Vec<f32>,
}

impl Saved {
    /// Fills pictures of the source `from` where a mask says that they are missing: in a `.png` a sheet of what was given, what was made
    /// of it and what was there; in a `.npy` all pictures; in a new folder a PNG of each. What is known stays as it is. A draw is
    /// E\[x | z\] of a code that is taken in proportion to its weight: as new pictures are, without the noise of single pixels.
    ///
    /// # Errors
    /// If the model gives rows no likelihood or was trained on a table, the mask does not fit, the pictures cannot be read, or the file
    /// cannot be written.
    pub fn inpaint(&mut self, from: &str, mask: &Mask, to: &Path, how: PictureFilling) -> Result<Inpainted> {
        self.session.model.can().density()?;
        let shape = self.form.shape();
        if self.form.schema.is_table() || !shape.is_picture() {
            return Err(Error::invalid(format!(
                "{} was not trained on pictures, and --mask says which pixels are missing: leave it out",
                self.folder.display()
            )));
        }
        let is_folder = to.extension().is_none();
        let kind = if is_folder { "" } else { ending(to, "filled pictures", &["png", "npy"])? };
        let (_, data) = self.shown(Some(from))?;
        let holes = Holes::read(mask, shape, data.rows)?;
        self.session.take_gaps();
        let usual = if kind == "png" { SHOWN } else { data.rows };
        let count = how.count.unwrap_or(usual).min(data.rows);
        let (features, times) = (shape.features(), how.draws.max(1));
        let mut done = Inpainted { rows: count, values: 0, tally: Tally::default() };
        let mut sheet = Sheet { filled: vec![vec![]; times], ..Sheet::default() };
        let mut parts = first_parts("filling", &data, count, ROWS).map(|mut part| -> Result<Vec<f32>> {
            if kind == "png" {
                sheet.originals.extend(part.values());
            }
            let first = part.start;
            part.change(|values| holes.cut(first, values));
            done.values += part.values().iter().filter(|value| value.is_nan()).count();
            let how_much = how.filling.imputing((how.draws, false), part.seed(how.filling.seed));
            let filled = self.session.fill(part.given(), how_much)?;
            done.tally.add(&filled);
            let mut all = Vec::with_capacity(part.rows * times * features);
            let mut blank = filled.blank.into_iter().peekable();
            for (row, means) in filled.means.chunks_exact(features).enumerate() {
                match blank.next_if(|of| of.row == row).filter(|_| how.draws > 0) {
                    Some(of_row) => all.extend(of_row.draws),
                    None => (0..times).for_each(|_| all.extend(means)),
                }
            }
            if kind == "png" {
                sheet.given.extend(part.values());
                for (at, picture) in all.chunks_exact(features).enumerate() {
                    sheet.filled[at % times].extend(picture);
                }
            }
            Ok(all)
        });
        match kind {
            "png" => {
                parts.try_for_each(|part| part.map(drop))?;
                drop(parts);
                sheet.save(to, shape)?;
            }
            "npy" => {
                let mut sides = vec![count];
                sides.extend((how.draws > 0).then_some(times));
                sides.extend(shape.sides());
                write_file(to, |file| write_npy(file, &sides, &mut parts))?;
                drop(parts);
            }
            _ => {
                let (mut folder, mut number) = (PictureFolder::begin(to, shape, count)?, 0);
                for part in &mut parts {
                    for picture in part?.chunks_exact(features) {
                        let draw = (how.draws > 0).then(|| format!("draw-{}", number % times + 1));
                        folder.add(picture, draw.as_deref())?;
                        number += 1;
                    }
                }
                folder.finish()?;
                drop(parts);
            }
        }
        Ok(done)
    }
}

impl Sheet {
    fn save(&self, to: &Path, shape: Shape) -> Result<()> {
        let name =
            |draw: usize| if self.filled.len() == 1 { "filled".to_owned() } else { format!("filled {}", draw + 1) };
        let names: Vec<String> = (0..self.filled.len()).map(name).collect();
        let mut lines = vec![("given", Paint::Samples(&self.given))];
        lines.extend(names.iter().map(String::as_str).zip(self.filled.iter().map(|filled| Paint::Samples(filled))));
        lines.push(("original", Paint::Samples(&self.originals)));
        save_stacks(to, &lines, shape, ACROSS)
    }
}
