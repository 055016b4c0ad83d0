//! Separated attribute predictability, of Kumar, Sattigeri & Balakrishnan 2018, "Variational inference of disentangled
//! latent concepts from unlabeled observations", section 3, with every factor taken as categorical.
//!
//! `SAP = 1/F Σ_v (A(z₁; v) − A(z₂; v))`, with `A(z; v)` the balanced accuracy with which thresholds on the one dimension
//! `z` tell the values of `v`, and `z₁` and `z₂` the two dimensions that do it best.
//!
//! The thresholds are those of linear discriminant analysis with equal priors (Fisher 1936): halfway between neighbouring
//! class means, that is, each row goes to the class whose mean is nearest. Unlike the linear support vector machines of
//! later implementations, one against all others, they can name a value in the middle of a factor's range. They are
//! fitted on one half of the rows and judged on the other.
//!
//! A dimension that knows nothing is still right in one of K cases, so a perfect code reaches 1 − mean 1/K, not 1.

use rayon::prelude::*;

use super::{Metric, Score, Value, gap};
use crate::error::Result;
use crate::evaluation::groups::halves;
use crate::evaluation::{Coded, Factor};

pub const METRIC: Metric = Metric {
    id: "sap",
    name: "separated attribute predictability",
    source: "Kumar et al. 2018, arXiv:1711.00848",
    scores: &[Score {
        id: "sap",
        name: "SAP",
        formula: "balanced accuracy of telling a factor's value from the dimension that tells it best, less that from the \
                  second; mean over factors",
        range: (0.0, 1.0),
    }],
    compute,
};

fn compute(coded: &Coded, seed: u64) -> Result<Vec<Value>> {
    let halves = halves(coded.rows(), seed);
    let of = |factor: &Factor| {
        let accuracies: Vec<f64> = coded.dims().par_iter().map(|dim| balanced_accuracy(dim, factor, &halves)).collect();
        gap(&accuracies)
    };
    let gaps = coded.factors().iter().map(of).collect();
    Ok(vec![Value::of_factors(coded, gaps)])
}

/// The mean over classes of the share of their rows that are nearest to their own class's mean.
fn balanced_accuracy(dim: &[f32], factor: &Factor, [fit, judge]: &[Vec<u32>; 2]) -> f64 {
    let mut sums = vec![(0.0, 0.0); factor.count];
    for &row in fit {
        let (sum, count) = &mut sums[factor.values[row as usize] as usize];
        *sum += f64::from(dim[row as usize]);
        *count += 1.0;
    }
    let mut means: Vec<(f64, u32)> =
        (0u32..).zip(&sums).filter(|(_, sum)| sum.1 > 0.0).map(|(class, (sum, count))| (sum / count, class)).collect();
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    let nearest = |x: f64| means[means.windows(2).take_while(|pair| x > (pair[0].0 + pair[1].0) / 2.0).count()].1;
    let mut right = vec![(0.0, 0.0); factor.count];
    for &row in judge {
        let class = factor.values[row as usize];
        let (hits, count) = &mut right[class as usize];
        *hits += f64::from(u8::from(nearest(f64::from(dim[row as usize])) == class));
        *count += 1.0;
    }
    let seen: Vec<f64> = right.iter().filter(|class| class.1 > 0.0).map(|(hits, count)| hits / count).collect();
    seen.iter().sum::<f64>() / seen.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_by_hand() {
        // Means 0, 10 and 4 of the classes 0, 1 and 2: thresholds at 2 and 7.
        let dim = [-1.0, 1.0, 9.0, 11.0, 3.0, 5.0, /* judged: */ 1.9, 2.1, 7.1, 6.9, 2.1, 6.9];
        let values = vec![0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2];
        let factor = Factor { name: "f".into(), values, count: 3 };
        let accuracy = balanced_accuracy(&dim, &factor, &[(0..6).collect(), (6..12).collect()]);
        assert!((accuracy - (0.5 + 0.5 + 1.0) / 3.0).abs() < 1e-12);
        let constant = balanced_accuracy(&[1.0; 12], &factor, &[(0..6).collect(), (6..12).collect()]);
        assert!((constant - 1.0 / 3.0).abs() < 1e-12);
    }
}
