//! How sure a model is of the cells of a table: what is drawn of each row, and how much of its variance lies between codes.

use serde::Serialize;

use super::ids::Ids;
use super::parts::{Part, first_parts};
use crate::apps::Saved;
use crate::data::schema::{Cell, Field, FieldKind};
use crate::data::{Frame, Output, Schema};
use crate::error::Result;
use crate::training::{Given, Session, part_of_seed};

/// Rows that are worked on at once, so that little is held of each.
const ROWS: usize = 1024;
/// Rows that are drawn of each code.
const OF_CODE: usize = 8;

/// How sure a model is of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableSureness {
    /// Rows that were looked at.
    pub rows: usize,
    /// Its columns.
    pub columns: Vec<SureColumn>,
}

/// How sure a model is of a column, in the column's unit; of a date in days, of classes of the probability of the likeliest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SureColumn {
    /// Its name.
    pub name: String,
    /// √ of the mean over rows of Var_z E\[x | z\].
    pub sd_of_codes: f64,
    /// √ of the mean of E_z Var\[x | z\].
    pub sd_of_likelihood: f64,
    /// √ of the mean of Var_w E\[x | w\], of a model whose weights have a distribution, or of an ensemble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd_of_weights: Option<f64>,
}

/// The mean and the variances of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sure {
    mean: f64,
    of_codes: f64,
    of_likelihood: f64,
    of_weights: f64,
}

/// Sums over codes of what is drawn of a cell.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    codes: f64,
    /// The mean of the means of codes so far, and the squares of how far those are from it (Welford 1962).
    mean: f64,
    between: f64,
    /// The squares of how far draws are from the mean of their code.
    within: f64,
}

impl Sums {
    /// One more code, with draws of it.
    fn add(&mut self, draws: &[f64; OF_CODE]) {
        let mean = draws.iter().sum::<f64>() / OF_CODE as f64;
        self.within += draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>();
        self.codes += 1.0;
        let off = mean - self.mean;
        self.mean += off / self.codes;
        self.between += off * (mean - self.mean);
    }

    /// The components of the variance, by the analysis of variance of one random effect: the mean square within codes, and what the variance
    /// of their means has beyond its share of that, which comes out below 0 where codes say little (Searle, Casella & McCulloch 1992, section 3.6).
    fn sure(&self) -> Sure {
        let of_likelihood = self.within / (self.codes * (OF_CODE - 1) as f64);
        let of_codes = self.between / (self.codes - 1.0) - of_likelihood / OF_CODE as f64;
        Sure { mean: self.mean, of_codes, of_likelihood, of_weights: 0.0 }
    }
}

impl Saved {
    /// Writes how sure the model is of each cell of a table: of numbers and dates the columns `NAME` (what is expected), `NAME.sd_codes`,
    /// `NAME.sd_likelihood` and `NAME.sd`, in the unit of the column; of classes `NAME` (the likeliest), `NAME.probability` and the same three
    /// of whether a cell is of that class. They are estimated from at least two codes of each row and eight rows drawn of each code, so
    /// that they hold for any likelihood and in the unit of any column. Where weights have a distribution, that of so many draws of them is a third
    /// part, `NAME.sd_weights`; so is that of the members of an ensemble.
    ///
    /// # Errors
    /// If the model gives rows no likelihood, the data cannot be read, or the file cannot be written.
    pub fn table_uncertainty_to(
        &mut self,
        data: Option<&str>,
        count: usize,
        draws: (usize, usize),
        to: &Output,
        seed: u64,
    ) -> Result<TableSureness> {
        self.session.model.can().density()?;
        self.session.model.can().decode()?;
        let (ids, (_, data)) = (Ids::of(self, data)?, self.shown(data)?);
        let count = count.min(data.rows);
        let schema = self.form.schema.clone();
        let has_weights = self.session.count_of_weights(draws.1).is_ok();
        let mut sums = vec![[0.0; 3]; schema.inputs().count()];
        let frames = first_parts("drawing rows", &data, count, ROWS).map(|part| {
            let cells = sure_of(&mut self.session, &schema, &part, draws, part.seed(seed))?;
            let frame = ids.names.iter().zip(&ids.columns).fold(Frame::new(), |frame, (name, column)| {
                frame.ids(name, column[part.start..part.start + part.rows].iter().map(String::as_str))
            });
            let fields = schema.spans().zip(&mut sums);
            Ok(fields.fold(frame, |frame, ((field, span), sums)| {
                let of_row = |row: &[Sure]| likeliest(&row[span.clone()]);
                let found: Vec<(usize, Sure)> = cells.chunks_exact(schema.width()).map(of_row).collect();
                for (_, sure) in &found {
                    let parts = [sure.of_codes, sure.of_likelihood, sure.of_weights];
                    sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
                }
                columns(frame, field, &found, has_weights)
            }))
        });
        to.write_parts(count, frames)?;
        let root = |sum: f64| (sum / count as f64).max(0.0).sqrt();
        let columns = schema.inputs().zip(&sums).map(|(field, [codes, likelihood, weights])| SureColumn {
            name: field.name.clone(),
            sd_of_codes: root(*codes),
            sd_of_likelihood: root(*likelihood),
            sd_of_weights: has_weights.then(|| root(*weights)),
        });
        Ok(TableSureness { rows: count, columns: columns.collect() })
    }
}

/// The place and the cell of the likeliest class; of what is no class, the only one.
fn likeliest(cells: &[Sure]) -> (usize, Sure) {
    let first = (0, cells[0]);
    cells.iter().copied().enumerate().fold(first, |best, one| if one.1.mean > best.1.mean { one } else { best })
}

