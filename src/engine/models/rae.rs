//! The regularised autoencoder: codes are points, kept near 0, and the decoder is smooth, so that codes between those of rows decode to
//! something like rows.
//!
//! −ln p(x | f(x)) + β ½‖f(x)‖² + λ R, R being ‖θ‖² of the decoder's parameters, or ‖∂g/∂z‖² at the code, or nothing where the decoder's
//! weights are divided by their largest singular values (Ghosh et al. 2020, equations 9 to 11). New rows come from a density that is fitted to
//! codes afterwards, as `elbo fit-prior` does. A prior that is learnt learns beside the autoencoder, and has no say in it.

use std::str::FromStr;
use std::sync::Arc;

use super::autoencoder::{check_error, likelihood_of};
use super::checks::{check_not_chosen, check_prior_of_points};
use super::networks::Networks;
use super::{
    Batch, Can, Condition, Decode, Encode, FitPrior, Generate, LabelUse, Model, ModelConfig, ModelEntry, Reconstruct,
    RowForm, Rows, Terms, TrainingPlan,
};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual, build as build_piece};
use crate::distributions::prior::Points;
use crate::distributions::{DiagonalGaussian, Encoder, Heads, Likelihood, Measure, PRIORS, Prior};
use crate::error::Result;
use crate::graph::{Graph, Role, Tensor};
use crate::nn::spectrally_normalised;
use crate::problems::Problems;

/// The model `rae`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "rae",
        aliases: &["regularised-autoencoder"],
        name: "regularised autoencoder: codes are points, the decoder is smooth; draws once a prior is fitted to codes",
        formula: "−ln p(x|f(x)) + β ½‖f(x)‖² + λ R, R = ‖θ_decoder‖², ‖∂g(z)/∂z‖² or σ(W) = 1",
        source: "Ghosh et al. 2020, equations 9 to 11; ‖∂g/∂z‖² by a random projection: Hutchinson 1989",
        settings: &[
            Setting {
                name: "regulariser",
                default: Usual::Word("l2"),
                bounds: Bounds::OneOf(&["l2", "gradient-penalty", "spectral", "none"]),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl FromStr for Regulariser {
    type Err = ();

    fn from_str(word: &str) -> std::result::Result<Regulariser, ()> {
        match word {
            "l2" => Ok(Regulariser::L2),
            "gradient-penalty" => Ok(Regulariser::GradientPenalty),
            "spectral" => Ok(Regulariser::Spectral),
            "none" => Ok(Regulariser::None),
            _ => Err(()),
        }
    }
}

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let likelihood = Heads::of(form.schema, &likelihood_of(config)?);
    let (latent, settings) = (config.latent, config.kind.settings());
    let outputs = likelihood.outputs(sizes.features());
    Ok(Box::new(Rae {
        networks: Networks::new(sizes, latent, config.networks(sizes)?, latent, outputs),
        likelihood,
        prior: build_piece(PRIORS, &config.prior)?,
        regulariser: settings.word("regulariser"),
        beta: settings.get("beta") as f32,
        lambda: settings.get("lambda") as f32,
    }))
}

fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_error(config, problems);
    check_not_chosen(config, &[Kind::Posterior, Kind::Objective], problems);
    check_prior_of_points(config, problems);
}

/// An autoencoder with a smooth decoder.
#[derive(Clone, Debug)]
pub struct Rae {
    /// The encoder, which gives codes, and the decoder.
    pub networks: Networks,
    /// What the reconstruction is measured by.
    pub likelihood: Arc<dyn Likelihood>,
    /// What codes are drawn from.
    pub prior: Arc<dyn Prior>,
    /// What keeps the decoder smooth.
    pub regulariser: Regulariser,
    /// β.
    pub beta: f32,
    /// λ.
    pub lambda: f32,
}

impl Rae {
    /// The decoder's outputs for codes.
    fn decode<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        let decode = || self.networks.decode(z, None);
        match self.regulariser {
            Regulariser::Spectral => spectrally_normalised(z.graph(), decode),
            _ => decode(),
        }
    }

    /// R of each row `[rows, 1]`, of codes and what they are decoded to.
    fn smoothness<'g>(&self, z: Tensor<'g>, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        match self.regulariser {
            Regulariser::L2 => Some(squares_of_decoder(z.graph()).expand(&[z.shape()[0], 1])),
            Regulariser::GradientPenalty => Some(squared_jacobian(z, self.likelihood.mean(outputs))),
            Regulariser::Spectral | Regulariser::None => None,
        }
    }

    /// ln p(z) of codes. `[rows, 1]`
    fn log_prior<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        self.prior.log_prob(z.into(), &self.encoder())
    }

    /// As a prior may want it; none that is made of it goes with codes that are points.
    fn encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.networks, posterior: &DiagonalGaussian }
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
        let outputs = self.decode(mu);
        let reconstruction = -batch.rows.log_likelihood(&*self.likelihood, outputs);
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
        -rows.log_likelihood(&*self.likelihood, self.decode(self.networks.encode(rows)))
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: Some(self),
            density: None,
            posterior: None,
            classify: None,
            fit_prior: Some(self),
            compress: None,
        }
    }
}

impl Encode for Rae {
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

impl Decode for Rae {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.likelihood.mean(self.decode(z))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.sample(self.decode(z))
    }
}

impl Reconstruct for Rae {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, Encode::mean(self, rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        -rows.log_likelihoods(&*self.likelihood, self.decode(Encode::mean(self, rows)))
    }
}

impl Generate for Rae {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.prior.sample(graph, rows, self.networks.latent(), &self.encoder())
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        self.prior.gaussian(graph, self.networks.latent())
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), None)
    }
}

impl FitPrior for Rae {
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let terms = self.terms(batch);
        Terms { loss: -self.log_prior(terms.mu), parts: vec![], ..terms }
    }

    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        self.prior.data_dependent_init(points)
    }
}
