//! Multinomial logistic regression: `p(k | x) ∝ exp(w_k · x)`, with x standardised and a 1 appended.
//!
//! It minimises `−1/n Σ ln p(yᵢ | xᵢ) + λ/2 ‖W‖²`, λ = 1/n, by Böhning's (1992, "Multinomial logistic regression algorithm")
//! fixed bound on the Hessian, `½ XᵀX/n + λ I`: one Cholesky factorisation, and every step descends. No step size, no chance.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::error::{Error, Result};

const ITERATIONS: usize = 200;

/// Where the largest entry of the gradient falls below this, the steps end.
const TOLERANCE: f64 = 1e-5;

/// A fitted linear classifier.
#[derive(Debug)]
pub struct Logistic {
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// `[features + 1, classes]`, on standardised features.
    weights: Mat<f64>,
}

impl Logistic {
    /// Fits rows `[n, features]`, row-major, to classes below `classes`, `[n]`.
    ///
    /// # Errors
    /// When the features are not finite.
    pub fn fit(rows: &[f64], features: usize, labels: &[u32], classes: usize) -> Result<Logistic> {
        let n = labels.len() as f64;
        let mut mean = vec![0.0; features];
        let mut square = vec![0.0; features];
        for row in rows.chunks_exact(features) {
            for (j, &x) in row.iter().enumerate() {
                mean[j] += x / n;
            }
        }
        for row in rows.chunks_exact(features) {
            for (j, &x) in row.iter().enumerate() {
                square[j] += (x - mean[j]).powi(2) / n;
            }
        }
        // A spread this small beside the mean is the mean's rounding: the feature is constant.
        let scale =
            |(&square, mean): (&f64, &f64)| if square > 1e-20 * mean * mean { square.sqrt().recip() } else { 0.0 };
        let scale = square.iter().zip(&mean).map(scale).collect();
        let mut model = Logistic { mean, scale, weights: Mat::zeros(features + 1, classes) };
        let x = model.design(rows);
        let lambda = 1.0 / n;
        let mut bound = x.transpose() * &x;
        for i in 0..=features {
            for j in 0..=features {
                bound[(i, j)] *= 0.5 / n;
            }
            bound[(i, i)] += lambda;
        }
        let bound = bound.llt(Side::Lower).map_err(|_| {
            Error::invalid("a linear classifier could not be fitted to the codes: some of them are not finite numbers")
        })?;
        for _ in 0..ITERATIONS {
            let mut errors = &x * &model.weights;
            for (i, &label) in labels.iter().enumerate() {
                let largest = (0..classes).map(|k| errors[(i, k)]).fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = (0..classes).map(|k| (errors[(i, k)] - largest).exp()).sum();
                for k in 0..classes {
                    let p = (errors[(i, k)] - largest).exp() / total;
                    errors[(i, k)] = (p - f64::from(u8::from(k == label as usize))) / n;
                }
            }
            let gradient = x.transpose() * &errors + model.weights.clone() * faer::Scale(lambda);
            if gradient.norm_max() < TOLERANCE {
                break;
            }
            model.weights -= bound.solve(&gradient);
        }
        Ok(model)
    }

    /// The share of rows `[n, features]` whose likeliest class is their label.
    pub fn accuracy(&self, rows: &[f64], labels: &[u32]) -> f64 {
        let scores = self.design(rows) * &self.weights;
        let likeliest = |i: usize| {
            (0..scores.ncols()).fold(0, |best, k| if scores[(i, k)] > scores[(i, best)] { k } else { best }) as u32
        };
        let right = labels.iter().enumerate().filter(|&(i, &label)| likeliest(i) == label).count();
        right as f64 / labels.len().max(1) as f64
    }

    fn design(&self, rows: &[f64]) -> Mat<f64> {
        let features = self.mean.len();
        Mat::from_fn(rows.len() / features, features + 1, |i, j| {
            if j == features { 1.0 } else { (rows[i * features + j] - self.mean[j]) * self.scale[j] }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separable_classes_are_told_apart_and_a_circle_is_not() {
        // Three corners of a triangle; then a disc within a ring, which no line divides.
        let angle = |i: usize| i as f64 * 2.399;
        let corners: Vec<f64> = (0..300)
            .flat_map(|i| {
                let corner = (i % 3) as f64 * 2.1;
                [5.0 * corner.cos() + angle(i).cos(), 100.0 * (5.0 * corner.sin() + angle(i).sin())]
            })
            .collect();
        let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
        assert_eq!(Logistic::fit(&corners, 2, &labels, 3).unwrap().accuracy(&corners, &labels), 1.0);
        let rings: Vec<f64> = (0..300)
            .flat_map(|i| {
                let radius = (1 + i % 2) as f64;
                [radius * angle(i).cos(), radius * angle(i).sin()]
            })
            .collect();
        let labels: Vec<u32> = (0..300).map(|i| i % 2).collect();
        assert!(Logistic::fit(&rings, 2, &labels, 2).unwrap().accuracy(&rings, &labels) < 0.65);
    }

    #[test]
    fn the_intercept_of_a_constant_feature_is_the_log_odds() {
        // One in four: the optimum's odds are 3, apart from the pull of λ = 1/n.
        let labels: Vec<u32> = (0..10_000).map(|i| u32::from(i % 4 == 0)).collect();
        let model = Logistic::fit(&[2.5; 10_000], 1, &labels, 2).unwrap();
        let odds = model.weights[(1, 0)] - model.weights[(1, 1)];
        assert!((odds - 3f64.ln()).abs() < 1e-2, "{odds}");
    }
}
