//! Rows together with what a model is told of them.

use super::conditions::{Condition, Conditions};
use super::dataset::Dataset;
use crate::error::{Error, Result};

impl Dataset {
    /// The data set with conditions of this kind.
    ///
    /// # Errors
    /// If nothing of the kind is known of its rows.
    pub fn conditioned(mut self, on: Condition) -> Result<Dataset> {
        let found = match on {
            Condition::Labels => self.labels.as_ref().map(Conditions::of_labels),
            Condition::Factors => self.factors.as_ref().map(Conditions::of_factors),
            Condition::Vectors => self.conditions.take(),
        };
        let Some(conditions) = found else {
            let wanted = match on {
                Condition::Labels => {
                    "no labels: give data that has them, such as an MNIST folder or the built-in sprites"
                }
                Condition::Factors => "no known factors: give the built-in sprites, or another `condition`",
                Condition::Vectors => {
                    "no numbers beside its rows: put an array [rows, numbers] next to NAME.npy as NAME.conditions.npy, or \
                     give another `condition`"
                }
            };
            return Err(Error::invalid(format!("the data {} comes with {wanted}", self.name)));
        };
        self.conditions = Some(conditions);
        Ok(self)
    }

    /// Some rows and their conditions, in that order: `[rows, features]` and `[rows, width]`, the latter empty where there
    /// are none.
    ///
    /// # Panics
    /// When one of them does not exist.
    pub fn gather(&self, rows: impl IntoIterator<Item = usize>) -> (Vec<f32>, Vec<f32>) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for row in rows {
            x.extend(self.row(row));
            y.extend(self.condition(row));
        }
        (x, y)
    }

    /// Row `i` of the conditions `[width]`; nothing where there are none.
    ///
    /// # Panics
    /// When there is no row `i`.
    pub fn condition(&self, i: usize) -> Vec<f32> {
        let Some(conditions) = &self.conditions else { return vec![] };
        let mut out = vec![0.0; conditions.width];
        conditions.values.copy_row(i, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Factors, Labels, Shape, Values};
    use super::*;

    fn labelled() -> Dataset {
        let mut data = Dataset::new("some", Values::Bytes(vec![1, 2, 3]), Shape::vector(1)).unwrap();
        let names = (0..40).map(|class| class.to_string()).collect();
        data.labels = Some(Labels { values: vec![3, 39, 0], classes: 40, names });
        data.factors = Some(Factors {
            names: vec!["a".into(), "b".into(), "c".into()],
            sizes: vec![5, 2, 1],
            values: vec![4, 0, 0, 1, 1, 0, 0, 0, 0],
        });
        data
    }

    #[test]
    fn a_class_is_a_one_among_zeros() {
        let data = labelled().conditioned(Condition::Labels).unwrap();
        for (row, class) in [3, 39, 0].into_iter().enumerate() {
            let expected: Vec<f32> = (0..40).map(|c| f32::from(u8::from(c == class))).collect();
            assert_eq!(data.condition(row), expected);
        }
        assert_eq!(data.subset(&[2, 1]).condition(1), data.condition(1));
        assert_ne!(data.subset(&[2, 1]).condition(0), data.condition(1));
    }

    #[test]
    fn factors_go_from_0_to_1() {
        let data = labelled().conditioned(Condition::Factors).unwrap();
        let rows: Vec<Vec<f32>> = (0..3).map(|row| data.condition(row)).collect();
        assert_eq!(rows, [[1.0, 0.0, 0.0], [0.25, 1.0, 0.0], [0.0, 0.0, 0.0]]);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let plain = || Dataset::new("some", Values::Bytes(vec![1, 2, 3]), Shape::vector(1)).unwrap();
        for (on, expected) in [
            (Condition::Labels, "no labels"),
            (Condition::Factors, "no known factors"),
            (Condition::Vectors, "no numbers"),
        ] {
            let message = plain().conditioned(on).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("some"), "{message}");
        }
        assert!(plain().condition(1).is_empty());
    }
}
