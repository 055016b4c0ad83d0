//! Codes of rows, in a file that other programs read.

use std::path::Path;

use super::ids::Ids;
use super::parts::{Part, parts};
use super::write::{Array, Lines, ending, number, write_file, write_npy, write_npz};
use crate::apps::Saved;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::training::MOMENT_DRAWS;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Encoded {
    /// Rows that have codes.
    pub rows: usize,
    /// Dimensions of a code.
    pub latent: usize,
    /// Codes that were drawn of each row.
    pub draws: usize,
    /// How many codes of each row means and deviations were estimated from; `None` where they have a closed form.
    pub estimated_from: Option<usize>,
}

/// The codes of some rows.
struct Codes {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    /// `[draws][rows, latent]`
    draws: Vec<Vec<f32>>,
    estimated: bool,
}

impl Saved {
    /// Writes the codes of rows `data`, or else of those that the run held out: `.csv` with the columns `row`, what else says which
    /// row it is, `label` where labels are known, the posterior's means `mean_0`, … and standard deviations `sd_0`, …, and
    /// `draws` codes drawn from it as `draw_1_0`, …; `.npz` the arrays `mean`, `sd` `[rows, latent]` and `draws`
    /// `[rows, draws, latent]`; `.npy` the means alone, or the draws alone where some are asked for.
    ///
    /// # Errors
    /// If the model has no encoder, the data cannot be read, or the file cannot be written.
    pub fn encode_to(&mut self, data: Option<&str>, to: &Path, draws: usize, seed: u64) -> Result<Encoded> {
        let latent = self.session.latent()?;
        let form = ending(to, "codes", &["csv", "npy", "npz"])?;
        let (ids, (_, data)) = (Ids::of(self, data)?, self.shown(data)?);
        let mut estimated = false;
        write_file(to, |file| {
            let mut codes = parts("encoding", &data).map(|part| {
                let codes = self.codes(&part, draws, seed)?;
                estimated |= codes.estimated;
                Ok((part, codes))
            });
            match form {
                "csv" => write_csv(Lines::new(file, names(&ids, &data, latent, draws))?, &ids, &data, latent, codes),
                "npy" if draws == 0 => {
                    write_npy(file, &[data.rows, latent], codes.map(|codes: Result<_>| Ok(codes?.1.mean)))
                }
                "npy" => {
                    let drawn = codes.map(|codes: Result<_>| Ok(beside(&codes?.1.draws, latent)));
                    write_npy(file, &[data.rows, draws, latent], drawn)
                }
                _ => {
                    let mut all = [vec![], vec![], vec![]];
                    codes.try_for_each(|codes: Result<_>| -> Result<()> {
                        let (_, Codes { mean, deviation, draws, .. }) = codes?;
                        let new = [mean, deviation, beside(&draws, latent)];
                        all.iter_mut().zip(new).for_each(|(all, new)| all.extend(new));
                        Ok(())
                    })?;
                    let [mean, sd, drawn] = all;
                    let array = |name, shape: &[usize], values| Array { name, shape: shape.to_vec(), values };
                    let mut arrays =
                        vec![array("mean", &[data.rows, latent], mean), array("sd", &[data.rows, latent], sd)];
                    if draws > 0 {
                        arrays.push(array("draws", &[data.rows, draws, latent], drawn));
                    }
                    write_npz(file, arrays)
                }
            }
        })?;
        let estimated_from = estimated.then_some(MOMENT_DRAWS);
        Ok(Encoded { rows: data.rows, latent, draws, estimated_from })
    }

    fn codes(&mut self, part: &Part, draws: usize, seed: u64) -> Result<Codes> {
        let seed = part.seed(seed);
        let moments = self.session.code_moments(part.given(), seed)?;
        let draw = |draw: usize| self.session.draw_codes(part.given(), seed.wrapping_add(1 + draw as u64));
        let draws: Vec<Vec<f32>> = (0..draws).map(draw).collect::<Result<_>>()?;
        let deviation = moments.standard_deviation();
        if let Some(at) = moments.mean.iter().chain(&deviation).position(|value| !value.is_finite()) {
            let (row, latent) = (at % moments.mean.len(), moments.mean.len() / part.rows);
            return Err(Error::invalid(format!(
                "the code of row {} is no number: the row lies too far from what the model was trained on",
                part.start + row / latent
            )));
        }
        Ok(Codes { mean: moments.mean, deviation, draws, estimated: moments.draws.is_some() })
    }
}

/// Draws `[draws][rows, latent]` as `[rows, draws, latent]`.
fn beside(draws: &[Vec<f32>], latent: usize) -> Vec<f32> {
    let rows = draws.first().map_or(0, |first| first.len() / latent);
    (0..rows).flat_map(|row| draws.iter().flat_map(move |codes| &codes[row * latent..][..latent])).copied().collect()
}

fn names(ids: &Ids, data: &Dataset, latent: usize, draws: usize) -> Vec<String> {
    let mut names = vec!["row".to_string()];
    names.extend(ids.names.iter().cloned());
    names.extend(data.labels.as_ref().map(|_| "label".to_string()));
    for what in ["mean", "sd"] {
        names.extend((0..latent).map(|d| format!("{what}_{d}")));
    }
    names.extend((1..=draws).flat_map(|draw| (0..latent).map(move |d| format!("draw_{draw}_{d}"))));
    names
}

fn write_csv(
    mut lines: Lines,
    ids: &Ids,
    data: &Dataset,
    latent: usize,
    codes: impl Iterator<Item = Result<(Part, Codes)>>,
) -> Result<()> {
    for found in codes {
        let (part, Codes { mean, deviation, draws, .. }) = found?;
        for row in 0..part.rows {
            let number_of_row = part.start + row;
            let mut cells = vec![number_of_row.to_string()];
            cells.extend(ids.row(number_of_row).map(str::to_string));
            cells.extend(data.labels.as_ref().map(|labels| labels.name_of(number_of_row)));
            for values in [&mean, &deviation].into_iter().chain(&draws) {
                cells.extend(values[row * latent..][..latent].iter().map(|&value| number(f64::from(value))));
            }
            lines.line(cells)?;
        }
    }
    lines.finish()
}
