//! Means over an epoch, from means over its batches.

/// Sums of statistics weighted by live rows, in f64.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Σ rows·value per statistic.
    pub values: Vec<f64>,
    /// Σ rows.
    pub rows: u64,
}

impl Sums {
    /// Adds a batch's means.
    pub fn add(&mut self, rows: u32, means: impl IntoIterator<Item = f64>) {
        let mut means = means.into_iter();
        for value in &mut self.values {
            *value += f64::from(rows) * means.next().unwrap_or(0.0);
        }
        self.values.extend(means.map(|m| f64::from(rows) * m));
        self.rows += u64::from(rows);
    }

    /// How many statistics there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The mean of statistic `i` over all rows so far; 0 before the first.
    pub fn mean(&self, i: usize) -> f64 {
        self.values.get(i).map_or(0.0, |v| v / self.rows.max(1) as f64)
    }
}
