//! Rows in random order, in two halves, and in groups that share the value of one factor.
//!
//! The scores of Higgins et al. and Kim & Mnih ask a generator for new rows with one factor held fixed. Here the rows at
//! hand are grouped instead. What is fitted on one half is judged on the other: were both drawn from the same rows, the
//! small groups would be known by heart, and a random code would score above chance.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, seq::index};

use super::{Coded, Factor, generator};
use crate::error::{Error, Result};

/// All rows in random order.
pub fn random_order(rows: usize, seed: u64, purpose: [u8; 8]) -> Vec<u32> {
    let mut all: Vec<u32> = (0..rows as u32).collect();
    all.shuffle(&mut generator(seed, purpose));
    all
}

/// All rows in two halves of equal size (the second may have one more), by chance.
pub fn halves(rows: usize, seed: u64) -> [Vec<u32>; 2] {
    let mut first = random_order(rows, seed, *b"halves\0\0");
    let second = first.split_off(rows / 2);
    [first, second]
}

/// The rows of one half, by factor and value.
pub struct Groups {
    by_factor: Vec<Vec<Vec<u32>>>,
}

impl Groups {
    /// Groups `rows`; values that fewer than `least` of them have are left out.
    ///
    /// # Errors
    /// When a factor has no value left.
    pub fn new(coded: &Coded, rows: &[u32], least: usize) -> Result<Groups> {
        let group = |factor: &Factor| {
            let mut groups = vec![Vec::new(); factor.count];
            rows.iter().for_each(|&row| groups[factor.values[row as usize] as usize].push(row));
            groups.retain(|group| group.len() >= least);
            if groups.is_empty() {
                return Err(Error::invalid(format!(
                    "no value of the factor {} is shared by {least} of {} rows, so it cannot be held fixed: \
                     evaluate on more rows",
                    factor.name,
                    rows.len()
                )));
            }
            Ok(groups)
        };
        Ok(Groups { by_factor: coded.factors().iter().map(group).collect::<Result<_>>()? })
    }

    /// A factor by chance, each as often.
    pub fn factor(&self, rng: &mut Xoshiro256PlusPlus) -> usize {
        rng.random_range(0..self.by_factor.len())
    }

    /// Up to `most` different rows that share a value of `factor`; the value is drawn by chance, each as often.
    pub fn draw(&self, factor: usize, most: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<u32> {
        let groups = &self.by_factor[factor];
        let group = &groups[rng.random_range(0..groups.len())];
        index::sample(rng, group.len(), most.min(group.len())).into_iter().map(|at| group[at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Factors;

    /// 200 rows; the first factor has value 2 in 4 of them, the second is even and odd by turns.
    fn coded() -> Coded {
        let values = (0..200).flat_map(|row| [if row < 4 { 2 } else { row / 4 % 2 }, row % 2]).collect();
        let factors = Factors { names: vec!["a".into(), "b".into()], sizes: vec![3, 2], values };
        Coded::new(&[0.0; 200], 1, &factors).unwrap()
    }

    #[test]
    fn halves_share_no_row_and_miss_none() {
        let [first, second] = halves(201, 5);
        assert_eq!((first.len(), second.len()), (100, 101));
        let mut all = [first, second].concat();
        all.sort_unstable();
        assert_eq!(all, (0..201).collect::<Vec<u32>>());
    }

    #[test]
    fn drawn_rows_are_different_and_agree_in_the_factor() {
        let (coded, mut rng) = (coded(), generator(0, [0; 8]));
        let rows: Vec<u32> = (0..200).collect();
        let groups = Groups::new(&coded, &rows, 2).unwrap();
        let mut seen = [false; 3];
        for _ in 0..100 {
            let mut drawn = groups.draw(0, 8, &mut rng);
            let values: Vec<u32> = drawn.iter().map(|&row| coded.factors()[0].values[row as usize]).collect();
            assert!(values.iter().all(|&value| value == values[0]));
            seen[values[0] as usize] = true;
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), if values[0] == 2 { 4 } else { 8 });
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn values_of_few_rows_are_left_out_and_a_factor_without_values_is_said() {
        let (coded, mut rng) = (coded(), generator(0, [0; 8]));
        let rows: Vec<u32> = (0..200).collect();
        let groups = Groups::new(&coded, &rows, 5).unwrap();
        assert!((0..100).all(|_| groups.draw(0, 8, &mut rng).iter().all(|&row| row >= 4)));
        let message = Groups::new(&coded, &rows[..8], 5).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains("no value of the factor a is shared by 5 of 8 rows"), "{message}");
    }
}
