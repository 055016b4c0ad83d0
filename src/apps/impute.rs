//! Blanks in a table or an array, filled with what a trained model expects of them.

use super::saved::Saved;
use crate::data::{Dataset, Output, Schema, Shape, Source, table_of};
use crate::error::{Error, Result};
use crate::training::{Given, part_of_seed};

/// Rows whose blanks are filled at once.
const CHUNK: usize = 4096;

/// What was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Rows that were read and written.
    pub rows: usize,
    /// Cells that were blank, and are no more.
    pub cells: usize,
}

impl Saved {
    /// Writes the file `from` again as `to`, each blank filled with its expectation given what is known of its row, by
    /// importance sampling with `samples` codes: of a number the mean, of a class or a mark the likeliest. Columns that the model
    /// does not see stay as they are.
    ///
    /// # Errors
    /// If the model gives rows no likelihood or is given something with every row, the file is no table or lacks a column, a cell
    /// is not what its column should hold, or the file cannot be written.
    pub fn impute(&mut self, from: &str, to: &Output, samples: usize, seed: u64) -> Result<Filled> {
        self.session.model.can().density()?;
        let Source::Path(path) = Source::parse(from) else {
            return Err(Error::invalid("built-in data has no blanks: give a table with some"));
        };
        if !self.form.schema.is_table() {
            return Err(Error::invalid(format!(
                "{} was trained on pictures or vectors, and blanks are filled in tables: train on a CSV file",
                self.folder.display()
            )));
        }
        let table = table_of(&path)?;
        // Columns that the model does not see may hold anything.
        let schema = Schema { fields: self.form.schema.inputs().cloned().collect() };
        let data = table.whole(&schema)?;
        let filled = self.filled(&data, samples, seed)?;
        let cells = table.fill(&schema, &filled, to)?;
        Ok(Filled { rows: data.rows, cells })
    }

    /// Rows of data with what was not observed filled in `[rows, features]`.
    fn filled(&mut self, data: &Dataset, samples: usize, seed: u64) -> Result<Vec<f32>> {
        let Shape { width, .. } = data.shape();
        let mut filled = Vec::with_capacity(data.rows * width);
        for start in (0..data.rows).step_by(CHUNK) {
            let (x, y) = data.gather(start..data.rows.min(start + CHUNK));
            // Each part draws codes of its own.
            let seed = part_of_seed(seed, (start / CHUNK) as u64);
            filled.extend(self.session.impute(Given::new(&x, &y), samples, seed)?);
        }
        Ok(filled)
    }
}
