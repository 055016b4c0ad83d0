//! Disentanglement, completeness and informativeness, of Eastwood & Williams 2018, "A framework for the quantitative
//! evaluation of disentangled representations".
//!
//! A forest of classification trees ([`Forest`]) learns to tell each factor from all dimensions. With `R_dv` the importance
//! of dimension d for factor v, the share of the decrease of Gini impurity that its splits bring, so that `Σ_d R_dv = 1`:
//!
//! - disentanglement `D = Σ_d ρ_d (1 − H_F(R_d· / Σ_v R_dv))`, ρ_d = Σ_v R_dv / Σ R: is a dimension important for one factor?
//! - completeness `C = 1/F Σ_v (1 − H_D(R_·v))`: is a factor read from one dimension?
//! - informativeness: the share of unseen rows whose value the forest tells; mean over factors. (The paper gives an error;
//!   the accuracy is from Locatello et al. 2019.) Its chance level is the share of the most frequent value.
//!
//! `H_n` is the entropy to base n. As in the paper the depth of the trees is chosen by how well they predict rows set
//! aside: the smallest within one standard error of the best (Breiman et al. 1984, "Classification and regression trees"),
//! as trees deeper than need be lend importance to every dimension. Of at most 10,000 rows, 60 % grow trees, 20 % choose the
//! depth, and 20 % judge. No depth below 6 is tried: the few splits of a shallow tree would make even an irrelevant
//! dimension look chosen.

use rayon::prelude::*;

use super::{Metric, Score, Value};
use crate::error::Result;
use crate::evaluation::forest::{Forest, MAX_DEPTH};
use crate::evaluation::groups::random_order;
use crate::evaluation::{Coded, Factor};

const MOST_ROWS: usize = 10_000;
const DEPTHS: [usize; 5] = [6, 8, 10, 14, MAX_DEPTH];

pub const METRIC: Metric = Metric {
    id: "dci",
    name: "disentanglement, completeness, informativeness",
    source: "Eastwood & Williams 2018, openreview By-7dz-AZ",
    scores: &[
        Score {
            id: "dci_disentanglement",
            name: "DCI disentanglement",
            formula: "1 less the entropy, to base F, of a dimension's importances for the F factors; mean over dimensions, \
                      weighted by their importance",
            range: (0.0, 1.0),
        },
        Score {
            id: "dci_completeness",
            name: "DCI completeness",
            formula: "1 less the entropy, to base D, of the D dimensions' importances for a factor; mean over factors",
            range: (0.0, 1.0),
        },
        Score {
            id: "dci_informativeness",
            name: "DCI informativeness",
            formula: "share of unseen rows whose value of a factor a forest tells from the code; mean over factors",
            range: (0.0, 1.0),
        },
    ],
    compute,
};

fn compute(coded: &Coded, seed: u64) -> Result<Vec<Value>> {
    coded.need_two("DCI")?;
    let mut rows = random_order(coded.rows(), seed, *b"dci\0\0\0\0\0");
    rows.truncate(MOST_ROWS);
    let (grow, rest) = rows.split_at(rows.len() * 3 / 5);
    let (decide, judge) = rest.split_at(rest.len() / 2);
    let learn = |(number, factor): (usize, &Factor)| {
        let (dims, values) = (coded.dims(), &factor.values);
        let forest = Forest::fit(dims, values, factor.count, grow, seed.wrapping_add(1000 * number as u64));
        let accuracy = |rows, depth| forest.accuracy(dims, values, rows, depth);
        let tried = DEPTHS.map(|depth| accuracy(decide, depth));
        let best = tried.into_iter().fold(0.0, f64::max);
        let error = (best * (1.0 - best) / decide.len() as f64).sqrt();
        let depth =
            DEPTHS.into_iter().zip(tried).find(|tried| tried.1 >= best - error).map_or(MAX_DEPTH, |tried| tried.0);
        (forest.importances(depth), accuracy(judge, depth))
    };
    let (importances, accuracies): (Vec<Vec<f64>>, Vec<f64>) =
        coded.factors().par_iter().enumerate().map(learn).unzip();
    let completeness = importances.iter().map(|row| concentration(row)).collect();
    Ok(vec![
        disentanglement(&importances),
        Value::of_factors(coded, completeness),
        Value::of_factors(coded, accuracies),
    ])
}

/// From the importances `[factors][dims]`; dimensions of no importance have no part in it.
fn disentanglement(importances: &[Vec<f64>]) -> Value {
    let total: f64 = importances.iter().flatten().sum();
    let (mut mean, mut parts) = (0.0, Vec::new());
    for dim in 0..importances[0].len() {
        let column: Vec<f64> = importances.iter().map(|row| row[dim]).collect();
        let weight: f64 = column.iter().sum();
        if weight > 0.0 {
            mean += weight / total * concentration(&column);
            parts.push((format!("z{dim}"), concentration(&column)));
        }
    }
    Value { mean, parts }
}

/// 1 less the entropy of shares, to the base of their number: 1 when one has all, 0 when all are equal, or all 0.
fn concentration(shares: &[f64]) -> f64 {
    let total: f64 = shares.iter().sum();
    if total == 0.0 {
        return 0.0;
    }
    let entropy: f64 =
        shares.iter().filter(|&&share| share > 0.0).map(|share| -share / total * (share / total).ln()).sum();
    1.0 - entropy / (shares.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(concentration(&[0.0, 3.0, 0.0]), 1.0);
        assert!(concentration(&[2.0; 5]).abs() < 1e-12);
        assert!((concentration(&[1.0, 1.0, 0.0, 0.0]) - 0.5).abs() < 1e-12);
        assert_eq!(concentration(&[0.0; 3]), 0.0);
        // z0 is important for both of two factors alike, with 3/4 of the importance; z1 for the second only.
        let value = disentanglement(&[vec![1.0, 0.0, 0.0], vec![1.0, 2.0 / 3.0, 0.0]]);
        assert!((value.mean - 0.25).abs() < 1e-12);
        assert_eq!(value.parts.len(), 2);
    }
}
