//! The plain autoencoder: the same networks, a deterministic code, and nothing but the reconstruction to minimise.

use std::sync::Arc;

use super::checks::{check_beta, check_unused};
use super::networks::{NetworkPair, Networks};
use super::{
    Batch, Can, Condition, Decode, Encode, LabelUse, Model, ModelConfig, ModelEntry, Reconstruct, RowForm, Rows, Sizes,
    Terms, TrainingPlan,
};
use crate::catalogue::{self, About, Kind, find};
use crate::distributions::{Heads, LIKELIHOODS, Likelihood, Measure, SquaredError};
use crate::error::Result;
use crate::graph::Tensor;
use crate::nn::{Activation, spectrally_normalised};
use crate::problems::Problems;

/// The model `ae`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "ae",
        aliases: &[],
        name: "plain autoencoder: codes are points, and only the reconstruction is learnt",
        formula: "−ln p(x|f(x)), or Σ (x − g(f(x)))²",
        source: "Hinton & Salakhutdinov 2006",
        settings: &[],
        example: "elbo train --model ae --likelihood mse",
    },
    labels: LabelUse::Ignored,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: None,
    build,
    check,
};

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let likelihood = likelihood_of(config)?;
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let likelihood = Heads::of(form.schema, &likelihood);
    Ok(Box::new(Autoencoder::with_networks(sizes, config.latent, config.networks(sizes)?, likelihood)))
}

/// What an autoencoder minimises: the squared error, or the binary cross-entropy.
pub(super) fn likelihood_of(config: &ModelConfig) -> Result<Arc<dyn Likelihood>> {
    match config.likelihood.id.as_str() {
        "gaussian" => Ok(Arc::new(SquaredError)),
        _ => catalogue::build(LIKELIHOODS, &config.likelihood),
    }
}

/// An autoencoder has a code and a reconstruction, and nothing else that can be chosen.
pub(super) fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_error(config, problems);
    check_unused(config, problems);
}

/// Notes what an error of reconstruction, without a KL term, has no use for.
pub(super) fn check_error(config: &ModelConfig, problems: &mut Problems) {
    let kind = &config.kind;
    let (name, _) = kind.about.name.split_once(':').unwrap_or((kind.about.name, ""));
    check_beta(config, ", or train a vae", problems);
    let likelihood = config.likelihood.id.as_str();
    problems.note(
        !["bernoulli", "gaussian"].contains(&likelihood) && find(LIKELIHOODS, &config.likelihood).is_ok(),
        format!(
            "the {name} (`kind` {kind}) minimises an error, and has no use for the density `{likelihood}`: choose \
             bernoulli (bce) or gaussian (mse), or train a vae"
        ),
    );
    problems.note(
        likelihood == "gaussian" && !config.likelihood.settings.is_empty(),
        format!("the {name} (`kind` {kind}) minimises the squared error, which `sigma` has no part in: leave it out"),
    );
}

/// An autoencoder; its likelihood is the Bernoulli (binary cross-entropy) or the squared error.
#[derive(Clone, Debug)]
pub struct Autoencoder {
    pub(super) networks: Networks,
    pub(super) likelihood: Arc<dyn Likelihood>,
    /// Whether the decoder's weights are divided by their largest singular values.
    is_spectral: bool,
}

impl Autoencoder {
    /// An autoencoder over `features` values with a code of `latent`, of multilayer perceptrons; `hidden` are the encoder's widths
    /// and the decoder's.
    pub fn new(
        features: usize,
        latent: usize,
        hidden: (&[usize], &[usize]),
        activation: Activation,
        likelihood: Arc<dyn Likelihood>,
    ) -> Autoencoder {
        Autoencoder::with_networks(Sizes::vector(features, 0), latent, NetworkPair::mlp(hidden, activation), likelihood)
    }

    /// An autoencoder of rows of these sizes with a code of `latent`, with these hidden layers.
    pub fn with_networks(
        sizes: Sizes,
        latent: usize,
        hidden: NetworkPair,
        likelihood: Arc<dyn Likelihood>,
    ) -> Autoencoder {
        let networks = Networks::new(sizes, latent, hidden, latent, likelihood.outputs(sizes.features()));
        Autoencoder { networks, likelihood, is_spectral: false }
    }

    /// The same, the decoder's weights divided by their largest singular values or not.
    pub(super) fn spectral(self, is_spectral: bool) -> Autoencoder {
        Autoencoder { is_spectral, ..self }
    }

    /// The decoder's outputs for codes.
    pub(super) fn decode<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        let decode = || self.networks.decode(z, None);
        if self.is_spectral { spectrally_normalised(z.graph(), decode) } else { decode() }
    }
}

impl Model for Autoencoder {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.likelihood.support(), black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let mu = self.networks.encode(batch.rows);
        let loss = -batch.rows.log_likelihood(&*self.likelihood, self.decode(mu));
        Terms { loss, reconstruction: loss, kl: None, mu, parts: vec![], gradient_scale: None }
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.terms(&Batch::whole(rows)).loss
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: None,
            density: None,
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for Autoencoder {
    fn latent(&self) -> usize {
        self.networks.latent()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.networks.encode(rows)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        Encode::mean(self, rows).repeat_rows(samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        Some(rows.x.graph().full(0.0, &[rows.count(), self.networks.latent()]))
    }
}

impl Decode for Autoencoder {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.likelihood.mean(self.decode(z))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.sample(self.decode(z))
    }
}

impl Reconstruct for Autoencoder {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, Encode::mean(self, rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        -rows.log_likelihoods(&*self.likelihood, self.decode(Encode::mean(self, rows)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::Bernoulli;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};
    use crate::models::parameters;

    #[test]
    fn the_loss_is_what_the_reconstruction_costs() {
        // All weights are 0 but the decoder's last biases: the logits are 1 and -1 whatever the row.
        let model = Autoencoder::new(2, 1, (&[3], &[3]), Activation::Tanh, Arc::new(Bernoulli));
        let (graph, mut values) = (Graph::new(), Values::default());
        for spec in parameters(&model) {
            let logits = spec.name == "decoder.1.bias";
            let zeros = vec![0.0; spec.shape.iter().product()];
            values.tensors.insert(spec.name, if logits { vec![1.0, -1.0] } else { zeros });
        }
        let x = graph.input("x", &[2, 2]);
        values.tensors.insert("x".to_string(), vec![1.0, 0.25, 0.0, 1.0]);
        let terms = model.terms(&Batch::whole(x));
        assert!(terms.kl.is_none());
        // ln(1 + e) - 1 + ln(1 + 1/e) + 1/4, and ln(1 + e) + ln(1 + 1/e) + 1.
        let found = evaluate(&values, &[terms.loss, terms.reconstruction]);
        for loss in &found {
            let off = [loss[0] - 0.876_523_4, loss[1] - 2.626_523_4];
            assert!(loss.len() == 2 && off.iter().all(|off| off.abs() < 1e-6), "{loss:?}");
        }
    }
}
