//! Where the strangeness of a row lies: which of its values cost most beyond what they cost in normal rows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Scoring;
use super::values::{as_numbers, mean};
use crate::apps::Saved;
use crate::apps::uses::ids::Ids;
use crate::apps::uses::parts::{Part, parts};
use crate::data::Dataset;
use crate::error::Result;

/// Columns that are named of a row.
const NAMED: usize = 3;
/// Normal rows that the usual cost of a value is a mean over.
const MOST: usize = 4096;

/// What a column costs beyond what is usual, in nats.
pub type Odd = (String, f64);

/// A row that stands out.
#[derive(Clone, Debug, Serialize)]
pub struct Strange {
    /// Its number, from 0.
    pub row: usize,
    /// What else says which it is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, String>,
    /// Its label, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its score.
    pub score: f64,
    /// Its p-value, where there are normal rows to tell it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Of a table, the columns that cost most beyond what is usual, in nats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Odd>,
}

impl Saved {
    /// What each value costs in normal rows, a mean `[features]`; `None` where the model decodes nothing.
    pub(super) fn usual_losses(&mut self, normal: &Dataset, seed: u64) -> Result<Option<Vec<f64>>> {
        if self.session.model.can().reconstruct.is_none() {
            return Ok(None);
        }
        let count = normal.rows.min(MOST);
        let (x, y) = normal.gather((0..count).map(|i| i * normal.rows / count));
        let given = crate::training::Given::new(&x, &y);
        let of_members = self.session.each_member(|session| as_numbers(session.score_features(given, seed)))?;
        let losses = mean(of_members);
        let mut sums = vec![0.0; self.session.model.features()];
        for row in losses.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(sum, &loss)| *sum += loss / count as f64);
        }
        Ok(Some(sums))
    }

    /// The columns of each row of a table that cost most beyond what is usual, the first the most.
    pub(super) fn odd_columns(&mut self, part: &Part, scoring: &Scoring, usual: &[f64]) -> Result<Vec<Vec<Odd>>> {
        let (losses, width) = self.mean_losses(part, scoring)?;
        let schema = &self.form.schema;
        let of_row = |row: &[f64]| {
            let excess = |span: std::ops::Range<usize>| span.map(|column| row[column] - usual[column]).sum::<f64>();
            let mut columns: Vec<Odd> = schema
                .spans()
                .map(|(field, span)| (field.name.clone(), excess(span)))
                .filter(|(_, nats)| *nats > 0.0)
                .collect();
            columns.sort_by(|a, b| b.1.total_cmp(&a.1));
            columns.truncate(NAMED);
            columns
        };
        Ok(losses.chunks_exact(width).map(of_row).collect())
    }

    /// The strangest rows, the first the most.
    pub(super) fn strangest(
        &mut self,
        rows: &Dataset,
        ids: &Ids,
        found: &super::Scores,
        p_values: &[f64],
        scoring: &Scoring,
        usual: Option<&[f64]>,
    ) -> Result<Vec<Strange>> {
        let scores = &found.by_kind[0];
        let mut order: Vec<usize> = (0..rows.rows).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        order.truncate(scoring.top);
        if order.is_empty() {
            return Ok(vec![]);
        }
        let some = rows.subset(&order);
        let mut columns = Vec::new();
        if let Some(usual) = usual.filter(|_| self.form.schema.is_table()) {
            for part in parts("looking where", &some) {
                columns.extend(self.odd_columns(&part, scoring, usual)?);
            }
        }
        let strange = |(place, &row): (usize, &usize)| Strange {
            row,
            ids: ids.names.iter().cloned().zip(ids.row(row).map(String::from)).collect(),
            label: rows.labels.as_ref().map(|labels| labels.name_of(row)),
            score: scores[row],
            p_value: (!p_values[row].is_nan()).then_some(p_values[row]),
            columns: columns.get(place).cloned().unwrap_or_default(),
        };
        Ok(order.iter().enumerate().map(strange).collect())
    }
}

/// Columns with what they cost, for people.
pub fn in_words(columns: &[Odd]) -> String {
    columns.iter().map(|(name, nats)| format!("{name} {nats:.1}")).collect::<Vec<_>>().join("; ")
}