/// A frame with the columns of a field.
fn columns(frame: Frame, field: &Field, found: &[(usize, Sure)], has_weights: bool) -> Frame {
    let name = &field.name;
    let of = |value: fn(&Sure) -> f64| found.iter().map(move |(_, sure)| value(sure));
    let frame = match &field.kind {
        FieldKind::Category(classes) => frame
            .texts(name, found.iter().map(|(class, _)| Some(classes[*class].clone())))
            .numbers(&format!("{name}.probability"), of(|sure| sure.mean)),
        FieldKind::Date(_, form) => {
            frame.texts(name, of(|sure| sure.mean).map(|days| Some(Cell::Date(days, *form).to_string())))
        }
        _ => frame.numbers(name, of(|sure| sure.mean)),
    };
    let frame = frame
        .numbers(&format!("{name}.sd_codes"), of(|sure| sure.of_codes.max(0.0).sqrt()))
        .numbers(&format!("{name}.sd_likelihood"), of(|sure| sure.of_likelihood.sqrt()));
    let frame = match has_weights {
        true => frame.numbers(&format!("{name}.sd_weights"), of(|sure| sure.of_weights.sqrt())),
        false => frame,
    };
    frame.numbers(
        &format!("{name}.sd"),
        of(|sure| (sure.of_codes.max(0.0) + sure.of_likelihood + sure.of_weights).sqrt()),
    )
}

/// All cells `[rows, width]`, from so many codes and, where there are several weights, draws of these or members, which see the same codes.
fn sure_of(
    session: &mut Session,
    schema: &Schema,
    part: &Part,
    (draws, weight_draws): (usize, usize),
    seed: u64,
) -> Result<Vec<Sure>> {
    let Ok(count) = session.count_of_weights(weight_draws) else {
        return of_codes(session, schema, part, draws, seed);
    };
    let mut all: Vec<Sure> = vec![];
    session.over_weights(weight_draws, !seed, |session, draw| {
        let found = of_codes(session, schema, part, draws, seed)?;
        all.resize(found.len(), Sure::default());
        for (all, found) in all.iter_mut().zip(found) {
            let off = found.mean - all.mean;
            all.mean += off / (draw + 1) as f64;
            all.of_weights += off * (found.mean - all.mean) / (count - 1) as f64;
            all.of_codes += found.of_codes / count as f64;
            all.of_likelihood += found.of_likelihood / count as f64;
        }
        Ok(())
    })?;
    Ok(all)
}

/// The same for the weights that the session holds.
fn of_codes(session: &mut Session, schema: &Schema, part: &Part, draws: usize, seed: u64) -> Result<Vec<Sure>> {
    let mut sums = vec![Sums::default(); part.rows * schema.width()];
    for draw in 0..draws {
        let codes = session.draw_codes(part.given(), part_of_seed(seed, draw as u64))?;
        let mut drawn: Vec<Vec<f64>> = vec![];
        for again in 0..OF_CODE {
            let of = part_of_seed(!seed, (draw * OF_CODE + again) as u64);
            let rows = session.draw_decoded(Given::new(&codes, part.given().y), of)?;
            drawn.push(rows.chunks_exact(schema.width()).flat_map(|row| in_units(schema, row)).collect());
        }
        for (cell, sums) in sums.iter_mut().enumerate() {
            sums.add(&std::array::from_fn(|again| drawn[again][cell]));
        }
    }
    Ok(sums.iter().map(Sums::sure).collect())
}

/// The numbers of a row in the units of its columns `[width]`; of classes as they are, ones among zeros.
fn in_units<'a>(schema: &'a Schema, row: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    schema.spans().flat_map(move |(field, span)| {
        let x = &row[span];
        let cell = if let FieldKind::Category(_) = field.kind { None } else { field.exact(x).number() };
        match cell {
            Some(value) => vec![value],
            None => x.iter().map(|&value| f64::from(value)).collect(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_within_and_between_codes_by_hand() {
        let mut sums = Sums::default();
        // Means 0, 6 and 3; within each, four draws one above and four one below: a mean square of 8/7.
        for mean in [0.0, 6.0, 3.0] {
            sums.add(&std::array::from_fn(|i| mean + if i % 2 == 0 { 1.0 } else { -1.0 }));
        }
        let found = sums.sure();
        let within = 8.0 / 7.0;
        // The means vary by 9, of which an eighth of what is within comes of drawing eight.
        let wanted = Sure { mean: 3.0, of_codes: 9.0 - within / 8.0, of_likelihood: within, of_weights: 0.0 };
        let far = |a: f64, b: f64| (a - b).abs() > 1e-12;
        assert!(!far(found.mean, wanted.mean) && !far(found.of_codes, wanted.of_codes), "{found:?}");
        assert!(!far(found.of_likelihood, wanted.of_likelihood), "{found:?}");
        // Where codes hardly differ, estimates lie on both sides of 0, so that their mean is right: 0.01 − (2/7)/8 here.
        let mut alike = Sums::default();
        [0.1, 0.0, -0.1].iter().for_each(|mean| alike.add(&std::array::from_fn(|i| mean + (i % 2) as f64)));
        assert!(!far(alike.sure().of_codes, 0.01 - 2.0 / 7.0 / 8.0), "{:?}", alike.sure());
    }

    #[test]
    fn the_likeliest_class_is_told() {
        let of = |means: &[f64]| {
            likeliest(&means.iter().map(|&mean| Sure { mean, ..Sure::default() }).collect::<Vec<_>>()).0
        };
        assert_eq!([of(&[0.2, 0.5, 0.3]), of(&[0.5, 0.5]), of(&[-3.0])], [1, 0, 0]);
    }
}
