//! The score of Kim & Mnih 2018, "Disentangling by factorising", section 3.
//!
//! Hold one factor fixed, draw L rows, and divide the variance of each dimension over them by its variance over all rows:
//! the dimension with the smallest quotient is a vote for the factor. Each dimension names the factor that most of its votes
//! were for, and the score is the share of further votes that are named rightly. At chance it is 1/F.
//!
//! Groups of up to 64 rows that share the value come from the rows at hand. 5,000 votes from one half of the rows decide
//! which factor a dimension names, 5,000 from the other half are the score. As in the paper, collapsed dimensions have no
//! vote: those whose standard deviation is below 1/20 of the largest.

use super::{Metric, Score, Value};
use crate::error::{Error, Result};
use crate::evaluation::groups::{Groups, halves};
use crate::evaluation::{Coded, generator};

/// The paper's L is 100, that of Locatello et al. 2019 is 64.
const GROUP: usize = 64;
const VOTES: usize = 5000;
const COLLAPSED: f64 = 0.05;

/// The fewest rows whose variance is worth a vote.
const LEAST: usize = 5;

pub const METRIC: Metric = Metric {
    id: "factor_vae",
    name: "FactorVAE score",
    source: "Kim & Mnih 2018, arXiv:1802.05983",
    scores: &[Score {
        id: "factor_vae",
        name: "FactorVAE score",
        formula: "share of groups of rows with one factor fixed whose factor is named by the dimension that varies least \
                  among them, a majority vote",
        range: (0.0, 1.0),
    }],
    compute,
};

fn compute(coded: &Coded, seed: u64) -> Result<Vec<Value>> {
    coded.need_two("FactorVAE score")?;
    let all: Vec<u32> = (0..coded.rows() as u32).collect();
    let spread: Vec<f64> = coded.dims().iter().map(|dim| variance(dim, &all)).collect();
    let largest = spread.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(Error::invalid(
            "every row has the same code, so no dimension can be compared with a factor: the encoder has collapsed",
        ));
    }
    let active: Vec<usize> = (0..spread.len()).filter(|&dim| spread[dim] >= COLLAPSED.powi(2) * largest).collect();
    let [first, second] = halves(coded.rows(), seed);
    let votes = |rows: &[u32], purpose| -> Result<Vec<Vec<u32>>> {
        let groups = Groups::new(coded, rows, LEAST)?;
        let mut rng = generator(seed, purpose);
        let mut votes = vec![vec![0; coded.factors().len()]; spread.len()];
        for _ in 0..VOTES {
            let factor = groups.factor(&mut rng);
            let rows = groups.draw(factor, GROUP, &mut rng);
            let share = |dim: usize| variance(&coded.dims()[dim], &rows) / spread[dim];
            let least = active.iter().map(|&dim| (share(dim), dim)).min_by(|a, b| a.0.total_cmp(&b.0));
            votes[least.map_or(0, |(_, dim)| dim)][factor] += 1;
        }
        Ok(votes)
    };
    let (learnt, judged) = (votes(&first, *b"fvae-fit")?, votes(&second, *b"fvae-try")?);
    let mut right = vec![0.0; coded.factors().len()];
    let mut asked = right.clone();
    for (learnt, judged) in learnt.iter().zip(&judged) {
        let named = (0..learnt.len()).fold(0, |best, factor| if learnt[factor] > learnt[best] { factor } else { best });
        right[named] += f64::from(judged[named]);
        asked.iter_mut().zip(judged).for_each(|(asked, &votes)| *asked += f64::from(votes));
    }
    let mean = right.iter().sum::<f64>() / asked.iter().sum::<f64>();
    let shares = right.iter().zip(&asked).map(|(right, asked)| right / f64::max(*asked, 1.0)).collect();
    Ok(vec![Value { mean, ..Value::of_factors(coded, shares) }])
}

/// The unbiased variance of a dimension over some rows.
fn variance(dim: &[f32], rows: &[u32]) -> f64 {
    let values = || rows.iter().map(|&row| f64::from(dim[row as usize]));
    let mean = values().sum::<f64>() / rows.len() as f64;
    values().map(|value| (value - mean).powi(2)).sum::<f64>() / (rows.len() - 1) as f64
}
