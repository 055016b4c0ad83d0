//! Training, validation and test rows, kept apart.
//!
//! Rows are dealt by a Fisher–Yates shuffle with xoshiro256++ (Blackman & Vigna 2021), seeded through SplitMix64. It is
//! named here rather than `StdRng` because that type may change its algorithm, while the same seed must give the same
//! split on every machine and in every later version. Within a split, rows keep the order they had.

use std::fmt;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::origin::Origin;
use crate::error::{Error, Result};

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What the parameters are fitted to.
    Train,
    /// What settings are chosen by.
    Validation,
    /// What is reported, and nothing else.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        })
    }
}

/// Rows to train on, to choose by, and to judge by. No row is in two of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// The rows a model learns from.
    pub train: Dataset,
    /// Rows to choose settings and the moment to stop by.
    pub validation: Option<Dataset>,
    /// Rows to judge the finished model by.
    pub test: Option<Dataset>,
    /// Where they come from, and what was decided on the way.
    pub origin: Origin,
}

impl Splits {
    /// Training rows with a test set of their own; `validation` of the training rows are held out.
    ///
    /// # Errors
    /// When that would leave nothing to train on.
    pub fn hold_out(train: Dataset, test: Option<Dataset>, validation: usize, seed: u64) -> Result<Self> {
        let dealt = Dealt::new(train.rows, (0, validation), seed, &train.name)?;
        Ok(Self { test, ..Self::of(train, dealt) })
    }

    /// Rows that came as one: a tenth for testing, `validation` of them (a tenth, when 0) for validation, the rest for
    /// training. Fewer than ten rows are all trained on.
    ///
    /// # Errors
    /// When that would leave nothing to train on.
    pub fn from_one(all: Dataset, validation: usize, seed: u64) -> Result<Self> {
        let dealt = Dealt::of_one(all.rows, validation, seed, &all.name)?;
        Ok(Self::of(all, dealt))
    }

    /// The rows that a finished model is looked at with, and which part they are: the test rows, or else those of
    /// validation, or else, where nothing was held out, the training rows.
    pub fn evaluation_split(&self) -> (Split, &Dataset) {
        match (&self.test, &self.validation) {
            (Some(data), _) => (Split::Test, data),
            (None, Some(data)) => (Split::Validation, data),
            (None, None) => (Split::Train, &self.train),
        }
    }

    fn of(all: Dataset, Dealt { train, validation, test }: Dealt) -> Self {
        if validation.is_empty() && test.is_empty() {
            return Self { train: all, validation: None, test: None, origin: Origin::default() };
        }
        let part = |rows: &[usize]| (!rows.is_empty()).then(|| all.subset(rows));
        let (validation, test) = (part(&validation), part(&test));
        Self { train: all.subset(&train), validation, test, origin: Origin::default() }
    }
}

/// Which rows are in which part, in ascending order.
#[derive(Debug)]
pub(super) struct Dealt {
    pub train: Vec<usize>,
    pub validation: Vec<usize>,
    pub test: Vec<usize>,
}

impl Dealt {
    /// So many rows for testing and for validation, the rest for training; `name` is that of the data.
    ///
    /// # Errors
    /// When that would leave nothing to train on.
    pub fn new(rows: usize, (test, validation): (usize, usize), seed: u64, name: &str) -> Result<Dealt> {
        if test.saturating_add(validation) >= rows {
            return Err(Error::invalid(format!(
                "{validation} rows for validation and {test} for testing leave none of the {rows} rows of {name} to train \
                 on: hold out fewer"
            )));
        }
        let held_out = choose(rows, test + validation, seed, *b"splits\0\0");
        let mut split = vec![Split::Train; rows];
        for (position, &row) in held_out.iter().enumerate() {
            split[row] = if position < test { Split::Test } else { Split::Validation };
        }
        let part = |wanted: Split| (0..rows).filter(|&row| split[row] == wanted).collect();
        Ok(Dealt { train: part(Split::Train), validation: part(Split::Validation), test: part(Split::Test) })
    }

    /// The same for rows that lie behind so many others.
    pub fn behind(self, first: usize) -> Dealt {
        let moved = |rows: Vec<usize>| rows.into_iter().map(|row| row + first).collect();
        Dealt { train: moved(self.train), validation: moved(self.validation), test: moved(self.test) }
    }

    /// Those of some rows.
    pub fn within(self, range: &std::ops::Range<usize>) -> Dealt {
        let kept = |rows: Vec<usize>| rows.into_iter().filter(|row| range.contains(row)).collect();
        Dealt { train: kept(self.train), validation: kept(self.validation), test: kept(self.test) }
    }

