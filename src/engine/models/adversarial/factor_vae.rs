//! FactorVAE: a VAE whose loss holds the total correlation of its codes, told by a discriminator.
//!
//! −ELBO + γ TC, TC = KL(q(z) ‖ Π_d q(z_d)) ≈ E_q[ln D(z)/(1 − D(z))], D being the probability that a code is of a row and not of
//! dimensions that are shuffled apart (Kim & Mnih 2018, section 3 and algorithm 2). Both are moved in one pass: the discriminator sees
//! codes that are detached from the encoder.

use std::sync::Arc;

use super::beside::{Both, plan};
use super::critic::accuracy;
use super::{AdversarialLoss, Critic, HIDDEN, permuted};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::data::Shape;
use crate::distributions::{CodeSpace, Measure};
use crate::engine::models::checks::check_one_layer;
use crate::engine::models::{
    Batch, Can, Condition, LabelUse, Model, ModelConfig, ModelEntry, RowForm, Rows, Terms, TrainingPlan, Vae,
};
use crate::error::Result;
use crate::graph::Tensor;
use crate::nn::Mlp;
use crate::problems::Problems;

/// The model `factor-vae`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "factor-vae",
        aliases: &[],
        name: "FactorVAE: a VAE whose codes are driven to independent dimensions by a discriminator",
        formula: "−ELBO + γ E_q[ln D(z)/(1 − D(z))], discriminator: −½ ln D(z) − ½ ln(1 − D(z'))",
        source: "Kim & Mnih 2018, algorithm 2",
        settings: &[
            Setting {
                name: "gamma",
                default: Usual::Number(10.0),
                bounds: Bounds::NotNegative,
                meaning: "γ, what the total correlation weighs beside the −ELBO; 10 to 40 in the paper",
            },
            HIDDEN,
        ],
        example: "elbo train --model factor-vae:gamma=20",
    },
    labels: LabelUse::Ignored,
    is_variational: true,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: None,
    build,
    check,
};

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let form = RowForm { condition: 0, ..form };
    let (sizes, settings) = (form.sizes(), config.kind.settings());
    let networks = config.networks(sizes)?;
    let hidden = Arc::new(Mlp::new(settings.wholes(HIDDEN.name), networks.encoder.activation()));
    let inner = Vae::with_networks(sizes, config.latent, networks, config.parts_for(form.schema)?);
    let critic = Critic::new(Shape::vector(config.latent), hidden, false);
    Ok(Box::new(FactorVae::new(inner, critic, settings.get("gamma") as f32)))
}

fn check(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    let objective = &config.objective.id;
    problems.note(
        objective != "elbo",
        format!(
            "a factor-vae minimises the −ELBO and the total correlation, and the objective `{objective}` is given: leave it out, or train a vae"
        ),
    );
    problems.note(
        config.latent > batch,
        format!(
            "a factor-vae takes each of the {} dimensions of a code from another row, and `batch` is {batch}: give at least as many rows \
             as `latent`",
            config.latent
        ),
    );
    problems.note(
        config.parts().is_ok_and(|parts| parts.posterior.codes() != CodeSpace::Real),
        format!(
            "a factor-vae shuffles the dimensions of codes, and those of the posterior `{}` belong together",
            config.posterior
        ),
    );
    check_one_layer(config, batch, problems);
}

/// A VAE with a discriminator of its codes.
#[derive(Clone, Debug)]
pub struct FactorVae {
    inner: Vae,
    critic: Critic,
    gamma: f32,
}

impl FactorVae {
    /// A VAE, a discriminator of codes, and γ.
    pub fn new(inner: Vae, critic: Critic, gamma: f32) -> FactorVae {
        FactorVae { inner, critic, gamma }
    }

    fn both<'g>(&self, batch: &Batch<'g>) -> Both<'g> {
        let (terms, z) = self.inner.terms_and_codes(batch);
        let correlation = self.critic.score(z);
        let [shuffled, share] = permuted(z.detach(), batch.weights);
        let [together, apart] = [z.detach(), shuffled].map(|z| self.critic.score(z));
        let loss = AdversarialLoss::NonSaturating;
        let critic = (loss.of_real(together) + loss.of_made(apart) * share) * 0.5;
        let parts = vec![
            ("total_correlation", correlation),
            ("critic_loss", critic),
            ("discriminator_accuracy", accuracy(together, apart)),
        ];
        Both { terms: Terms { loss: terms.loss + correlation * self.gamma, parts, ..terms }, critic }
    }
}

impl Model for FactorVae {
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

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.inner.score(rows)
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.inner.scalar(name, epochs)
    }

    fn couples_rows(&self) -> Option<String> {
        Some(
            "the model factor-vae makes codes of the dimensions of several rows, so that none can weigh more"
                .to_owned(),
        )
    }

    fn can(&self) -> Can<'_> {
        self.inner.can()
    }
}
