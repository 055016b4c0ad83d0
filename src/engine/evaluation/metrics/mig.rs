//! The mutual information gap of Chen, Li, Grosse & Duvenaud 2018, "Isolating sources of disentanglement in variational
//! autoencoders", equation 6, with `z` the posterior means in 20 bins of equal width as in Locatello et al. 2019:
//!
//! `MIG = 1/F Σ_v (I(z₁; v) − I(z₂; v)) / H(v)`, with `z₁` and `z₂` the two dimensions that tell most about `v`.
//!
//! 20 bins cannot tell more values apart: a perfect code of an evenly spaced factor with 32 values has two of them in 12
//! of the bins, and a gap of 1 − 24/32 · ln 2 / ln 32 = 0.85.

use super::{Metric, Score, Value, gap};
use crate::error::Result;
use crate::evaluation::information::{entropy, matrix};
use crate::evaluation::{Coded, Factor};

pub const METRIC: Metric = Metric {
    id: "mig",
    name: "mutual information gap",
    source: "Chen et al. 2018, arXiv:1802.04942",
    scores: &[Score {
        id: "mig",
        name: "MIG",
        formula: "mutual information of a factor with the dimension that tells most about it, less that of the second, \
                  over the factor's entropy; mean over factors",
        range: (0.0, 1.0),
    }],
    compute,
};

fn compute(coded: &Coded, _: u64) -> Result<Vec<Value>> {
    let share = |(factor, row): (&Factor, &Vec<f64>)| gap(row) / entropy(&factor.values, factor.count);
    let shares = coded.factors().iter().zip(&matrix(coded)).map(share).collect();
    Ok(vec![Value::of_factors(coded, shares)])
}
