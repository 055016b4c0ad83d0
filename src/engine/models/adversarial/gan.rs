//! The generative adversarial network: a generator makes rows of noise, and a discriminator learns to tell them from those of the data.
//!
//! The two take turns: the discriminator is moved in every iteration, the generator in every k-th (Goodfellow et al. 2014, algorithm 1).
//! In its turn, each makes rows anew; those that the discriminator sees are detached from the generator.

use std::sync::Arc;

use super::critic::accuracy;
use super::{AdversarialLoss, CRITIC, CRITICS_OPTIMISER, Critic, LOSS, SPECTRAL, gradient_penalty};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual, build as build_piece};
use crate::distributions::{Likelihood, Measure, Prior, StandardNormal};
use crate::engine::models::checks::{check_beta, check_unused};
use crate::engine::models::networks::{NetworkPair, Networks};
use crate::engine::models::{
    Batch, Can, Condition, Decode, Generate, Group, LabelUse, Losses, Model, ModelConfig, ModelEntry, OwnTraining,
    Phase, RowForm, Rows, Sizes, Terms, TrainingPlan,
};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::nn::NETWORKS;
use crate::problems::Problems;

/// The model `gan`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "gan",
        aliases: &[],
        name: "generative adversarial network: rows are made of noise, and a discriminator learns to tell them from the data",
        formula: "discriminator: −ln D(x) − ln(1 − D(G(z))), generator: −ln D(G(z)), z ~ N(0, I)",
        source: "Goodfellow et al. 2014; hinge: Lim & Ye 2017; penalty: Gulrajani et al. 2017; spectral: Miyato et al. 2018",
        settings: &[
            LOSS,
            Setting {
                name: "critic-steps",
                default: Usual::Number(1.0),
                bounds: Bounds::Whole(1, 100),
                meaning: "steps of the discriminator to one of the generator; 5 with wgan-gp in the paper",
            },
            Setting {
                name: "penalty",
                default: Usual::Number(10.0),
                bounds: Bounds::NotNegative,
                meaning: "λ, what the gradient penalty of wgan-gp weighs",
            },
            SPECTRAL,
            Setting {
                name: "generator-rate",
                default: Usual::Number(1.0),
                bounds: Bounds::PositiveTo(100.0),
                meaning: "what the learning rate is multiplied with for the generator (two time scales, Heusel et al. 2017)",
            },
        ],
        example: "elbo train --model gan:spectral=yes --data mnist",
    },
    labels: LabelUse::Ignored,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: Some(OwnTraining { optimiser: CRITICS_OPTIMISER, learning_rate: 2e-4, activation: Some("leaky-relu") }),
    build,
    check,
};

/// The group of the generator's parameters, and its phase.
const GENERATOR: &str = "generator";

/// How the two are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GanOptions {
    /// What they minimise.
    pub loss: AdversarialLoss,
    /// Iterations from one of the generator's steps to the next; the discriminator is moved in each.
    pub critic_steps: u64,
    /// λ, what the gradient penalty weighs, of [`AdversarialLoss::WganGp`].
    pub penalty: f32,
    /// Whether the discriminator's weights are divided by their largest singular value.
    pub spectral: bool,
    /// What the learning rate is multiplied with for the generator (two time scales, Heusel et al. 2017).
    pub generator_rate: f64,
}

impl Default for GanOptions {
    fn default() -> GanOptions {
        GanOptions {
            loss: AdversarialLoss::default(),
            critic_steps: 1,
            penalty: 10.0,
            spectral: false,
            generator_rate: 1.0,
        }
    }
}

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let likelihood = config.parts_for(form.schema)?.likelihood;
    let settings = config.kind.settings();
    let options = GanOptions {
        loss: settings.word(LOSS.name),
        critic_steps: settings.whole("critic-steps") as u64,
        penalty: settings.get("penalty") as f32,
        spectral: settings.word::<String>(SPECTRAL.name) == "yes",
        generator_rate: settings.get("generator-rate"),
    };
    Ok(Box::new(Gan::with_networks(sizes, config.latent, config.networks(sizes)?, likelihood, options)?))
}

fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_beta(config, ", or train a vae", problems);
    let is_penalised = config.kind.settings().word::<AdversarialLoss>(LOSS.name) == AdversarialLoss::WganGp;
    let couples = build_piece(NETWORKS, &config.encoder).is_ok_and(|network| network.couples_rows());
    problems.note(
        is_penalised && couples,
        format!(
            "the gradient penalty of wgan-gp is of each row by itself, and the network `{}` normalises over the rows of a batch: give \
             norm=layer or norm=none, or another loss",
            config.encoder
        ),
    );
    check_unused(config, problems);
}

