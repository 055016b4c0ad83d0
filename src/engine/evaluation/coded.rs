//! Codes beside the factors of the rows they came from: what every metric reads.

use rand::seq::SliceRandom;

use super::generator;
use crate::data::Factors;
use crate::error::{Error, Result};

/// Fewer rows than this say nothing about a code.
pub const MIN_ROWS: usize = 100;

/// Where a value is shared by fewer rows than this on average, a factor cannot be learnt from some rows and told in others.
const ROWS_PER_VALUE: usize = 4;

/// One factor of variation, as it occurs in the rows at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// What people call it.
    pub name: String,
    /// Which of its values each row has, `[rows]`, counted from 0 among the values that occur: all below `count`.
    pub values: Vec<u32>,
    /// How many different values occur, at least 2.
    pub count: usize,
}

/// Codes and the known factors of the same rows, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Coded {
    rows: usize,
    dims: Vec<Vec<f32>>,
    factors: Vec<Factor>,
    excluded: Vec<String>,
}

impl Coded {
    /// Puts codes, `[rows, latent]` row-major, beside the factors of the same rows.
    ///
    /// Codes are usually the posterior means. A factor that has one value in all rows, or so many that hardly two rows share
    /// one, cannot be compared with anything: it is left out, and [`Coded::excluded`] says so.
    ///
    /// # Errors
    /// When there are fewer than 100 rows, when codes and factors have different numbers of rows or do not match their
    /// own sizes, when a code is not finite, when a factor has a value beyond its size, or when no factor is left.
    pub fn new(codes: &[f32], latent: usize, factors: &Factors) -> Result<Coded> {
        if latent == 0 || !codes.len().is_multiple_of(latent) {
            return Err(Error::invalid(format!(
                "{} numbers are no whole rows of codes with {latent} dimensions each",
                codes.len()
            )));
        }
        let rows = codes.len() / latent;
        check_factors(factors, rows)?;
        if rows < MIN_ROWS {
            return Err(Error::invalid(format!(
                "{rows} rows are too few to compare codes with factors: give at least {MIN_ROWS}, better some thousands"
            )));
        }
        if let Some(at) = codes.iter().position(|code| !code.is_finite()) {
            return Err(Error::invalid(format!(
                "the code of row {}, dimension {}, is {}: only finite codes can be compared with factors; \
                 was the model trained to the end?",
                at / latent,
                at % latent,
                codes[at]
            )));
        }
        let dims = (0..latent).map(|dim| codes.iter().skip(dim).step_by(latent).copied().collect()).collect();
        let mut coded = Coded { rows, dims, factors: Vec::new(), excluded: Vec::new() };
        for (at, name) in factors.names.iter().enumerate() {
            let column = factors.values.iter().skip(at).step_by(factors.names.len());
            let factor = occurring(name, column.copied().collect());
            match factor.count {
                1 => coded.excluded.push(format!("{name} is left out: it has the same value in all {rows} rows")),
                count if count > rows / ROWS_PER_VALUE => coded.excluded.push(format!(
                    "{name} is left out: {count} different values in {rows} rows are too many, fewer than {ROWS_PER_VALUE} \
                     rows share one on average"
                )),
                _ => coded.factors.push(factor),
            }
        }
        if coded.factors.is_empty() {
            return Err(Error::invalid(format!(
                "no factor can be compared with the codes: {}",
                coded.excluded.join("; ")
            )));
        }
        Ok(coded)
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The codes, one column of `[rows]` per latent dimension.
    pub fn dims(&self) -> &[Vec<f32>] {
        &self.dims
    }

    /// The factors that vary.
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// One sentence for people about each factor that was left out.
    pub fn excluded(&self) -> &[String] {
        &self.excluded
    }

    /// The same codes in random order, so that they have nothing to do with the factors: what a metric gives here is its
    /// chance level.
    pub fn shuffled(&self, seed: u64) -> Coded {
        let mut order: Vec<usize> = (0..self.rows).collect();
        order.shuffle(&mut generator(seed, *b"chance\0\0"));
        let dims = self.dims.iter().map(|dim| order.iter().map(|&row| dim[row]).collect()).collect();
        Coded { dims, ..self.clone() }
    }

    /// The code whose dimensions are the factors' own values: what a metric gives here is the best a code can reach whose
    /// dimensions are linear in one factor each.
    pub fn of_factors(&self) -> Coded {
        let column = |factor: &Factor| factor.values.iter().map(|&value| value as f32).collect();
        Coded { dims: self.factors.iter().map(column).collect(), ..self.clone() }
    }

    /// An error unless there are at least two factors and two dimensions, as `what` needs.
    pub(super) fn need_two(&self, what: &str) -> Result<()> {
        let (factors, dims) = (self.factors.len(), self.dims.len());
        if factors < 2 || dims < 2 {
            return Err(Error::invalid(format!(
                "the {what} compares factors with each other and dimensions with each other: it needs at least 2 factors \
                 that vary and 2 dimensions, and there are {factors} and {dims}"
            )));
        }
        Ok(())
    }
}

/// That names, sizes and values match each other and `rows`.
fn check_factors(factors: &Factors, rows: usize) -> Result<()> {
    let count = factors.names.len();
    if count == 0 || factors.sizes.len() != count {
        return Err(Error::invalid(format!(
            "{count} names and {} sizes of factors were given: there must be as many of both, and at least one",
            factors.sizes.len()
        )));
    }
    if factors.values.len() != rows * count {
        return Err(Error::invalid(format!(
            "{rows} rows of codes with {count} factors need {} values of factors, and there are {}: codes and factors \
             must be of the same rows",
            rows * count,
            factors.values.len()
        )));
    }
    let beyond = |&(at, value): &(usize, &u32)| *value as usize >= factors.sizes[at % count];
    if let Some((at, value)) = factors.values.iter().enumerate().find(beyond) {
        return Err(Error::invalid(format!(
            "row {} has value {value} of the factor {}, which has {} values, counted from 0",
            at / count,
            factors.names[at % count],
            factors.sizes[at % count]
        )));
    }
    Ok(())
}

/// Counts a factor's values anew, among those that occur.
fn occurring(name: &str, mut values: Vec<u32>) -> Factor {
    let mut found = values.clone();
    found.sort_unstable();
    found.dedup();
    values.iter_mut().for_each(|value| *value = found.partition_point(|other| other < value) as u32);
    Factor { name: name.to_string(), values, count: found.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors() -> Factors {
        let values = (0..100).flat_map(|row| [row % 2 * 3, 1, row % 5]).collect();
        Factors { names: ["a", "b", "c"].map(String::from).into(), sizes: vec![4, 2, 5], values }
    }

    #[test]
    fn factors_are_counted_among_the_values_that_occur_and_constants_are_left_out() {
        let codes: Vec<f32> = (0..200).map(|i| i as f32).collect();
        let coded = Coded::new(&codes, 2, &factors()).unwrap();
        assert_eq!((coded.rows(), coded.dims().len(), coded.dims()[1][3]), (100, 2, 7.0));
        let found: Vec<_> = coded.factors().iter().map(|f| (f.name.as_str(), f.count, f.values[3])).collect();
        assert_eq!(found, [("a", 2, 1), ("c", 5, 3)]);
        assert_eq!(coded.excluded(), ["b is left out: it has the same value in all 100 rows"]);
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let codes = vec![0.5; 200];
        let refused = |codes: &[f32], latent, factors: &Factors, words: &str| {
            let message = Coded::new(codes, latent, factors).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        };
        refused(&codes, 3, &factors(), "no whole rows");
        refused(&codes, 0, &factors(), "no whole rows");
        refused(&codes, 4, &factors(), "need 150 values of factors, and there are 300");
        refused(&codes, 2, &Factors { sizes: vec![4, 2, 4], ..factors() }, "row 4 has value 4 of the factor c");
        refused(&codes, 2, &Factors { sizes: vec![4, 2], ..factors() }, "3 names and 2 sizes");
        let mut few = factors();
        few.values.truncate(150);
        refused(&codes[..100], 2, &few, "50 rows are too few");
        refused(
            &codes,
            2,
            &Factors { values: vec![1; 300], ..factors() },
            "no factor can be compared with the codes: a is left out",
        );
        let mut own = factors();
        own.values.iter_mut().step_by(3).enumerate().for_each(|(row, value)| *value = row as u32);
        own.sizes[0] = usize::MAX;
        let coded = Coded::new(&codes, 2, &own).unwrap();
        assert!(
            coded.excluded()[0].contains("100 different values in 100 rows are too many"),
            "{:?}",
            coded.excluded()
        );
        let mut wild = codes.clone();
        wild[7] = f32::NAN;
        refused(&wild, 2, &factors(), "row 3, dimension 1, is NaN");
    }

    #[test]
    fn shuffling_moves_codes_and_keeps_their_rows_together() {
        let codes: Vec<f32> = (0..200).map(|i| i as f32).collect();
        let coded = Coded::new(&codes, 2, &factors()).unwrap();
        let shuffled = coded.shuffled(1);
        assert_ne!(shuffled.dims()[0], coded.dims()[0]);
        assert!(shuffled.dims()[0].iter().zip(&shuffled.dims()[1]).all(|(a, b)| a + 1.0 == *b));
        assert_eq!(shuffled.factors(), coded.factors());
    }
}
