//! What a second stage says of rows, against the densities by hand in f64 with the same noise.

use std::sync::Arc;

use elbo::engine::distributions::{Gaussian, SharedGaussian};
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Init, Role, Tensor};
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{
    Autoencoder, Batch, Decode, Density, Encode, FIRST, Generate, Model, Parts, Reconstruct, SecondStage, Vae,
    parameters,
};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;

use crate::common::oracle::{Numbers, values};

const FEATURES: usize = 3;
const LATENT: usize = 2;
const DEEPER: usize = 2;
const ROWS: usize = 4;
const SIGMA: f64 = 0.5;

/// Both are linear, so that little has to be done by hand.
fn first() -> Vae {
    let parts = Parts::new(Arc::new(Gaussian { sigma: SIGMA as f32 }));
    Vae::new(FEATURES, LATENT, (&[], &[]), Activation::Relu, parts)
}

fn second() -> Vae {
    Vae::new(LATENT, DEEPER, (&[], &[]), Activation::Relu, Parts::new(Arc::new(SharedGaussian { start: 1.0 })))
}

fn both() -> SecondStage {
    SecondStage::new(Box::new(first()), Box::new(second())).unwrap()
}

/// A graph with rows, and values for all of the model's parameters.
struct Trial<'g> {
    values: Values,
    x: Tensor<'g>,
}

impl<'g> Trial<'g> {
    fn new(graph: &'g Graph) -> Trial<'g> {
        let (mut numbers, mut values) = (Numbers(5), values(ROWS));
        for spec in parameters(&both()) {
            values.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
        }
        values.tensors.insert("x".into(), numbers.signed(ROWS * FEATURES));
        values.scalars.insert(BETA.into(), 2.5);
        Trial { values, x: graph.input("x", &[ROWS, FEATURES]) }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values.tensors["x"][row * FEATURES..][..FEATURES]
    }

    /// y = W x + b, by the name of the layer.
    fn affine(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (w, b) = (&self.values.tensors[&format!("{name}.weight")], &self.values.tensors[&format!("{name}.bias")]);
        w.chunks(x.len()).zip(b).map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).collect()
    }

    /// A row of a stream of normals `[…, width]`.
    fn noise(&self, stream: u32, row: usize, width: usize) -> Vec<f64> {
        let at = |e: usize| f64::from(normal4(&self.values.step, stream, e as u32 / 4)[e % 4]);
        (0..width).map(|d| at(row * width + d)).collect()
    }

    /// μ + σε and ln N(·; μ, σ²) of it, for a head that gives μ and ln σ².
    fn draw(&self, outputs: &[f64], eps: &[f64]) -> (Vec<f64>, f64) {
        let (mu, log_var) = outputs.split_at(eps.len());
        let z: Vec<f64> = (0..eps.len()).map(|d| mu[d] + (log_var[d] / 2.0).exp() * eps[d]).collect();
        let log = (0..eps.len()).map(|d| log_normal(z[d], mu[d], log_var[d])).sum();
        (z, log)
    }

    /// ln p(x|z), ln q(z|x) and z of a row, and of the second model ln p(z|u), ln p(u), ln q(u|z), with rows of noise.
    fn by_hand(&self, row: usize, noise: [usize; 2]) -> [f64; 5] {
        let eps = [self.noise(1, noise[0], LATENT), self.noise(2, noise[1], DEEPER)];
        let x = self.row(row);
        let (z, log_posterior) = self.draw(&self.affine("first.head", x), &eps[0]);
        let mean = self.affine("first.decoder.0", &z);
        let log_likelihood = x.iter().zip(&mean).map(|(x, m)| log_normal(*x, *m, 2.0 * SIGMA.ln())).sum();
        let (u, of_u) = self.draw(&self.affine("head", &z), &eps[1]);
        let (mean, log_var) = (self.affine("decoder.0", &u), self.values.tensors["likelihood.log_var"][0]);
        let of_z = z.iter().zip(&mean).map(|(z, m)| log_normal(*z, *m, log_var)).sum();
        let prior = u.iter().map(|u| log_normal(*u, 0.0, 0.0)).sum();
        [log_likelihood, log_posterior, of_z, prior, of_u]
    }

