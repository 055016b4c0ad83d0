//! Rows beside what a model makes of them, and how sure it is of that.

use serde::Serialize;

use super::parts::first_parts;
use super::write::{Array, ending, write_file, write_npy, write_npz};
use crate::apps::Saved;
use crate::apps::pictures::{Paint, amount_at, save_reconstructions, save_stacks};
use crate::data::{FileKind, Frame, Output};
use crate::error::{Error, Result};

/// Rows that are worked on at once.
const PART: usize = 1024;
/// Rows side by side in a picture.
const ACROSS: usize = 10;
/// The share of pixels that are at most as bright as the brightest colour.
const BRIGHTEST: f64 = 0.995;

/// How sure a model is of rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sureness {
    /// Rows that were looked at.
    pub rows: usize,
    /// √ of the mean of Var_z E\[x | z\] over all values.
    pub sd_of_codes: f64,
    /// √ of the mean of E_z Var\[x | z\].
    pub sd_of_likelihood: f64,
    /// √ of the mean of Var_w E\[x | w\], of a model whose weights have a distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd_of_weights: Option<f64>,
    /// The standard deviation that is drawn lightest, of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lightest: Option<f32>,
}

impl Saved {
    /// Writes what the model makes of the first rows of `data`, or else of what the run held out: in a picture below the rows, else in
    /// the units of the file. Gives how many there are.
    ///
    /// # Errors
    /// If the model has no decoder, the data cannot be read, or the file cannot be written.
    pub fn reconstruct_to(&mut self, data: Option<&str>, count: usize, to: &Output) -> Result<usize> {
        let (_, data) = self.shown(data)?;
        let count = count.min(data.rows);
        let (shape, is_picture) = (self.form.shape(), to.kind().is_picture());
        let mut originals = vec![];
        let mut made = first_parts("reconstructing", &data, count, PART).map(|part| {
            if is_picture {
                originals.extend(part.values());
            }
            self.session.reconstruct(part.given())
        });
        if to.kind() == FileKind::Npy && !self.form.schema.is_table() {
            let sides = [&[count][..], &shape.sides()].concat();
            write_file(to.path(), |file| write_npy(file, &sides, &mut made))?;
            return Ok(count);
        }
        let mut all = vec![];
        made.by_ref().try_for_each(|part| part.map(|part| all.extend(part)))?;
        drop(made);
        match is_picture {
            true => {
                save_reconstructions(to.path(), &originals, &all, shape, ACROSS.min(count))?;
            }
            false => to.write_rows(&Frame::of_rows(&self.form.schema, &all))?,
        }
        Ok(count)
    }

    /// Writes how sure the model is of each value of the first rows: standard deviations from `draws` codes drawn from the posterior
    /// of each, apart from those of the likelihood, see [`Session::uncertainty`](crate::training::Session::uncertainty). In a `.png`
    /// the rows, what is expected of them, and both on one scale; in a `.npz` the arrays `mean`, `sd_codes`, `sd_likelihood` and `sd`. Where
    /// the model's weights have a distribution, that of so many draws of the weights as a third part, `sd_weights`.
    ///
    /// # Errors
    /// If the model was trained on a table, or its likelihood has no variance that is known; otherwise as for
    /// [`Saved::reconstruct_to`].
    pub fn uncertainty_to(
        &mut self,
        data: Option<&str>,
        count: usize,
        draws: (usize, usize),
        to: &std::path::Path,
        seed: u64,
    ) -> Result<Sureness> {
        let shape = self.form.shape();
        if self.form.schema.is_table() {
            return Err(Error::invalid(
                "--uncertainty is of pictures and vectors, and this model was trained on a table: `elbo impute --interval` says between \
                 which numbers a cell lies",
            ));
        }
        let allowed: &[&str] = if shape.is_picture() { &["png", "npz"] } else { &["npz"] };
        let kind = ending(to, "how sure the model is", allowed)?;
        let (_, data) = self.shown(data)?;
        let count = count.min(data.rows);
        let [mut given, mut mean, mut codes, mut likelihood, mut weights] = [(); 5].map(|()| Vec::<f32>::new());
        for part in first_parts("drawing codes", &data, count, PART) {
            let found = self.session.uncertainty(part.given(), draws, part.seed(seed))?;
            given.extend(part.values());
            mean.extend(found.mean);
            codes.extend(found.of_codes);
            likelihood.extend(found.of_likelihood);
            weights.extend(found.of_weights);
        }
        let root_of_mean = |of: &[f32]| (of.iter().map(|&v| f64::from(v)).sum::<f64>() / of.len() as f64).sqrt();
        // What each is called in a picture and in a file.
        let mut of_parts = vec![
            ("sd of codes", "sd_codes", codes),
            ("sd of likelihood", "sd_likelihood", likelihood),
        ];
        of_parts.extend((!weights.is_empty()).then_some(("sd of weights", "sd_weights", weights)));
        let roots: Vec<f64> = of_parts.iter().map(|(.., of)| root_of_mean(of)).collect();
        let total = |value: usize| of_parts.iter().map(|(.., of)| of[value]).sum::<f32>().sqrt();
        let sd: Vec<f32> = (0..mean.len()).map(total).collect();
        of_parts.iter_mut().flat_map(|(.., of)| of).for_each(|variance| *variance = variance.sqrt());
        let mut found = Sureness {
            rows: count,
            sd_of_codes: roots[0],
            sd_of_likelihood: roots[1],
            sd_of_weights: roots.get(2).copied(),
            lightest: None,
        };
        if kind == "png" {
            let amounts = of_parts.iter().map(|(.., of)| amount_at(of, shape.channels, BRIGHTEST));
            let lightest = amounts.fold(0.0, f32::max);
            found.lightest = Some(lightest / shape.channels as f32);
            let mut lines = vec![("given", Paint::Samples(&given)), ("expected", Paint::Samples(&mean))];
            lines.extend(of_parts.iter().map(|(title, _, of)| (*title, Paint::Amounts(of, lightest))));
            save_stacks(to, &lines, shape, ACROSS)?;
            return Ok(found);
        }
        let sides = [&[count][..], &shape.sides()].concat();
        let of_parts = of_parts.into_iter().map(|(_, name, of)| (name, of));
        let named = [("mean", mean)].into_iter().chain(of_parts).chain([("sd", sd)]);
        let arrays = named.map(|(name, values)| Array { name, shape: sides.clone(), values });
        write_file(to, |file| write_npz(file, arrays.collect()))?;
        Ok(found)
    }
}
