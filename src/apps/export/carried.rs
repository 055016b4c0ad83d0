//! What a page brings along besides programs: rows of the data, and all that its controls are made of.

use serde_json::{Value, json};

use super::programs::ROWS;
use crate::apps::report::{Dimension, Subject, Told, dimensions, look, text_of};
use crate::apps::uses::coded;
use crate::data::Dataset;
use crate::error::Result;

/// Values of all rows that are brought along, and the most rows.
const MOST_VALUES: usize = 40_000;
const MOST: usize = 16;
/// Rows by which the reach of a code is known.
const CODED: usize = 1000;

/// What the controls of a page are made of.
pub struct Carried {
    /// The dimensions of a code, those that say most first; none where rows have no codes.
    pub dimensions: Vec<Dimension>,
    /// The code that sliders begin at.
    pub centre: Vec<f32>,
    /// What is told with every code.
    pub told: Told,
    /// Rows, and what they are called.
    pub rows: Option<(Dataset, Vec<String>)>,
    /// Whether codes are spread as a standard normal.
    pub is_normal: bool,
    /// What the script is given.
    pub data: Value,
}

/// What a page of a model brings along.
///
/// # Errors
/// If the device fails.
pub fn carried(subject: &mut Subject) -> Result<Carried> {
    let encodes = subject.session.model.can().encode.is_some();
    let shown = subject.some_rows(CODED);
    let (dimensions, centre) = match (&shown, encodes) {
        (Some(rows), true) => dimensions(Some(&coded(subject.session, rows)?), subject.session.latent()?),
        (None, true) => dimensions(None, subject.session.latent()?),
        (_, false) => (vec![], vec![]),
    };
    let features = subject.session.model.features();
    let most = (MOST_VALUES / features).clamp(2, MOST);
    let rows = shown.as_ref().and_then(|_| subject.some_rows(most)).map(named);
    let (_, known) = subject.known(0);
    let told = Told::of(subject, &known);
    let is_normal = subject.config.model.kind.is_variational && subject.config.model.codes_are_standard_normal();
    let data = json!({
        "rows": ROWS,
        "features": features,
        "latent": centre.len(),
        "look": look(subject, shown.as_ref()),
        "dimensions": dimensions.iter().map(|d| json!({ "number": d.number, "low": d.low, "high": d.high })).collect::<Vec<_>>(),
        "centre": centre,
        "known": known,
        "told": told.data(),
        "carried": rows.as_ref().map(|(rows, _)| values(rows)),
        "classes": subject.form.classes,
    });
    Ok(Carried { dimensions, centre, told, rows, is_normal, data })
}

/// Rows and what they are called, with their labels where they have some.
fn named(rows: Dataset) -> (Dataset, Vec<String>) {
    let name = |row: usize| match &rows.labels {
        Some(labels) => format!("{}, {}", rows.place(row), labels.name_of(row)),
        None => rows.place(row),
    };
    let names = (0..rows.rows).map(name).collect();
    (rows, names)
}

/// The values of rows, gaps as NaN, and what is known of each, as text.
fn values(rows: &Dataset) -> Value {
    let (x, y) = rows.gather(0..rows.rows);
    json!({ "x": text_of(bytemuck::cast_slice(&x)), "y": text_of(bytemuck::cast_slice(&y)) })
}