    /// KL(q(u|z) ‖ N(0, I)) of a row.
    fn kl_of_second(&self, row: usize) -> f64 {
        let (z, _) = self.draw(&self.affine("first.head", self.row(row)), &self.noise(1, row, LATENT));
        let outputs = self.affine("head", &z);
        let (mu, log_var) = outputs.split_at(DEEPER);
        mu.iter().zip(log_var).map(|(m, l)| 0.5 * (m * m + l.exp() - 1.0 - l)).sum()
    }
}

fn log_normal(x: f64, mean: f64, log_var: f64) -> f64 {
    -0.5 * (std::f64::consts::TAU.ln() + log_var + (x - mean).powi(2) / log_var.exp())
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-5 * b.abs().max(1.0)
}

#[test]
fn the_reported_bound_is_the_densities_by_hand() {
    let graph = Graph::new();
    let trial = Trial::new(&graph);
    let batch = Batch::whole(trial.x);
    let terms = both().terms(&batch);
    let score = both();
    let wanted = [terms.reconstruction, terms.kl.unwrap(), terms.loss];
    let found = evaluate(&trial.values, &wanted);
    let found = |row: usize| [found[0][row], found[1][row], found[2][row]];
    for row in 0..ROWS {
        let [reconstruction, reported, minimised] = found(row);
        let [log_likelihood, log_posterior, of_z, ..] = trial.by_hand(row, [row; 2]);
        let of_second = trial.kl_of_second(row);
        assert!(close(reconstruction, -log_likelihood), "{} is not {}", reconstruction, -log_likelihood);
        let kl = log_posterior - of_z + of_second;
        assert!(close(reported, kl), "{} is not {kl}", reported);
        // β weighs the second model's own KL, and nothing of the first counts in what is minimised.
        let loss = -of_z + 2.5 * of_second;
        assert!(close(minimised, loss), "{} is not {loss}", minimised);
        // Other noise is noticed, of the first model's draw and of the second's.
        let another = (row + 1) % ROWS;
        assert!(!close(reconstruction, -trial.by_hand(row, [another, row])[0]));
        let [_, q, z, ..] = trial.by_hand(row, [row, another]);
        assert!(!close(reported, q - z + of_second));
    }
    // By itself a row costs the same, from draws of its own.
    let graph = Graph::new();
    let alone = Trial::new(&graph);
    let of_row = score.score(alone.x.into());
    let cost = evaluate(&alone.values, &[of_row]).remove(0);
    assert!((0..ROWS).all(|row| close(cost[row], found(row)[0] + found(row)[1])));
    // And its values what the first model says of them, at the same draws.
    let graph = Graph::new();
    let alone = Trial::new(&graph);
    let each = score.feature_losses(alone.x.into());
    let width = each.width();
    let each = evaluate(&alone.values, &[each]).remove(0);
    assert!((0..ROWS).all(|row| close(each[row * width..][..width].iter().sum(), found(row)[0])));
    assert!(Encode::variance(&score, alone.x.into()).is_none(), "codes are spread by the draws of both");
}

#[test]
fn importance_weights_are_those_of_pairs_of_codes() {
    const SAMPLES: usize = 3;
    let graph = Graph::new();
    let trial = Trial::new(&graph);
    let weights = both().log_weights(trial.x.into(), SAMPLES);
    assert_eq!(weights.shape(), [ROWS, SAMPLES]);
    let found = evaluate(&trial.values, &[weights]).remove(0);
    for row in 0..ROWS {
        for k in 0..SAMPLES {
            let at = row * SAMPLES + k;
            let [likelihood, q_z, of_z, prior, q_u] = trial.by_hand(row, [at; 2]);
            let weight = likelihood + of_z + prior - q_u - q_z;
            assert!(close(found[at], weight), "{} is not {weight}", found[at]);
            assert!(!close(found[at], weight + q_u - prior), "the second model's code counts");
        }
    }
}

