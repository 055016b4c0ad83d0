//! The regularised autoencoder: codes are points, kept near 0, and the decoder is smooth, so that codes between those of rows decode to
//! something like rows.
//!
//! −ln p(x | f(x)) + β ½‖f(x)‖² + λ R, R being ‖θ‖² of the decoder's parameters, or ‖∂g/∂z‖² at the code, or nothing where the decoder's
//! weights are divided by their largest singular values (Ghosh et al. 2020, equations 9 to 11). New rows come from a density that is fitted to
//! codes afterwards, as `elbo fit-prior` does. A prior that is learnt learns beside the autoencoder, and has no say in it.

use std::sync::Arc;

use strum::{EnumString, VariantNames};

use super::autoencoder::{Autoencoder, check_error, likelihood_of};
use super::checks::{check_each_by_itself, check_not_chosen, check_prior_of_points};
use super::{
    Batch, Can, Condition, Decode, FitPrior, Generate, LabelUse, Model, ModelConfig, ModelEntry, RowForm, Rows, Terms,
    TrainingPlan,
};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual, build as build_piece};
use crate::distributions::prior::Points;
use crate::distributions::{DiagonalGaussian, Encoder, Heads, Measure, PRIORS, Prior};
use crate::error::Result;
use crate::graph::{Graph, Role, Tensor};
use crate::problems::Problems;

/// The model `rae`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "rae",
        aliases: &["regularised-autoencoder"],
        name: "regularised autoencoder: codes are points, the decoder is smooth; draws are like rows once a prior is fitted to codes",
        formula: "−ln p(x|f(x)) + β ½‖f(x)‖² + λ R, R = ‖θ_decoder‖², ‖∂g(z)/∂z‖² or σ(W) = 1",
        source: "Ghosh et al. 2020, equations 9 to 11; ‖∂g/∂z‖² by a random projection: Hutchinson 1989",
        settings: &[
            Setting {
                name: "regulariser",
                default: Usual::Word("l2"),
                bounds: Bounds::OneOf(Regulariser::VARIANTS),
                meaning: "R, what keeps the decoder smooth",
            },
            Setting {
                name: "beta",
                default: Usual::Number(0.01),
                bounds: Bounds::NotNegative,
                meaning: "β, what half the squared length of a code costs",
            },
            Setting {
                name: "lambda",
                default: Usual::Number(0.001),
                bounds: Bounds::NotNegative,
                meaning: "λ, what R costs; no effect with `spectral` or `none`",
            },
        ],
        example: "elbo train --model rae:regulariser=gradient-penalty --data mnist",
    },
    labels: LabelUse::Ignored,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    quantises: false,
    explains_gaps: false,
    training: None,
    build,
    check,
};

/// What keeps a decoder smooth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Regulariser {
    /// The sum of the squares of its parameters.
    L2,
    /// The squared Frobenius norm of its Jacobian at the codes.
    GradientPenalty,
    /// Each of its weights is divided by its largest singular value.
    Spectral,
    /// Nothing.
    None,
}

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let likelihood = Heads::of(form.schema, &likelihood_of(config)?);
    let settings = config.kind.settings();
    let plain = Autoencoder::with_networks(sizes, config.latent, config.networks(sizes)?, likelihood);
    let costs = ["beta", "lambda"].map(|name| settings.get(name) as f32);
    Ok(Box::new(Rae::new(plain, build_piece(PRIORS, &config.prior)?, settings.word("regulariser"), costs)))
}

fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_error(config, problems);
    check_not_chosen(config, &[Kind::Posterior, Kind::Objective], problems);
    check_prior_of_points(config, problems);
    if config.kind.settings().word::<Regulariser>("regulariser") == Regulariser::GradientPenalty {
        check_each_by_itself(config, "differentiates each row", problems);
    }
}

/// An autoencoder with a smooth decoder.
#[derive(Clone, Debug)]
pub struct Rae {
    /// What gives codes, and rows for codes.
    inner: Autoencoder,
    /// What codes are drawn from.
    prior: Arc<dyn Prior>,
    regulariser: Regulariser,
    beta: f32,
    lambda: f32,
}

