//! Rows beside what a model makes of them, and how sure it is of that.

use std::sync::Arc;

use serde::Serialize;

use super::parts::{Part, first_parts};
use super::write::{Array, ending, write_file, write_npz};
use crate::apps::Saved;
use crate::apps::pictures::{Paint, amount_at, save_stacks};
use crate::catalogue::Spec;
use crate::corruption::{Corruption, corruption_of};
use crate::data::{Frame, Output, Schema};
use crate::error::{Error, Result};
use crate::training::Session;

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
    /// √ of the mean of Var_w E\[x | w\], of a model whose weights have a distribution, or of an ensemble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd_of_weights: Option<f64>,
    /// The standard deviation that is drawn lightest, of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lightest: Option<f32>,
}

/// What was rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rebuilt {
    /// Rows.
    pub rows: usize,
    /// How far it is from the rows as they were, where they were corrupted first.
    #[serde(flatten)]
    pub cleaned: Option<Cleaned>,
}

/// Mean squared errors against rows as they were, over all values that were observed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cleaned {
    /// Of the corrupted rows.
    #[serde(rename = "squared_error_of_corrupted")]
    pub corrupted: f64,
    /// Of what the model makes of these.
    #[serde(rename = "squared_error_of_rebuilt")]
    pub rebuilt: f64,
}

/// A sum of squared differences, and of how many.
#[derive(Default)]
struct Squares(f64, usize);

impl Squares {
    fn add(&mut self, found: &[f32], rows: &[f32]) {
        for (found, x) in found.iter().zip(rows).filter(|(_, x)| !x.is_nan()) {
            self.0 += f64::from(found - x).powi(2);
            self.1 += 1;
        }
    }

    fn mean(&self) -> f64 {
        self.0 / self.1.max(1) as f64
    }
}

/// Rows that are corrupted, where that is wanted, and rebuilt part by part.
struct Rebuilding<'a> {
    session: &'a mut Session,
    /// How they are corrupted, with a seed.
    way: Option<(Arc<dyn Corruption>, u64)>,
    /// How far corrupted rows are from the rows as they were, and what is made of them.
    before: Squares,
    after: Squares,
}

/// A part that was rebuilt.
struct RebuiltPart {
    /// The rows as they were `[rows, features]`.
    original: Vec<f32>,
    /// The rows as the model was given them.
    given: Part,
    /// What it made of them `[rows, features]`.
    made: Vec<f32>,
}

