//! Means over an epoch, from means over its batches.

use std::collections::BTreeMap;

/// The statistic that is the Euclidean norm of the gradient; of a group, behind its name, where there are several.
pub(super) const GRADIENT_NORM: &str = "gradient_norm";

/// Sums of statistics weighted by live rows, in f64; which statistic is which, [`Means`] knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Σ rows·value and Σ rows of each statistic.
    pub totals: Vec<(f64, u64)>,
}

impl Sums {
    /// Adds the mean of statistic `i` over a batch.
    pub fn add(&mut self, i: usize, rows: u32, mean: f64) {
        if self.totals.len() <= i {
            self.totals.resize(i + 1, (0.0, 0));
        }
        let (sum, count) = &mut self.totals[i];
        *sum += f64::from(rows) * mean;
        *count += u64::from(rows);
    }

    /// How many statistics there are.
    pub fn len(&self) -> usize {
        self.totals.len()
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }

    /// The mean of statistic `i` over all rows so far; `None` before the first.
    pub fn mean(&self, i: usize) -> Option<f64> {
        self.totals.get(i).filter(|(_, rows)| *rows > 0).map(|(sum, rows)| sum / *rows as f64)
    }
}

/// Means by name.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// The names of the statistics, in the order of the sums.
    pub names: &'a [String],
    /// What they summed up to.
    pub sums: &'a Sums,
}

impl Means<'_> {
    /// The mean of a statistic; `None` where there is none of that name, or nothing was added yet.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.names.iter().position(|known| known == name).and_then(|i| self.sums.mean(i))
    }

    /// All that is no figure of every model, by name.
    pub fn parts(&self) -> BTreeMap<String, f64> {
        let all = self.names.iter().enumerate().filter(|(_, name)| !COMMON.contains(&name.as_str()));
        all.filter_map(|(i, name)| Some((name.clone(), self.sums.mean(i)?))).collect()
    }
}

/// Statistics that records have fields for.
const COMMON: [&str; 4] = ["loss", "reconstruction", "kl", GRADIENT_NORM];
