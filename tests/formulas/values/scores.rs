//! Scores of codes against factors whose values are not equally frequent, by hand.

use elbo::data::Factors;
use elbo::engine::evaluation::{Coded, METRICS};

use super::hand::{other, same};

/// Rows of the codes' blocks, again and again.
const TIMES: usize = 20;

/// A score of codes beside factors, each row given as what it is made of.
fn score(id: &str, rows: &[(Vec<u32>, Vec<f32>)]) -> f64 {
    let count = rows[0].0.len();
    let sizes = (0..count).map(|f| rows.iter().map(|row| row.0[f] as usize + 1).max().unwrap()).collect();
    let names = (0..count).map(|f| format!("f{f}")).collect();
    let factors = Factors { names, sizes, values: rows.iter().flat_map(|row| row.0.clone()).collect() };
    let codes: Vec<f32> = rows.iter().flat_map(|row| row.1.clone()).collect();
    let coded = Coded::new(&codes, rows[0].1.len(), &factors).unwrap();
    let metric = METRICS.iter().find(|m| m.scores.iter().any(|s| s.id == id)).expect("there is such a score");
    let at = metric.scores.iter().position(|s| s.id == id).unwrap();
    (metric.compute)(&coded, 1).unwrap()[at].mean
}

/// −Σ p ln p of shares.
fn entropy(shares: &[f64]) -> f64 {
    shares.iter().map(|p| -p * p.ln()).sum()
}

/// Every combination of the values 0, 0, 0, 1, 1, 2 of one factor and 0, 0, 0, 1 of another, with what codes become of them.
fn uneven(code: impl Fn(u32, u32) -> Vec<f32>) -> Vec<(Vec<u32>, Vec<f32>)> {
    let one = (0..TIMES).flat_map(|_| [0, 0, 0, 1, 1, 2]);
    one.flat_map(|a| [0, 0, 0, 1].map(|b| (a, b))).map(|(a, b)| (vec![a, b], code(a, b))).collect()
}

/// H of the first factor, whose values are ½, ⅓ and ⅙ of the rows; of whether it is 0; and of the second.
fn entropies() -> [f64; 3] {
    [entropy(&[0.5, 1.0 / 3.0, 1.0 / 6.0]), 2f64.ln(), entropy(&[0.75, 0.25])]
}

/// Chen et al. 2018, equation 6: gaps of the mutual information, over the factor's entropy.
#[test]
fn mig_is_over_the_entropy_of_each_factor() {
    let [a, is_0, b] = entropies();
    // z0 tells all of the first factor, z1 whether it is 0, z2 the second factor.
    let found = score("mig", &uneven(|a, b| vec![a as f32, (a > 0) as u32 as f32, b as f32]));
    same(found, ((a - is_0) / a + 1.0) / 2.0);
    // Over the logarithm of how many values there are, and the information itself.
    other(found, ((a - is_0) / 3f64.ln() + b / 2f64.ln()) / 2.0);
    other(found, (a - is_0 + b) / 2.0);
    other(found, 1.0);
}

/// Kumar et al. 2018: gaps of the balanced accuracy of thresholds.
#[test]
fn sap_is_the_gap_of_balanced_accuracies() {
    let rows: Vec<(Vec<u32>, Vec<f32>)> =
        uneven(|a, _| vec![a as f32, (a > 0) as u32 as f32]).into_iter().map(|(f, z)| (vec![f[0]], z)).collect();
    let found = score("sap", &rows);
    // z0 tells all three values. Of z1 the values 1 and 2 cannot be told apart: it is right in 1, 1 and 0 of the classes.
    same(found, 1.0 - 2.0 / 3.0);
    // By rows, ½ + ⅓ of them, and not by classes.
    other(found, 1.0 - 5.0 / 6.0);
}

/// Ridgeway and Mozer 2018, section 3: the squared information of a dimension about all factors but its best.
#[test]
fn modularity_is_of_squared_information() {
    let [a, _, b] = entropies();
    // z0 tells both factors, z1 the second, z2 nothing, and has no part in the mean.
    let found = score("modularity", &uneven(|a, b| vec![(a + 3 * b) as f32, b as f32, 0.5]));
    same(found, ((1.0 - b.powi(2) / a.powi(2)) + 1.0) / 2.0);
    other(found, ((1.0 - b / a) + 1.0) / 2.0);
    other(found, ((1.0 - b.powi(2) / a.powi(2)) + 1.0) / 3.0);
}

/// Eastwood and Williams 2018: what a forest reads, and from where. Each factor is one dimension's, and a third is nobody's.
#[test]
fn dci_of_a_code_that_lacks_a_factor() {
    // The third factor has four values, evenly, that no dimension tells.
    let rows: Vec<(Vec<u32>, Vec<f32>)> = uneven(|a, b| vec![a as f32, b as f32])
        .into_iter()
        .flat_map(|(f, z)| (0..4).map(move |c| ([f.clone(), vec![c]].concat(), z.clone())))
        .collect();
    let found = score("dci_informativeness", &rows);
    // All of the first two, and of the third what guessing gives.
    assert!((found - (1.0 + 1.0 + 0.25) / 3.0).abs() < 0.03, "{found}");
    // Of two factors alone each dimension is one factor's, and each factor is one dimension's.
    let two = uneven(|a, b| vec![a as f32, b as f32]);
    for id in ["dci_disentanglement", "dci_completeness", "dci_informativeness"] {
        same(score(id, &two), 1.0);
    }
    // Both factors from one dimension: it is important for one as for the other, though each is read from it alone.
    let together = uneven(|a, b| vec![(a + 3 * b) as f32, 0.5]);
    same(score("dci_completeness", &together), 1.0);
    assert!(score("dci_disentanglement", &together).abs() < 1e-6);
    same(score("dci_informativeness", &together), 1.0);
}

/// Higgins et al. 2017, appendix A.4, and Kim and Mnih 2018, section 3, of a code that knows one of three factors.
#[test]
fn one_factor_of_three_is_known() {
    let rows: Vec<(Vec<u32>, Vec<f32>)> = uneven(|a, _| vec![a as f32, 0.5])
        .into_iter()
        .flat_map(|(f, z)| (0..2).map(move |c| ([f.clone(), vec![c]].concat(), z.clone())))
        .collect();
    // A linear classifier tells the one from the others, and guesses between those.
    let found = score("beta_vae", &rows);
    assert!((found - 2.0 / 3.0).abs() < 0.03, "{found}");
    // Only one dimension varies, so all votes are its, and it names one factor.
    let found = score("factor_vae", &rows);
    assert!((found - 1.0 / 3.0).abs() < 0.03, "{found}");
}

/// Kim and Mnih 2018, section 3: a dimension that has collapsed has no vote.
#[test]
fn a_collapsed_dimension_has_no_vote() {
    // z0 is the same in all rows but few: in most groups of rows it does not vary at all.
    let of = |scale: f32| {
        let mut rows = uneven(|a, b| vec![0.0, a as f32, b as f32]);
        rows.iter_mut().step_by(97).for_each(|row| row.1[0] = scale);
        score("factor_vae", &rows)
    };
    same(of(0.05), 1.0);
    // Where the few rows lie far out it does not count as collapsed, and its votes are for either factor.
    assert!(of(50.0) < 0.9, "{}", of(50.0));
}
