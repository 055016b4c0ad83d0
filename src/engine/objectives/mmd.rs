//! The maximum mean discrepancy between the codes of a batch and draws from the prior.
//!
//! MMD² = E\[k(z, z′)\] − 2 E\[k(z, p)\] + E\[k(p, p′)\], without the pairs of a point with itself: the unbiased estimate
//! (Gretton et al. 2012, lemma 6).

use super::Inference;
use crate::graph::Tensor;

/// A kernel over codes, a function of their squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MmdKernel {
    /// exp(−‖a − b‖²/h).
    Rbf {
        /// h, in squared units of the code.
        bandwidth: f32,
    },
    /// Σ_s s·c/(s·c + ‖a − b‖²) over the scales s = 0.1, 0.2, 0.5, 1, 2, 5, 10 (Tolstikhin et al. 2018, appendix).
    InverseMultiquadratic {
        /// c; for a standard normal in d dimensions, 2d.
        c: f32,
    },
}

/// The scales of the inverse multiquadratic kernel.
const SCALES: [f32; 7] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

impl MmdKernel {
    /// The kernel of squared distances.
    fn of(self, squared: Tensor) -> Tensor {
        match self {
            MmdKernel::Rbf { bandwidth } => (squared * (-1.0 / bandwidth)).exp(),
            MmdKernel::InverseMultiquadratic { c } => {
                let terms = SCALES.map(|scale| scale * c / (squared + scale * c));
                terms.into_iter().reduce(|a, b| a + b).expect("there are scales")
            }
        }
    }

    /// k(aᵢ, bⱼ) for codes `[m, latent]` and `[n, latent]`. `[m, n]`
    fn pairs<'g>(self, a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
        let ([m, latent], [n, _]) = (a.dims(), b.dims());
        let difference = a.reshape(&[m, 1, latent]) - b.reshape(&[1, n, latent]);
        self.of(difference.square().sum(&[2]).reshape(&[m, n]))
    }
}

/// The mean of `[m, m]` over pairs of different rows, with weights `[m, 1]` that sum to 1. `[1, 1]`
fn mean_of_pairs<'g>(pairs: Tensor<'g>, weights: Tensor<'g>) -> Tensor<'g> {
    let (graph, [rows, _]) = (pairs.graph(), pairs.dims());
    let shape = [rows, rows];
    let (i, j) = (graph.coordinate(0, &shape), graph.coordinate(1, &shape));
    let both = weights * weights.reshape(&[1, rows]) * (i.less(j) + j.less(i));
    // A last batch of one row has no pairs: then the mean is 0.
    let total = both.sum(&[0, 1]).maximum(graph.constant(1e-12));
    (pairs * both).sum(&[0, 1]) / total
}

/// MMD² between the codes of the live rows, one for each, and as many draws from the prior. `[1, 1]`
pub fn mmd<'g>(inference: &Inference<'_, 'g>, kernel: MmdKernel) -> Tensor<'g> {
    let graph = inference.z.graph();
    let p = inference.prior.sample(graph, inference.rows(), inference.latent(), &inference.encoder);
    between((inference.z, inference.weights), p, kernel)
}

/// MMD² between `z` `[m, latent]`, weighted by `[m, 1]` that sum to 1, and `p` `[n, latent]`. `[1, 1]`
fn between<'g>((z, weights): (Tensor<'g>, Tensor<'g>), p: Tensor<'g>, kernel: MmdKernel) -> Tensor<'g> {
    let draws = p.shape()[0];
    let even = p.graph().full(1.0 / draws as f32, &[draws, 1]);
    let of_codes = mean_of_pairs(kernel.pairs(z, z), weights);
    let of_prior = mean_of_pairs(kernel.pairs(p, p), even);
    let across = (kernel.pairs(z, p) * weights).sum(&[0, 1]);
    of_codes + of_prior - across * (2.0 / draws as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    const ROWS: usize = 5;
    const LATENT: usize = 2;

    fn point(seed: usize, row: usize) -> [f64; LATENT] {
        [0, 1].map(|d| f64::from((((seed * 7 + row * 3 + d * 5) % 11) as f32) * 0.3 - 1.5))
    }

    fn value(live: u32, kernel: MmdKernel) -> f64 {
        let graph = Graph::new();
        let (z, p) = (graph.input("z", &[ROWS, LATENT]), graph.input("p", &[ROWS, LATENT]));
        let weights = graph.row_weights(ROWS);
        let found = between((z, weights), p, kernel);
        let mut values = Values::default();
        for (name, seed) in [("z", 1), ("p", 2)] {
            values.tensors.insert(name.to_string(), (0..ROWS).flat_map(|row| point(seed, row)).collect());
        }
        values.step.rows = live;
        evaluate(&values, &[found])[0][0]
    }

    /// The mean over pairs, as the definition reads.
    fn by_hand(live: usize, k: impl Fn(f64) -> f64) -> f64 {
        let at = |a: [f64; LATENT], b: [f64; LATENT]| k(a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum());
        let mean = |seed: usize, rows: usize| {
            let pairs = (0..rows).flat_map(|i| (0..rows).map(move |j| (i, j))).filter(|(i, j)| i != j);
            pairs.map(|(i, j)| at(point(seed, i), point(seed, j))).sum::<f64>() / (rows * (rows - 1)) as f64
        };
        let across = (0..live).flat_map(|i| (0..ROWS).map(move |j| (i, j)));
        let across = across.map(|(i, j)| at(point(1, i), point(2, j))).sum::<f64>() / (live * ROWS) as f64;
        mean(1, live) + mean(2, ROWS) - 2.0 * across
    }

    #[test]
    fn is_what_its_definition_says_over_the_live_rows() {
        let rbf = MmdKernel::Rbf { bandwidth: 2.0 };
        let imq = MmdKernel::InverseMultiquadratic { c: 4.0 };
        let inverse = |d: f64| SCALES.iter().map(|&s| f64::from(s) * 4.0 / (f64::from(s) * 4.0 + d)).sum::<f64>();
        for live in [2, 4, 5] {
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-5, "{live} rows: {a} is not {b}");
            close(value(live as u32, rbf), by_hand(live, |d| (-d / 2.0).exp()));
            close(value(live as u32, imq), by_hand(live, inverse));
        }
        assert!((value(4, rbf) - by_hand(5, |d| (-d / 2.0).exp())).abs() > 1e-3);
        // One row has no pairs, and no infinity comes of it.
        assert!(value(1, rbf).is_finite());
    }
}
