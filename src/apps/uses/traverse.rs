//! What each dimension of a code means: rows that differ in it alone.

use std::path::Path;

use super::dimensions::{Coded, Dimension, quantiles};
use super::interpolate::row_of;
use super::made::Made;
use super::write::number;
use crate::apps::Saved;
use crate::error::{Error, Result};
use crate::training::Given;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traversal {
    /// How many dimensions, those that say most first; all, where that is fewer.
    pub dimensions: usize,
    /// How many values of each.
    pub steps: usize,
    /// The row whose code the others are taken from, or else the mean of all codes.
    pub row: Option<usize>,
}

impl Saved {
    /// Writes rows that differ in one dimension of the code each, along the values that it takes in `data`, or else in what the run held
    /// out: quantiles from 2 % to 98 % of posterior means. Gives the dimensions that were drawn.
    ///
    /// # Errors
    /// If the model has no encoder or decoder, there is no such row, or the file cannot be written.
    pub fn traverse_to(
        &mut self,
        data: Option<&str>,
        wanted: Traversal,
        condition: Option<&[f32]>,
        out: &Path,
    ) -> Result<Vec<Dimension>> {
        self.session.model.can().decode()?;
        let latent = self.session.latent()?;
        Made::check(&self.form, out)?;
        let (_, rows) = self.shown(data)?;
        let Coded { means, mut dimensions } = self.coded(&rows)?;
        if means.iter().any(|value| !value.is_finite()) {
            return Err(Error::invalid("some codes are no numbers: was the model trained to the end?"));
        }
        dimensions.truncate(wanted.dimensions);
        let (centre, known) = match wanted.row {
            Some(row) => {
                let (_, y) = row_of(&rows, row)?;
                (means[row * latent..][..latent].to_vec(), y)
            }
            None => {
                let mean = |d: usize| {
                    means.iter().skip(d).step_by(latent).map(|&z| f64::from(z)).sum::<f64>() / rows.rows as f64
                };
                ((0..latent).map(|d| mean(d) as f32).collect(), rows.condition(0))
            }
        };
        let y = condition.map_or(known, <[f32]>::to_vec);
        let (mut z, mut cells) = (Vec::new(), Vec::new());
        for found in &dimensions {
            let d = found.dimension;
            for value in quantiles(means.iter().skip(d).step_by(latent).copied(), wanted.steps) {
                let mut code = centre.clone();
                code[d] = value;
                cells.push(vec![d.to_string(), found.kl.map_or_else(String::new, number), number(f64::from(value))]);
                z.extend(code);
            }
        }
        let count = z.len() / latent;
        let values = self.session.decode(Given::new(&z, &y.repeat(count)))?;
        let name = |found: &Dimension| match found.kl {
            Some(kl) => format!("z{}  KL {kl:.2}", found.dimension),
            None => format!("z{}", found.dimension),
        };
        let names: Vec<String> = dimensions.iter().map(name).collect();
        let said = (vec!["dimension", "kl", "z"], cells);
        Made { form: &self.form, values: &values, columns: wanted.steps, names: &names, said }.save(out)?;
        Ok(dimensions)
    }
}