    /// Rows that came as one: see [`Splits::from_one`].
    ///
    /// # Errors
    /// When that would leave nothing to train on.
    pub fn of_one(rows: usize, validation: usize, seed: u64, name: &str) -> Result<Dealt> {
        let tenth = rows / 10;
        Dealt::new(rows, (tenth, if validation == 0 { tenth } else { validation }), seed, name)
    }
}

/// `count` different numbers below `n`, in random order; all of them in order of chance when `count ≥ n`.
///
/// `purpose` keeps the draws of different uses of one seed apart.
pub(crate) fn choose(n: usize, count: usize, seed: u64, purpose: [u8; 8]) -> Vec<usize> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ u64::from_be_bytes(purpose));
    let mut all: Vec<usize> = (0..n).collect();
    let (chosen, _) = all.partial_shuffle(&mut rng, count);
    chosen.to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, Values};
    use super::*;

    /// Row `i` holds the number `i` and nothing else, so rows can be told apart after a split.
    fn numbered(rows: usize) -> Dataset {
        let shape = Shape { height: 1, width: 1, channels: 1 };
        let values = (0..rows).map(|row| row as f32).collect();
        Dataset::new("numbered", Values::Floats(values), shape).unwrap()
    }

    fn numbers(data: &Dataset) -> Vec<usize> {
        (0..data.rows).map(|i| data.row(i)[0] as usize).collect()
    }

    fn all_numbers(splits: &Splits) -> Vec<usize> {
        let held_out = [&splits.validation, &splits.test];
        let parts = held_out.into_iter().flatten().chain([&splits.train]);
        let mut all: Vec<usize> = parts.flat_map(numbers).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn one_data_set_becomes_80_10_10_and_every_row_is_in_exactly_one() {
        let splits = Splits::from_one(numbered(1003), 0, 7).unwrap();
        let sizes = [&splits.validation, &splits.test].map(|part| part.as_ref().unwrap().rows);
        assert_eq!((splits.train.rows, sizes), (803, [100, 100]));
        assert_eq!(all_numbers(&splits), (0..1003).collect::<Vec<_>>());
        assert!(numbers(&splits.train).is_sorted());
    }

    #[test]
    fn the_check_above_would_notice_a_shared_row() {
        let mut splits = Splits::from_one(numbered(100), 0, 7).unwrap();
        splits.test = splits.validation.clone();
        assert_ne!(all_numbers(&splits), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn validation_comes_out_of_the_training_rows_only() {
        let test = numbered(5);
        let splits = Splits::hold_out(numbered(100), Some(test.clone()), 30, 1).unwrap();
        assert_eq!(splits.test, Some(test));
        let apart = Splits { test: None, ..splits };
        assert_eq!((apart.train.rows, all_numbers(&apart)), (70, (0..100).collect()));
    }

    #[test]
    fn the_seed_alone_decides() {
        let deal = |seed| Splits::from_one(numbered(200), 40, seed).unwrap();
        assert_eq!(deal(3), deal(3));
        assert_ne!(deal(3), deal(4));
    }

    #[test]
    fn few_rows_are_all_trained_on() {
        let splits = Splits::from_one(numbered(9), 0, 0).unwrap();
        assert_eq!((splits.train.rows, splits.validation, splits.test), (9, None, None));
    }

    #[test]
    fn a_model_is_judged_by_the_rows_it_saw_least_of() {
        let mut splits = Splits::from_one(numbered(100), 20, 7).unwrap();
        let judged = |splits: &Splits| (splits.evaluation_split().0, splits.evaluation_split().1.rows);
        assert_eq!(judged(&splits), (Split::Test, 10));
        splits.test = None;
        assert_eq!(judged(&splits), (Split::Validation, 20));
        splits.validation = None;
        assert_eq!(judged(&splits), (Split::Train, 70));
    }

    #[test]
    fn holding_out_everything_is_refused() {
        for validation in [10, usize::MAX] {
            let found = Splits::hold_out(numbered(10), None, validation, 0);
            assert!(found.unwrap_err().to_string().contains("hold out fewer"));
        }
        assert!(Splits::hold_out(numbered(10), None, 9, 0).is_ok());
    }

    /// Pins the generator and the shuffle: a split must not change with a machine or a new version of a library.
    #[test]
    fn the_draw_is_the_same_everywhere() {
        assert_eq!(choose(1000, 5, 42, *b"splits\0\0"), PINNED);
        assert_ne!(choose(1000, 5, 42, *b"sprites\0"), PINNED);
        assert_ne!(choose(1000, 5, 43, *b"splits\0\0"), PINNED);
    }

    const PINNED: [usize; 5] = [795, 699, 477, 231, 721];
}
