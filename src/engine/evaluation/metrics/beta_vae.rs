//! The score of Higgins et al. 2017, "β-VAE: learning basic visual concepts with a constrained variational framework",
//! appendix A.4.
//!
//! Draw 64 pairs of rows that agree in one factor and average `|z − z′|` over them: the dimension that holds the factor
//! differs least. The score is how often a linear classifier tells from this vector which factor it was. At chance it
//! is 1/F.
//!
//! The pairs come from the rows at hand; each has a value of its own, drawn by chance. The classifier is a multinomial logistic
//! regression, fitted to 5,000 vectors from one half of the rows and judged on 5,000 from the other.
//!
//! A linear classifier can weigh several dimensions: a code whose dimensions are mixed unevenly can reach 1 as well.

use super::{Metric, Score, Value};
use crate::error::Result;
use crate::evaluation::groups::{Groups, halves};
use crate::evaluation::logistic::Logistic;
use crate::evaluation::{Coded, generator};

const PAIRS: usize = 64;
const VECTORS: usize = 5000;

pub const METRIC: Metric = Metric {
    id: "beta_vae",
    name: "β-VAE score",
    source: "Higgins et al. 2017, openreview Sy2fzU9gl",
    scores: &[Score {
        id: "beta_vae",
        name: "β-VAE score",
        formula: "share of sets of pairs that agree in one factor whose factor a linear classifier tells from the mean \
                  absolute difference of their codes",
        range: (0.0, 1.0),
    }],
    compute,
};

fn compute(coded: &Coded, seed: u64) -> Result<Vec<Value>> {
    coded.need_two("β-VAE score")?;
    let latent = coded.dims().len();
    let [first, second] = halves(coded.rows(), seed);
    let draw = |rows: &[u32], purpose| -> Result<(Vec<f64>, Vec<u32>)> {
        let groups = Groups::new(coded, rows, 2)?;
        let mut rng = generator(seed, purpose);
        let mut vectors = vec![0.0; VECTORS * latent];
        let mut labels = Vec::with_capacity(VECTORS);
        for vector in vectors.chunks_exact_mut(latent) {
            let factor = groups.factor(&mut rng);
            for _ in 0..PAIRS {
                let pair = groups.draw(factor, 2, &mut rng);
                for (out, dim) in vector.iter_mut().zip(coded.dims()) {
                    *out += f64::from((dim[pair[0] as usize] - dim[pair[1] as usize]).abs()) / PAIRS as f64;
                }
            }
            labels.push(factor as u32);
        }
        Ok((vectors, labels))
    };
    let (vectors, labels) = draw(&first, *b"bvae-fit")?;
    let classifier = Logistic::fit(&vectors, latent, &labels, coded.factors().len())?;
    let (vectors, labels) = draw(&second, *b"bvae-try")?;
    Ok(vec![Value { mean: classifier.accuracy(&vectors, &labels), parts: Vec::new() }])
}
