//! The adversarial autoencoder: a critic learns to tell codes of rows from draws of the prior, and the encoder to fool it.
//!
//! What a VAE's KL does to every posterior, the critic does to all codes together: q(z) = ∫ q(z | x) p(x) dx is brought to p(z)
//! (Makhzani et al. 2016, section 2; codes are deterministic). Reconstruction and critic are minimised in one pass, as in Tolstikhin et al.
//! 2018, algorithm 1: a step along one would be undone by a step along the other.

use std::sync::Arc;

use super::beside::{Both, plan};
use super::critic::accuracy;
use super::{AdversarialLoss, Critic, HIDDEN};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::data::Shape;
use crate::distributions::{Heads, Measure};
use crate::engine::models::autoencoder::{check, likelihood_of};
use crate::engine::models::{
    Autoencoder, Batch, Can, Condition, Decode, Encode, Generate, LabelUse, Model, ModelConfig, ModelEntry, RowForm,
    Rows, Terms, TrainingPlan,
};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::nn::Mlp;

/// The model `aae`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "aae",
        aliases: &["wae-gan"],
        name: "adversarial autoencoder: codes are points, which a critic brings to the prior; draws new rows",
        formula: "−ln p(x|f(x)) − λ ln D(f(x)), critic: −ln D(z) − ln(1 − D(f(x))), z ~ N(0, I)",
        source: "Makhzani et al. 2016; in one pass: Tolstikhin et al. 2018, algorithm 1",
        settings: &[
            Setting {
                name: "lambda",
                default: Usual::Number(10.0),
                bounds: Bounds::NotNegative,
                meaning: "λ, what fooling the critic weighs beside the reconstruction",
            },
            HIDDEN,
        ],
        example: "elbo train --model aae:lambda=20 --data mnist",
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
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let likelihood = Heads::of(form.schema, &likelihood_of(config)?);
    let (networks, settings) = (config.networks(sizes)?, config.kind.settings());
    let hidden = Arc::new(Mlp::new(settings.wholes(HIDDEN.name), networks.encoder.activation()));
    let inner = Autoencoder::with_networks(sizes, config.latent, networks, likelihood);
    let critic = Critic::new(Shape::vector(config.latent), hidden, false);
    Ok(Box::new(Aae::new(inner, critic, settings.get("lambda") as f32)))
}

/// An autoencoder with a critic of its codes.
#[derive(Clone, Debug)]
pub struct Aae {
    inner: Autoencoder,
    critic: Critic,
    lambda: f32,
}

impl Aae {
    /// An autoencoder, a critic of codes, and λ.
    pub fn new(inner: Autoencoder, critic: Critic, lambda: f32) -> Aae {
        Aae { inner, critic, lambda }
    }

    fn both<'g>(&self, batch: &Batch<'g>) -> Both<'g> {
        let terms = self.inner.terms(batch);
        let (z, loss) = (terms.mu, AdversarialLoss::NonSaturating);
        let prior = self.critic.score(self.codes(z.graph(), batch.rows.count()));
        let detached = self.critic.score(z.detach());
        let fooling = loss.of_maker(self.critic.score(z));
        let critic = loss.of_critic(prior, detached);
        let parts =
            vec![("fooling", fooling), ("critic_loss", critic), ("discriminator_accuracy", accuracy(prior, detached))];
        Both { terms: Terms { loss: terms.loss + fooling * self.lambda, parts, ..terms }, critic }
    }
}

impl Model for Aae {
    fn features(&self) -> usize {
        self.inner.features()
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.inner.measure(black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        plan(|batch| self.both(batch))
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.both(batch).terms
    }

    /// What its reconstruction costs.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.inner.score(rows)
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can { generate: Some(self), ..self.inner.can() }
    }
}

impl Generate for Aae {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, self.inner.latent()])
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        Some([graph.full(0.0, &[1, self.inner.latent()]); 2])
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(&self.inner, self.codes(graph, rows), None)
    }
}
