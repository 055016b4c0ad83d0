//! How well the columns of a table are told, one by one.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::data::schema::{Cell, Field, FieldKind};

/// How well a column is rebuilt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnFigures {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: String,
    /// Cells that are known, which the figures are about.
    pub cells: usize,
    /// Of numbers the root of the mean squared error, in the column's own units; of classes and marks the share that is wrong.
    pub error: f64,
    /// The same of the best constant: the mean of these cells, or their most common value.
    pub error_of_constant: f64,
}

impl ColumnFigures {
    /// Those of every column of a table, of rows beside what was made of them `[rows, width]`.
    pub fn of(data: &Dataset, again: &[f32]) -> Vec<ColumnFigures> {
        let ((rows, _), width) = (data.gather(0..data.rows), data.schema.width());
        let both = || rows.chunks_exact(width).zip(again.chunks_exact(width));
        let of_field = |(field, span): (&Field, Range<usize>)| {
            let pairs = both().map(|(row, again)| (field.exact(&row[span.clone()]), field.exact(&again[span.clone()])));
            figures(field, &pairs.filter(|(cell, _)| *cell != Cell::Missing).collect::<Vec<_>>())
        };
        data.schema.spans().map(of_field).collect()
    }
}

fn figures(field: &Field, pairs: &[(Cell, Cell)]) -> ColumnFigures {
    let [error, error_of_constant] = match field.kind {
        FieldKind::Category(_) | FieldKind::Ordinal(_) => shares_wrong(pairs),
        _ => root_mean_squares(pairs),
    };
    ColumnFigures {
        name: field.name.clone(),
        kind: field.kind.name().to_string(),
        cells: pairs.len(),
        error,
        error_of_constant,
    }
}

/// The share of cells that differ, and that of cells that differ from the most common one.
fn shares_wrong(pairs: &[(Cell, Cell)]) -> [f64; 2] {
    let mut names: Vec<String> = pairs.iter().map(|(cell, _)| cell.to_string()).collect();
    names.sort_unstable();
    let most = names.chunk_by(|a, b| a == b).map(<[String]>::len).max().unwrap_or(0);
    let wrong = pairs.iter().filter(|(cell, again)| cell != again).count();
    [wrong, pairs.len() - most].map(|wrong| wrong as f64 / pairs.len().max(1) as f64)
}

/// The root of the mean squared error, and the standard deviation.
fn root_mean_squares(pairs: &[(Cell, Cell)]) -> [f64; 2] {
    let numbers = || pairs.iter().filter_map(|(cell, again)| cell.number().zip(again.number()));
    let count = numbers().count().max(1) as f64;
    let mean = numbers().map(|(value, _)| value).sum::<f64>() / count;
    let root = |squares: f64| (squares / count).sqrt();
    [
        root(numbers().map(|(value, again)| (value - again).powi(2)).sum()),
        root(numbers().map(|(value, _)| (value - mean).powi(2)).sum()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Schema;
    use crate::data::schema::{Role, Scaling};

    #[test]
    fn columns_are_measured_in_their_own_units() {
        let field = |name: &str, kind| Field { name: name.to_string(), kind, role: Role::Input, whole: false };
        let schema = Schema {
            fields: vec![
                field("age", FieldKind::Real(Scaling { shift: 50.0, scale: 10.0 })),
                field("colour", FieldKind::Category(vec!["red".into(), "blue".into()])),
            ],
        };
        let rows = vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0, f32::NAN, 1.0, 0.0, 2.0, 1.0, 0.0];
        let data = Dataset::with_gaps("people", rows, schema).unwrap();
        // Ages 50, 60 and 70 are told 2 too high; of four colours, of which one is blue, one is wrong.
        let again = [0.2, 0.9, 0.1, 1.2, 0.4, 0.6, 0.0, 0.2, 0.8, 2.2, 0.7, 0.3];
        let found = ColumnFigures::of(&data, &again);
        assert_eq!((found[0].name.as_str(), found[0].kind.as_str(), found[0].cells), ("age", "real", 3));
        assert!((found[0].error - 2.0).abs() < 1e-5, "{}", found[0].error);
        // √((100 + 0 + 100)/3).
        assert!((found[0].error_of_constant - 8.164_966).abs() < 1e-5);
        assert_eq!((found[1].cells, found[1].error, found[1].error_of_constant), (4, 0.25, 0.25));
    }
}
