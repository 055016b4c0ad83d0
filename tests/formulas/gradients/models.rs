//! The whole losses of the models: β = 2.5, short last rows, every likelihood.

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::{LIKELIHOODS, Support};
use elbo::engine::models::{Autoencoder, Batch, Classifier, Labelled, M2, Model, Parts, Rows, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;

use super::trial::{Cases, Fault, Tensor, Trial};

const BATCH: usize = 6;
const LIVE: u32 = 4;
const FEATURES: usize = 5;
const LATENT: usize = 3;

/// Data for a likelihood: computed, and so differentiated by, unless only some numbers have a probability.
fn data(trial: &mut Trial, support: Support) -> Tensor {
    match support {
        Support::Binary => trial.data("a0", &[BATCH, FEATURES], 2),
        Support::Levels(n) => trial.data("a0", &[BATCH, FEATURES], n),
        Support::Unit | Support::Real | Support::Fields | Support::Loss => {
            trial.signal(0, &[BATCH, FEATURES]).sigmoid()
        }
    }
}

/// Every parameter of the model, and the data itself where it may be, all being differentiated.
fn loss(trial: &mut Trial, model: &dyn Model, vae: Option<&Vae>, support: Support) -> Tensor {
    trial.values.step.rows = LIVE;
    trial.values.scalars.insert(BETA.to_string(), 2.5);
    parameters(model).iter().for_each(|spec| trial.declared(spec));
    let x = data(trial, support);
    let batch = Batch { count: 3 * BATCH, ..Batch::whole(x) };
    let loss = match vae {
        None => model.terms(&batch).loss,
        Some(vae) => {
            let eps = trial.signal(1, &[BATCH, LATENT]);
            let terms = vae.terms_with(&batch, eps);
            let kl = terms.kl.expect("a VAE has a KL divergence").sum_rows();
            match trial.fault {
                Fault::Nothing => terms.loss,
                // The loss, but for the weight of the KL term, or one of the two uses of the posterior.
                Fault::ScaleForgotten => terms.reconstruction + kl + kl.detach() * 1.5,
                Fault::UseForgotten => terms.reconstruction + kl.detach() * 2.5,
            }
        }
    };
    loss * batch.weights
}

/// A likelihood with few outputs, so that there are not too many parameters to differentiate by.
fn small(piece: &elbo::catalogue::About) -> Spec {
    let few = [("sigma", 0.7), ("levels", 4.0), ("components", 2.0)];
    let taken = few.into_iter().filter(|(name, _)| piece.settings.iter().any(|setting| setting.name == *name));
    taken.fold(Spec::new(piece.id), |spec, (name, value)| spec.with(name, value))
}

/// The losses, with how exact their gradients are.
pub fn losses() -> Cases {
    let mut all: Cases = Vec::new();
    let widths: (&[usize], &[usize]) = (&[4, 7], &[6]);
    let activations = [Activation::Silu, Activation::Gated, Activation::Tanh, Activation::Softplus].into_iter().cycle();
    for (piece, activation) in LIKELIHOODS.iter().zip(activations) {
        let name = piece.about.id;
        let likelihood = build(LIKELIHOODS, &small(&piece.about)).expect("the settings are within their bounds");
        let support = likelihood.support();
        let vae = Vae::new(FEATURES, LATENT, widths, activation, Parts::new(likelihood.clone()));
        let case = move |trial: &mut Trial| {
            let loss = loss(trial, &vae, Some(&vae), support);
            trial.lose(loss);
        };
        all.push((format!("VAE, {name}"), 1e-7, Box::new(case)));
        let plain = Autoencoder::new(FEATURES, LATENT, widths, activation, likelihood);
        let case = move |trial: &mut Trial| {
            let loss = loss(trial, &plain, None, support);
            trial.result(loss);
        };
        all.push((format!("autoencoder, {name}"), 1e-7, Box::new(case)));
    }
    all.extend(told());
    all
}

/// The losses of models that are told labels, or learn them.
fn told() -> Cases {
    const CLASSES: usize = 3;
    let parts = || Parts::new(build(LIKELIHOODS, &"bernoulli".into()).expect("it is in the list"));
    let (hidden, activation): ((&[usize], &[usize]), _) = ((&[4, 3], &[4]), Activation::Silu);
    let sizes = (FEATURES, LATENT, CLASSES);
    let models: [(&str, Box<dyn Model>); 3] = [
        ("conditional VAE", Box::new(Vae::conditional(sizes, hidden, activation, parts()))),
        ("M2", Box::new(M2::new(sizes, hidden, activation, parts(), 1.5))),
        ("classifier", Box::new(Classifier::new(FEATURES, CLASSES, hidden.0, activation))),
    ];
    let case = |(name, model): (&str, Box<dyn Model>)| {
        let case = move |trial: &mut Trial| {
            trial.values.step.rows = LIVE;
            trial.values.scalars.insert(BETA.to_string(), 2.5);
            parameters(&*model).iter().for_each(|spec| trial.declared(spec));
            let rows = Rows { y: Some(trial.data("y", &[BATCH, CLASSES], 2)), ..data(trial, Support::Unit).into() };
            let part = Rows {
                y: Some(trial.data("labels", &[4, CLASSES], 2)),
                ..trial.data("part", &[4, FEATURES], 2).into()
            };
            // A classifier looks at labelled rows alone, which are the batch where nothing else is said.
            let labelled = (model.can().decode.is_some() && model.can().classify.is_some())
                .then_some(Labelled { rows: part, count: 7 });
            let batch = Batch { count: 3 * BATCH, labelled, ..Batch::whole(rows) };
            trial.result(model.terms(&batch).loss * batch.weights);
        };
        (name.to_string(), 1e-7, Box::new(case) as Box<dyn Fn(&mut Trial)>)
    };
    models.into_iter().map(case).collect()
}

/// What stands in rows beyond the live ones changes neither the loss nor a gradient.
pub fn masked() {
    for (name, _, case) in losses() {
        let build = |row: usize| {
            let shifted = |trial: &mut Trial| {
                case(trial);
                let x = trial.values.tensors.iter_mut().filter(|(name, _)| name.starts_with("a0"));
                // Another number that has a probability, be it of few.
                x.for_each(|(_, values)| values[row * FEATURES] = 1.0 - values[row * FEATURES]);
            };
            let trial = Trial::of(Fault::Nothing, &shifted);
            (trial.value(), trial.gradients_in_f64())
        };
        let (live, padding, again) = (build(0), build(LIVE as usize), build(LIVE as usize + 1));
        assert_eq!(padding, again, "{name}: padding weighs something");
        assert_ne!(live, padding, "{name}: a live row weighs nothing");
    }
}
