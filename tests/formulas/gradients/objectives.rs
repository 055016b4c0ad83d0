//! Every objective, with short last rows, and the pieces of a model that it may be put together with.

use std::sync::Arc;

use elbo::catalogue::{Bounds, Spec, Usual, build};
use elbo::engine::distributions::{Bernoulli, LIKELIHOODS};
use elbo::engine::models::{Batch, Model, Parts, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::{BETA, OBJECTIVES};

use super::trial::{Cases, Tensor, Trial};
use crate::common::pieces;

const BATCH: usize = 5;
const LIVE: u32 = 4;
const FEATURES: usize = 4;
const LATENT: usize = 3;

/// Whose gradient is, on purpose, not that of its value.
pub const REWEIGHED: [&str; 2] = ["dreg", "partially-iwae"];

/// A small VAE of these parts.
pub fn vae(parts: Parts) -> Vae {
    Vae::new(FEATURES, LATENT, (&[4], &[5]), Activation::Tanh, parts)
}

/// The loss of a model over the live rows, its parameters being differentiated. `[rows, 1]`
pub fn loss(trial: &mut Trial, model: &dyn Model) -> Tensor {
    trial.values.step.rows = LIVE;
    trial.values.scalars.insert(BETA.to_string(), 0.7);
    for name in ["capacity", "temperature"] {
        trial.values.scalars.insert(name.to_string(), 0.6);
    }
    parameters(model).iter().for_each(|spec| trial.declared(spec));
    let x = trial.signal(0, &[BATCH, FEATURES]).sigmoid();
    let batch = Batch { count: 3 * BATCH, ..Batch::whole(x) };
    model.terms(&batch).loss * batch.weights
}

/// One more case: a model of these parts.
fn add(all: &mut Cases, name: String, parts: Parts) {
    let model = vae(parts);
    let put = move |trial: &mut Trial| {
        let loss = loss(trial, &model);
        trial.result(loss);
    };
    all.push((name, 1e-6, Box::new(put)));
}

/// Every objective; every posterior, prior and likelihood is met elsewhere, and once more with the ELBO.
pub fn all() -> Cases {
    let plain = || Parts::new(Arc::new(Bernoulli));
    let mut all: Cases = Vec::new();
    let honest = OBJECTIVES.iter().map(|piece| piece.about).filter(|about| !REWEIGHED.contains(&about.id));
    for about in honest {
        let mut specs = vec![pieces::small(&about)];
        // Both ends of what is yes or no.
        if let Some(toggle) = about.settings.iter().find(|s| s.bounds == Bounds::Whole(0, 1)) {
            specs
                .push(Spec::new(about.id).with(toggle.name, f64::from(u8::from(toggle.default == Usual::Number(0.0)))));
        }
        for spec in specs {
            let parts = Parts { objective: build(OBJECTIVES, &spec).unwrap(), ..plain() };
            add(&mut all, format!("objective {spec}"), parts);
        }
    }
    for pair in pieces::pairs() {
        let name = format!("posterior {}, prior {}", pair.0, pair.1);
        add(&mut all, name.clone(), pieces::with(plain(), &pair));
        // By what there is of the densities, where a closed form was taken before.
        let objective = build(OBJECTIVES, &Spec::new("iwae").with("samples", 2.0)).unwrap();
        add(&mut all, format!("{name}, iwae"), pieces::with(Parts { objective, ..plain() }, &pair));
    }
    assert!(LIKELIHOODS.len() > 2);
    all
}

/// A draw of the gradient of all parameters of a VAE with this objective, flattened, at noise that `draw` decides; and the
/// value of the loss.
pub fn draw(objective: &Spec, draw: u32) -> (Vec<f64>, f64) {
    let parts = Parts { objective: build(OBJECTIVES, objective).unwrap(), ..Parts::new(Arc::new(Bernoulli)) };
    let model = vae(parts);
    let mut trial = Trial::blank();
    trial.values.step.step = draw;
    trial.values.scalars.insert(BETA.to_string(), 1.0);
    let parameters = parameters(&model);
    parameters.iter().for_each(|spec| trial.declared(spec));
    let x = trial.graph.input("x", &[BATCH, FEATURES]);
    let bits = (0..BATCH * FEATURES).map(|i| f64::from(i % 3 == 0)).collect();
    trial.values.tensors.insert("x".to_string(), bits);
    trial.values.step.rows = BATCH as u32;
    let batch = Batch::whole(x);
    let terms = model.terms(&batch);
    let weighted = terms.loss * batch.weights;
    let wrt: Vec<Tensor> = parameters.iter().map(|spec| trial.graph.parameter(&spec.name)).collect();
    let scales: Vec<_> = terms.gradient_scale.into_iter().collect();
    let mut wanted = weighted.gradients_with(&wrt, &scales);
    wanted.push(weighted);
    let mut found = elbo::engine::graph::eval::evaluate(&trial.values, &wanted);
    let value = found.pop().map_or(0.0, |rows| rows.iter().sum());
    (found.concat(), value)
}
