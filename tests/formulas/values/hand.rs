//! A small VAE without hidden layers, and all that it says of a short batch, in plain loops over f64.

use std::f64::consts::TAU;
use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::Bernoulli;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{Batch, Parts, Terms, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::{BETA, OBJECTIVES};

use crate::common::oracle::{Numbers, values};

pub const FEATURES: usize = 4;
pub const LATENT: usize = 3;
/// Rows of a batch, the last of which is not live.
pub const BATCH: usize = 5;
/// M, live rows.
pub const LIVE: usize = 4;
/// N, rows of the data set.
pub const COUNT: usize = 18;
/// What the warm-up says of the KL term.
pub const WARM_UP: f64 = 0.625;

/// A code.
pub type Code = [f64; LATENT];

/// What the model says of a row.
pub struct Row {
    pub mu: Code,
    pub log_var: Code,
    /// z = μ + σε of each sample.
    pub codes: Vec<Code>,
    /// ln p(x | z) of each.
    pub log_likelihood: Vec<f64>,
}

/// A batch, by hand and as the graph's leaves.
pub struct Hand {
    /// The live rows.
    pub rows: Vec<Row>,
    /// As many draws from the prior as the batch has rows, live or not.
    pub prior: Vec<Code>,
    pub values: Values,
    samples: usize,
}

/// ln N(z; μ, e^log_var).
pub fn log_normal(z: f64, mu: f64, log_var: f64) -> f64 {
    -0.5 * (TAU.ln() + log_var + (z - mu).powi(2) / log_var.exp())
}

/// ln Σ e^t.
pub fn log_sum(terms: &[f64]) -> f64 {
    terms.iter().map(|t| t.exp()).sum::<f64>().ln()
}

/// Output `i` of W t + b.
pub fn linear(values: &Values, layer: &str, i: usize, t: &[f64]) -> f64 {
    let (weight, bias) = (&values.tensors[&format!("{layer}.weight")], &values.tensors[&format!("{layer}.bias")]);
    bias[i] + t.iter().zip(&weight[i * t.len()..]).map(|(t, w)| t * w).sum::<f64>()
}

impl Row {
    /// Of a row and the noise of its codes.
    pub fn of(values: &Values, x: &[f64], noise: &[f64]) -> Row {
        let mu = std::array::from_fn(|d| linear(values, "head", d, x));
        let log_var: Code = std::array::from_fn(|d| linear(values, "head", LATENT + d, x));
        let code = |eps: &[f64]| -> Code { std::array::from_fn(|d| mu[d] + (0.5 * log_var[d]).exp() * eps[d]) };
        let codes: Vec<Code> = noise.chunks_exact(LATENT).map(code).collect();
        // x ln p + (1 − x) ln (1 − p) with p = 1/(1 + e^−l).
        let bernoulli = |(f, x): (usize, &f64), z: &Code| {
            let p = 1.0 / (1.0 + (-linear(values, "decoder.0", f, z)).exp());
            x * p.ln() + (1.0 - x) * (1.0 - p).ln()
        };
        let log_likelihood = codes.iter().map(|z| x.iter().enumerate().map(|x| bernoulli(x, z)).sum()).collect();
        Row { mu, log_var, codes, log_likelihood }
    }

    /// −ln p(x | z), the mean over the samples.
    pub fn reconstruction(&self) -> f64 {
        -self.log_likelihood.iter().sum::<f64>() / self.codes.len() as f64
    }

    /// KL(N(μ_d, σ_d²) ‖ N(0, 1)) (Kingma and Welling 2014, appendix B).
    pub fn kl(&self, d: usize) -> f64 {
        -0.5 * (1.0 + self.log_var[d] - self.mu[d].powi(2) - self.log_var[d].exp())
    }

    /// The KL of all dimensions.
    pub fn whole_kl(&self) -> f64 {
        (0..LATENT).map(|d| self.kl(d)).sum()
    }

    /// ln q(z_d | x) of any code.
    pub fn log_density(&self, z: &Code, d: usize) -> f64 {
        log_normal(z[d], self.mu[d], self.log_var[d])
    }

    /// ln q(z | x) of any code.
    pub fn log_posterior(&self, z: &Code) -> f64 {
        (0..LATENT).map(|d| self.log_density(z, d)).sum()
    }
}

/// ln p(z).
pub fn log_prior(z: &Code) -> f64 {
    z.iter().map(|&z| log_normal(z, 0.0, 0.0)).sum()
}

/// Σ_d (a_d − b_d)².
pub fn squared_distance(a: &Code, b: &Code) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// A VAE with this objective.
pub fn vae(objective: &str) -> Vae {
    let spec: Spec = objective.parse().unwrap();
    let parts = Parts { objective: build(OBJECTIVES, &spec).unwrap(), ..Parts::new(Arc::new(Bernoulli)) };
    Vae::new(FEATURES, LATENT, (&[], &[]), Activation::Tanh, parts)
}

/// What an objective makes of a batch, from noise that is given: the terms, and the weights of the rows.
pub fn terms<'g>(graph: &'g Graph, objective: &str, samples: usize) -> (Terms<'g>, Tensor<'g>) {
    let (x, noise) = (graph.input("x", &[BATCH, FEATURES]), graph.input("noise", &[BATCH * samples, LATENT]));
    let batch = Batch { count: COUNT, ..Batch::whole(x) };
    (vae(objective).terms_with(&batch, noise), batch.weights)
}

