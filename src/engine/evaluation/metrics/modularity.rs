//! Modularity, of Ridgeway & Mozer 2018, "Learning deep disentangled embeddings with the F-statistic loss", section 3: does
//! each dimension speak of one factor only?
//!
//! With `m_v = I(z; v)` in nats, z in 20 bins of equal width, and `m` the largest of them, the modularity of a dimension is
//! `1 − Σ_{v ≠ best} m_v² / (m² (F − 1))`, and the score is the mean over dimensions.
//!
//! One thing differs from the paper: dimensions that speak of no factor are left out of the mean. For them the ratio is that
//! of two errors of estimation, and has nothing to do with the code: a code of pure noise would score about 0.7 on factors of
//! 3, 6, 40, 32 and 32 values. A dimension speaks of a factor when `2 n I`, which for independent values follows a χ²
//! distribution, lies five standard deviations above that distribution's mean. Where none does the score is 0.
//!
//! It does not ask whether two dimensions speak of the same factor, nor whether a factor is spoken of at all.

use super::{Metric, Score, Value};
use crate::error::Result;
use crate::evaluation::Coded;
use crate::evaluation::information::{BINS, discretise, matrix};

pub const METRIC: Metric = Metric {
    id: "modularity",
    name: "modularity",
    source: "Ridgeway & Mozer 2018, arXiv:1802.05312",
    scores: &[Score {
        id: "modularity",
        name: "modularity",
        formula: "1 less the squared mutual information of a dimension with all factors but its best, over that with its \
                  best; mean over the dimensions that tell of any factor",
        range: (0.0, 1.0),
    }],
    compute,
};

fn compute(coded: &Coded, _: u64) -> Result<Vec<Value>> {
    coded.need_two("modularity")?;
    let information = matrix(coded);
    let of = |(at, dim): (usize, &Vec<f32>)| {
        let column: Vec<f64> = information.iter().map(|row| row[at]).collect();
        speaks(coded, dim, &column).then(|| (format!("z{at}"), modularity(&column)))
    };
    let parts: Vec<(String, f64)> = coded.dims().iter().enumerate().filter_map(of).collect();
    let mean = parts.iter().fold(0.0, |sum, (_, value)| sum + value) / parts.len().max(1) as f64;
    Ok(vec![Value { mean, parts }])
}

/// Of one dimension's mutual information with each factor.
fn modularity(column: &[f64]) -> f64 {
    let largest = column.iter().copied().fold(0.0, f64::max).powi(2);
    let all: f64 = column.iter().map(|m| m * m).sum();
    1.0 - (all - largest) / (largest * (column.len() - 1) as f64)
}

/// Whether a dimension tells of any factor more than chance explains.
fn speaks(coded: &Coded, dim: &[f32], column: &[f64]) -> bool {
    let mut used = [false; BINS];
    discretise(dim, BINS).into_iter().for_each(|bin| used[bin as usize] = true);
    let bins = used.iter().filter(|&&used| used).count();
    coded.factors().iter().zip(column).any(|(factor, information)| {
        let freedom = ((bins - 1) * (factor.count - 1)) as f64;
        bins > 1 && 2.0 * coded.rows() as f64 * information > freedom + 5.0 * (2.0 * freedom).sqrt()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(modularity(&[0.0, 2.0, 0.0]), 1.0);
        assert_eq!(modularity(&[3.0, 3.0, 3.0]), 0.0);
        assert!((modularity(&[1.0, 2.0, 0.0]) - (1.0 - 1.0 / 8.0)).abs() < 1e-12);
    }

    /// 2N·I of independent values is χ² with (bins − 1)(values − 1) degrees of freedom: more than five standard deviations above
    /// its mean is no chance. Of two bins, two values and 100 rows: 200·I > 1 + 5·√2.
    #[test]
    fn a_dimension_speaks_beyond_chance() {
        let factors =
            crate::data::Factors { names: vec!["f".into()], sizes: vec![2], values: (0..100).map(|i| i % 2).collect() };
        let codes: Vec<f32> = (0..100).map(|i| (i / 2 % 2) as f32).collect();
        let coded = Coded::new(&codes, 1, &factors).unwrap();
        let least = (1.0 + 5.0 * 2f64.sqrt()) / 200.0;
        assert!(!speaks(&coded, &coded.dims()[0], &[0.999 * least]));
        assert!(speaks(&coded, &coded.dims()[0], &[1.001 * least]));
    }
}
