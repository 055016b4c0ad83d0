//! Rows of codes that come from a file.

use std::path::Path;

use super::ids::Ids;
use super::parts::{PART, say};
use super::write::{Lines, ending, number, write_file, write_npy};
use crate::apps::Saved;
#[cfg(feature = "pictures")]
use crate::apps::pictures::save_grid;
use crate::data::{Options, Source, is_table, open_whole, table_of};
use crate::error::{Error, Result};
use crate::training::Given;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Decoded {
    /// Codes that were read, and rows that were written.
    pub rows: usize,
}

/// Codes, and which row each is of.
struct Codes {
    z: Vec<f32>,
    ids: Ids,
}

impl Saved {
    /// Writes E\[x | z\] of the codes in a file: of a table its columns as `.csv`; of others `.npy`, the values as `.csv`, and of
    /// pictures a sheet of them as `.png`. Codes are an array `[rows, latent]` in a `.npy`, or a table: its columns `mean_0`, …, as
    /// [`Saved::encode_to`] writes them, or else all of its columns. What else stands in the table is kept in a `.csv`. A model that
    /// is given conditions is given `condition` with each.
    ///
    /// # Errors
    /// If the model has no decoder, the codes do not fit it, or the file cannot be written.
    pub fn decode_to(&mut self, from: &str, condition: &[f32], to: &Path) -> Result<Decoded> {
        self.session.model.can().decode()?;
        let is_of_table = self.form.schema.is_table();
        let shape = self.form.shape();
        let allowed: &[&str] = match (is_of_table, cfg!(feature = "pictures")) {
            (true, _) => &["csv"],
            (false, true) => &["png", "npy", "csv"],
            (false, false) => &["npy", "csv"],
        };
        let form = ending(to, "rows", allowed)?;
        let latent = self.session.latent()?;
        let Codes { z, ids } = read_codes(from, latent)?;
        let rows = z.len() / latent;
        let mut decode = |start: usize| -> Result<Vec<f32>> {
            let end = rows.min(start + PART);
            say("decoding", end, rows);
            let y = condition.repeat(end - start);
            self.session.decode(Given::new(&z[start * latent..end * latent], &y))
        };
        let starts = (0..rows).step_by(PART);
        match form {
            "npy" => {
                let sides = [&[rows][..], &shape.sides()].concat();
                write_file(to, |file| write_npy(file, &sides, starts.map(&mut decode)))?;
            }
            #[cfg(feature = "pictures")]
            "png" => {
                let mut all = Vec::new();
                starts.map(&mut decode).try_for_each(|part| part.map(|part| all.extend(part)))?;
                save_grid(to, &all, shape, (rows as f64).sqrt().ceil() as usize)?;
            }
            _ => {
                let schema = self.form.schema.clone();
                let width = schema.width();
                let own: Vec<String> = match is_of_table {
                    true => schema.inputs().map(|field| field.name.clone()).collect(),
                    false => (0..width).map(|column| format!("x_{column}")).collect(),
                };
                let kept: Vec<usize> = (0..ids.names.len()).filter(|&id| !own.contains(&ids.names[id])).collect();
                write_file(to, |file| {
                    let names = kept.iter().map(|&id| &ids.names[id]).chain(&own);
                    let mut lines = Lines::new(file, names)?;
                    let mut row = 0;
                    for start in starts {
                        for values in decode(start)?.chunks_exact(width) {
                            let of_row = kept.iter().map(|&id| ids.columns[id][row].clone());
                            let made: Vec<String> = match is_of_table {
                                true => schema.decode(values).iter().map(ToString::to_string).collect(),
                                false => values.iter().map(|&value| number(f64::from(value))).collect(),
                            };
                            lines.line(of_row.chain(made))?;
                            row += 1;
                        }
                    }
                    lines.finish()
                })?;
            }
        }
        Ok(Decoded { rows })
    }
}

/// Codes of so many dimensions.
fn read_codes(from: &str, latent: usize) -> Result<Codes> {
    let source = Source::Path(from.into());
    let path = Path::new(from);
    if is_table(&source) {
        return codes_of_table(path, latent);
    }
    let data = open_whole(&source, &Options::default())?;
    let found = data.shape();
    if found.features() != latent || data.observed.is_some() {
        return Err(Error::malformed(
            path,
            format!("it holds rows of {found} values, and a code of this model has {latent}"),
        ));
    }
    Ok(Codes { z: data.gather(0..data.rows).0, ids: Ids::default() })
}

fn codes_of_table(path: &Path, latent: usize) -> Result<Codes> {
    let table = table_of(path)?;
    let mut names: Vec<String> = (0..latent).map(|d| format!("mean_{d}")).collect();
    let is_encoded = names.iter().all(|name| table.names.contains(name));
    if !is_encoded && table.names.len() == latent {
        names = table.names.clone();
    } else if !is_encoded || table.names.contains(&format!("mean_{latent}")) {
        return Err(Error::malformed(
            path,
            format!(
                "a code of this model has {latent} dimensions: columns mean_0 to mean_{} were expected, as `elbo encode` writes \
                 them, or {latent} columns and no other; found are {}",
                latent - 1,
                crate::data::schema::some_of(&table.names)
            ),
        ));
    }
    let mut z = vec![0.0; table.rows * latent];
    for (d, name) in names.iter().enumerate() {
        for (row, cell) in table.column(name)?.iter().enumerate() {
            let number = cell.parse::<f32>().ok().filter(|number| number.is_finite());
            z[row * latent + d] = number.ok_or_else(|| {
                Error::malformed(
                    path,
                    format!("row {row} holds `{cell}` in the column {name}, and a number was expected"),
                )
            })?;
        }
    }
    let is_of_code =
        |name: &String| names.contains(name) || ["mean_", "sd_", "draw_"].iter().any(|s| name.starts_with(s));
    let mut ids = Ids::default();
    for name in table.names.iter().filter(|name| !is_of_code(name)) {
        ids.names.push(name.clone());
        ids.columns.push(table.column(name)?);
    }
    Ok(Codes { z, ids })
}
