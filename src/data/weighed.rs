//! Rows that weigh.

use super::dataset::Dataset;
use super::labels::Labels;
use super::weights::Weights;
use crate::error::{Error, Result};

impl Dataset {
    /// The same rows with these weights `[rows]`, in place of those that they may have.
    ///
    /// # Errors
    /// If there are more or fewer than rows; otherwise as for [`Weights::new`].
    pub fn weighted(self, weights: &[f64]) -> Result<Dataset> {
        if weights.len() != self.rows {
            return Err(Error::invalid(format!(
                "the data {} has {} rows, and {} weights are given: give one for each row",
                self.name,
                self.rows,
                weights.len()
            )));
        }
        let weights =
            Weights::new(weights).map_err(|error| Error::invalid(format!("the data {}: {error}", self.name)))?;
        Ok(Dataset { weights: Some(weights), ..self })
    }

    /// The weight of row `i` in a mean over rows, relative to their mean; 1 where rows are not weighed.
    ///
    /// # Panics
    /// When there is no row `i`.
    pub fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights.of(i))
    }

    /// The same rows, weighed so that all classes that occur count alike: of K classes, row i of class c weighs v_i·V/(K·V_c), where v
    /// are the weights that rows have (1 where they have none), V is the sum of all and V_c that of class c. Without weights that is
    /// n/(K·n_c), the reciprocal of how frequent the class is, by K.
    ///
    /// # Errors
    /// If rows have no labels.
    pub fn class_balanced(self) -> Result<Dataset> {
        let Some(Labels { values: classes, classes: count, .. }) = &self.labels else {
            return Err(Error::invalid(format!(
                "classes are to count alike (`class-balance`), and the data {} has no labels: give data that has them (of a table, \
                 say which column holds them with `label`), or leave it out",
                self.name
            )));
        };
        let mut sums = vec![0.0; *count];
        classes.iter().enumerate().for_each(|(row, &class)| sums[class as usize] += self.weight(row));
        let balanced: Vec<f64> = classes
            .iter()
            .enumerate()
            .map(|(row, &class)| if self.weight(row) > 0.0 { self.weight(row) / sums[class as usize] } else { 0.0 })
            .collect();
        self.weighted(&balanced)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, Values};
    use super::*;

    fn rows(count: usize) -> Dataset {
        Dataset::new("some", Values::Floats(vec![0.5; count]), Shape::vector(1)).unwrap()
    }

    fn all(data: &Dataset) -> Vec<f64> {
        (0..data.rows).map(|row| data.weight(row)).collect()
    }

    #[test]
    fn weights_have_mean_1_in_every_part() {
        // The mean of 2, 0, 1 and 5 is 2.
        let data = rows(4).weighted(&[2.0, 0.0, 1.0, 5.0]).unwrap();
        assert_eq!(all(&data), [1.0, 0.0, 0.5, 2.5]);
        // That of 1 and 5 is 3, and what is in the other order is weighed in the other order.
        let part = all(&data.subset(&[3, 2]));
        assert!((part[0] - 5.0 / 3.0).abs() < 1e-7 && (part[1] - 1.0 / 3.0).abs() < 1e-7, "{part:?}");
        assert_eq!(all(&rows(2)), [1.0, 1.0]);
        assert_eq!(all(&rows(2).weighted(&[f64::MAX, f64::MAX]).unwrap()), [1.0, 1.0]);
        assert!(data.subset(&[1]).weights.unwrap().are_nothing());
    }

    #[test]
    fn what_is_no_weight_is_refused_with_its_row() {
        let refused = |weights: &[f64]| rows(3).weighted(weights).unwrap_err().to_string();
        assert!(refused(&[1.0, -2.0, 1.0]).contains("row 1 has the weight -2, and a weight is 0 or more"));
        assert!(refused(&[1.0, 1.0, f64::NAN]).contains("row 2 has the weight NaN, and a weight is a finite number"));
        assert!(refused(&[1.0, f64::INFINITY, 1.0]).contains("row 1 has the weight inf"));
        assert!(refused(&[0.0; 3]).contains("every row has the weight 0"));
        assert!(refused(&[1.0; 2]).contains("3 rows, and 2 weights"));
    }

    #[test]
    fn balanced_classes_count_alike() {
        let labelled = |data: Dataset| {
            let names = ["a", "b", "never"].map(String::from).to_vec();
            Dataset { labels: Some(Labels { values: vec![0, 0, 0, 1], classes: 3, names }), ..data }
        };
        // 4/(2·3) of each of three rows, 4/(2·1) of the other; of a class without rows nothing is asked.
        let near = |found: Vec<f64>, expected: [f64; 4]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
        let even = labelled(rows(4)).class_balanced().unwrap();
        assert!(near(all(&even), [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0]), "{:?}", all(&even));
        // Weights 1, 2, 1 and 8 by their mean 3: sums 4/3 and 8/3 of 4, so that 3/2 and 3/4 of each make both 2.
        let weighed = labelled(rows(4)).weighted(&[1.0, 2.0, 1.0, 8.0]).unwrap().class_balanced().unwrap();
        assert!(near(all(&weighed), [0.5, 1.0, 0.5, 2.0]), "{:?}", all(&weighed));
        assert!(rows(4).class_balanced().unwrap_err().to_string().contains("no labels"));
    }
}