#[test]
fn codes_go_through_both() {
    let graph = Graph::new();
    let trial = Trial::new(&graph);
    let model = both();
    let u = Encode::mean(&model, trial.x.into());
    let again = model.reconstruct(trial.x.into());
    let decoded = Decode::mean(&model, u, None);
    let found = evaluate(&trial.values, &[u, again, decoded]);
    assert_eq!(found[1], found[2]);
    for row in 0..ROWS {
        let z = &trial.affine("first.head", trial.row(row))[..LATENT];
        let u = &trial.affine("head", z)[..DEEPER];
        let x = trial.affine("first.decoder.0", &trial.affine("decoder.0", u));
        assert!(u.iter().zip(&found[0][row * DEEPER..]).all(|(a, b)| close(*a, *b)));
        assert!(x.iter().zip(&found[2][row * FEATURES..]).all(|(a, b)| close(*a, *b)));
    }
}

/// New rows come through z ~ p(z|u), with its noise, and E[x|z].
#[test]
fn samples_are_drawn_through_the_second_models_density() {
    let graph = Graph::new();
    let mut trial = Trial::new(&graph);
    let model = both();
    let rows = model.rows(&graph, ROWS, None);
    let mean = Decode::mean(&model, graph.input("u", &[ROWS, DEEPER]), None);
    let u: Vec<f64> = (0..ROWS).flat_map(|row| trial.noise(1, row, DEEPER)).collect();
    trial.values.tensors.insert("u".into(), u.clone());
    let found = evaluate(&trial.values, &[rows, mean]);
    let deviation = (trial.values.tensors["likelihood.log_var"][0] / 2.0).exp();
    for row in 0..ROWS {
        let mean = trial.affine("decoder.0", &u[row * DEEPER..][..DEEPER]);
        let z: Vec<f64> = mean.iter().zip(trial.noise(2, row, LATENT)).map(|(m, e)| m + deviation * e).collect();
        let x = trial.affine("first.decoder.0", &z);
        for (feature, x) in x.iter().enumerate() {
            let at = row * FEATURES + feature;
            assert!(close(found[0][at], *x), "{} is not {x}", found[0][at]);
            assert!(!close(found[0][at], found[1][at]), "the mean is another row");
        }
    }
}

#[test]
fn the_names_of_the_first_model_are_apart() {
    let model = both();
    let (trained, frozen): (Vec<_>, Vec<_>) =
        parameters(&model).into_iter().partition(|spec| spec.role == Role::Trained);
    assert!(frozen.iter().all(|spec| spec.name.starts_with(&format!("{FIRST}."))));
    assert!(trained.iter().all(|spec| !spec.name.starts_with(FIRST)));
    assert_eq!([parameters(&first()).len(), parameters(&second()).len()], [frozen.len(), trained.len()]);
    let (graph, init) = (Graph::new(), Init::Constant(0.0));
    let inner = graph.scope("a", || graph.scope("b", || graph.param("w", &[1], init)));
    let outer = graph.param("w", &[1], init);
    assert_ne!(inner, outer);
    assert_eq!(graph.param("a.b.w", &[1], init), inner);
}

#[test]
fn what_cannot_be_stood_on_is_refused() {
    let plain = || -> Box<dyn Model> {
        Box::new(Autoencoder::new(
            FEATURES,
            LATENT,
            (&[], &[]),
            Activation::Relu,
            Arc::new(elbo::engine::distributions::Bernoulli),
        ))
    };
    let parts = || Parts::new(Arc::new(Gaussian { sigma: 0.5 }));
    let told = Vae::conditional((FEATURES, LATENT, 2), (&[], &[]), Activation::Relu, parts());
    let wide = Vae::new(LATENT + 1, DEEPER, (&[], &[]), Activation::Relu, parts());
    let of_codes = || -> Box<dyn Model> { Box::new(second()) };
    for (first, second, words) in [
        (plain(), of_codes(), "codes with a density q(z|x)"),
        (Box::new(both()) as Box<dyn Model>, of_codes(), "stands on another"),
        (Box::new(told), of_codes(), "told something of every row"),
        (Box::new(first()), Box::new(wide), "over 3 values, and codes of the first have 2"),
    ] {
        let said = SecondStage::new(first, second).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    let second: Box<dyn Model> = Box::new(Autoencoder::new(
        LATENT,
        1,
        (&[], &[]),
        Activation::Relu,
        Arc::new(elbo::engine::distributions::SquaredError),
    ));
    let said = SecondStage::new(Box::new(first()), second).unwrap_err().to_string();
    assert!(said.contains("cannot draw new rows: that takes a prior"), "{said}");
}
