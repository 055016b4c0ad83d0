//! VAE-GAN: a VAE whose reconstruction is measured in the features of a discriminator, which learns to tell rows of the data from
//! reconstructions and from draws.
//!
//! With f(x) the discriminator's last hidden layer, s(x) its score, z ~ q(z | x), z_p ~ p(z), x̃ = g(z) and x_p = g(z_p) (Larsen et al.
//! 2016, algorithm 1):
//!
//! ```text
//! encoder:        KL(q(z|x) ‖ p(z)) + ½‖f(x) − f(x̃)‖²
//! decoder:        γ ½‖f(x) − f(x̃)‖² + L_G(s(x̃)) + L_G(s(x_p))
//! discriminator:  L_D(s(x)) + L_D'(s(x̃)) + L_D'(s(x_p))
//! ```
//!
//! All of it is one pass with three losses, each of which moves its own group alone. The paper's L_G is −ln(1 − D), as `minimax` has
//! it; here it usually is −ln D of opposite sign, which does not saturate.

use super::critic::accuracy;
use super::{AdversarialLoss, CRITIC, CRITICS_OPTIMISER, Critic, LOSS, SPECTRAL, check_no_penalty};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::distributions::Measure;
use crate::engine::models::checks::check_unused;
use crate::engine::models::{
    Batch, Can, Condition, Decode, Generate, Group, GroupLoss, LabelUse, Model, ModelConfig, ModelEntry, OwnTraining,
    Phase, RowForm, Rows, Terms, TrainingPlan, Vae,
};
use crate::error::Result;
use crate::graph::Tensor;
use crate::objectives::BETA;
use crate::problems::Problems;

/// The model `vae-gan`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "vae-gan",
        aliases: &["vaegan"],
        name: "VAE-GAN: a VAE whose reconstruction is measured in the features of a discriminator",
        formula: "encoder: KL + ½‖f(x) − f(x̃)‖², decoder: γ ½‖f(x) − f(x̃)‖² − ln D(x̃) − ln D(x_p), discriminator: −ln D(x) − ln(1 − D(x̃)) − ln(1 − D(x_p))",
        source: "Larsen et al. 2016, algorithm 1",
        settings: &[
            Setting {
                name: "gamma",
                default: Usual::Number(0.01),
                bounds: Bounds::NotNegative,
                meaning: "γ, what the reconstruction weighs for the decoder beside fooling the discriminator",
            },
            LOSS,
            SPECTRAL,
        ],
        example: "elbo train --model vae-gan:gamma=0.05 --data mnist",
    },
    labels: LabelUse::Ignored,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: Some(OwnTraining { optimiser: CRITICS_OPTIMISER, learning_rate: 3e-4, activation: None }),
    build,
    check,
};

/// The groups of the encoder and of the decoder.
const ENCODER: &str = "encoder";
const DECODER: &str = "decoder";

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let form = RowForm { condition: 0, ..form };
    let (sizes, settings) = (form.sizes(), config.kind.settings());
    let networks = config.networks(sizes)?;
    let spectral = settings.word::<String>(SPECTRAL.name) == "yes";
    let critic = Critic::like(&networks.encoder, sizes.shape, spectral)?;
    let inner = Vae::with_networks(sizes, config.latent, networks, config.parts_for(form.schema)?);
    Ok(Box::new(VaeGan::new(inner, critic, settings.word(LOSS.name), settings.get("gamma") as f32)))
}

fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_no_penalty(config, problems);
    check_unused(config, problems);
}

/// A VAE with a discriminator of rows.
#[derive(Clone, Debug)]
pub struct VaeGan {
    inner: Vae,
    critic: Critic,
    loss: AdversarialLoss,
    gamma: f32,
}

/// What the three minimise of a batch.
struct Three<'g> {
    /// With the loss of the encoder.
    terms: Terms<'g>,
    decoder: Tensor<'g>,
    discriminator: Tensor<'g>,
}

impl VaeGan {
    /// A VAE, of which the likelihood says what the decoder's outputs are and is measured, a discriminator of rows, what it is played by,
    /// and γ.
    pub fn new(inner: Vae, critic: Critic, loss: AdversarialLoss, gamma: f32) -> VaeGan {
        VaeGan { inner, critic, loss, gamma }
    }

    fn three<'g>(&self, batch: &Batch<'g>) -> Three<'g> {
        let rows = batch.rows;
        let (terms, z) = self.inner.terms_and_codes(batch);
        let graph = z.graph();
        // What was not observed of rows is 0 in what is made as well.
        let seen =
            |made: Tensor<'g>| rows.observed.filter(|_| !rows.is_guessed).map_or(made, |observed| made * observed);
        let rebuilt = seen(Decode::mean(&self.inner, z, None));
        let drawn = seen(Generate::rows(&self.inner, graph, rows.count(), None));
        let [real, rebuilt, drawn] = [rows.x, rebuilt, drawn].map(|x| self.critic.judge(x));
        let features = (real.features - rebuilt.features).square().sum_rows() * 0.5;
        let kl = terms.kl.expect("a VAE has a KL divergence").sum_rows();
        let fooling = self.loss.of_maker(rebuilt.score) + self.loss.of_maker(drawn.score);
        let decoder = features * self.gamma + fooling;
        let discriminator =
            self.loss.of_real(real.score) + self.loss.of_made(rebuilt.score) + self.loss.of_made(drawn.score);
        let parts = vec![
            ("features", features),
            ("generator_loss", fooling),
            ("discriminator_loss", discriminator),
            ("discriminator_accuracy", accuracy(real.score, drawn.score)),
        ];
        let loss = kl * graph.scalar(BETA) + features;
        Three { terms: Terms { loss, parts, gradient_scale: None, ..terms }, decoder, discriminator }
    }
}

impl Model for VaeGan {
    fn features(&self) -> usize {
        self.inner.features()
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::Features
    }

    fn plan(&self) -> TrainingPlan<'_> {
        let phase = Phase::new("train", |batch| {
            let Three { terms, decoder, discriminator } = self.three(batch);
            let mut losses = terms.minimised_by(ENCODER);
            for (group, loss) in [(DECODER, decoder), (CRITIC, discriminator)] {
                losses.losses.push(GroupLoss { groups: vec![group], loss, gradient_scale: None });
            }
            losses
        });
        // The encoder's last layer has a scope of its own, so that its group is whatever the others leave.
        let groups = vec![Group::new(ENCODER, ""), Group::new(DECODER, DECODER), Group::new(CRITIC, CRITIC)];
        TrainingPlan { groups, phases: vec![phase] }
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.three(batch).terms
    }

    /// What the encoder minimises of it.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let (terms, z) = self.inner.terms_and_codes(&Batch::whole(rows));
        let [real, rebuilt] = [rows.x, Decode::mean(&self.inner, z, None)].map(|x| self.critic.judge(x).features);
        terms.kl.expect("a VAE has a KL divergence").sum_rows() + (real - rebuilt).square().sum_rows() * 0.5
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.inner.scalar(name, epochs)
    }

    /// Rows have no likelihood: what the decoder learns is none.
    fn can(&self) -> Can<'_> {
        Can { density: None, posterior: None, fit_prior: None, compress: None, ..self.inner.can() }
    }
}