impl Hand {
    /// Random rows, weights and noise.
    pub fn new(samples: usize) -> Hand {
        let (mut values, mut numbers) = (values(LIVE), Numbers(21));
        for spec in parameters(&vae("elbo")) {
            values.tensors.insert(spec.name.clone(), numbers.signed(spec.shape.iter().product()));
        }
        // Rows shall differ: in their codes, and in how far those are from the prior.
        values.tensors.get_mut("head.weight").unwrap().iter_mut().for_each(|w| *w *= 2.0);
        let x = numbers.signed(BATCH * FEATURES).iter().map(|x| 0.5 + 0.5 * x).collect();
        values.tensors.insert("x".into(), x);
        values
            .tensors
            .insert("noise".into(), numbers.signed(BATCH * samples * LATENT).iter().map(|e| 2.0 * e).collect());
        values.scalars.insert(BETA.into(), WARM_UP);
        Hand::of(values, samples)
    }

    /// All that these leaves say.
    pub fn of(values: Values, samples: usize) -> Hand {
        let rows = (values.tensors["x"].chunks_exact(FEATURES))
            .zip(values.tensors["noise"].chunks_exact(samples * LATENT))
            .take(LIVE)
            .map(|(x, noise)| Row::of(&values, x, noise))
            .collect();
        // Where the noise of the posterior is given, the prior's draws are the first stream of the graph.
        let normal = |e: usize| f64::from(normal4(&values.step, 1, e as u32 / 4)[e % 4]);
        let prior = (0..BATCH).map(|j| std::array::from_fn(|d| normal(j * LATENT + d))).collect();
        Hand { rows, prior, values, samples }
    }

    /// With another scalar.
    pub fn with(mut self, name: &str, value: f64) -> Hand {
        self.values.scalars.insert(name.into(), value);
        self
    }

    /// The mean over the live rows.
    pub fn mean(&self, of: impl Fn(&Row) -> f64) -> f64 {
        self.rows.iter().map(of).sum::<f64>() / self.rows.len() as f64
    }

    /// E_q\[−ln p(x | z)\], the mean over the live rows.
    pub fn reconstruction(&self) -> f64 {
        self.mean(Row::reconstruction)
    }

    /// The mean of the KL.
    pub fn kl(&self) -> f64 {
        self.mean(Row::whole_kl)
    }

    /// The loss that the graph has, its mean over the live rows.
    pub fn loss(&self, objective: &str) -> f64 {
        let graph = Graph::new();
        let (terms, weights) = terms(&graph, objective, self.samples);
        evaluate(&self.values, &[terms.loss * weights])[0].iter().sum()
    }

    /// A part of the loss by its name, in the same way.
    pub fn part(&self, objective: &str, name: &str) -> f64 {
        let graph = Graph::new();
        let (terms, weights) = terms(&graph, objective, self.samples);
        let part = terms.parts.iter().find(|part| part.0 == name).expect("the objective has such a part").1;
        evaluate(&self.values, &[part * weights])[0].iter().sum()
    }
}

/// Two numbers are the same but for the rounding of constants to f32.
#[track_caller]
pub fn same(found: f64, expected: f64) {
    let far = (found - expected).abs() / expected.abs().max(1e-3);
    assert!(far < 1e-6, "{found} is not {expected}, but {far:e} from it");
}

/// Two numbers are not the same by far: what is wrong on purpose is seen.
#[track_caller]
pub fn other(found: f64, wrong: f64) {
    let far = (found - wrong).abs() / wrong.abs().max(1e-3);
    assert!(far > 1e-4, "{found} is {wrong}, which is wrong");
}