impl Rae {
    /// An autoencoder whose codes cost β, and whose decoder is kept smooth at the cost λ; codes are drawn from the prior.
    pub fn new(plain: Autoencoder, prior: Arc<dyn Prior>, regulariser: Regulariser, [beta, lambda]: [f32; 2]) -> Rae {
        Rae { inner: plain.spectral(regulariser == Regulariser::Spectral), prior, regulariser, beta, lambda }
    }

    /// R of each row `[rows, 1]`, of codes and what they are decoded to.
    fn smoothness<'g>(&self, z: Tensor<'g>, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        match self.regulariser {
            Regulariser::L2 => Some(squares_of_decoder(z.graph()).expand(&[z.shape()[0], 1])),
            Regulariser::GradientPenalty => Some(squared_jacobian(z, self.inner.likelihood.mean(outputs))),
            Regulariser::Spectral | Regulariser::None => None,
        }
    }

    /// ln p(z) of codes. `[rows, 1]`
    fn log_prior<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        self.prior.log_prob(z.into(), &self.encoder())
    }

    /// As a prior may want it; none that is made of it goes with codes that are points.
    fn encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.inner.networks, posterior: &DiagonalGaussian }
    }
}

/// Σ θ² over the parameters of the decoder. `[1, 1]`
fn squares_of_decoder(graph: &Graph) -> Tensor<'_> {
    let is_of_decoder = |name: &str| name.starts_with("decoder.");
    let all = graph.parameters().into_iter().filter(|spec| spec.role != Role::Assigned && is_of_decoder(&spec.name));
    let each = all.map(|spec| {
        let parameter = graph.parameter(&spec.name);
        let count = parameter.shape().iter().product();
        parameter.reshape(&[1, count]).square().sum_rows()
    });
    each.reduce(|a, b| a + b).expect("a decoder has parameters")
}

/// ‖∂g/∂z‖² of each row `[rows, 1]`, made being g(z): the mean of ‖vᵀ ∂g/∂z‖² over standard normals v, of one draw.
fn squared_jacobian<'g>(z: Tensor<'g>, made: Tensor<'g>) -> Tensor<'g> {
    let graph = z.graph();
    let along = graph.normal(graph.stream(), made.shape());
    (made * along).gradients(&[z])[0].square().sum_rows()
}

impl Model for Rae {
    fn features(&self) -> usize {
        self.inner.features()
    }

    fn condition(&self) -> Condition {
        self.inner.condition()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.inner.measure(black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let mu = self.inner.networks.encode(batch.rows);
        let outputs = self.inner.decode(mu);
        let reconstruction = -batch.rows.log_likelihood(&*self.inner.likelihood, outputs);
        let length = mu.square().sum_rows() * 0.5;
        let smoothness = self.smoothness(mu, outputs);
        let mut loss = reconstruction + length * self.beta;
        if let Some(smoothness) = smoothness {
            loss = loss + smoothness * self.lambda;
        }
        let mut parts = vec![("code_length", length)];
        parts.extend(smoothness.map(|smoothness| ("smoothness", smoothness)));
        let of_prior = -self.log_prior(mu.detach());
        if loss.graph().parameters().iter().any(|spec| spec.name.starts_with("prior.")) {
            loss = loss + of_prior;
            parts.push(("prior", of_prior));
        }
        Terms { loss, reconstruction, kl: None, mu, parts, gradient_scale: None }
    }

    /// What its reconstruction costs.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.inner.score(rows)
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can { generate: Some(self), fit_prior: Some(self), ..self.inner.can() }
    }
}

impl Generate for Rae {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.prior.sample(graph, rows, self.inner.networks.latent(), &self.encoder())
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        self.prior.gaussian(graph, self.inner.networks.latent())
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(&self.inner, self.codes(graph, rows), None)
    }
}

impl FitPrior for Rae {
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let terms = self.terms(batch);
        let fit_loss = self.prior.fit_loss(terms.mu.into(), &self.encoder());
        Terms { loss: fit_loss.unwrap_or_else(|| -self.log_prior(terms.mu)), parts: vec![], ..terms }
    }

    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        self.prior.data_dependent_init(points)
    }
}
