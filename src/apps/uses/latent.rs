//! What the codes of rows mean: dimension by dimension, beside what is known of rows, and which rows lie near one.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::dimensions::{Coded, Dimension};
#[cfg(feature = "maps")]
use super::ids::Ids;
use super::interpolate::row_of;
#[cfg(feature = "maps")]
use super::map::{Mapped, Mapping, check_map, write_map};
use super::write::{Lines, ending, number, write_file};
use crate::apps::Saved;
#[cfg(feature = "pictures")]
use crate::apps::pictures::save_latent_map;
use crate::data::Dataset;
use crate::data::schema::Cell;
use crate::error::Result;
use crate::evaluation::rank_correlation;

/// What codes mean.
#[derive(Clone, Debug, Serialize)]
pub struct LatentReport {
    /// The data.
    pub data: String,
    /// Its rows.
    pub rows: usize,
    /// How many dimensions are in use.
    pub active_units: usize,
    /// The dimensions, those that say most first.
    pub dimensions: Vec<Related>,
    /// The rows whose codes lie nearest to that of the row that was asked for, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// What is on the map that was wanted.
    #[cfg(feature = "maps")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Mapped>,
}

/// What is written of codes.
#[derive(Clone, Copy, Debug)]
pub enum LatentOut<'a> {
    /// The posterior means in two dimensions as `.png`, or the dimensions as `.csv`.
    Dimensions(&'a Path),
    /// A map.
    #[cfg(feature = "maps")]
    Map(Mapping, &'a Path),
}

/// A dimension beside what is known of rows.
#[derive(Clone, Debug, Serialize)]
pub struct Related {
    /// The dimension.
    #[serde(flatten)]
    pub of: Dimension,
    /// Of numbers (factors, columns) the rank correlation with the posterior means, between −1 and 1; of classes (labels, columns) the
    /// correlation ratio, between 0 and 1: the root of the share of variance that lies between classes.
    pub correlations: BTreeMap<String, f64>,
}

/// A row near another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its number, from 0.
    pub row: usize,
    /// How far off its code is, every dimension in units of its spread.
    pub distance: f64,
    /// Its label, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What is known of rows: a number of each, NaN where it is missing, or a class of each.
pub enum Known {
    /// The numbers.
    Numbers(Vec<f64>),
    /// The names of the classes.
    Classes(Vec<String>),
}

impl Saved {
    /// Looks at the codes of `data`, or else of what the run held out, and writes what is wanted of them. `near` asks for the neighbours of a
    /// row, so many.
    ///
    /// # Errors
    /// If the model has no encoder, there is no such row, a map cannot be made of so few, or the file cannot be written.
    pub fn latent_report(
        &mut self,
        data: Option<&str>,
        near: Option<(usize, usize)>,
        out: Option<LatentOut>,
    ) -> Result<LatentReport> {
        let latent = self.session.latent()?;
        let allowed: &[&str] = if cfg!(feature = "pictures") { &["png", "csv"] } else { &["csv"] };
        let (_, rows) = self.shown(data)?;
        let kind = match out {
            Some(LatentOut::Dimensions(out)) => Some(ending(out, "what codes mean", allowed)?),
            #[cfg(feature = "maps")]
            Some(LatentOut::Map(_, out)) => Some(check_map(out, rows.rows)?),
            None => None,
        };
        if let Some((row, _)) = near {
            row_of(&rows, row)?;
        }
        let Coded { means, dimensions } = self.coded(&rows)?;
        let known = known(&rows);
        let related = dimensions.into_iter().map(|of| {
            let values: Vec<f64> =
                means.iter().skip(of.dimension).step_by(latent).map(|&value| f64::from(value)).collect();
            let correlations = known.iter().map(|(name, known)| (name.clone(), known.relation(&values))).collect();
            Related { of, correlations }
        });
        let dimensions: Vec<Related> = related.collect();
        let neighbours = near.map_or(vec![], |(row, count)| neighbours(&rows, &means, &dimensions, row, count));
        #[cfg(feature = "maps")]
        let mut map = None;
        match (out, kind) {
            #[cfg(feature = "maps")]
            (Some(LatentOut::Map(wanted, out)), _) => {
                let ids = Ids::of(self, data)?;
                map = Some(write_map(out, wanted, (&ids, &rows), (&means, latent))?);
            }
            #[cfg(feature = "pictures")]
            (Some(LatentOut::Dimensions(out)), Some("png")) => {
                let labels = rows.labels.as_ref().map(|labels| (&labels.values[..], &labels.names[..]));
                save_latent_map(out, &format!("Codes of {}", rows.name), (&means, latent), labels)?;
            }
            (Some(LatentOut::Dimensions(out)), _) => write_file(out, |file| {
                let names = ["dimension", "kl", "mean", "spread", "active"].into_iter();
                let mut lines = Lines::new(file, names.chain(known.iter().map(|(name, _)| name.as_str())))?;
                for Related { of, correlations } in &dimensions {
                    let mut cells = vec![of.dimension.to_string(), of.kl.map_or_else(String::new, number)];
                    cells.extend([number(of.mean), number(of.spread), u8::from(of.active).to_string()]);
                    cells.extend(known.iter().map(|(name, _)| number(correlations[name])));
                    lines.line(cells)?;
                }
                lines.finish()
            })?,
            (None, _) => {}
        }
        let active_units = dimensions.iter().filter(|dimension| dimension.of.active).count();
        Ok(LatentReport {
            data: rows.name.clone(),
            rows: rows.rows,
            active_units,
            dimensions,
            neighbours,
            #[cfg(feature = "maps")]
            map,
        })
    }
}

/// What is known of rows, by name: labels, factors, the columns of a table.
pub fn known(rows: &Dataset) -> Vec<(String, Known)> {
    let mut all = Vec::new();
    if let Some(labels) = &rows.labels {
        all.push(("label".to_string(), Known::Classes((0..rows.rows).map(|row| labels.name_of(row)).collect())));
    }
    if let Some(factors) = &rows.factors {
        for (place, name) in factors.names.iter().enumerate() {
            let values = factors.values.iter().skip(place).step_by(factors.names.len());
            all.push((name.clone(), Known::Numbers(values.map(|&value| f64::from(value)).collect())));
        }
    }
    if rows.schema.is_table() {
        let cells: Vec<Vec<Cell>> = (0..rows.rows).map(|row| rows.schema.decode(&rows.row(row))).collect();
        for (place, field) in rows.schema.inputs().enumerate() {
            let column = cells.iter().map(|cells| &cells[place]);
            let is_class = cells.iter().any(|cells| matches!(cells[place], Cell::Text(_)));
            let known = match is_class {
                true => Known::Classes(column.map(ToString::to_string).collect()),
                false => Known::Numbers(
                    column.map(|cell| if let Cell::Number(value) = cell { *value } else { f64::NAN }).collect(),
                ),
            };
            all.push((field.name.clone(), known));
        }
    }
    all
}

impl Known {
    fn relation(&self, values: &[f64]) -> f64 {
        match self {
            Known::Numbers(numbers) => {
                let there = || numbers.iter().zip(values).filter(|(number, _)| !number.is_nan());
                let (numbers, values): (Vec<f64>, Vec<f64>) = there().map(|(number, value)| (*number, *value)).unzip();
                if numbers.len() < 2 { 0.0 } else { rank_correlation(&numbers, &values) }
            }
            Known::Classes(classes) => correlation_ratio(classes, values),
        }
    }
}

/// √(between/whole) of the sums of squares.
fn correlation_ratio(classes: &[String], values: &[f64]) -> f64 {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (class, value) in classes.iter().zip(values) {
        let (count, sum) = sums.entry(class).or_default();
        *count += 1.0;
        *sum += value;
    }
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let between: f64 = sums.values().map(|(count, sum)| count * (sum / count - mean).powi(2)).sum();
    let whole: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if whole > 0.0 { (between / whole).sqrt() } else { 0.0 }
}

fn neighbours(rows: &Dataset, means: &[f32], dimensions: &[Related], row: usize, count: usize) -> Vec<Neighbour> {
    let latent = dimensions.len();
    // A dimension that does not vary says nothing of distance.
    let scales: Vec<(usize, f64)> =
        dimensions.iter().map(|d| (d.of.dimension, d.of.spread)).filter(|(_, spread)| *spread > 1e-6).collect();
    let own = &means[row * latent..][..latent];
    let distance = |other: &[f32]| {
        scales.iter().map(|&(d, spread)| (f64::from(own[d] - other[d]) / spread).powi(2)).sum::<f64>().sqrt()
    };
    let mut all: Vec<(usize, f64)> =
        means.chunks_exact(latent).map(distance).enumerate().filter(|(i, _)| *i != row).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all.truncate(count);
    let label = |row: usize| rows.labels.as_ref().map(|labels| labels.name_of(row));
    all.into_iter().map(|(row, distance)| Neighbour { row, distance, label: label(row) }).collect()
}

#[cfg(test)]
mod tests {
    use super::correlation_ratio;

    #[test]
    fn classes_explain_what_lies_between_them() {
        let classes = ["a", "a", "b", "b"].map(String::from);
        // Means 1 and 5 around 3: 16 of 16 + 4.
        assert!((correlation_ratio(&classes, &[0.0, 2.0, 4.0, 6.0]) - 0.8f64.sqrt()).abs() < 1e-12);
        assert_eq!(correlation_ratio(&classes, &[1.0, 2.0, 2.0, 1.0]), 0.0);
        assert_eq!(correlation_ratio(&classes, &[1.0; 4]), 0.0);
    }
}