impl<'a> Rebuilding<'a> {
    fn new(session: &'a mut Session, schema: &Schema, corrupt: Option<(&Spec, u64)>) -> Result<Rebuilding<'a>> {
        let way = corrupt.map(|(way, seed)| Ok::<_, Error>((corruption_of(way, schema)?, seed))).transpose()?;
        Ok(Rebuilding { session, way, before: Squares::default(), after: Squares::default() })
    }

    fn part(&mut self, mut part: Part) -> Result<RebuiltPart> {
        let original = part.values().to_vec();
        if let Some((way, seed)) = &self.way {
            corrupt_part(self.session, &mut part, &**way, *seed)?;
            self.before.add(part.values(), &original);
        }
        let made = self.session.mean_reconstruction(part.given())?;
        self.after.add(&made, &original);
        Ok(RebuiltPart { original, given: part, made })
    }

    /// The errors so far, of rows that are corrupted.
    fn cleaned(&self) -> Option<Cleaned> {
        self.way.as_ref().map(|_| Cleaned { corrupted: self.before.mean(), rebuilt: self.after.mean() })
    }
}

impl Saved {
    /// Writes what the model makes, or the mean of the members of an ensemble, of the first rows of `data`, or else of what the run held out: in a picture below the rows, else in
    /// the units of the file. Where a way to corrupt them is given, with a seed, the model is given them corrupted, and pictures show that
    /// between.
    ///
    /// # Errors
    /// If the model has no decoder, there is no such way, the data cannot be read, or the file cannot be written.
    pub fn reconstruct_to(
        &mut self,
        data: Option<&str>,
        count: usize,
        corrupt: Option<(&Spec, u64)>,
        to: &Output,
    ) -> Result<Rebuilt> {
        let (_, data) = self.shown(data)?;
        let count = count.min(data.rows);
        let (shape, is_picture) = (self.form.shape(), to.kind().is_picture());
        let mut rebuilding = Rebuilding::new(&mut self.session, &self.form.schema, corrupt)?;
        let [mut originals, mut corrupted] = [vec![], vec![]];
        let mut made = first_parts("reconstructing", &data, count, PART).map(|part| {
            let RebuiltPart { original, given, made } = rebuilding.part(part)?;
            if is_picture {
                originals.extend(original);
                corrupted.extend(given.values());
            }
            Ok(made)
        });
        if is_picture {
            let mut all = vec![];
            made.try_for_each(|part: Result<Vec<f32>>| part.map(|part| all.extend(part)))?;
            let mut lines = vec![("original", Paint::Samples(&originals)), ("reconstruction", Paint::Samples(&all))];
            if corrupt.is_some() {
                lines.insert(1, ("corrupted", Paint::Samples(&corrupted)));
            }
            save_stacks(to.path(), &lines, shape, ACROSS.min(count))?;
        } else {
            let schema = &self.form.schema;
            to.write_parts(count, made.map(|part| part.map(|part| Frame::of_rows(schema, &part))))?;
        }
        Ok(Rebuilt { rows: count, cleaned: rebuilding.cleaned() })
    }

    /// How far what the model makes of corrupted rows is from the rows as they were, of all that the run held out; nothing is written.
    ///
    /// # Errors
    /// If the model has no decoder, there is no such way to corrupt them, or the data cannot be read.
    pub fn cleaned(&mut self, way: &Spec, seed: u64) -> Result<Cleaned> {
        let (_, data) = self.shown(None)?;
        let mut rebuilding = Rebuilding::new(&mut self.session, &self.form.schema, Some((way, seed)))?;
        first_parts("reconstructing", &data, data.rows, PART).try_for_each(|part| rebuilding.part(part).map(|_| ()))?;
        Ok(rebuilding.cleaned().expect("rows are corrupted"))
    }

    /// Writes how sure the model is of each value of the first rows, pictures or vectors: standard deviations from `draws` codes drawn from the posterior
    /// of each, apart from those of the likelihood, see [`Session::uncertainty`](crate::training::Session::uncertainty). In a `.png`
    /// the rows, what is expected of them, and both on one scale; in a `.npz` the arrays `mean`, `sd_codes`, `sd_likelihood` and `sd`. Where
    /// the model's weights have a distribution, that of so many draws of the weights as a third part, `sd_weights`; so is that of the members of
    /// an ensemble.
    ///
    /// Of tables, [`Saved::table_uncertainty_to`] does.
    ///
    /// # Errors
    /// If its likelihood has no variance that is known; otherwise as for [`Saved::reconstruct_to`].
    pub fn uncertainty_to(
        &mut self,
        data: Option<&str>,
        count: usize,
        draws: (usize, usize),
        to: &std::path::Path,
        seed: u64,
    ) -> Result<Sureness> {
        let shape = self.form.shape();
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
        let mut of_parts = vec![("sd of codes", "sd_codes", codes), ("sd of likelihood", "sd_likelihood", likelihood)];
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

/// Corrupts rows; what is missing stays so.
fn corrupt_part(session: &mut Session, part: &mut Part, way: &dyn Corruption, seed: u64) -> Result<()> {
    let corrupted = session.corrupt(part.given(), way, part.seed(seed))?;
    part.change(|x| {
        x.iter_mut().zip(corrupted).filter(|(x, _)| !x.is_nan()).for_each(|(x, corrupted)| *x = corrupted);
    });
    Ok(())
}
