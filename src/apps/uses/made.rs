//! A few rows that a model made of codes, in rows of their own: a table, an array, a sheet or a film.

use std::path::Path;

use super::write::{Lines, ending, number, write_file, write_npy};
use crate::apps::Form;
#[cfg(feature = "pictures")]
use crate::apps::pictures::{Film, NamedRows};
use crate::error::Result;

/// Rows `[names, columns, features]`.
pub struct Made<'a> {
    /// What they look like.
    pub form: &'a Form,
    /// Their values.
    pub values: &'a [f32],
    /// How many each name has.
    pub columns: usize,
    /// The names.
    pub names: &'a [String],
    /// What else a line of a table says: names, and cells for every row.
    pub said: (Vec<&'a str>, Vec<Vec<String>>),
}

impl Made<'_> {
    /// What they may be written as.
    ///
    /// # Errors
    /// If a file is called otherwise.
    pub fn check(form: &Form, to: &Path) -> Result<()> {
        Made::kind(form, to).map(drop)
    }

    fn kind<'k>(form: &Form, to: &Path) -> Result<&'k str> {
        let shape = form.shape();
        let is_picture = !form.schema.is_table() && shape.is_picture();
        let allowed: &[&str] = match (form.schema.is_table(), is_picture && cfg!(feature = "pictures")) {
            (true, _) => &["csv"],
            (false, true) => &["png", "gif", "apng", "npy", "csv"],
            (false, false) => &["npy", "csv"],
        };
        ending(to, "rows that the model makes", allowed)
    }

    /// Writes them.
    ///
    /// # Errors
    /// If the file is called otherwise, or cannot be written.
    pub fn save(self, to: &Path) -> Result<()> {
        let Made { form, values, columns, names, said } = self;
        let shape = form.shape();
        let features = form.schema.width();
        match Made::kind(form, to)? {
            #[cfg(feature = "pictures")]
            kind @ ("png" | "gif" | "apng") => {
                let rows = NamedRows { images: values, shape, columns, names };
                match kind {
                    "png" => rows.save(to),
                    "gif" => rows.save_film(to, Film::Gif),
                    _ => rows.save_film(to, Film::Apng),
                }
            }
            "npy" => {
                let sides = [&[names.len(), columns][..], &shape.sides()].concat();
                write_file(to, |file| write_npy(file, &sides, [Ok(values.to_vec())]))
            }
            _ => write_file(to, |file| {
                let own: Vec<String> = match form.schema.is_table() {
                    true => form.schema.inputs().map(|field| field.name.clone()).collect(),
                    false => (0..features).map(|column| format!("x_{column}")).collect(),
                };
                let (heads, cells) = said;
                let mut lines = Lines::new(file, heads.iter().map(ToString::to_string).chain(own))?;
                for (row, said) in values.chunks_exact(features).zip(cells) {
                    let made: Vec<String> = match form.schema.is_table() {
                        true => form.schema.decode(row).iter().map(ToString::to_string).collect(),
                        false => row.iter().map(|&value| number(f64::from(value))).collect(),
                    };
                    lines.line(said.into_iter().chain(made))?;
                }
                lines.finish()
            }),
        }
    }
}
