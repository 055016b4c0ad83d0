//! Adversarial variational Bayes: the posterior is whatever a network makes of a row and of noise. Its density is known to nobody, and a critic of
//! rows with codes learns the logarithm of what it is over the prior's.
//!
//! With z = f(x, ε), ε ~ N(0, I), a draw z_p ~ N(0, I) and the score T(x, z) of a pair (Mescheder, Nowozin & Geiger 2017, equations 3.3 and 3.7, and
//! algorithm 1):
//!
//! ```text
//! critic:               −ln σ(T(x, z)) − ln(1 − σ(T(x, z_p)))
//! encoder and decoder:  −ln p(x|z) + T(x, z)
//! ```
//!
//! The critic's loss is least at T* = ln q(z|x) − ln p(z) (proposition 1), where the second is −ELBO in the mean. The gradient of E[T*] with
//! respect to the encoder is that through z alone (proposition 2). Both losses are of one pass, in place of steps in turn. The paper's adaptive
//! contrast (section 3.3) is not used. Short of T*, T tells
//! less of the KL than there is, so that −ELBO by it is an estimate and no bound. A critic that is nearly always right is no failure here: codes of a
//! row lie much closer together than those of the prior.

use std::sync::Arc;

use super::beside::{Both, plan};
use super::critic::accuracy;
use super::{AdversarialLoss, CRITICS_OPTIMISER, Critic};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::distributions::{Likelihood, Measure, Prior, StandardNormal};
use crate::engine::models::checks::{check_beta, check_unused};
use crate::engine::models::networks::Networks;
use crate::engine::models::{
    Batch, Can, Condition, Decode, Encode, Generate, LabelUse, Model, ModelConfig, ModelEntry, OwnTraining, Parts,
    Reconstruct, RowForm, Rows, Sizes, Terms, TrainingPlan,
};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::problems::Problems;

/// The statistic T(x, z), in nats: what a critic makes of ln q(z | x) − ln p(z), in place of a KL.
pub const LOG_RATIO: &str = "log_ratio";

/// The model `avb`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "avb",
        aliases: &["adversarial-variational-bayes"],
        name: "adversarial variational Bayes: an encoder makes codes of a row and noise, and a critic learns how dense they lie",
        formula: "−ln p(x|z) + T(x, z), z = f(x, ε), critic: −ln σ(T(x, z)) − ln(1 − σ(T(x, z_p))), z_p, ε ~ N(0, I)",
        source: "Mescheder, Nowozin & Geiger 2017, algorithm 1",
        settings: &[Setting {
            name: "noise",
            default: Usual::Number(32.0),
            bounds: Bounds::Whole(1, 4096),
            meaning: "dimensions of ε, the noise that the encoder is given beside a row",
        }],
        example: "elbo train --model avb:noise=16 --data mnist",
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

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let (hidden, noise) = (config.networks(sizes)?, config.kind.settings().whole("noise"));
    let critic = Critic::like(&hidden.encoder, sizes.shape, false)?;
    let Parts { likelihood, .. } = config.parts_for(form.schema)?;
    let outputs = likelihood.outputs(sizes.features());
    // What is known of a row beside its values, to the encoder alone, is the noise.
    let networks = Networks::new(Sizes { condition: noise, ..sizes }, config.latent, hidden, config.latent, outputs);
    Ok(Box::new(Avb { networks, likelihood, critic }))
}

fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_beta(config, ", or train a vae", problems);
    check_unused(config, problems);
}

/// An encoder with noise and a decoder, and a critic of pairs.
#[derive(Debug)]
struct Avb {
    networks: Networks,
    likelihood: Arc<dyn Likelihood>,
    critic: Critic,
}

impl Avb {
    /// Codes of rows and of noise `[rows·samples, noise]`, those of one row behind each other. `[rows·samples, latent]`
    fn codes_of<'g>(&self, rows: Rows<'g>, noise: Tensor<'g>) -> Tensor<'g> {
        let x = rows.input().repeat_rows(noise.shape()[0] / rows.count());
        self.networks.encode(Rows { y: Some(noise), ..x.into() })
    }

    /// What one code of each row costs that is drawn: ln p(x | z), and T(x, z), each `[rows, 1]`; and the code.
    fn drawn<'g>(&self, rows: Rows<'g>) -> [Tensor<'g>; 3] {
        let z = Encode::draw(self, rows, 1);
        let log_likelihood = self.networks.log_likelihood(&*self.likelihood, z, rows);
        [log_likelihood, self.critic.score_told(rows.x, z), z]
    }

    fn both<'g>(&self, batch: &Batch<'g>) -> Both<'g> {
        let (rows, loss) = (batch.rows, AdversarialLoss::NonSaturating);
        let [log_likelihood, ratio, z] = self.drawn(rows);
        let prior = self.codes(z.graph(), rows.count());
        let [of_row, of_prior] = [z.detach(), prior].map(|z| self.critic.score_told(rows.x, z));
        let critic = loss.of_critic(of_row, of_prior);
        let parts = vec![(LOG_RATIO, ratio), ("critic_loss", critic), ("critic_accuracy", accuracy(of_row, of_prior))];
        let (reconstruction, mu) = (-log_likelihood, z.graph().unfollowed(|| Encode::mean(self, rows)));
        let terms = Terms { loss: reconstruction + ratio, reconstruction, kl: None, mu, parts, gradient_scale: None };
        Both { terms, critic }
    }
}

impl Model for Avb {
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
        plan(|batch| self.both(batch))
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.both(batch).terms
    }

    /// −ELBO, as far as the critic knows.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let [log_likelihood, ratio, _] = self.drawn(rows);
        ratio - log_likelihood
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    /// Rows have no likelihood that could be estimated, as codes have no known density.
    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: Some(self),
            density: None,
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for Avb {
    fn latent(&self) -> usize {
        self.networks.latent()
    }

    /// The code that belongs to the middle of the noise, ε = 0: the mean has no closed form.
    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let noise = rows.x.graph().full(0.0, &[rows.count(), self.networks.condition()]);
        self.codes_of(rows, noise)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let graph = rows.x.graph();
        self.codes_of(rows, graph.normal(graph.stream(), &[rows.count() * samples, self.networks.condition()]))
    }

    fn variance<'g>(&self, _: Rows<'g>) -> Option<Tensor<'g>> {
        None
    }
}

impl Decode for Avb {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.likelihood.mean(self.networks.decode(z, None))
    }

    fn variance<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.variance(self.networks.decode(z, None))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.sample(self.networks.decode(z, None))
    }
}

impl Reconstruct for Avb {
    /// At the code of ε = 0.
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, Encode::mean(self, rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let z = Encode::draw(self, rows, 1);
        -rows.log_likelihoods(&*self.likelihood, self.networks.decode(z, None))
    }
}

impl Generate for Avb {
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
