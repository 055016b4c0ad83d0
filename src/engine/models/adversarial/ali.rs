//! Adversarially learnt inference (Dumoulin et al. 2017), and with codes that are points a bidirectional GAN (Donahue et al. 2017): a
//! discriminator learns to tell rows with the codes that an encoder gives them from codes with the rows that a generator makes of them.
//!
//! With z̃ = E(x) of a row x and x̃ = G(z) of a draw z ~ N(0, I), s(x, z) being the score of a pair:
//!
//! ```text
//! discriminator:          L_D(s(x, z̃)) + L_D'(s(x̃, z))
//! encoder and generator:  L_G(s(x̃, z)) + L_G(−s(x, z̃))
//! ```
//!
//! Where it can tell nothing, both joint distributions are one, and each network undoes the other (Donahue et al. 2017, theorem 2). Both losses
//! are of one pass (Dumoulin et al. 2017, algorithm 1). No error of what is rebuilt is minimised; the log tells it.

use strum::{EnumString, VariantNames};

use super::beside::{Both, plan};
use super::critic::accuracy;
use super::{AdversarialLoss, CRITICS_OPTIMISER, Critic, LOSS, SPECTRAL, check_no_penalty};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::distributions::{Measure, Prior, StandardNormal};
use crate::engine::models::checks::{check_beta, check_unused};
use crate::engine::models::{
    Autoencoder, Batch, Can, Condition, Decode, Encode, Generate, LabelUse, Model, ModelConfig, ModelEntry,
    OwnTraining, Reconstruct, RowForm, Rows, Terms, TrainingPlan, Vae,
};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::problems::Problems;

/// The model `ali`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "ali",
        aliases: &["bigan"],
        name: "adversarially learnt inference, or bidirectional GAN: rows are made of noise, and an encoder learns what noise a row is made of",
        formula: "discriminator: −ln D(x, E(x)) − ln(1 − D(G(z), z)), encoder and generator: −ln D(G(z), z) − ln(1 − D(x, E(x))), z ~ N(0, I)",
        source: "Dumoulin et al. 2017, algorithm 1; with codes that are points: Donahue, Krähenbühl & Darrell 2017, equation 3",
        settings: &[
            Setting {
                name: "codes",
                default: Usual::Word("gaussian"),
                bounds: Bounds::OneOf(Codes::VARIANTS),
                meaning: "what the encoder gives a row: a Gaussian that a code is drawn from (ALI), or a point (BiGAN)",
            },
            LOSS,
            SPECTRAL,
        ],
        example: "elbo train --model ali:codes=point --data mnist",
    },
    labels: LabelUse::Ignored,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: Some(OwnTraining { optimiser: CRITICS_OPTIMISER, learning_rate: 2e-4, activation: None }),
    build,
    check,
};

/// What an encoder gives rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
enum Codes {
    /// Means and variances, of which codes are drawn.
    Gaussian,
    /// Codes.
    Point,
}

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let form = RowForm { condition: 0, ..form };
    let (sizes, settings, networks) = (form.sizes(), config.kind.settings(), config.networks(form.sizes())?);
    let spectral = settings.word::<String>(SPECTRAL.name) == "yes";
    let critic = Critic::like(&networks.encoder, sizes.shape, spectral)?;
    let parts = config.parts_for(form.schema)?;
    let inner: Box<dyn Model> = match settings.word("codes") {
        Codes::Gaussian => Box::new(Vae::with_networks(sizes, config.latent, networks, parts)),
        Codes::Point => Box::new(Autoencoder::with_networks(sizes, config.latent, networks, parts.likelihood)),
    };
    Ok(Box::new(Ali { inner, critic, loss: settings.word(LOSS.name) }))
}

fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_beta(config, ", or train a vae", problems);
    check_no_penalty(config, problems);
    check_unused(config, problems);
}

/// An encoder and a generator with a discriminator of pairs.
#[derive(Debug)]
struct Ali {
    /// What encodes, decodes and rebuilds rows: its decoder is the generator.
    inner: Box<dyn Model>,
    critic: Critic,
    loss: AdversarialLoss,
}

impl Ali {
    fn encoder(&self) -> &dyn Encode {
        self.inner.can().encode.expect("what it stands on has an encoder")
    }

    fn generator(&self) -> &dyn Decode {
        self.inner.can().decode.expect("what it stands on has a decoder")
    }

    fn rebuilding(&self) -> &dyn Reconstruct {
        self.inner.can().reconstruct.expect("what it stands on rebuilds rows")
    }

    fn both<'g>(&self, batch: &Batch<'g>) -> Both<'g> {
        let (rows, graph) = (batch.rows, batch.rows.x.graph());
        // What was not observed of rows is 0 in what is made as well.
        let seen =
            |made: Tensor<'g>| rows.observed.filter(|_| !rows.is_guessed).map_or(made, |observed| made * observed);
        let reconstruction = self.rebuilding().feature_losses(rows).sum_rows();
        let (drawn, code) = (self.codes(graph, rows.count()), self.encoder().draw(rows, 1));
        let made = seen(self.generator().mean(drawn, None));
        let [real, fake] = [[rows.x, code], [made, drawn]].map(|[x, z]| self.critic.score_told(x, z));
        let fooling = self.loss.of_maker(fake) + self.loss.of_maker(-real);
        let [real, fake] = [[rows.x, code], [made, drawn]].map(|[x, z]| self.critic.score_told(x.detach(), z.detach()));
        let critic = self.loss.of_critic(real, fake);
        let parts = vec![("critic_loss", critic), ("discriminator_accuracy", accuracy(real, fake))];
        let mu = self.encoder().mean(rows);
        Both { terms: Terms { loss: fooling, reconstruction, kl: None, mu, parts, gradient_scale: None }, critic }
    }
}

impl Model for Ali {
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

    /// How unlike a real row it is, with its code, to the discriminator.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.loss.of_row(self.critic.score_told(rows.x, self.encoder().mean(rows)))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.inner.scalar(name, epochs)
    }

    /// Rows have no likelihood: what the generator learns is none.
    fn can(&self) -> Can<'_> {
        Can {
            generate: Some(self),
            density: None,
            posterior: None,
            fit_prior: None,
            compress: None,
            ..self.inner.can()
        }
    }
}

impl Generate for Ali {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, self.encoder().latent()])
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        StandardNormal.gaussian(graph, self.encoder().latent())
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.generator().mean(self.codes(graph, rows), None)
    }
}