/// A generator and a discriminator.
#[derive(Clone, Debug)]
pub struct Gan {
    /// Of which the decoder is the generator; its parameters lie in the scope `decoder`.
    networks: Networks,
    critic: Critic,
    likelihood: Arc<dyn Likelihood>,
    options: GanOptions,
}

/// What the discriminator learns from a batch, each `[rows, 1]`.
struct Turn<'g> {
    loss: Tensor<'g>,
    parts: Vec<(&'static str, Tensor<'g>)>,
}

impl Gan {
    /// A GAN of rows of these sizes from `latent` normal numbers: the discriminator has the encoder's hidden layers, the generator the
    /// decoder's. What the generator makes is the likelihood's mean, which is its one use: that brings values into their range.
    ///
    /// # Errors
    /// If the encoder's network cannot give one number of a row.
    pub fn with_networks(
        sizes: Sizes,
        latent: usize,
        hidden: NetworkPair,
        likelihood: Arc<dyn Likelihood>,
        options: GanOptions,
    ) -> Result<Gan> {
        let critic = Critic::like(&hidden.encoder, sizes.shape, options.spectral)?;
        let outputs = likelihood.outputs(sizes.features());
        Ok(Gan { networks: Networks::new(sizes, latent, hidden, 0, outputs), critic, likelihood, options })
    }

    /// As many new rows as there are rows; what was not observed of these is 0 in those as well.
    fn made<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let made = self.rows(rows.x.graph(), rows.count(), None);
        rows.observed.filter(|_| !rows.is_guessed).map_or(made, |observed| made * observed)
    }

    fn discriminator<'g>(&self, rows: Rows<'g>) -> Turn<'g> {
        let made = self.made(rows).detach();
        let [real, fake] = [rows.x, made].map(|x| self.critic.score(x));
        let loss = self.options.loss.of_critic(real, fake);
        let mut parts = vec![("real_score", real), ("made_score", fake)];
        if self.options.loss.parts_at_zero() {
            parts.push(("discriminator_accuracy", accuracy(real, fake)));
            return Turn { loss, parts };
        }
        let [penalty, norm] = gradient_penalty(&self.critic, rows.x, made);
        parts.extend([("penalty", penalty), ("slope", norm)]);
        Turn { loss: loss + penalty * self.options.penalty, parts }
    }

    fn generator<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.options.loss.of_maker(self.critic.score(self.made(rows)))
    }
}

impl Model for Gan {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::Adversarial
    }

    fn plan(&self) -> TrainingPlan<'_> {
        let discriminator = Phase::new(CRITIC, |batch| {
            let Turn { loss, parts } = self.discriminator(batch.rows);
            let mut losses = Losses::of(CRITIC, "loss", loss);
            losses.statistics.extend(parts);
            losses
        });
        let generator =
            Phase::new(GENERATOR, |batch| Losses::of(GENERATOR, "generator_loss", self.generator(batch.rows)));
        let every = self.options.critic_steps;
        let learning_rate = self.options.generator_rate;
        TrainingPlan {
            groups: vec![Group::new(CRITIC, CRITIC), Group { learning_rate, ..Group::new(GENERATOR, "decoder") }],
            phases: vec![discriminator, Phase { every, after: every - 1, ..generator }],
        }
    }

    /// The discriminator's loss, and what else is known of the two. There are no codes of rows, and nothing is rebuilt.
    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let Turn { loss, mut parts } = self.discriminator(batch.rows);
        parts.push(("generator_loss", self.generator(batch.rows)));
        let mu = loss.graph().full(0.0, &[batch.rows.count(), self.networks.latent()]);
        Terms { loss, reconstruction: loss, kl: None, mu, parts, gradient_scale: None }
    }

    /// How unlike a real row it is to the discriminator.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.options.loss.of_row(self.critic.score(rows.x))
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: None,
            decode: Some(self),
            reconstruct: None,
            generate: Some(self),
            density: None,
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: None,
        }
    }
}

impl Decode for Gan {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.likelihood.mean(self.networks.decode(z, None))
    }

    /// A generator says what a row is, and not how likely others are.
    fn draw<'g>(&self, _: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        None
    }
}

impl Generate for Gan {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, self.networks.latent()])
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        StandardNormal.gaussian(graph, self.networks.latent())
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), None)
    }
}
