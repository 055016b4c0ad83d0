//! Rows between two rows: what lies between their codes.

use std::path::Path;

use super::made::Made;
use super::paths::{Way, steps};
use super::write::number;
use crate::apps::Saved;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::training::Given;

/// A row: its number among those that are looked at, or the first of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Its number, from 0.
    Row(usize),
    /// The first row of this file or folder.
    File(String),
}

impl std::str::FromStr for End {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<End, Self::Err> {
        Ok(text.parse().map_or_else(|_| End::File(text.to_string()), End::Row))
    }
}

impl Saved {
    /// Writes rows between two rows of `data`, or else of those that the run held out: `count` of them, the model's own ends included.
    /// Gives the distance between the two codes.
    ///
    /// # Errors
    /// If the model has no encoder or decoder, there is no such row, or the file cannot be written.
    pub fn interpolate_to(
        &mut self,
        data: Option<&str>,
        [from, to]: [&End; 2],
        (way, count): (Way, usize),
        out: &Path,
    ) -> Result<f64> {
        self.session.model.can().decode()?;
        let latent = self.session.latent()?;
        Made::check(&self.form, out)?;
        let steps = steps(count)?;
        let own = match [from, to].iter().any(|end| matches!(end, End::Row(_))) {
            true => Some(self.shown(data)?.1),
            false => None,
        };
        let mut end = |end: &End| -> Result<(Vec<f32>, Vec<f32>)> {
            let (x, y) = match (end, &own) {
                (End::Row(row), Some(own)) => row_of(own, *row)?,
                (End::Row(_), None) => unreachable!("rows were opened for a number"),
                (End::File(path), _) => row_of(&self.shown(Some(path))?.1, 0)?,
            };
            Ok((self.session.encode(Given::new(&x, &y))?, y))
        };
        let [(a, given_a), (b, given_b)] = [end(from)?, end(to)?];
        let z: Vec<f32> = steps.iter().flat_map(|&t| way.at(&a, &b, t)).collect();
        let y: Vec<f32> = steps.iter().flat_map(|&t| Way::Linear.at(&given_a, &given_b, t)).collect();
        let values = self.session.decode(Given::new(&z, &y))?;
        let heads: Vec<String> = (0..latent).map(|d| format!("z_{d}")).collect();
        let cells = steps
            .iter()
            .zip(z.chunks_exact(latent))
            .map(|(&t, z)| std::iter::once(number(t)).chain(z.iter().map(|&z| number(f64::from(z)))).collect());
        let said = (std::iter::once("t").chain(heads.iter().map(String::as_str)).collect(), cells.collect());
        let names = [format!("{way:?}").to_lowercase()];
        Made { form: &self.form, values: &values, columns: count, names: &names, said }.save(out)?;
        Ok(a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt())
    }
}

/// A row with what is known of it.
pub fn row_of(data: &Dataset, row: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    match row < data.rows {
        true => Ok(data.gather([row])),
        false => Err(Error::invalid(format!(
            "there is no row {row} in {}: it has {} rows, the first being 0",
            data.name, data.rows
        ))),
    }
}
