//! What rows are called in the file or folder that they come from, so that messages speak of those.

use std::sync::Arc;

use super::values::select;

/// Where each row of a data set lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    /// The numbers of the rows of an array or a Parquet file, from 0.
    Rows(Vec<u32>),
    /// The lines of a table, from 1.
    Lines(Vec<u32>),
    /// Files, by their places among all names.
    Files(Vec<u32>, Arc<[String]>),
}

impl Places {
    /// Where row `i` lies, for people: `row 50`, `line 52`, or the name of a file.
    ///
    /// # Panics
    /// When there is no row `i`.
    pub fn of(&self, i: usize) -> String {
        match self {
            Places::Rows(places) => format!("row {}", places[i]),
            Places::Lines(places) => format!("line {}", places[i]),
            Places::Files(places, names) => names[places[i] as usize].clone(),
        }
    }

    /// Those of some rows, in that order.
    pub(super) fn select(&self, rows: &[usize]) -> Places {
        match self {
            Places::Rows(places) => Places::Rows(select(places, rows, 1)),
            Places::Lines(places) => Places::Lines(select(places, rows, 1)),
            Places::Files(places, names) => Places::Files(select(places, rows, 1), names.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dataset, Shape, Values};
    use super::*;

    #[test]
    fn rows_keep_their_places_through_splits() {
        let plain = Dataset::new("some", Values::Bytes((0..20).collect()), Shape::vector(1)).unwrap();
        assert_eq!(plain.place(7), "row 7");
        let part = plain.subset(&[12, 3, 9]).subset(&[2, 0]);
        assert_eq!([part.place(0), part.place(1)], ["row 9", "row 12"]);
        let table = Dataset { places: Some(Places::Lines((2..22).collect())), ..plain.clone() };
        assert_eq!(table.subset(&[4]).place(0), "line 6");
        let names: Arc<[String]> = (0..20).map(|i| format!("cat/{i}.png")).collect();
        let files = Dataset { places: Some(Places::Files((0..20).collect(), names)), ..plain };
        assert_eq!(files.subset(&[4, 19]).place(1), "cat/19.png");
    }
}
